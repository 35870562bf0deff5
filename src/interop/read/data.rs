//! Data of a script: known sets, and numbers that its expressions make.
use super::value::Stat;
use serde_json::{Value as Json, json};
use std::rc::Rc;

/// Samples (X), targets (Y), or both as one data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    X,
    Y,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Train,
    Validation,
    Test,
}

/// A set that the page knows.
#[derive(Debug)]
pub(super) struct Set {
    /// The spec's `data.source`.
    pub source: Json,
    /// Shape of one sample.
    pub sample: Vec<usize>,
    pub rows: Option<usize>,
    /// None for a regression.
    pub classes: Option<usize>,
    /// It has a test part of its own.
    pub own_test: bool,
    /// Share that was held out for testing where the set here has no test part of its own.
    pub test: f64,
    pub shuffle: bool,
}

/// Numbers with a shape, samples first.
#[derive(Debug)]
pub(super) struct Numbers {
    pub values: Vec<f64>,
    pub form: Option<Form>,
}

/// How numbers were drawn: slope·x + constant + noise·N(0,1), x ~ U(0,1) the numbers called `x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Form {
    pub x: Option<(usize, f64)>,
    pub constant: f64,
    pub noise: f64,
}

#[derive(Clone, Debug)]
pub(super) enum Origin {
    Set(Rc<Set>, Role),
    Numbers(Rc<Numbers>),
}

#[derive(Clone, Debug)]
pub(super) enum Scaling {
    None,
    Standardize,
    MinMax,
    Divide(f64),
}

#[derive(Clone, Debug)]
pub(super) struct Data {
    pub origin: Origin,
    /// All axes, samples first; 0 where their number is not known.
    pub shape: Vec<usize>,
    pub part: Part,
    /// Shares as the spec has them.
    pub test: f64,
    pub validation: f64,
    pub shuffle: bool,
    pub scale: Scaling,
    /// The statistic that was taken away, on the way to a scaling.
    pub minus: Option<Stat>,
    pub flatten: bool,
    pub one_hot: bool,
    /// Integers, as class indices are.
    pub whole: bool,
    /// NumPy's array or PyTorch's tensor.
    pub tensor: bool,
}

/// Most numbers that a script may make.
pub(super) const MOST: usize = 1 << 20;

impl Data {
    pub fn of_set(set: &Rc<Set>, role: Role, part: Part) -> Data {
        let rows = set.rows.unwrap_or(0);
        let mut shape = vec![rows];
        if role == Role::X {
            shape.extend(&set.sample);
        }
        Data {
            origin: Origin::Set(Rc::clone(set), role),
            shape,
            part,
            test: set.test,
            validation: 0.0,
            shuffle: set.shuffle,
            scale: Scaling::None,
            minus: None,
            flatten: false,
            one_hot: false,
            whole: role == Role::Y && set.classes.is_some(),
            tensor: false,
        }
    }

    /// None where there are too many.
    pub fn numbers(values: Vec<f64>, shape: Vec<usize>, form: Option<Form>) -> Option<Data> {
        if values.len() > MOST || shape.len() > 6 {
            return None;
        }
        let whole = values.iter().all(|v| v.fract() == 0.0);
        Some(Data {
            origin: Origin::Numbers(Rc::new(Numbers { values, form })),
            shape,
            part: Part::Whole,
            test: 0.0,
            validation: 0.0,
            shuffle: true,
            scale: Scaling::None,
            minus: None,
            flatten: false,
            one_hot: false,
            whole,
            tensor: false,
        })
    }

    pub fn values(&self) -> Option<&Numbers> {
        match &self.origin {
            Origin::Numbers(n) => Some(n),
            Origin::Set(..) => None,
        }
    }

    pub fn set(&self) -> Option<(&Rc<Set>, Role)> {
        match &self.origin {
            Origin::Set(s, role) => Some((s, *role)),
            Origin::Numbers(_) => None,
        }
    }

    /// The same with other numbers; None where there are too many.
    fn with(&self, values: Vec<f64>, shape: Vec<usize>, form: Option<Form>) -> Option<Data> {
        let made = Data::numbers(values, shape, form)?;
        Some(Data {
            origin: made.origin,
            shape: made.shape,
            whole: made.whole,
            ..self.clone()
        })
    }

    pub fn map(&self, f: impl Fn(f64) -> f64) -> Option<Data> {
        let n = self.values()?;
        self.with(
            n.values.iter().map(|v| f(*v)).collect(),
            self.shape.clone(),
            None,
        )
    }

    /// `self ∘ number`, or the other way round with `turned`.
    pub fn with_number(&self, op: char, number: f64, turned: bool) -> Option<Data> {
        let Some(n) = self.values() else {
            return self.rescaled(op, number, turned);
        };
        let form = n.form.and_then(|f| f.with_number(op, number, turned));
        let values = n
            .values
            .iter()
            .map(|v| {
                if turned {
                    apply(op, number, *v)
                } else {
                    apply(op, *v, number)
                }
            })
            .collect();
        self.with(values, self.shape.clone(), form)
    }

    /// A known set divided by a number, or multiplied with one.
    fn rescaled(&self, op: char, number: f64, turned: bool) -> Option<Data> {
        let by = match (op, turned) {
            ('/', false) => number,
            ('*', _) => 1.0 / number,
            _ => return None,
        };
        let by = match self.scale {
            Scaling::None => by,
            Scaling::Divide(d) => d * by,
            _ => return None,
        };
        if !by.is_finite() || by <= 0.0 {
            return None;
        }
        Some(Data {
            scale: if (by - 1.0).abs() < 1e-9 {
                Scaling::None
            } else {
                Scaling::Divide(by)
            },
            whole: false,
            ..self.clone()
        })
    }

    /// Element by element, shapes broadcast.
    pub fn with_data(&self, op: char, other: &Data) -> Option<Data> {
        let (a, b) = (self.values()?, other.values()?);
        let rank = self.shape.len().max(other.shape.len());
        let padded = |s: &[usize]| {
            let mut p = vec![1; rank - s.len()];
            p.extend(s);
            p
        };
        let (sa, sb) = (padded(&self.shape), padded(&other.shape));
        let mut shape = Vec::new();
        for (x, y) in sa.iter().zip(&sb) {
            shape.push(match (*x, *y) {
                (x, y) if x == y => x,
                (1, y) => y,
                (x, 1) => x,
                _ => return None,
            });
        }
        let total = shape
            .iter()
            .try_fold(1usize, |n, d| n.checked_mul(*d))
            .filter(|n| *n <= MOST)?;
        let at = |mut i: usize, s: &[usize]| {
            let (mut place, mut stride) = (0, 1);
            for k in (0..rank).rev() {
                let index = i % shape[k];
                i /= shape[k];
                if s[k] != 1 {
                    place += index * stride;
                }
                stride *= s[k];
            }
            place
        };
        let values = (0..total)
            .map(|i| apply(op, a.values[at(i, &sa)], b.values[at(i, &sb)]))
            .collect();
        let form = match (a.form, b.form) {
            (Some(x), Some(y)) if sa == sb => x.with(op, y),
            _ => None,
        };
        self.with(values, shape, form)
    }

    /// Whether a method inside a network's `forward` is one of its layers rather than another view of the
    /// samples.
    pub fn is_layer(&self, method: &str, args: &super::calls::Args) -> bool {
        match method {
            "mean" | "amax" => args.get(0, "dim").is_some(),
            "reshape" | "view" => {
                let rest = args.list.iter().skip(1).map(super::value::Value::int);
                let Some(to) = rest.collect::<Option<Vec<i64>>>() else {
                    return false;
                };
                let plain = self.set().is_none_or(|(set, _)| {
                    to.iter()
                        .map(|n| usize::try_from(*n).unwrap_or(0))
                        .ne(set.sample.iter().copied())
                });
                to.len() > 1 && !to.contains(&1) && plain
            }
            _ => false,
        }
    }

    /// To another shape; one −1 is worked out.
    pub fn reshaped(&self, to: &[i64]) -> Option<Data> {
        if self.set().is_some() {
            return self.set_reshaped(to);
        }
        let total: usize = self.shape.iter().product();
        let known: i64 = to
            .iter()
            .filter(|d| **d >= 0)
            .try_fold(1i64, |n, d| n.checked_mul(*d))?;
        let shape: Option<Vec<usize>> = to
            .iter()
            .map(|d| match *d {
                d if d >= 0 => Some(d as usize),
                _ if known > 0 => Some(total / known as usize),
                _ => None,
            })
            .collect();
        let shape = shape?;
        if shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d))? != total {
            return None;
        }
        Some(Data {
            shape,
            ..self.clone()
        })
    }

    /// Of a known set: one row each, or the same with an axis of one channel.
    fn set_reshaped(&self, to: &[i64]) -> Option<Data> {
        let (set, role) = self.set()?;
        if role == Role::Y {
            return Some(self.clone());
        }
        let count: usize = set.sample.iter().product();
        let rest: Vec<i64> = to.get(1..)?.to_vec();
        let mut out = self.clone();
        let sized = |d: &i64| *d == -1 || *d == count as i64;
        if rest.len() == 1 && sized(&rest[0]) {
            out.flatten = set.sample.len() > 1;
            out.shape = vec![self.shape[0], count];
            return Some(out);
        }
        let product = rest
            .iter()
            .filter(|d| **d > 0)
            .try_fold(1i64, |n, d| n.checked_mul(*d))?;
        let real = |d: &&i64| **d != 1 && **d != -1;
        let kept: Vec<usize> = rest.iter().filter(real).map(|d| *d as usize).collect();
        let sample: Vec<usize> = set.sample.iter().copied().filter(|d| *d != 1).collect();
        if product as usize != count || kept != sample {
            return None;
        }
        out.flatten = false;
        out.shape = [
            vec![self.shape[0]],
            rest.iter().map(|d| (*d).max(1) as usize).collect(),
        ]
        .concat();
        Some(out)
    }

    /// Every `n`-th column's element: `x[:, k]`.
    pub fn column(&self, k: usize) -> Option<Data> {
        let n = self.values()?;
        let [rows, width] = self.shape[..] else {
            return None;
        };
        if k >= width {
            return None;
        }
        let values = (0..rows).map(|r| n.values[r * width + k]).collect();
        self.with(values, vec![rows], None)
    }

    /// Rows from `start` to `end`.
    pub fn rows(&self, start: usize, end: usize) -> Option<Data> {
        let n = self.values()?;
        let width: usize = self.shape.get(1..)?.iter().product();
        let values = n.values.get(start * width..end * width)?.to_vec();
        let mut shape = self.shape.clone();
        shape[0] = end - start;
        self.with(values, shape, None)
    }

    /// The numbers of both as one part of a set that was split: `share` of the rows go to `b`.
    pub fn split(&self, share: f64, shuffle: bool) -> (Data, Data) {
        let (mut a, mut b) = (self.clone(), self.clone());
        match self.part {
            Part::Whole => {
                for d in [&mut a, &mut b] {
                    (d.test, d.shuffle) = (share, shuffle);
                }
                (a.part, b.part) = (Part::Train, Part::Test);
            }
            Part::Train | Part::Validation => {
                for d in [&mut a, &mut b] {
                    d.validation = share;
                }
                (a.part, b.part) = (Part::Train, Part::Validation);
            }
            // What was held out is divided into validation and test.
            Part::Test => {
                let test = self.test * share;
                let validation = self.test * (1.0 - share) / (1.0 - test);
                for d in [&mut a, &mut b] {
                    (d.test, d.validation) = (test, validation);
                }
                (a.part, b.part) = (Part::Validation, Part::Test);
            }
        }
        (a, b)
    }

    /// How the spec scales features.
    pub fn scale_json(&self) -> Json {
        match self.scale {
            Scaling::None => json!({"kind": "none"}),
            Scaling::Standardize => json!({"kind": "standardize"}),
            Scaling::MinMax => json!({"kind": "min_max"}),
            Scaling::Divide(by) => json!({"kind": "divide", "by": by as f32}),
        }
    }
}

impl Form {
    fn with_number(self, op: char, k: f64, turned: bool) -> Option<Form> {
        let scaled = |by: f64| Form {
            x: self.x.map(|(id, s)| (id, s * by)),
            constant: self.constant * by,
            noise: self.noise * by,
        };
        Some(match (op, turned) {
            ('*', _) => scaled(k),
            ('/', false) if k != 0.0 => scaled(1.0 / k),
            ('+', _) => Form {
                constant: self.constant + k,
                ..self
            },
            ('-', false) => Form {
                constant: self.constant - k,
                ..self
            },
            ('-', true) => {
                let turned = scaled(-1.0);
                Form {
                    constant: turned.constant + k,
                    ..turned
                }
            }
            _ => return None,
        })
    }

    fn with(self, op: char, other: Form) -> Option<Form> {
        let sign = match op {
            '+' => 1.0,
            '-' => -1.0,
            _ => return None,
        };
        let x = match (self.x, other.x) {
            (a, None) => a,
            (None, Some((id, s))) => Some((id, s * sign)),
            (Some((a, s)), Some((b, t))) if a == b => Some((a, s + sign * t)),
            _ => return None,
        };
        if self.noise != 0.0 && other.noise != 0.0 {
            return None;
        }
        Some(Form {
            x,
            constant: self.constant + sign * other.constant,
            noise: self.noise + other.noise,
        })
    }
}

/// Two numbers under an operator of Python's.
pub(super) fn apply(op: char, a: f64, b: f64) -> f64 {
    match op {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        '/' => a / b,
        'f' => (a / b).floor(),
        '%' => a - b * (a / b).floor(),
        '^' => libm::pow(a, b),
        '<' => f64::from(u8::from(a < b)),
        '>' => f64::from(u8::from(a > b)),
        'l' => f64::from(u8::from(a <= b)),
        'g' => f64::from(u8::from(a >= b)),
        '=' => f64::from(u8::from(a == b)),
        '!' => f64::from(u8::from(a != b)),
        '&' => f64::from(u8::from(a != 0.0 && b != 0.0)),
        '|' => f64::from(u8::from(a != 0.0 || b != 0.0)),
        'x' => f64::from(u8::from((a != 0.0) != (b != 0.0))),
        _ => f64::NAN,
    }
}
