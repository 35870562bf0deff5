//! Lines of equal value on a grid.

/// From a point to a point, in grid units.
pub type Segment = [(f32, f32); 2];

/// Marching squares over `values[height, width]`, with the crossing of each edge found by
/// linear interpolation. A saddle is decided by the mean of its four corners.
pub fn contour(values: &[f32], width: usize, height: usize, level: f32) -> Vec<Segment> {
    let mut out = Vec::new();
    if width < 2 || height < 2 || values.len() < width * height {
        return out;
    }
    for y in 0..height - 1 {
        for x in 0..width - 1 {
            let i = y * width + x;
            // Clockwise from the top left.
            let v = [
                values[i] - level,
                values[i + 1] - level,
                values[i + width + 1] - level,
                values[i + width] - level,
            ];
            if v.iter().all(|v| v.is_finite()) {
                cell(v, x as f32, y as f32, &mut out);
            }
        }
    }
    out
}

fn cell(v: [f32; 4], x: f32, y: f32, out: &mut Vec<Segment>) {
    let corner = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
    let above = v.map(|v| v >= 0.0);
    let mut crossings = Vec::with_capacity(4);
    for a in 0..4 {
        let b = (a + 1) % 4;
        if above[a] != above[b] {
            let t = v[a] / (v[a] - v[b]);
            let (p, q) = (corner[a], corner[b]);
            crossings.push((x + p.0 + (q.0 - p.0) * t, y + p.1 + (q.1 - p.1) * t));
        }
    }
    match crossings[..] {
        [p, q] => out.push([p, q]),
        [top, right, bottom, left] => {
            let centre = v.iter().sum::<f32>() >= 0.0;
            if centre == above[0] {
                out.extend([[top, right], [bottom, left]]);
            } else {
                out.extend([[top, left], [right, bottom]]);
            }
        }
        _ => {}
    }
}
