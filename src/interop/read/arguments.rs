//! Arguments that nothing asked for. Whatever reads a call asks for the arguments that it knows; one that is
//! left over is told on its line, unless its value says what happens anyway.
use super::machine::Machine;
use super::value::*;
use std::cell::{Cell, RefCell};

/// Which arguments of a call were asked for, by place and by name.
#[derive(Default)]
pub(super) struct Asked {
    places: Cell<u64>,
    names: RefCell<Vec<Box<str>>>,
}

impl Asked {
    pub fn see(&self, at: usize, name: &str) {
        if at < 64 {
            self.places.set(self.places.get() | 1 << at);
        }
        let mut names = self.names.borrow_mut();
        if !names.iter().any(|n| **n == *name) {
            names.push(name.into());
        }
    }

    fn place(&self, at: usize) -> bool {
        at >= 64 || self.places.get() >> at & 1 == 1
    }

    fn name(&self, name: &str) -> bool {
        self.names.borrow().iter().any(|n| **n == *name)
    }
}

/// Of no weight whatever they are: how a run is shown, stored, seeded and spread, and what shapes say anyway.
const ANY: &[&str] = &[
    "name",
    "device",
    "inplace",
    "verbose",
    "random_state",
    "seed",
    "generator",
    "download",
    "root",
    "metrics",
    "weighted_metrics",
    "validation_data",
    "validation_steps",
    "validation_batch_size",
    "validation_freq",
    "input_shape",
    "batch_input_shape",
    "input_dim",
    "input_length",
    "batch_size",
    "num_workers",
    "workers",
    "use_multiprocessing",
    "max_queue_size",
    "pin_memory",
    "pin_memory_device",
    "persistent_workers",
    "prefetch_factor",
    "timeout",
    "multiprocessing_context",
    "worker_init_fn",
    "jit_compile",
    "run_eagerly",
    "steps_per_execution",
    "auto_scale_loss",
    "foreach",
    "fused",
    "capturable",
    "differentiable",
    "need_weights",
    "average_attn_weights",
    "return_attention_scores",
    "requires_grad",
    "training",
    "out",
    "save_weights_only",
    "filepath",
    "as_frame",
    "path",
    "return_X_y",
    "num_classes",
    "sparse_output",
    "total_steps",
];

/// Names whose usual value is True.
const TRUE: &[&str] = &[
    "trainable",
    "elementwise_affine",
    "track_running_stats",
    "count_include_pad",
    "shuffle",
    "unit_forget_bias",
    "reset_after",
    "scale",
    "center",
    "bias",
    "use_bias",
    "affine",
    "keepdim",
    "copy",
    "endpoint",
];

/// Other values that say what happens anyway.
const USUAL: &[(&str, &str)] = &[
    ("padding_mode", "zeros"),
    ("reduction", "mean"),
    ("reduction", "none"),
    ("reduction", "sum_over_batch_size"),
    ("reduction", "mean_with_sample_weight"),
    ("data_format", "channels_last"),
    ("interpolation", "nearest"),
    ("mode", "nearest"),
    ("mode", "auto"),
    ("mode", "fan_in"),
    ("merge_mode", "concat"),
    ("kernel_initializer", "glorot_uniform"),
    ("recurrent_initializer", "orthogonal"),
    ("bias_initializer", "zeros"),
    ("embeddings_initializer", "uniform"),
    ("gamma_initializer", "ones"),
    ("beta_initializer", "zeros"),
    ("moving_mean_initializer", "zeros"),
    ("moving_variance_initializer", "ones"),
    ("activation", "tanh"),
    ("recurrent_activation", "sigmoid"),
    ("approximate", "none"),
    ("anneal_strategy", "cos"),
    ("threshold_mode", "rel"),
    ("save_freq", "epoch"),
    ("dtype", "float32"),
    ("ignore_index", "-100"),
    ("beta", "1"),
    ("dim", "-1"),
    ("dim", "1"),
    ("axis", "-1"),
    ("axis", "1"),
    ("start_dim", "1"),
    ("end_dim", "-1"),
    ("last_epoch", "-1"),
    ("norm_type", "2"),
    ("div_factor", "25"),
    ("final_div_factor", "10000"),
    ("dilation", "1"),
    ("dilation_rate", "1"),
    ("groups", "1"),
    ("num_layers", "1"),
    ("gain", "1"),
    ("threshold", "0.0001"),
    ("min_delta", "0.0001"),
    ("ema_momentum", "0.99"),
    ("n_features", "2"),
    ("index_from", "3"),
    ("start_char", "1"),
    ("oov_char", "2"),
];

/// Names for which nothing at all and zero are values that change what happens.
const COUNTS_AT_ZERO: &[&str] = &["padding_idx", "ignore_index", "ignore_class", "dim", "axis"];

/// Whether an argument changes nothing.
fn neutral(name: &str, value: &Value) -> bool {
    if ANY.contains(&name) {
        return true;
    }
    let usual = |text: &str| USUAL.contains(&(name, text));
    match value {
        Value::None => true,
        Value::Bool(given) => *given == TRUE.contains(&name),
        Value::Str(s) => usual(s),
        Value::Path(p) if name == "dtype" => !p.contains("64") && !p.contains("16"),
        Value::Int(0) => !COUNTS_AT_ZERO.contains(&name),
        v => match v.number() {
            Some(0.0) => !COUNTS_AT_ZERO.contains(&name),
            Some(n) => {
                let same = |(k, text): &(&str, &str)| *k == name && text.parse() == Ok(n);
                USUAL.iter().any(same)
            }
            // NumPy's and PyTorch's own kinds of numbers.
            None => name == "dtype",
        },
    }
}

impl<'a> Machine<'a> {
    /// Tells what nothing asked for of a layer, a loss, an optimizer and the like.
    pub fn unasked(&mut self, lib: &Lib<'a>) {
        let places = lib.args.iter().enumerate();
        let places = places
            .filter(|(i, _)| !lib.asked.place(*i))
            .map(|(i, v)| (format!("#{}", i + 1), v));
        let names = lib.kwargs.iter().filter(|(n, _)| !lib.asked.name(n));
        let all: Vec<String> = (places.chain(names.map(|(n, v)| (n.clone(), v))))
            .filter(|(n, v)| !neutral(n, v))
            .map(|(n, _)| n)
            .collect();
        self.tell(&all, lib.kind(), lib.line);
    }

    /// The same of a function's arguments by name; those by place are its own.
    pub fn unasked_named(&mut self, args: &super::calls::Args<'a>, of: &str, line: usize) {
        let names = args.named.iter().filter(|(n, _)| !args.asked.name(n));
        let all: Vec<String> = (names.filter(|(n, v)| !neutral(n, v)))
            .map(|(n, _)| n.clone())
            .collect();
        self.tell(&all, of.rsplit('.').next().unwrap_or_default(), line);
    }

    fn tell(&mut self, names: &[String], of: &str, line: usize) {
        for name in names {
            let args = [("name", name.clone()), ("of", of.to_string())];
            self.note(line, "note-unused", &args);
        }
    }
}
