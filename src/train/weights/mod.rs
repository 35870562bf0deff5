//! Weights as safetensors files, under the names and layouts of the spec's framework:
//! PyTorch's state_dict has `fc1.weight[out, in]`, `conv.weight[out, in, rows, columns]` and
//! `bn.running_mean[n]`, Keras `fc1/kernel[in, out]`, `conv/kernel[rows, columns, in, out]` and
//! `bn/moving_mean[n]`. The engine's own are PyTorch's, where every matrix is `[out, in]`.
//!
//! Recurrent layers: PyTorch's `weight_ih_l0[gates, in]`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0` and
//! the same with `_reverse`; Keras' `lstm/lstm_cell/kernel[in, gates]`, `recurrent_kernel`, `bias`, under
//! `forward_lstm` and `backward_lstm` where there are two. Gates stand in each framework's own
//! order. Attention: PyTorch's `in_proj_weight[3D, D]` and `out_proj.weight`; Keras' `query/kernel` and
//! so on are written as `[D, D]`, and read with their heads apart as well.
mod fit;

use super::tensors::{File, floats, serialize};
use crate::spec::{Framework, Problem, Problems, Spec};
pub use fit::{Fit, Layout, Row, fit, fit_by_order, renamed};
use std::borrow::Cow;

/// Key of the metadata under which a file of ours has the network that its weights are of, as JSON.
pub const SPEC: &str = "nabla.spec";

/// The parameters as a file. `params`: the engine's name, its shape, its values.
///
/// Fails when a shape and its values disagree.
pub fn write(
    framework: Framework,
    params: &[(&str, &[usize], &[f32])],
) -> Result<Vec<u8>, Problem> {
    write_all(framework, params, None)
}

/// [`write()`] for the network of `spec`, which the file names besides.
pub fn write_of(spec: &Spec, params: &[(&str, &[usize], &[f32])]) -> Result<Vec<u8>, Problem> {
    write_all(spec.framework, params, Some(spec.to_short().to_string()))
}

fn write_all(
    framework: Framework,
    params: &[(&str, &[usize], &[f32])],
    spec: Option<String>,
) -> Result<Vec<u8>, Problem> {
    let layout = Layout::of(framework);
    let ranks: Vec<(&str, usize)> = params.iter().map(|(n, s, _)| (*n, s.len())).collect();
    let mut tensors: Vec<(String, Vec<usize>, Cow<[f32]>)> = Vec::with_capacity(params.len());
    for &(name, shape, values) in params {
        let theirs = foreign_name(layout, name, &ranks);
        let count: usize = shape.iter().product();
        tensors.push(if turned(layout, name, shape) && values.len() == count {
            let there = [&shape[2..], &[shape[1], shape[0]]].concat();
            (theirs, there, Cow::Owned(turn(values, shape)))
        } else {
            (theirs, shape.to_vec(), Cow::Borrowed(values))
        });
    }
    let mut metadata = vec![("format", layout.format().to_string())];
    metadata.extend(spec.map(|json| (SPEC, json)));
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let borrowed: Vec<_> = tensors
        .iter()
        .map(|(n, s, v)| (n.as_str(), &s[..], &v[..]))
        .collect();
    serialize(&borrowed, &metadata).map_err(|e| Problem::new("internal").arg("detail", e))
}

/// The values of `params` (the engine's names and shapes), in that order, from a file's bytes.
/// The file's own names and metadata say whose layout it has. Names may stand under a prefix
/// (`model.fc1.weight`, `sequential/dense/kernel`). Tensors that are not asked for are ignored.
/// Numbers may be f64, f32, f16 or bf16.
///
/// Errors: `weights-file`, `weights-missing`, `weights-shape`, one for each tensor.
pub fn read(
    framework: Framework,
    bytes: &[u8],
    params: &[(&str, &[usize])],
) -> Result<Vec<Vec<f32>>, Problems> {
    let unread = |detail: String| Problem::new("weights-file").arg("detail", detail);
    let file = File::open(bytes).map_err(unread)?;
    let fit = fit(&file.metadata, framework, params);
    let problems = fit.problems();
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let mut out = Vec::with_capacity(params.len());
    for (row, (_, shape)) in fit.rows.iter().zip(params) {
        let info = file.metadata.info(&row.tensor);
        let values = info.and_then(|info| floats(info.dtype, file.bytes(info)));
        let values = values.ok_or_else(|| unread(row.tensor.clone()))?;
        out.push(if row.turned {
            turn_back(&values, shape)
        } else {
            values
        });
    }
    Ok(out)
}

/// `fc1.weight` as the framework writes it. `ranks` has all names and their numbers of axes: a
/// weight of one axis is that of a normalisation, which Keras calls gamma, its bias beta.
fn foreign_name(layout: Layout, name: &str, ranks: &[(&str, usize)]) -> String {
    let (Layout::Keras, Some((layer, what))) = (layout, name.rsplit_once('.')) else {
        return name.to_string();
    };
    let rank = |what: &str| {
        let full = format!("{layer}.{what}");
        ranks.iter().find(|(n, _)| *n == full).map(|(_, r)| *r)
    };
    let norm = rank("weight") == Some(1);
    let what = match what {
        "weight" if norm && rank("bias").is_none() => "scale",
        "weight" if norm => "gamma",
        "bias" if norm => "beta",
        "weight" => "kernel",
        "running_mean" => "moving_mean",
        "running_var" => "moving_variance",
        other => other,
    };
    format!("{}/{what}", layer.replace('.', "/"))
}

/// Whether the framework has `[…, in, out]` where the engine has `[out, in, …]`.
fn turned(layout: Layout, name: &str, shape: &[usize]) -> bool {
    let kernel = name.ends_with(".weight") || name.ends_with("kernel");
    layout == Layout::Keras && kernel && shape.len() >= 2
}

/// Whether `want` is `got` with neighbouring axes taken together.
fn joins(got: &[usize], want: &[usize]) -> bool {
    let mut rest = got.iter();
    let all = want.iter().all(|w| {
        let mut n = 1;
        let mut took = 0;
        while took == 0 || n < *w {
            let Some(d) = rest.next() else { return false };
            n *= d;
            took += 1;
        }
        n == *w
    });
    all && rest.next().is_none()
}

/// `[a, b, …]` → `[…, b, a]`.
fn turn(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let (a, b) = (shape[0], shape[1]);
    let n: usize = shape[2..].iter().product();
    let at = |i: usize| (i % a * b + i / a % b) * n + i / (a * b);
    (0..a * b * n).map(|i| values[at(i)]).collect()
}

/// `[…, b, a]` → `[a, b, …]`, where `shape` is the latter.
fn turn_back(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let (a, b) = (shape[0], shape[1]);
    let n: usize = shape[2..].iter().product();
    let at = |i: usize| (i % n * b + i / n % b) * a + i / (n * b);
    (0..a * b * n).map(|i| values[at(i)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_back() {
        let v: Vec<f32> = (0..6u8).map(f32::from).collect();
        // [2, 3] → [3, 2]
        let t = turn(&v, &[2, 3]);
        assert_eq!(t, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(turn_back(&t, &[2, 3]), v);
        let v: Vec<f32> = (0..24u8).map(f32::from).collect();
        // [2, 3, 2, 2] → [2, 2, 3, 2]
        let t = turn(&v, &[2, 3, 2, 2]);
        assert_eq!(t[..6], [0.0, 12.0, 4.0, 16.0, 8.0, 20.0]);
        assert_eq!(turn_back(&t, &[2, 3, 2, 2]), v);
    }

    #[test]
    fn names_of_keras() {
        let ranks = [
            ("bn.weight", 1),
            ("bn.bias", 1),
            ("c.weight", 4),
            ("c.bias", 1),
            ("l.forward_lstm.lstm_cell.kernel", 2),
            ("l.forward_lstm.lstm_cell.bias", 1),
            ("a.query.weight", 2),
            ("a.query.bias", 1),
        ];
        let name = |n| foreign_name(Layout::Keras, n, &ranks);
        assert_eq!(name("bn.weight"), "bn/gamma");
        assert_eq!(name("bn.bias"), "bn/beta");
        assert_eq!(name("bn.running_var"), "bn/moving_variance");
        assert_eq!(name("c.weight"), "c/kernel");
        assert_eq!(name("c.bias"), "c/bias");
        let cell = "l/forward_lstm/lstm_cell";
        assert_eq!(
            name("l.forward_lstm.lstm_cell.kernel"),
            format!("{cell}/kernel")
        );
        assert_eq!(
            name("l.forward_lstm.lstm_cell.bias"),
            format!("{cell}/bias")
        );
        assert_eq!(name("a.query.weight"), "a/query/kernel");
        assert_eq!(name("a.query.bias"), "a/query/bias");
    }
}
