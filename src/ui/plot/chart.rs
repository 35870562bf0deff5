//! One chart of the course of the training: the training curve raw and smoothed, validation
//! dashed, earlier runs behind them.
use super::axes::{Area, Axes, Pen, Shape, Titles};
use super::canvas::Surface;
use crate::plotting::color::{class, css};
use crate::plotting::decimate::MinMax;
use crate::plotting::scale::Kind;
use crate::plotting::{Curve, History, Scale};
use crate::ui::i18n::{t, t_args};

/// Rows taken in at once: about a millisecond.
pub const BUDGET: usize = 80_000;
/// More validations than this are decimated, and have no dots.
const MANY: usize = 1000;
/// A dot takes this much room, in CSS pixels.
const DOT: f64 = 12.0;

/// Steps and values; None breaks the line.
pub type Line = Vec<Option<(f64, f64)>>;

/// A run that was kept for comparison: its curves by their metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub number: usize,
    pub lines: Vec<(String, Line)>,
}

impl Kept {
    /// The value nearest to a step.
    pub fn at(&self, metric: &str, step: f64) -> Option<f64> {
        let line = self.line(metric)?;
        let (last, _) = line.iter().rev().find_map(|p| *p)?;
        let near = |p: &(f64, f64)| (p.0 - step).abs();
        let points = line.iter().flatten();
        let best = points.min_by(|a, b| near(a).total_cmp(&near(b)))?;
        (step <= last).then_some(best.1)
    }

    fn line(&self, metric: &str) -> Option<&[Option<(f64, f64)>]> {
        let found = self.lines.iter().find(|(name, _)| name == metric);
        found.map(|(_, line)| line.as_slice())
    }
}

pub fn train_color() -> String {
    css(class(0))
}

pub fn validation_color() -> String {
    css(class(6))
}

/// Kept runs take the colours that the current run leaves.
pub fn kept_color(number: usize) -> String {
    const FREE: [usize; 6] = [3, 5, 7, 8, 9, 4];
    css(class(FREE[(number + FREE.len() - 1) % FREE.len()]))
}

/// Whether values of a metric are positive and spread over decades.
pub fn takes_log(metric: &str) -> bool {
    !matches!(metric, "accuracy" | "auc" | "r2")
}

/// Takes in what is new of a column and draws it; asks for another frame while there is more.
/// Returns where the plot is and which steps it spans.
pub fn paint(
    surface: &Surface,
    history: &History,
    curve: &mut Curve,
    log: bool,
    cursor: Option<f64>,
    kept: &[Kept],
    titles: Titles,
) -> (Area, Scale) {
    if !curve.advance(history, BUDGET) {
        surface.ask_again();
    }
    draw(surface, history, curve, log, cursor, kept, titles)
}

/// What the lines stand for, from the right end of the top edge on.
pub fn draw_legend(surface: &Surface, history: &History, kept: &[Kept]) {
    let mut keys = Vec::new();
    for run in kept {
        let name = t_args("plot-kept", &[("number", run.number.to_string().into())]);
        keys.push((kept_color(run.number), false, name));
    }
    if !history.validation().is_empty() {
        keys.push((validation_color(), true, t("plot-validation")));
    }
    keys.push((train_color(), false, t("plot-train")));
    let ctx = &surface.ctx;
    ctx.set_text_align("right");
    ctx.set_text_baseline("top");
    let mut right = surface.width - 10.0;
    for (color, dashed, name) in keys {
        ctx.set_fill_style_str(&surface.theme.muted);
        // Text that cannot be drawn leaves its line without a name.
        let _ = ctx.fill_text(&name, right, 1.0);
        right -= ctx.measure_text(&name).map_or(0.0, |m| m.width()) + 6.0;
        let pen = Pen {
            dashed,
            ..solid(&color, 2.0, 1.0)
        };
        pen.stroke(ctx, &[(right - 22.0, 7.0), (right, 7.0)]);
        right -= 36.0;
    }
}

/// As [`paint`], with what has been taken in already.
pub fn draw(
    surface: &Surface,
    history: &History,
    curve: &Curve,
    log: bool,
    cursor: Option<f64>,
    kept: &[Kept],
    titles: Titles,
) -> (Area, Scale) {
    let metric = curve.column();
    let log = log && takes_log(metric);
    let marks = validation(history, metric);
    let x = x_scale(history, kept, metric);
    let y = y_scale(metric, log, range(curve, &marks, kept, log));
    let percent = metric == "accuracy";
    let axes = Axes::draw(surface, x, y, Titles { percent, ..titles });
    let theme = &surface.theme;
    let (train, dashed) = (train_color(), validation_color());
    axes.inside(|| {
        for run in kept {
            if let Some(line) = run.line(metric) {
                let color = kept_color(run.number);
                axes.line(line.iter().copied(), &solid(&color, 1.25, 0.8));
            }
        }
        if curve.smoothing() > 0.0 {
            axes.line(curve.raw_points(), &solid(&train, 1.0, 0.28));
        }
        axes.line(curve.points(), &solid(&train, 1.75, 1.0));
        let dash = Pen {
            dashed: true,
            ..solid(&dashed, 1.75, 1.0)
        };
        axes.line(marks.iter().copied().map(Some), &dash);
        if marks.len() as f64 * DOT <= axes.area.width {
            for p in &marks {
                axes.mark(*p, Shape::Disc, 2.75, &dashed, true);
            }
        }
        if let Some(step) = cursor {
            axes.vertical(step, &solid(&theme.ink, 1.0, 0.6));
            let within = history
                .step_range()
                .is_some_and(|(a, b)| step >= f64::from(a) && step <= f64::from(b));
            let row = history.row(step).filter(|_| within);
            if let Some(v) = row.and_then(|r| curve.smoothed(history, r)) {
                let at = (step, f64::from(v));
                axes.mark(at, Shape::Disc, 4.0, &train, true);
            }
        }
    });
    (axes.area, axes.x)
}

fn solid(color: &str, width: f64, alpha: f64) -> Pen<'_> {
    Pen {
        color,
        width,
        dashed: false,
        alpha,
    }
}

/// Steps and values of the validation; the extremes of many.
fn validation(history: &History, metric: &str) -> Vec<(f64, f64)> {
    let all = history.validation();
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

fn x_scale(history: &History, kept: &[Kept], metric: &str) -> Scale {
    let (mut lo, mut hi) = history
        .step_range()
        .map_or((0.0, 1.0), |(a, b)| (f64::from(a), f64::from(b)));
    for (x, _) in kept
        .iter()
        .filter_map(|k| k.line(metric))
        .flat_map(|l| l.iter().flatten())
    {
        (lo, hi) = (lo.min(*x), hi.max(*x));
    }
    Scale::linear(lo, hi.max(lo + 1.0))
}

fn range(curve: &Curve, marks: &[(f64, f64)], kept: &[Kept], positive: bool) -> (f64, f64) {
    let lines = kept.iter().filter_map(|k| k.line(curve.column()));
    let others = marks
        .iter()
        .chain(lines.flat_map(|l| l.iter().flatten()))
        .map(|p| p.1)
        .filter(|v| v.is_finite() && (!positive || *v > 0.0));
    let own = curve
        .range(positive)
        .map_or((f64::INFINITY, f64::NEG_INFINITY), |(a, b)| {
            (f64::from(a), f64::from(b))
        });
    others.fold(own, |(a, b), v| (a.min(v), b.max(v)))
}

fn y_scale(metric: &str, log: bool, (lo, hi): (f64, f64)) -> Scale {
    if log {
        return Scale::nice(Kind::Log, lo, hi, 5);
    }
    // Zero belongs in the picture unless the values keep far away from it.
    let lo = if lo >= 0.0 && lo < 0.6 * hi { 0.0 } else { lo };
    let mut scale = Scale::nice(Kind::Linear, lo, hi, 5);
    if matches!(metric, "accuracy" | "auc") && hi <= 1.0 {
        scale = Scale::linear(scale.lo.max(0.0), scale.hi.min(1.0));
    }
    scale
}
