//! Pictures as the browser decodes them: cut to the middle's shape, scaled, as bytes.
use super::source::failure;
use crate::data::images;
use crate::data::{FileBytes, Pauses};
use crate::picture::{Surface, planes};
use crate::spec::Problem;
use crate::train::protocol::Failure;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

/// `[channels, height, width]` unless the spec says otherwise.
const SHAPE: [usize; 3] = [3, 32, 32];
/// Pixels of one picture's side, at most.
const SIDE: usize = 512;
/// What decoding one costs, in bytes that are read meanwhile.
const PICTURE: usize = 1 << 15;

/// The pictures of folders and archives in the form that the reader of formats takes. `shape` is the
/// spec's, empty when it has none: `[height, width]` is grey.
pub async fn decode(
    files: &[FileBytes],
    shape: &[usize],
    pauses: &mut Pauses<'_>,
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
    pauses.stage(0.0..0.2, files.iter().map(|f| f.bytes.len()).sum());
    let pictures = images::list(files, pauses).await.map_err(failure)?;
    let mut pixels = Vec::with_capacity(pictures.len() * channels * h * w);
    let surface = Surface::new(h, w).map_err(|e| unreadable("canvas", &e))?;
    pauses.stage(0.2..0.9, pictures.iter().map(|p| p.file.bytes.len()).sum());
    let mut done = 0;
    for p in &pictures {
        let bytes = Uint8Array::from(&p.file.bytes[..]);
        let drawn = async {
            let blob = Blob::new_with_u8_array_sequence(&Array::of1(&bytes))?;
            surface.draw(&blob).await
        };
        let rgba = drawn.await.map_err(|e| unreadable(&p.file.name, &e))?;
        pixels.extend(planes(&rgba, channels));
        done += p.file.bytes.len();
        pauses.reached(done);
        pauses.spent(PICTURE).await.map_err(failure)?;
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
