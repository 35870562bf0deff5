//! The Keras 3 script.
use super::data::{self, Needs};
use super::groups::{self, Row};
use super::helpers;
use super::keras_layers as keras;
use super::lines::{Lines, num, short, tuple};
use super::net::{From, Net};
use super::unsupported;
use crate::spec::*;

pub(super) fn script(net: &Net, out: &mut Lines) -> Result<(), Problem> {
    let spec = net.spec;
    let mut needs = Needs::default();
    needs.import("import keras");
    needs.import("from keras import layers");
    let made = layers(net, &mut needs)?;
    let (suffix, shape) = input(net)?;
    let loads = data::write(net, &mut needs, suffix)?;
    let callback = schedule(&spec.train, &mut needs);
    let name = if spec.name.is_empty() {
        "network"
    } else {
        &spec.name
    };
    out.line(
        0,
        format!(
            "\"\"\"{} · Keras 3, from Nabla.\"\"\"",
            name.replace(['\\', '"'], "'")
        ),
    );
    out.line(0, "");
    needs.write(out);
    out.all(0, &["", ""]);
    out.line(0, format!("SEED = {}", spec.seed));
    out.line(0, format!("EPOCHS = {}", spec.train.epochs));
    match spec.train.batch_size {
        Some(n) => out.line(0, format!("BATCH_SIZE = {n}")),
        None => out.line(0, "BATCH_SIZE = None  # all samples at once"),
    }
    penalties(&spec.train, out);
    out.part();
    model(net, &made, &shape, "", out);
    out.part();
    out.line(0, "def load_data():");
    out.line(
        1,
        "\"\"\"The parts of the data by name: inputs and targets.\"\"\"",
    );
    for line in &loads {
        out.line(1, line);
    }
    out.part();
    main(net, callback, out)?;
    out.part();
    out.all(0, &["if __name__ == \"__main__\":", "    main()"]);
    Ok(())
}

/// The expressions of each layer.
pub(super) fn layers(net: &Net, needs: &mut Needs) -> Result<Vec<Vec<String>>, Problem> {
    let mut made = Vec::new();
    for i in 0..net.spec.layers.len() {
        made.push(keras::layer(net, i, needs)?);
    }
    if net.spec.train.loss == Loss::Perceptron {
        needs.helper(&helpers::KERAS_PERCEPTRON);
    }
    Ok(made)
}

pub(super) fn penalties(t: &TrainSpec, out: &mut Lines) {
    if t.l1 != 0.0 || t.l2 != 0.0 {
        let (l1, l2) = (num(t.l1), num(t.l2));
        out.line(
            0,
            format!("PENALTY = keras.regularizers.L1L2(l1={l1}, l2={l2})"),
        );
    }
}

/// `build_model()` with these arguments.
pub(super) fn model(
    net: &Net,
    made: &[Vec<String>],
    shape: &[usize],
    arguments: &str,
    out: &mut Lines,
) {
    // Attention reads its input more than once; a group is a function on tensors.
    let plain = |l: &LayerSpec| {
        let attends = matches!(l.kind, LayerKind::MultiHeadAttention { .. });
        !attends && (l.group.is_none() || !arguments.is_empty())
    };
    let head = format!("def build_model({arguments}):");
    if net.is_chain() && net.spec.layers.iter().all(plain) {
        out.line(0, head);
        return sequential(net, made, shape, out);
    }
    let mut last = From::Layer(made.len() - 1);
    while let From::Layer(i) = last
        && made[i].is_empty()
    {
        last = net.inputs(i)[0];
    }
    let rows = match arguments {
        "" => {
            let kept = |i: &usize| net.kept(From::Layer(*i));
            let names = (0..made.len()).filter(kept).map(|i| &net.names[i][..]);
            let names: Vec<&str> = names.collect();
            groups::rows(net, |i| !made[i].is_empty(), &[last], &names)
        }
        _ => groups::without(net),
    };
    for row in &rows {
        let Row::Group(group) = row else { continue };
        out.line(
            0,
            format!("def {}({}):", group.name, variables(net, &group.inputs)),
        );
        for i in group.range.clone() {
            layer(net, i, &made[i], out);
        }
        out.line(1, format!("return {}", variables(net, &group.outputs)));
        out.part();
    }
    out.line(0, head);
    out.line(1, format!("inputs = keras.Input(shape={})", tuple(shape)));
    for row in rows {
        match row {
            Row::Layer(i) => layer(net, i, &made[i], out),
            Row::Group(group) => {
                let (to, from) = (
                    variables(net, &group.outputs),
                    variables(net, &group.inputs),
                );
                out.line(1, format!("{to} = {}({from})", group.name));
            }
        }
    }
    out.line(
        1,
        format!("return keras.Model(inputs, {})", variable(net, last)),
    );
}

/// Variable that holds a value of the functional graph.
fn variable<'n>(net: &'n Net, from: From) -> &'n str {
    match from {
        From::Input => "inputs",
        from if net.kept(from) => net.variable(from),
        _ => "x",
    }
}

fn variables(net: &Net, all: &[From]) -> String {
    let names: Vec<&str> = all.iter().map(|f| variable(net, *f)).collect();
    names.join(", ")
}

/// What turns a sample into Keras' order, and its shape then.
pub(super) fn input(net: &Net) -> Result<(Option<&'static str>, Vec<usize>), Problem> {
    use LayerKind::*;
    let torch = net.spec.framework == Framework::Pytorch;
    let readers = || {
        let reads = |i: &usize| net.inputs(*i).contains(&From::Input);
        (0..net.spec.layers.len())
            .filter(reads)
            .map(|i| &net.spec.layers[i].kind)
    };
    let image = readers().any(|k| {
        matches!(
            k,
            Conv2d(_) | ConvTranspose2d { .. } | MaxPool2d(_) | AvgPool2d(_)
        )
    });
    let line = readers().any(|k| matches!(k, Conv1d(_) | MaxPool1d(_) | AvgPool1d(_)));
    if net.itself() && net.output() != net.input {
        return Err(unsupported(
            "an output of another shape than the input's",
            Framework::Keras,
        ));
    }
    let shape = &net.input;
    Ok(match shape[..] {
        [h, w] if image => (Some("[..., None]"), vec![h, w, 1]),
        [c, h, w] => (Some(".transpose(0, 2, 3, 1)"), vec![h, w, c]),
        [l] if line => (Some("[..., None]"), vec![l, 1]),
        [c, l] if line && torch => (Some(".transpose(0, 2, 1)"), vec![l, c]),
        _ => (None, shape.clone()),
    })
}

fn sequential(net: &Net, made: &[Vec<String>], shape: &[usize], out: &mut Lines) {
    out.line(1, "return keras.Sequential([");
    out.line(2, format!("keras.Input(shape={}),", tuple(shape)));
    for (layer, texts) in net.spec.layers.iter().zip(made) {
        for text in texts {
            out.layer_line(2, &layer.id, format!("{text},"));
        }
    }
    out.line(1, "])");
}

/// The lines of a layer of the functional graph.
fn layer(net: &Net, i: usize, texts: &[String], out: &mut Lines) {
    let layer = &net.spec.layers[i];
    let inputs = net.inputs(i);
    let to = variable(net, From::Layer(i));
    let mut args = match &inputs[..] {
        [one] => variable(net, *one).to_string(),
        more => format!("[{}]", variables(net, more)),
    };
    for (k, text) in texts.iter().enumerate() {
        if let LayerKind::MultiHeadAttention { causal, .. } = layer.kind {
            let mask = if causal { ", use_causal_mask=True" } else { "" };
            args = format!("{args}, {args}{mask}");
        }
        out.layer_line(1, &layer.id, format!("{to} = {text}({args})"));
        if k + 1 < texts.len() {
            args = to.to_string();
        }
    }
}

/// The callback that sets the learning rate.
pub(super) fn schedule(t: &TrainSpec, needs: &mut Needs) -> Option<String> {
    if let Schedule::Plateau {
        monitor,
        factor,
        patience,
        least,
    } = t.schedule
    {
        let (m, factor, least) = (monitor.name(), num(factor), num(least));
        return Some(format!(
            "keras.callbacks.ReduceLROnPlateau(monitor=\"{m}\", factor={factor}, patience={patience}, min_lr={least})"
        ));
    }
    let rate = num(t.optimizer.learning_rate());
    let by_epoch = |text: String| {
        Some(format!(
            "keras.callbacks.LearningRateScheduler(lambda epoch: {rate} * {text})"
        ))
    };
    match t.schedule {
        Schedule::Constant | Schedule::Plateau { .. } => None,
        Schedule::Step { every, gamma } => {
            by_epoch(format!("{} ** (epoch // {every})", num(gamma)))
        }
        Schedule::Exponential { gamma } => by_epoch(format!("{} ** epoch", num(gamma))),
        Schedule::Cosine { final_factor } => {
            needs.import("import math");
            let wave = "(1 + math.cos(math.pi * epoch / EPOCHS)) / 2";
            by_epoch(match final_factor {
                0.0 => wave.into(),
                f => format!("({f} + (1 - {f}) * {wave})", f = num(f)),
            })
        }
        Schedule::Warmup { epochs } => {
            needs.helper(&helpers::RATE);
            let e = short(epochs);
            Some(format!(
                "RateByStep(lambda step: min(1, (step + 1) / ({e} * steps)))"
            ))
        }
        Schedule::OneCycle { warmup } => {
            needs.import("import math");
            needs.helper(&helpers::RATE);
            needs.helper(&helpers::ONE_CYCLE);
            let w = num(warmup);
            Some(format!(
                "RateByStep(lambda step: one_cycle(step, EPOCHS * steps, {w}))"
            ))
        }
    }
}

/// Callbacks that watch the ends of epochs.
fn watchers(t: &TrainSpec) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(stop) = &t.early_stopping {
        let mut args = format!(
            "monitor=\"{}\", patience={}",
            stop.monitor.name(),
            stop.patience
        );
        if stop.min_delta != 0.0 {
            args += &format!(", min_delta={}", num(stop.min_delta));
        }
        if stop.restore_best {
            args += ", restore_best_weights=True";
        }
        all.push(format!("keras.callbacks.EarlyStopping({args})"));
    }
    if let Some(keep) = &t.checkpoints {
        let name = keep.monitor.name();
        let best = if keep.best_only {
            ", save_best_only=True"
        } else {
            ""
        };
        all.push(format!(
            "keras.callbacks.ModelCheckpoint(\"{{epoch:02d}}-{{{name}:.4f}}.keras\", monitor=\"{name}\"{best})"
        ));
    }
    all
}

pub(super) fn loss(spec: &Spec) -> String {
    let normalized = spec.train.class_weight.is_some() && spec.framework == Framework::Pytorch;
    if let (Loss::CrossEntropy { from_logits }, true) = (spec.train.loss, normalized) {
        // PyTorch divides by the sum of the weights.
        let logits = if from_logits {
            "from_logits=True, "
        } else {
            ""
        };
        return format!(
            "keras.losses.SparseCategoricalCrossentropy({logits}reduction=\"mean_with_sample_weight\")"
        );
    }
    let loss = &spec.train.loss;
    let with = |name: &str, args: String| format!("keras.losses.{name}({args})");
    match *loss {
        Loss::Mse => "\"mse\"".into(),
        Loss::Mae => "\"mae\"".into(),
        Loss::Huber { delta: 1.0 } => with("Huber", String::new()),
        Loss::Huber { delta } => with("Huber", format!("delta={}", num(delta))),
        Loss::CrossEntropy { from_logits: false } => "\"sparse_categorical_crossentropy\"".into(),
        Loss::CrossEntropy { from_logits: true } => {
            with("SparseCategoricalCrossentropy", "from_logits=True".into())
        }
        Loss::BinaryCrossEntropy { from_logits: false } => "\"binary_crossentropy\"".into(),
        Loss::BinaryCrossEntropy { from_logits: true } => {
            with("BinaryCrossentropy", "from_logits=True".into())
        }
        Loss::Hinge => "\"hinge\"".into(),
        Loss::Perceptron => helpers::KERAS_PERCEPTRON.name.into(),
    }
}

fn metrics(net: &Net) -> &'static str {
    match (net.data.classes, &net.spec.train.loss) {
        (
            Some(_),
            Loss::BinaryCrossEntropy { from_logits: true } | Loss::Hinge | Loss::Perceptron,
        ) => "keras.metrics.BinaryAccuracy(name=\"accuracy\", threshold=0.0)",
        (Some(_), Loss::CrossEntropy { .. }) => "\"accuracy\"",
        (Some(_), _) => "keras.metrics.BinaryAccuracy(name=\"accuracy\")",
        (None, _) if net.output().len() == 1 && !net.itself() => {
            "keras.metrics.MeanSquaredError(name=\"mse\"), keras.metrics.R2Score(name=\"r2\")"
        }
        (None, _) => "keras.metrics.MeanSquaredError(name=\"mse\")",
    }
}

fn main(net: &Net, callback: Option<String>, out: &mut Lines) -> Result<(), Problem> {
    let spec = net.spec;
    let t = &spec.train;
    let validation = spec.data.split.validation > 0.0;
    let test = spec.data.split.test > 0.0 || data::own_test(spec);
    out.line(0, "def main():");
    out.line(1, "keras.utils.set_random_seed(SEED)");
    out.line(1, "data = load_data()");
    out.line(1, "x_train, y_train = data[\"train\"]");
    let steps = callback.as_ref().is_some_and(|c| c.contains("steps"));
    out.line(1, "batch_size = BATCH_SIZE or len(x_train)");
    if steps {
        out.line(1, "steps = -(-len(x_train) // batch_size)");
    }
    out.line(1, "model = build_model()");
    out.line(1, "model.compile(");
    out.line(
        2,
        format!("optimizer={},", keras::optimizer(t, spec.framework)?),
    );
    out.line(2, format!("loss={},", loss(spec)));
    out.line(2, format!("metrics=[{}],", metrics(net)));
    out.line(1, ")");
    out.line(1, "model.summary()");
    out.line(1, "model.fit(");
    out.line(2, "x_train,");
    out.line(2, "y_train,");
    out.line(2, "batch_size=batch_size,");
    out.line(2, "epochs=EPOCHS,");
    if !t.shuffle {
        out.line(2, "shuffle=False,");
    }
    if validation {
        out.line(2, "validation_data=data[\"val\"],");
    }
    if let Some(weights) = &t.class_weight {
        let pairs = weights.iter().enumerate();
        let pairs: Vec<String> = pairs.map(|(k, w)| format!("{k}: {}", num(*w))).collect();
        out.line(2, format!("class_weight={{{}}},", pairs.join(", ")));
    }
    let mut callbacks = watchers(t);
    callbacks.extend(callback);
    if !callbacks.is_empty() {
        out.line(2, "callbacks=[");
        for c in callbacks {
            out.line(3, format!("{c},"));
        }
        out.line(2, "],");
    }
    out.line(2, "verbose=2,");
    out.line(1, ")");
    let part = if test { "test" } else { "train" };
    out.line(
        1,
        format!("results = model.evaluate(*data[\"{part}\"], return_dict=True, verbose=0)"),
    );
    out.line(1, "for name, value in results.items():");
    out.line(2, format!("print(f\"{part}_{{name}} {{value:.6f}}\")"));
    Ok(())
}
