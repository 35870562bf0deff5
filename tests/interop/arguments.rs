//! What a call is given and nothing here reads is told on its line; groups have the names of what laid them.
use super::snippets::{KERAS, TORCH, broken};
use nabla::interop::read;

fn notes(script: &str) -> Vec<(Option<usize>, String)> {
    let notes = match read::script(script) {
        Ok(import) => import.notes,
        Err(failed) => failed.notes,
    };
    notes
        .into_iter()
        .map(|n| (n.line, format!("{} {:?}", n.code, n.args)))
        .collect()
}

#[test]
fn arguments_that_nothing_reads_are_told() {
    let all = [
        (
            TORCH,
            "@loss",
            "loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)",
            "label_smoothing",
        ),
        (
            TORCH,
            "@loss",
            "loss_fn = nn.CrossEntropyLoss(ignore_index=0)",
            "ignore_index",
        ),
        (
            TORCH,
            "@loss",
            "loss_fn = nn.CrossEntropyLoss(reduction='sum')",
            "note-sum",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.RMSprop(net.parameters(), lr=0.01, centered=True)",
            "centered",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.Adam(net.parameters(), amsgrad=True)",
            "amsgrad",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.SGD(net.parameters(), 0.1, maximize=True)",
            "maximize",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.SGD(net.parameters(), 0.1, 0.9, 0.5)",
            "#4",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.Adam(net.parameters(), made_up=3)",
            "made_up",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 3, dtype=torch.float64))",
            "dtype",
        ),
        (
            KERAS,
            "@layer",
            "model.add(layers.Dense(8, bias_regularizer='l2'))",
            "bias_regularizer",
        ),
        (
            KERAS,
            "@layer",
            "model.add(layers.Dense(8, kernel_constraint=keras.constraints.MaxNorm(2)))",
            "kernel_constraint",
        ),
        (
            KERAS,
            "@layer",
            "model.add(layers.Dense(8, kernel_regularizer='l2'))",
            "note-penalty",
        ),
        (
            KERAS,
            "@layer",
            "model.add(layers.Dense(8, trainable=False))",
            "trainable",
        ),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer=keras.optimizers.Adam(use_ema=True), loss='mse')",
            "use_ema",
        ),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer=keras.optimizers.Adam(clipnorm=1.0), loss='mse')",
            "note-clipnorm",
        ),
        (
            KERAS,
            "@compile",
            "model.compile(optimizer='adam', loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1))",
            "label_smoothing",
        ),
        (
            KERAS,
            "@fit",
            "model.fit(X, y, epochs=3, sample_weight=y)",
            "sample_weight",
        ),
        (
            KERAS,
            "@fit",
            "model.fit(X, y, epochs=3, callbacks=[keras.callbacks.TensorBoard()])",
            "note-callback",
        ),
        (
            KERAS,
            "@fit",
            "model.fit(X, y, epochs=3, callbacks=[keras.callbacks.EarlyStopping(baseline=0.3)])",
            "baseline",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, mark, line, want) in all {
        let (script, number) = broken(text, mark, line);
        let got = notes(&script);
        if !got
            .iter()
            .any(|(at, told)| *at == Some(number) && told.contains(want))
        {
            wrong.push(format!("{line}: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn arguments_that_say_what_happens_anyway_are_silent() {
    let all = [
        (
            TORCH,
            "@loss",
            "loss_fn = nn.CrossEntropyLoss(label_smoothing=0.0, reduction='mean', ignore_index=-100)",
        ),
        (
            TORCH,
            "@optimizer",
            "optimizer = torch.optim.SGD(net.parameters(), 0.1, dampening=0, foreach=None, maximize=False)",
        ),
        (
            TORCH,
            "@model",
            "net = nn.Sequential(nn.Linear(4, 8, bias=True, device='cpu', dtype=torch.float32), nn.ReLU(True), nn.Linear(8, 3))",
        ),
        (
            KERAS,
            "@layer",
            "model.add(layers.Dense(8, activation='relu', name='first', trainable=True, bias_regularizer=None))",
        ),
        (
            KERAS,
            "@fit",
            "history = model.fit(X, y, epochs=3, verbose=1, initial_epoch=0, shuffle=True)",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, mark, line) in all {
        let (script, _) = broken(text, mark, line);
        let got = notes(&script);
        if got.iter().any(|(_, told)| told.contains("note-unused")) {
            wrong.push(format!("{line}: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Groups of the layers, in order; `-` is none.
fn groups(script: &str) -> Vec<String> {
    let import = read::script(script).unwrap_or_else(|e| panic!("{:?}", e.notes));
    let group = |l: &nabla::spec::LayerSpec| l.group.clone().unwrap_or("-".into());
    import.spec.layers.iter().map(group).collect()
}

#[test]
fn modules_inside_modules_are_groups() {
    let (script, _) = broken(
        TORCH,
        "@model",
        "\
class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.a = nn.Linear(n, n)
        self.b = nn.Linear(n, n)
    def forward(self, x):
        return x + self.b(torch.relu(self.a(x)))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.middle = Block(6)
        self.more = nn.ModuleList([Block(6), Block(6)])
        self.last = nn.Linear(6, 3)
    def forward(self, x):
        x = self.middle(self.first(x))
        for block in self.more:
            x = block(x)
        return self.last(x)
net = Net()",
    );
    assert_eq!(
        groups(&script),
        [
            "-", "middle", "middle", "middle", "block", "block", "block", "block2", "block2",
            "block2", "-"
        ]
    );
}

#[test]
fn functions_of_tensors_are_groups_in_keras() {
    let script = "\
import keras
from keras import layers
from sklearn.datasets import load_iris
def residual(x, units):
    y = layers.Dense(units, activation='relu')(x)
    y = layers.Dense(units)(y)
    return layers.Add()([x, y])
def build():
    inputs = keras.Input(shape=(4,))
    x = residual(inputs, 4)
    x = residual(x, 4)
    return keras.Model(inputs, layers.Dense(3, activation='softmax')(x))
X, y = load_iris(return_X_y=True)
model = build()
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy')
model.fit(X, y, epochs=3)
";
    assert_eq!(
        groups(script),
        [
            "residual",
            "residual",
            "residual",
            "residual2",
            "residual2",
            "residual2",
            "-"
        ]
    );
}
