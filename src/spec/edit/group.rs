//! Groups: layers that stand together and are shown as one card.
use super::{free_id, source_of};
use crate::spec::{LayerKind, LayerSpec, Spec};
use std::ops::Range;

/// What stands in the list of the builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Layer(usize),
    Group { name: String, layers: Range<usize> },
}

/// The network as rows, each group one row.
pub fn rows(spec: &Spec) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (i, layer) in spec.layers.iter().enumerate() {
        match (&layer.group, rows.last_mut()) {
            (Some(g), Some(Row::Group { name, layers })) if g == name => layers.end = i + 1,
            (Some(g), _) => rows.push(Row::Group {
                name: g.clone(),
                layers: i..i + 1,
            }),
            (None, _) => rows.push(Row::Layer(i)),
        }
    }
    rows
}

/// Where a group's layers stand: the first run of them, if the group is torn apart.
pub fn run_of(spec: &Spec, group: &str) -> Option<Range<usize>> {
    let of = |l: &LayerSpec| l.group.as_deref() == Some(group);
    let start = spec.layers.iter().position(of)?;
    let len = spec.layers[start..].iter().take_while(|l| of(l)).count();
    Some(start..start + len)
}

/// `base1`, `base2`, …: the first that no group has.
pub fn free_group(spec: &Spec, base: &str) -> String {
    (1..)
        .map(|n| format!("{base}{n}"))
        .find(|name| {
            let taken = |l: &LayerSpec| l.group.as_deref() == Some(name);
            !spec.layers.iter().any(taken)
        })
        .expect("some number is free")
}

/// Whether these layers can become a group: they hold other groups as wholes only.
pub fn can_group(spec: &Spec, range: &Range<usize>) -> bool {
    let Some(layers) = spec.layers.get(range.clone()) else {
        return false;
    };
    let whole = |l: &LayerSpec| match l.group.as_ref().and_then(|g| run_of(spec, g)) {
        Some(run) => run.start >= range.start && run.end <= range.end,
        None => true,
    };
    !layers.is_empty() && layers.iter().all(whole)
}

/// Makes layers one group and gives its name. Groups among them are dissolved.
pub fn group(spec: &mut Spec, range: Range<usize>, base: &str) -> Option<String> {
    if !can_group(spec, &range) {
        return None;
    }
    let name = free_group(spec, base);
    for l in &mut spec.layers[range] {
        l.group = Some(name.clone());
    }
    Some(name)
}

/// Makes layers a residual block: behind them their output and what went into them are added.
pub fn residual(spec: &mut Spec, range: Range<usize>) -> Option<String> {
    let (source, end) = (source_of(spec, range.start), range.end);
    let name = group(spec, range, "residual")?;
    let last = spec.layers[end - 1].id.clone();
    let mut sum = LayerSpec::new(&free_id(spec, "add"), LayerKind::Add);
    // Who read the last layer by name reads the sum.
    for layer in &mut spec.layers[end..] {
        for input in &mut layer.inputs {
            if *input == last {
                input.clone_from(&sum.id);
            }
        }
    }
    sum.inputs = vec![source, last];
    sum.group = Some(name.clone());
    spec.layers.insert(end, sum);
    Some(name)
}

/// Its layers stay, each for itself.
pub fn ungroup(spec: &mut Spec, name: &str) {
    for l in &mut spec.layers {
        if l.group.as_deref() == Some(name) {
            l.group = None;
        }
    }
}

/// Another name for a group; one that another group has makes them neighbours in trouble, which
/// the check tells.
pub fn rename_group(spec: &mut Spec, name: &str, new: &str) {
    for l in &mut spec.layers {
        if l.group.as_deref() == Some(name) {
            l.group = Some(new.to_string());
        }
    }
}
