//! One chart of the course of the training: the training curve raw and smoothed, validation
//! dashed, earlier runs behind them.
use super::axes::{Area, Axes, Pen, Shape, Titles};
use super::canvas::Surface;
use super::runs::Kept;
use super::strand::{Strand, shown};
use crate::plotting::color::{class, css};
use crate::plotting::curve::{Point, Window, range};
use crate::plotting::decimate::MinMax;
use crate::plotting::scale::Kind;
use crate::plotting::{Curve, History, Scale};

/// More validations than this are decimated, and have no dots.
const MANY: usize = 1000;
/// A dot takes this much room, in CSS pixels.
const DOT: f64 = 12.0;

/// How a chart is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub log: bool,
    pub cursor: Option<f64>,
    /// Steps from and to; None: all there are.
    pub window: Option<(f64, f64)>,
    /// The range that a drag has marked so far.
    pub marked: Option<(f64, f64)>,
}

pub fn train_color() -> String {
    css(class(0))
}

pub fn validation_color() -> String {
    css(class(6))
}

/// Kept runs take the colours that the current run leaves.
pub fn kept_color(id: usize) -> String {
    const FREE: [usize; 6] = [3, 5, 7, 8, 9, 4];
    css(class(FREE[(id + FREE.len() - 1) % FREE.len()]))
}

/// Whether values of a metric are positive and spread over decades.
pub fn takes_log(metric: &str) -> bool {
    !is_share(metric) && metric != "r2"
}

/// Whether a metric lies in 0…1.
fn is_share(metric: &str) -> bool {
    matches!(
        metric,
        "accuracy" | "auc" | "precision" | "recall" | "f1" | "top5"
    )
}

/// Whether a metric is written as per cent.
pub fn is_percent(metric: &str) -> bool {
    matches!(metric, "accuracy" | "precision" | "recall" | "top5")
}

/// The steps that a run and those beside it span.
pub fn span(history: &History, kept: &[Kept]) -> Option<(f64, f64)> {
    let by_epoch = history.is_by_epoch();
    let others = kept.iter().filter(|k| !k.hidden);
    let others = others.filter_map(|k| shown(&k.history, by_epoch).step_range());
    let all = history.step_range().into_iter().chain(others);
    all.map(|(a, b)| (f64::from(a), f64::from(b)))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// What is drawn of one run.
struct Drawn {
    smooth: Vec<Point>,
    raw: Vec<Point>,
    marks: Vec<(f64, f64)>,
}

impl Drawn {
    fn of(history: &History, curve: &Curve, window: Window, raw: bool) -> Drawn {
        let raw = raw && curve.smoothing() > 0.0;
        Drawn {
            smooth: curve.points(history, window),
            raw: if raw {
                curve.raw_points(history, window)
            } else {
                Vec::new()
            },
            marks: validation(history, curve.column(), window.x),
        }
    }

    fn range(&self, positive: bool) -> Option<(f64, f64)> {
        let marks: Vec<Point> = self.marks.iter().copied().map(Some).collect();
        let both = [
            range(&self.smooth, &self.raw, positive),
            range(&marks, &[], positive),
        ];
        both.into_iter()
            .flatten()
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}

/// Draws what has been taken in of a column. Returns where the plot is and which steps it spans.
pub fn draw(
    surface: &Surface,
    history: &History,
    strand: &Strand,
    kept: &[Kept],
    look: Look,
    titles: Titles,
) -> (Area, Scale) {
    let by_epoch = strand.by_epoch();
    let history = shown(history, by_epoch);
    let metric = strand.column();
    let log = look.log && takes_log(metric);
    let window = Window {
        x: look.window,
        most: (surface.width.max(16.0)) as usize,
    };
    let own = Drawn::of(history, &strand.curve, window, true);
    let others: Vec<(&Kept, &Curve, Drawn)> = (kept.iter())
        .filter(|k| !k.hidden)
        .filter_map(|k| {
            let curve = strand.of(k.id)?;
            let drawn = Drawn::of(shown(&k.history, by_epoch), curve, window, false);
            Some((k, curve, drawn))
        })
        .collect();
    let (lo, hi) = look
        .window
        .or_else(|| span(history, kept))
        .unwrap_or((0.0, 1.0));
    let x = Scale::linear(lo, hi.max(lo + 1.0));
    let all = std::iter::once(&own).chain(others.iter().map(|o| &o.2));
    let y = all
        .filter_map(|d| d.range(log))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        .unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
    let percent = is_percent(metric);
    let axes = Axes::draw(
        surface,
        x,
        y_scale(metric, log, y),
        Titles { percent, ..titles },
    );
    let theme = &surface.theme;
    let (train, dashed) = (train_color(), validation_color());
    axes.inside(|| {
        if let Some((a, b)) = look.marked {
            let (a, b) = (axes.px(a.min(b)), axes.px(a.max(b)));
            surface.ctx.set_fill_style_str(&theme.accent);
            surface.ctx.set_global_alpha(0.16);
            surface
                .ctx
                .fill_rect(a, axes.area.top, b - a, axes.area.height);
            surface.ctx.set_global_alpha(1.0);
        }
        for (run, _, drawn) in &others {
            let color = kept_color(run.id);
            let pen = solid(&color, 1.25, 0.85);
            axes.line(drawn.smooth.iter().copied(), &pen);
            let pen = Pen {
                dashed: true,
                ..pen
            };
            axes.line(drawn.marks.iter().copied().map(Some), &pen);
        }
        axes.line(own.raw.iter().copied(), &solid(&train, 1.0, 0.28));
        axes.line(own.smooth.iter().copied(), &solid(&train, 1.75, 1.0));
        let dash = Pen {
            dashed: true,
            ..solid(&dashed, 1.75, 1.0)
        };
        axes.line(own.marks.iter().copied().map(Some), &dash);
        if own.marks.len() as f64 * DOT <= axes.area.width {
            for p in &own.marks {
                axes.mark(*p, Shape::Disc, 2.75, &dashed, true);
            }
        }
        if let Some(step) = look.cursor {
            axes.vertical(step, &solid(&theme.ink, 1.0, 0.6));
            for (run, curve, _) in &others {
                if let Some(v) = at(shown(&run.history, by_epoch), curve, step) {
                    axes.mark((step, v), Shape::Disc, 3.25, &kept_color(run.id), true);
                }
            }
            if let Some(v) = at(history, &strand.curve, step) {
                axes.mark((step, v), Shape::Disc, 4.0, &train, true);
            }
        }
    });
    (axes.area, axes.x)
}

/// The smoothed value at a step, where the run has got there.
pub fn at(history: &History, curve: &Curve, step: f64) -> Option<f64> {
    let (first, last) = history.step_range()?;
    let within = step >= f64::from(first) && step <= f64::from(last);
    let row = history.row(step).filter(|_| within)?;
    curve.smoothed(history, row).map(f64::from)
}

pub fn solid(color: &str, width: f64, alpha: f64) -> Pen<'_> {
    Pen {
        color,
        width,
        dashed: false,
        alpha,
    }
}

/// Steps and values of the validation within a window, and the next ones on either side; the
/// extremes of many.
fn validation(history: &History, metric: &str, window: Option<(f64, f64)>) -> Vec<(f64, f64)> {
    let all = history.validation();
    let all = match window {
        Some((from, to)) => {
            let first = all.partition_point(|v| f64::from(v.step) < from);
            let end = all.partition_point(|v| f64::from(v.step) <= to);
            &all[first.saturating_sub(1)..(end + 1).min(all.len())]
        }
        None => all,
    };
    let value = |i: usize| all[i].metric(metric);
    let at = |i: usize, v: f64| (f64::from(all[i].step), v);
    if all.len() <= MANY {
        return (0..all.len())
            .filter_map(|i| Some(at(i, value(i)?)))
            .collect();
    }
    let mut m = MinMax::new(MANY / 2);
    for i in 0..all.len() {
        m.push(value(i).map_or(f32::NAN, |v| v as f32));
    }
    m.points()
        .flatten()
        .map(|(i, v)| at(i as usize, f64::from(v)))
        .collect()
}

fn y_scale(metric: &str, log: bool, (lo, hi): (f64, f64)) -> Scale {
    if log {
        return Scale::nice(Kind::Log, lo, hi, 5);
    }
    // Zero belongs in the picture unless the values keep far away from it.
    let lo = if lo >= 0.0 && lo < 0.6 * hi { 0.0 } else { lo };
    let mut scale = Scale::nice(Kind::Linear, lo, hi, 5);
    if is_share(metric) && hi <= 1.0 {
        scale = Scale::linear(scale.lo.max(0.0), scale.hi.min(1.0));
    }
    scale
}
