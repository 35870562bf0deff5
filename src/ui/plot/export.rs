//! The history as CSV, the charts as a PNG file.
use super::axes::Titles;
use super::browser::{download, sleep, text_blob};
use super::canvas::{Surface, new_canvas};
use super::chart::{self, Kept};
use super::theme::Theme;
use crate::plotting::{Curve, History};
use js_sys::Array;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use web_sys::Blob;

/// Rows written between two pauses: a few milliseconds.
const CHUNK: usize = 4000;
const SIZE: (f64, f64) = (960.0, 320.0);

/// Writes every row that is kept, pausing so that the page stays responsive; `progress` gets
/// the share that is done.
pub async fn save_csv(history: &RefCell<History>, progress: impl Fn(f64)) {
    let parts = Array::new();
    parts.push(&JsValue::from(history.borrow().csv_header()));
    let rows = history.borrow().len();
    let generation = history.borrow().generation();
    let mut from = 0;
    while from < rows {
        let mut text = String::new();
        // Another run has begun meanwhile: what was written so far is all there is.
        if history.borrow().generation() != generation {
            break;
        }
        history
            .borrow()
            .csv_rows(from..(from + CHUNK).min(rows), &mut text);
        parts.push(&JsValue::from(text));
        from += CHUNK;
        progress((from as f64 / rows as f64).min(1.0));
        sleep(0).await;
    }
    if let Some(blob) = text_blob(&parts, "text/csv") {
        download(&blob, "nabla-history.csv");
    }
}

/// Draws the charts one below the other at twice the size of a page.
pub fn save_png(
    charts: &[(&Curve, String)],
    history: &History,
    log: bool,
    kept: &[Kept],
    theme: &Theme,
    x_title: &str,
) -> Option<()> {
    let (width, each) = SIZE;
    let height = each * charts.len() as f64;
    let sheet = new_canvas()?;
    let page = Surface::on(&sheet, width, height, 2.0, theme.clone())?;
    page.ctx.set_fill_style_str(&theme.ground);
    page.ctx.fill_rect(0.0, 0.0, width, height);
    for (i, (curve, title)) in charts.iter().enumerate() {
        let canvas = new_canvas()?;
        let surface = Surface::on(&canvas, width - 24.0, each - 24.0, 2.0, theme.clone())?;
        let titles = Titles {
            x: x_title,
            y: title,
            percent: false,
        };
        chart::draw(&surface, history, curve, log, None, kept, titles);
        chart::draw_legend(&surface, history, kept);
        page.ctx
            .draw_image_with_html_canvas_element_and_dw_and_dh(
                &canvas,
                12.0,
                each * i as f64 + 12.0,
                width - 24.0,
                each - 24.0,
            )
            .ok()?;
    }
    let save = Closure::once_into_js(move |blob: Option<Blob>| {
        if let Some(blob) = blob {
            download(&blob, "nabla-curves.png");
        }
    });
    sheet.to_blob(save.unchecked_ref()).ok()
}
