//! The network's output over a plane of two features.
mod beside;

use super::ViewProps;
use super::legend::{ColorLegend, Mark};
use super::parts::{Trouble, Waiting};
use super::pull::use_pull;
use super::sheet::About;
use super::source::{Rows, Source};
use crate::plotting::Scale;
use crate::plotting::color::{Rgb, class, css, diverging, oklab_mix, sequential};
use crate::plotting::contour::{Segment, contour};
use crate::plotting::format::three;
use crate::plotting::outcome::Outcome;
use crate::train::protocol::{Failure, Part};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::plot::axes::{Area, Axes, Shape, Titles};
use crate::ui::plot::canvas::{new_canvas, put_pixels};
use crate::ui::plot::{Canvas, Surface};
use beside::Beside;
use std::cell::Cell;
use std::rc::Rc;
use yew::prelude::*;

/// Points along each side at which the network is asked.
const SIDE: usize = 48;
/// Samples drawn of each part.
const POINTS: usize = 1000;
const MARGIN: f32 = 0.12;
/// The field keeps behind the points.
const FIELD: f32 = 0.45;

/// Outputs at the centres of `SIDE × SIDE` cells, from the top left.
struct Field {
    x: (f32, f32),
    y: (f32, f32),
    outputs: Vec<f32>,
    samples: Vec<Rc<Rows>>,
}

impl Field {
    /// Without outputs, and the points at which they are asked for.
    fn blank(source: &Source) -> (Field, Vec<f32>) {
        let ranges = &source.info.data.ranges;
        let field = Field {
            x: padded(ranges.first()),
            y: padded(ranges.get(1)),
            outputs: Vec::new(),
            samples: Vec::new(),
        };
        let cells = (0..SIDE * SIDE).map(|c| field.at(c % SIDE, c / SIDE));
        let asked = cells.flat_map(|(x, y)| [x, y]).collect();
        (field, asked)
    }

    fn at(&self, i: usize, j: usize) -> (f32, f32) {
        let place = Place {
            area: Area::default(),
            side: SIDE,
        };
        place.at(self.x, self.y, i, j)
    }

    fn output(&self, width: usize, cell: usize) -> &[f32] {
        self.outputs
            .get(cell * width..(cell + 1) * width)
            .unwrap_or(&[])
    }
}

/// Cells on a chart of `side × side` of them.
#[derive(Clone, Copy)]
pub struct Place {
    pub area: Area,
    pub side: usize,
}

impl Place {
    /// The cell at a place of the canvas.
    pub fn cell(&self, (px, py): (f64, f64)) -> Option<(usize, usize)> {
        let index = |at: f64, from: f64, size: f64| {
            let share = (at - from) / size;
            (0.0..1.0)
                .contains(&share)
                .then_some((share * self.side as f64) as usize)
        };
        let a = self.area;
        Some((index(px, a.left, a.width)?, index(py, a.top, a.height)?))
    }

    /// The middle of a cell, counted from the top left.
    pub fn at(&self, x: (f32, f32), y: (f32, f32), i: usize, j: usize) -> (f32, f32) {
        let share = |k: usize| (k as f32 + 0.5) / self.side as f32;
        (x.0 + share(i) * (x.1 - x.0), y.1 - share(j) * (y.1 - y.0))
    }
}

pub fn padded(range: Option<&(f32, f32)>) -> (f32, f32) {
    let (lo, hi) = range.copied().unwrap_or((-1.0, 1.0));
    let pad = if hi > lo { (hi - lo) * MARGIN } else { 1.0 };
    (lo - pad, hi + pad)
}

async fn fetch((source, _): (Source, u64)) -> Result<Field, Failure> {
    let (mut field, asked) = Field::blank(&source);
    for part in source
        .parts()
        .into_iter()
        .filter(|p| *p != Part::Validation)
    {
        field.samples.push(source.samples(part, 0, POINTS).await?);
    }
    field.outputs = source.predict(&asked, SIDE * SIDE).await?;
    Ok(field)
}

#[component]
pub fn Plane(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let pulled = use_pull((source.clone(), props.tick), fetch);
    let place = use_memo((), |()| Cell::new(Area::default()));
    let cursor = use_state(|| None::<(f64, f64)>);
    // Other boundaries that came or went.
    let changes = use_state(|| 0u32);
    let field = pulled.value.clone();
    let paint = {
        let (source, place) = (source.clone(), place.clone());
        let field = field.clone();
        let key = field.as_ref().map_or(0, |f| Rc::as_ptr(f) as usize);
        use_callback(
            (key, source.clone(), *changes),
            move |surface: Rc<Surface>, _| {
                if let Some(f) = &field {
                    place.set(draw(&surface, &source, f));
                }
            },
        )
    };
    let onpoint = {
        let cursor = cursor.clone();
        Callback::from(move |at| cursor.set(at))
    };
    let Some(field) = field else {
        return html! { <div class="view"><Trouble failure={pulled.failure} /><Waiting /></div> };
    };
    let onchange = {
        let changes = changes.clone();
        Callback::from(move |()| changes.set(*changes + 1))
    };
    let lines = Rc::new(boundaries(&source.outcome, &field));
    let regression = matches!(source.outcome, Outcome::Values { .. });
    let reading = cursor.and_then(|at| reading(source, &field, place.get(), at));
    html! {
        <div class="view">
            <About text={t(if regression { "surface-about" } else { "plane-about" })} />
            <Trouble failure={pulled.failure} />
            <div class="beside">
            <div class="chart-box square">
                <Canvas {paint} label={t_args("plane-label", &[
                    ("x", source.feature(0).into()), ("y", source.feature(1).into()),
                ])} {onpoint} />
            </div>
            { legend(source, &field) }
            </div>
            <output class="plane-value figure">{ reading.unwrap_or_else(|| t("plane-hint")) }</output>
            if !regression {
                <Beside source={source.clone()} {lines} {onchange} />
            }
            { numbers(source, &field) }
        </div>
    }
}

/// Two classes are one signed field, however many outputs tell of them: −1…1.
fn signed(outcome: &Outcome, out: &[f32]) -> Option<f32> {
    match outcome {
        Outcome::Two {
            threshold,
            probability,
        } => {
            let v = out.first()? - threshold;
            Some(if *probability { 2.0 * v } else { v })
        }
        Outcome::Many { classes: 2, .. } => Some(out.get(1)? - out.first()?),
        _ => None,
    }
}

/// The range of a regression's outputs.
fn value_range(field: &Field, width: usize) -> (f32, f32) {
    let values = field
        .outputs
        .iter()
        .step_by(width)
        .filter(|v| v.is_finite());
    values.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| {
        (a.min(*v), b.max(*v))
    })
}

fn cell_color(outcome: &Outcome, out: &[f32], range: (f32, f32), dark: bool) -> Rgb {
    let ground = diverging(0.0, dark);
    if let Some(s) = signed(outcome, out) {
        return diverging(s.clamp(-1.0, 1.0) * FIELD, dark);
    }
    match outcome {
        Outcome::Many { classes, .. } => match outcome.class(out) {
            Some(k) => {
                let even = 1.0 / *classes as f32;
                let sure = outcome
                    .probability(out, k)
                    .map_or(0.6, |p| (p - even) / (1.0 - even));
                oklab_mix(ground, class(k), 0.1 + 0.35 * sure.clamp(0.0, 1.0))
            }
            None => ground,
        },
        _ => sequential(share(out.first().copied().unwrap_or(f32::NAN), range)),
    }
}

fn share(v: f32, (lo, hi): (f32, f32)) -> f32 {
    if hi > lo { (v - lo) / (hi - lo) } else { 0.5 }
}

fn draw(surface: &Surface, source: &Source, field: &Field) -> Area {
    let outcome = &source.outcome;
    let width = outcome.width();
    let range = value_range(field, width);
    let scale = |r: (f32, f32)| Scale::linear(f64::from(r.0), f64::from(r.1));
    let names = (source.feature(0), source.feature(1));
    let axes = Axes::draw(
        surface,
        scale(field.x),
        scale(field.y),
        Titles {
            x: &names.0,
            y: &names.1,
            percent: false,
        },
    );
    let a = axes.area;
    let mut rgba = vec![255; SIDE * SIDE * 4];
    for (cell, pixel) in rgba.chunks_exact_mut(4).enumerate() {
        let out = field.output(width, cell);
        pixel[..3].copy_from_slice(&cell_color(outcome, out, range, surface.theme.dark));
    }
    if let Some(canvas) = new_canvas() {
        put_pixels(&canvas, SIDE, SIDE, &mut rgba);
        surface.ctx.set_image_smoothing_enabled(true);
        // A canvas of one's own making can always be drawn.
        let _ = surface
            .ctx
            .draw_image_with_html_canvas_element_and_dw_and_dh(
                &canvas, a.left, a.top, a.width, a.height,
            );
    }
    axes.inside(|| {
        beside::draw(surface, &beside::kept(source), a);
        lines(surface, outcome, field, a);
        points(&axes, outcome, &field.samples, range);
    });
    a
}

/// Where the class changes, or lines of equal value, in cells.
fn boundaries(outcome: &Outcome, field: &Field) -> Vec<Segment> {
    let width = outcome.width();
    let cells = || (0..SIDE * SIDE).map(|c| field.output(width, c));
    let mut levels: Vec<(Vec<f32>, f32)> = Vec::new();
    match outcome {
        Outcome::Many { classes, .. } if *classes > 2 => {
            for k in 0..*classes {
                let lead = |out: &[f32]| {
                    let others = out.iter().enumerate().filter(|(j, _)| *j != k);
                    out.get(k).copied().unwrap_or(f32::NAN)
                        - others.fold(f32::NEG_INFINITY, |m, (_, v)| m.max(*v))
                };
                levels.push((cells().map(lead).collect(), 0.0));
            }
        }
        Outcome::Values { .. } => {
            let values: Vec<f32> = cells()
                .map(|o| o.first().copied().unwrap_or(f32::NAN))
                .collect();
            let range = value_range(field, width);
            let ticks = Scale::linear(f64::from(range.0), f64::from(range.1)).ticks(8);
            levels.extend(ticks.into_iter().map(|l| (values.clone(), l as f32)));
        }
        _ => {
            let values = cells().map(|o| signed(outcome, o).unwrap_or(f32::NAN));
            levels.push((values.collect(), 0.0));
        }
    }
    let lines = levels.iter();
    lines
        .flat_map(|(v, l)| contour(v, SIDE, SIDE, *l))
        .collect()
}

fn lines(surface: &Surface, outcome: &Outcome, field: &Field, a: Area) {
    let ctx = &surface.ctx;
    let regression = matches!(outcome, Outcome::Values { .. });
    ctx.set_stroke_style_str(&surface.theme.ink);
    ctx.set_global_alpha(if regression { 0.35 } else { 0.9 });
    ctx.set_line_width(if regression { 1.0 } else { 1.75 });
    ctx.set_line_cap("round");
    let px = |g: f32| a.left + (f64::from(g) + 0.5) / SIDE as f64 * a.width;
    let py = |g: f32| a.top + (f64::from(g) + 0.5) / SIDE as f64 * a.height;
    ctx.begin_path();
    for [p, q] in boundaries(outcome, field) {
        ctx.move_to(px(p.0), py(p.1));
        ctx.line_to(px(q.0), py(q.1));
    }
    ctx.stroke();
    ctx.set_global_alpha(1.0);
}

/// Samples by their classes, or values within a range; those held out as outlines.
pub fn points(axes: &Axes, outcome: &Outcome, samples: &[Rc<Rows>], range: (f32, f32)) {
    for rows in samples {
        let filled = rows.part == Part::Train;
        for i in 0..rows.count {
            let ([x, y, ..], Some(target)) = (rows.sample(i), rows.target(i).first()) else {
                continue;
            };
            let (shape, color) = match outcome {
                Outcome::Values { .. } => (Shape::Disc, css(sequential(share(*target, range)))),
                _ => (
                    Shape::of_class(*target as usize),
                    css(class(*target as usize)),
                ),
            };
            let few = rows.total < 20;
            let size = if few { 6.0 } else { 3.75 };
            axes.mark((f64::from(*x), f64::from(*y)), shape, size, &color, filled);
        }
    }
}

fn legend(source: &Source, field: &Field) -> Html {
    let classes = match source.outcome {
        Outcome::Values { .. } => 0,
        Outcome::Two { .. } => 2,
        Outcome::Many { classes, .. } => classes,
    };
    let held_out = field.samples.iter().any(|r| r.part == Part::Test);
    let (lo, hi) = value_range(field, source.outcome.width());
    html! {
        <p class="legend-row column">
            if classes == 0 {
                <ColorLegend {lo} {hi} signed=false />
            } else if classes == 2 {
                <ColorLegend lo={-1.0} hi={1.0} signed=true strength={FIELD}
                    names={Some((source.class(0).into(), source.class(1).into()))} />
            }
            { for (0..classes).map(|k| html! { <span class="plot-key"><Mark class={k} />{ source.class(k) }</span> }) }
            if held_out {
                <span class="plot-key"><Mark class={0} filled=false />{ t("plane-held-out") }</span>
            }
        </p>
    }
}

/// What the network says at a place, in words.
fn said(source: &Source, out: &[f32]) -> String {
    match &source.outcome {
        Outcome::Values { .. } => out
            .first()
            .map_or_else(String::new, |v| three(f64::from(*v))),
        outcome => {
            let name = outcome
                .class(out)
                .map(|k| source.class(k))
                .unwrap_or_default();
            let value = outcome
                .class(out)
                .and_then(|k| outcome.probability(out, k))
                .or(out.first().copied());
            format!(
                "{name} {}",
                value.map_or_else(String::new, |v| three(f64::from(v)))
            )
        }
    }
}

fn reading(source: &Source, field: &Field, area: Area, at: (f64, f64)) -> Option<String> {
    let (i, j) = Place { area, side: SIDE }.cell(at)?;
    let (x, y) = field.at(i, j);
    let place = |name: String, v: f32| format!("{name} = {}", three(f64::from(v)));
    Some(format!(
        "{}, {} → {}",
        place(source.feature(0), x),
        place(source.feature(1), y),
        said(source, field.output(source.outcome.width(), j * SIDE + i))
    ))
}

/// The same at five by five places.
fn numbers(source: &Source, field: &Field) -> Html {
    let places: Vec<usize> = (0..5).map(|k| k * (SIDE - 1) / 4).collect();
    html! {
        <div class="unseen"><table>
            <caption>{ t("plane-table") }</caption>
            <thead><tr>
                <th>{ format!("{} \\ {}", source.feature(1), source.feature(0)) }</th>
                { for places.iter().map(|i| html! { <th scope="col">{ three(f64::from(field.at(*i, 0).0)) }</th> }) }
            </tr></thead>
            <tbody>
                { for places.iter().map(|j| html! {
                    <tr>
                        <th scope="row">{ three(f64::from(field.at(0, *j).1)) }</th>
                        { for places.iter().map(|i| html! {
                            <td>{ said(source, field.output(source.outcome.width(), j * SIDE + i)) }</td>
                        }) }
                    </tr>
                }) }
            </tbody>
        </table></div>
    }
}
