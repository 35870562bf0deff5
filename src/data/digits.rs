//! The 8×8 digits enlarged to look like MNIST's.

/// Catmull–Rom weight at distance `t` (source pixels).
fn cubic(t: f32) -> f32 {
    let t = t.abs();
    if t < 1.0 {
        (1.5 * t - 2.5) * t * t + 1.0
    } else if t < 2.0 {
        ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    } else {
        0.0
    }
}

/// `small[8,8]`, values 0…16 → `[20,20]`, values 0…255: bicubic, with background outside.
pub fn enlarge(small: &[u8; 64]) -> [u8; 400] {
    // The centre of target pixel i lies at (i + ½)·8/20 − ½ of the source.
    let weight = |i: usize, k: usize| cubic((i as f32 + 0.5) * 0.4 - 0.5 - k as f32);
    let mut wide = [0f32; 8 * 20];
    for y in 0..8 {
        for x in 0..20 {
            let row = (0..8).map(|k| weight(x, k) * f32::from(small[y * 8 + k]));
            wide[y * 20 + x] = row.sum();
        }
    }
    let mut out = [0; 400];
    for y in 0..20 {
        for x in 0..20 {
            let v: f32 = (0..8).map(|k| weight(y, k) * wide[k * 20 + x]).sum();
            out[y * 20 + x] = (v * (255.0 / 16.0) + 0.5).clamp(0.0, 255.0) as u8;
        }
    }
    out
}

/// Places `box20[20,20]` in a field `[28,28]` so that its centre of mass comes to pixel
/// (14, 14), as near as whole pixels and the field's edge allow. This is how MNIST was made;
/// the mean centre of its images is (14.0, 14.0), counting pixels from 0.
pub fn place(box20: &[u8; 400]) -> [u8; 784] {
    let (mut mass, mut my, mut mx) = (0u32, 0u32, 0u32);
    for (i, v) in box20.iter().enumerate() {
        mass += u32::from(*v);
        my += u32::from(*v) * (i / 20) as u32;
        mx += u32::from(*v) * (i % 20) as u32;
    }
    let offset = |moment: u32| match mass {
        0 => 4,
        _ => 14usize.saturating_sub(((moment * 2 + mass) / (2 * mass)) as usize),
    };
    let (dy, dx) = (offset(my).min(8), offset(mx).min(8));
    let mut out = [0; 784];
    for y in 0..20 {
        let at = (y + dy) * 28 + dx;
        out[at..at + 20].copy_from_slice(&box20[y * 20..y * 20 + 20]);
    }
    out
}
