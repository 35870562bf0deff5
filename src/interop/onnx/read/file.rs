//! An ONNX file taken apart: bounds, nodes with their attributes, tensors by name.
use super::{Res, trouble};
use crate::interop::onnx::proto::{self, Attribute};
use crate::interop::onnx::tensor::{Refusal, Tensor, short};
use prost::bytes::Bytes;
use std::collections::HashMap;

/// Bytes of a file.
pub const BYTES: usize = 512 << 20;
/// Nodes of a graph.
pub const NODES: usize = 20_000;
/// Opsets that are understood.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=26;

/// A node whose attributes are looked up by name.
#[derive(Clone, Debug)]
pub struct Node {
    pub op: String,
    pub name: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    attributes: HashMap<String, Attribute>,
}

impl Node {
    /// What a person calls it: its name, or that of what it gives.
    pub fn label(&self) -> String {
        let name = match self.name.is_empty() {
            true => self.outputs.first().map_or("", |s| s),
            false => &self.name,
        };
        short(name)
    }

    /// The name of input `k`; None where it is left out.
    pub fn input(&self, k: usize) -> Option<&str> {
        self.inputs.get(k).map(|s| &s[..]).filter(|s| !s.is_empty())
    }

    pub fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attributes
            .get(name)
            .and_then(|a| a.i)
            .unwrap_or(default)
    }
    pub fn float(&self, name: &str, default: f32) -> f32 {
        self.attributes
            .get(name)
            .and_then(|a| a.f)
            .unwrap_or(default)
    }
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attributes.get(name).map(|a| &a.ints[..])
    }
    pub fn text(&self, name: &str) -> Option<String> {
        let text = self.attributes.get(name)?.s.as_ref()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }
    pub fn texts(&self, name: &str) -> Vec<String> {
        let all = self.attributes.get(name).map(|a| &a.strings[..]);
        let text = |s: &Bytes| String::from_utf8_lossy(s).into_owned();
        all.unwrap_or_default().iter().map(text).collect()
    }
    /// The value of a Constant node.
    pub fn constant(&self) -> Res<Option<Tensor>> {
        if let Some(bytes) = self.attributes.get("value").and_then(|a| a.t.as_ref()) {
            return tensor(bytes).map(|(_, t)| Some(t));
        }
        let a = |name: &str| self.attributes.get(name);
        Ok(if let Some(v) = a("value_float").and_then(|a| a.f) {
            Some(Tensor::floats(&[], vec![v]))
        } else if let Some(v) = a("value_int").and_then(|a| a.i) {
            let mut t = Tensor::longs(vec![v]);
            t.dims.clear();
            Some(t)
        } else if let Some(a) = a("value_ints") {
            Some(Tensor::longs(a.ints.clone()))
        } else {
            a("value_floats").map(|a| Tensor::floats(&[a.floats.len()], a.floats.clone()))
        })
    }
    /// The tensor attribute of ConstantOfShape.
    pub fn tensor(&self, name: &str) -> Res<Option<Tensor>> {
        match self.attributes.get(name).and_then(|a| a.t.as_ref()) {
            Some(bytes) => tensor(bytes).map(|(_, t)| Some(t)),
            None => Ok(None),
        }
    }
}

pub fn tensor(bytes: &Bytes) -> Res<(String, Tensor)> {
    Tensor::read(bytes).map_err(|refusal| match refusal {
        Refusal::External => trouble("onnx-external", &[]),
        Refusal::Broken(detail) => broken(detail),
    })
}

pub fn broken(detail: impl Into<String>) -> super::Note {
    trouble("onnx-broken", &[("detail", detail.into())])
}

/// An input or output: its name, the sizes of its axes (None where they are open), and its type.
#[derive(Clone, Debug)]
pub struct Port {
    pub name: String,
    pub dims: Option<Vec<Option<i64>>>,
    pub dtype: i32,
}

pub struct File {
    pub nodes: Vec<Node>,
    /// Tensors by name, not yet read.
    pub tensors: HashMap<String, Bytes>,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    pub opset: i64,
    /// What wrote it.
    pub producer: String,
    pub metadata: HashMap<String, String>,
}

fn port(bytes: &Bytes) -> Res<Port> {
    let info: proto::ValueInfo = proto::decode(bytes, "value").map_err(broken)?;
    let tensor = info.kind.and_then(|k| k.tensor);
    let dims = tensor.as_ref().and_then(|t| t.shape.as_ref());
    let dims = dims.map(|s| s.dims.iter().map(|d| d.value).collect());
    Ok(Port {
        name: info.name,
        dims,
        dtype: tensor.map_or(0, |t| t.dtype),
    })
}

impl File {
    pub fn open(bytes: &[u8]) -> Res<File> {
        if bytes.len() > BYTES {
            let max = format!("{} MiB", BYTES >> 20);
            return Err(trouble("onnx-too-big", &[("max", max)]));
        }
        let bytes = Bytes::copy_from_slice(bytes);
        let model: proto::Model = proto::decode(&bytes, "file").map_err(broken)?;
        if model.graph.is_empty() {
            return Err(broken("it has no graph"));
        }
        if !model.functions.is_empty() {
            return Err(trouble("onnx-functions", &[]));
        }
        let mut opset = 0;
        for bytes in &model.opset_import {
            let one: proto::Opset = proto::decode(bytes, "opset").map_err(broken)?;
            if one.domain.is_empty() || one.domain == "ai.onnx" {
                opset = one.version;
            }
        }
        if !OPSETS.contains(&opset) {
            let args = [
                ("got", opset.to_string()),
                ("min", OPSETS.start().to_string()),
                ("max", OPSETS.end().to_string()),
            ];
            return Err(trouble("onnx-opset", &args));
        }
        let graph: proto::Graph = proto::decode(&model.graph, "graph").map_err(broken)?;
        if graph.nodes.len() > NODES {
            let max = format!("{NODES} nodes");
            return Err(trouble("onnx-too-big", &[("max", max)]));
        }
        if !graph.sparse_initializers.is_empty() {
            return Err(broken("sparse tensors are not read"));
        }
        let mut tensors = HashMap::new();
        for bytes in &graph.initializers {
            tensors.insert(name_of(bytes)?, bytes.clone());
        }
        let mut nodes = Vec::with_capacity(graph.nodes.len());
        for bytes in &graph.nodes {
            let n: proto::Node = proto::decode(bytes, "node").map_err(broken)?;
            let node = Node {
                op: n.op,
                name: n.name,
                inputs: n.inputs,
                outputs: n.outputs,
                attributes: n
                    .attributes
                    .into_iter()
                    .map(|a| (a.name.clone(), a))
                    .collect(),
            };
            if !n.domain.is_empty() && n.domain != "ai.onnx" {
                let op = format!("{}.{}", short(&n.domain), short(&node.op));
                let args = [("node", node.label()), ("op", op)];
                return Err(trouble("onnx-op-unknown", &args));
            }
            nodes.push(node);
        }
        let mut inputs = Vec::new();
        for bytes in &graph.inputs {
            let port = port(bytes)?;
            // Old files list their weights among the inputs.
            if !tensors.contains_key(&port.name) {
                inputs.push(port);
            }
        }
        let mut metadata = HashMap::new();
        for bytes in &model.metadata {
            let entry: proto::Entry = proto::decode(bytes, "metadata").map_err(broken)?;
            metadata.insert(entry.key, entry.value);
        }
        Ok(File {
            nodes,
            tensors,
            inputs,
            outputs: graph.outputs.iter().map(port).collect::<Res<_>>()?,
            opset,
            producer: model.producer_name,
            metadata,
        })
    }
}

/// The name of a tensor, without its numbers.
fn name_of(bytes: &Bytes) -> Res<String> {
    let t: proto::Tensor = proto::decode(bytes, "tensor").map_err(broken)?;
    Ok(t.name)
}

impl Node {
    /// For layers that no node stands for.
    pub fn unnamed() -> Node {
        Node {
            op: String::new(),
            name: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            attributes: HashMap::new(),
        }
    }
}

impl Node {
    /// Whether it is the same as a node that was made here.
    pub fn is(&self, made: &proto::Node) -> bool {
        let attributes = made
            .attributes
            .iter()
            .all(|a| self.attributes.get(&a.name) == Some(a));
        self.op == made.op
            && self.inputs == made.inputs
            && self.outputs == made.outputs
            && self.attributes.len() == made.attributes.len()
            && attributes
    }
}
