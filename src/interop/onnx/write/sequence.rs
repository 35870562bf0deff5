//! Recurrent layers and attention.
use super::graph::{BATCH, Numbers, Value, int, ints, text, texts};
use super::layers::Writer;
use crate::interop::onnx::gates::{self, Cell};
use crate::spec::Recurrence;

impl Writer<'_> {
    /// `x[N,T,I] → [N,T,D·H]`, or `[N,D·H]` of the last step that each of the D directions computed.
    /// ONNX has the steps first, and its own order of gates: initializers `W`, `R` and `B`.
    pub fn recurrent(
        &mut self,
        id: &str,
        x: &Value,
        cell: Cell,
        layer: &Recurrence,
        relu: bool,
    ) -> Value {
        let [t, inputs] = [x.shape[1], x.shape[2]];
        let h = layer.units;
        let directions = if layer.bidirectional { 2 } else { 1 };
        let rows = cell.gates() * h;
        let shapes: [[usize; 3]; 3] = [
            [directions, rows, inputs as usize],
            [directions, rows, h],
            [directions, 2 * rows, 1],
        ];
        let mut all = [Vec::new(), Vec::new(), Vec::new()];
        let mut whole = true;
        for reverse in [false, true].into_iter().take(directions) {
            let f = self.spec.framework;
            let names = gates::names(f, cell, id, layer.bidirectional, reverse);
            let values: Vec<Vec<f32>> = names
                .iter()
                .filter_map(|n| match self.floats(n, |v| v.to_vec()) {
                    Numbers::Floats(v) => Some(v),
                    _ => None,
                })
                .collect();
            if values.len() != names.len() {
                whole = false;
                continue;
            }
            let borrowed: Vec<&[f32]> = values.iter().map(|v| &v[..]).collect();
            for (all, part) in all.iter_mut().zip(gates::pack(cell, f, &borrowed)) {
                all.extend(part);
            }
        }
        let mut names = Vec::new();
        for ((what, shape), values) in ["W", "R", "B"].into_iter().zip(shapes).zip(all) {
            let dims = if what == "B" { &shape[..2] } else { &shape[..] };
            let data = match whole {
                true => Numbers::Floats(values),
                false => Numbers::Absent,
            };
            names.push(self.graph.weight(&format!("{id}.{what}"), dims, data));
        }
        let turned = self.transpose(x, &[1, 0, 2]);
        let mut attributes = vec![
            text("direction", ["forward", "bidirectional"][directions - 1]),
            int("hidden_size", h as i64),
        ];
        if cell == Cell::Gru {
            attributes.push(int("linear_before_reset", 1));
        }
        if relu {
            attributes.push(texts("activations", &vec!["Relu"; directions]));
        }
        let (d, hidden) = (directions as i64, h as i64);
        let mut outputs = vec![vec![t, d, BATCH, hidden]];
        if !layer.return_sequences {
            outputs = vec![Vec::new(), vec![d, BATCH, hidden]];
        }
        let inputs = [&turned.name[..], &names[0], &names[1], &names[2]];
        let y = self
            .graph
            .nodes_of(cell.op(), &inputs, attributes, outputs)
            .pop()
            .expect("has an output");
        match layer.return_sequences {
            true => {
                let y = self.transpose(&y, &[2, 0, 1, 3]);
                self.reshape(&y, &[t, d * hidden])
            }
            false => {
                let y = self.transpose(&y, &[1, 0, 2]);
                self.reshape(&y, &[d * hidden])
            }
        }
    }

    /// Self-attention `x[N,T,D] → [N,T,D]` with projections before and after.
    pub fn attention(&mut self, id: &str, x: &Value, heads: usize, causal: bool) -> Value {
        let [t, d] = [x.shape[1], x.shape[2]];
        let width = d as usize;
        let parts = if self.keras() {
            ["query", "key", "value"].map(|name| {
                let (w, b) = (format!("{id}.{name}.weight"), format!("{id}.{name}.bias"));
                self.linear(x, (&w, Some(&b)), [width, width])
            })
        } else {
            let (w, b) = (format!("{id}.in_proj_weight"), format!("{id}.in_proj_bias"));
            let all = self.linear(x, (&w, Some(&b)), [3 * width, width]);
            let sizes = self.graph.longs("split", &[d, d, d]);
            let shapes = vec![vec![BATCH, t, d]; 3];
            let made =
                self.graph
                    .nodes_of("Split", &[&all.name, &sizes], vec![int("axis", -1)], shapes);
            made.try_into().expect("three parts")
        };
        let (h, each) = (heads as i64, d / heads as i64);
        let [q, k, v] = parts.map(|part| {
            let apart = self.reshape(&part, &[t, h, each]);
            self.transpose(&apart, &[0, 2, 1, 3])
        });
        let k = self.transpose(&k, &[0, 1, 3, 2]);
        let scores = vec![BATCH, h, t, t];
        let mut s = self.then("MatMul", &q, &[&k.name], scores.clone());
        let scale = self.graph.scalar(1.0 / (each as f32).sqrt());
        s = self.then("Mul", &s, &[&scale], scores.clone());
        if causal {
            let n = t as usize;
            let hidden = |i: usize| match i % n > i / n {
                true => f32::NEG_INFINITY,
                false => 0.0,
            };
            let mask = (0..n * n).map(hidden).collect();
            let mask = self
                .graph
                .weight(&format!("{id}.mask"), &[n, n], Numbers::Floats(mask));
            s = self.then("Add", &s, &[&mask], scores.clone());
        }
        let weights = self
            .graph
            .node("Softmax", &[&s.name], vec![int("axis", -1)], scores);
        let y = self.then("MatMul", &weights, &[&v.name], vec![BATCH, h, t, each]);
        let y = self.graph.node(
            "Transpose",
            &[&y.name],
            vec![ints("perm", &[0, 2, 1, 3])],
            vec![BATCH, t, h, each],
        );
        let y = self.reshape(&y, &[t, d]);
        let name = match self.keras() {
            true => "attention_output",
            false => "out_proj",
        };
        let (w, b) = (format!("{id}.{name}.weight"), format!("{id}.{name}.bias"));
        self.linear(&y, (&w, Some(&b)), [width, width])
    }
}
