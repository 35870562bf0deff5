//! The loss at a glance.
use super::axes::Area;
use super::canvas::{Canvas, Surface};
use super::chart::train_color;
use crate::plotting::curve::Window;
use crate::plotting::{Curve, History, Scale, format};
use crate::ui::i18n::{t, t_args, use_lang};
use std::cell::RefCell;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties)]
pub struct SparklineProps {
    pub history: Rc<RefCell<History>>,
    /// Grows with every change of the history.
    pub version: u64,
}

impl PartialEq for SparklineProps {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && Rc::ptr_eq(&self.history, &other.history)
    }
}

const SMOOTHING: f32 = 0.9;
const BUDGET: usize = 150_000;

#[component]
pub fn Sparkline(props: &SparklineProps) -> Html {
    use_lang();
    let curve = use_mut_ref(|| Curve::new("loss", SMOOTHING));
    let history = props.history.clone();
    let paint = use_callback(props.version, move |surface: Rc<Surface>, _| {
        let history = history.borrow();
        let mut curve = curve.borrow_mut();
        if !curve.advance(&history, BUDGET) {
            surface.ask_again();
        }
        draw(&surface, &history, &curve);
    });
    let label = match props.history.borrow().last("loss") {
        Some(loss) => t_args(
            "spark-label",
            &[("loss", format::three(f64::from(loss)).into())],
        ),
        None => t("spark-empty"),
    };
    html! { <Canvas class="sparkline" {paint} {label} /> }
}

fn draw(surface: &Surface, history: &History, curve: &Curve) {
    let points = curve.points(history, Window::all(surface.width as usize));
    let values = points.iter().flatten().map(|p| p.1);
    let (lo, hi) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
        (a.min(v), b.max(v))
    });
    let Some((first, last)) = history.step_range() else {
        return;
    };
    let x = Scale::linear(f64::from(first), f64::from(last.max(first + 1)));
    let y = Scale::linear(lo, hi);
    let area = Area {
        left: 2.0,
        top: 2.0,
        width: surface.width - 4.0,
        height: surface.height - 4.0,
    };
    let ctx = &surface.ctx;
    ctx.set_stroke_style_str(&train_color());
    ctx.set_line_width(1.5);
    ctx.set_line_join("round");
    ctx.begin_path();
    for (i, (step, v)) in points.into_iter().flatten().enumerate() {
        let px = area.left + x.at(step) * area.width;
        let py = area.top + (1.0 - y.at(v)) * area.height;
        if i == 0 {
            ctx.move_to(px, py);
        } else {
            ctx.line_to(px, py);
        }
    }
    ctx.stroke();
}
