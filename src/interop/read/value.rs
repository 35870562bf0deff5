//! What an expression of a script can stand for while it is read.
use super::arguments::Asked;
use super::data::Data;
use super::network::Tensor;
use ruff_python_ast as ast;
use serde_json::{Map, Value as Json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[derive(Clone)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    List(Rc<RefCell<Vec<Value<'a>>>>),
    Tuple(Rc<Vec<Value<'a>>>),
    Dict(Rc<RefCell<Vec<(Value<'a>, Value<'a>)>>>),
    /// Something of a library, by its full name: `torch.nn.Linear`.
    Path(Rc<str>),
    /// A method of a value, not yet called.
    Method(Rc<(Value<'a>, String)>),
    Func(Rc<Func<'a>>),
    Class(Rc<Class<'a>>),
    Object(Rc<Object<'a>>),
    /// What a library made: a layer, an optimizer, a loader.
    Lib(Rc<Lib<'a>>),
    /// A value inside a network.
    Tensor(Tensor<'a>),
    /// Samples or targets, known or drawn.
    Data(Rc<Data>),
    /// Mean, deviation, least or greatest of data.
    Stat(Rc<Data>, Stat),
    Loss(Rc<Loss<'a>>),
    /// λ₁·Σ|w| + λ₂·Σw² over the weights.
    Penalty(f64, f64),
    /// A parameter of a layer, or any (`model.parameters()`).
    Param(Option<Rc<Lib<'a>>>, &'static str),
    /// The number of samples in a batch.
    Batch,
    Slice(Rc<[Value<'a>; 3]>),
    Ellipsis,
    /// Not followed; the reason has been told where it mattered.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stat {
    Mean,
    Std,
    Min,
    Max,
}

pub(super) struct Func<'a> {
    pub name: String,
    pub params: &'a ast::Parameters,
    pub body: Body<'a>,
    pub defaults: Vec<(String, Value<'a>)>,
    pub scope: Scope<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Block(&'a [ast::Stmt]),
    Lambda(&'a ast::Expr),
}

pub(super) struct Class<'a> {
    pub name: String,
    pub bases: Vec<Value<'a>>,
    pub members: RefCell<Vec<(String, Value<'a>)>>,
}

pub(super) struct Object<'a> {
    pub class: Rc<Class<'a>>,
    /// Attribute by which it is known.
    pub name: RefCell<Option<String>>,
    pub fields: RefCell<Vec<(String, Value<'a>)>>,
}

/// What a call of a library's class made.
pub(super) struct Lib<'a> {
    pub path: Rc<str>,
    pub args: Vec<Value<'a>>,
    pub kwargs: Vec<(String, Value<'a>)>,
    pub line: usize,
    /// Attribute or `name=` by which it is known.
    pub name: RefCell<Option<String>>,
    /// Parts added later: layers of a Sequential, what `compile` got.
    pub parts: RefCell<Vec<(String, Value<'a>)>>,
    /// Initialisers set from outside, by `weight` and `bias`.
    pub inits: RefCell<Map<String, Json>>,
    /// How often it stands in a network.
    pub uses: Cell<usize>,
    /// Arguments that something asked for.
    pub asked: Asked,
}

impl<'a> Lib<'a> {
    pub fn new(
        path: &str,
        args: Vec<Value<'a>>,
        kwargs: Vec<(String, Value<'a>)>,
        line: usize,
    ) -> Rc<Lib<'a>> {
        Rc::new(Lib {
            path: path.into(),
            args,
            kwargs,
            line,
            name: RefCell::default(),
            parts: RefCell::default(),
            inits: RefCell::default(),
            uses: Cell::new(0),
            asked: Asked::default(),
        })
    }

    /// The last part of its name.
    pub fn kind(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// An argument by place or by name.
    pub fn arg(&self, at: usize, name: &str) -> Option<&Value<'a>> {
        self.asked.see(at, name);
        self.peek(at, name)
    }

    /// The same, without asking for it.
    pub fn peek(&self, at: usize, name: &str) -> Option<&Value<'a>> {
        let named = self.kwargs.iter().find(|(n, _)| n == name).map(|(_, v)| v);
        named.or_else(|| self.args.get(at))
    }

    pub fn part(&self, name: &str) -> Option<Value<'a>> {
        self.parts
            .borrow()
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
    }
}

/// What `criterion(output, target)` gave.
#[derive(Clone)]
pub(super) struct Loss<'a> {
    pub spec: Json,
    pub output: Value<'a>,
    pub target: Value<'a>,
    pub line: usize,
    /// Whether it is a sum over samples and numbers rather than a mean.
    pub sum: bool,
    /// Weight of a divergence that was added, and on which line.
    pub kl: Option<(f64, usize)>,
    pub penalty: (f64, f64),
}

pub(super) type Scope<'a> = Rc<Frame<'a>>;

/// Names of a module or a function; names are looked up in the frames outside it too.
pub(super) struct Frame<'a> {
    pub names: RefCell<Vec<(String, Value<'a>)>>,
    pub outer: Option<Scope<'a>>,
}

impl<'a> Frame<'a> {
    pub fn new(outer: Option<Scope<'a>>) -> Scope<'a> {
        Rc::new(Frame {
            names: RefCell::default(),
            outer,
        })
    }
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        let mut frame = self;
        loop {
            let found = find(&frame.names.borrow(), name);
            if found.is_some() {
                return found;
            }
            frame = frame.outer.as_deref()?;
        }
    }
    /// Gives back what the name stood for before.
    pub fn set(&self, name: &str, value: Value<'a>) -> Option<Value<'a>> {
        put(&mut self.names.borrow_mut(), name, value)
    }
}

pub(super) fn find<'a>(list: &[(String, Value<'a>)], name: &str) -> Option<Value<'a>> {
    list.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
}

pub(super) fn put<'a>(
    list: &mut Vec<(String, Value<'a>)>,
    name: &str,
    value: Value<'a>,
) -> Option<Value<'a>> {
    match list.iter_mut().find(|(n, _)| n == name) {
        Some((_, v)) => Some(std::mem::replace(v, value)),
        None => {
            // More names than any script needs would be slow to look up.
            if list.len() < 4000 {
                list.push((name.to_string(), value));
            }
            None
        }
    }
}

impl<'a> Value<'a> {
    pub fn list(values: Vec<Value<'a>>) -> Value<'a> {
        Value::List(Rc::new(RefCell::new(values)))
    }
    pub fn tuple(values: Vec<Value<'a>>) -> Value<'a> {
        Value::Tuple(Rc::new(values))
    }
    pub fn str(text: &str) -> Value<'a> {
        Value::Str(text.into())
    }
    pub fn path(text: &str) -> Value<'a> {
        Value::Path(text.into())
    }
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Int(v) => Some(*v as f64),
            Value::Float(v) => Some(*v),
            Value::Bool(v) => Some(f64::from(u8::from(*v))),
            _ => None,
        }
    }
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(v) => Some(*v),
            Value::Bool(v) => Some(i64::from(*v)),
            Value::Float(v) if v.fract() == 0.0 && v.abs() < 1e15 => Some(*v as i64),
            _ => None,
        }
    }
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }
    /// The numbers of a list, a tuple or an array.
    pub fn numbers(&self) -> Option<Vec<f32>> {
        if let Value::Data(d) = self {
            let values = &d.values()?.values;
            return Some(values.iter().map(|v| *v as f32).collect());
        }
        let items = self.items()?;
        items.iter().map(|v| v.number().map(|v| v as f32)).collect()
    }
    /// Elements of a list or tuple.
    pub fn items(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Value::List(l) => Some(l.borrow().clone()),
            Value::Tuple(t) => Some(t.to_vec()),
            _ => None,
        }
    }
    /// Python's truth, None where it is not known.
    pub fn truth(&self) -> Option<bool> {
        Some(match self {
            Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(v) => *v != 0,
            Value::Float(v) => *v != 0.0,
            Value::Str(s) => !s.is_empty(),
            Value::List(l) => !l.borrow().is_empty(),
            Value::Tuple(t) => !t.is_empty(),
            Value::Dict(d) => !d.borrow().is_empty(),
            Value::Unknown
            | Value::Data(_)
            | Value::Tensor(_)
            | Value::Loss(_)
            | Value::Stat(..) => {
                return None;
            }
            _ => true,
        })
    }
    /// How a message names it.
    pub fn shown(&self) -> String {
        match self {
            Value::Path(p) => p.to_string(),
            Value::Lib(l) => l.path.to_string(),
            Value::Func(f) => f.name.clone(),
            Value::Class(c) => c.name.clone(),
            Value::Method(m) => format!(".{}", m.1),
            Value::Str(s) => format!("{:?}", s.chars().take(40).collect::<String>()),
            Value::Int(v) => v.to_string(),
            Value::Float(v) => v.to_string(),
            _ => "…".into(),
        }
    }
}
