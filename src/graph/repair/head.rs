//! The end of the network and the loss, brought to fit.
use super::Desk;
use super::apply::*;
use crate::spec::edit::{self, fit_head, free_id, new_layer, source_of};
use crate::spec::*;

impl Desk<'_> {
    pub(super) fn no_layers(&mut self) {
        let Some(data) = self.data.clone() else {
            return;
        };
        let outputs = data.classes.unwrap_or(data.targets);
        let args = vec![("n", outputs.to_string())];
        self.offer("add-output", args, |s| {
            if data.sample.len() > 1 && data.targets == 1 {
                s.layers.extend(new_layer(s, 0, "flatten"));
            }
            s.layers.extend(new_layer(s, s.layers.len(), "linear"));
            fit_head(s, &data);
            Some(())
        });
    }

    /// The end of the network gets as many numbers as the loss takes.
    pub(super) fn output_shape(&mut self) {
        let want = numbers(self.arg("want"));
        let Some(&n) = want.last() else { return };
        let layers = &self.spec.layers;
        let last = layers
            .iter()
            .rposition(|l| matches!(l.kind, LayerKind::Linear { .. }));
        // Nothing behind it changes the number of outputs.
        let keeps = |l: &LayerSpec| {
            matches!(
                l.kind,
                LayerKind::Activation { .. }
                    | LayerKind::Dropout { .. }
                    | LayerKind::Sampling { .. }
            )
        };
        let head = last.filter(|at| layers[at + 1..].iter().all(keeps));
        if let Some(head) = head {
            let id = layers[head].id.clone();
            let args = vec![("layer", id.clone()), ("n", n.to_string())];
            self.offer("set-units", args, |s| set_units(s, head, n));
            // Only where it reads more than a row.
            let several = |shape: &[usize]| shape.len() > 1;
            let source = source_of(self.spec, head);
            let rows = self.shape(&source).is_some_and(several);
            self.offer("insert-flatten-before", vec![("layer", id)], |s| {
                rows.then_some(())?;
                set_units(s, head, n)?;
                insert_before(s, head, LayerKind::Flatten)
            });
        }
        // A recurrent layer that gives every step where one is wanted, or the other way round.
        let steps = layers
            .iter()
            .rposition(|l| recurrence(&mut l.kind.clone()).is_some());
        if let Some(at) = steps {
            let id = layers[at].id.clone();
            let all = want.len() > 1;
            let code = if all { "all-states" } else { "last-state" };
            self.offer(code, vec![("layer", id)], |s| {
                recurrence(&mut s.layers[at].kind)?.return_sequences = all;
                if let Some(head) = head {
                    set_units(s, head, n)?;
                }
                Some(())
            });
        }
        let data = self.data.clone();
        self.offer("add-output", vec![("n", n.to_string())], |s| {
            let end = s.layers.len();
            s.layers.extend(new_layer(s, end, "linear"));
            fit_head(s, &data?);
            set_units(s, end, n)
        });
        let data = self.data.clone();
        self.offer("add-flat-output", vec![("n", n.to_string())], |s| {
            s.layers.extend(new_layer(s, s.layers.len(), "flatten"));
            let end = s.layers.len();
            s.layers.extend(new_layer(s, end, "linear"));
            fit_head(s, &data?);
            set_units(s, end, n)
        });
    }

    /// The function that the layer concerned ends in, or a layer of it behind.
    pub(super) fn activate(&mut self, f: Activation, name: &str) {
        let Some(at) = self.at else { return };
        let args = vec![("activation", name.to_string()), ("layer", self.id())];
        self.offer("set-activation", args.clone(), |s| {
            let slot = activation_mut(&mut s.layers[at].kind)?;
            *slot = Some(f);
            Some(())
        });
        self.offer("add-activation", args, |s| {
            let mut layer = new_layer(s, at + 1, "activation")?;
            layer.kind = LayerKind::Activation {
                function: f,
                alpha: None,
            };
            layer.id = free_id(s, "activation");
            layer.group.clone_from(&s.layers[at].group);
            s.layers.insert(at + 1, layer);
            Some(())
        });
    }

    pub(super) fn logits(&mut self, on: bool) {
        let code = if on {
            "use-logits"
        } else {
            "use-probabilities"
        };
        self.offer(code, Vec::new(), |s| {
            match &mut s.train.loss {
                Loss::CrossEntropy { from_logits } | Loss::BinaryCrossEntropy { from_logits } => {
                    *from_logits = on;
                }
                _ => return None,
            }
            Some(())
        });
    }

    /// Softmax before a loss that applies it itself.
    pub(super) fn twice(&mut self) {
        let Some(at) = self.at else { return };
        let args = vec![("activation", self.arg("activation").to_string())];
        let id = self.id();
        self.offer("no-activation", args, |s| {
            if matches!(s.layers[at].kind, LayerKind::Activation { .. }) {
                edit::remove(s, &id);
            } else {
                *activation_mut(&mut s.layers[at].kind)? = None;
            }
            Some(())
        });
        self.logits(false);
    }

    pub(super) fn other_loss(&mut self) {
        let Some(data) = self.data.clone() else {
            return;
        };
        self.offer("fit-loss", Vec::new(), |s| fit_head(s, &data).then_some(()));
    }
}
