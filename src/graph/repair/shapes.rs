//! What a layer reads, and what it makes of it, brought to fit.
use super::Desk;
use super::apply::*;
use crate::json;
use crate::spec::edit::{self, free_id, new_layer, source_of};
use crate::spec::*;

impl Desk<'_> {
    pub(super) fn flatten_off(&mut self) {
        if self.spec.data.flatten {
            self.offer("keep-shape", Vec::new(), |s| {
                s.data.flatten = false;
                Some(())
            });
        }
    }

    /// The layer right before, where it does what stands in the way.
    pub(super) fn drop_flatten(&mut self) {
        let Some(at) = self.at else { return };
        let source = source_of(self.spec, at);
        let flattens = |l: &&LayerSpec| l.id == source && l.kind == LayerKind::Flatten;
        if self.spec.layers.iter().any(|l| flattens(&l)) {
            self.offer("remove", vec![("layer", source.clone())], |s| {
                edit::remove(s, &source);
                Some(())
            });
        }
    }

    pub(super) fn reshape(&mut self, shape: &[usize]) {
        let shown: Vec<String> = shape.iter().map(usize::to_string).collect();
        let kind = LayerKind::Reshape {
            shape: shape.iter().map(|n| *n as i64).collect(),
        };
        self.before("insert-reshape", vec![("shape", shown.join("×"))], kind);
    }

    pub(super) fn image_input(&mut self) {
        self.flatten_off();
        self.drop_flatten();
        let Some(&[n]) = self.given() else { return };
        // A square of one channel, or of the three colours.
        for channels in [1, 3] {
            let side = ((n / channels) as f64).sqrt().round() as usize;
            if side > 1 && side * side * channels == n {
                self.reshape(&[channels, side, side]);
            }
        }
    }

    pub(super) fn sequence_input(&mut self) {
        let Some(at) = self.at else { return };
        if self.spec.data.text.is_some() {
            let kind = new_layer(self.spec, at, "embedding").map(|l| l.kind);
            if let Some(kind) = kind {
                self.before("insert-embedding", Vec::new(), kind);
            }
        }
        // A recurrent layer before it that gives its last state only.
        let source = source_of(self.spec, at);
        let from = self.spec.layers.iter().position(|l| l.id == source);
        self.offer("all-states", vec![("layer", source.clone())], |s| {
            let all = recurrence(&mut s.layers[from?].kind)?;
            all.return_sequences = true;
            Some(())
        });
        self.flatten_off();
        self.drop_flatten();
        match self.given().map(<[usize]>::to_vec).as_deref() {
            Some(&[n]) => self.reshape(&[n, 1]),
            // The rows of a picture, one after another.
            Some(&[c, h, w]) => self.reshape(&[h, w * c]),
            _ => {}
        }
    }

    pub(super) fn heads(&mut self) {
        let (Some(width), Some(heads)) = (self.number("width"), self.number("heads")) else {
            return;
        };
        let divides = |h: &usize| width.is_multiple_of(*h);
        let fewer = (1..=heads.min(width).min(256)).rev().find(divides);
        let more = (heads + 1..=width.min(256)).find(divides);
        for n in fewer.into_iter().chain(more) {
            self.set("heads", n.into());
        }
    }

    /// Rows and columns of the window of the layer concerned.
    pub(super) fn kernel(&self) -> Option<[usize; 2]> {
        let kind = &self.spec.layers.get(self.at?)?.kind;
        Some(match kind {
            LayerKind::Conv1d(c)
            | LayerKind::Conv2d(c)
            | LayerKind::ConvTranspose2d { conv: c, .. } => c.kernel.pair(),
            LayerKind::MaxPool1d(p)
            | LayerKind::MaxPool2d(p)
            | LayerKind::AvgPool1d(p)
            | LayerKind::AvgPool2d(p) => p.kernel.pair(),
            _ => return None,
        })
    }

    pub(super) fn kernel_size(&mut self) {
        let Some([rows, columns]) = self.kernel() else {
            return;
        };
        let given = self.given().map(<[usize]>::to_vec).unwrap_or_default();
        let keras = self.spec.framework == Framework::Keras;
        let pools = self.at.is_some_and(|at| {
            let kind = &self.spec.layers[at].kind;
            matches!(kind, LayerKind::MaxPool1d(_) | LayerKind::MaxPool2d(_))
                || matches!(kind, LayerKind::AvgPool1d(_) | LayerKind::AvgPool2d(_))
        });
        if keras || !pools {
            self.set("padding", "same".into());
        }
        self.set("padding", (rows.max(columns) / 2).into());
        if let Some(least) = given.iter().rev().take(2).min().filter(|n| **n > 0) {
            self.set("kernel", (*least).into());
        }
        self.set("kernel", 1.into());
    }

    pub(super) fn one_number(&mut self) {
        let Some(field) = self.problem.field.clone() else {
            return;
        };
        let Some(at) = self.at else { return };
        let layer = json::value(&self.spec.layers[at]);
        if let Some(first) = layer.get(&field).and_then(|v| v.get(0)) {
            self.set(&field, first.clone());
        }
    }

    /// A sum of two shapes: the shorter way gets a layer that makes them equal.
    pub(super) fn same_shape(&mut self) {
        let Some(at) = self.at else { return };
        let inputs = self.spec.layers[at].inputs.clone();
        let [a, b] = &inputs[..] else { return };
        let (Some(x), Some(y)) = (self.shape(a), self.shape(b)) else {
            return;
        };
        // An image without channels has one.
        let image = |s: &[usize], other: &[usize]| match (s, other.len()) {
            ([h, w], 3) => vec![1, *h, *w],
            _ => s.to_vec(),
        };
        let (x, y) = (image(x, y), image(y, x));
        for (from, shape, other, want) in [(b, &y, a, &x), (a, &x, b, &y)] {
            // Units of the layer itself, where nothing else stands in between.
            let last = self.spec.layers.iter().position(|l| l.id == *from);
            if let (Some(last), Some((n, rest))) = (last, want.split_last())
                && shape.split_last().is_some_and(|(_, r)| r == rest)
            {
                let args = vec![("layer", from.clone()), ("n", n.to_string())];
                let n = *n;
                self.offer("set-units", args, |s| set_units(s, last, n));
            }
            let kind = match (&shape[..], &want[..]) {
                ([_, h, w], [c, h2, w2]) if (h, w) == (h2, w2) => {
                    LayerKind::Conv2d(Conv::new(*c, 1))
                }
                ([c, h, w], [k, h2, w2]) if h / 2 == *h2 && w / 2 == *w2 && c <= k => {
                    LayerKind::Conv2d(Conv {
                        stride: Size::One(2),
                        ..Conv::new(*k, 1)
                    })
                }
                (s, t) if s.len() == t.len() && s[..s.len() - 1] == t[..t.len() - 1] => {
                    linear(t[t.len() - 1])
                }
                _ => continue,
            };
            let args = vec![("from", from.clone()), ("to", other.clone())];
            let place = inputs.iter().position(|i| i == from);
            self.offer("project", args, |s| {
                let mut layer = LayerSpec::new(&free_id(s, "project"), kind);
                layer.inputs = vec![from.clone()];
                layer.group.clone_from(&s.layers[at].group);
                s.layers[at].inputs[place?].clone_from(&layer.id);
                s.layers.insert(at, layer);
                Some(())
            });
        }
    }

    pub(super) fn flatten_inputs(&mut self) {
        let Some(at) = self.at else { return };
        self.offer("flatten-inputs", Vec::new(), |s| {
            let (group, inputs) = (s.layers[at].group.clone(), s.layers[at].inputs.clone());
            let mut ids = Vec::new();
            for from in inputs {
                let mut layer = LayerSpec::new(&free_id(s, "flatten"), LayerKind::Flatten);
                layer.inputs = vec![from];
                layer.group.clone_from(&group);
                ids.push(layer.id.clone());
                s.layers.insert(at, layer);
            }
            let join = &mut s.layers[at + ids.len()];
            join.inputs = ids;
            if let LayerKind::Concatenate { axis } = &mut join.kind {
                *axis = -1;
            }
            Some(())
        });
    }
}
