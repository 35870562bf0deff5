//! Samples that a cell of the confusion matrix counts, and those with the largest losses.
use super::Judged;
use crate::plotting::format::count;
use crate::plotting::outcome::Outcome;
use crate::train::protocol::Failure;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::parts::{Trouble, Waiting};
use crate::ui::inspect::predictions::{Item, images, rows};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::source::{Rows, Source};
use std::rc::Rc;
use yew::prelude::*;

/// Samples shown at once.
const SHOWN: usize = 12;

/// Places, within the part, of the samples of a cell, in their order.
pub fn in_cell(outcome: &Outcome, judged: &Judged, truth: usize, said: usize) -> Vec<usize> {
    let rows = judged.outputs.chunks_exact(outcome.width().max(1));
    let of = rows.zip(&judged.targets).enumerate();
    of.filter(|(_, (row, t))| **t as usize == truth && outcome.class(row) == Some(said))
        .map(|(i, _)| i)
        .collect()
}

/// Places of the samples that are wrong (of a regression: of all), the largest loss first.
pub fn worst(outcome: &Outcome, judged: &Judged) -> Vec<usize> {
    let wrong = |i: &usize| match outcome {
        Outcome::Values { .. } => true,
        _ => {
            let width = outcome.width();
            let row = judged.outputs.get(i * width..(i + 1) * width);
            row.and_then(|r| outcome.class(r)) != judged.targets.get(*i).map(|t| *t as usize)
        }
    };
    let mut all: Vec<usize> = (0..judged.losses.len()).filter(wrong).collect();
    all.sort_by(|a, b| judged.losses[*b].total_cmp(&judged.losses[*a]));
    all
}

#[derive(Properties, PartialEq)]
pub struct SamplesProps {
    pub source: Source,
    pub judged: Rc<Judged>,
    pub numbers: Vec<usize>,
}

struct Found {
    numbers: Vec<usize>,
    rows: Vec<Rc<Rows>>,
}

/// The first of the samples named, with what the network says of them.
#[component]
pub fn Samples(props: &SamplesProps) -> Html {
    use_lang();
    let source = &props.source;
    let first: Vec<usize> = props.numbers.iter().copied().take(SHOWN).collect();
    let key = (source.clone(), props.judged.part, first.clone());
    let pulled = use_pull(key, |(source, part, numbers)| async move {
        let mut rows = Vec::with_capacity(numbers.len());
        for i in &numbers {
            rows.push(source.samples(part, *i, 1).await?);
        }
        Ok::<_, Failure>(Found { numbers, rows })
    });
    let Some(found) = pulled.value.filter(|f| f.numbers == first) else {
        return html! { <><Trouble failure={pulled.failure} /><Waiting /></> };
    };
    let width = source.outcome.width();
    let items: Vec<Item> = found
        .numbers
        .iter()
        .zip(&found.rows)
        .filter(|(_, rows)| rows.count == 1)
        .filter_map(|(i, rows)| {
            Some(Item {
                number: *i,
                x: rows.sample(0),
                y: rows.target(0),
                output: props.judged.outputs.get(i * width..(i + 1) * width)?,
                loss: props.judged.losses.get(*i).copied(),
            })
        })
        .collect();
    let regression = matches!(source.outcome, Outcome::Values { .. });
    let all = props.numbers.len();
    html! {
        <>
            if items.is_empty() {
                <p class="empty">{ t("predictions-no-mistakes") }</p>
            } else if let Some(shape) = source.info.data.image.filter(|_| !regression) {
                { images::grid(source, &items, shape) }
            } else {
                { rows::table(source, &items) }
            }
            if all > items.len() && !items.is_empty() {
                <p class="dim">{ t_args("mistakes-cut", &[
                    ("shown", count(items.len() as u64).into()), ("total", count(all as u64).into()),
                ]) }</p>
            }
        </>
    }
}
