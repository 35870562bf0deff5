//! Scripts as tutorials write them, beside what the real frameworks build of them; and scripts with one slip
//! each, which is told on its line.
use super::common;
use common::block_on;
use nabla::backend::cpu::CpuBackend;
use nabla::data::Dataset;
use nabla::graph;
use nabla::interop::read;
use nabla::spec::*;
use nabla::train::protocol::Role;
use nabla::train::tensors::File;
use nabla::train::{Session, weights};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap()
}

/// Name and text of each script.
fn snippets(all: &str) -> Vec<(&str, &str)> {
    let mut parts = all.split("\n=== ");
    parts.next();
    let named = |part| str::split_once(part, '\n').expect("a name and a script");
    parts.map(named).collect()
}

/// Shapes of the trainable parameters in the framework's layout, in the order of the network.
fn shapes(spec: &Spec, data: Rc<Dataset>) -> Vec<Vec<usize>> {
    let run: Session<CpuBackend> = block_on(Session::new(spec.clone(), data, None)).unwrap();
    let params: Vec<(String, Vec<usize>)> = run
        .tensors()
        .into_iter()
        .filter(|t| t.role == Role::Param)
        .map(|t| (t.name, t.shape))
        .collect();
    let own: Vec<(&str, &[usize])> = params.iter().map(|(n, s)| (&n[..], &s[..])).collect();
    // What a file of this framework would have for each.
    let empty = weights::write(spec.framework, &[]).unwrap();
    let fit = weights::fit(&File::open(&empty).unwrap().metadata, spec.framework, &own);
    fit.rows.into_iter().map(|r| r.want).collect()
}

#[test]
fn snippets_build_what_the_frameworks_build() {
    let (all, record) = (
        file("tests/interop/snippets.txt"),
        file("tests/reference/snippets.json"),
    );
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let snippets = snippets(&all);
    assert!(snippets.len() >= 30, "{}", snippets.len());
    let mut sets: HashMap<String, Rc<Dataset>> = HashMap::new();
    let mut wrong = Vec::new();
    for (name, text) in snippets {
        let import = match read::script(text) {
            Ok(import) => import,
            Err(e) => {
                wrong.push(format!("{name}: {:?}", e.notes));
                continue;
            }
        };
        let spec = import.spec;
        let report = graph::check(&spec, None);
        if !report.ok {
            wrong.push(format!("{name}: {:?} {:?}", report.errors, import.notes));
            continue;
        }
        let theirs = &record[name];
        if theirs["parameters"] != report.params {
            wrong.push(format!(
                "{name}: {} parameters, not {}",
                report.params, theirs["parameters"]
            ));
        }
        let data = serde_json::to_string(&(&spec.data, spec.seed)).unwrap();
        let data = sets
            .entry(data)
            .or_insert_with(|| common::load(&spec))
            .clone();
        let (ours, want) = (shapes(&spec, data), &theirs["shapes"]);
        if serde_json::json!(ours) != *want {
            wrong.push(format!("{name}: {ours:?}, not {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A PyTorch script with one line of its own at a mark.
pub const TORCH: &str = "\
import torch
import torch.nn as nn
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y)
@model
@loss
@optimizer
for epoch in range(20):
    optimizer.zero_grad()
    loss = loss_fn(net(X), y)
    loss.backward()
    optimizer.step()
";

/// The same of Keras.
pub const KERAS: &str = "\
import keras
from keras import layers
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
model = keras.Sequential()
model.add(keras.Input(shape=(4,)))
@layer
model.add(layers.Dense(3, activation='softmax'))
@compile
@fit
";

/// The script with `line` at `mark`, and good lines at the others; the line's number.
pub fn broken(text: &str, mark: &str, line: &str) -> (String, usize) {
    let good = [
        (
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))",
        ),
        ("@loss", "loss_fn = nn.CrossEntropyLoss()"),
        (
            "@optimizer",
            "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)",
        ),
        ("@layer", "model.add(layers.Dense(8))"),
        (
            "@compile",
            "model.compile(optimizer='sgd', loss='sparse_categorical_crossentropy')",
        ),
        ("@fit", "model.fit(X, y, epochs=5)"),
    ];
    let number = text.lines().position(|l| l == mark).expect("the mark") + 1;
    let mut text = text.replace(mark, line);
    for (mark, line) in good {
        text = text.replace(mark, line);
    }
    (text, number)
}

#[test]
fn slips_are_told_on_their_lines() {
    let slips = [
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8) nn.ReLU(), nn.Linear(8, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(9, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8), F.relu, nn.Linear(8, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8), nn.Hardswish(), nn.Linear(8, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(8, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8), nn.Bilinear(8, 8, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8), nn.Conv2d(1, 4, 3), nn.Linear(8, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8), nn.Transformer(), nn.Linear(8, 3))",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8), nn.ReLu(), nn.Linear(8, 3))",
        ),
        (TORCH, "@loss", "loss_fn = nn.CTCLoss()"),
        (TORCH, "@loss", "loss_fn = = nn.CrossEntropyLoss()"),
        (TORCH, "@loss", "loss_fn = nn.TripletMarginLoss()"),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.LBFGS(net.parameters(), lr=0.1)",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.SGD(net.parameters(), lr=rate)",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.Adamax(net.parameters(), lr=0.1)",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = optim.SGD(net.parameters(), lr=0.1)",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.SGD(net.parameters(), lr=0.1))",
        ),
        (
            KERAS,
            "@layer",
            "model.add(layers.Dense(8, activation='relu6'))",
        ),
        (
            KERAS,
            "@layer",
            "model.add(layers.Dense(8, activation='rleu'))",
        ),
        (KERAS, "@layer", "model.add(layers.Dense(units))"),
        (KERAS, "@layer", "model.add(layers.ConvLSTM2D(8, 3))"),
        (KERAS, "@layer", "model.add(layers.Conv2D(8, 3))"),
        (KERAS, "@layer", "model.add(layers.GaussianNoise(0.1))"),
        (KERAS, "@layer", "model.add(Dense(8))"),
        (KERAS, "@layer", "model.add(layers.LSTM(8))"),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer='nadam', loss='sparse_categorical_crossentropy')",
        ),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer='ftrl', loss='sparse_categorical_crossentropy')",
        ),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer='sgd', loss='poisson')",
        ),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer='sgd', loss='cosine_similarity')",
        ),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer='sgd' loss='mse')",
        ),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer='sgd', loss='categorical_crossentropy')",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, mark, line) in slips {
        let (script, number) = broken(text, mark, line);
        let notes = match read::script(&script) {
            Ok(import) => import.notes,
            Err(failed) => failed.notes,
        };
        if !notes.iter().any(|n| n.line == Some(number)) {
            let got: Vec<_> = notes.iter().map(|n| (n.line, n.code)).collect();
            wrong.push(format!("{line}: line {number}, got {got:?}"));
        }
    }
    assert!(slips.len() >= 30);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
