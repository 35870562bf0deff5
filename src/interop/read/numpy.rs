//! Numbers that a script makes: NumPy's and PyTorch's functions and the methods of arrays.
use super::calls::Args;
use super::data::{Data, Form, MOST};
use super::expr::made;
use super::machine::Machine;
use super::value::*;
use std::rc::Rc;

impl<'a> Machine<'a> {
    /// Draws from N(0,1), or U(0,1).
    fn draw(&mut self, shape: Vec<usize>, normal: bool) -> Value<'a> {
        let total = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let Some(n) = total.filter(|n| *n <= MOST) else {
            return Value::Unknown;
        };
        self.fuel = self.fuel.saturating_sub(n / 64);
        self.drawn += 1;
        let form = match normal {
            true => Form {
                x: None,
                constant: 0.0,
                noise: 1.0,
            },
            false => Form {
                x: Some((self.drawn, 1.0)),
                constant: 0.0,
                noise: 0.0,
            },
        };
        let rng = &mut self.rng;
        let values = (0..n)
            .map(|_| f64::from(if normal { rng.normal() } else { rng.uniform() }))
            .collect();
        made(Data::numbers(values, shape, Some(form)))
    }

    /// Values as an array, if they are numbers in even rows.
    pub fn array(&mut self, v: &Value<'a>) -> Option<Data> {
        if let Value::Data(d) = v {
            return Some((**d).clone());
        }
        let (mut shape, mut values) = (Vec::new(), Vec::new());
        flatten(v, 0, &mut shape, &mut values)?;
        let total: usize = shape.iter().product();
        (total == values.len()).then_some(())?;
        Data::numbers(values, shape, None)
    }

    /// A function of numbers; None for one that is not known.
    pub fn numeric(&mut self, path: &str, args: &Args<'a>, line: usize) -> Option<Value<'a>> {
        let (module, name) = path.rsplit_once('.')?;
        if module == "math" {
            return self.scalar(name, args);
        }
        if !matches!(
            module,
            "numpy"
                | "numpy.random"
                | "torch"
                | "tf"
                | "tf.random"
                | "keras.ops"
                | "numpy.linalg"
                | "tf.math"
        ) {
            return None;
        }
        let torch = module == "torch";
        let value = self.made_numbers(module, name, args, line)?;
        Some(match value {
            Value::Data(d) if torch => {
                let mut d = (*d).clone();
                d.tensor = true;
                Value::Data(Rc::new(d))
            }
            other => other,
        })
    }

    fn made_numbers(
        &mut self,
        module: &str,
        name: &str,
        args: &Args<'a>,
        line: usize,
    ) -> Option<Value<'a>> {
        let first = args.list.first().cloned().unwrap_or(Value::None);
        let random = module.ends_with("random");
        let sizes = |list: &[Value<'a>]| -> Option<Vec<usize>> {
            let list = match list {
                [one] if one.items().is_some() => one.items()?,
                other => other.to_vec(),
            };
            list.iter()
                .map(|v| v.int().and_then(|v| usize::try_from(v).ok()))
                .collect()
        };
        let filled = |shape: Vec<usize>, v: f64| {
            let n = shape
                .iter()
                .try_fold(1usize, |n, d| n.checked_mul(*d))
                .filter(|n| *n <= MOST)?;
            Data::numbers(vec![v; n], shape, None)
        };
        match name {
            "rand" | "random" | "random_sample" | "sample" => {
                Some(self.draw(sizes(&args.list)?, false))
            }
            "randn" | "standard_normal" => Some(self.draw(sizes(&args.list)?, true)),
            "normal" | "uniform" => {
                let normal = name == "normal";
                let (a, b) = match normal {
                    true => (
                        args.number(0, "loc")
                            .or(args.number(0, "mean"))
                            .unwrap_or(0.0),
                        args.number(1, "scale")
                            .or(args.number(1, "std"))
                            .unwrap_or(1.0),
                    ),
                    false => (
                        args.number(0, "low").unwrap_or(0.0),
                        args.number(1, "high").unwrap_or(1.0),
                    ),
                };
                let shape = args
                    .get(2, "size")
                    .or(args.named("shape"))
                    .cloned()
                    .unwrap_or(Value::Int(1));
                let Value::Data(d) = self.draw(sizes(&[shape])?, normal) else {
                    return Some(Value::Unknown);
                };
                let scale = if normal { b } else { b - a };
                Some(made(
                    d.with_number('*', scale, false)
                        .and_then(|d| d.with_number('+', a, false)),
                ))
            }
            "randint" | "integers" => {
                let (low, high) = match args.int(1, "high") {
                    Some(h) => (args.int(0, "low").unwrap_or(0), h),
                    None => (0, args.int(0, "low").unwrap_or(2)),
                };
                let shape = args.get(2, "size").cloned().unwrap_or(Value::Int(1));
                let Value::Data(d) = self.draw(sizes(&[shape])?, false) else {
                    return Some(Value::Unknown);
                };
                let span = high.saturating_sub(low).max(1) as f64;
                Some(made(d.map(|v| (v * span).floor() + low as f64)))
            }
            "permutation" | "randperm" | "choice" | "shuffle" => Some(Value::Unknown),
            _ if random => None,
            "array" | "asarray" | "tensor" | "from_numpy" | "FloatTensor" | "Tensor"
            | "as_tensor" | "LongTensor" | "constant" | "convert_to_tensor" | "float32"
            | "float64" => {
                if matches!(first, Value::Tensor(_) | Value::Unknown) {
                    return Some(first);
                }
                if let Some(v) = first.number() {
                    return Some(Value::Float(v));
                }
                match self.array(&first) {
                    Some(d) => Some(Value::Data(Rc::new(d))),
                    None => {
                        self.note(line, "note-array", &[]);
                        Some(Value::Unknown)
                    }
                }
            }
            "zeros" => Some(made(filled(sizes(&args.list)?, 0.0))),
            "ones" => Some(made(filled(sizes(&args.list)?, 1.0))),
            "full" => Some(made(filled(
                sizes(&args.list[..1])?,
                args.number(1, "fill_value")?,
            ))),
            "zeros_like" | "ones_like" => match &first {
                Value::Data(d) if d.values().is_some() => {
                    Some(made(d.map(|_| f64::from(u8::from(name == "ones_like")))))
                }
                _ => Some(Value::Unknown),
            },
            "linspace" => {
                let (a, b) = (
                    args.number(0, "start")?,
                    args.number(1, "end").or(args.number(1, "stop"))?,
                );
                let n = args.int(2, "num").or(args.int(2, "steps")).unwrap_or(50);
                let n = usize::try_from(n).ok().filter(|n| *n <= MOST)?;
                let step = (b - a) / (n.max(2) - 1) as f64;
                Some(made(Data::numbers(
                    (0..n).map(|i| a + step * i as f64).collect(),
                    vec![n],
                    None,
                )))
            }
            "arange" => {
                let given: Vec<f64> = args.list.iter().filter_map(Value::number).collect();
                let (a, b, step) = match given[..] {
                    [b] => (0.0, b, 1.0),
                    [a, b] => (a, b, 1.0),
                    [a, b, s] => (a, b, s),
                    _ => return Some(Value::Unknown),
                };
                let n = ((b - a) / step).ceil();
                let n = (n.is_finite() && n >= 0.0 && n <= MOST as f64).then_some(n as usize)?;
                Some(made(Data::numbers(
                    (0..n).map(|i| a + step * i as f64).collect(),
                    vec![n],
                    None,
                )))
            }
            "sin" | "cos" | "tan" | "exp" | "log" | "sqrt" | "abs" | "square" | "tanh" | "sign"
            | "absolute" => match &first {
                Value::Data(d) => Some(made(d.map(function(name)))),
                Value::Tensor(_) => None,
                v => v.number().map(|v| Value::Float(function(name)(v))),
            },
            "power" | "pow" => {
                let p = args.number(1, "exponent")?;
                match &first {
                    Value::Data(d) => Some(made(d.with_number('^', p, false))),
                    _ => None,
                }
            }
            "where" => {
                let Value::Data(d) = &first else {
                    return Some(Value::Unknown);
                };
                let (a, b) = (args.number(1, "x")?, args.number(2, "y")?);
                Some(made(d.map(|v| if v != 0.0 { a } else { b })))
            }
            "logical_xor" => match (&first, args.list.get(1)) {
                (Value::Data(a), Some(Value::Data(b))) => Some(made(a.with_data('x', b))),
                _ => Some(Value::Unknown),
            },
            "concatenate" | "vstack" | "hstack" | "stack" | "column_stack" | "r_" | "c_"
            | "cat" | "concat" => {
                let parts: Option<Vec<Data>> =
                    first.items()?.iter().map(|v| self.array(v)).collect();
                let axis = args.int(1, "axis").or(args.int(1, "dim")).unwrap_or(0);
                Some(made(join(name, &parts?, axis)))
            }
            "reshape" | "expand_dims" | "squeeze" | "unsqueeze" | "transpose" | "astype"
            | "cast" | "mean" | "std" | "flatten" | "ravel" => match &first {
                Value::Data(d) => {
                    let rest = Args {
                        list: args.list[1..].to_vec(),
                        named: args.named.clone(),
                        ..Args::default()
                    };
                    Some(self.data_method(&d.clone(), name, &rest, line))
                }
                _ => Some(Value::Unknown),
            },
            "sum" | "min" | "max" | "amin" | "amax" | "dot" | "matmul" | "norm" | "array_split"
            | "isnan" | "clip" => Some(Value::Unknown),
            _ => None,
        }
    }

    fn scalar(&mut self, name: &str, args: &Args<'a>) -> Option<Value<'a>> {
        let a = args.list.first().and_then(Value::number);
        let Some(a) = a else {
            return Some(Value::Unknown);
        };
        Some(match name {
            "sqrt" | "exp" | "sin" | "cos" | "tan" | "log" | "tanh" | "fabs" => {
                Value::Float(function(if name == "fabs" { "abs" } else { name })(a))
            }
            "pow" => Value::Float(libm::pow(a, args.list.get(1).and_then(Value::number)?)),
            "floor" => Value::Int(a.floor() as i64),
            "ceil" => Value::Int(a.ceil() as i64),
            "log2" => Value::Float(libm::log2(a)),
            "log10" => Value::Float(libm::log10(a)),
            "prod" => Value::Unknown,
            _ => return None,
        })
    }

    pub fn data_method(
        &mut self,
        d: &Rc<Data>,
        name: &str,
        args: &Args<'a>,
        _line: usize,
    ) -> Value<'a> {
        let this = || Value::Data(Rc::clone(d));
        match name {
            "reshape" | "view" => {
                let shape = match args.list.first() {
                    Some(v) if v.items().is_some() => v.items().unwrap_or_default(),
                    _ => args.list.clone(),
                };
                let sizes: Vec<i64> = shape
                    .iter()
                    .map(|v| match v {
                        Value::Batch | Value::Unknown => d.shape.first().map_or(-1, |n| *n as i64),
                        v => v.int().unwrap_or(-1),
                    })
                    .collect();
                // A number of rows that is not known is one that is worked out.
                let sizes: Vec<i64> = match (d.set().is_some(), sizes.first()) {
                    (true, Some(_)) => [&[-1], &sizes[1..]].concat(),
                    _ => sizes,
                };
                d.reshaped(&sizes)
                    .map_or(this(), |d| Value::Data(Rc::new(d)))
            }
            "ravel" | "flatten" => match d.set() {
                Some((_, super::data::Role::X)) => d
                    .reshaped(&[-1, -1])
                    .map_or(this(), |d| Value::Data(Rc::new(d))),
                Some(_) => this(),
                None => d
                    .reshaped(&[-1])
                    .map_or(this(), |d| Value::Data(Rc::new(d))),
            },
            "unsqueeze" | "expand_dims" => {
                let axis = args.int(0, "dim").or(args.int(0, "axis")).unwrap_or(0);
                let mut shape: Vec<i64> = d.shape.iter().map(|v| *v as i64).collect();
                let at = if axis < 0 {
                    axis + shape.len() as i64 + 1
                } else {
                    axis
                };
                let at = usize::try_from(at).unwrap_or(0).min(shape.len());
                if at == 0 {
                    return this();
                }
                shape.insert(at, 1);
                if d.set().is_some() {
                    shape[0] = -1;
                }
                d.reshaped(&shape)
                    .map_or(this(), |d| Value::Data(Rc::new(d)))
            }
            "transpose" | "permute" | "t" => match (d.values(), &d.shape[..]) {
                (Some(n), [a, b]) => {
                    let (a, b) = (*a, *b);
                    let values = (0..a * b).map(|i| n.values[(i % a) * b + i / a]).collect();
                    made(Data::numbers(values, vec![b, a], None))
                }
                _ => this(),
            },
            "mean" => Value::Stat(Rc::clone(d), Stat::Mean),
            "std" => Value::Stat(Rc::clone(d), Stat::Std),
            "min" => Value::Stat(Rc::clone(d), Stat::Min),
            "max" => Value::Stat(Rc::clone(d), Stat::Max),
            "size" => match args.int(0, "dim") {
                Some(0) => Value::Batch,
                Some(i) => d
                    .shape
                    .get(i as usize)
                    .map_or(Value::Unknown, |n| Value::Int(*n as i64)),
                None => super::calls::shape(d),
            },
            "sum" | "item" | "tolist" | "argmax" | "head" | "describe" => Value::Unknown,
            "long" | "int" => {
                let mut out = (**d).clone();
                out.whole = true;
                Value::Data(Rc::new(out))
            }
            "float" | "astype" | "to" | "type" | "double" => {
                let kind = args.list.first().map(Value::shown).unwrap_or_default();
                let mut out = (**d).clone();
                if name == "float" || kind.contains("float") {
                    out.whole = false;
                } else if kind.contains("int") || kind.contains("long") {
                    out.whole = true;
                }
                Value::Data(Rc::new(out))
            }
            "pow" | "square" => {
                let p = args.number(0, "exponent").unwrap_or(2.0);
                made(d.with_number('^', p, false))
            }
            "sin" | "cos" | "exp" | "abs" | "sqrt" => made(d.map(function(name))),
            _ => this(),
        }
    }
}

fn function(name: &str) -> fn(f64) -> f64 {
    match name {
        "sin" => libm::sin,
        "cos" => libm::cos,
        "tan" => libm::tan,
        "exp" => libm::exp,
        "log" => libm::log,
        "sqrt" => libm::sqrt,
        "tanh" => libm::tanh,
        "square" => |v| v * v,
        "sign" => |v| {
            if v > 0.0 {
                1.0
            } else if v < 0.0 {
                -1.0
            } else {
                0.0
            }
        },
        _ => libm::fabs,
    }
}

/// Numbers of nested lists, row by row.
fn flatten(v: &Value, depth: usize, shape: &mut Vec<usize>, out: &mut Vec<f64>) -> Option<()> {
    if let Some(n) = v.number() {
        out.push(n);
        return (depth == shape.len()).then_some(());
    }
    if let Value::Data(d) = v {
        let n = d.values()?;
        if shape.len() == depth {
            shape.extend(&d.shape);
        }
        out.extend(&n.values);
        return (out.len() <= MOST && shape.get(depth..) == Some(&d.shape[..])).then_some(());
    }
    let items = v.items()?;
    if depth == shape.len() {
        shape.push(items.len());
    }
    if depth >= 6 || shape.get(depth) != Some(&items.len()) {
        return None;
    }
    for item in &items {
        flatten(item, depth + 1, shape, out)?;
    }
    (out.len() <= MOST).then_some(())
}

/// Arrays put together, along the first axis or the last of two.
fn join(name: &str, parts: &[Data], axis: i64) -> Option<Data> {
    let first = parts.first()?;
    let side = match name {
        "column_stack" | "c_" => true,
        "hstack" => first.shape.len() > 1,
        "stack" | "concatenate" | "cat" | "concat" => axis == 1 || axis == -1,
        _ => false,
    };
    let stacked = matches!(name, "stack" | "vstack" | "column_stack") && first.shape.len() == 1;
    let shaped = |d: &Data| -> Option<(usize, usize, Vec<f64>)> {
        let n = d.values()?.values.clone();
        Some(match d.shape[..] {
            [len] if stacked && side => (len, 1, n),
            [len] if stacked => (1, len, n),
            [len] => (len, 1, n),
            [rows, width] => (rows, width, n),
            _ => return None,
        })
    };
    let all: Option<Vec<_>> = parts.iter().map(shaped).collect();
    let all = all?;
    let total: usize = all.iter().map(|p| p.2.len()).sum();
    if total > MOST {
        return None;
    }
    let flat = first.shape.len() == 1 && !stacked;
    if side {
        let rows = all[0].0;
        if all.iter().any(|p| p.0 != rows) {
            return None;
        }
        let width: usize = all.iter().map(|p| p.1).sum();
        let row = |r: usize| {
            all.iter()
                .flat_map(move |p| p.2[r * p.1..(r + 1) * p.1].to_vec())
        };
        return Data::numbers((0..rows).flat_map(row).collect(), vec![rows, width], None);
    }
    let width = all[0].1;
    if all.iter().any(|p| p.1 != width) {
        return None;
    }
    let rows: usize = all.iter().map(|p| p.0).sum();
    let values = all.into_iter().flat_map(|p| p.2).collect();
    Data::numbers(
        values,
        if flat { vec![rows] } else { vec![rows, width] },
        None,
    )
}
