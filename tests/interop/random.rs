//! Random networks, data and settings as scripts and back, in both frameworks.
use nabla::graph;
use nabla::interop::{read, write};
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

fn function(r: &mut Rng) -> Value {
    let function = r.pick(&PLAIN);
    let mut layer = with("activation", json!({ "function": function }));
    if function == "leaky_relu" && r.chance(50) {
        layer["alpha"] = json!(r.pick(&[0.1, 0.05, 0.25]));
    }
    layer
}

/// An activation of the layer itself is Keras' way; PyTorch has a module of its own.
fn linear(r: &mut Rng, keras: bool, units: usize) -> Value {
    let mut layer = with("linear", json!({ "units": units, "bias": !r.chance(15) }));
    if keras && r.chance(50) {
        layer["activation"] =
            json!(r.pick(&["relu", "sigmoid", "tanh", "elu", "silu", "softplus"]));
    }
    if keras && r.chance(20) {
        layer["weight_init"] = json!({ "kind": r.pick(&["zeros", "ones"]) });
    }
    layer
}

fn normalisation(r: &mut Rng) -> Value {
    match r.below(3) {
        0 => with("batch_norm", json!({ "affine": !r.chance(20) })),
        1 => with(
            "batch_norm",
            json!({ "epsilon": 0.01, "momentum": r.pick(&[0.2, 0.9]) }),
        ),
        _ => with("layer_norm", json!({})),
    }
}

fn dense(r: &mut Rng, keras: bool, layers: &mut Vec<Value>) {
    for _ in 0..r.below(4) {
        let units = 1 + r.below(40);
        layers.push(linear(r, keras, units));
        if r.chance(50) {
            layers.push(function(r));
        }
        if r.chance(25) {
            layers.push(normalisation(r));
        }
        if r.chance(25) {
            layers.push(with(
                "dropout",
                json!({ "rate": r.pick(&[0.1, 0.25, 0.5]) }),
            ));
        }
    }
}

fn image(r: &mut Rng, keras: bool, layers: &mut Vec<Value>) {
    for _ in 0..1 + r.below(2) {
        let mut conv = with(
            "conv2d",
            json!({ "filters": 2 * (1 + r.below(4)), "kernel": r.pick(&[1, 2, 3]) }),
        );
        match (keras, r.below(3)) {
            (_, 0) => conv["padding"] = json!("same"),
            (false, 1) => conv["padding"] = json!(1),
            _ => {}
        }
        if r.chance(20) {
            conv["kernel"] = json!([3, 1]);
        }
        if conv.get("padding") != Some(&json!("same")) && r.chance(20) {
            conv["stride"] = json!(2);
        }
        if r.chance(15) {
            conv["bias"] = json!(false);
        }
        if keras && r.chance(50) {
            conv["activation"] = json!("relu");
        }
        layers.push(conv);
        if r.chance(60) {
            layers.push(function(r));
        }
        if r.chance(20) {
            layers.push(with("batch_norm", json!({})));
        }
        if r.chance(40) {
            let kind = r.pick(&["max_pool2d", "avg_pool2d"]);
            let mut pool = with(kind, json!({ "kernel": 2 }));
            if r.chance(30) {
                pool["stride"] = json!(1);
            }
            layers.push(pool);
        }
    }
    if r.chance(15) {
        layers.push(with("upsample", json!({ "factor": 2 })));
    }
    match r.below(4) {
        0 => layers.push(with("global_avg_pool", json!({}))),
        1 => layers.push(with("global_max_pool", json!({}))),
        _ => layers.push(with("flatten", json!({}))),
    }
    dense(r, keras, layers);
}

fn sequence(r: &mut Rng, keras: bool, layers: &mut Vec<Value>) {
    let kinds = ["rnn", "lstm", "gru"];
    for _ in 0..r.below(2) {
        let units = 2 + r.below(6);
        layers.push(with(
            r.pick(&kinds),
            json!({ "units": units, "return_sequences": true, "bidirectional": r.chance(30) }),
        ));
    }
    if r.chance(20) {
        layers.push(with("layer_norm", json!({})));
    }
    layers.push(with(
        r.pick(&kinds),
        json!({ "units": 2 + r.below(6), "bidirectional": r.chance(30) }),
    ));
    dense(r, keras, layers);
}

/// A spec of this framework, which may not pass the engine's check.
pub fn random(r: &mut Rng, framework: Framework) -> Value {
    let keras = framework == Framework::Keras;
    let n = 43 + 10 * r.below(20);
    let (noise, family) = (r.pick(&[0.1, 0.2, 0.05]), r.below(10));
    let (source, scale) = match family {
        0 => (
            json!({ "kind": "moons", "samples": n, "noise": noise }),
            "none",
        ),
        1 => (
            json!({ "kind": "circles", "samples": n, "noise": noise, "factor": r.pick(&[0.3, 0.5]) }),
            "none",
        ),
        2 => (
            json!({ "kind": "blobs", "samples": n, "centers": 2 + r.below(3), "std": r.pick(&[1.0, 2.5]) }),
            "none",
        ),
        3 => (
            json!({ "kind": "make_regression", "samples": n, "features": 1 + r.below(5), "noise": 10.0 }),
            r.pick(&["none", "standardize"]),
        ),
        4 => (
            json!({ "kind": "bundled", "name": "iris" }),
            r.pick(&["none", "standardize", "min_max"]),
        ),
        5 => (
            json!({ "kind": "bundled", "name": "breast_cancer" }),
            "standardize",
        ),
        6 => (
            json!({ "kind": "bundled", "name": "diabetes" }),
            r.pick(&["none", "min_max"]),
        ),
        7 => (
            json!({ "kind": "line", "samples": n, "slope": 3.0, "intercept": 2.0, "noise": noise }),
            "none",
        ),
        8 => (json!({ "kind": "bundled", "name": "digits" }), "divide"),
        _ => (
            json!({ "kind": "sine", "samples": n, "window": 8 + r.below(8), "period": 25.0, "noise": noise }),
            "none",
        ),
    };
    let scale = match scale {
        "divide" => json!({ "kind": "divide", "by": 16.0 }),
        kind => json!({ "kind": kind }),
    };
    let flatten = family == 8 && r.chance(30);
    let mut layers = Vec::new();
    match family {
        8 if !flatten => image(r, keras, &mut layers),
        9 => sequence(r, keras, &mut layers),
        _ => dense(r, keras, &mut layers),
    }
    // The head that the data ask for.
    let classes = match family {
        0 | 1 | 5 => 2,
        2 => source["centers"].as_u64().expect("a number"),
        4 => 3,
        8 => 10,
        _ => 0,
    };
    let (units, loss) = match classes {
        0 => (
            1,
            match r.below(3) {
                0 => json!({ "kind": "mse" }),
                1 => json!({ "kind": "mae" }),
                _ => json!({ "kind": "huber", "delta": r.pick(&[1.0, 0.5]) }),
            },
        ),
        2 if r.chance(60) => (
            1,
            json!({ "kind": "binary_cross_entropy", "from_logits": r.chance(50) }),
        ),
        k => (
            k,
            json!({ "kind": "cross_entropy", "from_logits": !keras || r.chance(30) }),
        ),
    };
    let end = match (loss["kind"].as_str(), loss["from_logits"].as_bool()) {
        (Some("binary_cross_entropy"), Some(false)) => Some("sigmoid"),
        (Some("cross_entropy"), Some(false)) => Some("softmax"),
        _ => None,
    };
    let mut head = with("linear", json!({ "units": units }));
    match (end, keras) {
        (Some(function), true) => head["activation"] = json!(function),
        (Some(function), false) => {
            layers.push(head);
            head = with("activation", json!({ "function": function }));
        }
        (None, _) => {}
    }
    layers.push(head);
    for (i, layer) in layers.iter_mut().enumerate() {
        layer["id"] = json!(format!("{}{}", r.pick(&["a", "layer_", "h"]), i));
    }
    let rate = r.pick(&[0.1, 0.01, 0.003]);
    let mut optimizer = json!(Optimizer::default_of(
        r.pick(&["sgd", "rmsprop", "adagrad", "adam", "adamw"]),
        framework
    ));
    optimizer["learning_rate"] = json!(rate);
    if optimizer["kind"] == "sgd" && r.chance(50) {
        optimizer["momentum"] = json!(0.9);
        optimizer["nesterov"] = json!(r.chance(40));
    }
    if r.chance(30) {
        optimizer["weight_decay"] = json!(0.01);
    }
    let epochs = 6 + r.below(20);
    let schedule = match r.below(9) {
        0 => json!({ "kind": "step", "every": 2 + r.below(3), "gamma": 0.5 }),
        1 => json!({ "kind": "exponential", "gamma": 0.95 }),
        2 => json!({ "kind": "cosine", "final_factor": r.pick(&[0.0, 0.1]) }),
        3 => json!({ "kind": "warmup", "epochs": r.pick(&[1.0, 2.0, 3.0]) }),
        4 if !keras => json!({ "kind": "one_cycle", "warmup": 0.3 }),
        _ => json!({ "kind": "constant" }),
    };
    let validation = r.pick(&[0.0, 0.1, 0.2]);
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
            "early_stopping": stopping,
        },
    })
}

/// Lines in which two specs differ.
fn difference(a: &Spec, b: &Spec) -> String {
    let (a, b) = (a.to_json(), b.to_json());
    let lines = a.lines().zip(b.lines()).filter(|(a, b)| a != b);
    let lines = lines
        .take(4)
        .map(|(a, b)| format!("{} → {}", a.trim(), b.trim()));
    lines.collect::<Vec<_>>().join("; ")
}

/// Specs that each framework is tried with.
const SPECS: usize = 300;

#[test]
fn random_specs_go_out_and_come_back() {
    for framework in [Framework::Pytorch, Framework::Keras] {
        let mut r = Rng(7);
        let (mut wrong, mut tried, mut kinds) = (Vec::new(), 0, std::collections::BTreeMap::new());
        for case in 0..SPECS * 4 {
            if tried == SPECS {
                break;
            }
            let json = random(&mut r, framework);
            let Ok(spec) = Spec::from_json(&json.to_string()) else {
                panic!(
                    "case {case}: {:?}",
                    Spec::from_json(&json.to_string()).unwrap_err()
                );
            };
            if !graph::check(&spec, None).ok {
                continue;
            }
            // What a framework has no words for is said, and is no case of this test.
            let Ok(script) = write::script(&spec, framework) else {
                continue;
            };
            tried += 1;
            for layer in json["layers"].as_array().expect("a list") {
                *kinds.entry(layer["kind"].to_string()).or_insert(0) += 1;
            }
            match read::script(&script.text) {
                Err(e) => wrong.push(format!("case {case}: {:?}", e.notes)),
                Ok(import) if import.spec != spec => wrong.push(format!(
                    "case {case}: {} {:?}",
                    difference(&spec, &import.spec),
                    import.notes.iter().map(|n| n.code).collect::<Vec<_>>()
                )),
                Ok(import) if !import.notes.is_empty() => {
                    wrong.push(format!("case {case}: {:?}", import.notes));
                }
                Ok(import) => {
                    let again =
                        write::script(&import.spec, framework).expect("it was written once");
                    assert_eq!(again.text, script.text, "case {case}");
                }
            }
        }
        println!("{framework:?}: {tried} specs, {kinds:?}");
        assert!(
            tried == SPECS,
            "{framework:?}: only {tried} could be written"
        );
        assert!(
            wrong.is_empty(),
            "{framework:?}: {} of {tried}\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}
