//! Scripts into specs: what tutorials write, what goes wrong, and what is hostile.
use nabla::interop::read::{self, Import};
use nabla::interop::write;
use nabla::spec::*;

fn read(text: &str) -> Import {
    read::script(text).unwrap_or_else(|e| panic!("{:#?}\n{text}", e.notes))
}

fn codes(text: &str) -> Vec<(Option<usize>, &'static str)> {
    let notes = match read::script(text) {
        Ok(import) => import.notes,
        Err(failed) => failed.notes,
    };
    notes.iter().map(|n| (n.line, n.code)).collect()
}

/// `linear 10`, `activation relu`: the network in short.
fn network(spec: &Spec) -> Vec<String> {
    let short = |l: &LayerSpec| match &l.kind {
        LayerKind::Linear {
            units, activation, ..
        } => match activation {
            Some(a) => format!("linear {units} {a:?}"),
            None => format!("linear {units}"),
        },
        LayerKind::Conv2d(c) => match c.activation {
            Some(a) => format!("conv2d {} {a:?}", c.filters),
            None => format!("conv2d {}", c.filters),
        },
        LayerKind::Activation { function, .. } => format!("{function:?}"),
        LayerKind::Dropout { rate } => format!("dropout {rate}"),
        LayerKind::Lstm(r) => format!("lstm {} {}", r.units, r.return_sequences),
        other => {
            let text = format!("{other:?}");
            let end = text.find([' ', '(', '{']).unwrap_or(text.len());
            text[..end].to_string()
        }
    };
    spec.layers.iter().map(short).collect()
}

/// Specs that cannot come back as they were, for their data stand in for others.
fn comes_back(id: &str) -> bool {
    !["linear-models", "cifar-cnn", "imdb-conv1d"].contains(&id)
}

#[test]
fn notebooks_are_their_code() {
    for preset in ["digits-mlp", "mnist-mlp"] {
        let spec = presets::find(preset).unwrap();
        let script = super::script(&spec, spec.framework).unwrap();
        let import = read(&write::notebook(&script, "A title"));
        assert_eq!((import.spec, import.notes), (spec, vec![]), "{preset}");
    }
    let magic = "%matplotlib inline\n!pip install torch\nmodel = nothing";
    assert_eq!(codes(magic)[0], (Some(3), "note-name"));
    // A line that goes on with `%` is none of them.
    let text = "n = (7\n% 4)\nfor i in range(3):\n    b = n\n";
    assert_eq!(codes(text), [(None, "note-no-network")]);
    let cells = r#"{"cells": [{"cell_type": "raw"}, {"cell_type": "code", "source": ["a = 1\n", 7]}, 3,
        {"cell_type": "code", "source": "b"}, {"cell_type": "code", "source": {}}]}"#;
    assert_eq!(read::notebook_code(cells).unwrap(), "a = 1\n\nb\n");
    for no in [
        "",
        "a = {}",
        "{",
        "{}",
        r#"{"cells": 3}"#,
        r#"{"worksheets": []}"#,
    ] {
        assert_eq!(read::notebook_code(no), None, "{no}");
    }
}

#[test]
fn presets_go_out_and_come_back() {
    let mut wrong = Vec::new();
    for preset in presets::PRESETS.iter().filter(|p| comes_back(p.id)) {
        let spec = preset.spec();
        let Some(script) = super::script(&spec, spec.framework) else {
            continue;
        };
        match read::script(&script.text) {
            Err(e) => wrong.push(format!("{}: {:?}", preset.id, e.notes)),
            Ok(import) if import.spec != spec => {
                let (a, b) = (spec.to_json(), import.spec.to_json());
                let lines = a.lines().zip(b.lines()).filter(|(a, b)| a != b);
                let first: Vec<String> = lines
                    .take(4)
                    .map(|(a, b)| format!("{} → {}", a.trim(), b.trim()))
                    .collect();
                wrong.push(format!("{}: {first:?} {:?}", preset.id, import.notes));
            }
            Ok(import) if !import.notes.is_empty() => {
                wrong.push(format!("{}: {:?}", preset.id, import.notes));
            }
            Ok(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_preset_goes_round_after_once() {
    for preset in presets::PRESETS {
        let spec = preset.spec();
        let Some(script) = super::script(&spec, spec.framework) else {
            continue;
        };
        let Ok(first) = read::script(&script.text) else {
            continue;
        };
        let again = write::script(&first.spec, spec.framework).unwrap();
        let second = read(&again.text);
        assert_eq!(first.spec, second.spec, "{}", preset.id);
    }
}

#[test]
fn a_line_by_numpy() {
    let import = read(
        "
import numpy as np
import torch
import torch.nn as nn

np.random.seed(7)
x = np.random.rand(100, 1)
y = 3 * x + 2 + 0.5 * np.random.randn(100, 1)
x = torch.tensor(x, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)

model = nn.Linear(1, 1)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(1000):
    y_pred = model(x)
    loss = criterion(y_pred, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if (epoch + 1) % 100 == 0:
        print(f'Epoch {epoch + 1}, loss {loss.item():.4f}')
",
    );
    let spec = import.spec;
    assert_eq!(
        spec.data.source,
        DataSource::Line {
            samples: 100,
            slope: 3.0,
            intercept: 2.0,
            noise: 0.5
        }
    );
    assert_eq!(network(&spec), ["linear 1"]);
    assert_eq!(
        (spec.train.epochs, spec.train.batch_size, spec.seed),
        (1000, None, 7)
    );
    assert_eq!(spec.train.optimizer.learning_rate(), 0.01);
    assert!(import.notes.is_empty(), "{:?}", import.notes);
}

#[test]
fn a_first_network_of_literals() {
    let import = read(
        "
import torch
import torch.nn as nn
import torch.optim as optim

class SimpleNet(nn.Module):
    def __init__(self):
        super(SimpleNet, self).__init__()
        self.fc1 = nn.Linear(2, 1)

    def forward(self, x):
        return self.fc1(x)

model = SimpleNet()
inputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
targets = torch.tensor([[2.0], [6.0]])
loss_fn = nn.MSELoss()
opt = optim.SGD(model.parameters(), lr=0.01)
for epoch in range(100):
    opt.zero_grad()
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    opt.step()
",
    );
    let want = presets::find("first-network").unwrap();
    assert_eq!(import.spec.data.source, want.data.source);
    assert_eq!(import.spec.layers, want.layers);
    assert_eq!(import.spec.train, want.train);
}

pub const CNN: &str = "
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torchvision import datasets, transforms
from torch.utils.data import DataLoader

transform = transforms.Compose([transforms.ToTensor()])
train_set = datasets.MNIST('./data', train=True, download=True, transform=transform)
loader = DataLoader(train_set, batch_size=64, shuffle=True)

class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 64 * 7 * 7)
        x = F.relu(self.fc1(x))
        return self.fc2(x)

device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
model = CNN().to(device)
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.001)
for epoch in range(10):
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
";

#[test]
fn a_convolutional_network() {
    let import = read(CNN);
    assert_eq!(
        network(&import.spec),
        [
            "conv2d 32 Relu",
            "MaxPool2d",
            "conv2d 64 Relu",
            "MaxPool2d",
            "Flatten",
            "linear 128 Relu",
            "linear 10"
        ]
    );
    let spec = &import.spec;
    assert_eq!((spec.train.epochs, spec.train.batch_size), (10, Some(64)));
    assert_eq!(spec.data.scale, Scale::Divide { by: 255.0 });
    assert_eq!(
        import.notes.iter().map(|n| n.code).collect::<Vec<_>>(),
        ["note-mnist"]
    );
    let params = nabla::graph::check(spec, None).params;
    assert_eq!(params, 421_642);
}

#[test]
fn slips_are_named_on_their_lines() {
    // The import of F is missing.
    let text = CNN.replace("import torch.nn.functional as F\n", "");
    let line = text.lines().position(|l| l.contains("F.relu")).unwrap() + 1;
    assert!(
        codes(&text).contains(&(Some(line), "note-import")),
        "{:?}",
        codes(&text)
    );
    // A softmax before CrossEntropyLoss.
    let text = CNN.replace("return self.fc2(x)", "return F.softmax(self.fc2(x), dim=1)");
    assert!(
        codes(&text).iter().any(|c| c.1 == "note-softmax-loss"),
        "{:?}",
        codes(&text)
    );
    assert_eq!(network(&read(&text).spec).last().unwrap(), "linear 10");
    // The width of a layer does not fit.
    let text = CNN.replace("nn.Linear(64 * 7 * 7, 128)", "nn.Linear(9216, 128)");
    let line = text.lines().position(|l| l.contains("9216")).unwrap() + 1;
    assert!(
        codes(&text).contains(&(Some(line), "note-width")),
        "{:?}",
        codes(&text)
    );
    // An unknown layer.
    let text = CNN.replace("nn.MaxPool2d(2, 2)", "nn.FractionalMaxPool2d(2)");
    let line = text.lines().position(|l| l.contains("Fractional")).unwrap() + 1;
    assert!(
        codes(&text).contains(&(Some(line), "note-layer")),
        "{:?}",
        codes(&text)
    );
}

#[test]
fn keras_for_mnist() {
    let import = read(
        "
from tensorflow.keras.datasets import mnist
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Dropout
from tensorflow.keras.utils import to_categorical

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train.reshape(60000, 784).astype('float32') / 255
x_test = x_test.reshape(10000, 784).astype('float32') / 255
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

model = Sequential()
model.add(Dense(512, activation='relu', input_shape=(784,)))
model.add(Dropout(0.5))
model.add(Dense(10, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
history = model.fit(x_train, y_train, batch_size=128, epochs=10, verbose=1, validation_split=0.1)
score = model.evaluate(x_test, y_test, verbose=0)
",
    );
    let (spec, want) = (import.spec, presets::find("mnist-mlp").unwrap());
    assert_eq!(spec.layers, want.layers);
    assert_eq!(spec.train, want.train);
    assert!(spec.data.flatten);
    assert_eq!(spec.data.split.validation, 0.1);
    assert_eq!(
        import.notes.iter().map(|n| n.code).collect::<Vec<_>>(),
        ["note-mnist"]
    );
}

#[test]
fn a_keras_functional_graph() {
    let import = read(
        "
import keras
from keras import layers
inputs = keras.Input(shape=(4,))
a = layers.Dense(8, activation='relu', name='a')(inputs)
b = layers.Dense(8, activation='tanh', name='b')(inputs)
both = layers.Concatenate(name='both')([a, b])
outputs = layers.Dense(3, activation='softmax')(both)
model = keras.Model(inputs, outputs)
from sklearn.datasets import load_iris
x, y = load_iris(return_X_y=True)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss='sparse_categorical_crossentropy')
model.fit(x, y, epochs=20, batch_size=16)
",
    );
    let spec = import.spec;
    assert_eq!(
        network(&spec),
        [
            "linear 8 Relu",
            "linear 8 Tanh",
            "Concatenate",
            "linear 3 Softmax"
        ]
    );
    assert_eq!(spec.layers[1].inputs, ["input"]);
    assert_eq!(spec.layers[2].inputs, ["a", "b"]);
    assert_eq!(
        spec.data.source,
        DataSource::Bundled {
            name: Bundled::Iris
        }
    );
    assert!(nabla::graph::check(&spec, None).ok);
}

#[test]
fn sequential_with_scikit_learn() {
    let import = read(
        "
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
import torch, torch.nn as nn
X, y = make_moons(n_samples=500, noise=0.2, random_state=42)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
X_train = torch.FloatTensor(X_train)
y_train = torch.FloatTensor(y_train).unsqueeze(1)
hidden = 16
layers = [nn.Linear(2, hidden), nn.ReLU()]
for _ in range(2):
    layers += [nn.Linear(hidden, hidden), nn.ReLU()]
net = nn.Sequential(*layers, nn.Linear(hidden, 1), nn.Sigmoid())
criterion = nn.BCELoss()
opt = torch.optim.Adam(net.parameters(), lr=1e-2, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=30, gamma=0.5)
batch_size = 32
for epoch in range(200):
    for i in range(0, len(X_train), batch_size):
        xb, yb = X_train[i:i+batch_size], y_train[i:i+batch_size]
        loss = criterion(net(xb), yb)
        opt.zero_grad(); loss.backward(); opt.step()
    sched.step()
",
    );
    let spec = import.spec;
    assert_eq!(
        network(&spec),
        [
            "linear 16",
            "Relu",
            "linear 16",
            "Relu",
            "linear 16",
            "Relu",
            "linear 1",
            "Sigmoid"
        ]
    );
    assert_eq!(
        spec.data.source,
        DataSource::Moons {
            samples: 500,
            noise: 0.2
        }
    );
    assert_eq!(spec.data.split.test, 0.2);
    assert_eq!((spec.train.epochs, spec.train.batch_size), (200, Some(32)));
    assert_eq!(
        spec.train.schedule,
        Schedule::Step {
            every: 30,
            gamma: 0.5
        }
    );
    assert!(nabla::graph::check(&spec, None).ok, "{:?}", import.notes);
}

#[test]
fn an_lstm_reads_its_last_step() {
    let text = "
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.lstm = nn.LSTM(input_size=28, hidden_size=hidden, num_layers=1, batch_first=True)
        self.fc = nn.Linear(hidden, 10)
    def forward(self, x):
        out, (h, c) = self.lstm(x)
        return self.fc(LAST)
from torchvision import datasets, transforms
data = datasets.MNIST('.', train=True, transform=transforms.ToTensor())
loader = torch.utils.data.DataLoader(data, batch_size=100, shuffle=True)
net = Net()
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.Adam(net.parameters())
for epoch in range(2):
    for x, y in loader:
        x = x.reshape(-1, 28, 28)
        loss = loss_fn(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
";
    for last in ["out[:, -1, :]", "out[:, -1]", "h[-1]"] {
        let import = read(&text.replace("LAST", last));
        assert_eq!(
            network(&import.spec),
            ["lstm 64 false", "linear 10"],
            "{last}"
        );
        assert!(
            nabla::graph::check(&import.spec, None).ok,
            "{last}: {:?}",
            import.notes
        );
    }
}

#[test]
fn broken_scripts_name_their_line() {
    for (text, line, code) in [
        ("import torch\nx = (1,\n", 3, "note-syntax"),
        ("def f(:\n    pass\n", 1, "note-syntax"),
        ("model = nn.Linear(1, 1)\nx = = 2\n", 2, "note-syntax"),
        ("x = 1\n\n  y = 2\n", 3, "note-syntax"),
    ] {
        let got = codes(text);
        assert_eq!(got.len(), 1, "{text:?}: {got:?}");
        assert_eq!(got[0].1, code, "{text:?}");
        let at = got[0].0.unwrap();
        assert!(at == line || at + 1 == line, "{text:?}: line {at}");
    }
    assert_eq!(codes("print('hello')\n"), [(None, "note-no-network")]);
    assert_eq!(codes(""), [(None, "note-no-network")]);
}

/// Class weights go out in either framework's own words and come back.
#[test]
fn class_weights_go_round() {
    let weights = Some(vec![0.5, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.25]);
    for (id, said) in [
        (
            "digits-mlp",
            "nn.CrossEntropyLoss(weight=torch.tensor(CLASS_WEIGHT, device=device))",
        ),
        ("mnist-mlp", "class_weight={0: 0.5, 1: 2.0, 2: 1.0"),
    ] {
        let mut spec = presets::find(id).unwrap();
        spec.train.class_weight = weights.clone();
        let script = super::script(&spec, spec.framework).unwrap();
        assert!(script.text.contains(said), "{}", script.text);
        let back = read(&script.text);
        assert_eq!(back.spec.train.class_weight, weights, "{id}");
    }
    // Two classes and one output: the weight of the positive class, or the mean of weighted losses.
    let mut two = presets::find("mlp-circles").unwrap();
    two.train.loss = Loss::BinaryCrossEntropy { from_logits: true };
    for (given, said) in [
        (
            vec![1.0, 4.0],
            "BCEWithLogitsLoss(pos_weight=torch.tensor(CLASS_WEIGHT[1:]",
        ),
        (
            vec![0.5, 4.0],
            "weighted(nn.BCEWithLogitsLoss(reduction=\"none\")",
        ),
    ] {
        two.train.class_weight = Some(given.clone());
        let script = super::script(&two, Framework::Pytorch).unwrap();
        assert!(script.text.contains(said), "{}", script.text);
        assert_eq!(read(&script.text).spec.train.class_weight, Some(given));
    }
    // What PyTorch divides by the weights' sum says so in Keras.
    let mut torch = presets::find("digits-mlp").unwrap();
    torch.train.class_weight = weights;
    let script = super::script(&torch, Framework::Keras).unwrap();
    assert!(
        script
            .text
            .contains("reduction=\"mean_with_sample_weight\""),
        "{}",
        script.text
    );
}
