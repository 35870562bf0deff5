//! What several test files need.
#![allow(dead_code, reason = "each test file uses a part")]
#[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
pub mod device;

use nabla::data::{self, Dataset, Target, Values};
use nabla::spec::{Spec, presets};
use std::rc::Rc;

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
        text: None,
        gaps: Default::default(),
    }
}

/// A preset, by its id.
pub fn preset(id: &str) -> Spec {
    presets::find(id).unwrap_or_else(|| panic!("no preset {id}"))
}

/// The data of a spec, from what ships with the page.
pub fn load(spec: &Spec) -> Rc<Dataset> {
    let bytes = data::needs(&spec.data).map(|which| {
        let file = data::bundled::file_name(which);
        std::fs::read(format!("{}/www/data/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    });
    Rc::new(data::load(&spec.data, spec.seed, bytes.as_deref(), &[]).unwrap())
}
