//! An ONNX graph as it grows.
use super::super::proto::{self, Attribute, Dim, Dims, Node, Tensor, TensorType, Type, ValueInfo};
use super::super::proto::{dtype, kind};
use prost::bytes::Bytes;

/// The batch among the sizes of a [`Value`].
pub(super) const BATCH: i64 = -1;

/// A value of the graph with its shape, axis by axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    pub name: String,
    pub shape: Vec<i64>,
}

/// Numbers that the file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Initializer {
    pub name: String,
    pub dims: Vec<usize>,
    pub data: Numbers,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    Floats(Vec<f32>),
    Longs(Vec<i64>),
    /// Floats that are not asked for: only the graph is.
    Absent,
}

/// Attributes are made by these.
pub(super) fn int(name: &str, i: i64) -> Attribute {
    Attribute {
        name: name.into(),
        i: Some(i),
        kind: kind::INT,
        ..Attribute::default()
    }
}
pub(super) fn float(name: &str, f: f32) -> Attribute {
    Attribute {
        name: name.into(),
        f: Some(f),
        kind: kind::FLOAT,
        ..Attribute::default()
    }
}
pub(super) fn whole(name: &str, ints: &[i64]) -> Attribute {
    Attribute {
        name: name.into(),
        ints: ints.to_vec(),
        kind: kind::INTS,
        ..Attribute::default()
    }
}
pub(super) fn ints(name: &str, ints: &[usize]) -> Attribute {
    let all: Vec<i64> = ints.iter().map(|v| *v as i64).collect();
    whole(name, &all)
}
pub(super) fn text(name: &str, s: &str) -> Attribute {
    Attribute {
        name: name.into(),
        s: Some(Bytes::copy_from_slice(s.as_bytes())),
        kind: kind::STRING,
        ..Attribute::default()
    }
}
pub(super) fn texts(name: &str, all: &[&str]) -> Attribute {
    Attribute {
        name: name.into(),
        strings: all
            .iter()
            .map(|s| Bytes::copy_from_slice(s.as_bytes()))
            .collect(),
        kind: kind::STRINGS,
        ..Attribute::default()
    }
}

/// Nodes and what they read, in the order of computation.
#[derive(Debug, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub initializers: Vec<Initializer>,
    pub inputs: Vec<ValueInfo>,
    pub outputs: Vec<ValueInfo>,
    infos: Vec<ValueInfo>,
    /// Where the nodes that come belong: a layer's id.
    scope: String,
}

fn info(value: &Value, dtype: i32, doc: &str) -> ValueInfo {
    let dim = |d: &i64| match *d {
        BATCH => Dim {
            value: None,
            name: Some("batch".into()),
        },
        n => Dim {
            value: Some(n),
            name: None,
        },
    };
    let shape = Dims {
        dims: value.shape.iter().map(dim).collect(),
    };
    ValueInfo {
        name: value.name.clone(),
        kind: Some(Type {
            tensor: Some(TensorType {
                dtype,
                shape: Some(shape),
            }),
        }),
        doc: doc.into(),
    }
}

impl Graph {
    pub(super) fn enter(&mut self, scope: &str) {
        self.scope = scope.to_string();
    }

    /// `/fc1/Gemm`, which nothing else is called.
    fn fresh(&self, what: &str) -> String {
        let base = format!("/{}/{what}", self.scope);
        let taken = |name: &str| {
            self.nodes.iter().any(|n| n.name == name)
                || self.initializers.iter().any(|i| i.name == name)
        };
        let mut name = base.clone();
        let mut k = 1;
        while taken(&name) {
            name = format!("{base}_{k}");
            k += 1;
        }
        name
    }

    /// A node of one output of floats.
    pub(super) fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<Attribute>,
        shape: Vec<i64>,
    ) -> Value {
        self.nodes_of(op, inputs, attributes, vec![shape]).remove(0)
    }

    /// A node of several outputs of floats; one of an empty shape is left out.
    pub(super) fn nodes_of(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<Attribute>,
        shapes: Vec<Vec<i64>>,
    ) -> Vec<Value> {
        let name = self.fresh(op);
        let values: Vec<Value> = shapes
            .into_iter()
            .enumerate()
            .map(|(k, shape)| {
                let name = match shape.is_empty() {
                    true => String::new(),
                    false => format!("{name}_output_{k}"),
                };
                Value { name, shape }
            })
            .collect();
        for value in values.iter().filter(|v| !v.name.is_empty()) {
            let dtype = match op {
                "Cast"
                    if attributes
                        .iter()
                        .any(|a| a.i == Some(i64::from(dtype::INT64))) =>
                {
                    dtype::INT64
                }
                "Greater" => dtype::BOOL,
                _ => dtype::FLOAT,
            };
            self.infos.push(info(value, dtype, ""));
        }
        self.nodes.push(Node {
            inputs: inputs.iter().map(|s| s.to_string()).collect(),
            outputs: values.iter().map(|v| v.name.clone()).collect(),
            name,
            op: op.to_string(),
            attributes,
            domain: String::new(),
        });
        values
    }

    /// Floats by name; `data` may be [`Numbers::Absent`].
    pub(super) fn weight(&mut self, name: &str, dims: &[usize], data: Numbers) -> String {
        self.initializers.push(Initializer {
            name: name.to_string(),
            dims: dims.to_vec(),
            data,
        });
        name.to_string()
    }

    /// A number of the layer at hand.
    pub(super) fn scalar(&mut self, value: f32) -> String {
        let name = self.fresh("Constant");
        self.weight(&name, &[], Numbers::Floats(vec![value]))
    }

    /// A row of numbers of the layer at hand.
    pub(super) fn floats(&mut self, what: &str, values: Vec<f32>) -> String {
        let name = self.fresh(what);
        self.weight(&name, &[values.len()], Numbers::Floats(values))
    }

    /// Whole numbers of the layer at hand: axes or a shape.
    pub(super) fn longs(&mut self, what: &str, values: &[i64]) -> String {
        let name = self.fresh(what);
        let data = Numbers::Longs(values.to_vec());
        self.weight(&name, &[values.len()], data)
    }

    pub(super) fn input(&mut self, value: &Value, tokens: bool, doc: &str) {
        let dtype = if tokens { dtype::INT64 } else { dtype::FLOAT };
        self.inputs.push(info(value, dtype, doc));
    }

    /// Gives a value to the outside, under a name of its own.
    pub(super) fn output(&mut self, value: &Value, name: &str, doc: &str) {
        self.enter("output");
        let node = self.fresh("Identity");
        let named = Value {
            name: name.to_string(),
            shape: value.shape.clone(),
        };
        self.nodes.push(Node {
            inputs: vec![value.name.clone()],
            outputs: vec![named.name.clone()],
            name: node,
            op: "Identity".into(),
            attributes: Vec::new(),
            domain: String::new(),
        });
        self.outputs.push(info(&named, dtype::FLOAT, doc));
    }

    /// The graph as a message. Weights are taken one by one, so that there are never two copies of all.
    pub(super) fn message(self, name: &str, doc: &str) -> proto::Graph {
        let tensor = |i: Initializer| {
            let (dtype, raw) = match i.data {
                Numbers::Floats(v) => (
                    dtype::FLOAT,
                    v.iter().flat_map(|v| v.to_le_bytes()).collect(),
                ),
                Numbers::Longs(v) => (
                    dtype::INT64,
                    v.iter().flat_map(|v| v.to_le_bytes()).collect(),
                ),
                Numbers::Absent => (dtype::FLOAT, Vec::new()),
            };
            let raw: Vec<u8> = raw;
            proto::encode(&Tensor {
                dims: i.dims.iter().map(|d| *d as i64).collect(),
                dtype,
                name: i.name,
                raw: Bytes::from(raw),
                ..Tensor::default()
            })
        };
        proto::Graph {
            nodes: self.nodes.iter().map(proto::encode).collect(),
            name: name.to_string(),
            initializers: self.initializers.into_iter().map(tensor).collect(),
            doc: doc.to_string(),
            inputs: self.inputs.iter().map(proto::encode).collect(),
            outputs: self.outputs.iter().map(proto::encode).collect(),
            values: self.infos.iter().map(proto::encode).collect(),
            sparse_initializers: Vec::new(),
        }
    }
}
