//! A frame with two axes, and what is drawn inside it.
use super::canvas::{FONT_PX, Surface};
use crate::plotting::Scale;
use crate::plotting::format::{percent_labels, tick_labels};
use wasm_bindgen::JsValue;
use web_sys::CanvasRenderingContext2d;

/// The rectangle between the axes, in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

pub struct Axes<'a> {
    surface: &'a Surface,
    pub x: Scale,
    pub y: Scale,
    pub area: Area,
}

/// What stands beside the axes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Titles<'a> {
    pub x: &'a str,
    pub y: &'a str,
    /// y is a share, shown as per cent.
    pub percent: bool,
}

/// How a line is drawn.
#[derive(Clone, Debug)]
pub struct Pen<'a> {
    pub color: &'a str,
    pub width: f64,
    pub dashed: bool,
    pub alpha: f64,
}

impl Pen<'_> {
    /// Draws a line through places on the canvas.
    pub fn stroke(&self, ctx: &CanvasRenderingContext2d, line: &[(f64, f64)]) {
        self.take(ctx);
        stroke(ctx, line);
        Pen::put_down(ctx);
    }

    fn take(&self, ctx: &CanvasRenderingContext2d) {
        ctx.set_stroke_style_str(self.color);
        ctx.set_line_width(self.width);
        ctx.set_global_alpha(self.alpha);
        ctx.set_line_join("round");
        ctx.set_line_cap("round");
        let dash = js_sys::Array::new();
        if self.dashed {
            dash.push(&JsValue::from(5.0));
            dash.push(&JsValue::from(4.0));
        }
        let _ = ctx.set_line_dash(&dash);
    }

    fn put_down(ctx: &CanvasRenderingContext2d) {
        ctx.set_global_alpha(1.0);
        let _ = ctx.set_line_dash(&js_sys::Array::new());
    }
}

fn stroke(ctx: &CanvasRenderingContext2d, line: &[(f64, f64)]) {
    ctx.begin_path();
    for (i, (x, y)) in line.iter().enumerate() {
        if i == 0 {
            ctx.move_to(*x, *y);
        } else {
            ctx.line_to(*x, *y);
        }
    }
    ctx.stroke();
}

/// Room for half a label beyond the last tick.
const EDGE: f64 = 10.0;

impl<'a> Axes<'a> {
    /// Draws grid, labels and titles, leaving as much room for the labels as they need.
    pub fn draw(surface: &'a Surface, x: Scale, y: Scale, titles: Titles) -> Axes<'a> {
        let top = if titles.y.is_empty() {
            8.0
        } else {
            FONT_PX + 9.0
        };
        let bottom = FONT_PX
            + 8.0
            + if titles.x.is_empty() {
                0.0
            } else {
                FONT_PX + 3.0
            };
        let height = (surface.height - top - bottom).max(1.0);
        let y_ticks = y.ticks((height / 34.0).clamp(2.0, 8.0) as usize);
        let y_labels = match titles.percent {
            true => percent_labels(&y_ticks),
            false => tick_labels(&y_ticks),
        };
        let widest = y_labels
            .iter()
            .map(|l| text_width(surface, l))
            .fold(0.0, f64::max);
        let left = widest + 10.0;
        let axes = Axes {
            surface,
            x,
            y,
            area: Area {
                left,
                top,
                width: (surface.width - left - EDGE).max(1.0),
                height,
            },
        };
        axes.grid(&y_ticks, &y_labels);
        axes.titles(titles);
        axes
    }

    fn grid(&self, y_ticks: &[f64], y_labels: &[String]) {
        let (ctx, theme, a) = (&self.surface.ctx, &self.surface.theme, self.area);
        ctx.set_line_width(1.0);
        ctx.set_stroke_style_str(&theme.line);
        ctx.set_fill_style_str(&theme.muted);
        ctx.set_text_align("right");
        ctx.set_text_baseline("middle");
        for (v, label) in y_ticks.iter().zip(y_labels) {
            let y = self.py(*v).round() + 0.5;
            stroke(ctx, &[(a.left, y), (a.left + a.width, y)]);
            let _ = ctx.fill_text(label, a.left - 6.0, y);
        }
        let x_ticks = self.x.ticks((a.width / 50.0).clamp(2.0, 10.0) as usize);
        ctx.set_text_align("center");
        ctx.set_text_baseline("top");
        for (v, label) in x_ticks.iter().zip(tick_labels(&x_ticks)) {
            let x = self.px(*v).round() + 0.5;
            let below = a.top + a.height;
            stroke(ctx, &[(x, below), (x, below + 4.0)]);
            let half = text_width(self.surface, &label) / 2.0;
            let at = x.min(self.surface.width - half - 1.0);
            let _ = ctx.fill_text(&label, at, below + 6.0);
        }
    }

    fn titles(&self, Titles { x, y, .. }: Titles) {
        let (ctx, a) = (&self.surface.ctx, self.area);
        if !x.is_empty() {
            ctx.set_text_align("center");
            ctx.set_text_baseline("bottom");
            let _ = ctx.fill_text(x, a.left + a.width / 2.0, self.surface.height - 1.0);
        }
        if !y.is_empty() {
            ctx.set_text_align("left");
            ctx.set_text_baseline("top");
            let _ = ctx.fill_text(y, 1.0, 1.0);
        }
    }

    pub fn px(&self, x: f64) -> f64 {
        self.area.left + self.x.at(x) * self.area.width
    }

    pub fn py(&self, y: f64) -> f64 {
        self.area.top + (1.0 - self.y.at(y)) * self.area.height
    }

    /// Everything drawn by `f` stays between the axes.
    pub fn inside(&self, f: impl FnOnce()) {
        let (ctx, a) = (&self.surface.ctx, self.area);
        ctx.save();
        ctx.begin_path();
        ctx.rect(a.left - 1.0, a.top - 1.0, a.width + 2.0, a.height + 2.0);
        ctx.clip();
        f();
        ctx.restore();
    }

    /// A line through values; None breaks it.
    pub fn line(&self, points: impl IntoIterator<Item = Option<(f64, f64)>>, pen: &Pen) {
        let ctx = &self.surface.ctx;
        pen.take(ctx);
        ctx.begin_path();
        let mut down = false;
        for p in points {
            let Some((x, y)) = p.map(|(x, y)| (self.px(x), self.py(y))) else {
                down = false;
                continue;
            };
            // Far outside, canvas arithmetic loses its precision.
            let y = y.clamp(-1e4, 1e5);
            if !x.is_finite() || !y.is_finite() {
                down = false;
            } else if down {
                ctx.line_to(x, y);
            } else {
                ctx.move_to(x, y);
                ctx.line_to(x, y);
                down = true;
            }
        }
        ctx.stroke();
        Pen::put_down(ctx);
    }

    pub fn vertical(&self, x: f64, pen: &Pen) {
        let at = self.px(x).round() + 0.5;
        let (top, bottom) = (self.area.top, self.area.top + self.area.height);
        pen.stroke(&self.surface.ctx, &[(at, top), (at, bottom)]);
    }

    /// The mark of a class at a value: filled, or only its outline.
    pub fn mark(&self, at: (f64, f64), shape: Shape, size: f64, color: &str, filled: bool) {
        let (x, y) = (self.px(at.0), self.py(at.1));
        if !x.is_finite() || !y.is_finite() {
            return;
        }
        let (ctx, theme) = (&self.surface.ctx, &self.surface.theme);
        shape.path(ctx, x, y, size);
        if filled {
            ctx.set_fill_style_str(color);
            ctx.fill();
            ctx.set_stroke_style_str(&theme.ground);
            ctx.set_line_width(1.0);
        } else {
            ctx.set_stroke_style_str(&theme.ground);
            ctx.set_line_width(3.5);
            ctx.stroke();
            ctx.set_stroke_style_str(color);
            ctx.set_line_width(1.75);
        }
        ctx.stroke();
    }
}

fn text_width(surface: &Surface, text: &str) -> f64 {
    surface.ctx.measure_text(text).map_or(0.0, |m| m.width())
}

/// Shapes that tell classes apart without their colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Disc,
    Square,
    Triangle,
    Diamond,
    Down,
}

impl Shape {
    pub fn of_class(k: usize) -> Shape {
        use Shape::*;
        [Disc, Square, Triangle, Diamond, Down][k % 5]
    }

    /// Corners at a distance of 1, x to the right and y down; a disc has none.
    pub fn corners(self) -> &'static [(f64, f64)] {
        match self {
            Shape::Disc => &[],
            Shape::Square => &[(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
            Shape::Triangle => &[(0.0, -1.1), (1.05, 0.85), (-1.05, 0.85)],
            Shape::Diamond => &[(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)],
            Shape::Down => &[(0.0, 1.1), (1.05, -0.85), (-1.05, -0.85)],
        }
    }

    fn path(self, ctx: &CanvasRenderingContext2d, x: f64, y: f64, r: f64) {
        ctx.begin_path();
        if self == Shape::Disc {
            // A radius is never negative here, the only error there is.
            let _ = ctx.arc(x, y, r, 0.0, std::f64::consts::TAU);
            return;
        }
        for (i, (dx, dy)) in self.corners().iter().enumerate() {
            if i == 0 {
                ctx.move_to(x + dx * r, y + dy * r);
            } else {
                ctx.line_to(x + dx * r, y + dy * r);
            }
        }
        ctx.close_path();
    }
}
