//! Networks as ONNX files: what is written, and what is read back.
use super::common::{block_on, load};
use nabla::backend::cpu::CpuBackend;
use nabla::data::Values;
use nabla::interop::onnx::{Scaling, read, write};
use nabla::spec::{Framework, Spec, presets};
use nabla::train::{Session, weights};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A trained session: some steps of a preset.
pub fn trained(spec: &Spec, steps: usize) -> Session<CpuBackend> {
    let mut session: Session<CpuBackend> =
        block_on(Session::new(spec.clone(), load(spec), None)).unwrap();
    if steps > 0 {
        block_on(session.steps(steps as u32)).unwrap();
    }
    session
}

/// A preset whose steps are short.
pub fn quick(preset: &presets::Preset) -> Spec {
    let mut spec = preset.spec();
    spec.train.batch_size = spec.train.batch_size.map(|n| n.min(8));
    spec
}

fn scaling(spec: &Spec) -> Scaling {
    let data = load(spec);
    Scaling {
        mul: data.mul.clone(),
        add: data.add.clone(),
        target: data.y_scale.clone(),
    }
}

pub fn export(session: &mut Session<CpuBackend>) -> Vec<u8> {
    let spec = session.spec().clone();
    let file = block_on(session.weights()).unwrap();
    write::write(&spec, None, &file, &scaling(&spec)).unwrap()
}

/// Raw samples of a spec's data, `[rows, …]`.
pub fn samples(spec: &Spec, rows: usize) -> (Vec<usize>, Vec<f32>) {
    let data = load(spec);
    let n = data.features_len();
    let x = match &data.x {
        Values::F32(x) => x[..rows * n].to_vec(),
        Values::U8(x) => x[..rows * n].iter().map(|v| f32::from(*v)).collect(),
    };
    let mut shape = vec![rows];
    shape.extend(&data.shape);
    (shape, x)
}

/// Another spelling of a key of the file's metadata, so that the graph alone is read.
pub fn without_spec(mut file: Vec<u8>) -> Vec<u8> {
    let key = b"nabla.spec";
    let at = file
        .windows(key.len())
        .rposition(|w| w == key)
        .expect("the file has its spec");
    file[at] = b'x';
    file
}

/// The greatest difference, relative where numbers are larger than 1; NaN where one of them is no number.
pub fn far(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let each = a
        .iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    each.fold(0.0, |most, v| if v <= most { most } else { v })
}

/// Networks of the list are taken as they begin, the others when their running statistics are their own.
fn steps_for(name: &str) -> usize {
    usize::from(presets::find(name).is_none())
}

fn everything() -> Vec<(String, Spec)> {
    let presets = presets::PRESETS
        .iter()
        .map(|p| (p.id.to_string(), quick(p)));
    presets.chain(zoo()).collect()
}

#[test]
fn what_is_written_is_read_back() {
    for (name, spec) in everything() {
        let mut session = trained(&spec, steps_for(&name));
        let file = export(&mut session);
        let import = read::read(&file, None).unwrap_or_else(|n| panic!("{name}: {n:?}"));
        assert_eq!(import.spec, spec, "{name}");
        assert_eq!(import.notes, [], "{name}");
        let again: Session<CpuBackend> = block_on(Session::new(
            spec.clone(),
            load(&spec),
            Some(&import.weights),
        ))
        .unwrap();
        let mut again = again;
        let params = |s: &mut Session<CpuBackend>| block_on(s.weights()).unwrap();
        assert!(params(&mut session) == params(&mut again), "{name}");
    }
}

/// The graph alone, as of any other file: whatever layers it becomes, they predict the same.
#[test]
fn the_graph_alone_predicts_the_same() {
    let (mut refused, mut wrong) = (Vec::new(), Vec::new());
    for (name, spec) in everything() {
        let mut session = trained(&spec, steps_for(&name));
        let file = without_spec(export(&mut session));
        let import = match read::read(&file, Some(&spec)) {
            Ok(import) => import,
            Err(note) => {
                refused.push((name, note));
                continue;
            }
        };
        let rows = load(&spec).train.len().min(2);
        let (shape, x) = samples(&spec, rows);
        let (_, want) = block_on(session.predict(&x, &shape, false)).unwrap();
        let data = load(&import.spec);
        let mut again: Session<CpuBackend> = block_on(Session::new(
            import.spec.clone(),
            data.clone(),
            Some(&import.weights),
        ))
        .unwrap_or_else(|e| panic!("{name}: {e:?} {:#?}", import.spec.layers));
        let mut shape = vec![rows];
        shape.extend(&data.shape);
        let (_, got) = block_on(again.predict(&x, &shape, false)).unwrap();
        let far = far(&got, &want);
        if far >= 1e-5 {
            wrong.push(format!("{name}: {far} {:#?}", import.spec.layers));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(refused.is_empty(), "{refused:#?}");
}

/// The same with what they are read as.
#[test]
fn sequences_alone_are_what_they_were() {
    let kind = |spec: &Spec| -> Vec<String> {
        let name = |l: &nabla::spec::LayerSpec| nabla::json::value(&l.kind)["kind"].to_string();
        spec.layers.iter().map(name).collect()
    };
    for name in ["imdb-conv1d", "lstm", "gru", "rnn"] {
        let spec = quick(presets::PRESETS.iter().find(|p| p.id == name).unwrap());
        let file = without_spec(export(&mut trained(&spec, 0)));
        let import = read::read(&file, Some(&spec)).unwrap_or_else(|n| panic!("{name}: {n:?}"));
        assert_eq!(kind(&import.spec), kind(&spec), "{name}");
        assert_eq!(import.spec.data, spec.data, "{name}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let spec = presets::find("digits-cnn").unwrap();
    let file = without_spec(export(&mut trained(&spec, 0)));
    // The end of the file is metadata, without which it is whole.
    for end in (0..file.len() / 2).step_by(7) {
        assert!(read::read(&file[..end], None).is_err(), "cut at {end}");
    }
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    // Whatever becomes of it, it does not panic.
    for _ in 0..3000 {
        let mut broken = file.clone();
        for _ in 0..=next() % 4 {
            let at = next() % broken.len().min(4000);
            broken[at] = next() as u8;
        }
        let _ = read::read(&broken, None);
    }
}

/// What a file gives for the samples of a record, and what its framework gave.
fn beside_record(path: &Path, record: &Value) -> f32 {
    let numbers = |v: &Value| -> Vec<f32> {
        let all = v.as_array().unwrap().iter();
        all.map(|v| v.as_f64().unwrap() as f32).collect()
    };
    let bytes = std::fs::read(path).unwrap();
    let import = read::read(&bytes, None).unwrap_or_else(|n| panic!("{path:?}: {n:?}"));
    let data = load(&import.spec);
    let mut session: Session<CpuBackend> = block_on(Session::new(
        import.spec.clone(),
        data.clone(),
        Some(&import.weights),
    ))
    .unwrap_or_else(|e| panic!("{path:?}: {e:?} {:#?}", import.spec.layers));
    let x = numbers(&record["x"]);
    let mut shape = vec![x.len() / data.features_len()];
    shape.extend(&data.shape);
    let (_, got) = block_on(session.predict(&x, &shape, true)).unwrap();
    let mut want = numbers(&record["y"]);
    // The page gives probabilities where the loss is on logits.
    let width = want.len() / shape[0];
    let rows = want.chunks_exact_mut(width);
    for row in rows.filter(|r| r.len() == 10) {
        if (row.iter().sum::<f32>() - 1.0).abs() > 1e-4 {
            let all: f32 = row.iter().map(|v| v.exp()).sum();
            row.iter_mut().for_each(|v| *v = v.exp() / all);
        }
    }
    far(&got, &want)
}

/// Networks that frameworks themselves wrote. PyTorch's are made by `tests/reference/onnx_golden.py`, by both
/// of its exporters, Keras' by `onnx_keras.py`.
fn files_of(record: &str, exporters: &[&str], refused: &[(&str, &str)]) -> usize {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/onnx");
    let golden = std::fs::read_to_string(folder.join(record)).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (name, entry) in golden.as_object().unwrap() {
        for exporter in exporters {
            let file = format!("{name}.{exporter}.onnx");
            let path = folder.join(&file);
            seen += 1;
            if let Some((_, node)) = refused.iter().find(|(name, _)| *name == file) {
                let bytes = std::fs::read(&path).unwrap();
                match read::read(&bytes, None) {
                    Err(note) if note.text("en").contains(node) => {}
                    other => wrong.push(format!("{file}: {other:?}")),
                }
                continue;
            }
            match std::panic::catch_unwind(|| beside_record(&path, entry)) {
                Ok(far) if far < 1e-5 => {}
                Ok(far) => wrong.push(format!("{file}: {far}")),
                Err(_) => wrong.push(format!("{file}: see above")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    seen
}

#[test]
fn files_of_pytorch() {
    // Recurrences that the newer exporter writes out step by step.
    let refused = [("simple.dynamo.onnx", "Slice")];
    let seen = files_of("golden.json", &["legacy", "dynamo"], &refused);
    assert_eq!(seen, 30);
}

#[test]
fn files_of_keras() {
    // TensorFlow's GRU is a loop around a graph of its own.
    let refused = [("gru.keras.onnx", "Loop")];
    let seen = files_of("keras.json", &["keras"], &refused);
    assert_eq!(seen, 5);
}

/// With `NABLA_EXPORT` naming a folder: writes there what `tests/reference/onnx_check.py` runs.
#[test]
fn export_onnx_for_reference() {
    let Some(to) = std::env::var_os("NABLA_EXPORT").map(PathBuf::from) else {
        println!("skipped: NABLA_EXPORT names no folder for ONNX files and predictions");
        return;
    };
    std::fs::create_dir_all(&to).unwrap();
    for (name, spec) in everything() {
        let mut session = trained(&spec, 20);
        std::fs::write(to.join(format!("{name}.onnx")), export(&mut session)).unwrap();
        let rows = load(&spec).train.len().min(16);
        let (shape, x) = samples(&spec, rows);
        let (out, y) = block_on(session.predict(&x, &shape, false)).unwrap();
        let tensors: [(&str, &[usize], &[f32]); 2] = [("x", &shape, &x), ("y", &out, &y)];
        let bytes = weights::write(Framework::Pytorch, &tensors).unwrap();
        std::fs::write(to.join(format!("{name}.io")), bytes).unwrap();
    }
}

/// Small networks that have every layer between them, in both frameworks.
pub fn zoo() -> Vec<(String, Spec)> {
    use serde_json::json;
    let digits = |layers: Value| ("digits-cnn", layers, true);
    let words = |layers: Value| ("imdb-conv1d", layers, true);
    let sine = |layers: Value| ("lstm-sine", layers, true);
    let all = vec![
        (
            "conv",
            digits(json!([
                {"id": "a", "kind": "conv2d", "filters": 4, "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0], "activation": "leaky_relu"},
                {"id": "b", "kind": "conv2d", "filters": 6, "kernel": 3, "padding": "same", "groups": 2, "bias": false},
                {"id": "act", "kind": "activation", "function": "gelu"},
                {"id": "p", "kind": "avg_pool2d", "kernel": 2, "padding": 1},
                {"id": "d", "kind": "dropout", "rate": 0.25},
            ])),
        ),
        (
            "dilated",
            digits(json!([
                {"id": "a", "kind": "conv2d", "filters": 4, "kernel": 3, "dilation": 2, "activation": "softmax"},
                {"id": "n", "kind": "batch_norm", "epsilon": 0.01},
                {"id": "act", "kind": "activation", "function": "elu", "alpha": 0.7},
            ])),
        ),
        (
            "up",
            digits(json!([
                {"id": "a", "kind": "conv_transpose2d", "filters": 4, "kernel": 3, "stride": 2, "activation": "silu"},
                {"id": "b", "kind": "conv_transpose2d", "filters": 4, "kernel": 2, "stride": 3, "padding": "same", "groups": 2},
                {"id": "u", "kind": "upsample", "factor": [2, 1]},
                {"id": "m", "kind": "max_pool2d", "kernel": 3, "stride": 2, "padding": "same"},
                {"id": "n", "kind": "batch_norm", "affine": false},
                {"id": "g", "kind": "global_avg_pool"},
            ])),
        ),
        (
            "pads",
            digits(json!([
                {"id": "a", "kind": "conv_transpose2d", "filters": 2, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1},
                {"id": "act", "kind": "activation", "function": "gelu_tanh"},
                {"id": "g", "kind": "global_max_pool"},
            ])),
        ),
        (
            "residual",
            digits(json!([
                {"id": "a", "kind": "conv2d", "filters": 4, "padding": 1},
                {"id": "b", "kind": "conv2d", "filters": 4, "padding": 1, "activation": "tanh"},
                {"id": "c", "kind": "conv2d", "filters": 4, "padding": 1, "activation": "softplus"},
                {"id": "s", "kind": "add", "inputs": ["a", "c"]},
                {"id": "r", "kind": "activation", "function": "relu"},
                {"id": "k", "kind": "concatenate", "axis": 1, "inputs": ["r", "b", "a"]},
                {"id": "l", "kind": "layer_norm", "axes": 3},
            ])),
        ),
        (
            "line",
            digits(json!([
                {"id": "a", "kind": "conv1d", "filters": 4, "kernel": 3, "padding": 1, "activation": "relu"},
                {"id": "u", "kind": "upsample", "factor": 2},
                {"id": "m", "kind": "max_pool1d", "kernel": 2},
                {"id": "b", "kind": "conv1d", "filters": 6, "kernel": 2, "dilation": 2, "groups": 2},
                {"id": "n", "kind": "batch_norm"},
                {"id": "v", "kind": "avg_pool1d", "kernel": 3, "stride": 1, "padding": 1},
                {"id": "k", "kind": "concatenate", "axis": -1, "inputs": ["v", "b"]},
                {"id": "l", "kind": "layer_norm", "bias": false},
                {"id": "w", "kind": "linear", "units": 5, "activation": "sigmoid"},
                {"id": "x", "kind": "activation", "function": "softmax"},
            ])),
        ),
        (
            "words",
            words(json!([
                {"id": "e", "kind": "embedding", "vocab": 20000, "dim": 6},
                {"id": "p", "kind": "positional_embedding"},
                {"id": "l", "kind": "layer_norm"},
                {"id": "t", "kind": "multi_head_attention", "heads": 2, "causal": true},
                {"id": "s", "kind": "add", "inputs": ["p", "t"]},
                {"id": "r", "kind": "rms_norm"},
                {"id": "h", "kind": "multi_head_attention", "heads": 3},
                {"id": "c", "kind": "conv1d", "filters": 4, "kernel": 3},
                {"id": "g", "kind": "global_avg_pool"},
            ])),
        ),
        (
            "recurrent",
            sine(json!([
                {"id": "a", "kind": "lstm", "units": 3, "bidirectional": true, "return_sequences": true},
                {"id": "b", "kind": "gru", "units": 4, "bidirectional": true, "return_sequences": true},
                {"id": "c", "kind": "rnn", "units": 5, "bidirectional": true, "return_sequences": true, "activation": "relu"},
                {"id": "d", "kind": "linear", "units": 6, "activation": "tanh"},
                {"id": "e", "kind": "lstm", "units": 3, "bidirectional": true},
            ])),
        ),
        (
            "last",
            sine(json!([
                {"id": "a", "kind": "gru", "units": 3, "return_sequences": true},
                {"id": "b", "kind": "rnn", "units": 4, "return_sequences": true},
                {"id": "r", "kind": "reshape", "shape": [-1, 2]},
                {"id": "c", "kind": "gru", "units": 5},
            ])),
        ),
    ];
    let mut made = Vec::new();
    for (name, (preset, layers, _)) in all {
        for framework in [Framework::Pytorch, Framework::Keras] {
            let mut spec = presets::find(preset).unwrap();
            let keras = framework == Framework::Keras;
            spec.framework = framework;
            spec.layers = serde_json::from_value(layers.clone()).unwrap();
            let outputs = match spec.data.shape().unwrap().classes {
                Some(10) => 10,
                _ => 1,
            };
            let end = json!([
                {"id": "flatten", "kind": "flatten"},
                {"id": "out", "kind": "linear", "units": outputs},
            ]);
            let end: Vec<nabla::spec::LayerSpec> = serde_json::from_value(end).unwrap();
            spec.layers.extend(end);
            if let Some(text) = &mut spec.data.text {
                text.length = 12;
            }
            spec.train.loss = match outputs {
                10 => nabla::spec::Loss::CrossEntropy { from_logits: true },
                _ if preset == "lstm-sine" => nabla::spec::Loss::Mse,
                _ => nabla::spec::Loss::BinaryCrossEntropy { from_logits: true },
            };
            spec.data.scale_target = preset == "lstm-sine";
            if preset == "digits-cnn" && keras {
                spec.data.scale = nabla::spec::Scale::Standardize;
            }
            spec.train.batch_size = Some(4);
            spec.name = format!("{name}-{}", if keras { "keras" } else { "pytorch" });
            spec.train.optimizer = nabla::spec::Optimizer::default_of("adam", framework).unwrap();
            made.push((spec.name.clone(), spec));
        }
    }
    made
}
