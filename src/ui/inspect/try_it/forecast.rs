//! A series carried on: the network's own forecasts become its next inputs.
use crate::plotting::Scale;
use crate::plotting::color::{class, css};
use crate::plotting::format::{count, three};
use crate::plotting::scale::Kind;
use crate::train::protocol::Failure;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::ViewProps;
use crate::ui::inspect::parts::{Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::source::Source;
use crate::ui::plot::axes::{Axes, Pen, Titles};
use crate::ui::plot::{Canvas, Surface};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Values that are forecast.
const AHEAD: usize = 80;

struct Course {
    start: usize,
    /// Places from which a forecast can begin.
    starts: usize,
    window: Vec<f32>,
    truth: Vec<f32>,
    forecast: Vec<f32>,
}

impl Course {
    /// Root of the mean square error over what is known.
    fn error(&self) -> Option<f64> {
        let known = self.truth.len().min(self.forecast.len());
        let pairs = self.truth.iter().zip(&self.forecast);
        let sum: f64 = pairs.map(|(t, f)| f64::from(t - f).powi(2)).sum();
        (known > 0).then(|| (sum / known as f64).sqrt())
    }
}

/// The windows of the last part, in the order of the series: window i begins at place i, and its target
/// is the value behind it.
async fn course(source: &Source, start: usize) -> Result<Option<Course>, Failure> {
    let part = source.parts()[0];
    let rows = source.samples(part, 0, usize::from(u16::MAX)).await?;
    let mut order: Vec<usize> = (0..rows.count).collect();
    order.sort_by_key(|i| rows.index[*i]);
    let Some(first) = order.get(start.min(rows.count.saturating_sub(1))).copied() else {
        return Ok(None);
    };
    let place = rows.index[first];
    // As far as the series goes on without a gap.
    let truth: Vec<f32> = order
        .iter()
        .skip(start)
        .enumerate()
        .take_while(|(k, i)| rows.index[**i] == place + *k as u32)
        .take(AHEAD)
        .map(|(_, i)| rows.target(*i)[0])
        .collect();
    let window = rows.sample(first).to_vec();
    let forecast = source.carry_on(&window, AHEAD).await?;
    Ok(Some(Course {
        start,
        starts: rows.count,
        window,
        truth,
        forecast,
    }))
}

#[component]
pub fn Forecast(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let start = use_state(|| 0usize);
    let pulled = use_pull(
        (source.clone(), props.tick, *start),
        |(source, _, start)| async move { course(&source, start).await },
    );
    let shown = pulled.value.as_ref().and_then(|v| v.as_ref().as_ref());
    let key = pulled.value.as_ref().map_or(0, |v| Rc::as_ptr(v) as usize);
    let paint = {
        let value = pulled.value.clone();
        use_callback(key, move |surface: Rc<Surface>, _| {
            if let Some(Some(c)) = value.as_deref() {
                draw(&surface, c);
            }
        })
    };
    let oninput = {
        let start = start.clone();
        Callback::from(move |e: InputEvent| {
            let input: HtmlInputElement = e.target_unchecked_into();
            start.set(input.value().parse().unwrap_or(0));
        })
    };
    let Some(c) = shown else {
        return html! {
            <section class="try" aria-label={t("try-forecast")}><Trouble failure={pulled.failure} /><Waiting /></section>
        };
    };
    let error = c.error().map(|e| {
        t_args(
            "try-forecast-error",
            &[
                ("error", three(e).into()),
                ("n", count(c.truth.len() as u64).into()),
            ],
        )
    });
    html! {
        <section class="try" aria-label={t("try-forecast")}>
            <h4>{ t("try-forecast") }</h4>
            <p class="dim">{ t("try-forecast-note") }</p>
            <Trouble failure={pulled.failure} />
            <div class="chart-box try-forecast"><Canvas {paint} label={t("try-forecast")} /></div>
            <p class="legend-row">
                <span class="plot-key">{ crate::ui::plot::swatch(&css(class(0)), false) }{ t("try-window") }</span>
                <span class="plot-key">{ crate::ui::plot::swatch(&css(class(0)), true) }{ t("try-truth") }</span>
                <span class="plot-key">{ crate::ui::plot::swatch(&css(class(6)), false) }{ t("try-carried-on") }</span>
                <span class="figure" role="status">{ error }</span>
            </p>
            <label class="pick">
                <span>{ t("try-start") }</span>
                <input type="range" min="0" max={c.starts.saturating_sub(2).to_string()} value={start.to_string()}
                    aria-valuetext={count(c.start as u64 + 1)} {oninput} />
            </label>
        </section>
    }
}

fn draw(surface: &Surface, c: &Course) {
    let from = -(c.window.len() as f64);
    let all = c.window.iter().chain(&c.truth).chain(&c.forecast);
    let (lo, hi) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
        (a.min(f64::from(*v)), b.max(f64::from(*v)))
    });
    let (time, value) = (t("try-time"), t("try-value"));
    let axes = Axes::draw(
        surface,
        Scale::linear(from, AHEAD as f64),
        Scale::nice(Kind::Linear, lo - 0.05, hi + 0.05, 5),
        Titles {
            x: &time,
            y: &value,
            percent: false,
        },
    );
    let at = |from: f64, v: &[f32]| -> Vec<Option<(f64, f64)>> {
        let points = v.iter().enumerate();
        points
            .map(|(i, v)| Some((from + i as f64, f64::from(*v))))
            .collect()
    };
    let (blue, orange) = (css(class(0)), css(class(6)));
    let pen = |color, dashed| Pen {
        color,
        width: 2.0,
        dashed,
        alpha: 1.0,
    };
    axes.inside(|| {
        axes.line(at(from, &c.window), &pen(&blue, false));
        axes.line(at(0.0, &c.truth), &pen(&blue, true));
        axes.line(at(0.0, &c.forecast), &pen(&orange, false));
    });
}
