//! Functions that a script brings along where no library has them. The reader knows them again by
//! their very text, so that what it then means is certain.

/// One of them.
pub struct Helper {
    pub name: &'static str,
    /// Imports that it needs.
    pub imports: &'static [&'static str],
    pub text: &'static str,
}

pub const XOR: Helper = Helper {
    name: "make_xor",
    imports: &["import numpy as np"],
    text: "\
def make_xor(samples, noise, seed):
    \"\"\"Points of a square, with the class of the diagonal they lie on.\"\"\"
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (samples, 2))
    y = (x[:, 0] * x[:, 1] < 0).astype(int)
    return x + noise * rng.standard_normal(x.shape), y",
};

pub const SPIRALS: Helper = Helper {
    name: "make_spirals",
    imports: &["import numpy as np"],
    text: "\
def make_spirals(samples, arms, turns, noise, seed):
    \"\"\"Interleaved spirals, one class each.\"\"\"
    rng = np.random.default_rng(seed)
    y = np.sort(np.arange(samples) % arms)
    radius = np.concatenate([np.arange(1, n + 1) / n for n in np.bincount(y)])
    angle = 2 * np.pi * (y / arms + turns * radius)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    order = rng.permutation(samples)
    return (x + noise * rng.standard_normal(x.shape))[order], y[order]",
};

pub const SEPARABLE: Helper = Helper {
    name: "make_separable",
    imports: &["import numpy as np"],
    text: "\
def make_separable(samples, margin, seed):
    \"\"\"Points of a square on either side of a line, none nearer to it than the margin.\"\"\"
    rng = np.random.default_rng(seed)
    angle, shift = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
    normal = np.array([np.cos(angle), np.sin(angle)])
    x = rng.uniform(-1, 1, (100 * samples, 2))
    side = x @ normal - shift
    far = np.flatnonzero(np.abs(side) >= margin)[:samples]
    return x[far], (side[far] > 0).astype(int)",
};

pub const IRIS_PAIR: Helper = Helper {
    name: "load_iris_pair",
    imports: &["from sklearn.datasets import load_iris"],
    text: "\
def load_iris_pair():
    \"\"\"Versicolor and virginica by length and width of their petals.\"\"\"
    iris = load_iris()
    return iris.data[50:, 2:], iris.target[50:] - 1",
};

pub const SINE: Helper = Helper {
    name: "make_sine",
    imports: &["import numpy as np"],
    text: "\
def make_sine(samples, window, period, noise, seed):
    \"\"\"Windows of a noisy sine, and the value after each.\"\"\"
    rng = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * np.arange(samples + window) / period)
    wave += noise * rng.standard_normal(wave.shape)
    x = np.stack([wave[i : i + window] for i in range(samples)])
    return x[:, :, None], wave[window:]",
};

pub const PERCEPTRON: Helper = Helper {
    name: "perceptron_loss",
    imports: &[],
    text: "\
def perceptron_loss(output, target):
    \"\"\"(ŷ − y)·z with ŷ = step(z): its gradient is the perceptron's rule.\"\"\"
    return (((output > 0).float() - target) * output).mean()",
};

pub const KERAS_PERCEPTRON: Helper = Helper {
    name: "perceptron_loss",
    imports: &["import keras"],
    text: "\
def perceptron_loss(target, output):
    \"\"\"(ŷ − y)·z with ŷ = step(z): its gradient is the perceptron's rule.\"\"\"
    return (keras.ops.cast(output > 0, output.dtype) - target) * output",
};

pub const ENLARGE: Helper = Helper {
    name: "enlarge",
    imports: &["import numpy as np"],
    text: "\
def enlarge(images):
    \"\"\"8×8 digits of 0…16 as 28×28 of 0…255: 20×20 by bicubic interpolation, the mass in the middle.\"\"\"
    t = np.abs((np.arange(20)[:, None] + 0.5) * 0.4 - 0.5 - np.arange(8))
    near, far = ((1.5 * t - 2.5) * t) * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2
    w = np.where(t < 1, near, np.where(t < 2, far, 0)).astype(np.float32)
    boxes = np.clip(w @ images.astype(np.float32) @ w.T * (255 / 16) + 0.5, 0, 255).astype(np.uint8)
    out = np.zeros((len(images), 28, 28), np.uint8)
    for box, image in zip(boxes.astype(int), out):
        mass = max(box.sum(), 1)
        dy, dx = (14 - (2 * (box.sum(axis=a) @ np.arange(20)) + mass) // (2 * mass) for a in (1, 0))
        dy, dx = np.clip([dy, dx], 0, 8)
        image[dy : dy + 20, dx : dx + 20] = box
    return out",
};

pub const READ_IDX: Helper = Helper {
    name: "read_idx",
    imports: &["import gzip", "import numpy as np", "import os"],
    text: "\
def read_idx(name):
    \"\"\"An array from one of MNIST's files, gzipped or not.\"\"\"
    name = name if os.path.exists(name) else name + \".gz\"
    with (gzip.open if name.endswith(\".gz\") else open)(name, \"rb\") as file:
        data = file.read()
    shape = np.frombuffer(data, \">u4\", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)",
};

pub const HINGE: Helper = Helper {
    name: "hinge_loss",
    imports: &["import torch.nn.functional as F"],
    text: "\
def hinge_loss(output, target):
    \"\"\"mean(max(0, 1 − y·ŷ)), where classes 0 and 1 count as −1 and +1.\"\"\"
    return F.relu(1 - (2 * target - 1) * output).mean()",
};

pub const WEIGHTED: Helper = Helper {
    name: "weighted",
    imports: &["import torch"],
    text: "\
def weighted(criterion, weights):
    \"\"\"The mean of each sample's loss times the weight of its class.\"\"\"
    return lambda output, y: (criterion(output, y).flatten() * weights[y.flatten().long()]).mean()",
};

pub const NLL: Helper = Helper {
    name: "cross_entropy",
    imports: &["import torch.nn.functional as F"],
    text: "\
def cross_entropy(probabilities, target):
    \"\"\"−log p(class), from probabilities.\"\"\"
    p = probabilities / probabilities.sum(dim=-1, keepdim=True)
    return F.nll_loss(p.clamp(1e-7, 1 - 1e-7).log(), target)",
};

pub const POSITIONS: Helper = Helper {
    name: "PositionalEmbedding",
    imports: &["import keras", "from keras import layers"],
    text: "\
@keras.saving.register_keras_serializable()
class PositionalEmbedding(layers.Layer):
    \"\"\"Adds one learned row for each step.\"\"\"

    def build(self, shape):
        self.embeddings = self.add_weight(name=\"embeddings\", shape=shape[1:], initializer=\"uniform\")

    def call(self, x):
        return x + self.embeddings",
};

pub const SAMPLING: Helper = Helper {
    name: "Sampling",
    imports: &["import keras", "from keras import layers"],
    text: "\
@keras.saving.register_keras_serializable()
class Sampling(layers.Layer):
    \"\"\"mean + ε·exp(½·logvar) while training; adds the divergence from N(0, 1) to the loss.\"\"\"

    def __init__(self, kl, **kwargs):
        super().__init__(**kwargs)
        self.kl = kl
        self.noise = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        mean, logvar = inputs
        ops = keras.ops
        terms = 1 + logvar - ops.square(mean) - ops.exp(logvar)
        self.add_loss(self.kl * -0.5 * ops.mean(ops.sum(terms, axis=-1)))
        if not training:
            return mean
        return mean + keras.random.normal(ops.shape(mean), seed=self.noise) * ops.exp(0.5 * logvar)

    def get_config(self):
        return {**super().get_config(), \"kl\": self.kl}",
};

pub const RATE: Helper = Helper {
    name: "RateByStep",
    imports: &["import keras"],
    text: "\
class RateByStep(keras.callbacks.Callback):
    \"\"\"Sets the learning rate before every step: `factor(step)` times the optimizer's own.\"\"\"

    def __init__(self, factor):
        super().__init__()
        self.factor, self.step = factor, 0

    def on_train_begin(self, logs=None):
        self.rate = float(self.model.optimizer.learning_rate)

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = self.rate * self.factor(self.step)
        self.step += 1",
};

pub const ONE_CYCLE: Helper = Helper {
    name: "one_cycle",
    imports: &["import math"],
    text: "\
def one_cycle(step, total, warmup):
    \"\"\"Up from 1/25 to 1 over `warmup` of all steps, then down to almost 0, both as half cosines.\"\"\"
    peak, end = warmup * total - 1, total - 1
    rising = step <= peak and peak > 0
    first, last = (1 / 25, 1) if rising else (1, 1 / 250_000)
    at = step / peak if rising else (step - peak) / max(end - peak, 1)
    return last + (first - last) / 2 * (1 + math.cos(math.pi * at))",
};

/// All of them, for the reader.
#[allow(dead_code, reason = "until it is here")]
pub const ALL: &[&Helper] = &[
    &XOR,
    &SPIRALS,
    &SEPARABLE,
    &SINE,
    &IRIS_PAIR,
    &PERCEPTRON,
    &KERAS_PERCEPTRON,
    &ENLARGE,
    &READ_IDX,
    &HINGE,
    &NLL,
    &WEIGHTED,
    &POSITIONS,
    &SAMPLING,
    &RATE,
    &ONE_CYCLE,
];
