//! The network as it is found: layers, what they read, and their parameters.
use super::file::Node;
use super::flow::{Flow, Part, Source};
use super::{Note, Res, trouble};
use crate::interop::onnx::tensor::short;
use crate::spec::{Framework, LayerKind, LayerSpec, Norm};

/// A layer that was found.
#[derive(Clone, Debug)]
pub struct Layer {
    pub id: String,
    pub kind: LayerKind,
    /// Numbers of layers; None is the network's input.
    pub inputs: Vec<Option<usize>>,
    /// For a recurrent one: whether it gives all states, once that is known.
    pub states: Option<bool>,
}

#[derive(Clone, Debug)]
pub struct Param {
    pub layer: usize,
    /// Behind the layer's id: `weight`.
    pub what: String,
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

/// A parameter with its whole name.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

/// What the graph is, before it is known what it is trained on.
#[derive(Clone, Debug)]
pub struct Network {
    pub layers: Vec<LayerSpec>,
    pub params: Vec<Named>,
    /// One sample.
    pub input: Vec<usize>,
    /// Whole numbers, which an embedding looks up.
    pub tokens: bool,
    /// What the last layer gives for one sample.
    pub output: Vec<usize>,
    /// The input is divided by this first.
    pub divide: Option<f32>,
    /// The network takes in how the data is scaled.
    pub scaled: bool,
    /// Whose conventions its layers follow.
    pub framework: Framework,
}

pub struct Build {
    /// Whose conventions the layers follow: what sequences and images look like, and names of parameters.
    pub framework: Framework,
    pub layers: Vec<Layer>,
    pub params: Vec<Param>,
    pub divide: Option<f32>,
    pub tokens: bool,
    /// Shape of one sample, which may be turned round as long as nothing has read it.
    pub input: Vec<usize>,
    pub input_read: bool,
    /// Whether data that is reshaped first of all may as well come in that shape.
    free: bool,
    /// The input times the first plus the second, number by number, until a layer takes it in.
    pub affine: Option<(Vec<f32>, Vec<f32>)>,
    /// The layers that do that, where no layer could take it in.
    scaling: Option<usize>,
    /// It has been worked into the network.
    pub scaled: bool,
}

/// What is wrong with a node.
pub fn at(node: &Node, code: &'static str, more: &[(&'static str, String)]) -> Note {
    let mut args = vec![("node", node.label()), ("op", short(&node.op))];
    args.extend(more.iter().cloned());
    trouble(code, &args)
}

/// Sizes for a message.
pub fn shown<T: ToString>(dims: &[T]) -> String {
    let all: Vec<String> = dims.iter().map(T::to_string).collect();
    format!("[{}]", all.join(", "))
}

/// Numbers of a sample that are scaled one by one.
const SCALED: usize = 1 << 20;

/// Parts of names that say what TensorFlow did with a weight.
const TENSORFLOW: [&str; 11] = [
    "ReadVariableOp",
    "resource",
    "Cast",
    "convolution",
    "merged_input",
    "ExpandDims",
    "ExpandDims_1",
    "MatMul",
    "BiasAdd",
    "GatherV2",
    "batchnorm",
];

impl Build {
    pub fn new(framework: Framework, free: bool) -> Build {
        Build {
            framework,
            layers: Vec::new(),
            params: Vec::new(),
            divide: None,
            tokens: false,
            input: Vec::new(),
            input_read: false,
            free,
            affine: None,
            scaling: None,
            scaled: false,
        }
    }

    pub fn keras(&self) -> bool {
        self.framework == Framework::Keras
    }

    /// The axis of the channels among those of what a layer gives, counted from 1.
    pub fn channel_axis(&self, source: &Source) -> usize {
        let rank = source.real.len();
        match self.keras() && (rank < 3 || source.image) {
            true => rank,
            false => 1,
        }
    }

    /// What the weight of an embedding is called.
    pub fn table(&self) -> &'static str {
        match self.framework {
            Framework::Pytorch => "weight",
            Framework::Keras => "embeddings",
        }
    }

    /// Whether some layer reads this one already.
    pub fn is_read(&self, layer: usize) -> bool {
        self.layers.iter().any(|l| l.inputs.contains(&Some(layer)))
    }

    /// An epsilon, None where it is the framework's default.
    pub fn usual(&self, eps: f32, norm: Norm) -> Option<f32> {
        (eps != norm.default_epsilon(self.framework)).then_some(eps)
    }

    /// An id for a layer: what a weight or the node is called, or else what it is.
    fn id(&self, weight: Option<&str>, node: &Node, kind: &str) -> String {
        let scope = |name: &str| {
            let name = name
                .rsplit_once(['.', '/', ':'])
                .map_or("", |(head, _)| head);
            let plain = |s: &&str| !s.is_empty() && !TENSORFLOW.contains(s);
            let name = name.rsplit(['/', ':']).find(plain);
            name.unwrap_or_default().to_string()
        };
        let from_weight = weight
            .filter(|w| !w.starts_with("onnx::") && !w.starts_with("val_"))
            .map(scope);
        let wanted = match from_weight {
            Some(s) if !s.is_empty() => s,
            _ => scope(&node.name),
        };
        let mut id: String = wanted
            .chars()
            .map(|c| match c {
                '.' => '_',
                c => c,
            })
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-')
            .take(32)
            .collect();
        let plain = !id.starts_with(|c: char| c.is_ascii_alphabetic());
        if plain && !id.is_empty() {
            id.insert_str(0, kind);
        }
        if id.is_empty() {
            id = kind.to_string();
        }
        let taken = |id: &str| id == "input" || self.layers.iter().any(|l| l.id == id);
        if !taken(&id) {
            return id;
        }
        (1..)
            .map(|k| format!("{id}_{k}"))
            .find(|id| !taken(id))
            .expect("there are more numbers than layers")
    }

    /// The layer that a flow stands for, as something to read: the flow's own kind is settled by it.
    pub fn source(&mut self, flow: &Flow, node: &Node) -> Res<Option<usize>> {
        match flow.source.part {
            Part::Whole => {}
            Part::States | Part::Last => {
                let states = flow.source.part == Part::States;
                let layer = flow.source.layer.expect("a recurrent layer");
                let known = &mut self.layers[layer].states;
                if *known == Some(!states) {
                    return Err(at(node, "onnx-states", &[]));
                }
                *known = Some(states);
            }
            Part::Slice(..) | Part::Attended(_) | Part::Turn(_) => {
                return Err(at(node, "onnx-op-use", &[]));
            }
        }
        if flow.source.layer.is_none() {
            self.input_read = true;
            if let Some((mul, add)) = self.affine.take() {
                // One factor for all is a setting of the data.
                let alike = mul.iter().all(|m| *m == mul[0]) && mul[0] > 0.0;
                if alike && add.iter().all(|a| *a == 0.0) {
                    // The number that was meant, where the quotient is one of rounding.
                    let by = 1.0 / mul[0];
                    let whole = by.round();
                    self.divide = Some(if 1.0 / whole == mul[0] { whole } else { by });
                } else {
                    self.scalable(flow, &mul, node)?;
                    self.scaling = Some(self.normalise(None, &mul, &add)?);
                }
            }
            return Ok(self.scaling);
        }
        Ok(flow.source.layer)
    }

    fn scalable(&self, flow: &Flow, mul: &[f32], node: &Node) -> Res<()> {
        let channels = self.input.first().copied().unwrap_or(1);
        match flow.source.image && channels != 1 || mul.len() > SCALED {
            true => Err(at(node, "onnx-scale", &[])),
            false => Ok(()),
        }
    }

    /// A scaling of the input for one of those who read it, as a layer.
    pub fn scaled_for_one(
        &mut self,
        flow: &Flow,
        (mul, add): (&[f32], &[f32]),
        node: &Node,
    ) -> Res<Flow> {
        self.scalable(flow, mul, node)?;
        let from = self.source(flow, node)?;
        let layer = self.normalise(from, mul, add)?;
        Ok(flow.over(layer))
    }

    /// A scaling of the input number by number that no layer takes in: a batch norm with the statistics
    /// that it stands for.
    fn normalise(&mut self, mut from: Option<usize>, mul: &[f32], add: &[f32]) -> Res<usize> {
        let node = Node::unnamed();
        let n = mul.len();
        if self.input.len() > 1 {
            let kind = LayerKind::Flatten;
            from = Some(self.layer(&node, None, "flatten", kind, vec![from])?);
        }
        let kind = LayerKind::BatchNorm {
            momentum: None,
            epsilon: None,
            affine: true,
        };
        let norm = self.layer(&node, None, "scaling", kind, vec![from])?;
        let eps = f64::from(Norm::Batch.default_epsilon(self.framework));
        let mut values = [vec![1.0; n], vec![0.0; n], vec![0.0; n], vec![1.0; n]];
        for k in 0..n {
            let (m, a) = (f64::from(mul[k]), f64::from(add[k]));
            let var = 1.0 / (m * m) - eps;
            let [weight, bias, mean, variance] = values.each_mut().map(|v| &mut v[k]);
            if m > 0.0 && var > 0.0 && var.is_finite() {
                (*mean, *variance) = ((-a / m) as f32, var as f32);
            } else {
                (*weight, *bias) = ((m * (1.0 + eps).sqrt()) as f32, a as f32);
            }
        }
        let names = ["weight", "bias", "running_mean", "running_var"];
        for (name, values) in names.into_iter().zip(values) {
            self.param(norm, name, &[n], values);
        }
        self.scaled = true;
        if self.input.len() == 1 {
            return Ok(norm);
        }
        let shape = self.input.iter().map(|d| *d as i64).collect();
        let kind = LayerKind::Reshape { shape };
        self.layer(&node, None, "reshape", kind, vec![Some(norm)])
    }

    /// Adds a layer. `weight`: the name of its first weight in the file.
    pub fn layer(
        &mut self,
        node: &Node,
        weight: Option<&str>,
        name: &str,
        kind: LayerKind,
        inputs: Vec<Option<usize>>,
    ) -> Res<usize> {
        if self.layers.len() >= 4 * crate::spec::limits::LAYERS {
            return Err(trouble(
                "onnx-too-big",
                &[("max", format!("{} layers", crate::spec::limits::LAYERS))],
            ));
        }
        let id = self.id(weight, node, name);
        self.layers.push(Layer {
            id,
            kind,
            inputs,
            states: None,
        });
        Ok(self.layers.len() - 1)
    }

    pub fn param(&mut self, layer: usize, what: &str, dims: &[usize], values: Vec<f32>) {
        self.params.push(Param {
            layer,
            what: what.to_string(),
            dims: dims.to_vec(),
            values,
        });
    }

    pub fn find(&mut self, layer: usize, what: &str) -> Option<&mut Param> {
        let is = |p: &&mut Param| p.layer == layer && p.what == what;
        self.params.iter_mut().find(is)
    }

    /// The source of a flow as one sample of this shape, by a Flatten or Reshape layer if need be.
    pub fn shaped(&mut self, flow: &Flow, sample: &[usize], node: &Node) -> Res<Option<usize>> {
        if flow.source.real == sample && flow.in_order() {
            return self.source(flow, node);
        }
        if !flow.in_order() || flow.source.image && sample.len() > 1 {
            return Err(at(node, "onnx-order", &[]));
        }
        let free = self.free && flow.source.layer.is_none();
        let free = free && !self.input_read && sample.len() > 1;
        if free && flow.source.part == Part::Whole {
            // Nothing has seen the data yet: it may as well come in this shape.
            self.input = sample.to_vec();
            return self.source(flow, node);
        }
        if flow.source.layer.is_none() && self.input == sample {
            return self.source(flow, node);
        }
        let from = self.source(flow, node)?;
        let (name, kind) = match sample {
            [_] => ("flatten", LayerKind::Flatten),
            more => {
                let shape = more.iter().map(|d| *d as i64).collect();
                ("reshape", LayerKind::Reshape { shape })
            }
        };
        let known = |l: &Layer| l.kind == kind && l.inputs == [from];
        if let Some(known) = self.layers.iter().position(known) {
            return Ok(Some(known));
        }
        let fresh = Node::unnamed();
        self.layer(&fresh, None, name, kind, vec![from]).map(Some)
    }

    /// The network that ends in a layer: what it does not need is left out.
    pub fn finish(self, last: usize, output: Vec<usize>) -> Res<Network> {
        let mut wanted = vec![false; self.layers.len()];
        wanted[last] = true;
        for k in (0..=last).rev() {
            if wanted[k] {
                for i in self.layers[k].inputs.iter().flatten() {
                    wanted[*i] = true;
                }
            }
        }
        let kept: Vec<usize> = (0..=last).filter(|k| wanted[*k]).collect();
        let mut layers = Vec::new();
        for (place, k) in kept.iter().enumerate() {
            let layer = &self.layers[*k];
            let before = place.checked_sub(1).map(|p| kept[p]);
            let mut kind = layer.kind.clone();
            if let LayerKind::Lstm(r) | LayerKind::Gru(r) | LayerKind::Rnn { layer: r, .. } =
                &mut kind
            {
                r.return_sequences = layer.states == Some(true);
            }
            let mut spec = LayerSpec::new(&layer.id, kind);
            if layer.inputs != [before] {
                let id = |i: &Option<usize>| match i {
                    Some(i) => self.layers[*i].id.clone(),
                    None => "input".to_string(),
                };
                spec.inputs = layer.inputs.iter().map(id).collect();
            }
            layers.push(spec);
        }
        let params = self
            .params
            .into_iter()
            .filter(|p| wanted[p.layer])
            .map(|p| Named {
                name: format!("{}.{}", self.layers[p.layer].id, p.what),
                dims: p.dims,
                values: p.values,
            })
            .collect();
        Ok(Network {
            layers,
            params,
            input: self.input,
            tokens: self.tokens,
            output,
            divide: self.divide,
            scaled: self.scaled,
            framework: self.framework,
        })
    }
}
