//! How good the network is on each part of the data.
mod curves;
mod mistakes;
mod steps;

use super::ViewProps;
use super::parts::{PartSelect, Trouble, Waiting, part_name};
use super::pull::use_pull;
use super::sheet::About;
use super::source::Source;
use crate::plotting::color::class;
use crate::plotting::format::{count, percent, three};
use crate::plotting::outcome::Outcome;
use crate::train::protocol::{Evaluation, Failure, Part};
use crate::ui::i18n::{t, t_args, t_maybe, use_lang};
use crate::ui::plot::{metric_name, metric_value};
use curves::Curves;
use mistakes::{Samples, in_cell, worst};
use std::rc::Rc;
use steps::StepMistakes;
use yew::prelude::*;

/// All outputs of a part, with what is true of them.
#[derive(Debug, PartialEq)]
pub struct Judged {
    pub part: Part,
    /// `[rows, outputs]`
    pub outputs: Vec<f32>,
    pub targets: Vec<f32>,
    pub losses: Vec<f32>,
}

/// A cell of the confusion matrix: the true class, and what was said.
type Cell = (usize, usize);

/// Beyond so many classes the matrix gives way to the pairs that are confused most.
const LARGE: usize = 40;

type Get = fn(&Evaluation) -> Option<f64>;

const METRICS: [(&str, Get); 7] = [
    ("loss", |e| Some(e.loss)),
    ("accuracy", |e| e.accuracy),
    ("auc", |e| e.auc),
    ("perplexity", |e| e.perplexity),
    ("mse", |e| e.mse),
    ("mae", |e| e.mae),
    ("r2", |e| e.r2),
];

#[component]
pub fn EvaluationView(props: &ViewProps) -> Html {
    use_lang();
    let parts = props.source.parts();
    let part = use_state(|| None::<Part>);
    let cell = use_state(|| None::<Cell>);
    let part_now = part
        .filter(|p| parts.contains(p))
        .or(parts.first().copied())
        .unwrap_or(Part::Train);
    let pulled = use_pull(
        (props.source.clone(), props.tick, part_now),
        |(source, _, part)| async move {
            let mut out = Vec::new();
            for part in source.parts() {
                out.push((part, source.evaluate(part).await?));
            }
            let judged = Rc::new(source.outputs(part).await?);
            Ok::<_, Failure>((out, judged))
        },
    );
    let pick = {
        let (part, cell) = (part.clone(), cell.clone());
        Callback::from(move |p| {
            part.set(Some(p));
            cell.set(None);
        })
    };
    let oncell = {
        let cell = cell.clone();
        Callback::from(move |to: Cell| cell.set((*cell != Some(to)).then_some(to)))
    };
    let Some(pulled_now) = pulled.value else {
        return html! { <div class="view"><Trouble failure={pulled.failure} /><Waiting /></div> };
    };
    let (all, judged) = &*pulled_now;
    let source = &props.source;
    // One row of outputs for each sample: not so where each step has a class.
    let steps = source.steps();
    let here = judged.part == part_now;
    let simple = here && steps == 1;
    let classes = !matches!(source.outcome, Outcome::Values { .. });
    let samples = |numbers: Vec<usize>| {
        html! { <Samples source={source.clone()} judged={judged.clone()} {numbers} /> }
    };
    let confusion = all
        .iter()
        .find(|(p, _)| *p == part_now)
        .and_then(|(_, e)| e.confusion.as_ref());
    html! {
        <div class="view">
            <About text={t("evaluation-about")} />
            <Trouble failure={pulled.failure} />
            { scores(all) }
            if parts.len() > 1 {
                <div class="view-tools"><PartSelect {parts} part={part_now} onpick={pick} /></div>
            }
            if let Some(matrix) = confusion {
                <h4>{ t(if steps > 1 { "confusion-steps" } else { "confusion-title" }) }</h4>
                if matrix.len() > LARGE {
                    { steps::pairs(source, matrix, *cell, &oncell) }
                } else {
                    { confusion_matrix(source, matrix, part_now, *cell, &oncell) }
                }
                if let Some((truth, said)) = cell.filter(|_| simple) {
                    <section class="tensor" aria-live="polite">
                        <h4>{ t_args("confusion-cell", &[
                            ("truth", source.class(truth).into()), ("said", source.class(said).into()),
                        ]) }</h4>
                        { samples(in_cell(&source.outcome, judged, truth, said)) }
                    </section>
                }
            }
            if here && steps > 1 {
                <section class="tensor">
                    <h4>{ match *cell {
                        Some((truth, said)) => t_args("confusion-cell", &[
                            ("truth", source.class(truth).into()), ("said", source.class(said).into()),
                        ]),
                        None => t("worst-mistakes"),
                    } }</h4>
                    <StepMistakes source={source.clone()} judged={judged.clone()} cell={*cell} />
                </section>
            }
            if here && classes {
                <Curves source={source.clone()} judged={judged.clone()} />
            }
            if simple {
                <h4 title={t("about-worst")}>{ t(if classes { "worst-mistakes" } else { "worst-samples" }) }</h4>
                { samples(worst(&source.outcome, judged)) }
            }
        </div>
    }
}

fn scores(all: &[(Part, Evaluation)]) -> Html {
    let known = METRICS
        .iter()
        .filter(|(_, get)| all.iter().any(|(_, e)| get(e).is_some()));
    html! {
        <div class="table-scroll" tabindex="0">
            <table class="numbers-table">
                <thead><tr>
                    <th scope="col"></th>
                    { for all.iter().map(|(p, _)| html! { <th scope="col">{ part_name(*p) }</th> }) }
                </tr></thead>
                <tbody>
                    <tr>
                        <th scope="row">{ t("evaluation-samples") }</th>
                        { for all.iter().map(|(_, e)| html! { <td class="figure">{ count(e.samples as u64) }</td> }) }
                    </tr>
                    { for known.map(|(name, get)| html! {
                        <tr>
                            <th scope="row" title={t_maybe(&format!("about-{name}"))}>{ metric_name(name) }</th>
                            { for all.iter().map(|(_, e)| match get(e) {
                                Some(v) => html! { <td class="figure" title={v.to_string()}>{ metric_value(name, v) }</td> },
                                None => html! { <td>{ "–" }</td> },
                            }) }
                        </tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}

/// Counts, with the share of each true class below them.
fn confusion_matrix(
    source: &Source,
    matrix: &[Vec<u32>],
    part: Part,
    open: Option<Cell>,
    oncell: &Callback<Cell>,
) -> Html {
    let shade = |right: bool, rate: f64| {
        let [r, g, b] = if right { class(0) } else { class(6) };
        let alpha = if rate > 0.0 { 0.08 + 0.5 * rate } else { 0.0 };
        format!("background:rgba({r},{g},{b},{alpha:.3})")
    };
    html! {
        <div class="table-scroll" tabindex="0">
            <table class="confusion">
                <caption class="dim">{ t_args("confusion-caption", &[("part", part_name(part).into())]) }</caption>
                <thead><tr>
                    <th scope="col" class="dim">{ t("confusion-corner") }</th>
                    { for (0..matrix.len()).map(|k| html! { <th scope="col">{ source.class(k) }</th> }) }
                    <th scope="col" class="dim" title={t("about-recall")}>{ t("confusion-recall") }</th>
                </tr></thead>
                <tbody>
                    { for matrix.iter().enumerate().map(|(truth, row)| {
                        let total: u32 = row.iter().sum();
                        let rate = |n: u32| f64::from(n) / f64::from(total.max(1));
                        html! {
                            <tr>
                                <th scope="row">{ source.class(truth) }</th>
                                { for row.iter().enumerate().map(|(said, n)| html! {
                                    <td style={shade(truth == said, rate(*n))} class={classes!((*n == 0).then_some("none"))}>
                                        if *n > 0 {
                                            { cell_button(source, (truth, said), open, oncell, html! {
                                                <>
                                                    <span class="figure">{ count(u64::from(*n)) }</span>
                                                    <small class="figure">{ percent(rate(*n)) }</small>
                                                </>
                                            }) }
                                        } else {
                                            <span class="figure">{ "0" }</span>
                                        }
                                    </td>
                                }) }
                                <td class="figure dim">{
                                    if total > 0 { percent(rate(row.get(truth).copied().unwrap_or(0))) } else { three(f64::NAN) }
                                }</td>
                            </tr>
                        }
                    }) }
                </tbody>
            </table>
        </div>
    }
}

/// Opens the samples of a cell.
fn cell_button(
    source: &Source,
    cell: Cell,
    open: Option<Cell>,
    oncell: &Callback<Cell>,
    inside: Html,
) -> Html {
    let oncell = oncell.clone();
    let title = t_args(
        "confusion-open",
        &[
            ("truth", source.class(cell.0).into()),
            ("said", source.class(cell.1).into()),
        ],
    );
    html! {
        <button type="button" {title} aria-pressed={(open == Some(cell)).to_string()}
            onclick={move |_| oncell.emit(cell)}>{ inside }</button>
    }
}
