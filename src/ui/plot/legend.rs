//! What the curves say at the cursor, or at their newest step.
use super::chart::{at, is_percent, kept_color, train_color, validation_color};
use super::runs::{Kept, short_name};
use super::strand::{Strand, shown};
use crate::plotting::{History, format};
use crate::ui::i18n::{t, t_args, t_maybe};
use yew::prelude::*;

pub fn metric_name(metric: &str) -> String {
    t_maybe(&format!("metric-{}", metric.to_lowercase())).unwrap_or_else(|| metric.to_string())
}

/// Shares as per cent, all else with three figures.
pub fn metric_value(metric: &str, v: f64) -> String {
    match is_percent(metric) {
        true => format::percent(v),
        false => format::three(v),
    }
}

/// A piece of the line that stands for a curve.
pub fn swatch(color: &str, dashed: bool) -> Html {
    html! {
        <svg class="plot-swatch" viewBox="0 0 18 8" width="18" height="8" aria-hidden="true">
            <path d="M1 4h16" stroke={color.to_string()} stroke-width="2" stroke-linecap="round"
                stroke-dasharray={if dashed { "4 3" } else { "none" }} />
        </svg>
    }
}

/// A metric at the cursor, or the newest there is.
struct Reading {
    smooth: Option<f64>,
    raw: Option<f64>,
    validation: Option<f64>,
}

fn reading(history: &History, strand: &Strand, cursor: Option<f64>) -> Reading {
    let (metric, curve) = (strand.column(), &strand.curve);
    let row = match cursor {
        Some(step) => history.row(step),
        None => curve.rows().min(history.len()).checked_sub(1),
    };
    let raw = row.and_then(|r| history.column(metric).map(|c| f64::from(c[r])));
    let smooth = row.and_then(|r| curve.smoothed(history, r)).map(f64::from);
    let all = history.validation();
    let until = match cursor {
        Some(step) => all.partition_point(|v| f64::from(v.step) <= step),
        None => all.len(),
    };
    Reading {
        smooth: smooth.or(raw),
        raw,
        validation: all[..until].last().and_then(|v| v.metric(metric)),
    }
}

/// The value of a kept run at the cursor, or its last one.
fn of_kept(run: &Kept, strand: &Strand, cursor: Option<f64>) -> Option<f64> {
    let history = shown(&run.history, strand.by_epoch());
    let curve = strand.of(run.id)?;
    match cursor {
        Some(step) => at(history, curve, step),
        None => {
            let last = curve.rows().min(history.len()).checked_sub(1)?;
            curve.smoothed(history, last).map(f64::from)
        }
    }
}

/// `step 1,200 · epoch 3`
pub fn place_text(history: &History, cursor: Option<f64>) -> String {
    let Some((_, last)) = history.step_range() else {
        return String::new();
    };
    // A validation stands one step beyond the last one trained.
    let last = history
        .len()
        .checked_sub(1)
        .map_or(last, |r| history.step(r));
    let step = cursor.map_or(last, |c| c.max(0.0) as u32).min(last);
    let epoch = format::count(u64::from(history.epoch(step)));
    if history.is_by_epoch() {
        return t_args("plot-at-epoch", &[("epoch", epoch.into())]);
    }
    let step = format::count(u64::from(step));
    t_args("plot-at", &[("step", step.into()), ("epoch", epoch.into())])
}

/// What a chart says, in words.
pub fn reading_text(
    history: &History,
    strand: &Strand,
    cursor: Option<f64>,
    kept: &[Kept],
) -> String {
    let r = reading(history, strand, cursor);
    let metric = strand.column();
    let mut parts = vec![place_text(history, cursor)];
    let mut put = |name: String, value: Option<f64>| {
        parts.extend(value.map(|v| format!("{name} {}", metric_value(metric, v))));
    };
    put(t("plot-train"), r.smooth);
    put(t("plot-validation"), r.validation);
    for run in kept.iter().filter(|k| !k.hidden) {
        put(short_name(run.id), of_kept(run, strand, cursor));
    }
    parts.join(", ")
}

/// A metric's newest value or that at the cursor, where there is no room for more.
pub fn value(history: &History, strand: &Strand, cursor: Option<f64>) -> Html {
    let shown = reading(history, strand, cursor).smooth;
    let text = |v: f64| metric_value(strand.column(), v);
    html! {
        <span class="plot-key"><b title={shown.map(|v| v.to_string())}>{ shown.map(text) }</b></span>
    }
}

pub fn legend(history: &History, strand: &Strand, cursor: Option<f64>, kept: &[Kept]) -> Html {
    let metric = strand.column();
    let r = reading(history, strand, cursor);
    let value = |v: f64| html! { <b title={v.to_string()}>{ metric_value(metric, v) }</b> };
    html! {
        <span class="plot-legend">
            if let Some(v) = r.smooth {
                <span class="plot-key">
                    { swatch(&train_color(), false) }{ t("plot-train") }{ value(v) }
                    if let Some(raw) = r.raw.filter(|_| cursor.is_some() && strand.curve.smoothing() > 0.0) {
                        <small>{ t_args("plot-raw", &[("value", metric_value(metric, raw).into())]) }</small>
                    }
                </span>
            }
            if let Some(v) = r.validation {
                <span class="plot-key">{ swatch(&validation_color(), true) }{ t("plot-validation") }{ value(v) }</span>
            }
            { for kept.iter().filter(|k| !k.hidden).filter_map(|run| {
                let v = of_kept(run, strand, cursor)?;
                Some(html! {
                    <span class="plot-key">{ swatch(&kept_color(run.id), false) }{ short_name(run.id) }{ value(v) }</span>
                })
            }) }
        </span>
    }
}
