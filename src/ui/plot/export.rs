//! The history as CSV, the charts as a picture.
use super::axes::Titles;
use super::browser::{download, sleep, text_blob};
use super::canvas::{Surface, new_canvas};
use super::chart::{Look, draw, kept_color, solid, train_color, validation_color};
use super::legend::metric_name;
use super::loss_plot::Shared;
use super::runs::{Kept, names};
use super::strand::shown;
use super::theme::Theme;
use crate::plotting::History;
use crate::spec::Spec;
use crate::ui::i18n::t;
use gloo::utils::{document, window};
use js_sys::{Array, Function, Promise, Reflect};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, CanvasRenderingContext2d};

/// Rows written between two pauses: a few milliseconds.
const CHUNK: usize = 4000;
/// Of one chart, in CSS pixels; the facts of the steps have half the height.
const SIZE: (f64, f64) = (960.0, 320.0);
const MARGIN: f64 = 12.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Png,
    Svg,
}

/// What is to be saved.
pub struct Job {
    pub format: Format,
    pub shared: Rc<Shared>,
    pub history: Rc<RefCell<History>>,
    /// Which of the charts there are.
    pub charts: Vec<usize>,
    pub by_epoch: bool,
    pub look: Look,
    pub kept: Rc<Vec<Kept>>,
    pub now: Option<Rc<Spec>>,
    pub theme: Theme,
    /// The share that is done; None at the end.
    pub progress: Callback,
}

pub type Callback = yew::Callback<Option<f64>>;

pub fn save(job: Job) {
    spawn_local(async move {
        let progress = job.progress.clone();
        match job.format {
            Format::Csv => save_csv(&job).await,
            Format::Png => drop(save_png(&job)),
            Format::Svg => drop(save_svg(&job).await),
        }
        progress.emit(None);
    });
}

/// Writes every row that is kept, pausing so that the page stays responsive.
async fn save_csv(job: &Job) {
    let parts = Array::new();
    let begin = |h: &History| (h.csv_header(), h.len(), h.generation());
    let (header, rows, generation) = begin(shown(&job.history.borrow(), job.by_epoch));
    parts.push(&JsValue::from(header));
    let mut from = 0;
    while from < rows {
        let mut text = String::new();
        {
            let history = job.history.borrow();
            let history = shown(&history, job.by_epoch);
            // Another run has begun meanwhile: what was written so far is all there is.
            if history.generation() != generation {
                break;
            }
            history.csv_rows(from..(from + CHUNK).min(rows), &mut text);
        }
        parts.push(&JsValue::from(text));
        from += CHUNK;
        job.progress
            .emit(Some((from as f64 / rows as f64).min(1.0)));
        sleep(0).await;
    }
    if let Some(blob) = text_blob(&parts, "text/csv") {
        download(&blob, "nabla-history.csv");
    }
}

/// Heights of the charts, one below the other.
fn heights(job: &Job) -> Vec<f64> {
    let of = |which: &usize| if *which < 2 { SIZE.1 } else { SIZE.1 / 2.0 };
    job.charts.iter().map(of).collect()
}

fn draw_one(job: &Job, surface: &Surface, which: usize) {
    let strand = job.shared.charts[which].strand.borrow();
    let x = t(if job.by_epoch {
        "axis-epoch"
    } else {
        "axis-step"
    });
    let titles = Titles {
        x: &x,
        y: &metric_name(strand.column()),
        percent: false,
    };
    draw(
        surface,
        &job.history.borrow(),
        &strand,
        &job.kept,
        job.look,
        titles,
    );
    if which == 0 {
        draw_legend(job, surface);
    }
}

/// What the lines stand for, from the right end of the top edge on.
fn draw_legend(job: &Job, surface: &Surface) {
    let visible: Vec<Kept> = job.kept.iter().filter(|k| !k.hidden).cloned().collect();
    let (own, others) = match &job.now {
        Some(now) if !visible.is_empty() => names(now, &visible),
        _ => (t("plot-train"), Vec::new()),
    };
    let mut keys = Vec::new();
    for (run, name) in visible.iter().zip(others) {
        keys.push((kept_color(run.id), false, name));
    }
    if !job.history.borrow().validation().is_empty() {
        keys.push((validation_color(), true, t("plot-validation")));
    }
    keys.push((train_color(), false, own));
    let ctx = &surface.ctx;
    ctx.set_text_align("right");
    ctx.set_text_baseline("top");
    let mut right = surface.width - 10.0;
    for (color, dashed, name) in keys {
        ctx.set_fill_style_str(&surface.theme.muted);
        // Text that cannot be drawn leaves its line without a name.
        let _ = ctx.fill_text(&name, right, 1.0);
        right -= ctx.measure_text(&name).map_or(0.0, |m| m.width()) + 6.0;
        let mut pen = solid(&color, 2.0, 1.0);
        pen.dashed = dashed;
        pen.stroke(ctx, &[(right - 22.0, 7.0), (right, 7.0)]);
        right -= 36.0;
    }
}

/// Draws the charts one below the other at twice the size of a page.
fn save_png(job: &Job) -> Option<()> {
    let heights = heights(job);
    let (width, height) = (SIZE.0, heights.iter().sum());
    let sheet = new_canvas()?;
    let page = Surface::on(&sheet, width, height, 2.0, job.theme.clone())?;
    page.ctx.set_fill_style_str(&job.theme.ground);
    page.ctx.fill_rect(0.0, 0.0, width, height);
    let mut top = 0.0;
    for (which, height) in job.charts.iter().zip(heights) {
        let (w, h) = (width - 2.0 * MARGIN, height - 2.0 * MARGIN);
        let canvas = new_canvas()?;
        let surface = Surface::on(&canvas, w, h, 2.0, job.theme.clone())?;
        draw_one(job, &surface, *which);
        page.ctx
            .draw_image_with_html_canvas_element_and_dw_and_dh(&canvas, MARGIN, top + MARGIN, w, h)
            .ok()?;
        top += height;
    }
    let save = Closure::once_into_js(move |blob: Option<Blob>| {
        if let Some(blob) = blob {
            download(&blob, "nabla-curves.png");
        }
    });
    sheet.to_blob(save.unchecked_ref()).ok()
}

/// The same drawing as a file of vectors: a stand-in for the canvas writes down what is drawn.
async fn save_svg(job: &Job) -> Option<()> {
    let recorder = recorder().await?;
    let heights = heights(job);
    let height: f64 = heights.iter().sum();
    let font = &job.theme.font;
    let args = Array::of4(
        &SIZE.0.into(),
        &height.into(),
        &job.theme.ground.as_str().into(),
        &font.as_str().into(),
    );
    let sheet = Reflect::construct(&recorder, &args).ok()?;
    let call = |name: &str, args: &[f64]| -> Option<JsValue> {
        let f: Function = Reflect::get(&sheet, &name.into()).ok()?.dyn_into().ok()?;
        let args: Array = args.iter().map(|v| JsValue::from(*v)).collect();
        f.apply(&sheet, &args).ok()
    };
    let mut top = 0.0;
    for (which, height) in job.charts.iter().zip(heights) {
        let (w, h) = (SIZE.0 - 2.0 * MARGIN, height - 2.0 * MARGIN);
        call("begin", &[MARGIN, top + MARGIN, w, h])?;
        let ctx: CanvasRenderingContext2d = sheet.clone().unchecked_into();
        let surface = Surface::over(ctx, w, h, job.theme.clone());
        draw_one(job, &surface, *which);
        call("end", &[])?;
        top += height;
    }
    let text = call("text", &[])?;
    let blob = text_blob(&Array::of1(&text), "image/svg+xml")?;
    download(&blob, "nabla-curves.svg");
    Some(())
}

/// The class that stands in for a canvas, loaded when it is first asked for.
async fn recorder() -> Option<Function> {
    const NAME: &str = "NablaSvg";
    let there = || Reflect::get(&window(), &NAME.into()).ok()?.dyn_into().ok();
    if let Some(class) = there() {
        return Some(class);
    }
    let script = document().create_element("script").ok()?;
    script.set_attribute("type", "module").ok()?;
    script.set_attribute("src", "./nabla-svg.js").ok()?;
    let loaded = Promise::new(&mut |resolve, reject| {
        for (name, done) in [("load", resolve), ("error", reject)] {
            // Listening to an element that was just made does not fail.
            let _ = script.add_event_listener_with_callback(name, &done);
        }
    });
    document().head()?.append_child(&script).ok()?;
    JsFuture::from(loaded).await.ok()?;
    there()
}
