//! Keras' layers and optimizers as the spec has them.
use super::torch_layers::{activation, float, size};
use super::value::*;
use serde_json::{Value as Json, json};

/// The spec's name of an activation of Keras.
fn function_of(v: Option<&Value>) -> Result<Option<&'static str>, &'static str> {
    let name = match v {
        None | Some(Value::None) => return Ok(None),
        Some(Value::Str(s)) => s.to_string(),
        Some(Value::Path(p)) => match &**p {
            "keras.ops.gelu" => return Ok(Some("gelu_tanh")),
            p => p.rsplit('.').next().unwrap_or_default().to_string(),
        },
        Some(Value::Lib(l)) => match l.kind() {
            "ReLU" => "relu".into(),
            "LeakyReLU" => "leaky_relu".into(),
            "ELU" => "elu".into(),
            "Softmax" => "softmax".into(),
            _ => return Err("note-activation"),
        },
        Some(_) => return Err("note-activation"),
    };
    Ok(Some(match name.as_str() {
        "linear" => return Ok(None),
        "relu" => "relu",
        "sigmoid" => "sigmoid",
        "tanh" => "tanh",
        "leaky_relu" => "leaky_relu",
        "elu" => "elu",
        "gelu" => "gelu",
        "silu" | "swish" => "silu",
        "softplus" => "softplus",
        "softmax" => "softmax",
        _ => return Err("note-activation"),
    }))
}

fn init_of(v: Option<&Value>) -> Option<Json> {
    let (name, lib) = match v? {
        Value::Str(s) => (s.to_string(), None),
        Value::Lib(l) => (l.kind().to_string(), Some(l)),
        Value::Path(p) => (p.rsplit('.').next()?.to_string(), None),
        _ => return None,
    };
    let number = |at, name, or: f64| {
        json!(
            lib.and_then(|l| l.arg(at, name))
                .and_then(Value::number)
                .unwrap_or(or) as f32
        )
    };
    Some(match name.to_lowercase().replace('_', "").as_str() {
        "zeros" => json!({"kind": "zeros"}),
        "ones" => json!({"kind": "ones"}),
        "constant" => json!({"kind": "constant", "value": number(0, "value", 0.0)}),
        "randomuniform" | "uniform" => {
            json!({"kind": "uniform", "low": number(0, "minval", -0.05), "high": number(1, "maxval", 0.05)})
        }
        "randomnormal" | "normal" => {
            json!({"kind": "normal", "mean": number(0, "mean", 0.0), "std": number(1, "stddev", 0.05)})
        }
        "truncatednormal" => {
            json!({"kind": "truncated_normal", "mean": number(0, "mean", 0.0), "std": number(1, "stddev", 0.05)})
        }
        "glorotuniform" | "xavieruniform" => json!({"kind": "glorot_uniform"}),
        "glorotnormal" => json!({"kind": "glorot_normal"}),
        "heuniform" => json!({"kind": "he_uniform"}),
        "henormal" => json!({"kind": "he_normal"}),
        "lecununiform" => json!({"kind": "lecun_uniform"}),
        "lecunnormal" => json!({"kind": "lecun_normal"}),
        "orthogonal" => json!({"kind": "orthogonal", "gain": number(0, "gain", 1.0)}),
        _ => return None,
    })
}

/// λ₁ and λ₂ of a regularizer.
pub(super) fn penalty_of(v: Option<&Value>) -> Option<(f64, f64)> {
    match v? {
        Value::Lib(l) => {
            let n = |at, name, or| l.arg(at, name).and_then(Value::number).unwrap_or(or);
            Some(match l.kind() {
                "L1" | "l1" => (n(0, "l1", 0.01), 0.0),
                "L2" | "l2" => (0.0, n(0, "l2", 0.01)),
                _ => (n(0, "l1", 0.0), n(1, "l2", 0.0)),
            })
        }
        Value::Str(s) => Some(match &**s {
            "l1" => (0.01, 0.0),
            "l2" => (0.0, 0.01),
            _ => (0.01, 0.01),
        }),
        _ => None,
    }
}

/// `conv2d` of `Conv2D`: Keras' own way from a class to a name.
pub(super) fn snake(kind: &str) -> String {
    match kind {
        "LSTM" => return "lstm".into(),
        "GRU" => return "gru".into(),
        "SimpleRNN" => return "simple_rnn".into(),
        "ReLU" => return "re_lu".into(),
        _ => {}
    }
    let mut out = String::new();
    let chars: Vec<char> = kind.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        if c.is_uppercase()
            && i > 0
            && (chars[i - 1].is_lowercase() || chars.get(i + 1).is_some_and(|n| n.is_lowercase()))
        {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

type Fields = Result<Json, &'static str>;

pub(super) fn fields(lib: &Lib) -> Fields {
    let arg = |at, name| lib.arg(at, name);
    let key = |name| lib.arg(usize::MAX, name);
    let whole = |at, name| {
        arg(at, name)
            .and_then(Value::int)
            .filter(|v| *v >= 0)
            .ok_or("note-argument")
    };
    let flag = |name, or| key(name).and_then(Value::truth).unwrap_or(or);
    let padding = |v: Option<&Value>| json!(v.and_then(Value::text).unwrap_or("valid"));
    let one = || json!(1);
    let rest = |map: &mut Json| -> Result<(), &'static str> {
        map["activation"] = json!(function_of(key("activation"))?);
        map["bias"] = json!(flag("use_bias", true));
        for (from, to) in [
            ("kernel_initializer", "weight_init"),
            ("bias_initializer", "bias_init"),
        ] {
            if let Some(v) = key(from) {
                map[to] = init_of(Some(v)).ok_or("note-initializer")?;
            }
        }
        Ok(())
    };
    let kind = lib.kind();
    Ok(match kind {
        "Dense" => {
            let mut map = json!({"kind": "linear", "units": whole(0, "units")?});
            rest(&mut map)?;
            map["activation"] = json!(function_of(arg(1, "activation"))?);
            map
        }
        "Conv1D" | "Conv2D" | "Conv2DTranspose" | "Convolution2D" => {
            let mut map = json!({
                "kind": match kind { "Conv1D" => "conv1d", "Conv2DTranspose" => "conv_transpose2d", _ => "conv2d" },
                "filters": whole(0, "filters")?,
                "kernel": size(arg(1, "kernel_size")).ok_or("note-argument")?,
                "stride": size(arg(2, "strides")).unwrap_or_else(one),
                "padding": padding(arg(3, "padding")),
                "dilation": size(key("dilation_rate")).unwrap_or_else(one),
                "groups": key("groups").and_then(Value::int).unwrap_or(1),
            });
            if kind == "Conv2DTranspose" {
                map["output_padding"] = size(key("output_padding")).unwrap_or(json!(0));
            }
            rest(&mut map)?;
            map
        }
        "MaxPooling1D" | "MaxPooling2D" | "AveragePooling1D" | "AveragePooling2D" | "MaxPool1D"
        | "MaxPool2D" | "AvgPool2D" | "AvgPool1D" => {
            let name = match (kind.contains("Max"), kind.ends_with("1D")) {
                (true, true) => "max_pool1d",
                (true, false) => "max_pool2d",
                (false, true) => "avg_pool1d",
                (false, false) => "avg_pool2d",
            };
            json!({
                "kind": name,
                "kernel": size(arg(0, "pool_size")).unwrap_or(json!(2)),
                "stride": size(arg(1, "strides")),
                "padding": padding(arg(2, "padding")),
            })
        }
        "GlobalAveragePooling2D" | "GlobalAveragePooling1D" | "GlobalAvgPool2D" => {
            json!({"kind": "global_avg_pool"})
        }
        "GlobalMaxPooling2D" | "GlobalMaxPooling1D" | "GlobalMaxPool2D" => {
            json!({"kind": "global_max_pool"})
        }
        "UpSampling2D" | "UpSampling1D" => {
            json!({"kind": "upsample", "factor": size(arg(0, "size")).unwrap_or(json!(2))})
        }
        "Dropout" | "SpatialDropout1D" | "SpatialDropout2D" => {
            json!({"kind": "dropout", "rate": float(arg(0, "rate")).ok_or("note-argument")?})
        }
        "Flatten" => json!({"kind": "flatten"}),
        "Reshape" => {
            let to: Vec<i64> = arg(0, "target_shape")
                .and_then(Value::items)
                .ok_or("note-argument")?
                .iter()
                .filter_map(Value::int)
                .collect();
            json!({"kind": "reshape", "shape": to})
        }
        "Add" => json!({"kind": "add"}),
        "Concatenate" => {
            json!({"kind": "concatenate", "axis": arg(0, "axis").and_then(Value::int).unwrap_or(-1)})
        }
        "BatchNormalization" => {
            let affine = flag("scale", true);
            // Both or neither.
            if lib
                .peek(usize::MAX, "center")
                .and_then(Value::truth)
                .unwrap_or(true)
                == affine
            {
                key("center");
            }
            json!({
                "kind": "batch_norm", "momentum": float(key("momentum")), "epsilon": float(key("epsilon")),
                "affine": affine,
            })
        }
        "LayerNormalization" | "RMSNormalization" => {
            let axes = key("axis").and_then(Value::items).map_or(1, |a| a.len());
            let name = if kind == "LayerNormalization" {
                "layer_norm"
            } else {
                "rms_norm"
            };
            let mut map = json!({"kind": name, "axes": axes, "epsilon": float(key("epsilon"))});
            if name == "layer_norm" {
                map["bias"] = json!(flag("center", true));
            }
            map
        }
        "Embedding" => {
            json!({"kind": "embedding", "vocab": whole(0, "input_dim")?, "dim": whole(1, "output_dim")?})
        }
        "NablaPositionalEmbedding" => json!({"kind": "positional_embedding"}),
        "NablaSampling" => {
            json!({"kind": "sampling", "kl": float(arg(0, "kl")).unwrap_or(json!(1.0))})
        }
        "LSTM" | "GRU" | "SimpleRNN" => {
            let mut map = json!({
                "kind": match kind { "LSTM" => "lstm", "GRU" => "gru", _ => "rnn" },
                "units": whole(0, "units")?,
                "return_sequences": flag("return_sequences", false),
            });
            if kind == "SimpleRNN" {
                map["activation"] = json!(function_of(key("activation"))?.unwrap_or("tanh"));
            }
            map
        }
        "Bidirectional" => match arg(0, "layer") {
            Some(Value::Lib(inner)) => {
                let mut map = fields(inner)?;
                map["bidirectional"] = json!(true);
                map
            }
            _ => return Err("note-argument"),
        },
        "MultiHeadAttention" => {
            arg(1, "key_dim");
            json!({"kind": "multi_head_attention", "heads": whole(0, "num_heads")?})
        }
        "Activation" => match function_of(arg(0, "activation"))? {
            Some(f) => activation(f, None),
            None => json!(null),
        },
        "ReLU" => activation("relu", None),
        "Softmax" => activation("softmax", None),
        "LeakyReLU" => activation(
            "leaky_relu",
            float(arg(0, "negative_slope").or(key("alpha"))),
        ),
        "ELU" => activation("elu", float(arg(0, "alpha"))),
        "Lambda" => {
            let step = matches!(arg(0, "function"), Some(Value::Func(_)));
            return Err(if step { "note-lambda" } else { "note-layer" });
        }
        "InputLayer" | "Rescaling" | "Permute" => json!(null),
        _ => return Err("note-layer"),
    })
}

/// The optimizer as the spec has it, and its clipping.
pub(super) fn optimizer(lib: &Lib) -> Option<(Json, Option<Json>)> {
    let key = |name: &str| lib.arg(usize::MAX, name).and_then(Value::number);
    let number = |name: &str, or: f64| json!(key(name).unwrap_or(or) as f32);
    let rate = |or: f64| match lib.arg(0, "learning_rate").or(lib.arg(usize::MAX, "lr")) {
        Some(Value::Lib(s)) => json!(
            s.arg(0, "initial_learning_rate")
                .and_then(Value::number)
                .unwrap_or(or) as f32
        ),
        v => json!(v.and_then(Value::number).unwrap_or(or) as f32),
    };
    let spec = match lib.kind() {
        "SGD" => json!({
            "kind": "sgd", "learning_rate": rate(0.01),
            "momentum": json!(lib.arg(1, "momentum").and_then(Value::number).unwrap_or(0.0) as f32),
            "nesterov": lib.arg(2, "nesterov").and_then(Value::truth).unwrap_or(false),
            "weight_decay": number("weight_decay", 0.0),
        }),
        "RMSprop" => json!({
            "kind": "rmsprop", "learning_rate": rate(0.001), "rho": number("rho", 0.9),
            "epsilon": number("epsilon", 1e-7), "momentum": number("momentum", 0.0),
            "weight_decay": number("weight_decay", 0.0),
        }),
        "Adagrad" => json!({
            "kind": "adagrad", "learning_rate": rate(0.001), "epsilon": number("epsilon", 1e-7),
            "initial_accumulator": number("initial_accumulator_value", 0.1),
            "weight_decay": number("weight_decay", 0.0),
        }),
        "Adam" | "AdamW" => {
            let w = lib.kind() == "AdamW";
            json!({
                "kind": if w { "adamw" } else { "adam" }, "learning_rate": rate(0.001),
                "beta1": number("beta_1", 0.9), "beta2": number("beta_2", 0.999),
                "epsilon": number("epsilon", 1e-7),
                "weight_decay": number("weight_decay", if w { 0.004 } else { 0.0 }),
            })
        }
        _ => return None,
    };
    let clip = match (key("clipvalue"), key("global_clipnorm").or(key("clipnorm"))) {
        (Some(v), _) => Some(json!({"kind": "value", "max": v as f32})),
        (_, Some(v)) => Some(json!({"kind": "global_norm", "max": v as f32})),
        _ => None,
    };
    Some((spec, clip))
}
