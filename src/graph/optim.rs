//! Adds what follows the gradient: gradients into their slab, norm, clipping, the update.
use super::*;
use crate::ops::{self, optimizer::Rule};
use crate::spec::{Clip, Framework, Optimizer, Problem};

/// The rule that an optimiser of the spec means. Whether there is a momentum is decided here,
/// since it decides whether there is a slab for it.
pub fn rule(o: &Optimizer) -> Rule {
    match *o {
        // It has no state either.
        Optimizer::ClosedForm => Rule::Sgd {
            momentum: false,
            nesterov: false,
        },
        Optimizer::Sgd {
            momentum, nesterov, ..
        } => Rule::Sgd {
            momentum: momentum != 0.0,
            nesterov: nesterov && momentum != 0.0,
        },
        Optimizer::Rmsprop { momentum, .. } => Rule::Rmsprop {
            momentum: momentum != 0.0,
        },
        Optimizer::Adagrad { .. } => Rule::Adagrad,
        Optimizer::Adam { .. } => Rule::Adam { decoupled: false },
        Optimizer::Adamw { .. } => Rule::Adam { decoupled: true },
    }
}

/// The host's tables for the update: learning rate per step of a run, hyper-parameters.
pub struct Knobs {
    pub rate: SlotId,
    pub hyper: SlotId,
}

/// Routes each gradient into its place in the gradient slab (zeros where there is none). Returns
/// their norm, `[1]`.
pub fn route(
    graph: &mut Graph,
    layout: &mut Layout,
    params: &[SlotId],
    grads: &[Option<ValueId>],
) -> Result<ValueId, Problem> {
    for (p, g) in params.iter().zip(grads) {
        let (name, shape) = {
            let s = &layout.slots[p.0 as usize];
            (s.name.clone(), s.shape.clone())
        };
        let slot = layout.slot(Slab::Grad, &name, &shape, Dtype::F32);
        match g {
            Some(g) => graph.write_to(layout, *g, slot),
            None => {
                let to = graph.slot(layout, slot);
                graph.push_into(ops::Fill { shape, value: 0.0 }, &[], &[to]);
            }
        }
    }
    graph.mark(Phase::Update, None);
    let grad = graph.whole(layout, Slab::Grad);
    graph.push1(ops::Norm, &[grad], "grad_norm")
}

/// Gaussian discriminant analysis of `x[B,D]` and its classes `y[B,1]`, written into the two
/// parameters of a linear layer, weight `[1,D]` and bias `[1]`.
pub fn solve(
    graph: &mut Graph,
    layout: &Layout,
    params: &[SlotId],
    (x, y): (ValueId, ValueId),
) -> Result<(), Problem> {
    let features = graph.shape(x).get(1).copied().unwrap_or(0);
    let shapes: Vec<&[usize]> = params
        .iter()
        .map(|p| &layout.slots[p.0 as usize].shape[..])
        .collect();
    let fits = graph.shape(x).len() == 2 && shapes == [&[1, features][..], &[1]];
    if !fits || features > ops::Discriminant::FEATURES {
        return Err(Problem::new("closed-form").field("train.optimizer.kind"));
    }
    let to: Vec<ValueId> = params.iter().map(|p| graph.slot(layout, *p)).collect();
    graph.push_into(ops::Discriminant, &[x, y], &to);
    Ok(())
}

/// Adds clipping and update by the gradients in their slab, whose norm is `norm`.
pub fn update(
    graph: &mut Graph,
    layout: &mut Layout,
    params: &[SlotId],
    norm: ValueId,
    (optimizer, clip, framework): (&Optimizer, Clip, Framework),
    knobs: &Knobs,
) -> Result<(), Problem> {
    let (grad, param) = (
        graph.whole(layout, Slab::Grad),
        graph.whole(layout, Slab::Param),
    );
    let (rate, hyper) = (
        graph.slot(layout, knobs.rate),
        graph.slot(layout, knobs.hyper),
    );
    match clip {
        Clip::None => {}
        Clip::Value { .. } => {
            let op = ops::ClipGrad {
                norm: false,
                framework,
            };
            graph.push_into(op, &[grad, hyper], &[grad]);
        }
        Clip::GlobalNorm { .. } => {
            let op = ops::ClipGrad {
                norm: true,
                framework,
            };
            graph.push_into(op, &[grad, hyper, norm], &[grad]);
        }
    }
    let rule = rule(optimizer);
    let mut changed = vec![param];
    for (k, _) in rule.state().iter().enumerate() {
        let slab = Slab::Moment(k as u8);
        for p in params {
            let s = layout.slots[p.0 as usize].clone();
            layout.slot(slab, &s.name, &s.shape, Dtype::F32);
        }
        changed.push(graph.whole(layout, slab));
    }
    let mut inputs = changed.clone();
    inputs.extend([grad, rate, hyper]);
    graph.push_into(ops::Update { rule, framework }, &inputs, &changed);
    Ok(())
}
