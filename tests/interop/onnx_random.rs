//! Random networks as ONNX and back without what this page notes in its files: the graph alone becomes a network
//! that computes the same. What `docs/onnx.md` says has no counterpart is never written here.
use super::common::{block_on, load};
use super::onnx::{export, far, samples, trained, without_spec};
use super::random_specs::Rng;
use super::random_whole::random;
use nabla::backend::cpu::CpuBackend;
use nabla::graph;
use nabla::interop::onnx::read;
use nabla::spec::*;
use nabla::train::Session;

/// Specs that each framework is tried with.
const SPECS: usize = 120;

/// Samples on which predictions are compared: those of the data, and others near them.
const ROWS: usize = 6;

/// Raw inputs, `[rows, …]`: rows of the data, every other one with its numbers changed; words are
/// drawn anew.
fn inputs(spec: &Spec, r: &mut Rng) -> (Vec<usize>, Vec<f32>) {
    let rows = load(spec).train.len().min(ROWS);
    let (shape, mut x) = samples(spec, rows);
    let n: usize = shape[1..].iter().product();
    let words = spec.layers.iter().find_map(|l| match l.kind {
        LayerKind::Embedding { vocab, .. } => Some(vocab),
        _ => None,
    });
    for row in x.chunks_exact_mut(n).skip(1).step_by(2) {
        for v in row {
            match words {
                Some(vocab) => *v = r.below(vocab) as f32,
                None => *v = *v * (r.below(1000) as f32 / 500.0) + r.below(100) as f32 / 100.0,
            }
        }
    }
    (shape, x)
}

/// There and back: what is wrong with it, if anything.
fn there_and_back(spec: &Spec, r: &mut Rng) -> Result<(), String> {
    let mut session = trained(spec, 1);
    let file = without_spec(export(&mut session));
    let import = read::read(&file, Some(spec)).map_err(|note| note.text("en"))?;
    if import.spec.data.source != spec.data.source {
        return Err("the data at hand do not fit it".to_string());
    }
    let (shape, x) = inputs(spec, r);
    let (_, want) = block_on(session.predict(&x, &shape, false)).unwrap();
    let data = load(&import.spec);
    let again = Session::new(import.spec.clone(), data.clone(), Some(&import.weights));
    let mut again: Session<CpuBackend> = block_on(again).map_err(|e| format!("{e:?}"))?;
    let seen = [&shape[..1], &data.shape].concat();
    let (_, got) = block_on(again.predict(&x, &seen, false)).unwrap();
    if got.len() != want.len() {
        return Err(format!("{} numbers, not {}", got.len(), want.len()));
    }
    // NaN is far, too.
    let far = far(&got, &want);
    if far.partial_cmp(&1e-5) != Some(std::cmp::Ordering::Less) {
        return Err(format!(
            "predictions differ by {far}: {:#?}",
            import.spec.layers
        ));
    }
    // Without a network at hand it is read as well, whatever data it gets.
    read::read(&file, None).map_err(|note| note.text("en"))?;
    Ok(())
}

#[test]
fn random_networks_without_their_specs() {
    let mut wrong = Vec::new();
    for framework in [Framework::Pytorch, Framework::Keras] {
        let mut r = Rng(11);
        let (mut tried, mut case) = (0, 0);
        while tried < SPECS {
            case += 1;
            let mut spec = Spec::from_json(&random(&mut r, framework).to_string()).unwrap();
            // Quick ones: it is not the training that is looked at.
            spec.train.batch_size = Some(4);
            if !graph::check(&spec, None).ok {
                continue;
            }
            tried += 1;
            if let Err(what) = there_and_back(&spec, &mut Rng(case)) {
                wrong.push(format!("{framework:?} case {case}: {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
