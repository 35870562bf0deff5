//! Random networks of a framework: every kind of layer, in chains, with skip connections, side by side, in groups.
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
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
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

pub fn with(kind: &str, fields: Value) -> Value {
    let mut layer = json!({ "kind": kind });
    for (name, value) in fields.as_object().expect("fields") {
        layer[name] = value.clone();
    }
    layer
}

/// A network as it grows.
pub struct Draft<'r> {
    pub r: &'r mut Rng,
    pub keras: bool,
    pub layers: Vec<Value>,
}

impl Draft<'_> {
    /// Appends a layer and gives its id.
    pub fn push(&mut self, mut layer: Value) -> String {
        let id = format!(
            "{}{}",
            self.r.pick(&["a", "layer_", "h"]),
            self.layers.len()
        );
        layer["id"] = json!(id);
        self.layers.push(layer);
        id
    }

    pub fn add(&mut self, kind: &str, fields: Value) -> String {
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

    pub fn dense(&mut self) {
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

    pub fn image(&mut self) {
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
    pub fn line(&mut self) {
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
    pub fn sequence(&mut self, mut width: usize) {
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

    pub fn tokens(&mut self, vocab: usize) {
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
    pub fn code(&mut self, width: usize) {
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
    pub fn groups(&mut self) {
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
