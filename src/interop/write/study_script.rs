//! An Optuna study as a script: the network and its data as in the plain script, trained once for each
//! trial.
use super::data::{self, Needs};
use super::keras_layers;
use super::lines::{Lines, num, short, string};
use super::net::Net;
use super::study::{Arguments, OPTIMIZERS, Range, Study, What, kind};
use super::{file_name, keras, pytorch, pytorch_layers, pytorch_module, pytorch_train};
use crate::spec::*;

/// What of a trial is asked for by which name, as lines.
fn suggestions(net: &Net, study: &Study, out: &mut Lines) {
    let mut line = |name: &str, what: &What| {
        let Some(range) = study.range(what) else {
            return;
        };
        let text = match range {
            Range::Log(low, high) => {
                format!(
                    "suggest_float(\"{name}\", {}, {}, log=True)",
                    num(*low),
                    num(*high)
                )
            }
            Range::Float(low, high) => {
                format!("suggest_float(\"{name}\", {}, {})", num(*low), num(*high))
            }
            Range::Whole(low, high) => format!("suggest_int(\"{name}\", {low}, {high})"),
            Range::Choice(all) => {
                let each = |c: &String| match what {
                    What::Optimizer => string(c),
                    _ => c.clone(),
                };
                let all: Vec<String> = all.iter().map(each).collect();
                format!("suggest_categorical(\"{name}\", [{}])", all.join(", "))
            }
        };
        out.line(1, format!("{name} = trial.{text}"));
    };
    line("learning_rate", &What::LearningRate);
    line("batch_size", &What::BatchSize);
    line("optimizer_name", &What::Optimizer);
    for (layer, name) in net.spec.layers.iter().zip(&net.names) {
        let units = What::Units(layer.id.clone());
        line(&format!("{name}_units"), &units);
        let rate = What::Rate(layer.id.clone());
        line(&format!("{name}_rate"), &rate);
    }
}

/// What is not searched is as in the spec.
fn fixed(net: &Net, study: &Study, out: &mut Lines) {
    let t = &net.spec.train;
    if study.range(&What::LearningRate).is_none() {
        let rate = num(t.optimizer.learning_rate());
        out.line(1, format!("learning_rate = {rate}"));
    }
    if study.range(&What::BatchSize).is_none() {
        match t.batch_size {
            Some(n) => out.line(1, format!("batch_size = {n}")),
            None => out.line(1, "batch_size = len(parts[\"train\"][0])"),
        }
    }
}

/// The optimizer as an expression, with `rate` for its learning rate; a choice of several by name.
fn optimizers(
    net: &Net,
    study: &Study,
    write: &dyn Fn(&Optimizer) -> Result<String, Problem>,
) -> Result<(Vec<(String, String)>, bool), Problem> {
    let own = &net.spec.train.optimizer;
    let Some(Range::Choice(all)) = study.range(&What::Optimizer) else {
        return Ok((vec![(kind(own).to_string(), write(own)?)], false));
    };
    let mut made = Vec::new();
    for name in OPTIMIZERS.iter().filter(|o| all.iter().any(|a| a == *o)) {
        let optimizer = match *name == kind(own) {
            true => Some(*own),
            false => Optimizer::default_of(name, net.spec.framework),
        };
        if let Some(mut o) = optimizer {
            o.set_learning_rate(own.learning_rate());
            made.push((name.to_string(), write(&o)?));
        }
    }
    Ok((made, true))
}

fn constants(net: &Net, study: &Study, out: &mut Lines) {
    let t = &net.spec.train;
    out.line(0, format!("SEED = {}", net.spec.seed));
    out.line(0, format!("EPOCHS = {}  # of each trial", t.epochs));
    out.line(0, format!("TRIALS = {}", study.trials));
}

fn head(net: &Net, framework: &str, out: &mut Lines) {
    let name = match net.spec.name.as_str() {
        "" => "network".to_string(),
        name => name.replace(['\\', '"'], "'"),
    };
    out.line(
        0,
        format!("\"\"\"{name} · an Optuna study with {framework}, from Nabla."),
    );
    out.line(0, "");
    out.line(0, "pip install optuna");
    out.line(0, format!("python {}", file_name(net.spec, "py")));
    out.line(0, "\"\"\"");
    out.line(0, "");
}

/// `main`: the study, and what it found.
fn main(study: &Study, torch: bool, validation: bool, out: &mut Lines) {
    out.line(0, "def main():");
    out.line(1, "parts = load_data()");
    if !validation {
        out.all(
            1,
            &[
                "if \"val\" not in parts:",
                "    # Every fifth sample of the training part is held out to compare trials by.",
                "    x, y = parts[\"train\"]",
                "    held = np.arange(len(x)) % 5 == 4",
                "    parts[\"train\"], parts[\"val\"] = (x[~held], y[~held]), (x[held], y[held])",
                "    if not held.any():",
                "        parts[\"train\"], parts[\"val\"] = (x, y), (x, y)",
            ],
        );
    }
    let extra = match torch {
        true => {
            out.line(
                1,
                "device = torch.device(\"cuda\" if torch.cuda.is_available() else \"cpu\")",
            );
            ", device"
        }
        false => "",
    };
    let pruner = match study.prune {
        true => {
            "optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=max(1, EPOCHS // 10))"
        }
        false => "optuna.pruners.NopPruner()",
    };
    out.line(1, format!("pruner = {pruner}"));
    out.line(1, "sampler = optuna.samplers.TPESampler(seed=SEED)");
    out.line(
        1,
        "study = optuna.create_study(direction=\"minimize\", sampler=sampler, pruner=pruner)",
    );
    out.line(
        1,
        format!("study.optimize(lambda trial: objective(trial, parts{extra}), n_trials=TRIALS)"),
    );
    out.all(
        1,
        &[
            "done = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]",
            "pruned = [t for t in study.trials if t.state == optuna.trial.TrialState.PRUNED]",
            "print(f\"{len(done)} trials completed, {len(pruned)} pruned\")",
            "if done:",
            "    print(f\"best validation loss {study.best_value:.6f}\")",
            "    for name, value in study.best_params.items():",
            "        print(f\"  {name}: {value}\")",
        ],
    );
    out.part();
    out.all(0, &["if __name__ == \"__main__\":", "    main()"]);
}

fn load_data(loads: &[String], out: &mut Lines) {
    out.line(0, "def load_data():");
    out.line(
        1,
        "\"\"\"The parts of the data by name: inputs and targets.\"\"\"",
    );
    for line in loads {
        out.line(1, line);
    }
}

/// A choice among optimizers, or the one that there is.
fn choose(all: &[(String, String)], several: bool, out: &mut Lines) {
    match (several, all) {
        (false, [(_, one)]) => out.line(1, format!("optimizer = {one}")),
        _ => {
            out.line(1, "optimizers = {");
            for (name, text) in all {
                out.line(2, format!("\"{name}\": lambda: {text},"));
            }
            out.line(1, "}");
            out.line(1, "optimizer = optimizers[optimizer_name]()");
        }
    }
}

pub(super) fn torch(net: &Net, study: &Study, out: &mut Lines) -> Result<(), Problem> {
    let spec = net.spec;
    let t = &spec.train;
    let arguments = Arguments::of(net, study, Framework::Pytorch);
    let mut layers = Vec::new();
    for i in 0..spec.layers.len() {
        let mut layer = pytorch_layers::layer(net, i)?;
        layer.module = layer.module.map(|m| arguments.named(i, &m));
        layers.push(layer);
    }
    let mut needs = Needs::default();
    needs.import("import optuna");
    needs.import("import numpy as np");
    needs.import("import torch");
    needs.import("from torch import nn");
    needs.import("from torch.utils.data import DataLoader, TensorDataset");
    let loads = data::write(net, &mut needs, None)?;
    pytorch::used(&layers, &mut needs);
    let criterion = pytorch::loss(net, &mut needs)?;
    let write = |o: &Optimizer| {
        let text = pytorch_train::optimizer(o, spec.framework)?;
        let rate = format!("lr={}", num(o.learning_rate()));
        Ok(text
            .replacen(&rate, "lr=learning_rate", 1)
            .replace("model.parameters()", "net.parameters()"))
    };
    let (all, several) = optimizers(net, study, &write)?;
    head(net, "PyTorch", out);
    needs.write(out);
    out.all(0, &["", ""]);
    constants(net, study, out);
    pytorch::penalties(t, out);
    out.part();
    pytorch_module::module(net, &layers, &arguments.defaults(), out);
    out.part();
    load_data(&loads, out);
    out.part();
    pytorch::steps(net, out);
    out.part();
    out.line(0, "def objective(trial, parts, device):");
    suggestions(net, study, out);
    fixed(net, study, out);
    out.line(0, "");
    out.line(1, "torch.manual_seed(SEED)");
    out.line(1, "sets = {name: TensorDataset(torch.tensor(x), torch.tensor(y)) for name, (x, y) in parts.items()}");
    let shuffle = if t.shuffle { "True" } else { "False" };
    out.line(
        1,
        format!(
            "train_loader = DataLoader(sets[\"train\"], batch_size=batch_size, shuffle={shuffle})"
        ),
    );
    out.line(1, "val_loader = DataLoader(sets[\"val\"], batch_size=256)");
    let names: Vec<String> = arguments
        .list
        .iter()
        .map(|(n, _)| format!("{n}={n}"))
        .collect();
    out.line(1, format!("net = Net({}).to(device)", names.join(", ")));
    out.line(1, format!("criterion = {criterion}"));
    choose(&all, several, out);
    let schedule = pytorch_train::schedule(t);
    let rate = num(t.optimizer.learning_rate());
    if let Some((text, _)) = &schedule {
        let text = text
            .replace(&format!("max_lr={rate}"), "max_lr=learning_rate")
            .replace(&format!("* {rate})"), "* learning_rate)");
        out.line(1, format!("scheduler = {text}"));
    }
    if let Schedule::Plateau {
        factor,
        patience,
        least,
        ..
    } = t.schedule
    {
        out.line(1, format!(
            "scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor={}, patience={patience}, min_lr={})",
            num(factor),
            num(least)
        ));
    }
    out.line(1, "best = float(\"inf\")");
    out.line(1, "for epoch in range(EPOCHS):");
    out.line(2, "net.train()");
    out.line(2, "for x, y in train_loader:");
    out.line(3, "x, y = x.to(device), y.to(device)");
    out.line(3, "_, loss = outputs_and_loss(net, criterion, x, y)");
    if t.l1 != 0.0 || t.l2 != 0.0 {
        out.line(3, "loss = loss + penalty(net)");
    }
    out.line(3, "optimizer.zero_grad()");
    out.line(3, "loss.backward()");
    let clip = match t.clip {
        Clip::None => None,
        Clip::Value { max } => Some(("value", max)),
        Clip::GlobalNorm { max } => Some(("norm", max)),
    };
    if let Some((how, max)) = clip {
        let max = short(max);
        out.line(
            3,
            format!("nn.utils.clip_grad_{how}_(net.parameters(), {max})"),
        );
    }
    out.line(3, "optimizer.step()");
    if let Some((_, true)) = &schedule {
        out.line(3, "scheduler.step()");
    }
    if let Some((_, false)) = &schedule {
        out.line(2, "scheduler.step()");
    }
    out.line(
        2,
        "value = evaluate(net, criterion, val_loader, device)[\"loss\"]",
    );
    if matches!(t.schedule, Schedule::Plateau { .. }) {
        out.line(2, "scheduler.step(value)");
    }
    out.all(
        2,
        &[
            "best = min(best, value)",
            "trial.report(value, epoch)",
            "if trial.should_prune():",
            "    raise optuna.TrialPruned()",
        ],
    );
    out.line(1, "return best");
    out.part();
    main(study, true, spec.data.split.validation > 0.0, out);
    Ok(())
}

pub(super) fn keras(net: &Net, study: &Study, out: &mut Lines) -> Result<(), Problem> {
    let spec = net.spec;
    let t = &spec.train;
    let arguments = Arguments::of(net, study, Framework::Keras);
    let mut needs = Needs::default();
    needs.import("import keras");
    needs.import("import numpy as np");
    needs.import("import optuna");
    needs.import("from keras import layers");
    let mut made = keras::layers(net, &mut needs)?;
    for (i, texts) in made.iter_mut().enumerate() {
        for text in texts {
            *text = arguments.named(i, text);
        }
    }
    let (suffix, shape) = keras::input(net)?;
    let loads = data::write(net, &mut needs, suffix)?;
    let callback = keras::schedule(t, &mut needs);
    let write = |o: &Optimizer| {
        let with = TrainSpec {
            optimizer: *o,
            ..t.clone()
        };
        let text = keras_layers::optimizer(&with, spec.framework)?;
        let rate = format!("learning_rate={}", num(o.learning_rate()));
        Ok(text.replacen(&rate, "learning_rate=learning_rate", 1))
    };
    let (all, several) = optimizers(net, study, &write)?;
    head(net, "Keras 3", out);
    needs.write(out);
    out.all(0, &["", ""]);
    constants(net, study, out);
    keras::penalties(t, out);
    out.part();
    keras::model(net, &made, &shape, &arguments.defaults(), out);
    out.part();
    load_data(&loads, out);
    out.part();
    out.all(
        0,
        &[
            "class Report(keras.callbacks.Callback):",
            "    \"\"\"Tells the trial of every epoch, and ends it where others did better.\"\"\"",
            "",
            "    def __init__(self, trial):",
            "        super().__init__()",
            "        self.trial = trial",
            "",
            "    def on_epoch_end(self, epoch, logs=None):",
            "        self.trial.report(logs[\"val_loss\"], epoch)",
            "        if self.trial.should_prune():",
            "            raise optuna.TrialPruned()",
        ],
    );
    out.part();
    out.line(0, "def objective(trial, parts):");
    suggestions(net, study, out);
    fixed(net, study, out);
    out.line(0, "");
    out.line(1, "keras.backend.clear_session()");
    out.line(1, "keras.utils.set_random_seed(SEED)");
    out.line(1, "x_train, y_train = parts[\"train\"]");
    if callback.as_ref().is_some_and(|c| c.contains("steps")) {
        out.line(1, "steps = -(-len(x_train) // batch_size)");
    }
    let names: Vec<String> = arguments
        .list
        .iter()
        .map(|(n, _)| format!("{n}={n}"))
        .collect();
    out.line(1, format!("model = build_model({})", names.join(", ")));
    choose(&all, several, out);
    out.line(
        1,
        format!(
            "model.compile(optimizer=optimizer, loss={})",
            keras::loss(spec)
        ),
    );
    out.line(1, "history = model.fit(");
    out.all(
        2,
        &[
            "x_train,",
            "y_train,",
            "batch_size=batch_size,",
            "epochs=EPOCHS,",
        ],
    );
    if !t.shuffle {
        out.line(2, "shuffle=False,");
    }
    out.line(2, "validation_data=parts[\"val\"],");
    let rate = num(t.optimizer.learning_rate());
    let callback = callback.map(|c| {
        c.replace(
            &format!("lambda epoch: {rate} *"),
            "lambda epoch: learning_rate *",
        )
    });
    let mut callbacks = vec!["Report(trial)".to_string()];
    callbacks.extend(callback);
    out.line(2, format!("callbacks=[{}],", callbacks.join(", ")));
    out.line(2, "verbose=0,");
    out.line(1, ")");
    out.line(1, "return min(history.history[\"val_loss\"])");
    out.part();
    main(study, false, spec.data.split.validation > 0.0, out);
    Ok(())
}
