//! Groups: layers that stand together and are shown as one card. A group is known by its path.
use super::path::{MAX_DEPTH, child, common, depth, is_within, join, leaf, moved, parent};
use super::{free_id, source_of, stem};
use crate::spec::{LayerKind, LayerSpec, Spec};
use std::ops::Range;

/// What stands in the list of the builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Layer(usize),
    /// `name`: the group's path.
    Group {
        name: String,
        layers: Range<usize>,
    },
}

/// The network as rows, each group one row.
pub fn rows(spec: &Spec) -> Vec<Row> {
    rows_in(spec, None, 0..spec.layers.len())
}

/// The layers of a group as rows, each group in it one row.
pub fn rows_in(spec: &Spec, group: Option<&str>, range: Range<usize>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for i in range {
        let own = spec.layers[i].group.as_deref();
        match (child(own, group), rows.last_mut()) {
            (Some(g), Some(Row::Group { name, layers })) if g == name => layers.end = i + 1,
            (Some(g), _) => rows.push(Row::Group {
                name: g.to_string(),
                layers: i..i + 1,
            }),
            (None, _) => rows.push(Row::Layer(i)),
        }
    }
    rows
}

/// Where a group's layers stand: the first run of them, if the group is torn apart.
pub fn run_of(spec: &Spec, group: &str) -> Option<Range<usize>> {
    let of = |l: &LayerSpec| is_within(l.group.as_deref(), Some(group));
    let start = spec.layers.iter().position(of)?;
    let len = spec.layers[start..].iter().take_while(|l| of(l)).count();
    Some(start..start + len)
}

/// `base1`, `base2`, …: the first that no group has as its own name.
pub fn free_group(spec: &Spec, base: &str) -> String {
    (1..)
        .map(|n| format!("{base}{n}"))
        .find(|name| {
            let mut paths = spec.layers.iter().filter_map(|l| l.group.as_deref());
            !paths.any(|p| p.split('/').any(|own| own == name))
        })
        .expect("some number is free")
}

/// The innermost group that all of these layers are in.
pub(super) fn around(spec: &Spec, range: &Range<usize>) -> Option<String> {
    let mut groups = spec.layers[range.clone()].iter();
    let first = groups.next()?.group.as_deref();
    let all = groups.fold(first, |all, l| common(all, l.group.as_deref()));
    all.map(str::to_string)
}

/// Whether these layers can become a group: they hold other groups as wholes only, and none would
/// lie too deep.
pub fn can_group(spec: &Spec, range: &Range<usize>) -> bool {
    let Some(layers) = spec.layers.get(range.clone()) else {
        return false;
    };
    let outer = around(spec, range);
    let whole = |l: &LayerSpec| {
        let inner = child(l.group.as_deref(), outer.as_deref());
        match inner.and_then(|g| run_of(spec, g)) {
            Some(run) => run.start >= range.start && run.end <= range.end,
            None => true,
        }
    };
    let fits = |l: &LayerSpec| depth(l.group.as_deref()) < MAX_DEPTH;
    !layers.is_empty() && layers.iter().all(|l| whole(l) && fits(l))
}

/// Makes layers one group, within the group that they are all in, and gives its path. Groups among
/// them lie within it.
pub fn group(spec: &mut Spec, range: Range<usize>, base: &str) -> Option<String> {
    if !can_group(spec, &range) {
        return None;
    }
    let outer = around(spec, &range);
    let name = join(outer.as_deref(), Some(&free_group(spec, base)))?;
    for l in &mut spec.layers[range] {
        let own = l.group.as_deref();
        l.group = match (own, outer.as_deref()) {
            (Some(own), Some(outer)) => moved(own, outer, Some(&name)),
            (own, _) => join(Some(&name), own),
        };
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

/// A path for a group called `own` in another one, with a number where such a group is there already.
pub(super) fn free_path(spec: &Spec, outer: Option<&str>, own: &str) -> Option<String> {
    let path = join(outer, Some(own))?;
    match run_of(spec, &path) {
        None => Some(path),
        Some(_) => join(outer, Some(&free_group(spec, stem(own)))),
    }
}

/// Its layers stay, in the group around it; groups in it stay groups.
pub fn ungroup(spec: &mut Spec, path: &str) {
    let outer = parent(path).map(str::to_string);
    // A group in it gets another name where the group around has one of that name.
    while let Some(inner) = (spec.layers.iter())
        .filter_map(|l| child(l.group.as_deref(), Some(path)))
        .find(|inner| {
            let out = join(outer.as_deref(), Some(leaf(inner)));
            out.is_some_and(|out| out != path && run_of(spec, &out).is_some())
        })
        .map(str::to_string)
    {
        let name = free_group(spec, stem(leaf(&inner)));
        rename_group(spec, &inner, &name);
    }
    for l in &mut spec.layers {
        if let Some(own) = l
            .group
            .as_deref()
            .filter(|g| is_within(Some(g), Some(path)))
        {
            l.group = moved(own, path, outer.as_deref());
        }
    }
}

/// Another name for a group, which stays where it is, and gives its path; one that another group has
/// makes them neighbours in trouble, which the check tells.
pub fn rename_group(spec: &mut Spec, path: &str, name: &str) -> String {
    let new = join(parent(path), Some(name)).unwrap_or_default();
    for l in &mut spec.layers {
        if let Some(own) = l
            .group
            .as_deref()
            .filter(|g| is_within(Some(g), Some(path)))
        {
            l.group = moved(own, path, Some(&new));
        }
    }
    new
}
