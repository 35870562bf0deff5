//! Normalisations.
use super::spatial::{Out, Site, reshape};
use super::*;
use crate::ops;
use crate::spec::*;

pub(super) fn batch_norm(
    g: &mut Graph,
    site: &mut Site,
    x: ValueId,
    momentum: Option<f32>,
    epsilon: Option<f32>,
    affine: bool,
) -> Result<ValueId, Problem> {
    let (rows, c) = ops::rows_last(g.shape(x));
    let (id, f) = (site.id, site.framework);
    let eps = epsilon.unwrap_or(Norm::Batch.default_epsilon(f));
    let momentum = momentum.unwrap_or(default_momentum(f));
    let state = |site: &mut Site, name: &str, init| {
        let start = Start {
            init,
            fan_in: 1,
            fan_out: 1,
        };
        site.layout.state(&format!("{id}.{name}"), &[c], start)
    };
    let mean = state(site, "running_mean", Init::Zeros);
    let var = state(site, "running_var", Init::Ones);
    let (mean, var) = (g.slot(site.layout, mean), g.slot(site.layout, var));
    let mut weights = Vec::new();
    if affine {
        weights = scale_and_shift(g, site, &[c], true);
    }
    if !site.training {
        let mut x = vec![x, mean, var];
        x.extend(weights);
        return g.push1(ops::Normalize { eps, affine }, &x, id);
    }
    let mut x = vec![x];
    x.extend(weights);
    let y = g.push(ops::BatchNorm { eps, affine }, &x, id)?;
    let op = match f {
        Framework::Pytorch => ops::RunningStats {
            keep: 1.0 - momentum,
            rows,
            unbiased: true,
        },
        Framework::Keras => ops::RunningStats {
            keep: momentum,
            rows,
            unbiased: false,
        },
    };
    g.push_into(op, &[mean, var, y[1], y[2]], &[mean, var]);
    Ok(y[0])
}

/// A weight that begins as ones and, with `bias`, a bias that begins as zeros.
fn scale_and_shift(g: &mut Graph, site: &mut Site, shape: &[usize], bias: bool) -> Vec<ValueId> {
    let mut add = |name: &str, init| {
        let start = Start {
            init,
            fan_in: 1,
            fan_out: 1,
        };
        let name = format!("{}.{name}", site.id);
        let slot = site.layout.param(&name, shape, start);
        g.slot(site.layout, slot)
    };
    let mut values = vec![add("weight", Init::Ones)];
    if bias {
        values.push(add("bias", Init::Zeros));
    }
    values
}

pub(super) fn layer_norm(
    g: &mut Graph,
    site: &mut Site,
    x: Out,
    axes: usize,
    (eps, center, bias): (f32, bool, bool),
) -> Result<Out, Problem> {
    // Keras' last axis is that of the channels.
    let keep = axes == 1 && site.framework == Framework::Keras;
    let x = if keep {
        x
    } else {
        Out::plain(x.seen(g, site.framework)?)
    };
    let shape = g.shape(x.v).to_vec();
    let rank = shape.len() - 1;
    if axes > rank {
        return Err(Problem::new("axes")
            .arg("got", axes)
            .arg("rank", rank)
            .field("axes"));
    }
    let (head, tail) = shape.split_at(shape.len() - axes);
    let params = scale_and_shift(g, site, tail, bias);
    let mut values = vec![x.v];
    values.extend(params);
    let d = numel(tail);
    if axes > 1 {
        let mut flat = head.to_vec();
        flat.push(d);
        values[0] = reshape(g, values[0], flat)?;
        for v in &mut values[1..] {
            *v = reshape(g, *v, vec![d])?;
        }
    }
    let op = ops::LayerNorm { eps, center, bias };
    let mut v = g.push(op, &values, site.id)?[0];
    if axes > 1 {
        v = reshape(g, v, shape)?;
    }
    Ok(Out { v, ..x })
}
