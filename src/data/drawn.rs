//! A drawing as a sample of digits: cut out, scaled and centred the way the data were.

/// Side of a picture up to which it holds nothing but the digit, as the 8×8 digits do.
const TIGHT: usize = 16;
/// Ink below this is none.
const FAINT: f32 = 0.02;

/// `ink[height,width]`, 0…1, → `[h,w]`, 0…1. The drawing's bounding box is scaled, proportions kept, into
/// 20/28 of the field and its centre of mass put in the middle, which is how MNIST was made; small
/// fields are filled, as scikit-learn's digits are. An empty drawing stays empty.
pub fn centred(ink: &[f32], width: usize, [h, w]: [usize; 2]) -> Vec<f32> {
    let mut out = vec![0.0; h * w];
    let Some([top, left, bottom, right]) = bounds(ink, width) else {
        return out;
    };
    let tight = h.min(w) <= TIGHT;
    let room = match tight {
        true => h.min(w) as f32,
        false => (h.min(w) as f32 * 20.0 / 28.0).round(),
    };
    let (bh, bw) = ((bottom - top) as f32, (right - left) as f32);
    let scale = room / bh.max(bw);
    let (sh, sw) = (
        ((bh * scale).round() as usize).clamp(1, h),
        ((bw * scale).round() as usize).clamp(1, w),
    );
    let mut small = vec![0.0; sh * sw];
    for y in 0..sh {
        for x in 0..sw {
            let from =
                |i: usize, n: usize, lo: usize, size: f32| lo as f32 + i as f32 * size / n as f32;
            let (y0, y1) = (from(y, sh, top, bh), from(y + 1, sh, top, bh));
            let (x0, x1) = (from(x, sw, left, bw), from(x + 1, sw, left, bw));
            small[y * sw + x] = average(ink, width, (y0, y1), (x0, x1));
        }
    }
    let (cy, cx) = match tight {
        true => (sh as f32 / 2.0, sw as f32 / 2.0),
        false => mass(&small, sw),
    };
    let shift = |size: usize, small: usize, centre: f32| {
        (size as f32 / 2.0 - centre)
            .round()
            .clamp(0.0, (size - small) as f32) as usize
    };
    let (dy, dx) = (shift(h, sh, cy), shift(w, sw, cx));
    for (y, row) in small.chunks_exact(sw).enumerate() {
        out[(y + dy) * w + dx..][..sw].copy_from_slice(row);
    }
    out
}

/// Top, left, bottom and right of what is not empty; the latter two lie beyond it.
fn bounds(ink: &[f32], width: usize) -> Option<[usize; 4]> {
    let mut found: Option<[usize; 4]> = None;
    for (i, v) in ink.iter().enumerate() {
        if *v <= FAINT {
            continue;
        }
        let (y, x) = (i / width, i % width);
        let [t, l, b, r] = found.unwrap_or([y, x, y + 1, x + 1]);
        found = Some([t.min(y), l.min(x), b.max(y + 1), r.max(x + 1)]);
    }
    found
}

/// The mean over an area with fractional edges.
fn average(ink: &[f32], width: usize, (y0, y1): (f32, f32), (x0, x1): (f32, f32)) -> f32 {
    let height = ink.len() / width;
    let (mut sum, mut area) = (0.0, 0.0);
    for y in y0 as usize..(y1.ceil() as usize).min(height) {
        let part_y = (y1.min(y as f32 + 1.0) - y0.max(y as f32)).max(0.0);
        for x in x0 as usize..(x1.ceil() as usize).min(width) {
            let part = part_y * (x1.min(x as f32 + 1.0) - x0.max(x as f32)).max(0.0);
            sum += part * ink[y * width + x];
            area += part;
        }
    }
    if area > 0.0 { sum / area } else { 0.0 }
}

/// Centre of mass, in pixels from the upper left edge.
fn mass(values: &[f32], width: usize) -> (f32, f32) {
    let (mut all, mut my, mut mx) = (0.0, 0.0, 0.0);
    for (i, v) in values.iter().enumerate() {
        all += v;
        my += v * ((i / width) as f32 + 0.5);
        mx += v * ((i % width) as f32 + 0.5);
    }
    if all > 0.0 {
        (my / all, mx / all)
    } else {
        (0.0, 0.0)
    }
}
