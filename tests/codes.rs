//! An autoencoder's halves by themselves: together they are the whole network.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::graph::{Segment, cut};
use nabla::spec::Spec;
use nabla::train::Session;
use nabla::train::protocol::Part;

type Run = Session<CpuBackend>;

fn open(spec: Spec, steps: u32) -> Run {
    let data = load(&spec);
    let mut run: Run = block_on(Session::new(spec, data, None)).unwrap();
    let mut left = steps;
    while left > 0 {
        left -= block_on(run.steps(left)).unwrap().steps;
    }
    run
}

/// Outputs for the first samples, and what the decoder makes of their codes.
fn both(run: &mut Run, layer: Option<&str>, count: usize) -> (String, Vec<f32>, Vec<f32>) {
    let (info, x, _, _) = run.samples(Part::Test, 0, count);
    let mut shape = vec![info.count];
    shape.extend(&info.shape);
    let (_, whole) = block_on(run.predict(&x, &shape, false)).unwrap();
    let coded = block_on(run.codes(Part::Test, layer, count)).unwrap();
    let width: usize = coded.info.shape.iter().product();
    assert_eq!(coded.values.len(), info.count * width);
    let (_, decoded) = block_on(run.decode(&coded.info.layer, &coded.values)).unwrap();
    (coded.info.layer, whole, decoded)
}

fn same(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        assert!(
            (a - b).abs() <= 1e-5 * b.abs().max(1.0),
            "{what}: {a} and {b}"
        );
    }
}

#[test]
fn the_decoder_makes_of_a_code_what_the_network_makes_of_its_sample() {
    // More samples than one run of a half takes.
    for (id, code) in [("autoencoder", "relu2"), ("vae", "code")] {
        let mut run = open(preset(id), 3);
        let (layer, whole, decoded) = both(&mut run, None, 70);
        assert_eq!(layer, code, "{id}");
        same(&decoded, &whole, id);
    }
}

#[test]
fn any_layer_that_cuts_the_network_in_two_can_be_the_code() {
    for id in ["autoencoder", "vae", "digits-cnn", "lstm"] {
        let spec = preset(id);
        let names: Vec<String> = spec.layers.iter().map(|l| l.id.clone()).collect();
        let mut run = open(spec.clone(), 1);
        for (i, name) in names.iter().enumerate() {
            let able = cut(&spec, Segment::After(i)).is_some();
            let (layer, whole, decoded) = both(&mut run, Some(name), 2);
            assert_eq!(layer == *name, able, "{id} {name}");
            same(&decoded, &whole, name);
        }
    }
}

#[test]
fn a_skip_connection_is_not_cut() {
    let spec = preset("vae");
    let at = |id: &str| spec.layers.iter().position(|l| l.id == id).unwrap();
    // The sampling reads both the mean and the logarithm of the variance.
    assert!(cut(&spec, Segment::After(at("mean"))).is_none());
    assert!(cut(&spec, Segment::After(at("logvar"))).is_none());
    assert!(cut(&spec, Segment::After(at("code"))).is_some());
    assert!(cut(&spec, Segment::After(at("relu1"))).is_some());
    assert!(cut(&spec, Segment::After(spec.layers.len() - 1)).is_none());
    assert!(cut(&spec, Segment::After(99)).is_none());
}

#[test]
fn codes_follow_the_training_and_leave_it_alone() {
    let mut run = open(preset("vae"), 2);
    let before = block_on(run.codes(Part::Train, None, 8)).unwrap();
    assert_eq!((before.values.len(), before.labels.len()), (16, 8));
    assert_eq!(
        before.places, before.values,
        "two numbers are their own plane"
    );
    let mut other = open(preset("vae"), 2);
    for r in [&mut run, &mut other] {
        block_on(r.steps(1)).unwrap();
    }
    let after = block_on(run.codes(Part::Train, None, 8)).unwrap();
    assert_ne!(before.values, after.values);
    let (name, shape) = ("decoder.weight", vec![128, 2]);
    assert_eq!(
        block_on(run.tensor(name)).unwrap(),
        block_on(other.tensor(name)).unwrap()
    );
    assert_eq!(block_on(run.tensor(name)).unwrap().0, shape);
}

#[test]
fn a_code_of_the_wrong_width_is_refused() {
    let mut run = open(preset("vae"), 0);
    for codes in [&[][..], &[1.0][..], &[1.0, 2.0, 3.0][..]] {
        let failure = block_on(run.decode("code", codes)).unwrap_err();
        assert_eq!(failure.code, "bad-data", "{codes:?}");
    }
}

#[test]
fn a_wide_code_is_shown_where_it_differs_most() {
    let mut run = open(preset("autoencoder"), 3);
    let coded = block_on(run.codes(Part::Train, Some("code"), 50)).unwrap();
    let width = 32;
    assert_eq!(
        (coded.info.layer.as_str(), coded.info.drawn),
        ("code", false)
    );
    assert_eq!(coded.info.classes.len(), 10);
    let share = coded.info.share.unwrap();
    assert!(0.0 < share && share <= 1.0, "{share}");
    // The plane's points are the codes' nearest: what is left over stands at right angles to it.
    let (mean, axes) = coded.basis.split_at(width);
    let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    for (code, place) in coded.values.chunks(width).zip(coded.places.chunks(2)) {
        let rest: Vec<f32> = (0..width)
            .map(|i| code[i] - mean[i] - place[0] * axes[i] - place[1] * axes[width + i])
            .collect();
        for axis in axes.chunks(width) {
            assert!(dot(&rest, axis).abs() < 1e-4);
            assert!((dot(axis, axis) - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn codes_are_drawn_by_seed_from_where_codes_lie() {
    for (id, layer) in [("vae", "code"), ("autoencoder", "relu2")] {
        let mut run = open(preset(id), 3);
        let mut dream = |seed| block_on(run.dreams(layer, 6, seed)).unwrap();
        let (shape, first) = dream(1);
        assert_eq!((shape, first.len()), (vec![6, 784], 6 * 784), "{id}");
        assert_eq!(first, dream(1).1, "{id}");
        assert_ne!(first, dream(2).1, "{id}");
        // The last layer is a sigmoid.
        assert!(first.iter().all(|v| (0.0..=1.0).contains(v)), "{id}");
    }
}
