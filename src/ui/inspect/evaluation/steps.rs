//! Mistakes where each step has a class, and confused pairs where there are many classes.
use super::{Cell, Judged};
use crate::plotting::format::{count, percent};
use crate::train::protocol::{Ask, Failure};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::parts::{Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::source::{Rows, Source};
use std::rc::Rc;
use yew::prelude::*;

/// Steps listed at once.
const SHOWN: usize = 15;
/// Steps told before and after one.
const AROUND: usize = 4;

/// A step, by its row among all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    row: usize,
    truth: usize,
    said: usize,
    /// What was given to the true class.
    given: f32,
}

/// The steps of a cell in their order, or else the mistakes, those that gave the truth least first.
fn find(source: &Source, judged: &Judged, cell: Option<Cell>) -> Vec<Step> {
    let outcome = &source.outcome;
    let rows = judged.outputs.chunks_exact(outcome.width().max(1));
    let all = rows.zip(&judged.targets).enumerate();
    let mut steps: Vec<Step> = all
        .filter_map(|(row, (out, truth))| {
            let truth = *truth as usize;
            let given = outcome.probability(out, truth).or(out.get(truth).copied());
            Some(Step {
                row,
                truth,
                said: outcome.class(out)?,
                given: given?,
            })
        })
        .filter(|s| match cell {
            Some(cell) => (s.truth, s.said) == cell,
            None => s.truth != s.said,
        })
        .collect();
    if cell.is_none() {
        steps.sort_by(|a, b| a.given.total_cmp(&b.given));
    }
    steps
}

#[derive(Properties, PartialEq)]
pub struct StepMistakesProps {
    pub source: Source,
    pub judged: Rc<Judged>,
    pub cell: Option<Cell>,
}

struct Found {
    rows: Vec<usize>,
    samples: Vec<Rc<Rows>>,
    words: Vec<String>,
}

#[component]
pub fn StepMistakes(props: &StepMistakesProps) -> Html {
    use_lang();
    let source = &props.source;
    let steps = source.steps();
    let all = use_memo(
        (
            Rc::as_ptr(&props.judged) as usize,
            props.cell,
            source.clone(),
        ),
        |(_, cell, source)| find(source, &props.judged, *cell),
    );
    let first: Vec<Step> = all.iter().copied().take(SHOWN).collect();
    let rows: Vec<usize> = first.iter().map(|s| s.row).collect();
    let key = (source.clone(), props.judged.part, rows.clone());
    let pulled = use_pull(key, |(source, part, rows)| async move {
        let words = source.look::<Vec<String>>(Ask::Words).await?.0;
        let mut samples = Vec::with_capacity(rows.len());
        for row in &rows {
            samples.push(source.samples(part, row / source.steps(), 1).await?);
        }
        Ok::<_, Failure>(Found {
            rows,
            samples,
            words,
        })
    });
    if first.is_empty() {
        return html! { <p class="empty">{ t("predictions-no-mistakes") }</p> };
    }
    let Some(found) = pulled.value.filter(|f| f.rows == rows) else {
        return html! { <><Trouble failure={pulled.failure} /><Waiting /></> };
    };
    html! {
        <>
            <p class="dim">{ t("steps-about") }</p>
            <div class="table-scroll" tabindex="0">
                <table class="numbers-table">
                    <thead><tr>
                        <th scope="col">{ "#" }</th>
                        <th scope="col">{ t("saliency-step") }</th>
                        <th scope="col">{ t("steps-around") }</th>
                        <th scope="col">{ t("rows-truth") }</th>
                        <th scope="col">{ t("rows-prediction") }</th>
                        <th scope="col">{ t("steps-given") }</th>
                    </tr></thead>
                    <tbody>
                        { for first.iter().zip(&found.samples).map(|(s, rows)| html! {
                            <tr key={s.row}>
                                <th scope="row" class="figure">{ s.row / steps }</th>
                                <td class="figure">{ s.row % steps }</td>
                                <td>{ around(rows, &found.words, s.row % steps, steps) }</td>
                                <td>{ source.class(s.truth) }</td>
                                <td>{ source.class(s.said) }</td>
                                <td class="figure" title={s.given.to_string()}>{ percent(f64::from(s.given)) }</td>
                            </tr>
                        }) }
                    </tbody>
                </table>
            </div>
            if all.len() > first.len() {
                <p class="dim">{ t_args("mistakes-cut", &[
                    ("shown", count(first.len() as u64).into()), ("total", count(all.len() as u64).into()),
                ]) }</p>
            }
        </>
    }
}

/// The tokens about a step, where the sample has one per step.
fn around(rows: &Rows, words: &[String], step: usize, steps: usize) -> Html {
    if rows.count == 0 || rows.features() != steps {
        return html! { "–" };
    }
    let x = rows.sample(0);
    let token = |i: usize| {
        let word = words.get(x[i] as usize).cloned();
        word.unwrap_or_else(|| x[i].to_string())
    };
    let list = |range: std::ops::Range<usize>| range.map(token).collect::<Vec<String>>().join(" ");
    let from = step.saturating_sub(AROUND);
    let to = (step + 1 + AROUND).min(steps);
    html! { <>{ list(from..step) }{ " " }<b>{ token(step) }</b>{ " " }<span class="dim">{ list(step + 1..to) }</span></> }
}

/// The pairs of classes that are confused most, each of which opens its samples or steps.
pub fn pairs(
    source: &Source,
    matrix: &[Vec<u32>],
    open: Option<Cell>,
    oncell: &Callback<Cell>,
) -> Html {
    let mut all: Vec<(Cell, u32)> = matrix
        .iter()
        .enumerate()
        .flat_map(|(truth, row)| {
            let wrong = row
                .iter()
                .enumerate()
                .filter(move |(said, n)| *said != truth && **n > 0);
            wrong.map(move |(said, n)| ((truth, said), *n))
        })
        .collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    html! {
        <div class="table-scroll" tabindex="0">
            <table class="numbers-table">
                <caption class="dim">{ t_args("confusion-pairs", &[("classes", matrix.len().to_string().into())]) }</caption>
                <thead><tr>
                    <th scope="col">{ t("rows-truth") }</th>
                    <th scope="col">{ t("rows-prediction") }</th>
                    <th scope="col">{ t("histogram-count") }</th>
                </tr></thead>
                <tbody>
                    { for all.into_iter().take(SHOWN).map(|(cell, n)| {
                        let oncell = oncell.clone();
                        html! {
                            <tr key={format!("{cell:?}")}>
                                <th scope="row">{ source.class(cell.0) }</th>
                                <td>{ source.class(cell.1) }</td>
                                <td><button type="button" class="button" aria-pressed={(open == Some(cell)).to_string()}
                                    onclick={move |_| oncell.emit(cell)}>{ count(u64::from(n)) }</button></td>
                            </tr>
                        }
                    }) }
                </tbody>
            </table>
        </div>
    }
}
