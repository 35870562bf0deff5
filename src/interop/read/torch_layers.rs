//! PyTorch's layers, losses and optimizers as the spec has them.
use super::value::*;
use serde_json::{Value as Json, json};

pub(super) fn usize_of(v: Option<&Value>) -> Option<usize> {
    v.and_then(Value::int).and_then(|v| usize::try_from(v).ok())
}

/// A size: one number, or rows and columns.
pub(super) fn size(v: Option<&Value>) -> Option<Json> {
    let v = v?;
    if let Some(n) = usize_of(Some(v)) {
        return Some(json!(n));
    }
    let all: Option<Vec<usize>> = v.items()?.iter().map(|v| usize_of(Some(v))).collect();
    match all?[..] {
        [n] => Some(json!(n)),
        [a, b] => Some(json!([a, b])),
        _ => None,
    }
}

pub(super) fn float(v: Option<&Value>) -> Option<Json> {
    v.and_then(Value::number).map(|v| json!(v as f32))
}

pub(super) fn truth(v: Option<&Value>, or: bool) -> bool {
    v.and_then(Value::truth).unwrap_or(or)
}

pub(super) fn activation(function: &str, alpha: Option<Json>) -> Json {
    json!({"kind": "activation", "function": function, "alpha": alpha})
}

/// Functions of `torch` and `torch.nn.functional` that are activations.
pub(super) fn function_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "relu" | "relu_" => "relu",
        "sigmoid" | "sigmoid_" => "sigmoid",
        "tanh" | "tanh_" => "tanh",
        "leaky_relu" => "leaky_relu",
        "elu" => "elu",
        "gelu" => "gelu",
        "silu" => "silu",
        "softplus" => "softplus",
        "softmax" => "softmax",
        _ => return None,
    })
}

/// Functions that stand for a layer or a loss.
pub(super) fn makes_layer(name: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "cat",
        "dropout",
        "interpolate",
        "log_softmax",
        "max_pool1d",
        "max_pool2d",
        "avg_pool1d",
        "avg_pool2d",
        "flatten",
    ];
    function_of(name).is_some() || loss_of_function(name).is_some() || OTHERS.contains(&name)
}

/// The fields of a layer and the width that it says it reads.
pub(super) fn fields(lib: &Lib) -> Result<(Json, Option<usize>), &'static str> {
    let arg = |at, name| lib.arg(at, name);
    let need = |at, name| usize_of(arg(at, name)).ok_or("note-argument");
    let pad = |v: Option<&Value>| match v {
        None => Some(json!("valid")),
        Some(v) => v.text().map(|t| json!(t)).or_else(|| match size(Some(v)) {
            Some(Json::Number(n)) if n.as_u64() == Some(0) => Some(json!("valid")),
            other => other,
        }),
    };
    let kind = lib.kind();
    Ok(match kind {
        "Linear" | "LazyLinear" => {
            let lazy = usize::from(kind == "LazyLinear");
            let units = need(1 - lazy, "out_features")?;
            let bias = truth(arg(2 - lazy, "bias"), true);
            let reads = if lazy == 1 {
                None
            } else {
                Some(need(0, "in_features")?)
            };
            (
                json!({"kind": "linear", "units": units, "bias": bias, "activation": null}),
                reads,
            )
        }
        "Conv1d" | "Conv2d" | "ConvTranspose2d" => {
            let reads = need(0, "in_channels")?;
            let mut map = json!({
                "kind": match kind { "Conv1d" => "conv1d", "Conv2d" => "conv2d", _ => "conv_transpose2d" },
                "filters": need(1, "out_channels")?,
                "kernel": size(arg(2, "kernel_size")).ok_or("note-argument")?,
                "stride": size(arg(3, "stride")).unwrap_or(json!(1)),
                "padding": pad(arg(4, "padding")).ok_or("note-argument")?,
                "activation": null,
            });
            if kind == "ConvTranspose2d" {
                map["output_padding"] = size(arg(5, "output_padding")).unwrap_or(json!(0));
                map["groups"] = json!(usize_of(arg(6, "groups")).unwrap_or(1));
                map["bias"] = json!(truth(arg(7, "bias"), true));
                map["dilation"] = size(arg(8, "dilation")).unwrap_or(json!(1));
            } else {
                map["dilation"] = size(arg(5, "dilation")).unwrap_or(json!(1));
                map["groups"] = json!(usize_of(arg(6, "groups")).unwrap_or(1));
                map["bias"] = json!(truth(arg(7, "bias"), true));
            }
            (map, Some(reads))
        }
        "MaxPool1d" | "MaxPool2d" | "AvgPool1d" | "AvgPool2d" => {
            let name = match kind {
                "MaxPool1d" => "max_pool1d",
                "MaxPool2d" => "max_pool2d",
                "AvgPool1d" => "avg_pool1d",
                _ => "avg_pool2d",
            };
            let stride = arg(1, "stride").filter(|v| !matches!(v, Value::None));
            (
                json!({
                    "kind": name,
                    "kernel": size(arg(0, "kernel_size")).ok_or("note-argument")?,
                    "stride": size(stride),
                    "padding": pad(arg(2, "padding")).ok_or("note-argument")?,
                }),
                None,
            )
        }
        "AdaptiveAvgPool2d" | "AdaptiveAvgPool1d" | "AdaptiveMaxPool2d" | "AdaptiveMaxPool1d" => {
            let one = match size(arg(0, "output_size")) {
                Some(Json::Array(a)) => a.iter().all(|v| v == 1),
                v => v == Some(json!(1)),
            };
            if !one {
                return Err("note-adaptive");
            }
            let name = if kind.contains("Avg") {
                "global_avg_pool"
            } else {
                "global_max_pool"
            };
            (json!({"kind": name}), None)
        }
        "Dropout" | "Dropout2d" | "Dropout1d" => {
            arg(1, "inplace");
            (
                json!({"kind": "dropout", "rate": float(arg(0, "p")).unwrap_or(json!(0.5))}),
                None,
            )
        }
        "Flatten" => {
            arg(1, "end_dim");
            match usize_of(arg(0, "start_dim")) {
                None | Some(1) => (json!({"kind": "flatten"}), None),
                Some(_) => return Err("note-argument"),
            }
        }
        "Unflatten" => {
            arg(0, "dim");
            let to: Option<Vec<usize>> = arg(1, "unflattened_size")
                .and_then(Value::items)
                .map(|i| i.iter().filter_map(|v| usize_of(Some(v))).collect());
            (
                json!({"kind": "reshape", "shape": to.ok_or("note-argument")?}),
                None,
            )
        }
        "Upsample" | "UpsamplingNearest2d" => {
            let factor = size(arg(1, "scale_factor")).ok_or("note-argument")?;
            (json!({"kind": "upsample", "factor": factor}), None)
        }
        "BatchNorm1d" | "BatchNorm2d" => (
            json!({
                "kind": "batch_norm",
                "epsilon": float(arg(1, "eps")),
                "momentum": float(arg(2, "momentum")),
                "affine": truth(arg(3, "affine"), true),
            }),
            Some(need(0, "num_features")?),
        ),
        "LayerNorm" | "RMSNorm" => {
            let shape = arg(0, "normalized_shape").ok_or("note-argument")?;
            let axes = shape.items().map_or(1, |i| i.len());
            let name = if kind == "LayerNorm" {
                "layer_norm"
            } else {
                "rms_norm"
            };
            let mut map = json!({"kind": name, "axes": axes, "epsilon": float(arg(1, "eps"))});
            if kind == "LayerNorm" {
                map["bias"] = json!(truth(arg(3, "bias"), true));
            }
            (map, None)
        }
        "Embedding" => (
            json!({"kind": "embedding", "vocab": need(0, "num_embeddings")?, "dim": need(1, "embedding_dim")?}),
            None,
        ),
        "RNN" | "LSTM" | "GRU" => {
            let mut map = json!({
                "kind": kind.to_lowercase(),
                "units": need(1, "hidden_size")?,
                "bidirectional": truth(lib.arg(usize::MAX, "bidirectional"), false),
                "return_sequences": true,
            });
            if kind == "RNN" {
                let f = lib
                    .arg(usize::MAX, "nonlinearity")
                    .and_then(Value::text)
                    .unwrap_or("tanh");
                map["activation"] = json!(f);
            }
            (map, Some(need(0, "input_size")?))
        }
        "MultiheadAttention" => (
            json!({"kind": "multi_head_attention", "heads": need(1, "num_heads")?, "causal": false}),
            Some(need(0, "embed_dim")?),
        ),
        "ReLU" => {
            arg(0, "inplace");
            (activation("relu", None), None)
        }
        "Sigmoid" => (activation("sigmoid", None), None),
        "Tanh" => (activation("tanh", None), None),
        "LeakyReLU" => (
            activation("leaky_relu", float(arg(0, "negative_slope"))),
            None,
        ),
        "ELU" => (activation("elu", float(arg(0, "alpha"))), None),
        "GELU" => {
            let f = match arg(0, "approximate").and_then(Value::text) {
                Some("tanh") => "gelu_tanh",
                _ => "gelu",
            };
            (activation(f, None), None)
        }
        "SiLU" => (activation("silu", None), None),
        "Softplus" => (activation("softplus", float(arg(0, "beta"))), None),
        "Softmax" => {
            if lib.peek(0, "dim").and_then(Value::int) != Some(0) {
                arg(0, "dim");
            }
            (activation("softmax", None), None)
        }
        "Identity" => (json!(null), None),
        _ => return Err("note-layer"),
    })
}

/// `LogSoftmax` belongs to the loss behind it.
pub(super) fn log_softmax(kind: &str) -> bool {
    kind == "LogSoftmax"
}

pub(super) fn loss_of(kind: &str) -> Option<Json> {
    Some(match kind {
        "MSELoss" => json!({"kind": "mse"}),
        "L1Loss" => json!({"kind": "mae"}),
        "HuberLoss" | "SmoothL1Loss" => json!({"kind": "huber", "delta": 1.0}),
        "CrossEntropyLoss" | "NLLLoss" => json!({"kind": "cross_entropy", "from_logits": true}),
        "BCEWithLogitsLoss" => json!({"kind": "binary_cross_entropy", "from_logits": true}),
        "BCELoss" => json!({"kind": "binary_cross_entropy", "from_logits": false}),
        _ => return None,
    })
}

pub(super) fn loss_of_function(name: &str) -> Option<Json> {
    loss_of(match name {
        "mse_loss" => "MSELoss",
        "l1_loss" => "L1Loss",
        "huber_loss" | "smooth_l1_loss" => "HuberLoss",
        "cross_entropy" => "CrossEntropyLoss",
        "nll_loss" => "NLLLoss",
        "binary_cross_entropy_with_logits" => "BCEWithLogitsLoss",
        "binary_cross_entropy" => "BCELoss",
        _ => return None,
    })
}

/// The optimizer as the spec has it; None for another one.
pub(super) fn optimizer(lib: &Lib) -> Option<Json> {
    let keyed = |name: &str| lib.arg(usize::MAX, name);
    let number =
        |name: &str, or: f64| json!(keyed(name).and_then(Value::number).unwrap_or(or) as f32);
    let rate = |or: f64| json!(lib.arg(1, "lr").and_then(Value::number).unwrap_or(or) as f32);
    lib.arg(0, "params");
    let betas = keyed("betas").and_then(Value::items).unwrap_or_default();
    let beta = |i: usize, or: f64| json!(betas.get(i).and_then(Value::number).unwrap_or(or) as f32);
    Some(match lib.kind() {
        "SGD" => json!({
            "kind": "sgd", "learning_rate": rate(1e-3),
            "momentum": json!(lib.arg(2, "momentum").and_then(Value::number).unwrap_or(0.0) as f32),
            "nesterov": truth(keyed("nesterov"), false), "weight_decay": number("weight_decay", 0.0),
        }),
        "RMSprop" => json!({
            "kind": "rmsprop", "learning_rate": rate(1e-2), "rho": number("alpha", 0.99),
            "epsilon": number("eps", 1e-8), "momentum": number("momentum", 0.0),
            "weight_decay": number("weight_decay", 0.0),
        }),
        "Adagrad" => json!({
            "kind": "adagrad", "learning_rate": rate(1e-2), "epsilon": number("eps", 1e-10),
            "initial_accumulator": number("initial_accumulator_value", 0.0),
            "weight_decay": number("weight_decay", 0.0),
        }),
        "Adam" | "AdamW" => {
            let w = lib.kind() == "AdamW";
            json!({
                "kind": if w { "adamw" } else { "adam" }, "learning_rate": rate(1e-3),
                "beta1": beta(0, 0.9), "beta2": beta(1, 0.999), "epsilon": number("eps", 1e-8),
                "weight_decay": number("weight_decay", if w { 0.01 } else { 0.0 }),
            })
        }
        _ => return None,
    })
}
