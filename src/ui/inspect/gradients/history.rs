//! How gradients and weights spread, now and since the view was opened.
use crate::plotting::Scale;
use crate::plotting::color::{css, sequential};
use crate::plotting::format::count;
use crate::plotting::stats::Histogram;
use crate::train::protocol::{Spread, Vitals};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::histogram;
use crate::ui::inspect::legend::ColorLegend;
use crate::ui::plot::axes::{Axes, Titles};
use crate::ui::plot::{Canvas, Surface};
use std::collections::VecDeque;
use std::rc::Rc;
use yew::prelude::*;

/// Looks that are kept.
const KEPT: usize = 60;

/// What was seen so far, the oldest first.
#[derive(Default)]
pub struct History(VecDeque<Rc<Vitals>>);

/// One tensor's spreads at a step.
type Moment = (u32, Spread, Spread);

/// Compared by identity of the newest look.
#[derive(Clone)]
pub struct Past {
    moments: Rc<Vec<Moment>>,
    newest: usize,
}

impl PartialEq for Past {
    fn eq(&self, o: &Self) -> bool {
        self.newest == o.newest && self.moments.len() == o.moments.len()
    }
}

impl History {
    pub fn add(&mut self, now: &Rc<Vitals>) {
        if self.0.back().is_some_and(|last| Rc::ptr_eq(last, now)) {
            return;
        }
        // The same step again takes the place of the last; an earlier one begins anew.
        while self.0.back().is_some_and(|last| last.step >= now.step) {
            self.0.pop_back();
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(now.clone());
    }

    pub fn of(&self, name: &str) -> Past {
        let moment = |v: &Rc<Vitals>| {
            let t = v.tensors.iter().find(|t| t.name == name)?;
            Some((v.step, t.gradients.clone(), t.weights.clone()))
        };
        Past {
            moments: Rc::new(self.0.iter().filter_map(moment).collect()),
            newest: self.0.back().map_or(0, |v| Rc::as_ptr(v) as usize),
        }
    }
}

#[derive(Properties, PartialEq)]
pub struct SpreadsProps {
    pub past: Past,
    pub name: AttrValue,
}

#[component]
pub fn Spreads(props: &SpreadsProps) -> Html {
    use_lang();
    let panel = |gradients: bool| {
        let title = t(if gradients {
            "spread-gradients"
        } else {
            "spread-weights"
        });
        html! {
            <SpreadPanel past={props.past.clone()} name={props.name.clone()} {gradients} {title} />
        }
    };
    html! { <div class="spreads">{ panel(true) }{ panel(false) }</div> }
}

#[derive(Properties, PartialEq)]
struct PanelProps {
    past: Past,
    name: AttrValue,
    gradients: bool,
    title: AttrValue,
}

fn as_histogram(s: &Spread) -> Option<Histogram> {
    (!s.counts.is_empty()).then(|| Histogram {
        lo: s.lo,
        hi: s.hi,
        counts: s.counts.clone(),
        mean: f64::NAN,
        deviation: f64::NAN,
        odd: s.outside as usize,
    })
}

#[component]
fn SpreadPanel(props: &PanelProps) -> Html {
    use_lang();
    let gradients = props.gradients;
    let key = (props.past.clone(), props.name.clone());
    let axis = t(if gradients {
        "spread-log-gradient"
    } else {
        "histogram-value"
    });
    let paint_now = {
        let (past, axis) = (props.past.clone(), axis.clone());
        use_callback(key.clone(), move |surface: Rc<Surface>, _| {
            let last = past.moments.last().map(|m| spread(m, gradients));
            if let Some(h) = last.and_then(as_histogram) {
                histogram::draw(&surface, &h, &axis);
            }
        })
    };
    let paint_past = {
        let (past, axis) = (props.past.clone(), axis.clone());
        use_callback(key, move |surface: Rc<Surface>, _| {
            draw(&surface, &past.moments, gradients, &axis);
        })
    };
    let last = props.past.moments.last().map(|m| spread(m, gradients));
    let now = last.and_then(as_histogram);
    let outside = last.map_or(0, |s| s.outside);
    let name = || ("name", props.name.to_string().into());
    let label = t_args(
        if gradients {
            "spread-label-gradients"
        } else {
            "spread-label-weights"
        },
        &[name()],
    );
    let over_time = t_args("spread-over-time", &[("what", label.clone().into())]);
    html! {
        <figure class="histogram">
            <figcaption>{ props.title.clone() }{ " " }<code class="dim">{ props.name.clone() }</code></figcaption>
            if let Some(h) = &now {
                <div class="chart-box low"><Canvas paint={paint_now} label={label.clone()} /></div>
                { histogram::numbers(h, label) }
            } else {
                <p class="empty">{ t("spread-empty") }</p>
            }
            if outside > 0 && gradients {
                <p class="dim">{ t_args("spread-zeros", &[("count", count(u64::from(outside)).into())]) }</p>
            }
            if props.past.moments.len() > 1 {
                <div class="chart-box low"><Canvas paint={paint_past} label={over_time} /></div>
                <p class="legend-row">
                    <ColorLegend lo={0.0} hi={1.0} signed={false}
                        names={Some((t("spread-few").into(), t("spread-many").into()))} />
                </p>
                { ends(&props.past.moments, gradients) }
            } else {
                <p class="dim">{ t("spread-later") }</p>
            }
        </figure>
    }
}

fn spread(m: &Moment, gradients: bool) -> &Spread {
    if gradients { &m.1 } else { &m.2 }
}

/// A column per look, from its step to the next one's; the more values, the brighter.
fn draw(surface: &Surface, moments: &[Moment], gradients: bool, axis: &str) {
    let known = || {
        moments
            .iter()
            .map(|m| spread(m, gradients))
            .filter(|s| !s.counts.is_empty())
    };
    let lo = known().map(|s| s.lo).fold(f32::INFINITY, f32::min);
    let hi = known().map(|s| s.hi).fold(f32::NEG_INFINITY, f32::max);
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return;
    };
    if lo > hi {
        return;
    }
    let end = last.0 + (last.0 - first.0).div_ceil(moments.len() as u32 - 1).max(1);
    let axes = Axes::draw(
        surface,
        Scale::linear(f64::from(first.0), f64::from(end)),
        Scale::linear(f64::from(lo), f64::from(hi)),
        Titles {
            x: &t("axis-step"),
            y: axis,
            percent: false,
        },
    );
    let ctx = &surface.ctx;
    for (i, m) in moments.iter().enumerate() {
        let s = spread(m, gradients);
        let most = s.counts.iter().copied().max().unwrap_or(0).max(1);
        let left = axes.px(f64::from(m.0));
        let right = axes.px(f64::from(moments.get(i + 1).map_or(end, |n| n.0)));
        let height = f64::from(s.hi - s.lo) / s.counts.len().max(1) as f64;
        for (k, n) in s.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            let from = f64::from(s.lo) + k as f64 * height;
            let (top, bottom) = (axes.py(from + height), axes.py(from));
            ctx.set_fill_style_str(&css(sequential((*n as f32 / most as f32).sqrt())));
            ctx.fill_rect(left, top, right - left + 0.5, bottom - top + 0.5);
        }
    }
}

/// Where the values lay at some of the looks, for those who do not see the picture.
fn ends(moments: &[Moment], gradients: bool) -> Html {
    use crate::plotting::format::three;
    let every = moments.len().div_ceil(8);
    html! {
        <div class="unseen"><table>
            <thead><tr>
                <th scope="col">{ t("axis-step") }</th>
                <th scope="col">{ t("spread-lowest") }</th>
                <th scope="col">{ t("spread-highest") }</th>
            </tr></thead>
            <tbody>
                { for moments.iter().step_by(every).map(|m| {
                    let s = spread(m, gradients);
                    html! {
                        <tr>
                            <th scope="row">{ m.0 }</th>
                            <td>{ three(f64::from(s.lo)) }</td>
                            <td>{ three(f64::from(s.hi)) }</td>
                        </tr>
                    }
                }) }
            </tbody>
        </table></div>
    }
}
