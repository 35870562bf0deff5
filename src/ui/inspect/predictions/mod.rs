//! What the network says of samples, beside what is true of them.
pub mod images;
pub mod rows;
mod scatter;
mod texts;

use super::ViewProps;
use super::parts::{Pager, PartSelect, Probability, Trouble, Waiting};
use super::pull::use_pull;
use super::source::Rows;
use super::try_it::{self, TryIt};
use super::try_value::TryValue;
use crate::lazy;
use crate::plotting::format::{count, three};
use crate::plotting::outcome::Outcome;
use crate::train::protocol::{Failure, Part};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::later::{Later, View};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Samples that a search for mistakes or a scatter plot looks at.
const SCANNED: usize = 1000;
const IMAGES: usize = 24;
const LINES: usize = 12;
/// Features of a sample that can be typed.
const TYPED: usize = 8;

/// One sample with its output.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// Place within the part.
    pub number: usize,
    pub x: &'a [f32],
    pub y: &'a [f32],
    pub output: &'a [f32],
    /// Where it is to be shown.
    pub loss: Option<f32>,
}

impl Item<'_> {
    fn truth(&self) -> usize {
        self.y.first().map_or(0, |y| *y as usize)
    }
}

pub struct Shown {
    want: Want,
    rows: Rc<Rows>,
    outputs: Vec<f32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Want {
    part: Part,
    start: usize,
    count: usize,
}

impl Shown {
    fn items(&self, outcome: &Outcome) -> Vec<Item<'_>> {
        let width = outcome.width();
        // Where each step has a class, the last one is shown.
        let all = self.outputs.len() / self.rows.count.max(1);
        (0..self.rows.count)
            .filter_map(|i| {
                let y = self.rows.target(i);
                Some(Item {
                    number: self.rows.start + i,
                    x: self.rows.sample(i),
                    y: if all > width {
                        &y[y.len().saturating_sub(1)..]
                    } else {
                        y
                    },
                    output: self
                        .outputs
                        .get(((i + 1) * all).checked_sub(width)?..(i + 1) * all)?,
                    loss: None,
                })
            })
            .collect()
    }
}

lazy! { static TEXTS: View<texts::TextsProps>, in page data = |p| texts::later(p); }

fn is_wrong(outcome: &Outcome, item: &Item) -> bool {
    outcome.class(item.output) != Some(item.truth())
}

#[component]
pub fn Predictions(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let parts = source.parts();
    let part = use_state(|| None::<Part>);
    let page = use_state(|| 0usize);
    let only_wrong = use_state(|| false);

    let part_now = part
        .filter(|p| parts.contains(p))
        .or(parts.first().copied())
        .unwrap_or(Part::Train);
    let regression = matches!(source.outcome, Outcome::Values { .. });
    let image = source.info.data.image;
    let texts = source.texts();
    // Where each step has a class, no sample is right or wrong as a whole.
    let whole = !regression && source.steps() == 1;
    let per_page = if image.is_some() { IMAGES } else { LINES };
    let scans = regression || *only_wrong;
    let want = match scans {
        true => Want {
            part: part_now,
            start: 0,
            count: SCANNED,
        },
        false => Want {
            part: part_now,
            start: *page * per_page,
            count: per_page,
        },
    };
    let pulled = use_pull(
        (source.clone(), props.tick, want),
        |(source, _, want)| async move {
            let rows = source.samples(want.part, want.start, want.count).await?;
            let outputs = source.predict(&rows.x, rows.count).await?;
            Ok::<_, Failure>(Shown {
                want,
                rows,
                outputs,
            })
        },
    );

    let to_page = {
        let page = page.clone();
        Callback::from(move |to| page.set(to))
    };
    let pick_part = {
        let (part, page) = (part.clone(), page.clone());
        Callback::from(move |p| {
            part.set(Some(p));
            page.set(0);
        })
    };
    let pick_wrong = {
        let (only_wrong, page) = (only_wrong.clone(), page.clone());
        move |e: Event| {
            only_wrong.set(e.target_unchecked_into::<HtmlInputElement>().checked());
            page.set(0);
        }
    };
    let shown = pulled.value.filter(|s| s.want == want);
    let body = match &shown {
        None => html! { <Waiting /> },
        Some(shown) if shown.rows.total == 0 => {
            html! { <p class="empty">{ t("predictions-none") }</p> }
        }
        Some(shown) => {
            let all = shown.items(&source.outcome);
            let kept: Vec<Item> = match *only_wrong && !regression {
                true => all
                    .iter()
                    .filter(|i| is_wrong(&source.outcome, i))
                    .copied()
                    .collect(),
                false => all.clone(),
            };
            let total = if scans { kept.len() } else { shown.rows.total };
            let pages = total.div_ceil(per_page).max(1);
            let at = (*page).min(pages - 1);
            let items = if scans {
                &kept[(at * per_page).min(kept.len())..((at + 1) * per_page).min(kept.len())]
            } else {
                &kept[..]
            };
            let first = if items.is_empty() {
                0
            } else {
                at * per_page + 1
            };
            let range = t_args(
                "pager-range",
                &[
                    ("from", count(first as u64).into()),
                    ("to", count((at * per_page + items.len()) as u64).into()),
                    ("total", count(total as u64).into()),
                ],
            );
            html! {
                <>
                    if regression {
                        { scatter::view(source, shown.rows.clone(), &shown.outputs) }
                    }
                    if scans && shown.rows.total > shown.rows.count {
                        <p class="dim">{ t_args("predictions-scanned", &[
                            ("count", count(shown.rows.count as u64).into()),
                            ("total", count(shown.rows.total as u64).into()),
                        ]) }</p>
                    }
                    if items.is_empty() {
                        <p class="empty">{ t("predictions-no-mistakes") }</p>
                    } else if let Some(shape) = image.filter(|_| !regression) {
                        { images::grid(source, items, shape) }
                    } else if texts {
                        <Later<texts::TextsProps> view={&TEXTS} with={texts::TextsProps {
                            source: source.clone(),
                            shown: shown.clone(),
                            items: items.iter().map(|i| i.number - shown.rows.start).collect(),
                        }} />
                    } else {
                        { rows::table(source, items) }
                    }
                    if pages > 1 {
                        <Pager page={at} {pages} onpage={to_page} {range} />
                    }
                </>
            }
        }
    };
    html! {
        <div class="view">
            if try_it::offered(source) {
                <TryIt ..props.clone() />
            } else if image.is_none() && source.features() <= TYPED {
                <TryValue source={source.clone()} tick={props.tick} />
            }
            <div class="view-tools">
                <PartSelect {parts} part={part_now} onpick={pick_part} />
                if whole {
                    <label class="plot-check">
                        <input type="checkbox" checked={*only_wrong} onchange={pick_wrong} />
                        { t("predictions-mistakes") }
                    </label>
                }
            </div>
            <Trouble failure={pulled.failure} />
            { body }
        </div>
    }
}

/// Right or wrong, by mark and word.
fn verdict(outcome: &Outcome, item: &Item) -> Html {
    match is_wrong(outcome, item) {
        true => {
            html! { <span class="verdict wrong">{ "✗" }<span class="unseen">{ t("verdict-wrong") }</span></span> }
        }
        false => {
            html! { <span class="verdict right">{ "✓" }<span class="unseen">{ t("verdict-right") }</span></span> }
        }
    }
}

/// How sure the network is of a class, or its score where that is no probability.
fn probability(outcome: &Outcome, item: &Item, class: usize) -> Html {
    match outcome.probability(item.output, class) {
        Some(p) => html! { <Probability {p} {class} /> },
        None => {
            html! { <span class="figure">{ item.output.first().map(|v| three(f64::from(*v))) }</span> }
        }
    }
}
