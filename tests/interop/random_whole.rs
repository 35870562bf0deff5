//! Random data and settings around a random network.
use super::random_specs::{Draft, Rng, with};
use nabla::spec::*;
use serde_json::{Value, json};

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
