//! Recurrent layers' parameters between the engine and ONNX, which has the gates i o f c (LSTM) and
//! z r h (GRU) and both biases in one tensor.
use crate::spec::{Framework, LayerKind, Recurrence};

/// A recurrent layer's cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    Rnn,
    Lstm,
    Gru,
}

impl Cell {
    /// ONNX's name of it.
    pub fn op(self) -> &'static str {
        match self {
            Cell::Rnn => "RNN",
            Cell::Lstm => "LSTM",
            Cell::Gru => "GRU",
        }
    }

    /// The engine's gate at each of ONNX's places.
    fn order(self, framework: Framework) -> &'static [usize] {
        match (self, framework) {
            (Cell::Rnn, _) => &[0],
            (Cell::Lstm, _) => &[0, 3, 1, 2],
            (Cell::Gru, Framework::Pytorch) => &[1, 0, 2],
            (Cell::Gru, Framework::Keras) => &[0, 1, 2],
        }
    }

    pub fn gates(self) -> usize {
        self.order(Framework::Pytorch).len()
    }
}

/// The cell of a layer, if it is a recurrent one.
pub fn of(kind: &LayerKind) -> Option<(Cell, Recurrence)> {
    match kind {
        LayerKind::Rnn { layer, .. } => Some((Cell::Rnn, *layer)),
        LayerKind::Lstm(layer) => Some((Cell::Lstm, *layer)),
        LayerKind::Gru(layer) => Some((Cell::Gru, *layer)),
        _ => None,
    }
}

/// Names of one direction's parameters: input weights, state weights, and the biases of both or the
/// one that there is.
pub fn names(framework: Framework, cell: Cell, id: &str, both: bool, reverse: bool) -> Vec<String> {
    match framework {
        Framework::Pytorch => {
            let suffix = if reverse { "l0_reverse" } else { "l0" };
            ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
                .map(|name| format!("{id}.{name}_{suffix}"))
                .to_vec()
        }
        Framework::Keras => {
            let kind = match cell {
                Cell::Rnn => "simple_rnn",
                Cell::Lstm => "lstm",
                Cell::Gru => "gru",
            };
            let direction = match (both, reverse) {
                (false, _) => String::new(),
                (true, false) => format!("forward_{kind}."),
                (true, true) => format!("backward_{kind}."),
            };
            ["kernel", "recurrent_kernel", "bias"]
                .map(|name| format!("{id}.{direction}{kind}_cell.{name}"))
                .to_vec()
        }
    }
}

/// Blocks of `rows` in another order: block k of the result is block `order[k]`.
fn reorder(rows: &[f32], order: &[usize], back: bool) -> Vec<f32> {
    let size = rows.len() / order.len().max(1);
    let mut out = vec![0.0; rows.len()];
    for (k, from) in order.iter().enumerate() {
        let (to, from) = if back { (*from, k) } else { (k, *from) };
        out[to * size..][..size].copy_from_slice(&rows[from * size..][..size]);
    }
    out
}

/// One direction's `(W[G·H, I], R[G·H, H], B[2·G·H])` from the engine's parameters, named as by
/// [`names`].
pub fn pack(cell: Cell, framework: Framework, params: &[&[f32]]) -> [Vec<f32>; 3] {
    let order = cell.order(framework);
    let turned = |v: &[f32]| reorder(v, order, false);
    let bias = match (params, cell) {
        ([_, _, a, b], _) => [turned(a), turned(b)].concat(),
        ([_, _, both], Cell::Gru) => {
            let (a, b) = both.split_at(both.len() / 2);
            [turned(a), turned(b)].concat()
        }
        ([_, _, one], _) => {
            let mut bias = turned(one);
            bias.resize(bias.len() * 2, 0.0);
            bias
        }
        _ => Vec::new(),
    };
    [turned(params[0]), turned(params[1]), bias]
}

/// The engine's parameters from one direction's W, R and B; the other way round than [`pack`].
pub fn unpack(cell: Cell, framework: Framework, w: &[f32], r: &[f32], b: &[f32]) -> Vec<Vec<f32>> {
    let order = cell.order(framework);
    let back = |v: &[f32]| reorder(v, order, true);
    let (first, second) = b.split_at(b.len() / 2);
    let (first, second) = (back(first), back(second));
    let biases = match (framework, cell) {
        (Framework::Pytorch, _) => vec![first, second],
        (Framework::Keras, Cell::Gru) => vec![[first, second].concat()],
        (Framework::Keras, _) => vec![first.iter().zip(&second).map(|(a, b)| a + b).collect()],
    };
    [vec![back(w), back(r)], biases].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for framework in [Framework::Pytorch, Framework::Keras] {
            for cell in [Cell::Rnn, Cell::Lstm, Cell::Gru] {
                let (h, i) = (2, 3);
                let rows = cell.gates() * h;
                let some =
                    |n: usize, from: f32| -> Vec<f32> { (0..n).map(|k| from + k as f32).collect() };
                let mut params = vec![some(rows * i, 0.0), some(rows * h, 100.0)];
                params.extend(match (framework, cell) {
                    (Framework::Pytorch, _) => vec![some(rows, 200.0), some(rows, 300.0)],
                    (_, Cell::Gru) => vec![some(2 * rows, 200.0)],
                    _ => vec![some(rows, 200.0)],
                });
                let borrowed: Vec<&[f32]> = params.iter().map(|p| &p[..]).collect();
                let [w, r, b] = pack(cell, framework, &borrowed);
                assert_eq!(unpack(cell, framework, &w, &r, &b), params);
                assert_eq!(
                    names(framework, cell, "a", false, false).len(),
                    params.len()
                );
            }
        }
    }
}
