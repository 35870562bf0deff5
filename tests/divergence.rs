//! A run that leaves the finite numbers stops and says where it did first.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::spec::{LayerKind, Spec};
use nabla::train::protocol::{DivergedIn, Divergence, Role};
use nabla::train::{Session, weights};

type Run = Session<CpuBackend>;

fn open(spec: Spec) -> Run {
    let data = load(&spec);
    block_on(Run::new(spec, data, None)).unwrap()
}

/// Trains until it diverges, with a snapshot every `every` steps; what is said of it.
fn diverged(run: &mut Run, every: u32) -> Divergence {
    for _ in 0..10_000 {
        let from = block_on(run.snapshot(usize::MAX)).unwrap();
        let mut left = every;
        while left > 0 {
            let chunk = block_on(run.steps(left)).unwrap();
            left -= chunk.steps;
            if let Some(bad) = chunk.diverged {
                return block_on(run.diagnose(bad, from.as_ref())).unwrap();
            }
        }
    }
    panic!("it never diverges");
}

/// The run from its initial weights, but for one layer's, which are all `value`.
fn with_weights(spec: Spec, layer: &str, value: f32) -> Run {
    let mut plain = open(spec.clone());
    let mut all = Vec::new();
    for t in plain
        .tensors()
        .into_iter()
        .filter(|t| t.role == Role::Param)
    {
        let (shape, mut values) = block_on(plain.tensor(&t.name)).unwrap();
        if t.name == format!("{layer}.weight") {
            values.fill(value);
        }
        all.push((t.name, shape, values));
    }
    let list: Vec<(&str, &[usize], &[f32])> = all
        .iter()
        .map(|(n, s, v)| (n.as_str(), &s[..], &v[..]))
        .collect();
    let file = weights::write(spec.framework, &list).unwrap();
    let data = load(&spec);
    block_on(Run::new(spec, data, Some(&file))).unwrap()
}

/// digits-mlp is fc1, relu, fc2, …: weights that are too large are seen in the outputs of their very layer.
#[test]
fn outputs_name_their_layer_at_the_first_step() {
    let ids: Vec<String> = preset("digits-mlp")
        .layers
        .into_iter()
        .filter(|l| matches!(l.kind, LayerKind::Linear { .. }))
        .map(|l| l.id)
        .collect();
    assert!(ids.len() > 1);
    for id in &ids {
        let mut run = with_weights(preset("digits-mlp"), id, 3e38);
        let found = diverged(&mut run, 10);
        let want = Divergence {
            step: 0,
            layer: Some(id.clone()),
            part: DivergedIn::Outputs,
        };
        assert_eq!(found, want);
    }
}

/// A rate far too large: the update overflows the weights, or what they give, within a few steps.
#[test]
fn a_rate_far_too_large_names_the_only_layer() {
    let mut spec = preset("linreg-3x2");
    spec.train.optimizer.set_learning_rate(1000.0);
    let found = diverged(&mut open(spec), 64);
    assert_eq!(found.layer.as_deref(), Some("linear"));
    assert!(found.step < 10, "{found:?}");
}

/// However far back the snapshot lies, the same step and layer are found, and the run is left as it was.
#[test]
fn the_snapshot_changes_nothing() {
    let spec = || {
        let mut spec = preset("digits-mlp");
        spec.train.optimizer = nabla::spec::Optimizer::Sgd {
            learning_rate: 30.0,
            momentum: 0.95,
            nesterov: false,
            weight_decay: 0.0,
        };
        spec.train.clip = nabla::spec::Clip::None;
        spec.train.loss = nabla::spec::Loss::CrossEntropy { from_logits: true };
        spec.train.l2 = 0.02;
        spec
    };
    let (mut a, mut b) = (open(spec()), open(spec()));
    let (near, far) = (diverged(&mut a, 1), diverged(&mut b, 1000));
    assert_eq!(near, far);
    assert!(near.layer.is_some() && near.step > 1, "{near:?}");
    // The one that looked back over many steps stands behind the step that went wrong, as training left it.
    assert!(b.step() > far.step);
    let first = a.spec().layers[0].id.clone() + ".weight";
    let values = block_on(b.tensor(&first)).unwrap().1;
    assert_eq!(values.len(), block_on(a.tensor(&first)).unwrap().1.len());
}

/// A loss that is finite but a million times the first stops the run.
#[test]
fn an_explosion_is_a_divergence() {
    let mut spec = preset("linreg-3x2");
    spec.train.optimizer.set_learning_rate(1.5);
    let mut run = open(spec);
    let mut last = 0.0;
    let found = loop {
        let from = block_on(run.snapshot(usize::MAX)).unwrap();
        let chunk = block_on(run.steps(1)).unwrap();
        last = chunk.rows[0].max(last);
        if let Some(bad) = chunk.diverged {
            break block_on(run.diagnose(bad, from.as_ref())).unwrap();
        }
    };
    assert!(last.is_finite() && last > 1e6, "{last}");
    assert_eq!(found.layer.as_deref(), Some("linear"));
    assert_eq!(found.part, DivergedIn::Outputs);
}

#[test]
fn without_a_snapshot_the_step_is_known() {
    let mut run = with_weights(preset("digits-mlp"), "fc1", 3e38);
    assert_eq!(block_on(run.snapshot(10)).unwrap(), None);
    let bad = block_on(run.steps(5)).unwrap().diverged.unwrap();
    let found = block_on(run.diagnose(bad, None)).unwrap();
    assert_eq!((found.step, found.layer), (0, None));
}

#[test]
fn a_run_that_is_well_does_not_diverge() {
    for id in ["digits-mlp", "perceptron", "linreg-sklearn", "vae"] {
        let mut run = open(preset(id));
        for _ in 0..4 {
            assert_eq!(block_on(run.steps(10)).unwrap().diverged, None, "{id}");
        }
    }
}
