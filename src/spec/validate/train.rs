//! Bounds of the training.
use super::*;

pub(super) fn train(t: &TrainSpec, c: &mut Check) {
    c.int("train.epochs", t.epochs, 1, limits::EPOCHS);
    if let Some(b) = t.batch_size {
        c.int("train.batch_size", b, 1, limits::BATCH);
    }
    if let Some(weights) = &t.class_weight {
        c.int("train.class_weight", weights.len(), 2, limits::WEIGHTED);
        for w in weights {
            c.num("train.class_weight", *w, 0.0, 1e6);
        }
        if !weights.iter().any(|w| *w > 0.0) {
            c.0.push(range("train.class_weight", 0, 1e-6, 1e6));
        }
    }
    c.num("train.l1", t.l1, 0.0, 100.0);
    c.num("train.l2", t.l2, 0.0, 100.0);
    if let Loss::Huber { delta } = t.loss {
        c.num("train.loss.delta", delta, 1e-6, 1e6);
    }
    match t.clip {
        Clip::None => {}
        Clip::Value { max } | Clip::GlobalNorm { max } => c.num("train.clip.max", max, 1e-9, 1e9),
    }
    match t.schedule {
        Schedule::Constant => {}
        Schedule::Step { every, gamma } => {
            c.int("train.schedule.every", every, 1, limits::EPOCHS);
            c.num("train.schedule.gamma", gamma, 0.0, 10.0);
        }
        Schedule::Exponential { gamma } => c.num("train.schedule.gamma", gamma, 0.0, 10.0),
        Schedule::Cosine { final_factor } => {
            c.num("train.schedule.final_factor", final_factor, 0.0, 1.0)
        }
        Schedule::Warmup { epochs } => c.num("train.schedule.epochs", epochs, 0.0, 1e6),
        Schedule::Plateau {
            factor,
            patience,
            least,
            ..
        } => {
            c.num("train.schedule.factor", factor, 0.0, 0.999);
            c.int("train.schedule.patience", patience, 0, limits::EPOCHS);
            c.num("train.schedule.least", least, 0.0, 1.0);
        }
        Schedule::OneCycle { warmup } => c.num("train.schedule.warmup", warmup, 0.0, 1.0),
    }
    if let Some(e) = &t.early_stopping {
        c.int(
            "train.early_stopping.patience",
            e.patience,
            0,
            limits::EPOCHS,
        );
        c.num("train.early_stopping.min_delta", e.min_delta, 0.0, 1e6);
    }
    if t.optimizer == Optimizer::ClosedForm {
        let fits = matches!(t.loss, Loss::BinaryCrossEntropy { .. }) && t.batch_size.is_none();
        if !fits {
            c.0.push(Problem::new("closed-form").field("train.optimizer.kind"));
        }
    }
    optimizer(&t.optimizer, c);
}

fn optimizer(o: &Optimizer, c: &mut Check) {
    c.num(
        "train.optimizer.learning_rate",
        o.learning_rate(),
        0.0,
        1000.0,
    );
    let wd = |c: &mut Check, v: f32| c.num("train.optimizer.weight_decay", v, 0.0, 10.0);
    let eps = |c: &mut Check, v: f32| c.num("train.optimizer.epsilon", v, 0.0, 1.0);
    match *o {
        Optimizer::ClosedForm => {}
        Optimizer::Sgd {
            momentum,
            weight_decay,
            ..
        } => {
            c.num("train.optimizer.momentum", momentum, 0.0, 1.0);
            wd(c, weight_decay);
        }
        Optimizer::Rmsprop {
            rho,
            epsilon,
            momentum,
            weight_decay,
            ..
        } => {
            c.num("train.optimizer.rho", rho, 0.0, 1.0);
            c.num("train.optimizer.momentum", momentum, 0.0, 1.0);
            eps(c, epsilon);
            wd(c, weight_decay);
        }
        Optimizer::Adagrad {
            epsilon,
            initial_accumulator,
            weight_decay,
            ..
        } => {
            c.num(
                "train.optimizer.initial_accumulator",
                initial_accumulator,
                0.0,
                1e6,
            );
            eps(c, epsilon);
            wd(c, weight_decay);
        }
        Optimizer::Adam {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            ..
        }
        | Optimizer::Adamw {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            ..
        } => {
            c.num("train.optimizer.beta1", beta1, 0.0, 0.999_999);
            c.num("train.optimizer.beta2", beta2, 0.0, 0.999_999_9);
            eps(c, epsilon);
            wd(c, weight_decay);
        }
    }
}
