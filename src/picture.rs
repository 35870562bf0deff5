//! Pictures as the browser decodes them, cut to the middle's shape and scaled. The same for the pictures that a network is
//! trained on, in the worker, and those that it is tried on, on the page.
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ImageBitmap, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

/// Where pictures of one size are drawn.
pub struct Surface {
    context: OffscreenCanvasRenderingContext2d,
    h: usize,
    w: usize,
}

impl Surface {
    /// For pictures of `h` × `w` pixels.
    pub fn new(h: usize, w: usize) -> Result<Surface, JsValue> {
        let canvas = OffscreenCanvas::new(w as u32, h as u32)?;
        let context = canvas.get_context("2d")?.ok_or("no 2-D context")?;
        let context = context.dyn_into()?;
        Ok(Surface { context, h, w })
    }

    /// A picture's middle as red, green, blue and opacity, `[h, w, 4]`. Fails on what is no picture.
    pub async fn draw(&self, picture: &Blob) -> Result<Vec<u8>, JsValue> {
        let bitmap: ImageBitmap = JsFuture::from(bitmap(picture)?).await?.dyn_into()?;
        let (bw, bh) = (f64::from(bitmap.width()), f64::from(bitmap.height()));
        let (w, h) = (self.w as f64, self.h as f64);
        // The largest part of the middle that has the shape's proportions.
        let scale = (bw / w).min(bh / h);
        let (cw, ch) = (w * scale, h * scale);
        // Transparent pixels show white.
        self.context.set_fill_style_str("#fff");
        self.context.fill_rect(0.0, 0.0, w, h);
        self.context
            .draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                &bitmap,
                (bw - cw) / 2.0,
                (bh - ch) / 2.0,
                cw,
                ch,
                0.0,
                0.0,
                w,
                h,
            )?;
        bitmap.close();
        let data = self.context.get_image_data(0.0, 0.0, w, h)?;
        Ok(data.data().0)
    }
}

/// `createImageBitmap`, which pages and workers both have.
fn bitmap(picture: &Blob) -> Result<Promise, JsValue> {
    let global = js_sys::global();
    let make: Function = Reflect::get(&global, &"createImageBitmap".into())?.dyn_into()?;
    make.call1(&global, picture)?.dyn_into()
}

/// The values of a picture of `[h, w, 4]` by channel: one by Rec. 601, what pictures are made grey by, or red, green and blue.
pub fn planes(rgba: &[u8], channels: usize) -> impl Iterator<Item = u8> {
    let pixels = rgba.as_chunks::<4>().0;
    (0..channels).flat_map(move |k| {
        pixels.iter().map(move |[r, g, b, _]| match channels {
            1 => ((299 * u32::from(*r) + 587 * u32::from(*g) + 114 * u32::from(*b)) / 1000) as u8,
            _ => [*r, *g, *b][k.min(2)],
        })
    })
}
