//! Columns of a table, channels of pictures, targets: ranges and how values spread.
use super::bars::Histogram;
use crate::plotting::format::{count, three};
use crate::train::protocol::Column;
use crate::ui::i18n::{t, t_args, use_lang};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct TableProps {
    pub columns: Vec<Column>,
    /// What the first column of the table names.
    pub first: AttrValue,
    /// Columns that are not listed.
    #[prop_or_default]
    pub more: usize,
}

#[component]
pub fn Table(props: &TableProps) -> Html {
    use_lang();
    let figure =
        |v: f32| html! { <td class="figure" title={v.to_string()}>{ three(f64::from(v)) }</td> };
    html! {
        <>
            <div class="table-scroll" tabindex="0">
                <table class="numbers-table data-columns">
                    <thead><tr>
                        <th scope="col">{ props.first.clone() }</th>
                        <th scope="col">{ t("data-min") }</th>
                        <th scope="col">{ t("data-max") }</th>
                        <th scope="col">{ t("data-mean") }</th>
                        <th scope="col" title={t("data-deviation-hint")}>{ t("data-deviation") }</th>
                        <th scope="col">{ t("data-missing") }</th>
                        <th scope="col">{ t("data-values") }</th>
                    </tr></thead>
                    <tbody>
                        { for props.columns.iter().enumerate().map(|(i, c)| {
                            let name = match c.name.is_empty() {
                                true => format!("{}", i + 1),
                                false => c.name.clone(),
                            };
                            html! {
                                <tr key={i}>
                                    <th scope="row">{ &name }</th>
                                    { figure(c.min) }
                                    { figure(c.max) }
                                    <td class="figure" title={c.mean.to_string()}>{ three(c.mean) }</td>
                                    <td class="figure" title={c.deviation.to_string()}>{ three(c.deviation) }</td>
                                    <td class="figure">{ count(u64::from(c.missing)) }</td>
                                    <td><Histogram spread={c.spread.clone()} label={name} /></td>
                                </tr>
                            }
                        }) }
                    </tbody>
                </table>
            </div>
            if props.more > 0 {
                <p class="dim">{ t_args("data-more", &[("n", count(props.more as u64).into())]) }</p>
            }
        </>
    }
}
