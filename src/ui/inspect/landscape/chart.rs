//! The picture of a loss surface: colours, lines of equal loss, and the way of the run over it.
use super::job::Surface as Losses;
use crate::plotting::Scale;
use crate::plotting::color::{css, diverging, sequential};
use crate::plotting::contour::contour;
use crate::plotting::format::three;
use crate::train::protocol::Mark;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::legend::ColorLegend;
use crate::ui::plot::axes::{Area, Axes, Pen, Shape, Titles};
use crate::ui::plot::canvas::{new_canvas, put_pixels};
use crate::ui::plot::{Canvas, Surface};
use std::cell::Cell;
use std::rc::Rc;
use yew::prelude::*;

/// Lines of equal loss.
const LINES: usize = 12;

#[derive(Clone, Properties)]
pub struct ChartProps {
    pub surface: Rc<Losses>,
    pub mark: Option<Rc<Mark>>,
    pub logarithmic: bool,
    pub titles: (AttrValue, AttrValue),
}

impl PartialEq for ChartProps {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.surface, &o.surface)
            && self.mark == o.mark
            && self.logarithmic == o.logarithmic
            && self.titles == o.titles
    }
}

/// Losses as they are drawn: logarithms where that was asked for.
struct Drawn {
    values: Vec<f32>,
    lo: f32,
    hi: f32,
}

impl Drawn {
    fn of(surface: &Losses, logarithmic: bool) -> Drawn {
        let n = surface.info.side * surface.info.side;
        let mut values = surface.losses.clone();
        values.resize(n, f32::NAN);
        if logarithmic {
            let log = |v: &f32| if *v > 0.0 { v.log10() } else { f32::NAN };
            values = values.iter().map(log).collect();
        }
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let lo = finite().fold(f32::INFINITY, f32::min);
        let hi = finite().fold(f32::NEG_INFINITY, f32::max);
        Drawn { values, lo, hi }
    }

    fn share(&self, v: f32) -> f32 {
        match self.hi > self.lo {
            true => (v - self.lo) / (self.hi - self.lo),
            false => 0.0,
        }
    }
}

#[component]
pub fn Chart(props: &ChartProps) -> Html {
    use_lang();
    let place = use_memo((), |()| Cell::new(Area::default()));
    let cursor = use_state(|| None::<(f64, f64)>);
    let paint = {
        let place = place.clone();
        use_callback(props.clone(), move |surface: Rc<Surface>, props| {
            place.set(draw(&surface, props));
        })
    };
    let onpoint = {
        let cursor = cursor.clone();
        Callback::from(move |at| cursor.set(at))
    };
    let drawn = Drawn::of(&props.surface, props.logarithmic);
    let said = cursor.and_then(|at| reading(&props.surface, place.get(), at));
    let ends = match props.logarithmic {
        true => (10f32.powf(drawn.lo), 10f32.powf(drawn.hi)),
        false => (drawn.lo, drawn.hi),
    };
    html! {
        <>
            <div class="beside">
                <div class="chart-box square">
                    <Canvas {paint} {onpoint} label={t("landscape-label")} />
                </div>
                <p class="legend-row column">
                    if ends.0.is_finite() { <ColorLegend lo={ends.0} hi={ends.1} signed=false /> }
                    <span class="plot-key"><svg class="mark" viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">
                        <polygon points="0,-5 5,0 0,5 -5,0" fill="none" stroke="currentColor" stroke-width="1.75" /></svg>{ t("landscape-origin") }</span>
                    <span class="plot-key"><svg class="mark" viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">
                        <circle r="4" fill="currentColor" /></svg>{ t("landscape-run") }</span>
                </p>
            </div>
            <output class="plane-value figure">{ said.unwrap_or_else(|| t("landscape-hint")) }</output>
            { numbers(&props.surface) }
        </>
    }
}

fn draw(surface: &Surface, props: &ChartProps) -> Area {
    let s = &props.surface;
    let n = s.info.side;
    let drawn = Drawn::of(s, props.logarithmic);
    let dark = surface.theme.dark;
    // Points stand in the middles of cells, so the frame is half a cell wider.
    let wide = |(lo, hi): (f32, f32)| {
        let half = f64::from(hi - lo) / (n - 1).max(1) as f64 / 2.0;
        Scale::linear(f64::from(lo) - half, f64::from(hi) + half)
    };
    let titles = Titles {
        x: &props.titles.0,
        y: &props.titles.1,
        percent: false,
    };
    let axes = Axes::draw(surface, wide(s.info.x), wide(s.info.y), titles);
    let (a, ctx) = (axes.area, &surface.ctx);
    let mut rgba = vec![255; n * n * 4];
    let mut flipped = vec![f32::NAN; n * n];
    for (at, pixel) in rgba.chunks_exact_mut(4).enumerate() {
        let v = drawn.values[(n - 1 - at / n) * n + at % n];
        flipped[at] = v;
        let color = match v.is_finite() {
            true => sequential(drawn.share(v)),
            false => diverging(0.0, dark),
        };
        pixel[..3].copy_from_slice(&color);
    }
    if let Some(canvas) = new_canvas() {
        put_pixels(&canvas, n, n, &mut rgba);
        ctx.set_image_smoothing_enabled(false);
        // A canvas of one's own making can always be drawn.
        let _ = ctx.draw_image_with_html_canvas_element_and_dw_and_dh(
            &canvas, a.left, a.top, a.width, a.height,
        );
    }
    axes.inside(|| {
        let at = |g: f32| (f64::from(g) + 0.5) / n as f64;
        ctx.set_stroke_style_str("#fff");
        ctx.set_global_alpha(0.55);
        ctx.set_line_width(1.0);
        ctx.begin_path();
        for k in 1..LINES {
            let level = drawn.lo + (drawn.hi - drawn.lo) * k as f32 / LINES as f32;
            for [p, q] in contour(&flipped, n, n, level) {
                ctx.move_to(a.left + at(p.0) * a.width, a.top + at(p.1) * a.height);
                ctx.line_to(a.left + at(q.0) * a.width, a.top + at(q.1) * a.height);
            }
        }
        ctx.stroke();
        ctx.set_global_alpha(1.0);
        let Some(mark) = &props.mark else { return };
        let spot = |p: [f32; 2]| (f64::from(p[0]), f64::from(p[1]));
        let path: Vec<Option<(f64, f64)>> = mark.path.iter().map(|(_, p)| Some(spot(*p))).collect();
        let shadow = css([0, 0, 0]);
        let light = css([255, 255, 255]);
        for (color, width) in [(&shadow, 4.0), (&light, 2.0)] {
            let pen = Pen {
                color,
                width,
                dashed: false,
                alpha: 0.9,
            };
            axes.line(path.clone(), &pen);
        }
        axes.mark((0.0, 0.0), Shape::Diamond, 6.0, &light, false);
        if let Some(here) = mark.at {
            axes.mark(spot(here), Shape::Disc, 5.0, &light, true);
        }
    });
    a
}

fn point(surface: &Losses, i: usize, j: usize) -> (f32, f32) {
    let at =
        |(lo, hi): (f32, f32), k: usize| lo + (hi - lo) * k as f32 / (surface.info.side - 1) as f32;
    (at(surface.info.x, i), at(surface.info.y, j))
}

fn reading(surface: &Losses, a: Area, (px, py): (f64, f64)) -> Option<String> {
    let n = surface.info.side;
    let index = |at: f64, from: f64, size: f64| {
        let share = (at - from) / size;
        (0.0..1.0)
            .contains(&share)
            .then_some((share * n as f64) as usize)
    };
    let (i, j) = (
        index(px, a.left, a.width)?,
        n - 1 - index(py, a.top, a.height)?,
    );
    let loss = surface.losses.get(j * n + i)?;
    let (x, y) = point(surface, i, j);
    Some(t_args(
        "landscape-reading",
        &[
            ("x", three(f64::from(x)).into()),
            ("y", three(f64::from(y)).into()),
            ("loss", three(f64::from(*loss)).into()),
        ],
    ))
}

/// The same at five by five points.
fn numbers(surface: &Losses) -> Html {
    let n = surface.info.side;
    let places: Vec<usize> = (0..5).map(|k| k * (n - 1) / 4).collect();
    html! {
        <div class="unseen"><table>
            <caption>{ t("landscape-table") }</caption>
            <thead><tr>
                <th></th>
                { for places.iter().map(|i| html! { <th scope="col">{ three(f64::from(point(surface, *i, 0).0)) }</th> }) }
            </tr></thead>
            <tbody>
                { for places.iter().rev().map(|j| html! {
                    <tr>
                        <th scope="row">{ three(f64::from(point(surface, 0, *j).1)) }</th>
                        { for places.iter().map(|i| html! {
                            <td>{ surface.losses.get(j * n + i).map_or_else(|| "–".to_string(), |v| three(f64::from(*v))) }</td>
                        }) }
                    </tr>
                }) }
            </tbody>
        </table></div>
    }
}
