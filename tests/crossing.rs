//! Weights that were trained in PyTorch and in Keras, in the engine: the same digits right as there, and the
//! same file back. `tests/reference/stand_in.py` made the files; `both_ways.py` does it at full size, on MNIST.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load};
use nabla::backend::cpu::CpuBackend;
use nabla::interop::read;
use nabla::spec::{Framework, Spec};
use nabla::train::protocol::{Part, Role};
use nabla::train::tensors::{File, LENGTH, floats, header_length};
use nabla::train::{Session, weights};

const PYTORCH: &str = "
import torch
from torch import nn
from sklearn.datasets import load_digits
digits = load_digits()
x = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(digits.target)
net = nn.Sequential(
    nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 10)
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(2):
    for i in range(0, len(x), 64):
        optimizer.zero_grad()
        loss_fn(net(x[i:i + 64]), y[i:i + 64]).backward()
        optimizer.step()
";

const KERAS: &str = "
import keras
from keras import layers
from sklearn.datasets import load_digits
digits = load_digits()
x = (digits.images / 16).reshape(-1, 8, 8, 1)
model = keras.Sequential([
    keras.Input(shape=(8, 8, 1)),
    layers.Conv2D(4, 3, padding='same', activation='relu'),
    layers.BatchNormalization(),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(10, activation='softmax'),
])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss='sparse_categorical_crossentropy')
model.fit(x, digits.target, batch_size=64, epochs=2)
";

fn path(name: &str) -> String {
    format!(
        "{}/tests/reference/crossing/{name}",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// Parameters and running statistics: names and shapes.
fn params(run: &Session<CpuBackend>) -> Vec<(String, Vec<usize>)> {
    let all = run.tensors().into_iter();
    let kept = all.filter(|t| matches!(t.role, Role::Param | Role::State));
    kept.map(|t| (t.name, t.shape)).collect()
}

fn begin(spec: &Spec, file: Option<&[u8]>) -> Session<CpuBackend> {
    block_on(Session::new(spec.clone(), load(spec), file)).unwrap()
}

/// Shapes of the layers' outputs.
fn check(spec: &Spec) -> Vec<Vec<usize>> {
    let report = nabla::graph::check(spec, None);
    report.layers.into_iter().map(|l| l.shape).collect()
}

/// Digits that are right, of all parts, and how many there are.
fn hits(run: &mut Session<CpuBackend>) -> (usize, usize) {
    let (mut right, mut all) = (0, 0);
    for part in [Part::Train, Part::Validation, Part::Test] {
        let Ok(mut evaluation) = run.evaluation(part) else {
            continue;
        };
        while !block_on(run.evaluate_some(&mut evaluation, 64)).unwrap() {}
        let e = evaluation.finish();
        right += (e.accuracy.unwrap() * e.samples as f64).round() as usize;
        all += e.samples;
    }
    (right, all)
}

/// Values of a file by name.
fn values(bytes: &[u8]) -> Vec<(String, Vec<f32>)> {
    let file = File::open(bytes).unwrap();
    let mut names = file.metadata.offset_keys();
    names.sort();
    let of = |n: &String| {
        let info = file.metadata.info(n).unwrap();
        floats(info.dtype, file.bytes(info)).map(|v| (n.clone(), v))
    };
    names.iter().filter_map(of).collect()
}

#[test]
fn weights_of_python_give_its_accuracy_and_go_back_unchanged() {
    let record = std::fs::read_to_string(path("hits.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    for (kind, script) in [("pytorch", PYTORCH), ("keras", KERAS)] {
        let import = read::script(script).unwrap();
        assert_eq!(import.notes, [], "{kind}");
        let spec = import.spec;
        let theirs = std::fs::read(path(&format!("{kind}.safetensors"))).unwrap();
        // As many channels as rows and columns: no shape tells their orders apart.
        assert!(spec.framework == Framework::Keras || check(&spec).contains(&vec![4, 4, 4]));
        // Names are those of other code: found by order and shape.
        let mut fresh = begin(&spec, None);
        let own = params(&fresh);
        let own: Vec<(&str, &[usize])> = own.iter().map(|(n, s)| (&n[..], &s[..])).collect();
        let file = File::open(&theirs).unwrap();
        let fit = match weights::fit(&file.metadata, spec.framework, &own) {
            fit if fit.problems().is_empty() => fit,
            _ => weights::fit_by_order(&file.metadata, spec.framework, &own).unwrap(),
        };
        let mut renamed = weights::renamed(&file.metadata, &fit, &own);
        renamed.extend(&theirs[LENGTH + header_length(&theirs).unwrap()..]);
        let mut run = begin(&spec, Some(&renamed));
        let wanted = record[kind].as_u64().unwrap() as usize;
        let samples = record["samples"].as_u64().unwrap() as usize;
        assert_eq!(hits(&mut run), (wanted, samples), "{kind}");
        assert_ne!(
            hits(&mut fresh).0,
            wanted,
            "{kind}: it is the file that does it"
        );
        // What goes out again is what came in, under this network's names.
        let back = values(&block_on(run.weights()).unwrap());
        let sent = values(&renamed);
        assert_eq!(back.len(), own.len(), "{kind}");
        for (name, values) in &back {
            let same = |(n, v): &&(String, Vec<f32>)| {
                (n == name || n.ends_with(&format!("/{name}"))) && v == values
            };
            assert!(sent.iter().any(|t| same(&t)), "{kind}: {name}");
        }
    }
}
