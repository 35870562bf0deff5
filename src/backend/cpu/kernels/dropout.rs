//! Dropout, its random words drawn four blocks at a time.
use super::simd::F32x4;

/// Philox4x32-10 (`data::rng::philox`) of the counters `[block + lane, step, 0, 0]`: word w of lane
/// l's block is lane l of the w-th result.
#[inline(always)]
fn philox<V: F32x4>(block: u32, step: u32, key: [u32; 2]) -> [V; 4] {
    let splat = |v: u32| V::splat_i32(v as i32);
    let lanes = std::array::from_fn(|i| f32::from_bits(i as u32));
    let (mut a, mut b) = (splat(block).add_i32(V::from_array(lanes)), splat(step));
    let (mut c, mut d) = (V::zero(), V::zero());
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        let (p_high, p_low) = a.wide_mul_u32(splat(0xD251_1F53));
        let (q_high, q_low) = c.wide_mul_u32(splat(0xCD9E_8D57));
        a = q_high.xor(b).xor(splat(k0));
        c = p_high.xor(d).xor(splat(k1));
        b = q_low;
        d = p_low;
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    [a, b, c, d]
}

/// y = x·scale where the upper 24 bits of the element's word are at least `threshold` (at most 2²⁴),
/// else 0. Element e has word e mod 4 of block e/4 at this step; `first`, a multiple of 4, is the
/// number of x's first element.
pub fn dropout<V: F32x4>(
    threshold: u32,
    scale: f32,
    key: [u32; 2],
    step: u32,
    first: usize,
    x: &[f32],
    y: &mut [f32],
) {
    assert!(x.len() == y.len() && first.is_multiple_of(4));
    // 24 bits are exact in f32.
    let (threshold, scale) = (V::splat(threshold as f32), V::splat(scale));
    let mask = V::splat_i32(0x00ff_ffff);
    for (i, (y, x)) in y.chunks_mut(16).zip(x.chunks(16)).enumerate() {
        let words = philox::<V>((first / 4 + 4 * i) as u32, step, key);
        // Rows of the transpose are the blocks.
        let words = V::transpose(words).map(|w| w.shr_i32::<8>().and(mask));
        for ((y, x), w) in y.chunks_mut(4).zip(x.chunks(4)).zip(words) {
            let keep = w.i32_to_f32().ge(threshold);
            if x.len() == 4 {
                V::load(x).mul(scale).and(keep).store(y);
            } else {
                V::load_part(x, 0.0).mul(scale).and(keep).store_part(y);
            }
        }
    }
}
