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
use crate::spec::{Framework, Problem};
use safetensors::tensor::{Dtype, Metadata, TensorInfo, View};
use std::borrow::Cow;
use std::collections::HashMap;

/// Bound on a file's header, in bytes.
const HEADER: usize = 16 << 20;

/// The parameters as a file. `params`: the engine's name, its shape, its values.
///
/// Fails when a shape and its values disagree.
pub fn write(
    framework: Framework,
    params: &[(&str, &[usize], &[f32])],
) -> Result<Vec<u8>, Problem> {
    let mut tensors = Vec::with_capacity(params.len());
    let ranks: Vec<(&str, usize)> = params.iter().map(|(n, s, _)| (*n, s.len())).collect();
    for &(name, shape, values) in params {
        let theirs = foreign_name(framework, name, &ranks);
        let count: usize = shape.iter().product();
        tensors.push(if turned(framework, name, shape) && values.len() == count {
            let there = [&shape[2..], &[shape[1], shape[0]]].concat();
            (theirs, there, Cow::Owned(turn(values, shape)))
        } else {
            (theirs, shape.to_vec(), Cow::Borrowed(values))
        });
    }
    let format = match framework {
        Framework::Pytorch => "pt",
        Framework::Keras => "keras",
    };
    let borrowed = tensors.iter().map(|(n, s, v)| (n.as_str(), &s[..], &v[..]));
    serialize(borrowed, ("format", format.to_string()))
        .map_err(|e| Problem::new("internal").arg("detail", e))
}

/// The values of `params` (the engine's names and shapes), in that order, from a file's bytes.
/// Names may stand under a prefix (`model.fc1.weight`, `sequential/dense/kernel`). Tensors that
/// are not asked for are ignored. Numbers may be f64, f32, f16 or bf16.
///
/// Errors: `weights-file`, `weights-missing`, `weights-shape`.
pub fn read(
    framework: Framework,
    bytes: &[u8],
    params: &[(&str, &[usize])],
) -> Result<Vec<Vec<f32>>, Problem> {
    let file = File::open(bytes).map_err(|e| Problem::new("weights-file").arg("detail", e))?;
    let mut out = Vec::with_capacity(params.len());
    let ranks: Vec<(&str, usize)> = params.iter().map(|(n, s)| (*n, s.len())).collect();
    for &(name, shape) in params {
        let theirs = foreign_name(framework, name, &ranks);
        let info = file
            .find(framework, &theirs)
            .ok_or_else(|| Problem::new("weights-missing").arg("name", &theirs))?;
        let flip = turned(framework, name, shape);
        let want: Vec<usize> = if flip {
            [&shape[2..], &[shape[1], shape[0]]].concat()
        } else {
            shape.to_vec()
        };
        if !joins(&info.shape, &want) {
            return Err(Problem::new("weights-shape")
                .arg("name", &theirs)
                .arg("got", format!("{:?}", info.shape))
                .arg("want", format!("{want:?}")));
        }
        let values = floats(info.dtype, file.bytes(info)).ok_or_else(|| {
            let detail = format!("tensor “{theirs}” is of type {:?}", info.dtype);
            Problem::new("weights-file").arg("detail", detail)
        })?;
        out.push(if flip {
            turn_back(&values, shape)
        } else {
            values
        });
    }
    Ok(out)
}

/// `fc1.weight` as the framework writes it. `ranks` has all names and their numbers of axes: a
/// weight of one axis is that of a normalisation, which Keras calls gamma, its bias beta.
fn foreign_name(framework: Framework, name: &str, ranks: &[(&str, usize)]) -> String {
    let (Framework::Keras, Some((layer, what))) = (framework, name.rsplit_once('.')) else {
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
fn turned(framework: Framework, name: &str, shape: &[usize]) -> bool {
    let kernel = name.ends_with(".weight") || name.ends_with("kernel");
    framework == Framework::Keras && kernel && shape.len() >= 2
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

/// A view that `safetensors` can write.
struct Floats<'a>(&'a [usize], &'a [f32]);

impl View for Floats<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        self.0
    }
    fn data(&self) -> Cow<'_, [u8]> {
        if cfg!(target_endian = "little") {
            Cow::Borrowed(bytemuck::cast_slice(self.1))
        } else {
            Cow::Owned(self.1.iter().flat_map(|v| v.to_le_bytes()).collect())
        }
    }
    fn data_len(&self) -> usize {
        size_of_val(self.1)
    }
}

/// One metadata entry only: the header's order of several is left to chance.
pub(super) fn serialize<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [f32])>,
    metadata: (&str, String),
) -> Result<Vec<u8>, String> {
    let tensors = tensors.map(|(name, shape, values)| (name, Floats(shape, values)));
    let metadata = HashMap::from([(metadata.0.to_string(), metadata.1)]);
    safetensors::serialize(tensors, Some(metadata)).map_err(|e| e.to_string())
}

/// A file taken apart. `SafeTensors::deserialize` is not used, for its sum of the header's
/// length and a hostile offset can overflow (safetensors 0.8.0).
pub(super) struct File<'a> {
    pub metadata: Metadata,
    data: &'a [u8],
}

impl<'a> File<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<File<'a>, String> {
        let (length, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or("it has no safetensors header")?;
        let length = usize::try_from(u64::from_le_bytes(*length))
            .ok()
            .filter(|n| *n <= HEADER)
            .ok_or("it is no safetensors file")?;
        let (header, data) = rest.split_at_checked(length).ok_or("it is cut short")?;
        let metadata: Metadata = serde_json::from_slice(header).map_err(|e| e.to_string())?;
        if metadata.data_len() != data.len() {
            let (want, got) = (metadata.data_len(), data.len());
            return Err(format!("{got} bytes of data where {want} are promised"));
        }
        Ok(File { metadata, data })
    }

    pub fn bytes(&self, info: &TensorInfo) -> &'a [u8] {
        let (start, end) = info.data_offsets;
        self.data.get(start..end).unwrap_or_default()
    }

    fn find(&self, framework: Framework, name: &str) -> Option<&TensorInfo> {
        if let Some(info) = self.metadata.info(name) {
            return Some(info);
        }
        let suffix = match framework {
            Framework::Pytorch => format!(".{name}"),
            Framework::Keras => format!("/{name}"),
        };
        let all = self.metadata.offset_keys();
        let mut under_prefix = all.iter().filter(|n| n.ends_with(&suffix));
        match (under_prefix.next(), under_prefix.next()) {
            (Some(only), None) => self.metadata.info(only),
            _ => None,
        }
    }
}

/// Little-endian numbers as f32, or None for a type that is no float.
pub(super) fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks::<N>().0.iter().map(|b| f(*b)).collect()
    }
    Some(match dtype {
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::F16 => each(bytes, |b| half(u16::from_le_bytes(b))),
        Dtype::BF16 => each(bytes, |b| {
            f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
        }),
        _ => return None,
    })
}

/// IEEE 754 binary16 → binary32.
pub(crate) fn half(h: u16) -> f32 {
    let sign = u32::from(h & 0x8000) << 16;
    let exponent = u32::from(h >> 10) & 0x1f;
    let fraction = u32::from(h & 0x3ff);
    let magnitude = match exponent {
        0 => return f32::from_bits(sign | (fraction as f32 * (-24f32).exp2()).to_bits()),
        0x1f => 0x7f80_0000 | (fraction << 13),
        _ => ((exponent + 112) << 23) | (fraction << 13),
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        for (bits, want) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), want, "{bits:04x}");
        }
        assert!(half(0x7e00).is_nan());
        assert_eq!(half(0x8000).to_bits(), 0x8000_0000);
    }

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
        let name = |n| foreign_name(Framework::Keras, n, &ranks);
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
