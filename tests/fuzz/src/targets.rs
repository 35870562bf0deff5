//! The readers that meet input from outside, with what they are tried on.
use super::mutate::{mutate, mutate_tensors};
use super::rng::Rng;
use nabla::graph;
use nabla::interop::{read, write};
use nabla::plotting::History;
use nabla::spec::{Framework, Spec, presets};
use nabla::train::callbacks::Callbacks;
use nabla::train::checkpoint::Checkpoint;
use nabla::train::project::{self, KeptRun, Project};
use nabla::train::tensors::{File, LENGTH, header_length, read_header};
use nabla::train::weights;
use std::collections::BTreeMap;

pub struct Target {
    pub name: &'static str,
    /// Good inputs, which are changed.
    pub corpus: fn() -> Vec<Vec<u8>>,
    pub change: fn(&mut Rng, &mut Vec<u8>, &[Vec<u8>]),
    /// Reads it; must come back.
    pub run: fn(&[u8]),
    /// The most bytes that reading may have live at once: some, and so many for each of the input.
    pub memory: (usize, usize),
    /// Its share of the cases of a run over all targets.
    pub share: u64,
}

/// Every one is compiled and run by a test; `cargo xtask fuzz` runs them at length.
pub const TARGETS: &[Target] = &[
    Target {
        name: "code",
        corpus: scripts,
        change: |rng, bytes, others| mutate(rng, bytes, PYTHON, others),
        run: read_code,
        memory: (96 << 20, 4096),
        share: 12,
    },
    Target {
        name: "spec",
        corpus: specs,
        change: |rng, bytes, others| mutate(rng, bytes, JSON, others),
        run: read_spec,
        memory: (64 << 20, 4096),
        share: 22,
    },
    Target {
        name: "weights",
        corpus: files,
        change: |rng, bytes, others| mutate_tensors(rng, bytes, HEADER, others),
        run: read_weights,
        memory: (1 << 20, 512),
        share: 30,
    },
    Target {
        name: "checkpoint",
        corpus: checkpoints,
        change: |rng, bytes, others| mutate_tensors(rng, bytes, HEADER, others),
        run: |bytes| drop(Checkpoint::from_bytes(bytes)),
        memory: (1 << 20, 512),
        share: 18,
    },
    Target {
        name: "project",
        corpus: projects,
        change: |rng, bytes, others| mutate_tensors(rng, bytes, HEADER, others),
        run: read_project,
        memory: (1 << 20, 512),
        share: 18,
    },
];

const PYTHON: &[&str] = &[
    "nn.Linear(4, 8)",
    "nn.Conv2d(1, 8, 3)",
    "nn.Sequential(",
    "nn.LSTM(5, 7, batch_first=True)",
    "F.relu(",
    "self.",
    "x.view(-1, ",
    "torch.cat([x, x], 1)",
    "np.zeros((10**9, 10**9))",
    "np.random.rand(100, 1)",
    "range(10**9)",
    "for i in ",
    "while True:\n    ",
    "def f(x):\n    return ",
    "class A(nn.Module):\n    ",
    "lambda x: ",
    "**",
    "//",
    "% ",
    "<<",
    "@",
    "*args",
    "**kwargs",
    "[x for x in ",
    "f\"{",
    "'''",
    "\\\n",
    "    ",
    "\n",
    "\t",
    ":",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "=",
    "==",
    "import torch\n",
    "from tensorflow import keras\n",
    "layers.Dense(10)",
    "model.add(",
    "model.compile(loss='mse')",
    "model.fit(x, y, epochs=3)",
    "keras.Input((28, 28))",
    "x[:, None]",
    "x[::-1]",
    "float('nan')",
    "1e400",
    "-9223372036854775808",
    "0x",
    "0b1",
    "1j",
    "\u{202e}",
    "é",
    "% matplotlib",
    "del x",
    "global x",
    "try:\n    ",
    "with open('a') as f:\n    ",
    "return",
    "yield",
    "await",
    "assert ",
    "...",
];

const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "false",
    "\"kind\":",
    "\"linear\"",
    "\"conv2d\"",
    "\"lstm\"",
    "\"attention\"",
    "\"embedding\"",
    "\"reshape\"",
    "\"add\"",
    "\"concat\"",
    "\"inputs\":",
    "\"input\"",
    "\"units\":",
    "\"filters\":",
    "\"shape\":",
    "\"samples\":",
    "\"batch_size\":",
    "\"epochs\":",
    "\"version\":1",
    "\\u0000",
    "\\ud800",
    "\"source\":",
    "\"inline\"",
    "\"blobs\"",
    "\"vocab\":",
    "\"heads\":",
    "\"padding\":",
    "\"dilation\":",
    "\"groups\":",
    "\"stride\":",
    "\"kernel\":",
    "1e39",
    "-1e39",
];

const HEADER: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"dtype\":\"F32\"",
    "\"dtype\":\"U8\"",
    "\"dtype\":\"F64\"",
    "\"dtype\":\"F16\"",
    "\"dtype\":\"F4\"",
    "\"shape\":[]",
    "\"shape\":[0]",
    "\"shape\":[18446744073709551615,2]",
    "\"data_offsets\":[0,4]",
    "\"data_offsets\":[4,0]",
    "\"__metadata__\":{",
    "\"nabla\":\"",
    "\"nabla.project\":\"",
    "\"nabla.spec\":\"",
    "\"format\":\"keras\"",
    "\"format\":\"pt\"",
    "\\\"version\\\":2",
    "\\\"step\\\":",
    "\\\"runs\\\":[",
    "\\\\\\\"",
    "null",
    "\"best:00000\"",
    "\"course\"",
    "\"checkpoint\"",
    "\"run.00\"",
];

fn scripts() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for preset in presets::PRESETS {
        let spec = preset.spec();
        for framework in [Framework::Pytorch, Framework::Keras] {
            if let Ok(script) = write::script(&spec, framework) {
                if all.len() % 9 == 0 {
                    all.push(write::notebook(&script, "n").into_bytes());
                }
                all.push(script.text.into_bytes());
            }
        }
    }
    all
}

/// A script, and both scripts of the network that comes of it.
fn read_code(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(import) = read::script(&text) {
        for framework in [Framework::Pytorch, Framework::Keras] {
            let _ = write::script(&import.spec, framework);
        }
    }
}

fn specs() -> Vec<Vec<u8>> {
    let all = presets::PRESETS.iter().map(|p| p.spec());
    let forms = all.flat_map(|s| [s.to_short().to_string(), nabla::json::write(&s)]);
    forms.map(String::into_bytes).collect()
}

/// What a link holds once it is unpacked: the page reads it, checks its network, and makes a link of it again.
fn read_spec(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(spec) = Spec::from_json(&text) {
        let _ = graph::check(&spec, spec.data.shape().as_ref());
        let again = Spec::from_json(&spec.to_short().to_string());
        assert_eq!(again.as_ref(), Ok(&spec), "a link loses nothing");
    }
}

const NET: [(&str, &[usize]); 6] = [
    ("fc1.weight", &[3, 2]),
    ("fc1.bias", &[3]),
    ("bn.weight", &[3]),
    ("bn.running_mean", &[3]),
    ("rnn.weight_ih_l0", &[4, 3]),
    ("att.query.weight", &[4, 4]),
];

fn files() -> Vec<Vec<u8>> {
    let values: Vec<f32> = (0..16u8).map(f32::from).collect();
    let own: Vec<(&str, &[usize], &[f32])> = NET
        .iter()
        .map(|(n, s)| (*n, *s, &values[..s.iter().product()]))
        .collect();
    let spec = presets::PRESETS[0].spec();
    let mut all = vec![weights::write_of(&spec, &own)];
    for framework in [Framework::Pytorch, Framework::Keras] {
        all.push(weights::write(framework, &own));
        let renamed = own.iter().enumerate().map(|(i, (n, s, v))| {
            let (_, what) = n.rsplit_once('.').expect("a part");
            (format!("{i}.{what}"), *s, *v)
        });
        let renamed: Vec<_> = renamed.collect();
        let borrowed: Vec<_> = renamed.iter().map(|(n, s, v)| (&n[..], *s, *v)).collect();
        all.push(weights::write(framework, &borrowed));
    }
    all.into_iter().map(|f| f.expect("shapes fit")).collect()
}

/// As the engine and as the dialog read a file of weights.
fn read_weights(bytes: &[u8]) {
    for framework in [Framework::Pytorch, Framework::Keras] {
        let read = weights::read(framework, bytes, &NET);
        let Ok(file) = File::open(bytes) else {
            assert!(read.is_err());
            continue;
        };
        let fit = weights::fit(&file.metadata, framework, &NET);
        assert_eq!(fit.problems().is_empty(), read.is_ok());
        if let Some(fit) = weights::fit_by_order(&file.metadata, framework, &NET) {
            let mut renamed = weights::renamed(&file.metadata, &fit, &NET);
            let begin = LENGTH + header_length(bytes).expect("it was opened");
            renamed.extend(&bytes[begin..]);
            weights::read(framework, &renamed, &NET).expect("under its new names it fits");
        }
    }
}

fn checkpoints() -> Vec<Vec<u8>> {
    let some = |id: &str, best: bool| {
        let state = Checkpoint {
            spec: presets::find(id).expect("a preset"),
            step: 12,
            epoch: 3,
            cursor: 1,
            seconds: 0.5,
            hyper: BTreeMap::from([("learningRate".to_string(), 0.1)]),
            tensors: vec![
                ("exp_avg:fc1.bias".into(), vec![2], vec![0.5, -1.5]),
                ("fc1.weight".into(), vec![2, 2], vec![1.0; 4]),
            ],
            callbacks: Callbacks::default(),
            best: best.then(|| vec![vec![1.0], vec![2.0; 3]]),
            epoch_loss: (0.25, 7),
        };
        state.to_bytes().expect("shapes fit")
    };
    vec![
        some("logreg", false),
        some("digits-mlp", true),
        some("mnist-mlp", true),
    ]
}

fn projects() -> Vec<Vec<u8>> {
    let mut course = History::default();
    for step in 0..6 {
        course.push(
            &["loss".to_string(), "accuracy".to_string()],
            &[1.0, 0.5],
            step,
        );
    }
    course.push_epoch(2, 6, nabla::train::protocol::Evaluation::default());
    let some = |id: &str, runs: usize, state: usize| {
        let spec = presets::find(id).expect("a preset");
        let kept = KeptRun {
            name: "a run".to_string(),
            spec: Some(spec.clone()),
            course: course.clone(),
        };
        let project = Project {
            spec,
            step: 6,
            epoch: 2,
            course: course.clone(),
            runs: vec![kept; runs],
        };
        let mut bytes = project.to_bytes(state);
        bytes.extend(vec![1; state]);
        bytes
    };
    vec![
        some("logreg", 0, 9),
        some("digits-mlp", 2, 0),
        some("mlp-xor", 1, 3),
    ]
}

/// As the page does: the header first, then as much as it says is needed.
fn read_project(bytes: &[u8]) {
    let opened = project::open(bytes, bytes.len() as u64);
    let parts = header_length(bytes).ok().and_then(|length| {
        let (header, data) = bytes[LENGTH..].split_at_checked(length)?;
        let metadata = read_header(header, data.len()).ok()?;
        project::extent(header, &metadata).ok()
    });
    if let Ok(opened) = opened {
        let extent = parts.expect("what opens has an extent");
        let part = project::open(&bytes[..extent], bytes.len() as u64);
        assert!(part.is_ok(), "the extent is enough");
        let end = opened.checkpoint.map_or(0, |r| r.end);
        assert!(end <= bytes.len() as u64);
    }
}
