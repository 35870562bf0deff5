//! Scripts from specs: what is written for every preset. `NABLA_BLESS=1` writes the snapshots anew.
#![cfg(not(target_arch = "wasm32"))]
#[path = "interop/arguments.rs"]
mod arguments;
mod common;
#[path = "interop/hostile.rs"]
mod hostile;
#[path = "interop/import.rs"]
mod import;
#[path = "interop/onnx.rs"]
mod onnx;
#[path = "interop/onnx_random.rs"]
mod onnx_random;
#[path = "interop/random.rs"]
mod random;
#[path = "interop/random_specs.rs"]
mod random_specs;
#[path = "interop/random_whole.rs"]
mod random_whole;
#[path = "interop/snippets.rs"]
mod snippets;

use common::{block_on, load};
use nabla::backend::cpu::CpuBackend;
use nabla::data::rng::normal_pair;
use nabla::interop::write;
use nabla::spec::{Framework, LayerKind, Optimizer, Spec, presets};
use nabla::train::{Session, weights};
use std::path::PathBuf;

fn kind(framework: Framework) -> &'static str {
    match framework {
        Framework::Pytorch => "pytorch",
        Framework::Keras => "keras",
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// The script of a spec; None for what has no training loop, or no counterpart in the other framework.
fn script(spec: &Spec, framework: Framework) -> Option<write::Script> {
    match write::script(spec, framework) {
        Ok(script) => Some(script),
        Err(e) => {
            let closed = matches!(spec.train.optimizer, Optimizer::ClosedForm);
            assert!(
                (closed || framework != spec.framework) && e.0[0].code == "code-unsupported",
                "{}: {e}",
                spec.name
            );
            None
        }
    }
}

#[test]
fn scripts_of_presets() {
    let bless = std::env::var_os("NABLA_BLESS").is_some();
    let mut differ = Vec::new();
    for preset in presets::PRESETS {
        let spec = preset.spec();
        for framework in [Framework::Pytorch, Framework::Keras] {
            let Some(script) = script(&spec, framework) else {
                continue;
            };
            let kind = kind(framework);
            let path = folder().join(format!("{}.{kind}.py", preset.id));
            if bless {
                std::fs::write(&path, &script.text).unwrap();
            } else if std::fs::read_to_string(&path).unwrap_or_default() != script.text {
                differ.push(format!("{} {kind}", preset.id));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "scripts changed: {differ:?}; NABLA_BLESS=1 writes them anew"
    );
}

/// What the page shows beside a script: the same text in pieces, lines that load weights saved here.
#[test]
fn what_goes_with_scripts() {
    for preset in presets::PRESETS {
        let spec = preset.spec();
        for framework in [Framework::Pytorch, Framework::Keras] {
            let Some(script) = script(&spec, framework) else {
                continue;
            };
            let painted = write::paint::paint(&script.text);
            let lines: Vec<String> = painted
                .iter()
                .map(|line| line.iter().map(|(_, text)| *text).collect())
                .collect();
            let text: Vec<&str> = script.text.lines().collect();
            assert_eq!(lines, text, "{}", preset.id);
            for (line, layer) in &script.marks {
                assert!(spec.layers.iter().any(|l| l.id == *layer), "{layer}");
                assert!(!text[line - 1].is_empty(), "{} line {line}", preset.id);
            }
            assert_eq!(script.loader.is_some(), framework == spec.framework);
            for note in &script.notes {
                for language in ["en", "zh-CN"] {
                    let said = note.text(language);
                    assert!(said != note.code && !said.contains("{ $"), "{said}");
                }
            }
        }
    }
    let mut spec = presets::find("digits-mlp").unwrap();
    spec.layers[0].id = "my-layer".into();
    let script = write::script(&spec, Framework::Pytorch).unwrap();
    assert!(
        script
            .loader
            .unwrap()
            .contains("{\"my-layer\": \"my_layer\"}")
    );
}

/// Steps of which losses are compared.
const STEPS: usize = 20;

/// A preset as it is compared with the frameworks: without dropout, whose masks are each their own.
fn quiet(preset: &presets::Preset) -> Spec {
    let mut spec = preset.spec();
    for layer in &mut spec.layers {
        if let LayerKind::Dropout { rate } = &mut layer.kind {
            *rate = 0.0;
        }
    }
    spec
}

/// Losses of the first steps of a preset, and the rows that each step took.
fn run(spec: &Spec) -> (Session<CpuBackend>, Vec<f32>, Vec<Vec<u32>>, Vec<u8>) {
    let data = load(spec);
    let mut session: Session<CpuBackend> =
        block_on(Session::new(spec.clone(), data, None)).unwrap();
    let weights = block_on(session.weights()).unwrap();
    let (mut losses, mut rows) = (Vec::new(), Vec::new());
    for _ in 0..STEPS {
        let (report, _) = block_on(session.step_report()).unwrap();
        losses.push(report.loss);
        rows.push(report.batch);
    }
    (session, losses, rows, weights)
}

/// The noise of a variational code at a step: ε of each element, one after the other.
fn noise(spec: &Spec, step: usize, n: usize) -> Option<Vec<f32>> {
    let layer = spec
        .layers
        .iter()
        .position(|l| matches!(l.kind, LayerKind::Sampling { .. }))?;
    let pair = |k: usize| normal_pair(spec.seed, layer as u32, step as u32, k as u32);
    Some((0..n).map(|e| pair(e / 2)[e % 2]).collect())
}

/// The weights under the other framework's names, where its optimizer is the same and layers have only a
/// weight and a bias.
fn translated(session: &Session<CpuBackend>, to: Framework, file: &[u8]) -> Option<Vec<u8>> {
    let params: Vec<(String, Vec<usize>)> = session
        .plan()
        .params()
        .map(|(_, slot)| (slot.name.clone(), slot.shape.clone()))
        .collect();
    let simple = |n: &str| n.ends_with(".weight") || n.ends_with(".bias");
    // Other optimizers place their epsilon differently; Keras' Adam has a larger one than PyTorch's would be,
    // but both are far below its gradients.
    let optimizer = &session.spec().train.optimizer;
    let keras = session.spec().framework == Framework::Keras;
    let same = match optimizer {
        Optimizer::Sgd { .. } => true,
        Optimizer::Adam { .. } => keras,
        _ => false,
    };
    if !same || !params.iter().all(|(n, _)| simple(n)) {
        return None;
    }
    let wanted: Vec<_> = params.iter().map(|(n, s)| (&n[..], &s[..])).collect();
    let values = weights::read(session.spec().framework, file, &wanted).unwrap();
    let all: Vec<_> = wanted
        .iter()
        .zip(&values)
        .map(|((n, s), v)| (*n, *s, &v[..]))
        .collect();
    Some(weights::write(to, &all).unwrap())
}

/// FNV-1a, by which the record knows whether a script is still the one that was run.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// `exported.json` has what the real frameworks gave when they ran these very scripts from
/// these very weights and batches.
#[test]
fn frameworks_agree() {
    let path = "tests/reference/exported.json";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    let record: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut compared = 0;
    for preset in presets::PRESETS {
        let spec = quiet(preset);
        let mut losses = None;
        for framework in [Framework::Pytorch, Framework::Keras] {
            let name = format!("{}.{}", preset.id, kind(framework));
            let Some(script) = script(&spec, framework) else {
                continue;
            };
            let Some(entry) = record["scripts"].get(&name) else {
                assert_ne!(
                    framework, spec.framework,
                    "{name} was never run: see tests/reference"
                );
                continue;
            };
            let known = entry["script"].as_str().unwrap();
            let now = format!("{:016x}", hash(&script.text));
            assert_eq!(
                known, now,
                "{name} changed since it was run: see tests/reference"
            );
            let ours = losses.get_or_insert_with(|| run(&spec).1);
            // Adam divides by gradients that begin near zero in these convolutions: after some steps
            // single precision itself, in either framework, differs from double by as much.
            let steps = if preset.id == "cifar-cnn" {
                4
            } else {
                usize::MAX
            };
            let recorded = entry["losses"].as_array().unwrap();
            for (step, theirs) in recorded.iter().enumerate().take(steps) {
                let (theirs, ours) = (theirs.as_f64().unwrap(), f64::from(ours[step]));
                let far = (ours - theirs).abs() / theirs.abs().max(1e-9);
                assert!(
                    far < 1e-4,
                    "{name}, step {step}: {ours} here, {theirs} there"
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 18 * STEPS, "{compared} losses compared");
}

/// With `NABLA_EXPORT` naming a folder: writes there what `tests/reference/exported.py` runs.
#[test]
fn export_for_reference() {
    let Some(to) = std::env::var_os("NABLA_EXPORT").map(PathBuf::from) else {
        println!("skipped: NABLA_EXPORT names no folder for scripts, weights and batches");
        return;
    };
    std::fs::create_dir_all(&to).unwrap();
    for preset in presets::PRESETS {
        let spec = quiet(preset);
        let wanted = std::env::var("NABLA_ONLY").is_ok_and(|only| only != preset.id);
        if script(&spec, spec.framework).is_none() || wanted {
            continue;
        }
        let (session, losses, rows, file) = run(&spec);
        let data = load(&spec);
        let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = Vec::new();
        for (step, batch) in rows.iter().enumerate() {
            let mut x = vec![0.0; data.features_len() * batch.len()];
            for (row, to) in batch.iter().zip(x.chunks_exact_mut(data.features_len())) {
                data.write_x(*row as usize, to);
            }
            let y: Vec<f32> = batch
                .iter()
                .flat_map(|r| data.target_row(*r as usize))
                .collect();
            let mut shape = vec![batch.len()];
            shape.extend(&data.shape);
            tensors.push((format!("x{step}"), shape, x));
            tensors.push((
                format!("y{step}"),
                vec![batch.len(), y.len() / batch.len()],
                y,
            ));
            if let Some(e) = noise(&spec, step, batch.len() * 2) {
                tensors.push((format!("e{step}"), vec![batch.len(), 2], e));
            }
        }
        let borrowed: Vec<_> = tensors
            .iter()
            .map(|(n, s, v)| (&n[..], &s[..], &v[..]))
            .collect();
        let bytes = weights::write(Framework::Pytorch, &borrowed).unwrap();
        std::fs::write(to.join(format!("{}.batches", preset.id)), bytes).unwrap();
        let losses = serde_json::to_string(&losses).unwrap();
        std::fs::write(to.join(format!("{}.losses", preset.id)), losses).unwrap();
        for framework in [Framework::Pytorch, Framework::Keras] {
            let name = format!("{}.{}", preset.id, kind(framework));
            let Some(script) = script(&spec, framework) else {
                continue;
            };
            std::fs::write(to.join(format!("{name}.py")), &script.text).unwrap();
            if let Some(loader) = &script.loader {
                std::fs::write(to.join(format!("{name}.loader")), loader).unwrap();
            }
            let file = match framework == spec.framework {
                true => Some(file.clone()),
                false => translated(&session, framework, &file),
            };
            if let Some(file) = file {
                std::fs::write(to.join(format!("{name}.safetensors")), file).unwrap();
            }
        }
    }
}

/// A study has the ranges that it was given, and only of what the network has.
#[test]
fn studies_of_presets() {
    use nabla::interop::write::study::Study;
    let spec = presets::find("mnist-mlp").unwrap();
    let given = serde_json::json!({ "trials": 7, "prune": false, "knobs": [
        { "key": "learning_rate", "on": true, "low": 0.001, "high": 0.25 },
        { "key": "units:dense", "on": true, "low": 32, "high": 48 },
        { "key": "optimizer", "on": true, "choices": ["sgd", "adamw"] },
        { "key": "units:gone", "on": true, "low": 1, "high": 2 },
    ]});
    let study = Study::with(&spec, &given).unwrap();
    let keras = write::study_script(&spec, Framework::Keras, &study)
        .unwrap()
        .text;
    for part in [
        "TRIALS = 7",
        "NopPruner",
        "suggest_float(\"learning_rate\", 0.001, 0.25, log=True)",
        "suggest_int(\"dense_units\", 32, 48)",
        "suggest_categorical(\"optimizer_name\", [\"sgd\", \"adamw\"])",
        "layers.Dense(dense_units,",
        "layers.Dropout(dropout_rate,",
    ] {
        assert!(keras.contains(part), "{part}\n{keras}");
    }
    let torch = write::study_script(&spec, Framework::Pytorch, &study)
        .unwrap()
        .text;
    for part in [
        "nn.Linear(784, dense_units)",
        "nn.Linear(dense_units, 10)",
        "lr=learning_rate",
    ] {
        assert!(torch.contains(part), "{part}\n{torch}");
    }
    assert!(!torch.contains("gone"));
    for wrong in [
        serde_json::json!({ "trials": 0 }),
        serde_json::json!({ "knobs": [{ "key": "learning_rate", "low": 0.5, "high": 0.1 }] }),
        serde_json::json!({ "knobs": [{ "key": "optimizer", "choices": ["lion"] }] }),
        serde_json::json!({ "knobs": [{ "key": "batch_size", "choices": ["0"] }] }),
    ] {
        assert_eq!(Study::with(&spec, &wrong).unwrap_err().0[0].code, "range");
    }
    assert_eq!(Study::with(&spec, &study.json()).unwrap(), study);
}

/// With `NABLA_EXPORT` naming a folder: writes there what `tests/reference/studies.py` runs.
#[test]
fn export_studies_for_reference() {
    use nabla::interop::write::study::Study;
    let Some(to) = std::env::var_os("NABLA_EXPORT").map(PathBuf::from) else {
        println!("skipped: NABLA_EXPORT names no folder for studies");
        return;
    };
    std::fs::create_dir_all(&to).unwrap();
    for preset in presets::PRESETS {
        let spec = preset.spec();
        let mut study = Study::of(&spec);
        for knob in &mut study.knobs {
            knob.on = true;
        }
        for framework in [Framework::Pytorch, Framework::Keras] {
            if let Ok(script) = write::study_script(&spec, framework, &study) {
                let name = format!("{}.{}.study.py", preset.id, kind(framework));
                std::fs::write(to.join(name), script.text).unwrap();
            }
        }
    }
}
