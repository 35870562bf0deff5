//! Splitting and scaling.
use super::rng::{Rng, SPLIT};
use super::text::Counts;
use super::{Dataset, Pauses, Raw, Target, Values, count};
use crate::spec::{DataSpec, Problem, Scale, Split, TargetOf};

/// Puts numbers in place of texts and of missing cells, by what the training part holds.
pub(super) async fn numbers(
    mut raw: Raw,
    spec: &DataSpec,
    seed: u32,
    pauses: &mut Pauses<'_>,
) -> Result<Raw, Problem> {
    if raw.texts.is_empty() && raw.gaps.filled.is_empty() {
        return Ok(raw);
    }
    let rows = raw.y.len() / raw.target_width();
    let [train, ..] = split(&raw, rows, &spec.split, seed)?;
    if !raw.texts.is_empty() {
        tokenise(&mut raw, spec, &train, pauses).await?;
    }
    raw.gaps.fill(&mut raw.x, count(&raw.shape), &train);
    Ok(raw)
}

/// A [`Raw`] with its parts chosen and its scaling measured; see [`super::load`].
pub(super) fn prepare(raw: Raw, spec: &DataSpec, seed: u32) -> Result<Dataset, Problem> {
    let width = raw.target_width();
    let rows = raw.y.len() / width;
    let parts = split(&raw, rows, &spec.split, seed);
    let features = count(&raw.shape);
    if rows == 0 || features == 0 {
        return Err(Problem::new("no-samples"));
    }
    if rows.checked_mul(features) != Some(raw.x.len()) {
        return Err(Problem::new("data-size")
            .arg("got", raw.x.len())
            .arg("shape", format!("{:?}", raw.shape))
            .arg("want", rows.saturating_mul(features)));
    }
    if let Values::F32(x) = &raw.x {
        finite(x, features, "x")?;
    }
    finite(&raw.y, width, "y")?;
    let [train, validation, test] = parts?;
    let (mul, add) = scaling(&raw.x, features, &train, spec.scale);
    let mut y = raw.y;
    let mut y_scale = Vec::new();
    let itself = spec.target == TargetOf::Input;
    if !itself && spec.scale_target && matches!(raw.target, Target::Values { .. }) {
        let stats = Stats::of(width, &train, |i| f64::from(y[i]));
        y_scale = (0..width)
            .map(|c| {
                let std = stats.std[c] as f32;
                let constant = stats.is_constant(c) || std == 0.0;
                (stats.mean[c] as f32, if constant { 1.0 } else { std })
            })
            .collect();
        for row in y.chunks_exact_mut(width) {
            for (v, (mean, std)) in row.iter_mut().zip(&y_scale) {
                *v = (*v - mean) / std;
            }
        }
    }
    let image = match raw.shape[..] {
        // A column of numbers is a sequence.
        [h, w] if w > 1 => Some([h, w]),
        [1 | 3, h, w] if h > 1 && w > 1 => Some([h, w]),
        _ => None,
    };
    Ok(Dataset {
        name: raw.name,
        shape: if spec.flatten {
            vec![features]
        } else {
            raw.shape
        },
        image,
        x: raw.x,
        mul,
        add,
        y,
        y_scale,
        target: if itself {
            Target::Input {
                width: features,
                names: match raw.target {
                    Target::Classes { names } => names,
                    _ => Vec::new(),
                },
            }
        } else {
            raw.target
        },
        features: raw.features,
        train,
        validation,
        test,
        text: raw.text,
        gaps: raw.gaps,
    })
}

/// Values of all texts together, at most (256 MiB).
const MAX_TOKENS: usize = 64 << 20;

/// Makes `x[rows, length]` of the texts, by the words of the training part.
async fn tokenise(
    raw: &mut Raw,
    spec: &DataSpec,
    train: &[u32],
    pauses: &mut Pauses<'_>,
) -> Result<(), Problem> {
    let spec = spec.text.unwrap_or_default();
    let texts = std::mem::take(&mut raw.texts);
    let total = texts.len().saturating_mul(spec.length);
    if total > MAX_TOKENS {
        return Err(Problem::new("data-too-big")
            .arg("got", format!("{total} words"))
            .arg("max", MAX_TOKENS));
    }
    // The training part is gone through twice.
    let bytes: usize = texts.iter().map(String::len).sum();
    pauses.stage(0.5..1.0, 2 * bytes);
    let mut counts = Counts::default();
    for text in train.iter().filter_map(|i| texts.get(*i as usize)) {
        counts.add(text);
        pauses.after(text.len()).await?;
    }
    let vocabulary = counts.vocabulary(&spec);
    pauses.reached(bytes);
    let mut x = Vec::with_capacity(total);
    for text in &texts {
        x.extend(vocabulary.encode(text, &spec));
        pauses.after(text.len()).await?;
    }
    raw.x = Values::F32(x);
    raw.shape = vec![spec.length];
    raw.text = Some((spec, vocabulary));
    Ok(())
}

fn finite(values: &[f32], width: usize, field: &str) -> Result<(), Problem> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Problem::new("data-not-finite")
            .arg("index", i / width)
            .arg("column", i % width)
            .field(field)),
    }
}

/// `ceil(n·share)`, forgiving the rounding of the share to f32: of ten samples 0.2 holds out two,
/// though the f32 is a little more than 0.2.
fn share_of(n: usize, share: f32) -> usize {
    let exact = n as f64 * f64::from(share) * (1.0 - 1e-7);
    (exact.ceil().max(0.0) as usize).min(n)
}

/// Training, validation and test rows.
fn split(raw: &Raw, rows: usize, split: &Split, seed: u32) -> Result<[Vec<u32>; 3], Problem> {
    let own = |part: &Option<std::ops::Range<usize>>| -> Option<Vec<u32>> {
        part.clone().map(|r| r.map(|i| i as u32).collect())
    };
    let inside = |r: &Option<std::ops::Range<usize>>, i| r.as_ref().is_some_and(|r| r.contains(&i));
    let mut rest: Vec<u32> = (0..rows)
        .filter(|i| !inside(&raw.test, *i) && !inside(&raw.validation, *i))
        .map(|i| i as u32)
        .collect();
    let test_count = match raw.test {
        Some(_) => 0,
        None => share_of(rest.len(), split.test),
    };
    let validation_count = match raw.validation {
        Some(_) => 0,
        None => share_of(rest.len() - test_count, split.validation),
    };
    if split.shuffle && test_count + validation_count > 0 {
        Rng::new(seed, SPLIT).shuffle(&mut rest);
    }
    let test = rest.split_off(rest.len() - test_count);
    let validation = rest.split_off(rest.len() - validation_count);
    if rest.is_empty() {
        return Err(Problem::new("split-empty").arg("part", "training"));
    }
    Ok([
        rest,
        own(&raw.validation).unwrap_or(validation),
        own(&raw.test).unwrap_or(test),
    ])
}

/// Per column, over some rows.
struct Stats {
    mean: Vec<f64>,
    /// Population standard deviation.
    std: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
}

impl Stats {
    /// `value(i)`: the i-th number of a row-major table of `width` columns.
    fn of(width: usize, rows: &[u32], value: impl Fn(usize) -> f64) -> Stats {
        let mut s = Stats {
            mean: vec![0.0; width],
            std: vec![0.0; width],
            min: vec![f64::INFINITY; width],
            max: vec![f64::NEG_INFINITY; width],
        };
        let n = rows.len().max(1) as f64;
        for row in rows {
            let base = *row as usize * width;
            for c in 0..width {
                let v = value(base + c);
                s.mean[c] += v;
                s.min[c] = s.min[c].min(v);
                s.max[c] = s.max[c].max(v);
            }
        }
        for m in &mut s.mean {
            *m /= n;
        }
        for row in rows {
            let base = *row as usize * width;
            for c in 0..width {
                let d = value(base + c) - s.mean[c];
                s.std[c] += d * d;
            }
        }
        for v in &mut s.std {
            *v = (*v / n).sqrt();
        }
        s
    }

    fn is_constant(&self, column: usize) -> bool {
        self.min[column] >= self.max[column]
    }
}

/// `(mul, add)` per feature; both empty for no scaling.
fn scaling(x: &Values, features: usize, train: &[u32], scale: Scale) -> (Vec<f32>, Vec<f32>) {
    let stats = |x: &Values| match x {
        Values::F32(v) => Stats::of(features, train, |i| f64::from(v[i])),
        Values::U8(v) => Stats::of(features, train, |i| f64::from(v[i])),
    };
    let linear = |s: &Stats, origin: &[f64], unit: &dyn Fn(usize) -> f64| {
        (0..features)
            .map(|c| {
                let mul = 1.0 / unit(c);
                let add = -origin[c] * mul;
                // A constant feature becomes 0, and so does one too narrow for f32.
                if s.is_constant(c) || !(mul as f32).is_finite() || !(add as f32).is_finite() {
                    (0.0, 0.0)
                } else {
                    (mul as f32, add as f32)
                }
            })
            .unzip()
    };
    match scale {
        Scale::None => (Vec::new(), Vec::new()),
        Scale::Divide { by } => (vec![1.0 / by; features], vec![0.0; features]),
        Scale::Standardize => {
            let s = stats(x);
            linear(&s, &s.mean, &|c| s.std[c])
        }
        Scale::MinMax => {
            let s = stats(x);
            linear(&s, &s.min, &|c| s.max[c] - s.min[c])
        }
    }
}
