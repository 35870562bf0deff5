//! Normalisations.
use super::graph::{self, Numbers, Value, float, int};
use super::layers::{Flow, Writer};
use crate::spec::*;

impl Writer<'_> {
    pub fn batch_norm(&mut self, id: &str, x: &Value, eps: f32, affine: bool) -> Value {
        let c = x.shape[1] as usize;
        let mut inputs = Vec::new();
        for (what, value) in [("weight", 1.0), ("bias", 0.0)] {
            let name = format!("{id}.{what}");
            inputs.push(match affine {
                true => self.param(&name, &[c]),
                false => {
                    let data = Numbers::Floats(vec![value; c]);
                    self.graph.weight(&name, &[c], data)
                }
            });
        }
        inputs.push(self.param(&format!("{id}.running_mean"), &[c]));
        inputs.push(self.param(&format!("{id}.running_var"), &[c]));
        let more: Vec<&str> = std::iter::once(&x.name[..])
            .chain(inputs.iter().map(|s| &s[..]))
            .collect();
        let attributes = vec![float("epsilon", eps)];
        self.graph
            .node("BatchNormalization", &more, attributes, x.shape.clone())
    }

    /// Layer norm and RMS norm.
    pub fn norm(&mut self, layer: &LayerSpec, x: &Flow) -> Flow {
        let f = self.spec.framework;
        let (axes, eps, bias, rms) = match layer.kind {
            LayerKind::LayerNorm {
                axes,
                epsilon,
                bias,
            } => {
                let eps = epsilon.unwrap_or(Norm::Layer.default_epsilon(f));
                (axes, eps, bias, false)
            }
            LayerKind::RmsNorm { axes, epsilon } => {
                let eps = epsilon.unwrap_or(Norm::Rms.default_epsilon(f));
                (axes, eps, false, true)
            }
            _ => unreachable!("one of the two"),
        };
        let x = match axes == 1 && self.keras() {
            true => x.clone(),
            false => self.seen(x),
        };
        let id = layer.id.clone();
        self.with_channels_last(&x, |this, v| {
            let dims: Vec<usize> = v.shape[v.shape.len() - axes..]
                .iter()
                .map(|d| *d as usize)
                .collect();
            let w = this.param(&format!("{id}.weight"), &dims);
            let shape = v.shape.clone();
            if rms {
                return this.rms_norm(&v, &w, axes, eps);
            }
            let b = bias.then(|| this.param(&format!("{id}.bias"), &dims));
            let inputs: Vec<&str> = [Some(&v.name[..]), Some(&w[..]), b.as_deref()]
                .into_iter()
                .flatten()
                .collect();
            let attributes = vec![int("axis", -(axes as i64)), float("epsilon", eps)];
            this.graph
                .node("LayerNormalization", &inputs, attributes, shape)
        })
    }

    /// `x · weight / √(mean x² + ε)`; the op for it is newer than the opset.
    fn rms_norm(&mut self, x: &Value, weight: &str, axes: usize, eps: f32) -> Value {
        let shape = x.shape.clone();
        let mut one = shape.clone();
        let rank = one.len();
        one[rank - axes..].fill(1);
        let square = self.then("Mul", x, &[&x.name.clone()], shape.clone());
        let over: Vec<i64> = (1..=axes as i64).rev().map(|a| -a).collect();
        let attribute = graph::whole("axes", &over);
        let mean = self
            .graph
            .node("ReduceMean", &[&square.name], vec![attribute], one.clone());
        let eps = self.graph.scalar(eps);
        let v = self.then("Add", &mean, &[&eps], one.clone());
        let root = self.then("Sqrt", &v, &[], one);
        let v = self.then("Div", x, &[&root.name], shape.clone());
        self.then("Mul", &v, &[weight], shape)
    }
}
