//! Cells of a table that hold nothing: how many, and what is done about them.
use crate::lazy;
use crate::spec::{Missing, Spec};
use crate::train::protocol::{MissingCells, MissingColumn};
use crate::ui::fields::{SelectField, slug};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::DATA_WORDS;
use crate::ui::later::{View, Worded};
use crate::ui::numbers::count;
use crate::ui::store::Edit;
use yew::prelude::*;

#[derive(Clone, Properties, PartialEq)]
pub struct MissingProps {
    pub cells: MissingCells,
    /// Columns of which the spec says what is done.
    pub chosen: Vec<String>,
    pub edit: Edit,
}

lazy! {
    pub static MISSING: View<MissingProps>, in page data = |p| html! { <Worded words={DATA_WORDS}><Cells ..p /></Worded> };
}

#[component]
fn Cells(props: &MissingProps) -> Html {
    use_lang();
    let cells = &props.cells;
    // Nobody chose to lose its rows: it is what is to be predicted.
    let is_target =
        |c: &&MissingColumn| c.with == Missing::Drop && !props.chosen.contains(&c.column);
    let target = cells.columns.iter().find(is_target);
    let note = |key: &str, args: &[(&'static str, String)]| {
        let args: Vec<_> = args.iter().map(|(k, v)| (*k, v.clone().into())).collect();
        html! { <p class="dim">{ t_args(key, &args) }</p> }
    };
    html! {
        <details class="more missing-cells" open=true>
            <summary>{ t("missing-title") }</summary>
            <div class="grid">
                { for cells.columns.iter().filter(|c| !is_target(c)).map(|c| column(props, c)) }
            </div>
            if let Some(c) = target {
                { note("missing-target", &[("column", c.column.clone()), ("n", count(c.cells as u64))]) }
            } else if cells.dropped > 0 {
                { note("missing-dropped", &[("n", count(cells.dropped as u64))]) }
            }
            if !cells.empty.is_empty() {
                { note("missing-empty", &[("columns", cells.empty.join(", "))]) }
            }
            <p class="dim">{ t("missing-note") }</p>
        </details>
    }
}

fn column(props: &MissingProps, c: &MissingColumn) -> Html {
    let ways = [
        Missing::Mean,
        Missing::Median,
        Missing::MostFrequent,
        Missing::Drop,
    ];
    // Texts have no mean.
    let ways = if c.texts { &ways[2..] } else { &ways };
    let options: Vec<(AttrValue, AttrValue)> = ways
        .iter()
        .map(|w| {
            let id = slug(w);
            (
                id.clone().into(),
                t(&format!("missing-{}", id.replace('_', "-"))).into(),
            )
        })
        .collect();
    let cells = t_args("missing-cells", &[("n", c.cells.into())]);
    let on_change = {
        let (name, ways) = (c.column.clone(), ways.to_vec());
        props.edit.with("", move |s: &mut Spec, v: String| {
            if let Some(way) = ways.iter().find(|w| slug(*w) == v) {
                s.data.missing.insert(name.clone(), *way);
            }
        })
    };
    let value = c.value.as_deref().map(|v| {
        let short = v.parse::<f64>().map(crate::plotting::format::three);
        let short = short.unwrap_or_else(|_| v.to_string());
        t_args("missing-value", &[("value", short.into())])
    });
    html! {
        <div key={c.column.clone()} class="missing-column">
            <SelectField label={format!("{} · {cells}", c.column)}
                hint={AttrValue::from(t_args("missing-with", &[("column", c.column.clone().into())]))}
                value={slug(&c.with)} {options} {on_change} />
            <small class="dim figure" title={c.value.clone()}>{ value }</small>
        </div>
    }
}
