//! Follows a script statement by statement. Nothing is executed: expressions become [`Value`]s, calls of
//! libraries become what they describe, and the number of steps is bounded.
use super::value::*;
use crate::data::rng::Rng;
use crate::interop::notes::Notes;
use ruff_python_ast as ast;
use ruff_text_size::{Ranged, TextRange};
use std::rc::Rc;

/// Statements and expressions that are followed at most.
const FUEL: usize = 400_000;
/// Calls inside calls.
const DEPTH: usize = 24;

/// What a script turned out to train, and how.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub loss: Option<Rc<Loss<'a>>>,
    pub optimizer: Option<Rc<Lib<'a>>>,
    pub keras: bool,
    pub torch: bool,
    pub epochs: Option<i64>,
    pub batch: Option<Batch>,
    pub shuffle: Option<bool>,
    pub seed: Option<i64>,
    pub schedule: Option<serde_json::Value>,
    pub clip: Option<serde_json::Value>,
    /// A model that was made, for a script that trains none.
    pub model: Option<Value<'a>>,
    pub trained: bool,
    /// Share of the training part that `fit` holds out.
    pub validation: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Batch {
    Whole,
    Of(i64),
}

/// A loop around what is followed just now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Loop {
    /// `range(n)`
    Range(i64),
    /// `range(a, b, step)` with a step above 1: over batches.
    Steps(i64),
    /// Over a loader's batches.
    Batches,
    Other,
}

pub(super) enum Flow<'a> {
    Next,
    Break,
    Continue,
    Return(Value<'a>),
}

pub(super) struct Machine<'a> {
    pub source: &'a str,
    lines: Vec<usize>,
    pub notes: Notes,
    pub found: Found<'a>,
    pub loops: Vec<Loop>,
    pub rng: Rng,
    pub fuel: usize,
    depth: usize,
    /// Names that a missing import was noted for.
    pub assumed: Vec<String>,
    /// Layers of Keras by kind, for their default names.
    pub counts: Vec<(String, usize)>,
    pub drawn: usize,
    /// Whether models are in training mode.
    pub training: bool,
    /// Batch size and shuffling of the loader that gave the batch at hand.
    pub batch_now: Option<(Option<Batch>, Option<bool>)>,
    /// Calls of modules inside modules.
    pub nested: usize,
    /// Modules, the script's own and `Sequential`, that are being applied.
    pub inside: usize,
    /// Groups so far.
    pub groups: usize,
    /// What `compile` said: the loss and its line.
    pub compiled: Option<(serde_json::Value, usize)>,
    /// Whether Keras' loss wants one-hot labels.
    pub one_hot_loss: bool,
    /// The samples that entered a network last, and the network's input for them.
    pub entered: Option<(Rc<super::data::Data>, super::network::Tensor<'a>)>,
    /// What `fit` got for samples.
    pub fitted: Option<Value<'a>>,
    pub pending_schedule: Option<serde_json::Value>,
    pub last_optimizer: Option<Rc<Lib<'a>>>,
    /// Line and epochs of a half cosine.
    pub half_cosine: Option<(usize, i64)>,
    /// Where a loss is asked to be a sum.
    pub sum_at: Option<usize>,
    /// The highest rate of a cycle.
    pub peak: Option<f64>,
    /// Penalties by layer that has weights, with its line.
    pub penalties: Vec<(usize, Option<(f64, f64)>)>,
    /// Sets that were read from IDX files or stand in for a download, each once.
    pub idx: Option<Rc<super::data::Set>>,
    pub downloads: Vec<Rc<super::data::Set>>,
    /// How texts become numbers.
    pub text: Option<serde_json::Value>,
    pub early_stopping: Option<serde_json::Value>,
    pub checkpoints: Option<serde_json::Value>,
    /// Of the classes, in their order.
    pub class_weight: Option<Vec<f32>>,
    /// Where a log-softmax stands before its loss.
    pub log_softmax_at: Option<usize>,
    /// A loss that was computed, for a script that never says `backward`.
    pub first_loss: Option<Rc<Loss<'a>>>,
    /// All frames, so that circles among them can be broken at the end.
    pub frames: Vec<Scope<'a>>,
    /// Values that were replaced. They are let go of at the end, one by one: dropped where they were,
    /// lists in lists in lists would call themselves too deep.
    pub(super) grave: Vec<Value<'a>>,
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        let mut work = std::mem::take(&mut self.grave);
        for frame in &self.frames {
            work.extend(
                std::mem::take(&mut *frame.names.borrow_mut())
                    .into_iter()
                    .map(|(_, v)| v),
            );
        }
        while let Some(value) = work.pop() {
            match value {
                Value::List(l) if Rc::strong_count(&l) == 1 => work.append(&mut l.borrow_mut()),
                Value::Tuple(t) => work.extend(Rc::try_unwrap(t).unwrap_or_default()),
                Value::Dict(d) if Rc::strong_count(&d) == 1 => {
                    let pairs = std::mem::take(&mut *d.borrow_mut());
                    work.extend(pairs.into_iter().flat_map(|(k, v)| [k, v]));
                }
                Value::Lib(lib) => {
                    if let Ok(lib) = Rc::try_unwrap(lib) {
                        work.extend(lib.args);
                        work.extend(lib.kwargs.into_iter().map(|(_, v)| v));
                        work.extend(lib.parts.into_inner().into_iter().map(|(_, v)| v));
                    }
                }
                Value::Object(o) if Rc::strong_count(&o) == 1 => {
                    let fields = std::mem::take(&mut *o.fields.borrow_mut());
                    work.extend(fields.into_iter().map(|(_, v)| v));
                }
                Value::Method(m) => {
                    if let Ok((v, _)) = Rc::try_unwrap(m) {
                        work.push(v);
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'a> Machine<'a> {
    pub fn new(text: &'a str) -> Machine<'a> {
        let lines = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(i, _)| i)
            .collect();
        Machine {
            source: text,
            lines,
            notes: Notes::default(),
            found: Found::default(),
            loops: Vec::new(),
            rng: Rng::new(1, crate::data::rng::DATA),
            fuel: FUEL,
            depth: 0,
            assumed: Vec::new(),
            counts: Vec::new(),
            drawn: 0,
            training: true,
            batch_now: None,
            nested: 0,
            inside: 0,
            groups: 0,
            compiled: None,
            one_hot_loss: false,
            entered: None,
            fitted: None,
            pending_schedule: None,
            last_optimizer: None,
            half_cosine: None,
            sum_at: None,
            peak: None,
            penalties: Vec::new(),
            idx: None,
            downloads: Vec::new(),
            text: None,
            early_stopping: None,
            class_weight: None,
            checkpoints: None,
            log_softmax_at: None,
            first_loss: None,
            frames: Vec::new(),
            grave: Vec::new(),
        }
    }

    /// The line of a place, counted from 1.
    pub fn line(&self, at: &impl Ranged) -> usize {
        self.line_of(at.range())
    }

    pub fn line_of(&self, range: TextRange) -> usize {
        let offset = range.start().to_usize();
        self.lines.partition_point(|n| *n < offset) + 1
    }

    pub fn note(&mut self, line: usize, code: &'static str, args: &[(&'static str, String)]) {
        self.notes.add(line, code, args);
    }

    /// Takes one step; false when there are no more.
    pub fn step(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel > 0
    }

    /// Numbers cost as they are many, so that a script cannot fill the memory with them.
    pub fn charge(&mut self, value: Value<'a>) -> Value<'a> {
        if let Value::Data(d) = &value
            && let Some(n) = d.values()
        {
            self.fuel = self.fuel.saturating_sub(n.values.len() / 32);
        }
        value
    }

    pub fn function(&mut self, f: &'a ast::StmtFunctionDef, scope: &Scope<'a>) -> Value<'a> {
        let mut defaults = Vec::new();
        let p = &f.parameters;
        for p in p.posonlyargs.iter().chain(&p.args).chain(&p.kwonlyargs) {
            if let Some(d) = &p.default {
                let value = self.expr(d, scope);
                defaults.push((p.parameter.name.to_string(), value));
            }
        }
        let source = &self.source[f.range.start().to_usize()..f.range.end().to_usize()];
        if let Some(known) = super::helpers::known(f.name.as_str(), source) {
            return Value::Path(known.into());
        }
        Value::Func(Rc::new(Func {
            name: f.name.to_string(),
            params: p,
            body: Body::Block(&f.body),
            defaults,
            scope: Rc::clone(scope),
        }))
    }

    pub(super) fn class(&mut self, c: &'a ast::StmtClassDef, scope: &Scope<'a>) -> Value<'a> {
        let source = &self.source[c.range.start().to_usize()..c.range.end().to_usize()];
        if let Some(known) = super::helpers::known(c.name.as_str(), source) {
            return Value::Path(known.into());
        }
        let bases = match &c.arguments {
            Some(args) => args.args.iter().map(|b| self.expr(b, scope)).collect(),
            None => Vec::new(),
        };
        let inner = self.frame(Some(Rc::clone(scope)));
        self.block(&c.body, &inner);
        let members = inner.names.borrow().clone();
        // The frame of a class is not seen by its methods.
        inner.names.borrow_mut().clear();
        Value::Class(Rc::new(Class {
            name: c.name.to_string(),
            bases,
            members: members.into(),
        }))
    }

    /// Calls a function of the script.
    pub fn call_func(
        &mut self,
        f: &Rc<Func<'a>>,
        this: Option<Value<'a>>,
        args: Vec<Value<'a>>,
        kwargs: Vec<(String, Value<'a>)>,
        line: usize,
    ) -> Value<'a> {
        if self.depth >= DEPTH || !self.step() {
            self.note(line, "note-too-long", &[]);
            return Value::Unknown;
        }
        let frame = self.frame(Some(Rc::clone(&f.scope)));
        let mut args = this.into_iter().chain(args);
        let p = f.params;
        for p in p.posonlyargs.iter().chain(&p.args) {
            let name = p.parameter.name.as_str();
            let value = args
                .next()
                .or_else(|| find(&kwargs, name))
                .or_else(|| find(&f.defaults, name))
                .unwrap_or(Value::Unknown);
            frame.set(name, value);
        }
        if let Some(rest) = &p.vararg {
            frame.set(rest.name.as_str(), Value::tuple(args.collect()));
        }
        for p in &p.kwonlyargs {
            let name = p.parameter.name.as_str();
            let value = find(&kwargs, name).or_else(|| find(&f.defaults, name));
            frame.set(name, value.unwrap_or(Value::Unknown));
        }
        if let Some(rest) = &p.kwarg {
            let known = |n: &str| frame.names.borrow().iter().any(|(k, _)| k == n);
            let more = kwargs.iter().filter(|(k, _)| !known(k));
            let dict = more.map(|(k, v)| (Value::str(k), v.clone())).collect();
            frame.set(
                rest.name.as_str(),
                Value::Dict(Rc::new(std::cell::RefCell::new(dict))),
            );
        }
        self.depth += 1;
        let value = match f.body {
            Body::Lambda(e) => self.expr(e, &frame),
            Body::Block(body) => match self.block(body, &frame) {
                Flow::Return(v) => v,
                _ => Value::None,
            },
        };
        self.depth -= 1;
        value
    }
}

/// Two values that are equal for certain.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::None, Value::None) => true,
        (Value::Path(a), Value::Path(b)) => a == b,
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}

/// One name for what several modules offer.
pub(super) fn canonical(path: &str) -> String {
    let mut path = path.to_string();
    for (from, to) in [
        ("tensorflow.python.keras", "keras"),
        ("tensorflow.keras", "keras"),
        ("tf.keras", "keras"),
        ("keras.api", "keras"),
        ("keras.preprocessing.sequence", "keras.utils"),
        ("keras.utils.np_utils", "keras.utils"),
        ("keras.datasets", "keras.datasets"),
        ("torch.utils.data.distributed", "torch.utils.data"),
    ] {
        if let Some(rest) = path.strip_prefix(from)
            && (rest.is_empty() || rest.starts_with('.'))
        {
            path = format!("{to}{rest}");
        }
    }
    if path == "tensorflow" {
        return "tf".into();
    }
    if path == "keras.Sequential" {
        return "keras.models.Sequential".into();
    }
    if path == "keras.Model" {
        return "keras.models.Model".into();
    }
    if path == "keras.Input" {
        return "keras.layers.Input".into();
    }
    path
}
