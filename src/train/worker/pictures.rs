//! Pictures as the browser decodes them: cut to the middle's shape, scaled, as bytes.
use super::reading::Desk;
use super::scope::scope;
use super::source::failure;
use crate::data::FileBytes;
use crate::data::images::{self, Picture};
use crate::spec::Problem;
use crate::train::protocol::Failure;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ImageBitmap, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

/// `[channels, height, width]` unless the spec says otherwise.
const SHAPE: [usize; 3] = [3, 32, 32];
/// Pixels of one picture's side, at most.
const SIDE: usize = 512;

/// The pictures of folders and archives in the form that the reader of formats takes. `shape` is the
/// spec's, empty when it has none: `[height, width]` is grey.
pub async fn decode(
    files: &[FileBytes],
    shape: &[usize],
    desk: &Desk<'_>,
) -> Result<FileBytes, Failure> {
    let shape = if shape.is_empty() { &SHAPE } else { shape };
    let [channels, h, w] = match *shape {
        [h, w] => [1, h, w],
        [c @ (1 | 3), h, w] => [c, h, w],
        _ => {
            return Err(failure(
                Problem::new("image-input")
                    .arg("kind", "images")
                    .arg("want", "3×32×32")
                    .arg("got", format!("{shape:?}")),
            ));
        }
    };
    let (h, w) = (h.clamp(1, SIDE), w.clamp(1, SIDE));
    let pictures = images::list(files).map_err(failure)?;
    let mut pixels = Vec::with_capacity(pictures.len() * channels * h * w);
    let surface = Surface::new(h, w).map_err(|e| unreadable("canvas", &e))?;
    for p in &pictures {
        desk.go_on()?;
        let rgba = surface
            .draw(p)
            .await
            .map_err(|e| unreadable(&p.file.name, &e))?;
        for k in 0..channels {
            pixels.extend(
                rgba.as_chunks::<4>()
                    .0
                    .iter()
                    .map(|[r, g, b, _]| match channels {
                        // Rec. 601, what pictures are made grey by.
                        1 => {
                            ((299 * u32::from(*r) + 587 * u32::from(*g) + 114 * u32::from(*b))
                                / 1000) as u8
                        }
                        _ => [*r, *g, *b][k],
                    }),
            );
        }
    }
    let shape = match shape.len() {
        2 => vec![h, w],
        _ => vec![channels, h, w],
    };
    images::pack(&pictures, &shape, &pixels).map_err(failure)
}

fn unreadable(name: &str, why: &JsValue) -> Failure {
    web_sys::console::warn_1(why);
    failure(Problem::new("image-decode").arg("file", name))
}

struct Surface {
    context: OffscreenCanvasRenderingContext2d,
    h: usize,
    w: usize,
}

impl Surface {
    fn new(h: usize, w: usize) -> Result<Surface, JsValue> {
        let canvas = OffscreenCanvas::new(w as u32, h as u32)?;
        let context = canvas.get_context("2d")?.ok_or("no 2-D context")?;
        let context = context.dyn_into()?;
        Ok(Surface { context, h, w })
    }

    async fn draw(&self, picture: &Picture) -> Result<Vec<u8>, JsValue> {
        let bytes = Uint8Array::from(&picture.file.bytes[..]);
        let blob = Blob::new_with_u8_array_sequence(&Array::of1(&bytes))?;
        let bitmap: ImageBitmap = JsFuture::from(scope().create_image_bitmap_with_blob(&blob)?)
            .await?
            .into();
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
