//! A sample as a picture in the ink of the page.
use crate::train::protocol::RunInfo;
use crate::ui::plot::canvas::put_pixels;
use crate::ui::plot::theme::use_dark;
use std::rc::Rc;
use web_sys::HtmlCanvasElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct ThumbProps {
    /// `[height, width]`, or `[3, height, width]` in colour.
    pub values: Rc<Vec<f32>>,
    pub shape: [usize; 2],
    /// Blank, and full ink.
    pub range: (f32, f32),
    pub label: AttrValue,
}

/// The range of pixel values that the data has, or else these samples.
pub fn range_of(info: &RunInfo, values: impl Iterator<Item = f32>) -> (f32, f32) {
    let known = info.data.ranges.iter().map(|r| (r.0, r.1));
    let seen = values.map(|v| (v, v));
    let join = |a: (f32, f32), b: (f32, f32)| (a.0.min(b.0), a.1.max(b.1));
    let (lo, hi) = known.chain(seen).reduce(join).unwrap_or((0.0, 1.0));
    if hi > lo { (lo, hi) } else { (lo, lo + 1.0) }
}

#[component]
pub fn Thumb(props: &ThumbProps) -> Html {
    let canvas = use_node_ref();
    let dark = use_dark();
    {
        let canvas = canvas.clone();
        let key = (props.values.clone(), props.shape, props.range, dark);
        use_effect_with(key, move |(values, shape, range, dark)| {
            if let Some(c) = canvas.cast::<HtmlCanvasElement>() {
                paint(&c, values, *shape, *range, *dark);
            }
        });
    }
    html! { <canvas class="thumb" ref={canvas} role="img" aria-label={props.label.clone()} /> }
}

fn paint(canvas: &HtmlCanvasElement, v: &[f32], [h, w]: [usize; 2], range: (f32, f32), dark: bool) {
    put_pixels(canvas, w, h, &mut pixels(v, h * w, range, dark));
}

/// A picture of so many pixels as RGBA: in its colours, or in the ink of the page.
pub fn pixels(v: &[f32], pixels: usize, (lo, hi): (f32, f32), dark: bool) -> Vec<u8> {
    let byte = |v: f32| (((v - lo) / (hi - lo)).clamp(0.0, 1.0) * 255.0).round() as u8;
    let ink = if dark { 255 } else { 0 };
    let mut rgba = vec![ink; pixels * 4];
    for (i, p) in rgba.chunks_exact_mut(4).enumerate() {
        if v.len() == 3 * pixels {
            p.copy_from_slice(&[
                byte(v[i]),
                byte(v[i + pixels]),
                byte(v[i + 2 * pixels]),
                255,
            ]);
        } else {
            p[3] = v.get(i).map_or(0, |v| byte(*v));
        }
    }
    rgba
}
