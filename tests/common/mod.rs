//! What several test files need.
#![allow(dead_code, reason = "each test file uses a part")]
use nabla::data::{Dataset, Target, Values};

/// Runs a future that never waits, as all of the CPU backend's are.
pub fn block_on<F: Future>(f: F) -> F::Output {
    let mut f = std::pin::pin!(f);
    let waker = std::task::Waker::noop();
    match f.as_mut().poll(&mut std::task::Context::from_waker(waker)) {
        std::task::Poll::Ready(v) => v,
        std::task::Poll::Pending => panic!("the CPU backend waited"),
    }
}

/// The hash by which traces make their weights and data, see `tests/reference/README.md`.
pub fn hash(seed: u32, i: u32) -> u32 {
    let mut x = i.wrapping_add(seed.wrapping_mul(0x9E37_79B9));
    x ^= x >> 16;
    x = x.wrapping_mul(0x85eb_ca6b);
    x ^= x >> 13;
    x = x.wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

/// A data set whose rows are all for training.
pub fn dataset(shape: &[usize], x: Values, y: Vec<f32>, target: Target) -> Dataset {
    let rows = x.len() / shape.iter().product::<usize>();
    Dataset {
        name: "test".into(),
        shape: shape.to_vec(),
        x,
        mul: Vec::new(),
        add: Vec::new(),
        y,
        y_scale: Vec::new(),
        target,
        features: Vec::new(),
        image: None,
        train: (0..rows as u32).collect(),
        validation: Vec::new(),
        test: Vec::new(),
    }
}
