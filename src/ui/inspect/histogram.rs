//! How values spread.
use crate::plotting::color::{class, css};
use crate::plotting::format::{count, three, tick_labels};
use crate::plotting::stats::{Histogram, histogram};
use crate::plotting::{Scale, scale::Kind};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::plot::axes::{Axes, Titles};
use crate::ui::plot::{Canvas, Surface};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties)]
pub struct HistogramProps {
    pub values: Rc<Vec<f32>>,
    pub name: AttrValue,
}

impl PartialEq for HistogramProps {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.values, &o.values) && self.name == o.name
    }
}

const BINS: usize = 48;
const FEWEST: usize = 8;

#[component]
pub fn HistogramChart(props: &HistogramProps) -> Html {
    use_lang();
    let values = props.values.clone();
    let made = use_memo(Rc::as_ptr(&values) as usize, move |_| {
        histogram(&values, bins(values.len()))
    });
    let paint = {
        let made = made.clone();
        use_callback(
            Rc::as_ptr(&made) as usize,
            move |surface: Rc<Surface>, _| {
                if let Some(h) = &*made {
                    draw(&surface, h, &t("histogram-value"));
                }
            },
        )
    };
    let Some(h) = &*made else {
        return Html::default();
    };
    let summary = t_args(
        "histogram-summary",
        &[
            ("mean", three(h.mean).into()),
            ("deviation", three(h.deviation).into()),
            ("lo", three(f64::from(h.lo)).into()),
            ("hi", three(f64::from(h.hi)).into()),
        ],
    );
    let label = t_args(
        "histogram-label",
        &[("name", props.name.to_string().into())],
    );
    html! {
        <figure class="histogram">
            <div class="chart-box low"><Canvas {paint} label={format!("{label} {summary}")} /></div>
            <figcaption class="dim">
                { summary }
                if h.odd > 0 {
                    <strong>{ t_args("histogram-odd", &[("count", count(h.odd as u64).into())]) }</strong>
                }
            </figcaption>
            { numbers(h, label) }
        </figure>
    }
}

/// More values, finer bins.
fn bins(values: usize) -> usize {
    (2.0 * (values as f64).sqrt()).clamp(FEWEST as f64, BINS as f64) as usize
}

pub fn draw(surface: &Surface, h: &Histogram, title: &str) {
    let most = h.counts.iter().copied().max().unwrap_or(1);
    let x = Scale::linear(f64::from(h.lo), f64::from(h.hi));
    let y = Scale::nice(Kind::Linear, 0.0, f64::from(most), 3);
    let axes = Axes::draw(
        surface,
        x,
        y,
        Titles {
            x: title,
            y: &t("histogram-count"),
            percent: false,
        },
    );
    let ctx = &surface.ctx;
    ctx.set_fill_style_str(&css(class(0)));
    let width = axes.area.width / h.counts.len() as f64;
    let gap = if width > 4.0 { 1.0 } else { 0.0 };
    let ground = axes.py(0.0);
    for (i, n) in h.counts.iter().enumerate() {
        let top = axes.py(f64::from(*n));
        let left = axes.area.left + i as f64 * width;
        ctx.fill_rect(left, top, (width - gap).max(0.5), ground - top);
    }
}

/// A dozen bins at most, for those who do not see the picture.
pub fn numbers(h: &Histogram, label: String) -> Html {
    let joined = h.counts.len().div_ceil(12);
    let width = f64::from(h.hi - h.lo) / h.counts.len() as f64;
    let edges: Vec<f64> = (0..=h.counts.len())
        .step_by(joined)
        .map(|i| f64::from(h.lo) + i as f64 * width)
        .collect();
    let names = tick_labels(&edges);
    html! {
        <div class="unseen"><table>
            <caption>{ label }</caption>
            <thead><tr><th scope="col">{ t("histogram-from") }</th><th scope="col">{ t("histogram-count") }</th></tr></thead>
            <tbody>
                { for h.counts.chunks(joined).zip(names).map(|(c, from)| html! {
                    <tr><th scope="row">{ from }</th><td>{ c.iter().sum::<u32>() }</td></tr>
                }) }
            </tbody>
        </table></div>
    }
}
