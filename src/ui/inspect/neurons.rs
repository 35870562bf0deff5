//! Every unit's answer over the plane of two features, layer by layer.
use super::ViewProps;
use super::legend::ColorLegend;
use super::parts::{Trouble, Waiting};
use super::plane::{Place, padded, points};
use super::pull::use_pull;
use super::sheet::About;
use super::source::{Rows, Source};
use crate::plotting::Scale;
use crate::plotting::color::{diverging, table};
use crate::plotting::contour::contour;
use crate::plotting::format::three;
use crate::train::protocol::{ArrayInfo, Ask, Failure, FieldAsk, Part, Role};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::plot::axes::{Area, Axes, Titles};
use crate::ui::plot::canvas::{new_canvas, put_pixels};
use crate::ui::plot::theme::use_dark;
use crate::ui::plot::{Canvas, Surface};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::HtmlCanvasElement;
use yew::prelude::*;

/// Points along a side.
const SIDE: usize = 32;
/// Units shown of a layer.
const UNITS: usize = 64;
/// Samples drawn over the enlarged one.
const POINTS: usize = 500;

type Range = (f32, f32);

/// One layer's units over the plane.
struct Layer {
    id: String,
    /// `[units, SIDE, SIDE]`, from the top left.
    values: Vec<f32>,
    units: usize,
    /// Largest magnitude.
    scale: f32,
}

impl Layer {
    fn unit(&self, u: usize) -> &[f32] {
        let n = SIDE * SIDE;
        self.values.get(u * n..(u + 1) * n).unwrap_or(&[])
    }
}

struct Fields {
    x: Range,
    y: Range,
    layers: Vec<Layer>,
    samples: Vec<Rc<Rows>>,
}

async fn fetch((source, _, layers): (Source, u64, Vec<String>)) -> Result<Fields, Failure> {
    let ranges = &source.info.data.ranges;
    let (x, y) = (padded(ranges.first()), padded(ranges.get(1)));
    let mut out = Fields {
        x,
        y,
        layers: Vec::new(),
        samples: vec![source.samples(Part::Train, 0, POINTS).await?],
    };
    for layer in layers {
        let ask = FieldAsk {
            layer: layer.clone(),
            x,
            y,
            side: SIDE,
        };
        let (info, mut numbers) = source.look::<ArrayInfo>(Ask::Field(ask)).await?;
        let values = numbers.pop().unwrap_or_default();
        let finite = values.iter().filter(|v| v.is_finite());
        let scale = finite.fold(0.0f32, |m, v| m.max(v.abs()));
        out.layers.push(Layer {
            id: layer,
            values,
            units: info.shape.first().copied().unwrap_or(0),
            scale: if scale > 0.0 { scale } else { 1.0 },
        });
    }
    Ok(out)
}

#[component]
pub fn Neurons(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let open = use_state(|| None::<(String, usize)>);
    let layers: Vec<String> = props
        .tensors
        .iter()
        .filter(|t| t.role == Role::Activation)
        .map(|t| t.layer.clone())
        .collect();
    let pulled = use_pull((source.clone(), props.tick, layers), fetch);
    let Some(fields) = pulled.value else {
        return html! { <div class="view"><Trouble failure={pulled.failure} /><Waiting /></div> };
    };
    // The one that was chosen, or else the first of the layer that is open in the builder.
    let of = |id: &str| fields.layers.iter().position(|l| l.id == id);
    let chosen = open
        .as_ref()
        .and_then(|(id, u)| Some((of(id)?, *u)))
        .or_else(|| Some((of(props.selected.as_deref()?)?, 0)))
        .filter(|(l, u)| *u < fields.layers[*l].units)
        .unwrap_or((0, 0));
    html! {
        <div class="view neurons">
            <About text={t("neurons-about")} />
            <Trouble failure={pulled.failure} />
            if let Some(layer) = fields.layers.get(chosen.0) {
                <Enlarged fields={ByAddress(fields.clone())} layer={chosen.0} unit={chosen.1} source={source.clone()}
                    name={format!("{} {}", layer.id, chosen.1)} />
            }
            { for fields.layers.iter().enumerate().map(|(l, layer)| {
                let selected = props.selected.as_deref() == Some(&*layer.id);
                html! {
                    <section class={classes!("tensor", selected.then_some("selected"))} key={layer.id.clone()}>
                        <h4>
                            <code>{ &layer.id }</code>
                            <span class="dim">{ t_args("neurons-units", &[("count", layer.units.into())]) }</span>
                            <ColorLegend lo={-layer.scale} hi={layer.scale} signed=true />
                        </h4>
                        <div class="unit-grid">
                            { for (0..layer.units.min(UNITS)).map(|u| {
                                let (open, id) = (open.clone(), layer.id.clone());
                                html! {
                                    <Unit key={u} fields={ByAddress(fields.clone())} layer={l} unit={u} pressed={chosen == (l, u)}
                                        onopen={Callback::from(move |()| open.set(Some((id.clone(), u))))} />
                                }
                            }) }
                        </div>
                        if layer.units > UNITS {
                            <p class="dim">{ t_args("neurons-cut", &[
                                ("shown", UNITS.to_string().into()), ("all", layer.units.to_string().into()),
                            ]) }</p>
                        }
                    </section>
                }
            }) }
        </div>
    }
}

/// Compared by where it lies.
#[derive(Clone)]
struct ByAddress(Rc<Fields>);

impl PartialEq for ByAddress {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.0, &o.0)
    }
}

fn paint(canvas: &HtmlCanvasElement, layer: &Layer, unit: usize, dark: bool) {
    let colors = table(|t| diverging(2.0 * t - 1.0, dark));
    let mut rgba = vec![255; SIDE * SIDE * 4];
    for (pixel, v) in rgba.chunks_exact_mut(4).zip(layer.unit(unit)) {
        let share = if v.is_nan() { 0.0 } else { v / layer.scale };
        let at = ((share * 0.5 + 0.5) * 255.0).round().clamp(0.0, 255.0);
        pixel[..3].copy_from_slice(&colors[at as usize]);
    }
    put_pixels(canvas, SIDE, SIDE, &mut rgba);
}

#[derive(Properties, PartialEq)]
struct UnitProps {
    fields: ByAddress,
    layer: usize,
    unit: usize,
    pressed: bool,
    onopen: Callback<()>,
}

/// A small picture of one unit, which enlarges it.
#[component]
fn Unit(props: &UnitProps) -> Html {
    let dark = use_dark();
    let canvas = use_node_ref();
    {
        let canvas = canvas.clone();
        let key = (props.fields.clone(), props.layer, props.unit, dark);
        use_effect_with(key, move |(fields, layer, unit, dark)| {
            if let (Some(c), Some(layer)) = (canvas.cast(), fields.0.layers.get(*layer)) {
                paint(&c, layer, *unit, *dark);
            }
        });
    }
    let onopen = props.onopen.clone();
    let (over, click) = (onopen.clone(), onopen);
    let label = t_args("neurons-unit", &[("unit", props.unit.to_string().into())]);
    html! {
        <button type="button" class="unit" aria-pressed={props.pressed.to_string()} title={label.clone()} aria-label={label}
            onmouseenter={move |_| over.emit(())} onclick={move |_| click.emit(())}>
            <canvas ref={canvas} aria-hidden="true" />
        </button>
    }
}

#[derive(Properties, PartialEq)]
struct EnlargedProps {
    fields: ByAddress,
    layer: usize,
    unit: usize,
    source: Source,
    name: AttrValue,
}

/// One unit with axes, samples, the line where it gives 0, and its values under the pointer.
#[component]
fn Enlarged(props: &EnlargedProps) -> Html {
    use_lang();
    let place = use_memo((), |()| Cell::new(Area::default()));
    let cursor = use_state(|| None::<(f64, f64)>);
    let source = &props.source;
    let paint = {
        let place = place.clone();
        let key = (
            props.fields.clone(),
            props.layer,
            props.unit,
            source.clone(),
        );
        use_callback(
            key,
            move |surface: Rc<Surface>, (fields, layer, unit, source)| {
                if let Some(layer) = fields.0.layers.get(*layer) {
                    place.set(draw(&surface, source, &fields.0, layer, *unit));
                }
            },
        )
    };
    let onpoint = {
        let cursor = cursor.clone();
        Callback::from(move |at| cursor.set(at))
    };
    let fields = &props.fields.0;
    let layer = &fields.layers[props.layer];
    let said = cursor.and_then(|at| {
        let spot = Place {
            area: place.get(),
            side: SIDE,
        };
        let (i, j) = spot.cell(at)?;
        let (x, y) = spot.at(fields.x, fields.y, i, j);
        let v = layer.unit(props.unit).get(j * SIDE + i)?;
        Some(format!(
            "{} = {}, {} = {} → {}",
            source.feature(0),
            three(f64::from(x)),
            source.feature(1),
            three(f64::from(y)),
            three(f64::from(*v))
        ))
    });
    html! {
        <section class="enlarged">
            <h4><code>{ props.name.clone() }</code></h4>
            <div class="chart-box square">
                <Canvas {paint} {onpoint} label={t_args("neurons-label", &[
                    ("name", props.name.to_string().into()),
                    ("x", source.feature(0).into()), ("y", source.feature(1).into()),
                ])} />
            </div>
            <output class="plane-value figure">{ said.unwrap_or_else(|| t("neurons-hint")) }</output>
            { numbers(source, fields, layer, props.unit) }
        </section>
    }
}

fn draw(surface: &Surface, source: &Source, fields: &Fields, layer: &Layer, unit: usize) -> Area {
    let scale = |r: Range| Scale::linear(f64::from(r.0), f64::from(r.1));
    let names = (source.feature(0), source.feature(1));
    let titles = Titles {
        x: &names.0,
        y: &names.1,
        percent: false,
    };
    let axes = Axes::draw(surface, scale(fields.x), scale(fields.y), titles);
    let a = axes.area;
    let ctx = &surface.ctx;
    if let Some(canvas) = new_canvas() {
        paint(&canvas, layer, unit, surface.theme.dark);
        ctx.set_image_smoothing_enabled(true);
        // A canvas of one's own making can always be drawn.
        let _ = ctx.draw_image_with_html_canvas_element_and_dw_and_dh(
            &canvas, a.left, a.top, a.width, a.height,
        );
    }
    axes.inside(|| {
        let spot = |(x, y): (f32, f32)| {
            let at = |g: f32| (f64::from(g) + 0.5) / SIDE as f64;
            (a.left + at(x) * a.width, a.top + at(y) * a.height)
        };
        ctx.set_stroke_style_str(&surface.theme.ink);
        ctx.set_line_width(1.25);
        ctx.begin_path();
        for [p, q] in contour(layer.unit(unit), SIDE, SIDE, 0.0) {
            let (p, q) = (spot(p), spot(q));
            ctx.move_to(p.0, p.1);
            ctx.line_to(q.0, q.1);
        }
        ctx.stroke();
        points(&axes, &source.outcome, &fields.samples, (0.0, 1.0));
    });
    a
}

/// The same at five by five places.
fn numbers(source: &Source, fields: &Fields, layer: &Layer, unit: usize) -> Html {
    let places: Vec<usize> = (0..5).map(|k| k * (SIDE - 1) / 4).collect();
    let spot = Place {
        area: Area::default(),
        side: SIDE,
    };
    let at = |i, j| spot.at(fields.x, fields.y, i, j);
    html! {
        <div class="unseen"><table>
            <caption>{ t("neurons-table") }</caption>
            <thead><tr>
                <th>{ format!("{} \\ {}", source.feature(1), source.feature(0)) }</th>
                { for places.iter().map(|i| html! { <th scope="col">{ three(f64::from(at(*i, 0).0)) }</th> }) }
            </tr></thead>
            <tbody>
                { for places.iter().map(|j| html! {
                    <tr>
                        <th scope="row">{ three(f64::from(at(0, *j).1)) }</th>
                        { for places.iter().map(|i| {
                            let v = layer.unit(unit).get(j * SIDE + i).copied().unwrap_or(f32::NAN);
                            html! { <td>{ three(f64::from(v)) }</td> }
                        }) }
                    </tr>
                }) }
            </tbody>
        </table></div>
    }
}
