//! A digit drawn, or a picture chosen or dropped, as a sample of the data.
use super::likely::Likely;
use crate::data::drawn::centred;
use crate::picture::{Surface, planes};
use crate::plotting::outcome::Outcome;
use crate::train::protocol::{Failure, Part};
use crate::ui::i18n::{t, use_lang};
use crate::ui::inspect::ViewProps;
use crate::ui::inspect::parts::Trouble;
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::source::Source;
use crate::ui::inspect::thumb::Thumb;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    CanvasRenderingContext2d, DragEvent, File, HtmlCanvasElement, HtmlInputElement, PointerEvent,
};
use yew::prelude::*;

/// Pixels of the pad's side.
const PAD: u32 = 168;
/// Width of the pen, as a share of the pad, which gives strokes as thick as MNIST's.
const PEN: f64 = 0.075;
/// Pixels of a chosen picture's side before it is cut to the data's shape.
const LOOKED_AT: u32 = 280;

fn context(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok().flatten()?.dyn_into().ok()
}

/// Brightness 0…1 of a canvas's pixels.
fn grey(ctx: &CanvasRenderingContext2d, w: u32, h: u32) -> Option<Vec<f32>> {
    let data = ctx
        .get_image_data(0.0, 0.0, f64::from(w), f64::from(h))
        .ok()?
        .data();
    Some(planes(&data.0, 1).map(|v| f32::from(v) / 255.0).collect())
}

/// What the data are like, as far as a picture must be made so.
#[derive(Clone, Copy, PartialEq)]
struct Kind {
    shape: [usize; 2],
    channels: usize,
    /// Greatest value of a pixel.
    top: f32,
    /// Whether the pictures are digits.
    digits: bool,
}

fn kind(source: &Source, top: f32) -> Kind {
    let shape = source.info.data.image.unwrap_or([1, 1]);
    let channels = (source.features() / (shape[0] * shape[1]).max(1)).max(1);
    let classes = &source.info.data.classes;
    let digits =
        classes.len() == 10 && classes.iter().enumerate().all(|(k, c)| *c == k.to_string());
    // An autoencoder's targets are no classes; its pictures are digits where the data's name says so.
    let named = source.info.data.name.to_lowercase();
    Kind {
        shape,
        channels,
        top,
        digits: channels == 1
            && (digits || classes.is_empty() && (named.contains("digit") || named == "mnist")),
    }
}

#[component]
pub fn TryPicture(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let pad = use_node_ref();
    let given = use_state(|| None::<Rc<Vec<f32>>>);
    let wrong = use_state_eq(|| false);
    let last = use_mut_ref(|| None::<(f64, f64)>);
    // How bright the data's own pictures are.
    let seen = use_pull(source.clone(), |source| async move {
        let part = source.parts().first().copied().unwrap_or(Part::Train);
        let rows = source.samples(part, 0, 32).await?;
        Ok::<_, Failure>(rows.x.iter().copied().fold(0.0f32, f32::max))
    });
    let top = seen
        .value
        .as_deref()
        .copied()
        .filter(|v| *v > 0.0)
        .unwrap_or(255.0);
    let kind = kind(source, top);
    let pulled = use_pull(
        (source.clone(), props.tick, given.as_ref().cloned()),
        |(source, _, x)| async move {
            let output = match &x {
                Some(x) if x.len() == source.features() => source.predict(x, 1).await?,
                _ => Vec::new(),
            };
            Ok::<_, Failure>((x, output))
        },
    );
    let take_drawing = {
        let (pad, given) = (pad.clone(), given.clone());
        move || {
            let canvas = pad.cast::<HtmlCanvasElement>();
            let ink = canvas.and_then(|c| grey(&context(&c)?, PAD, PAD));
            if let Some(ink) = ink {
                let paper: Vec<f32> = ink.iter().map(|v| 1.0 - v).collect();
                let x = centred(&paper, PAD as usize, kind.shape);
                let empty = x.iter().all(|v| *v == 0.0);
                let x = x.into_iter().map(|v| v * kind.top).collect();
                given.set((!empty).then(|| Rc::new(x)));
            }
        }
    };
    let clear = {
        let (pad, given, wrong) = (pad.clone(), given.clone(), wrong.clone());
        Callback::from(move |_: MouseEvent| {
            wipe(&pad);
            given.set(None);
            wrong.set(false);
        })
    };
    {
        let pad = pad.clone();
        use_effect_with((), move |()| wipe(&pad));
    }
    let place = |e: &PointerEvent| -> Option<(f64, f64)> {
        let canvas: HtmlCanvasElement = e.target_dyn_into()?;
        let scale = f64::from(PAD) / f64::from(canvas.client_width().max(1));
        Some((
            f64::from(e.offset_x()) * scale,
            f64::from(e.offset_y()) * scale,
        ))
    };
    let onpointerdown = {
        let (last, pad) = (last.clone(), pad.clone());
        Callback::from(move |e: PointerEvent| {
            let (Some(at), Some(canvas)) = (place(&e), pad.cast::<HtmlCanvasElement>()) else {
                return;
            };
            e.prevent_default();
            // A pen that cannot be followed beyond the pad still draws on it.
            let _ = canvas.set_pointer_capture(e.pointer_id());
            stroke(&pad, at, at);
            *last.borrow_mut() = Some(at);
        })
    };
    let onpointermove = {
        let (last, pad, take) = (last.clone(), pad.clone(), take_drawing.clone());
        Callback::from(move |e: PointerEvent| {
            let Some(from) = *last.borrow() else { return };
            if let Some(to) = place(&e) {
                stroke(&pad, from, to);
                *last.borrow_mut() = Some(to);
                take();
            }
        })
    };
    let onpointerup = {
        let (last, take) = (last.clone(), take_drawing.clone());
        Callback::from(move |_: PointerEvent| {
            if last.borrow_mut().take().is_some() {
                take();
            }
        })
    };
    let take_file = {
        let (given, wrong) = (given.clone(), wrong.clone());
        Callback::from(move |file: File| {
            let (given, wrong) = (given.clone(), wrong.clone());
            spawn_local(async move {
                let x = decoded(&file, kind).await;
                wrong.set(x.is_err());
                if let Ok(x) = x {
                    given.set(Some(Rc::new(x)));
                }
            });
        })
    };
    let choose = {
        let take = take_file.clone();
        Callback::from(move |_: MouseEvent| {
            let take = take.clone();
            pick_picture(move |file| take.emit(file));
        })
    };
    let ondrop = {
        let take = take_file.clone();
        Callback::from(move |e: DragEvent| {
            let files = crate::ui::drop::files_of(e.data_transfer().and_then(|d| d.files()));
            let [file] = &files[..] else { return };
            if file.type_().starts_with("image/") {
                // Elsewhere on the page a picture is data to train on.
                e.prevent_default();
                e.stop_propagation();
                take.emit(file.clone());
            }
        })
    };
    let answer = pulled.value.filter(|v| v.0 == *given && !v.1.is_empty());
    let draws = kind.channels == 1;
    let title = t(if draws { "try-draw" } else { "try-picture" });
    html! {
        <section class="try" aria-label={title.clone()} {ondrop}>
            <h4>{ title.clone() }</h4>
            <div class="try-pad">
                if draws {
                    <canvas class="pad" ref={pad} width={PAD.to_string()} height={PAD.to_string()} role="img"
                        aria-label={t("try-pad")} {onpointerdown} {onpointermove}
                        onpointerup={onpointerup.clone()} onpointercancel={onpointerup} />
                }
                if let Some(x) = given.as_ref() {
                    <figure>
                        <Thumb values={x.clone()} shape={kind.shape} range={(0.0, kind.top)} label={t("try-seen")} />
                        <figcaption>{ t("try-seen") }</figcaption>
                    </figure>
                }
                if let Some(v) = &answer {
                    { said(source, &v.1, kind) }
                } else {
                    <p class="dim">{ t(if draws { "try-draw-hint" } else { "try-picture-hint" }) }</p>
                }
            </div>
            <div class="try-tools">
                <button type="button" class="button" onclick={choose}>{ t("try-choose") }</button>
                <button type="button" class="button" disabled={given.is_none()} onclick={clear}>{ t("try-clear") }</button>
            </div>
            if *wrong {
                <p class="error" role="alert">{ t("try-not-a-picture") }</p>
            }
            <Trouble failure={pulled.failure} />
        </section>
    }
}

/// Classes, or the picture that an autoencoder makes of it.
fn said(source: &Source, output: &[f32], kind: Kind) -> Html {
    if let Outcome::Values { targets } = source.outcome
        && targets == kind.shape[0] * kind.shape[1] * kind.channels
    {
        // It gives what it sees, which is scaled.
        let top = output
            .iter()
            .copied()
            .fold(f32::MIN_POSITIVE, f32::max)
            .max(1.0);
        return html! {
            <figure>
                <Thumb values={Rc::new(output.to_vec())} shape={kind.shape} range={(0.0, top)} label={t("try-rebuilt")} />
                <figcaption>{ t("try-rebuilt") }</figcaption>
            </figure>
        };
    }
    html! { <Likely source={source.clone()} output={output.to_vec()} /> }
}

fn wipe(pad: &NodeRef) {
    if let Some(ctx) = pad.cast::<HtmlCanvasElement>().and_then(|c| context(&c)) {
        ctx.set_fill_style_str("#fff");
        ctx.fill_rect(0.0, 0.0, f64::from(PAD), f64::from(PAD));
    }
}

fn stroke(pad: &NodeRef, from: (f64, f64), to: (f64, f64)) {
    let Some(ctx) = pad.cast::<HtmlCanvasElement>().and_then(|c| context(&c)) else {
        return;
    };
    ctx.set_stroke_style_str("#000");
    ctx.set_line_width(PEN * f64::from(PAD));
    ctx.set_line_cap("round");
    ctx.set_line_join("round");
    ctx.begin_path();
    ctx.move_to(from.0, from.1);
    // A point is a line of no length.
    ctx.line_to(to.0, to.1 + 0.01);
    ctx.stroke();
}

fn pick_picture(then: impl FnOnce(File) + 'static) {
    let input = gloo::utils::document().create_element("input").ok();
    let Some(input) = input.and_then(|i| i.dyn_into::<HtmlInputElement>().ok()) else {
        return;
    };
    input.set_type("file");
    input.set_accept("image/*");
    let chosen = input.clone();
    let changed = Closure::once_into_js(move || {
        if let Some(file) = chosen.files().and_then(|f| f.get(0)) {
            then(file);
        }
    });
    input.set_onchange(Some(changed.unchecked_ref()));
    input.click();
}

/// A picture as a raw sample of the data.
async fn decoded(file: &File, kind: Kind) -> Result<Vec<f32>, JsValue> {
    let [h, w] = match (kind.channels, kind.digits) {
        (1, true) => [LOOKED_AT as usize; 2],
        _ => kind.shape,
    };
    let rgba = Surface::new(h, w)?.draw(file).await?;
    let channels = kind.channels.min(3);
    let mut light: Vec<f32> = planes(&rgba, channels)
        .map(|v| f32::from(v) / 255.0)
        .collect();
    if kind.channels == 1 {
        // Ink on paper becomes light on dark, as the data are.
        if brim(&light, w) > 0.5 {
            light.iter_mut().for_each(|v| *v = 1.0 - *v);
        }
        if kind.digits {
            // Grey paper is no ink.
            light
                .iter_mut()
                .for_each(|v| *v = ((*v - 0.3) / 0.5).clamp(0.0, 1.0));
            light = centred(&light, w, kind.shape);
        }
    }
    Ok(light.into_iter().map(|v| v * kind.top).collect())
}

/// How bright the edge of a picture is.
fn brim(light: &[f32], width: usize) -> f32 {
    let height = light.len() / width.max(1);
    let at_edge = |i: &usize| {
        let (y, x) = (i / width, i % width);
        y == 0 || x == 0 || y + 1 == height || x + 1 == width
    };
    let edge: Vec<f32> = (0..light.len()).filter(at_edge).map(|i| light[i]).collect();
    edge.iter().sum::<f32>() / edge.len().max(1) as f32
}
