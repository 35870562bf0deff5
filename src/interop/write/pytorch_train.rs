//! PyTorch's optimizers and schedules as expressions.
use super::lines::{num, short};
use super::unsupported;
use crate::spec::*;

/// What has no descent has no training loop.
pub(super) fn closed_form(framework: Framework) -> Problem {
    unsupported("an optimizer that computes the weights at once", framework)
        .field("train.optimizer")
}

/// The optimizer as an expression.
pub(super) fn optimizer(o: &Optimizer, framework: Framework) -> Result<String, Problem> {
    let keras = framework == Framework::Keras;
    let mut args = format!("lr={}", num(o.learning_rate()));
    let mut add = |name: &str, v: f32, usual: f32| {
        if v != usual {
            args += &format!(", {name}={}", num(v));
        }
    };
    let mut kind = match o {
        Optimizer::Sgd { .. } => "SGD",
        Optimizer::Rmsprop { .. } => "RMSprop",
        Optimizer::Adagrad { .. } => "Adagrad",
        Optimizer::Adam { .. } => "Adam",
        Optimizer::Adamw { .. } => "AdamW",
        Optimizer::ClosedForm => return Err(closed_form(Framework::Pytorch)),
    };
    let decay = match *o {
        Optimizer::Sgd {
            momentum,
            nesterov,
            weight_decay,
            ..
        } => {
            add("momentum", momentum, 0.0);
            if nesterov {
                args += ", nesterov=True";
            }
            weight_decay
        }
        Optimizer::Rmsprop {
            rho,
            epsilon,
            momentum,
            weight_decay,
            ..
        } => {
            add("alpha", rho, 0.99);
            add("eps", epsilon, 1e-8);
            add("momentum", momentum, 0.0);
            weight_decay
        }
        Optimizer::Adagrad {
            epsilon,
            initial_accumulator,
            weight_decay,
            ..
        } => {
            add("initial_accumulator_value", initial_accumulator, 0.0);
            add("eps", epsilon, 1e-10);
            weight_decay
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
            if (beta1, beta2) != (0.9, 0.999) {
                args += &format!(", betas=({}, {})", num(beta1), num(beta2));
            }
            let mut add = |name: &str, v: f32, usual: f32| {
                if v != usual {
                    args += &format!(", {name}={}", num(v));
                }
            };
            add("eps", epsilon, 1e-8);
            weight_decay
        }
        Optimizer::ClosedForm => 0.0,
    };
    // Keras decays every weight as AdamW does.
    if keras && decay != 0.0 && kind == "Adam" {
        kind = "AdamW";
    } else if keras && decay != 0.0 && kind != "AdamW" {
        return Err(unsupported(
            "decoupled weight decay of this optimizer",
            Framework::Pytorch,
        )
        .field("train.optimizer.weight_decay"));
    }
    let usual = if kind == "AdamW" { 0.01 } else { 0.0 };
    if decay != usual {
        args += &format!(", weight_decay={}", num(decay));
    }
    Ok(format!("torch.optim.{kind}(model.parameters(), {args})"))
}

/// The learning rate's schedule as an expression, and whether it goes on after every step.
pub(super) fn schedule(t: &TrainSpec) -> Option<(String, bool)> {
    let scheduler = |text: String| format!("torch.optim.lr_scheduler.{text}");
    Some(match t.schedule {
        Schedule::Constant | Schedule::Plateau { .. } => return None,
        Schedule::Step { every, gamma } => (
            scheduler(format!(
                "StepLR(optimizer, step_size={every}, gamma={})",
                num(gamma)
            )),
            false,
        ),
        Schedule::Exponential { gamma } => (
            scheduler(format!("ExponentialLR(optimizer, gamma={})", num(gamma))),
            false,
        ),
        Schedule::Cosine { final_factor } => {
            let end = match final_factor {
                0.0 => String::new(),
                f => format!(
                    ", eta_min={} * {}",
                    num(f),
                    num(t.optimizer.learning_rate())
                ),
            };
            (
                scheduler(format!("CosineAnnealingLR(optimizer, T_max=EPOCHS{end})")),
                false,
            )
        }
        Schedule::Warmup { epochs } => (
            scheduler(format!(
                "LambdaLR(optimizer, lambda step: min(1, (step + 1) / ({} * len(train_loader))))",
                short(epochs)
            )),
            true,
        ),
        Schedule::OneCycle { warmup } => (
            scheduler(format!(
                "OneCycleLR(optimizer, max_lr={}, epochs=EPOCHS, steps_per_epoch=len(train_loader), pct_start={}, cycle_momentum=False)",
                num(t.optimizer.learning_rate()),
                num(warmup)
            )),
            true,
        ),
    })
}
