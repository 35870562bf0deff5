//! Data sets from arrays that a program gives.
use super::idx::class_count;
use super::{
    Dataset, Gaps, Raw, Target, Values, adopt_shape, check_shape, count, numbered, prepare,
};
use crate::spec::{DataSource, DataSpec, Problem};

/// Numbers and their shape, samples first.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Values,
}

/// `x[N, shape…]` and `y[N]` or `y[N, K]`. An `x[N]` counts as `[N, 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub x: Array,
    pub y: Array,
}

/// A data set of arrays, with split, scaling, flattening and, for `files`, name, sample shape and
/// class count taken from `spec`. A part that is given is kept as it is; the split's share of a
/// part counts only where that part is not given.
///
/// With `classes`, `y` is `[N]` or `[N, 1]` class indices, or `[N, K]` one-hot rows, which
/// become indices; there are K classes, or those of the spec, or as many as occur (at least 2).
/// Where `x` is `[N, T, …]` and the spec states a number of classes other than T, a `y[N, T]` holds
/// a class index for each step.
/// Without, `y` is numbers, K per sample.
///
/// Errors: `shape-data` when values and shape differ in number, `data-size` when x and y differ
/// in N, `data-shape` when parts differ, `data-classes`, `one-hot`, `no-samples`, `split-empty`,
/// `data-not-finite`. The problem's field says which array: `train.x`, `validation.y`, …
pub fn from_arrays(
    spec: &DataSpec,
    seed: u32,
    train: Part,
    validation: Option<Part>,
    test: Option<Part>,
    classes: bool,
) -> Result<Dataset, Problem> {
    let (name, shape, known) = match &spec.source {
        DataSource::Files {
            name,
            shape,
            classes,
            ..
        } => (name.as_str(), shape.as_slice(), *classes),
        _ => ("arrays", &[][..], None),
    };
    let mut all = read(train, "train", classes, known)?;
    let mut own = [None, None];
    for ((part, given), range) in [("validation", validation), ("test", test)]
        .into_iter()
        .zip(&mut own)
    {
        let Some(given) = given else { continue };
        let more = read(given, part, classes, known)?;
        check_shape(&all.shape, &more.shape).map_err(|p| p.field(format!("{part}.x")))?;
        check_shape(&[all.columns], &[more.columns]).map_err(|p| p.field(format!("{part}.y")))?;
        *range = Some(all.rows..all.rows + more.rows);
        all.rows += more.rows;
        all.x.append(more.x);
        all.y.extend(more.y);
    }
    let target = if classes {
        let k = match all.one_hot {
            Some(k) => k,
            None => class_count(&all.y, known).map_err(|p| p.field("y"))?,
        };
        let names = (0..k).map(|i| i.to_string()).collect();
        match all.columns {
            steps if all.steps => Target::Steps { names, steps },
            _ => Target::Classes { names },
        }
    } else {
        Target::Values {
            names: numbered("y", all.columns),
        }
    };
    adopt_shape(&mut all.shape, shape)?;
    let features = match all.shape[..] {
        [n] => numbered("x", n),
        _ => Vec::new(),
    };
    let [validation, test] = own;
    let raw = Raw {
        name: name.to_string(),
        shape: all.shape,
        x: all.x,
        y: all.y,
        target,
        features,
        validation,
        test,
        texts: Vec::new(),
        text: None,
        gaps: Gaps::default(),
    };
    prepare::prepare(raw, spec, seed)
}

struct Rows {
    rows: usize,
    shape: Vec<usize>,
    x: Values,
    y: Vec<f32>,
    /// Numbers per row as given.
    columns: usize,
    one_hot: Option<usize>,
    /// Whether `y` holds a class for each step.
    steps: bool,
}

fn read(part: Part, name: &str, classes: bool, known: Option<usize>) -> Result<Rows, Problem> {
    let check = |a: &Array, field: &str| -> Result<usize, Problem> {
        let field = format!("{name}.{field}");
        let want = count(&a.shape);
        if a.shape.is_empty() || want != a.values.len() {
            return Err(Problem::new("shape-data")
                .arg("shape", format!("{:?}", a.shape))
                .arg("want", want)
                .arg("got", a.values.len())
                .field(field));
        }
        if want == 0 {
            return Err(Problem::new("no-samples").field(field));
        }
        Ok(a.shape[0])
    };
    let rows = check(&part.x, "x")?;
    let got = check(&part.y, "y")?;
    if rows != got {
        return Err(Problem::new("data-size")
            .arg("got", got)
            .arg("shape", format!("[{rows}, …]"))
            .arg("want", rows)
            .field(format!("{name}.y")));
    }
    let mut shape = part.x.shape[1..].to_vec();
    if shape.is_empty() {
        shape.push(1);
    }
    let columns: usize = part.y.shape[1..].iter().product();
    let mut y = part.y.values.into_f32();
    let mut one_hot = None;
    let steps = classes
        && shape.first() == Some(&columns)
        && known.is_some_and(|k| k != columns)
        && columns > 1;
    if classes && columns > 1 && !steps {
        y = y
            .chunks_exact(columns)
            .enumerate()
            .map(|(i, row)| {
                let hot = row.iter().position(|v| *v == 1.0);
                let others = row.iter().filter(|v| **v != 0.0).count();
                match hot {
                    Some(k) if others == 1 => Ok(k as f32),
                    _ => Err(Problem::new("one-hot")
                        .arg("index", i)
                        .field(format!("{name}.y"))),
                }
            })
            .collect::<Result<_, _>>()?;
        one_hot = Some(columns);
    }
    Ok(Rows {
        rows,
        shape,
        x: part.x.values,
        y,
        columns,
        one_hot,
        steps,
    })
}
