//! Operations on numbers that the file itself holds: shapes that exporters compute, weights that they
//! turn round. Sizes may hold [`BATCH`] and its multiples.
use super::file::Node;
use super::flow::{BATCH, of_batch, times};
use crate::interop::onnx::tensor::{Data, Tensor};

/// Axes of an attribute or an input, from the end where they are negative.
pub fn axes(given: &[i64], rank: usize) -> Option<Vec<usize>> {
    given.iter().map(|a| axis(*a, rank)).collect()
}

pub fn axis(a: i64, rank: usize) -> Option<usize> {
    let at = if a < 0 { a + rank as i64 } else { a };
    usize::try_from(at).ok().filter(|a| *a < rank)
}

/// The numbers of `t` that `at` names, in a new shape.
fn pick(t: &Tensor, dims: Vec<usize>, at: impl Fn(usize) -> usize) -> Option<Tensor> {
    let n = dims.iter().product();
    let data = match &t.data {
        Data::Floats(v) => Data::Floats(
            (0..n)
                .map(|i| v.get(at(i)).copied())
                .collect::<Option<_>>()?,
        ),
        Data::Longs(v) => Data::Longs(
            (0..n)
                .map(|i| v.get(at(i)).copied())
                .collect::<Option<_>>()?,
        ),
    };
    Some(Tensor { dims, data })
}

pub fn transpose(t: &Tensor, perm: &[usize]) -> Option<Tensor> {
    if perm.len() != t.dims.len() || (0..perm.len()).any(|k| !perm.contains(&k)) {
        return None;
    }
    let mut strides = vec![1; t.dims.len()];
    for k in (1..t.dims.len()).rev() {
        strides[k - 1] = strides[k] * t.dims[k];
    }
    let dims: Vec<usize> = perm.iter().map(|p| t.dims[*p]).collect();
    let shape = dims.clone();
    pick(t, dims, |mut i| {
        let mut at = 0;
        for k in (0..perm.len()).rev() {
            at += i % shape[k] * strides[perm[k]];
            i /= shape[k];
        }
        at
    })
}

/// `len` entries from `start` along an axis, each `step` apart.
fn slice(t: &Tensor, axis: usize, start: usize, len: usize, step: usize) -> Option<Tensor> {
    let inner: usize = t.dims[axis + 1..].iter().product();
    let mut dims = t.dims.clone();
    dims[axis] = len;
    let n = t.dims[axis];
    pick(t, dims, |i| {
        let (outer, k, rest) = (i / (len * inner), i / inner % len, i % inner);
        (outer * n + start + k * step) * inner + rest
    })
}

/// Start and length along an axis from Slice's start and end.
pub fn bounds(start: i64, end: i64, size: usize) -> (usize, usize) {
    let n = size as i64;
    let at = |v: i64| (if v < 0 { v.saturating_add(n) } else { v }).clamp(0, n) as usize;
    let (a, b) = (at(start), at(end));
    (a, b.saturating_sub(a))
}

fn concat(all: &[Tensor], axis: usize) -> Option<Tensor> {
    let first = all.first()?;
    let mut dims = first.dims.clone();
    let outer: usize = dims[..axis].iter().product();
    dims[axis] = 0;
    for t in all {
        let fits = t.dims.len() == dims.len()
            && (0..dims.len()).all(|k| k == axis || t.dims[k] == dims[k]);
        if !fits {
            return None;
        }
        dims[axis] += t.dims[axis];
    }
    let block = |t: &Tensor| t.len() / outer.max(1);
    let long = all.iter().all(|t| matches!(t.data, Data::Longs(_)));
    let data = if long {
        let mut out = Vec::new();
        for o in 0..outer {
            for t in all {
                let n = block(t);
                out.extend_from_slice(&t.to_longs()?[o * n..(o + 1) * n]);
            }
        }
        Data::Longs(out)
    } else {
        let floats: Vec<Vec<f32>> = all.iter().map(Tensor::to_floats).collect();
        let mut out = Vec::new();
        for o in 0..outer {
            for (t, v) in all.iter().zip(&floats) {
                let n = block(t);
                out.extend_from_slice(&v[o * n..(o + 1) * n]);
            }
        }
        Data::Floats(out)
    };
    Some(Tensor { dims, data })
}

pub fn reshape(t: &Tensor, target: &[i64]) -> Option<Tensor> {
    let mut dims = Vec::new();
    for (k, d) in target.iter().enumerate() {
        dims.push(match d {
            0 => *t.dims.get(k)?,
            -1 => usize::MAX,
            d => usize::try_from(*d).ok()?,
        });
    }
    let known = dims
        .iter()
        .filter(|d| **d != usize::MAX)
        .try_fold(1usize, |n, d| n.checked_mul(*d))?;
    for d in &mut dims {
        if *d == usize::MAX {
            *d = t.len() / known.max(1);
        }
    }
    let n = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d))?;
    (n == t.len()).then(|| Tensor {
        dims,
        data: t.data.clone(),
    })
}

/// Two tensors number by number; the smaller one is repeated. No result is larger than the larger one.
fn pointwise(op: &str, a: &Tensor, b: &Tensor) -> Option<Tensor> {
    let (n, dims) = match a.len() >= b.len() {
        true => (a.len(), a.dims.clone()),
        false => (b.len(), b.dims.clone()),
    };
    // Repeated along leading axes only.
    let tail = |t: &Tensor| {
        let d: Vec<usize> = t.dims.iter().copied().skip_while(|d| *d == 1).collect();
        dims.ends_with(&d) && t.len() > 0
    };
    if !tail(a) || !tail(b) {
        return None;
    }
    if let (Some(x), Some(y)) = (a.to_longs(), b.to_longs()) {
        let f = |p: i64, q: i64| -> Option<i64> {
            match (op, of_batch(p), of_batch(q)) {
                (_, None, None) => {}
                ("Mul", Some(_), None) => return times(p, q),
                ("Mul", None, Some(_)) => return times(q, p),
                ("Div", Some(n), None) => {
                    let by = usize::try_from(q).ok().filter(|q| *q > 0)?;
                    let whole = n.is_multiple_of(by).then_some(n / by)?;
                    return times(BATCH, whole as i64);
                }
                ("Add" | "Sub", Some(_), _) if q == 0 => return Some(p),
                _ => return None,
            }
            match op {
                "Add" => p.checked_add(q),
                "Sub" => p.checked_sub(q),
                "Mul" => p.checked_mul(q),
                "Div" => p.checked_div(q),
                "Mod" => p.checked_rem_euclid(q),
                _ => None,
            }
        };
        let out: Option<Vec<i64>> = (0..n).map(|i| f(x[i % x.len()], y[i % y.len()])).collect();
        return Some(Tensor {
            dims,
            data: Data::Longs(out?),
        });
    }
    let (x, y) = (a.to_floats(), b.to_floats());
    let f: fn(f32, f32) -> f32 = match op {
        "Add" => |a, b| a + b,
        "Sub" => |a, b| a - b,
        "Mul" => |a, b| a * b,
        "Div" => |a, b| a / b,
        "Pow" => |a, b| a.powf(b),
        _ => return None,
    };
    let out = (0..n).map(|i| f(x[i % x.len()], y[i % y.len()])).collect();
    Some(Tensor {
        dims,
        data: Data::Floats(out),
    })
}

/// What a node gives for numbers alone; None where it is none of these.
pub fn fold(node: &Node, x: &[Option<Tensor>], opset: i64) -> Option<Vec<Tensor>> {
    let get = |k: usize| x.get(k).and_then(Option::as_ref);
    let list = |name: &str, k: usize| -> Option<Vec<i64>> {
        match node.ints(name) {
            Some(v) => Some(v.to_vec()),
            None => get(k).and_then(|t| t.to_longs().map(<[i64]>::to_vec)),
        }
    };
    let first = get(0)?;
    let one = match node.op.as_str() {
        "Identity" => first.clone(),
        "Cast" => match (node.int("to", 1), &first.data) {
            (1 | 10 | 11 | 16, _) => Tensor::floats(&first.dims, first.to_floats()),
            (6 | 7, Data::Longs(_)) => first.clone(),
            (6 | 7, Data::Floats(v)) => Tensor {
                dims: first.dims.clone(),
                data: Data::Longs(v.iter().map(|v| *v as i64).collect()),
            },
            _ => return None,
        },
        "Transpose" => {
            let rank = first.dims.len();
            let perm = match node.ints("perm") {
                Some(p) => axes(p, rank)?,
                None => (0..rank).rev().collect(),
            };
            transpose(first, &perm)?
        }
        "Reshape" => reshape(first, &list("shape", 1)?)?,
        "Flatten" => {
            let at = node.int("axis", 1);
            let at = if at < 0 {
                at + first.dims.len() as i64
            } else {
                at
            };
            let at = usize::try_from(at)
                .ok()
                .filter(|a| *a <= first.dims.len())?;
            let n: usize = first.dims[..at].iter().product();
            reshape(first, &[n as i64, -1])?
        }
        "Squeeze" => {
            let rank = first.dims.len();
            let gone = match list("axes", 1) {
                Some(a) => axes(&a, rank)?,
                None => (0..rank).filter(|k| first.dims[*k] == 1).collect(),
            };
            let kept = (0..rank).filter(|k| !gone.contains(k));
            let dims: Vec<usize> = kept.map(|k| first.dims[k]).collect();
            (dims.iter().product::<usize>() == first.len()).then(|| Tensor {
                dims,
                data: first.data.clone(),
            })?
        }
        "Unsqueeze" => {
            let given = list("axes", 1)?;
            let mut at = axes(&given, first.dims.len() + given.len())?;
            at.sort_unstable();
            let mut dims = first.dims.clone();
            for a in at {
                if a > dims.len() || dims.len() >= 8 {
                    return None;
                }
                dims.insert(a, 1);
            }
            Tensor {
                dims,
                data: first.data.clone(),
            }
        }
        "Concat" => {
            let all: Vec<Tensor> = x.iter().cloned().collect::<Option<_>>()?;
            let at = axis(node.int("axis", 0), first.dims.len())?;
            concat(&all, at)?
        }
        "Gather" => {
            let index = get(1)?;
            let at = axis(node.int("axis", 0), first.dims.len())?;
            let n = first.dims[at];
            let wanted: Vec<usize> = index
                .to_longs()?
                .iter()
                .map(|i| axis(*i, n))
                .collect::<Option<_>>()?;
            // No more comes out than is in the file.
            if wanted.len().checked_mul(first.len() / n.max(1))? > first.len().max(64) {
                return None;
            }
            let parts: Vec<Tensor> = wanted
                .iter()
                .map(|i| slice(first, at, *i, 1, 1))
                .collect::<Option<_>>()?;
            let mut t = concat(&parts, at)?;
            let mut dims = t.dims[..at].to_vec();
            dims.extend(&index.dims);
            dims.extend(&t.dims[at + 1..]);
            t.dims = dims;
            t
        }
        "Slice" => {
            let (starts, ends) = (list("starts", 1)?, list("ends", 2)?);
            let along = list("axes", 3).unwrap_or((0..starts.len() as i64).collect());
            let steps = list("steps", 4).unwrap_or(vec![1; starts.len()]);
            let mut t = first.clone();
            for (k, a) in along.iter().enumerate() {
                let a = axis(*a, t.dims.len())?;
                if *steps.get(k)? != 1 {
                    return None;
                }
                let (from, len) = bounds(*starts.get(k)?, *ends.get(k)?, t.dims[a]);
                t = slice(&t, a, from, len, 1)?;
            }
            t
        }
        "Split" => {
            let at = axis(node.int("axis", 0), first.dims.len())?;
            let n = first.dims[at];
            let parts = node.outputs.len().max(1);
            let sizes = list("split", 1).unwrap_or(vec![(n / parts) as i64; parts]);
            let mut from = 0;
            let mut out = Vec::new();
            for s in sizes {
                let s = usize::try_from(s).ok().filter(|s| from + s <= n)?;
                out.push(slice(first, at, from, s, 1)?);
                from += s;
            }
            return Some(out);
        }
        "ReduceProd" if opset > 0 => {
            let v = first.to_longs()?;
            let mut all = v.to_vec();
            // That of the batch first, if there is one.
            all.sort_by_key(|d| of_batch(*d).is_none());
            let mut product = 1;
            for (k, d) in all.into_iter().enumerate() {
                product = match k {
                    0 => d,
                    _ => times(product, d).filter(|_| of_batch(d).is_none())?,
                };
            }
            Tensor::longs(vec![product])
        }
        "Sqrt" => Tensor::floats(
            &first.dims,
            first.to_floats().into_iter().map(f32::sqrt).collect(),
        ),
        "Neg" => Tensor::floats(
            &first.dims,
            first.to_floats().into_iter().map(|v| -v).collect(),
        ),
        "Reciprocal" => Tensor::floats(
            &first.dims,
            first.to_floats().into_iter().map(f32::recip).collect(),
        ),
        op @ ("Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod") => pointwise(op, first, get(1)?)?,
        _ => return None,
    };
    Some(vec![one])
}
