//! The network as a script lays it out: nodes in the order in which they are computed.
use super::value::Value;
use serde_json::{Map, Value as Json, json};
use std::cell::RefCell;
use std::rc::Rc;

/// A value inside a network. Node 0 of a trace is its input.
#[derive(Clone)]
pub(super) struct Tensor<'a> {
    pub trace: Rc<Trace<'a>>,
    pub node: usize,
}

pub(super) struct Trace<'a> {
    /// What went in.
    pub x: Value<'a>,
    pub nodes: RefCell<Vec<Node>>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Input,
    /// A layer of the spec: `kind` and its fields.
    Layer(Map<String, Json>),
    /// The same value under another shape that changes nothing here.
    Same,
    /// The states that a recurrent layer ends with; `None` of both directions.
    State(Option<i64>),
    /// The state after the last step.
    LastStep,
    /// number · value
    Scaled(f64),
    Exp,
    /// Drawn from N(0, 1).
    Noise,
    Product,
    /// An expression that is no layer, for the loss: its factor, whether a mean was taken.
    Other {
        factor: f64,
        mean: bool,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: Kind,
    pub inputs: Vec<usize>,
    pub line: usize,
    /// Id that the script suggests, and whether it is the name of a module.
    pub id: Option<String>,
    pub module: bool,
    /// An activation that may become part of the layer before it.
    pub fusable: bool,
    /// The call that it stands in with others, by number, and the group's name.
    pub group: Option<(usize, Rc<str>)>,
    /// Numbers that the script says the layer reads: width of the last axis, or channels.
    pub expects: Option<usize>,
}

/// Most nodes of a network.
const MOST: usize = 2000;

impl<'a> Tensor<'a> {
    pub fn input(x: Value<'a>, line: usize) -> Tensor<'a> {
        let node = Node::new(Kind::Input, Vec::new(), line);
        Tensor {
            trace: Rc::new(Trace {
                x,
                nodes: RefCell::new(vec![node]),
            }),
            node: 0,
        }
    }

    /// A node that reads this one; the network stays as it is when it is full.
    pub fn then(&self, node: Node) -> Tensor<'a> {
        let mut nodes = self.trace.nodes.borrow_mut();
        if nodes.len() >= MOST {
            return self.clone();
        }
        nodes.push(node);
        Tensor {
            trace: Rc::clone(&self.trace),
            node: nodes.len() - 1,
        }
    }

    pub fn next(&self, kind: Kind, line: usize) -> Tensor<'a> {
        self.then(Node::new(kind, vec![self.node], line))
    }

    pub fn same(&self, other: &Tensor<'a>) -> bool {
        Rc::ptr_eq(&self.trace, &other.trace)
    }

    pub fn kind(&self) -> Kind {
        self.trace.nodes.borrow()[self.node].kind.clone()
    }

    /// The node past those that change nothing.
    pub fn source(&self) -> usize {
        let nodes = self.trace.nodes.borrow();
        let mut at = self.node;
        while matches!(nodes[at].kind, Kind::Same) {
            at = nodes[at].inputs[0];
        }
        at
    }

    /// `a·e^(b·…)` and the like: noise times a deviation, plus a mean, draws a code.
    pub fn code(&self, other: &Tensor<'a>, line: usize) -> Option<Tensor<'a>> {
        let nodes = self.trace.nodes.borrow();
        let at = |i: usize| &nodes[i];
        for (mean, product) in [(self.node, other.node), (other.node, self.node)] {
            if !matches!(at(product).kind, Kind::Product) {
                continue;
            }
            let parts = &at(product).inputs;
            let noise = parts.iter().any(|p| matches!(at(*p).kind, Kind::Noise));
            let exp = parts.iter().find(|p| matches!(at(**p).kind, Kind::Exp));
            let Some(exp) = exp.filter(|_| noise) else {
                continue;
            };
            let scaled = at(*exp).inputs[0];
            let Kind::Scaled(by) = at(scaled).kind else {
                continue;
            };
            if (by - 0.5).abs() > 1e-9 {
                continue;
            }
            let inputs = vec![mean, at(scaled).inputs[0]];
            drop(nodes);
            let mut node = Node::new(layer(json!({"kind": "sampling"})), inputs, line);
            node.id = Some("code".into());
            return Some(self.then(node));
        }
        None
    }
}

impl Node {
    pub fn new(kind: Kind, inputs: Vec<usize>, line: usize) -> Node {
        Node {
            kind,
            inputs,
            line,
            id: None,
            module: false,
            fusable: false,
            group: None,
            expects: None,
        }
    }
}

/// A layer's kind from its JSON.
pub(super) fn layer(fields: Json) -> Kind {
    match fields {
        Json::Object(map) => Kind::Layer(map),
        _ => Kind::Same,
    }
}

/// The layers of the spec, and what was noticed: (line, code, arguments).
pub(super) struct Layers {
    pub layers: Vec<Map<String, Json>>,
    /// Line and expected width by layer.
    pub lines: Vec<(usize, Option<usize>)>,
    pub notes: Vec<(usize, &'static str, String)>,
}

/// Layers of all that `output` depends on.
pub(super) fn layers(output: &Tensor) -> Layers {
    let mut nodes = output.trace.nodes.borrow().clone();
    let mut out = Layers {
        layers: Vec::new(),
        lines: Vec::new(),
        notes: Vec::new(),
    };
    let mut needed = needed(&nodes, output.node);
    last_steps(&mut nodes, &needed, &mut out);
    needed = self::needed(&nodes, output.node);
    fuse(&mut nodes, &needed);
    // What is no layer stands for what it reads.
    let mut stands: Vec<usize> = (0..nodes.len()).collect();
    for i in 0..nodes.len() {
        let plain = !matches!(nodes[i].kind, Kind::Layer(_) | Kind::Input);
        if plain && let Some(first) = nodes[i].inputs.first() {
            if needed[i]
                && matches!(
                    nodes[i].kind,
                    Kind::Other { .. } | Kind::Product | Kind::Exp | Kind::Noise | Kind::Scaled(_)
                )
            {
                out.notes.push((nodes[i].line, "note-op", String::new()));
            }
            stands[i] = stands[*first];
        }
    }
    let mut ids: Vec<Option<String>> = vec![None; nodes.len()];
    ids[0] = Some("input".into());
    let mut groups: Vec<Option<String>> = Vec::new();
    let mut calls = Vec::new();
    let mut before = 0;
    for i in 1..nodes.len() {
        let Kind::Layer(fields) = &nodes[i].kind else {
            continue;
        };
        if !needed[i] {
            continue;
        }
        let kind = fields.get("kind").and_then(Json::as_str).unwrap_or("layer");
        let id = unique(nodes[i].id.as_deref(), short_name(fields, kind), &ids);
        let inputs: Vec<usize> = nodes[i].inputs.iter().map(|k| stands[*k]).collect();
        let names: Vec<&str> = inputs.iter().filter_map(|k| ids[*k].as_deref()).collect();
        let mut map = Map::new();
        map.insert("id".into(), json!(id));
        let chain = inputs == [before];
        map.insert(
            "inputs".into(),
            if chain { json!([]) } else { json!(names) },
        );
        if let Some((call, name)) = &nodes[i].group {
            let at = calls.iter().position(|c| c == call).unwrap_or_else(|| {
                groups.push(Some(unique(Some(name), "group", &groups)));
                calls.push(*call);
                calls.len() - 1
            });
            map.insert("group".into(), json!(groups[at]));
        }
        map.extend(fields.clone());
        out.layers.push(map);
        out.lines.push((nodes[i].line, nodes[i].expects));
        ids[i] = Some(id);
        before = i;
    }
    out
}

fn needed(nodes: &[Node], from: usize) -> Vec<bool> {
    let mut needed = vec![false; nodes.len()];
    needed[from] = true;
    for i in (0..=from).rev() {
        if needed[i] {
            for k in &nodes[i].inputs {
                needed[*k] = true;
            }
        }
    }
    needed
}

/// Recurrent layers of which only the last state is read give only that.
fn last_steps(nodes: &mut [Node], needed: &[bool], out: &mut Layers) {
    for i in 0..nodes.len() {
        let recurrent = match &nodes[i].kind {
            Kind::Layer(f) => f.get("return_sequences") == Some(&json!(true)),
            _ => false,
        };
        if !recurrent || !needed[i] {
            continue;
        }
        let readers: Vec<usize> = (i + 1..nodes.len())
            .filter(|k| needed[*k] && nodes[*k].inputs.contains(&i))
            .collect();
        let last = |k: &usize| matches!(nodes[*k].kind, Kind::LastStep | Kind::State(_));
        if readers.is_empty() || !readers.iter().any(last) {
            continue;
        }
        if !readers.iter().all(last) {
            out.notes
                .push((nodes[i].line, "note-states", String::new()));
            continue;
        }
        if let Kind::Layer(fields) = &mut nodes[i].kind {
            fields.insert("return_sequences".into(), json!(false));
        }
        for k in readers {
            nodes[k].kind = Kind::Same;
        }
    }
}

/// A functional activation right behind a layer that can have one, and read by nothing else.
fn fuse(nodes: &mut [Node], needed: &[bool]) {
    for i in 1..nodes.len() {
        if !nodes[i].fusable || !needed[i] {
            continue;
        }
        let mut x = nodes[i].inputs[0];
        while matches!(nodes[x].kind, Kind::Same) {
            x = nodes[x].inputs[0];
        }
        let readers = (0..nodes.len())
            .filter(|k| needed[*k] && nodes[*k].inputs.contains(&x))
            .count();
        let Kind::Layer(own) = &nodes[i].kind else {
            continue;
        };
        let function = own.get("function").cloned();
        let Kind::Layer(fields) = &mut nodes[x].kind else {
            continue;
        };
        if readers == 1 && fields.get("activation") == Some(&Json::Null) {
            fields.insert("activation".into(), function.unwrap_or(Json::Null));
            nodes[i].kind = Kind::Same;
        }
    }
}

fn short_name<'f>(fields: &'f Map<String, Json>, kind: &'f str) -> &'f str {
    match kind {
        "activation" => fields
            .get("function")
            .and_then(Json::as_str)
            .unwrap_or(kind),
        "max_pool2d" | "max_pool1d" | "avg_pool2d" | "avg_pool1d" => "pool",
        "conv1d" | "conv2d" => "conv",
        other => other,
    }
}

/// The id that is wished for, or one by kind, made a valid one that nobody else has.
fn unique(wish: Option<&str>, kind: &str, taken: &[Option<String>]) -> String {
    let mut base: String = wish
        .unwrap_or(kind)
        .chars()
        .take(32)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if !base.starts_with(|c: char| c.is_ascii_alphabetic()) {
        base = match wish {
            Some(_) if base.len() > 1 => format!("layer{base}"),
            _ => kind.to_string(),
        };
    }
    let has = |id: &str| taken.iter().any(|t| t.as_deref() == Some(id));
    if wish.is_some() && !has(&base) {
        return base;
    }
    let join = if base.ends_with(|c: char| c.is_ascii_digit()) {
        "_"
    } else {
        ""
    };
    let mut k = if wish.is_some() { 2 } else { 1 };
    loop {
        let id = format!("{base}{join}{k}");
        if !has(&id) {
            return id;
        }
        k += 1;
    }
}
