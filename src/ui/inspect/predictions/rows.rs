//! Samples as rows of a table.
use super::{Item, is_wrong, probability, verdict};
use crate::plotting::format::three;
use crate::plotting::outcome::Outcome;
use crate::ui::i18n::{t, t_args};
use crate::ui::inspect::source::Source;
use yew::prelude::*;

/// Features at most, and targets; the rest of the features is told of.
const FEATURES: usize = 6;

pub fn table(source: &Source, items: &[Item]) -> Html {
    let all = source.features();
    let features = all.min(FEATURES);
    let targets = match &source.outcome {
        Outcome::Values { targets } => (*targets).min(FEATURES),
        _ => 0,
    };
    let losses = items.iter().any(|i| i.loss.is_some());
    html! {
        <div class="table-scroll" tabindex="0">
            <table class="numbers-table">
                <thead><tr>
                    <th scope="col">{ "#" }</th>
                    if targets == 0 {
                        <th scope="col">{ t("rows-truth") }</th>
                        <th scope="col">{ t("rows-prediction") }</th>
                        <th scope="col">{ t("rows-probability") }</th>
                    } else {
                        { for (0..targets).map(|i| value_heads(source, i, targets)) }
                    }
                    if losses { <th scope="col">{ t("metric-loss") }</th> }
                    { for (0..features).map(|i| html! { <th scope="col">{ source.feature(i) }</th> }) }
                    if all > features {
                        <th scope="col" class="dim">{ t_args("rows-more", &[("count", (all - features).to_string().into())]) }</th>
                    }
                </tr></thead>
                <tbody>
                    { for items.iter().map(|item| html! {
                        <tr key={item.number} class={classes!((targets == 0 && is_wrong(&source.outcome, item)).then_some("wrong"))}>
                            <th scope="row" class="figure">{ item.number + 1 }</th>
                            if targets == 0 { { class_cells(source, item) } } else { { value_cells(item, targets) } }
                            if losses { { number(item.loss.unwrap_or(f32::NAN)) } }
                            { for item.x.iter().take(features).map(|v| number(*v)) }
                            if all > features { <td class="dim">{ "…" }</td> }
                        </tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}

fn number(v: f32) -> Html {
    html! { <td class="figure" title={v.to_string()}>{ three(f64::from(v)) }</td> }
}

fn class_cells(source: &Source, item: &Item) -> Html {
    let said = source.outcome.class(item.output);
    html! {
        <>
            <td>{ source.class(item.truth()) }</td>
            <td>{ verdict(&source.outcome, item) }{ " " }{ said.map(|k| source.class(k)) }</td>
            <td>{ for said.map(|k| probability(&source.outcome, item, k)) }</td>
        </>
    }
}

fn value_heads(source: &Source, i: usize, targets: usize) -> Html {
    let name = |key: &str| match targets {
        1 => t(key),
        _ => format!("{} · {}", source.target(i), t(key)),
    };
    html! {
        <>
            <th scope="col">{ name("rows-truth") }</th>
            <th scope="col">{ name("rows-prediction") }</th>
            <th scope="col">{ name("rows-error") }</th>
        </>
    }
}

fn value_cells(item: &Item, targets: usize) -> Html {
    let at = |v: &[f32], i: usize| v.get(i).copied().unwrap_or(f32::NAN);
    html! {
        { for (0..targets).map(|i| {
            let (truth, said) = (at(item.y, i), at(item.output, i));
            html! { <>{ number(truth) }{ number(said) }{ number(said - truth) }</> }
        }) }
    }
}
