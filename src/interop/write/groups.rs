//! Groups of layers as parts of a script: a module of its own in PyTorch, a function in Keras. Their lines
//! and variables are those of the network without groups, so that a part takes what it reads of the
//! others and gives what the others read of it.
use super::helpers;
use super::lines::ident;
use super::net::{From, Net};
use std::ops::Range;

pub(super) enum Row {
    Layer(usize),
    Group(Group),
}

pub(super) struct Group {
    /// Its Python name.
    pub name: String,
    pub range: Range<usize>,
    /// Values from before it that its layers read, in the order in which they do.
    pub inputs: Vec<From>,
    /// Values of its layers that are read after it.
    pub outputs: Vec<From>,
}

/// Names at the top of our scripts.
const TAKEN: &[&str] = &[
    "main",
    "load_data",
    "build_model",
    "outputs_and_loss",
    "penalty",
    "evaluate",
    "imdb",
    "mnist",
    "cifar10",
];

/// The network in parts. `lines` says whether a layer has lines of its own, `returned` are the values that
/// the network gives, `names` those that a group may not have beside those of other groups.
pub(super) fn rows(
    net: &Net,
    lines: impl Fn(usize) -> bool,
    returned: &[From],
    names: &[&str],
) -> Vec<Row> {
    let layers = &net.spec.layers;
    let mut used: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    let mut i = 0;
    while i < layers.len() {
        let Some(group) = &layers[i].group else {
            rows.push(Row::Layer(i));
            i += 1;
            continue;
        };
        let more = layers[i..]
            .iter()
            .take_while(|l| l.group.as_ref() == Some(group));
        let range = i..i + more.count();
        i = range.end;
        if !range.clone().any(&lines) {
            rows.extend(range.map(Row::Layer));
            continue;
        }
        let mut inputs: Vec<From> = Vec::new();
        for from in range
            .clone()
            .filter(|k| lines(*k))
            .flat_map(|k| net.inputs(k))
        {
            let own = matches!(from, From::Layer(k) if range.contains(&k));
            if !own && !inputs.contains(&from) {
                inputs.push(from);
            }
        }
        let later = || (range.end..layers.len()).filter(|k| lines(*k));
        let read =
            |from: &From| returned.contains(from) || later().any(|k| net.inputs(k).contains(from));
        let mut outputs: Vec<From> = range.clone().map(From::Layer).filter(read).collect();
        if outputs.is_empty() {
            outputs.push(From::Layer(range.end - 1));
        }
        let mut name = ident(group);
        let helper = |n: &str| helpers::ALL.iter().any(|h| h.name == n);
        while TAKEN.contains(&&name[..])
            || helper(&name)
            || names.contains(&&name[..])
            || used.contains(&name)
        {
            name.push('_');
        }
        used.push(name.clone());
        rows.push(Row::Group(Group {
            name,
            range,
            inputs,
            outputs,
        }));
    }
    rows
}

/// Each layer by itself.
pub(super) fn without(net: &Net) -> Vec<Row> {
    (0..net.spec.layers.len()).map(Row::Layer).collect()
}

/// Names that attributes or variables of the whole network have: those of layers in no group.
pub(super) fn outside<'n>(net: &'n Net) -> Vec<&'n str> {
    let layers = net.spec.layers.iter().zip(&net.names);
    layers
        .filter(|(l, _)| l.group.is_none())
        .map(|(_, name)| &name[..])
        .collect()
}

/// `residual_1` as a class is called: `Residual1`.
pub(super) fn class_name(name: &str) -> String {
    let words = name.split('_').filter(|w| !w.is_empty());
    let capital = |w: &str| w[..1].to_ascii_uppercase() + &w[1..];
    let class: String = words.map(capital).collect();
    match class.as_str() {
        "Net"
        | "F"
        | "DataLoader"
        | "TensorDataset"
        | "DistributedSampler"
        | "DistributedDataParallel" => class + "Block",
        _ => class,
    }
}
