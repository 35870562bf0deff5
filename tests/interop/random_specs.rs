//! Random specs of a framework: every kind of layer, in chains, with skip connections, side by side, in groups.
use nabla::spec::*;
use serde_json::{Value, json};

/// SplitMix64, so that every case is the same in every run.
pub struct Rng(pub u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

const PLAIN: [&str; 9] = [
    "relu",
    "sigmoid",
    "tanh",
    "elu",
    "gelu",
    "silu",
    "softplus",
    "leaky_relu",
    "gelu_tanh",
];

fn with(kind: &str, fields: Value) -> Value {
    let mut layer = json!({ "kind": kind });
    for (name, value) in fields.as_object().expect("fields") {
        layer[name] = value.clone();
    }
    layer
}

/// A network as it grows.
struct Draft<'r> {
    r: &'r mut Rng,
    keras: bool,
    layers: Vec<Value>,
}

impl Draft<'_> {
    /// Appends a layer and gives its id.
    fn push(&mut self, mut layer: Value) -> String {
        let id = format!(
            "{}{}",
            self.r.pick(&["a", "layer_", "h"]),
            self.layers.len()
        );
        layer["id"] = json!(id);
        self.layers.push(layer);
        id
    }

    fn add(&mut self, kind: &str, fields: Value) -> String {
        self.push(with(kind, fields))
    }

    /// What the next layer would read.
    fn last(&self) -> String {
        let id = self.layers.last().map(|l| l["id"].as_str().expect("an id"));
        id.unwrap_or("input").to_string()
    }

    fn function(&mut self) {
        let function = self.r.pick(&PLAIN);
        let mut layer = with("activation", json!({ "function": function }));
        if function == "leaky_relu" && self.r.chance(50) {
            layer["alpha"] = json!(self.r.pick(&[0.1, 0.05, 0.25]));
        }
        self.push(layer);
    }

    fn dropout(&mut self) {
        let rate = self.r.pick(&[0.1, 0.25, 0.5]);
        self.add("dropout", json!({ "rate": rate }));
    }

    /// An activation of the layer itself is Keras' way; PyTorch has a module of its own.
    fn linear(&mut self, units: usize) -> String {
        let mut layer = with(
            "linear",
            json!({ "units": units, "bias": !self.r.chance(15) }),
        );
        if self.keras && self.r.chance(50) {
            layer["activation"] = json!(
                self.r
                    .pick(&["relu", "sigmoid", "tanh", "elu", "silu", "softplus"])
            );
        }
        match (self.r.below(10), self.keras) {
            (0, _) => layer["weight_init"] = json!({ "kind": self.r.pick(&["zeros", "ones"]) }),
            (1, _) => {
                layer["weight_init"] =
                    json!({ "kind": self.r.pick(&["he_normal", "glorot_normal", "lecun_uniform"]) })
            }
            (2, _) => {
                layer["weight_init"] = json!({ "kind": "uniform", "low": -0.5, "high": 0.25 })
            }
            (3, _) => layer["weight_init"] = json!({ "kind": "orthogonal", "gain": 2.0 }),
            _ => {}
        }
        self.push(layer)
    }

    fn normalisation(&mut self) {
        match self.r.below(4) {
            0 => {
                let affine = !self.r.chance(20);
                self.add("batch_norm", json!({ "affine": affine }));
            }
            1 => {
                let momentum = self.r.pick(&[0.2, 0.9]);
                self.add(
                    "batch_norm",
                    json!({ "epsilon": 0.01, "momentum": momentum }),
                );
            }
            _ => self.last_axis_norm(),
        }
    }

    fn last_axis_norm(&mut self) {
        match self.r.below(3) {
            0 => self.add("layer_norm", json!({})),
            1 => self.add("layer_norm", json!({ "epsilon": 0.01, "bias": false })),
            _ => self.add("rms_norm", json!({})),
        };
    }

    fn dense(&mut self) {
        for _ in 0..self.r.below(4) {
            let units = 1 + self.r.below(40);
            match self.r.below(6) {
                // A residual block: F(x) + x, sometimes with a third way.
                0 => {
                    let x = self.linear(units);
                    let mut ways = vec![x.clone()];
                    for _ in 0..1 + self.r.below(2) {
                        if self.layers.last().expect("one")["id"] != json!(x) {
                            self.add("linear", json!({ "units": units, "inputs": [x] }));
                        } else {
                            self.add("linear", json!({ "units": units }));
                        }
                        if self.r.chance(60) {
                            self.function();
                        }
                        ways.push(self.last());
                    }
                    if self.r.chance(50) {
                        ways.rotate_left(1);
                    }
                    self.add("add", json!({ "inputs": ways }));
                }
                // Branches side by side.
                1 => {
                    let x = self.last();
                    let mut ways = vec![self.linear(units)];
                    for _ in 0..1 + self.r.below(2) {
                        let more = 1 + self.r.below(8);
                        ways.push(self.add("linear", json!({ "units": more, "inputs": [x] })));
                    }
                    let axis = self.r.pick(&[-1, 1]);
                    self.add("concatenate", json!({ "inputs": ways, "axis": axis }));
                }
                _ => {
                    self.linear(units);
                }
            }
            if self.r.chance(50) {
                self.function();
            }
            if self.r.chance(25) {
                self.normalisation();
            }
            if self.r.chance(25) {
                self.dropout();
            }
        }
    }

    fn conv(&mut self, kind: &str, filters: usize) -> Value {
        let line = kind == "conv1d";
        let kernel = self.r.pick(&[1, 2, 3]);
        let mut conv = with(kind, json!({ "filters": filters, "kernel": kernel }));
        match (self.keras, self.r.below(3)) {
            (_, 0) => conv["padding"] = json!("same"),
            (false, 1) => conv["padding"] = json!(1),
            _ => {}
        }
        if !line && self.r.chance(20) {
            conv["kernel"] = json!([3, 1]);
        }
        if conv.get("padding") != Some(&json!("same")) && self.r.chance(20) {
            conv["stride"] = json!(2);
        } else if self.r.chance(10) {
            conv["dilation"] = json!(2);
        }
        if self.r.chance(15) {
            conv["bias"] = json!(false);
        }
        if self.keras && self.r.chance(50) {
            conv["activation"] = json!("relu");
        }
        conv
    }

    fn pool(&mut self, line: bool) {
        let kinds = match line {
            true => ["max_pool1d", "avg_pool1d"],
            false => ["max_pool2d", "avg_pool2d"],
        };
        let kind = self.r.pick(&kinds);
        let mut pool = with(kind, json!({ "kernel": 2 }));
        if self.r.chance(30) {
            pool["stride"] = json!(1);
        }
        if self.keras && self.r.chance(20) {
            pool["padding"] = json!("same");
        }
        self.push(pool);
    }

    fn image(&mut self) {
        for _ in 0..1 + self.r.below(2) {
            let filters = 2 * (1 + self.r.below(4));
            let conv = self.conv("conv2d", filters);
            let x = self.push(conv);
            match self.r.below(5) {
                // A residual block as networks of pictures have it.
                0 => {
                    self.add(
                        "conv2d",
                        json!({ "filters": filters, "kernel": 3, "padding": "same", "bias": false }),
                    );
                    self.add("batch_norm", json!({}));
                    self.function();
                    let y = self.last();
                    self.add("add", json!({ "inputs": [y, x] }));
                }
                1 => {
                    let y = self.add(
                        "conv2d",
                        json!({ "filters": 2, "kernel": 3, "padding": "same" }),
                    );
                    let axis = if self.keras { -1 } else { 1 };
                    self.add("concatenate", json!({ "inputs": [x, y], "axis": axis }));
                }
                2 => {
                    let mut up = with(
                        "conv_transpose2d",
                        json!({ "filters": 3, "kernel": 2, "stride": 2 }),
                    );
                    if self.r.chance(40) {
                        up["kernel"] = json!(3);
                        if !self.keras {
                            up["padding"] = json!(1);
                            up["output_padding"] = json!(1);
                        }
                    }
                    if self.keras && self.r.chance(40) {
                        up["padding"] = json!("same");
                    }
                    self.push(up);
                }
                _ => {}
            }
            if self.r.chance(60) {
                self.function();
            }
            if self.r.chance(20) {
                self.add("batch_norm", json!({}));
            }
            if self.r.chance(40) {
                self.pool(false);
            }
        }
        if self.r.chance(15) {
            self.add("upsample", json!({ "factor": 2 }));
        }
        self.end_of_channels();
        self.dense();
    }

    fn end_of_channels(&mut self) {
        match self.r.below(4) {
            0 => self.add("global_avg_pool", json!({})),
            1 => self.add("global_max_pool", json!({})),
            _ => self.add("flatten", json!({})),
        };
    }

    /// Convolutions along a line.
    fn line(&mut self) {
        for _ in 0..1 + self.r.below(2) {
            let filters = 2 * (1 + self.r.below(3));
            let conv = self.conv("conv1d", filters);
            self.push(conv);
            if self.r.chance(50) {
                self.function();
            }
            if self.r.chance(20) {
                self.add("batch_norm", json!({}));
            }
            if self.r.chance(30) {
                self.pool(true);
            }
        }
        self.end_of_channels();
        self.dense();
    }

    /// Attention over steps of `width` numbers, as a block or by itself.
    fn attention(&mut self, width: usize) {
        let heads = self.r.pick(&[1, 2]);
        let heads = if width.is_multiple_of(heads) {
            heads
        } else {
            1
        };
        let causal = self.r.chance(30);
        let attention = json!({ "heads": heads, "causal": causal });
        if self.r.chance(40) {
            self.add("multi_head_attention", attention);
            return;
        }
        let x = self.last();
        if x == "input" {
            self.add("multi_head_attention", attention);
        } else {
            self.add("layer_norm", json!({}));
            let y = self.add("multi_head_attention", attention);
            self.add("add", json!({ "inputs": [x, y] }));
        }
        if self.r.chance(60) {
            let x = self.last();
            self.last_axis_norm();
            self.linear(2 * width);
            self.function();
            let y = self.add("linear", json!({ "units": width }));
            let ways = if self.r.chance(50) { [x, y] } else { [y, x] };
            self.add("add", json!({ "inputs": ways }));
        }
    }

    /// Steps of `width` numbers.
    fn sequence(&mut self, mut width: usize) {
        let kinds = ["rnn", "lstm", "gru"];
        for _ in 0..self.r.below(3) {
            match self.r.below(3) {
                0 => {
                    let units = 2 + self.r.below(6);
                    let (kind, both) = (self.r.pick(&kinds), self.r.chance(30));
                    self.add(
                        kind,
                        json!({ "units": units, "return_sequences": true, "bidirectional": both }),
                    );
                    width = units * (1 + usize::from(both));
                }
                1 => {
                    width = 2 * (1 + self.r.below(4));
                    self.linear(width);
                }
                _ => self.attention(width),
            }
        }
        if self.r.chance(20) {
            self.last_axis_norm();
        }
        if self.r.chance(60) {
            let units = 2 + self.r.below(6);
            let (kind, both) = (self.r.pick(&kinds), self.r.chance(30));
            let mut cell = with(kind, json!({ "units": units, "bidirectional": both }));
            if kind == "rnn" && self.r.chance(40) {
                cell["activation"] = json!("relu");
            }
            self.push(cell);
        } else {
            self.end_of_channels();
        }
        self.dense();
    }

    fn tokens(&mut self, vocab: usize) {
        let dim = 2 * (1 + self.r.below(4));
        self.add("embedding", json!({ "vocab": vocab, "dim": dim }));
        if self.r.chance(50) {
            self.add("positional_embedding", json!({}));
        }
        match self.r.chance(30) {
            true => self.line(),
            false => self.sequence(dim),
        }
    }

    /// An autoencoder, often a variational one, of `width` numbers.
    fn code(&mut self, width: usize) {
        self.linear(12);
        self.function();
        let x = self.last();
        match self.r.chance(70) {
            true => {
                let mean = self.add("linear", json!({ "units": 2 }));
                let logvar = self.add("linear", json!({ "units": 2, "inputs": [x] }));
                let kl = self.r.pick(&[1.0, 0.015625, 0.25, 0.0]);
                self.add("sampling", json!({ "inputs": [mean, logvar], "kl": kl }));
            }
            false => {
                self.linear(2);
            }
        }
        self.linear(12);
        self.function();
        self.add("linear", json!({ "units": width }));
    }

    /// Some layers that stand side by side become groups.
    fn groups(&mut self) {
        let mut at = 0;
        let mut count = 0;
        while at < self.layers.len() {
            let end = (at + 1 + self.r.below(5)).min(self.layers.len());
            if self.r.chance(45) {
                count += 1;
                let name = format!("{}{count}", self.r.pick(&["block_", "Res", "enc_layer"]));
                for layer in &mut self.layers[at..end] {
                    layer["group"] = json!(name);
                }
            }
            at = end;
        }
    }
}

/// Samples: their source, how they are scaled, and whether they are flattened.
fn data(r: &mut Rng, family: usize) -> (Value, Value, bool) {
    let n = 43 + 10 * r.below(20);
    let noise = r.pick(&[0.1, 0.2, 0.05]);
    let kind = |name: &str| json!({ "kind": name });
    let scale = match family {
        3 => kind(r.pick(&["none", "standardize"])),
        4 => kind(r.pick(&["none", "standardize", "min_max"])),
        5 => kind("standardize"),
        6 => kind(r.pick(&["none", "min_max"])),
        8 | 11 | 12 => json!({ "kind": "divide", "by": 16.0 }),
        _ => kind("none"),
    };
    let source = match family {
        0 => json!({ "kind": "moons", "samples": n, "noise": noise }),
        1 => {
            json!({ "kind": "circles", "samples": n, "noise": noise, "factor": r.pick(&[0.3, 0.5]) })
        }
        2 => {
            json!({ "kind": "blobs", "samples": n, "centers": 2 + r.below(3), "std": r.pick(&[1.0, 2.5]) })
        }
        3 => {
            json!({ "kind": "make_regression", "samples": n, "features": 1 + r.below(5), "noise": 10.0 })
        }
        4 => json!({ "kind": "bundled", "name": "iris" }),
        5 => json!({ "kind": "bundled", "name": "breast_cancer" }),
        6 => json!({ "kind": "bundled", "name": "diabetes" }),
        7 => {
            json!({ "kind": "line", "samples": n, "slope": 3.0, "intercept": 2.0, "noise": noise })
        }
        9 => {
            json!({ "kind": "sine", "samples": n, "window": 8 + r.below(8), "period": 25.0, "noise": noise })
        }
        10 => {
            let row = |r: &mut Rng| (0..7).map(|_| r.below(VOCAB) as f32).collect::<Vec<_>>();
            let x: Vec<Vec<f32>> = (0..30).map(|_| row(r)).collect();
            let y: Vec<[f32; 1]> = (0..30).map(|i| [(i % 3) as f32]).collect();
            json!({ "kind": "points", "x": x, "y": y, "classes": 3 })
        }
        _ => json!({ "kind": "bundled", "name": "digits" }),
    };
    let flatten = family == 12 || family == 8 && r.chance(30);
    (source, scale, flatten)
}

/// Words of the token ids.
const VOCAB: usize = 9;
pub const FAMILIES: usize = 13;

/// A spec of this framework, which may not pass the engine's check.
pub fn random(r: &mut Rng, framework: Framework) -> Value {
    let keras = framework == Framework::Keras;
    let family = r.below(FAMILIES);
    let (source, scale, flatten) = data(r, family);
    let mut net = Draft {
        r,
        keras,
        layers: Vec::new(),
    };
    match family {
        8 if !flatten => net.image(),
        8 if net.r.chance(40) => {
            net.add("reshape", json!({ "shape": [4, 16] }));
            net.sequence(16);
        }
        9 => net.sequence(1),
        10 => net.tokens(VOCAB),
        11 => match net.r.below(3) {
            0 => net.line(),
            _ => net.sequence(8),
        },
        12 => net.code(64),
        _ => net.dense(),
    }
    // The head that the data ask for.
    let classes = match family {
        0 | 1 | 5 => 2,
        2 => source["centers"].as_u64().expect("a number"),
        4 | 10 => 3,
        8 | 11 => 10,
        _ => 0,
    };
    let itself = family == 12;
    let (units, loss) = match classes {
        0 if itself && net.r.chance(50) => (
            0,
            json!({ "kind": "binary_cross_entropy", "from_logits": net.r.chance(50) }),
        ),
        0 => (
            u64::from(!itself),
            match net.r.below(3) {
                0 => json!({ "kind": "mse" }),
                1 => json!({ "kind": "mae" }),
                _ => json!({ "kind": "huber", "delta": net.r.pick(&[1.0, 0.5]) }),
            },
        ),
        2 if net.r.chance(15) => (1, json!({ "kind": "hinge" })),
        2 if net.r.chance(60) => (
            1,
            json!({ "kind": "binary_cross_entropy", "from_logits": net.r.chance(50) }),
        ),
        k => (
            k,
            json!({ "kind": "cross_entropy", "from_logits": !keras || net.r.chance(30) }),
        ),
    };
    let end = match (loss["kind"].as_str(), loss["from_logits"].as_bool()) {
        (Some("binary_cross_entropy"), Some(false)) => Some("sigmoid"),
        (Some("cross_entropy"), Some(false)) => Some("softmax"),
        _ => None,
    };
    if units > 0 {
        let mut head = with("linear", json!({ "units": units }));
        if let (Some(function), true) = (end, keras) {
            head["activation"] = json!(function);
        }
        net.push(head);
    }
    if let (Some(function), true) = (end, units == 0 || !keras) {
        net.add("activation", json!({ "function": function }));
    }
    if net.r.chance(50) {
        net.groups();
    }
    let layers = std::mem::take(&mut net.layers);
    let mut optimizer = json!(Optimizer::default_of(
        r.pick(&["sgd", "rmsprop", "adagrad", "adam", "adamw"]),
        framework
    ));
    optimizer["learning_rate"] = json!(r.pick(&[0.1, 0.01, 0.003]));
    if optimizer["kind"] == "sgd" && r.chance(50) {
        optimizer["momentum"] = json!(0.9);
        optimizer["nesterov"] = json!(r.chance(40));
    }
    if r.chance(30) {
        optimizer["weight_decay"] = json!(0.01);
    }
    let epochs = 6 + r.below(20);
    let validation = r.pick(&[0.0, 0.1, 0.2]);
    let schedule = match r.below(10) {
        0 => json!({ "kind": "step", "every": 2 + r.below(3), "gamma": 0.5 }),
        1 => json!({ "kind": "exponential", "gamma": 0.95 }),
        2 => json!({ "kind": "cosine", "final_factor": r.pick(&[0.0, 0.1]) }),
        3 => json!({ "kind": "warmup", "epochs": r.pick(&[1.0, 2.0, 3.0]) }),
        4 => json!({ "kind": "one_cycle", "warmup": 0.3 }),
        5 if validation > 0.0 => {
            json!({ "kind": "plateau", "monitor": "val_loss", "factor": 0.5, "patience": 3, "least": 0.0 })
        }
        _ => json!({ "kind": "constant" }),
    };
    let clip = match r.below(5) {
        0 => json!({ "kind": "value", "max": 0.5 }),
        1 => json!({ "kind": "global_norm", "max": 1.0 }),
        _ => json!({ "kind": "none" }),
    };
    let stopping = (validation > 0.0 && r.chance(30)).then(|| {
        json!({ "monitor": "val_loss", "patience": 1 + r.below(5), "min_delta": 0.0, "restore_best": r.chance(50) })
    });
    json!({
        "version": 1,
        "name": r.pick(&["", "mine", "a-name"]),
        "framework": if keras { "keras" } else { "pytorch" },
        "seed": r.below(100),
        "data": {
            "source": source,
            "split": { "test": r.pick(&[0.0, 0.2, 0.25]), "validation": validation, "shuffle": true },
            "scale": scale,
            "flatten": flatten,
            "target": if itself { "input" } else { "labels" },
        },
        "layers": layers,
        "train": {
            "loss": loss,
            "optimizer": optimizer,
            "batch_size": r.pick(&[json!(16), json!(32), json!(50), Value::Null]),
            "epochs": epochs,
            "shuffle": !r.chance(15),
            "schedule": schedule,
            "clip": clip,
            "l1": if r.chance(10) { 0.001 } else { 0.0 },
            "l2": if r.chance(10) { 0.01 } else { 0.0 },
            "early_stopping": stopping,
        },
    })
}
