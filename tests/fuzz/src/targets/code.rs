//! Pasted scripts.
use super::super::mutate::mutate;
use super::{MARKS, Target};
use nabla::interop::{read, write};
use nabla::spec::{Framework, presets};

pub const CODE: Target = Target {
    name: "code",
    corpus: scripts,
    words: &[MARKS, PYTHON],
    change: mutate,
    run: read_code,
    memory: (96 << 20, 4096),
    share: 12,
};

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
    "(",
    ")",
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
