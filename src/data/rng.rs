//! The seeded generator: Philox4x32-10, a counter-based generator that a GPU can compute
//! identically, for it has no state but the position.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11.

/// Purposes of random numbers: each draws from a stream of its own, so that one more number
/// for one purpose moves none of another. The low 8 bits of a key's second word hold the
/// stream; the other 24 are free for a sub-stream: `INIT ^ (layer << 8)`.
pub const INIT: u32 = 1;
/// Which samples are held out.
pub const SPLIT: u32 = 2;
/// Order of the training samples in an epoch.
pub const SHUFFLE: u32 = 3;
pub const DROPOUT: u32 = 4;
/// Positions and order of generated samples.
pub const DATA: u32 = 5;
/// Noise of generated samples.
pub const NOISE: u32 = 6;
/// Directions in which a loss surface is looked at.
pub const LANDSCAPE: u32 = 8;
/// Codes that a network draws while it trains.
pub const CODE: u32 = 7;

/// Philox4x32-10: four words that look random, a pure function of counter and key.
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        let p = u64::from(a) * 0xD251_1F53;
        let q = u64::from(c) * 0xCD9E_8D57;
        a = (q >> 32) as u32 ^ b ^ k0;
        c = (p >> 32) as u32 ^ d ^ k1;
        b = q as u32;
        d = p as u32;
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    [a, b, c, d]
}

/// The key of a layer's dropout, see [`dropout_word`].
pub fn dropout_key(seed: u32, layer: u32) -> [u32; 2] {
    [seed, DROPOUT ^ (layer << 8)]
}

/// The word that decides whether dropout keeps element `element` (row-major index in the
/// layer's whole output, batch included) at optimiser step `step`:
/// `philox([element / 4, step, 0, 0], [seed, DROPOUT ^ (layer << 8)])[element % 4]`,
/// where `layer` is the layer's index, below 2²⁴. An element is dropped when
/// `(word >> 8)·2⁻²⁴ < rate`.
pub fn dropout_word(seed: u32, layer: u32, step: u32, element: u32) -> u32 {
    philox([element / 4, step, 0, 0], dropout_key(seed, layer))[(element % 4) as usize]
}

/// Two standard normals (Box–Muller in f64) for elements 2·block and 2·block + 1 of a layer's
/// output at optimiser step `step`: words 0 and 1 of
/// `philox([block, step, 0, 0], [seed, CODE ^ (layer << 8)])`.
pub fn normal_pair(seed: u32, layer: u32, step: u32, block: u32) -> [f32; 2] {
    let words = philox([block, step, 0, 0], [seed, CODE ^ (layer << 8)]);
    box_muller(words[0], words[1])
}

fn box_muller(u: u32, v: u32) -> [f32; 2] {
    // `libm`, because std's ln, sin and cos differ between wasm and native.
    const UNIT: f64 = 1.0 / 4_294_967_296.0;
    let r = libm::sqrt(-2.0 * libm::log((f64::from(u) + 1.0) * UNIT));
    let angle = std::f64::consts::TAU * (f64::from(v) * UNIT);
    [(r * libm::cos(angle)) as f32, (r * libm::sin(angle)) as f32]
}

/// Reads one stream word after word: block `i` is
/// `philox([i mod 2³², i div 2³², index, 0], [seed, stream])`.
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u32; 2],
    index: u32,
    block: u64,
    words: [u32; 4],
    used: usize,
    spare: Option<f32>,
}

impl Rng {
    /// `stream`: one of this module's constants, perhaps with a sub-stream above bit 8.
    pub fn new(seed: u32, stream: u32) -> Rng {
        Rng::at(seed, stream, 0)
    }

    /// One of 2³² further independent sequences of the same stream, such as one per epoch.
    pub fn at(seed: u32, stream: u32, index: u32) -> Rng {
        Rng {
            key: [seed, stream],
            index,
            block: 0,
            words: [0; 4],
            used: 4,
            spare: None,
        }
    }

    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            let counter = [self.block as u32, (self.block >> 32) as u32, self.index, 0];
            self.words = philox(counter, self.key);
            self.block = self.block.wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// In [0, 1), a multiple of 2⁻²⁴.
    pub fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Between `lo` and `hi`; rounding may give `hi` itself.
    pub fn range(&mut self, lo: f32, hi: f32) -> f32 {
        lo + (hi - lo) * self.uniform()
    }

    /// In `0..n`, each equally likely; 0 when `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        // Lemire, "Fast Random Integer Generation in an Interval", 2019.
        if n == 0 {
            return 0;
        }
        let reject = n.wrapping_neg() % n;
        loop {
            let m = u64::from(self.next_u32()) * u64::from(n);
            if m as u32 >= reject {
                return (m >> 32) as u32;
            }
        }
    }

    /// Standard normal, |z| < 6.7 (Box–Muller in f64).
    pub fn normal(&mut self) -> f32 {
        if let Some(z) = self.spare.take() {
            return z;
        }
        let (u, v) = (self.next_u32(), self.next_u32());
        let [z, spare] = box_muller(u, v);
        self.spare = Some(spare);
        z
    }

    /// Standard normal, drawn again until |z| ≤ 2.
    pub fn truncated_normal(&mut self) -> f32 {
        loop {
            let z = self.normal();
            if z.abs() <= 2.0 {
                return z;
            }
        }
    }

    /// Fisher–Yates, for fewer than 2³² items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below((i + 1) as u32) as usize;
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random123's `kat_vectors`, lines `philox4x32 10`.
    #[test]
    fn known_answers() {
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_are_blocks_of_philox() {
        let mut rng = Rng::at(7, SHUFFLE, 3);
        let first: Vec<u32> = (0..8).map(|_| rng.next_u32()).collect();
        assert_eq!(first[..4], philox([0, 0, 3, 0], [7, SHUFFLE]));
        assert_eq!(first[4..], philox([1, 0, 3, 0], [7, SHUFFLE]));
        assert_eq!(
            dropout_word(9, 2, 5, 6),
            philox([1, 5, 0, 0], [9, DROPOUT ^ 0x200])[2]
        );
    }

    #[test]
    fn moments() {
        let mut rng = Rng::new(1, DATA);
        let n = 100_000;
        let stat = |f: &mut dyn FnMut() -> f32| {
            let v: Vec<f64> = (0..n).map(|_| f64::from(f())).collect();
            let mean = v.iter().sum::<f64>() / n as f64;
            let var = v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            (mean, var)
        };
        let (m, v) = stat(&mut || rng.uniform());
        assert!((m - 0.5).abs() < 0.005 && (v - 1.0 / 12.0).abs() < 0.002);
        let (m, v) = stat(&mut || rng.normal());
        assert!(m.abs() < 0.015 && (v - 1.0).abs() < 0.02);
        // Variance of a standard normal cut at ±2.
        let (m, v) = stat(&mut || rng.truncated_normal());
        assert!(m.abs() < 0.015 && (v - 0.7737).abs() < 0.015);
    }

    #[test]
    fn the_normal_keeps_its_bits() {
        let mut rng = Rng::new(42, INIT);
        let bits: Vec<u32> = (0..4).map(|_| rng.normal().to_bits()).collect();
        assert_eq!(bits, NORMAL_BITS);
    }
    /// Recorded from this implementation; the same on wasm and native.
    const NORMAL_BITS: [u32; 4] = [0x3F40_9561, 0xBF36_1EFA, 0xBF56_3DD6, 0x3FAE_0764];

    #[test]
    fn below_is_even_and_shuffle_permutes() {
        let mut rng = Rng::new(3, DATA);
        let mut count = [0usize; 6];
        for _ in 0..60_000 {
            count[rng.below(6) as usize] += 1;
        }
        assert!(count.iter().all(|c| c.abs_diff(10_000) < 400), "{count:?}");
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
        let mut v: Vec<u32> = (0..100).collect();
        rng.shuffle(&mut v);
        assert_ne!(v, (0..100).collect::<Vec<_>>());
        v.sort();
        assert_eq!(v, (0..100).collect::<Vec<_>>());
    }
}
