//! From node to node: what each value is.
use super::attention::Attention;
use super::build::{Build, Network, at, shown};
use super::elementwise;
use super::file::{File, Node, broken, tensor};
use super::flow::{BATCH, Flow};
use super::fold::{self, fold};
use super::nodes;
use super::{Res, trouble};
use crate::interop::onnx::proto::dtype;
use crate::interop::onnx::tensor::{Data, Tensor, short};
use crate::spec::Framework;
use crate::spec::limits;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// What a name stands for.
#[derive(Clone)]
pub enum Value {
    Held(Rc<Tensor>),
    Flow(Flow),
    /// Statistics of a flow, on the way to a normalisation.
    Stat(Stat),
    /// Attention's scores and weights.
    Attention(usize),
    /// Last states of several recurrent layers, one above the other along the first axis.
    Stack(Rc<Vec<Flow>>),
}

/// The mean over the last axes of x, x², or of either with the mean taken off, and what was made of it.
#[derive(Clone, Debug)]
pub struct Stat {
    pub flow: Flow,
    pub axes: usize,
    pub stage: Stage,
}

impl Stat {
    /// Whether both are of the same value, over the same axes.
    pub fn of_same(&self, other: &Stat) -> bool {
        self.flow.beside(&other.flow) && self.axes == other.axes
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// mean x
    Mean,
    /// x − mean x
    Centred,
    /// (x − mean x)²
    CentredSquare,
    /// mean of squares; whether the mean was taken off
    Square(bool),
    /// √(that + ε)
    Root(bool, f32),
    /// The same before the root.
    Sum(bool, f32),
    /// 1 / √(that + ε)
    Inverse(bool, f32),
}

pub struct Walk<'a> {
    pub file: &'a File,
    pub build: Build,
    pub values: HashMap<String, Value>,
    /// How often each name is read by what the first output needs.
    pub uses: HashMap<&'a str, usize>,
    /// Layers, or the input, of which some value is read more than once.
    forks: HashSet<Option<usize>>,
    pub attentions: Vec<Attention>,
    /// The node that gives each name.
    makers: HashMap<&'a str, &'a Node>,
    /// Numbers that foldings may still make; the file's own size at first.
    budget: usize,
}

/// Numbers that a layer may give for one sample.
const SAMPLE: usize = 1 << 22;

/// The network of a file, as layers of this framework. `free`: data that is reshaped first of all may as well come in
/// that shape.
pub fn walk(file: &File, framework: Framework, free: bool) -> Res<Network> {
    let output = file
        .outputs
        .first()
        .ok_or_else(|| broken("it has no output"))?;
    let needed = needed(file, &output.name);
    let mut uses = HashMap::from([(&output.name[..], 1)]);
    for name in needed.iter().flat_map(|n| &n.inputs) {
        *uses.entry(&name[..]).or_insert(0) += 1;
    }
    let all: usize = file.tensors.values().map(|b| b.len()).sum();
    let mut walk = Walk {
        file,
        build: Build::new(framework, free),
        values: HashMap::new(),
        uses,
        attentions: Vec::new(),
        forks: HashSet::new(),
        makers: (file.nodes.iter())
            .flat_map(|n| n.outputs.iter().map(move |o| (&o[..], n)))
            .collect(),
        budget: 8 * all + (1 << 20),
    };
    walk.input()?;
    let inner = |op: &str| matches!(op, "Loop" | "If" | "Scan");
    if let Some(node) = needed.iter().find(|node| inner(&node.op)) {
        // Graphs of their own are what is wrong, not the little that leads to them.
        return Err(at(node, "onnx-op-unknown", &[]));
    }
    for node in needed {
        walk.node(node)?;
    }
    walk.end(&output.name)
}

/// The nodes that a value comes from, in their order.
fn needed<'a>(file: &'a File, output: &'a str) -> Vec<&'a Node> {
    let mut wanted = HashSet::from([output]);
    let mut needed = Vec::new();
    for node in file.nodes.iter().rev() {
        if node.outputs.iter().any(|o| wanted.contains(&o[..])) {
            wanted.extend(node.inputs.iter().map(|s| &s[..]));
            needed.push(node);
        }
    }
    needed.reverse();
    needed
}

impl<'a> Walk<'a> {
    fn input(&mut self) -> Res<()> {
        let [port] = &self.file.inputs[..] else {
            let names: Vec<String> = self.file.inputs.iter().map(|p| short(&p.name)).collect();
            return Err(trouble(
                "onnx-inputs",
                &[
                    ("got", names.len().to_string()),
                    ("names", names.join(", ")),
                ],
            ));
        };
        let sizes = port.dims.as_deref().unwrap_or_default();
        let fixed: Option<Vec<usize>> = sizes
            .get(1..)
            .unwrap_or_default()
            .iter()
            .map(|d| d.and_then(|d| usize::try_from(d).ok()).filter(|d| *d > 0))
            .collect();
        let sample = fixed.filter(|s| {
            let n = s.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
            !s.is_empty() && s.len() <= 4 && n.is_some_and(|n| n <= SAMPLE)
        });
        let Some(sample) = sample else {
            let show = |d: &Option<i64>| d.map_or("?".to_string(), |d| d.to_string());
            let got: Vec<String> = sizes.iter().map(show).collect();
            let args = [("name", short(&port.name)), ("got", shown(&got))];
            return Err(trouble("onnx-input-shape", &args));
        };
        self.build.tokens = matches!(port.dtype, dtype::INT64 | dtype::INT32);
        self.build.input = sample.clone();
        let flow = self.first(sample);
        self.note(&port.name, Value::Flow(flow));
        Ok(())
    }

    /// The input: Keras sees images with their channels last, whatever the data has.
    pub fn first(&self, sample: Vec<usize>) -> Flow {
        match self.build.keras() && sample.len() == 3 {
            true => Flow::channels_last(None, &sample),
            false => Flow::of(None, sample),
        }
    }

    /// Whether a flow is the input, untouched and read by nothing so far.
    pub fn is_fresh(&self, flow: &Flow) -> bool {
        flow.source.layer.is_none()
            && !self.build.input_read
            && self.build.affine.is_none()
            && flow.expr.is_none()
            && flow.unsplit()
            && flow.groups == self.first(self.build.input.clone()).groups
            && (self.file.inputs.first()).is_some_and(|p| self.used_once(&p.name))
    }

    /// The value of a name; tensors are read when they are first asked for.
    pub fn value(&mut self, node: &Node, k: usize) -> Res<Option<Value>> {
        let Some(name) = node.input(k) else {
            return Ok(None);
        };
        if let Some(value) = self.values.get(name) {
            return Ok(Some(value.clone()));
        }
        let Some(bytes) = self.file.tensors.get(name) else {
            let name = short(name);
            return Err(broken(format!("nothing gives the value “{name}”")));
        };
        let (_, tensor) = tensor(bytes)?;
        let value = Value::Held(Rc::new(tensor));
        self.values.insert(name.to_string(), value.clone());
        Ok(Some(value))
    }

    /// A tensor that the file holds or that follows from such.
    pub fn held(&mut self, node: &Node, k: usize) -> Res<Rc<Tensor>> {
        match self.value(node, k)? {
            Some(Value::Held(t)) => Ok(t),
            _ => Err(at(node, "onnx-op-weights", &[])),
        }
    }

    /// The same for one that may be missing.
    pub fn held_if(&mut self, node: &Node, k: usize) -> Res<Option<Rc<Tensor>>> {
        match node.input(k) {
            Some(_) => self.held(node, k).map(Some),
            None => Ok(None),
        }
    }

    /// A flow without a function that is no layer yet.
    pub fn flow(&mut self, node: &Node, k: usize) -> Res<Flow> {
        match self.value(node, k)? {
            Some(Value::Flow(flow)) => {
                let maker = self.maker(node, k);
                let settled = elementwise::settle(self, &flow, maker)?;
                if let Some(name) = node.input(k) {
                    self.note(name, Value::Flow(settled.clone()));
                }
                Ok(settled)
            }
            _ => Err(at(node, "onnx-op-use", &[])),
        }
    }

    /// The node after which a function of an input is called.
    pub fn maker<'n>(&self, node: &'n Node, k: usize) -> &'n Node
    where
        'a: 'n,
    {
        let maker = node.input(k).and_then(|name| self.makers.get(name));
        maker.copied().unwrap_or(node)
    }

    /// The shape behind the batch.
    pub fn sample(&self, flow: &Flow, node: &Node) -> Res<Vec<usize>> {
        flow.sample().ok_or_else(|| at(node, "onnx-order", &[]))
    }

    pub fn give(&mut self, node: &Node, k: usize, value: Value) {
        if let Some(name) = node.outputs.get(k).filter(|s| !s.is_empty()) {
            self.note(name, value);
        }
    }

    fn note(&mut self, name: &str, value: Value) {
        if let Value::Flow(flow) = &value
            && !self.used_once(name)
        {
            self.forks.insert(flow.source.layer);
        }
        self.values.insert(name.to_string(), value);
    }

    /// Whether what a layer gives (or the input) goes one way only, so that what comes behind it may be worked
    /// into it: nothing else sees it.
    pub fn one_way(&self, layer: Option<usize>) -> bool {
        !self.forks.contains(&layer)
    }

    /// What a new layer of this shape gives.
    pub fn give_layer(&mut self, node: &Node, layer: usize, shape: Vec<usize>) -> Res<()> {
        self.bounded(&shape, node)?;
        self.give(node, 0, Value::Flow(Flow::of(Some(layer), shape)));
        Ok(())
    }

    /// What a new layer on images or sequences gives: `shape` is `[C, …]`.
    pub fn give_channels(&mut self, node: &Node, layer: usize, shape: &[usize]) -> Res<Flow> {
        self.bounded(shape, node)?;
        let flow = match self.build.keras() {
            true => Flow::channels_last(Some(layer), shape),
            false => Flow::of(Some(layer), shape.to_vec()),
        };
        self.give(node, 0, Value::Flow(flow.clone()));
        Ok(flow)
    }

    /// What gives a value of this shape, `[C, …]`, to a layer on images or sequences.
    pub fn channels(&mut self, flow: &Flow, sample: &[usize], node: &Node) -> Res<Option<usize>> {
        // A picture of one channel may lack its axis.
        if sample[0] == 1 && flow.in_order() && flow.source.real == sample[1..] {
            return self.build.source(flow, node);
        }
        let perm: &[usize] = match sample.len() {
            2 if self.build.keras() => &[0, 2, 1],
            3 if flow.source.image => &[0, 2, 3, 1],
            _ => return self.build.shaped(flow, sample, node),
        };
        let flow = flow.transpose(perm).expect("all axes once");
        let sample = self.sample(&flow, node)?;
        self.build.shaped(&flow, &sample, node)
    }

    /// Refuses samples of more numbers than the engine would take.
    pub fn bounded(&self, sample: &[usize], node: &Node) -> Res<()> {
        let n = sample.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        match n {
            Some(n) if (1..=SAMPLE).contains(&n) => Ok(()),
            _ => Err(at(node, "onnx-op-setting", &[("name", shown(sample))])),
        }
    }

    pub fn used_once(&self, name: &str) -> bool {
        self.uses.get(name).copied().unwrap_or(0) <= 1
    }

    fn node(&mut self, node: &Node) -> Res<()> {
        match node.op.as_str() {
            "Constant" => {
                let t = node
                    .constant()?
                    .ok_or_else(|| at(node, "onnx-op-use", &[]))?;
                self.give(node, 0, Value::Held(Rc::new(t)));
                return Ok(());
            }
            "Shape" => return self.shape(node),
            "ConstantOfShape" | "Expand" => return self.filled(node),
            _ => {}
        }
        let mut held = Vec::new();
        let mut all = !node.inputs.is_empty();
        for k in 0..node.inputs.len() {
            match self.value(node, k)? {
                Some(Value::Held(t)) => held.push(Some(t)),
                None => held.push(None),
                _ => {
                    all = false;
                    break;
                }
            }
        }
        if all {
            return self.folded(node, &held);
        }
        nodes::node(self, node)
    }

    /// A node that reads only what the file holds.
    fn folded(&mut self, node: &Node, held: &[Option<Rc<Tensor>>]) -> Res<()> {
        // What is one number over stays so.
        if let Some(Some(t)) = held.first()
            && t.dims.is_empty()
            && matches!(t.data, Data::Floats(_))
            && matches!(
                &node.op[..],
                "Slice" | "Squeeze" | "Transpose" | "Unsqueeze"
            )
        {
            self.give(node, 0, Value::Held(t.clone()));
            return Ok(());
        }
        let size: usize = held.iter().flatten().map(|t| t.len()).sum();
        self.budget = self
            .budget
            .checked_sub(size)
            .ok_or_else(|| broken("it works out too much from its weights"))?;
        let x: Vec<Option<Tensor>> = held
            .iter()
            .map(|t| t.as_ref().map(|t| (**t).clone()))
            .collect();
        let made =
            fold(node, &x, self.file.opset).ok_or_else(|| at(node, "onnx-op-constant", &[]))?;
        for (k, t) in made.into_iter().enumerate() {
            self.give(node, k, Value::Held(Rc::new(t)));
        }
        Ok(())
    }

    /// The sizes of a value, the batch's left open.
    fn shape(&mut self, node: &Node) -> Res<()> {
        let sizes = match self.value(node, 0)? {
            Some(Value::Held(t)) => t.dims.iter().map(|d| *d as i64).collect(),
            Some(Value::Flow(flow)) => flow.sizes(),
            _ => return Err(at(node, "onnx-op-use", &[])),
        };
        let n = sizes.len() as i64;
        let limit = |v: i64| (if v < 0 { v.saturating_add(n) } else { v }).clamp(0, n) as usize;
        let (from, to) = (limit(node.int("start", 0)), limit(node.int("end", n)));
        let part = sizes.get(from..to.max(from)).unwrap_or_default().to_vec();
        self.give(node, 0, Value::Held(Rc::new(Tensor::longs(part))));
        Ok(())
    }

    /// A tensor of one number over, as initial states are: kept as that one number.
    fn filled(&mut self, node: &Node) -> Res<()> {
        let number = match node.op.as_str() {
            "Expand" => match self.value(node, 0)? {
                Some(Value::Held(t)) => t.scalar_of_all(),
                // To its own shape, as for a mask.
                Some(Value::Flow(flow)) => {
                    let own = flow.sizes();
                    let target = self.held(node, 1)?;
                    let target = target.to_longs().unwrap_or_default();
                    let same = |(a, b): (&i64, &i64)| a == b || *b == 1;
                    if target.len() > own.len()
                        || !own.iter().rev().zip(target.iter().rev()).all(same)
                    {
                        return Err(at(node, "onnx-op-use", &[]));
                    }
                    self.give(node, 0, Value::Flow(flow));
                    return Ok(());
                }
                _ => None,
            },
            _ => match node.tensor("value")? {
                Some(t) => t.scalar(),
                None => Some(0.0),
            },
        };
        let number = number.ok_or_else(|| at(node, "onnx-op-constant", &[]))?;
        self.give(
            node,
            0,
            Value::Held(Rc::new(Tensor::floats(&[], vec![number]))),
        );
        Ok(())
    }

    fn end(mut self, output: &str) -> Res<Network> {
        let Some(Value::Flow(flow)) = self.values.get(output).cloned() else {
            return Err(trouble("onnx-empty", &[]));
        };
        let mut node = Node::unnamed();
        node.op = "output".into();
        node.name = output.to_string();
        let flow = elementwise::settle(&mut self, &flow, &node)?;
        let sample = match flow.shape().as_deref() {
            // All samples of a batch of one number each.
            Some([BATCH]) => vec![1],
            _ => self.sample(&flow, &node)?,
        };
        let last = match flow.source.real == sample || sample == [1] || flow.whole_image() {
            true => self.build.source(&flow, &node)?,
            false => self.build.shaped(&flow, &sample, &node)?,
        };
        let Some(last) = last else {
            return Err(trouble("onnx-empty", &[]));
        };
        let network = self.build.finish(last, sample)?;
        if network.layers.len() > limits::LAYERS {
            let max = format!("{} layers", limits::LAYERS);
            return Err(trouble("onnx-too-big", &[("max", max)]));
        }
        Ok(network)
    }
}

impl Tensor {
    /// The number that all of them are.
    pub fn scalar_of_all(&self) -> Option<f32> {
        match &self.data {
            Data::Floats(v) => v.first().copied().filter(|a| v.iter().all(|b| a == b)),
            Data::Longs(v) => {
                let first = v.first().copied()?;
                v.iter().all(|b| first == *b).then_some(first as f32)
            }
        }
    }
}

/// Axes given as an attribute or as an input.
pub fn axes_of(walk: &mut Walk, node: &Node, k: usize, rank: usize) -> Res<Option<Vec<usize>>> {
    let given = match node.ints("axes") {
        Some(a) => Some(a.to_vec()),
        None => walk
            .held_if(node, k)?
            .and_then(|t| t.to_longs().map(<[i64]>::to_vec)),
    };
    match given {
        None => Ok(None),
        Some(given) => fold::axes(&given, rank)
            .map(Some)
            .ok_or_else(|| at(node, "onnx-op-use", &[])),
    }
}
