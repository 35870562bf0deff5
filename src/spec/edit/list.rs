//! Order, names and copies of layers.
use super::group::{around, free_group, free_path};
use super::path::{MAX_DEPTH, child, depth, is_within, join, leaf, moved, parent};
use super::{Place, free_id, run_of};
use crate::spec::{LayerSpec, Spec};
use std::collections::BTreeMap;
use std::ops::Range;

/// Takes a layer out; layers that read it read what it read.
pub fn remove(spec: &mut Spec, id: &str) {
    let Some(at) = spec.layers.iter().position(|l| l.id == id) else {
        return;
    };
    let gone = spec.layers.remove(at);
    let source = match gone.inputs.first() {
        Some(first) => first.clone(),
        None if at == 0 => "input".to_string(),
        None => spec.layers[at - 1].id.clone(),
    };
    for layer in &mut spec.layers[at..] {
        for input in &mut layer.inputs {
            if *input == gone.id {
                input.clone_from(&source);
            }
        }
    }
}

/// Takes several layers out, the last one first.
pub fn remove_all(spec: &mut Spec, range: Range<usize>) {
    let ids: Vec<String> = match spec.layers.get(range) {
        Some(layers) => layers.iter().rev().map(|l| l.id.clone()).collect(),
        None => return,
    };
    for id in ids {
        remove(spec, &id);
    }
}

/// Puts layers at a place. Those put into a group are in that group, and so are the groups that they make,
/// unless they would lie too deep.
pub fn insert(spec: &mut Spec, place: &Place, mut layers: Vec<LayerSpec>) {
    let outer = place.group.as_deref();
    for l in &mut layers {
        let inner = l.group.as_deref();
        l.group = match depth(outer) + depth(inner) > MAX_DEPTH {
            true => outer.map(str::to_string),
            false => join(outer, inner),
        };
    }
    let at = place.at.min(spec.layers.len());
    spec.layers.splice(at..at, layers);
}

/// Whether layers, or a group, can be moved to a place that is given as the list is before the move: it is
/// another place, not within what is moved, and not too deep.
pub fn can_shift(spec: &Spec, range: &Range<usize>, to: &Place, group: Option<&str>) -> bool {
    let n = spec.layers.len();
    if range.is_empty() || range.end > n || to.at > n {
        return false;
    }
    let target = to.group.as_deref();
    let (own, deep) = match group {
        Some(path) => {
            let paths = spec.layers[range.clone()].iter();
            let deepest = paths.map(|l| depth(l.group.as_deref())).max();
            (parent(path), deepest.unwrap_or(0) + 1 - depth(Some(path)))
        }
        None => (spec.layers[range.start].group.as_deref(), 0),
    };
    let within = to.at > range.start && to.at < range.end;
    let inside = group.is_some_and(|path| is_within(target, Some(path)));
    let stays = to.at >= range.start && to.at <= range.end && own == target;
    !within && !inside && !stays && depth(target) + deep <= MAX_DEPTH
}

/// Moves layers to a place that is given as the list is before the move. `group` is the path of the group
/// that they are, which stays one; other layers become of the place's group, or of none. Does nothing
/// where [`can_shift`] says no.
pub fn shift(spec: &mut Spec, range: Range<usize>, to: &Place, group: Option<&str>) {
    if !can_shift(spec, &range, to, group) {
        return;
    }
    let at = match to.at >= range.end {
        true => to.at - range.len(),
        false => to.at,
    };
    let mut taken: Vec<LayerSpec> = spec.layers.drain(range).collect();
    let path = group.and_then(|path| free_path(spec, to.group.as_deref(), leaf(path)));
    for l in &mut taken {
        l.group = match (group, l.group.as_deref()) {
            (Some(old), Some(own)) => moved(own, old, path.as_deref()),
            _ => to.group.clone(),
        };
    }
    spec.layers.splice(at..at, taken);
}

/// Where a layer goes when it is moved by one: past its neighbour, past a closed group, into an
/// open one, out of its own. None at the ends of the list.
pub fn step(spec: &Spec, index: usize, down: bool, open: &dyn Fn(&str) -> bool) -> Option<Place> {
    let own = spec.layers.get(index)?.group.as_deref();
    step_run(spec, index..index + 1, own, down, open)
}

/// The same for a group, which goes into an open one only where it does not lie too deep there.
pub fn step_group(
    spec: &Spec,
    path: &str,
    down: bool,
    open: &dyn Fn(&str) -> bool,
) -> Option<Place> {
    let run = run_of(spec, path)?;
    let enters = |group: &str| {
        let near = if down { run.end } else { run.start };
        let place = Place {
            at: near,
            group: Some(group.to_string()),
        };
        open(group) && can_shift(spec, &run, &place, Some(path))
    };
    step_run(spec, run.clone(), parent(path), down, &enters)
}

/// `own`: the group that what is moved stands in.
fn step_run(
    spec: &Spec,
    run: Range<usize>,
    own: Option<&str>,
    down: bool,
    enters: &dyn Fn(&str) -> bool,
) -> Option<Place> {
    let (next, near) = match down {
        true => (Some(run.end), run.end),
        false => (run.start.checked_sub(1), run.start),
    };
    let next = next.and_then(|i| spec.layers.get(i));
    let place = |at: usize, group: Option<&str>| {
        let group = group.map(str::to_string);
        Some(Place { at, group })
    };
    let next = next.map(|l| l.group.as_deref());
    let Some(next) = next.filter(|n| is_within(*n, own)) else {
        // Out of its group, where it is in one.
        return place(near, parent(own?));
    };
    match child(next, own) {
        None if down => place(near + 1, own),
        None => place(near - 1, own),
        Some(group) if enters(group) => place(near, Some(group)),
        Some(group) => {
            let past = run_of(spec, group)?;
            place(if down { past.end } else { past.start }, own)
        }
    }
}

/// The id of what a layer reads first: `input` or a layer.
pub fn source_of(spec: &Spec, index: usize) -> String {
    let inputs = spec.layers.get(index).map(|l| &l.inputs);
    match inputs.and_then(|i| i.first()) {
        Some(first) => first.clone(),
        None if index == 0 => "input".to_string(),
        None => spec.layers[index - 1].id.clone(),
    }
}

/// Copies layers and puts the copies behind them, under ids of their own, which are returned. The
/// copies of several layers read each other as the originals do, and the last original where the
/// originals read what was before them. The copy of a group, which is named by its path or stands as a whole
/// among the layers, is another group.
pub fn duplicate(spec: &mut Spec, range: Range<usize>, group: Option<&str>) -> Vec<String> {
    let Some(originals) = spec.layers.get(range.clone()).filter(|l| !l.is_empty()) else {
        return Vec::new();
    };
    let mut copies = originals.to_vec();
    let last = copies[copies.len() - 1].id.clone();
    let mut names = BTreeMap::from([(source_of(spec, range.start), last)]);
    let outer = match group {
        Some(path) => parent(path).map(str::to_string),
        None => around(spec, &range),
    };
    let mut taken = spec.clone();
    for copy in &mut copies {
        let id = free_id(&taken, stem(&copy.id));
        names.insert(copy.id.clone(), id.clone());
        copy.id = id;
        taken.layers.push(copy.clone());
    }
    let mut groups: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut at = range.end;
    for (k, copy) in copies.iter_mut().enumerate() {
        let Some(inner) = child(copy.group.as_deref(), outer.as_deref()).map(str::to_string) else {
            continue;
        };
        let run = run_of(spec, &inner).unwrap_or_default();
        let whole = run.start >= range.start && run.end <= range.end;
        let to = groups.entry(inner.clone()).or_insert_with(|| {
            let free = free_group(&taken, stem(leaf(&inner)));
            let name = whole.then_some(free);
            join(outer.as_deref(), name.as_deref())
        });
        copy.group = match (whole, copy.group.as_deref()) {
            (true, Some(own)) => moved(own, &inner, to.as_deref()),
            // What is but a part of a group stands behind that group.
            _ => {
                at = at.max(run.end);
                to.clone()
            }
        };
        // The next one takes another name.
        taken.layers[spec.layers.len() + k]
            .group
            .clone_from(&copy.group);
    }
    let alone = copies.len() == 1;
    for copy in &mut copies {
        match alone {
            // It reads the original, or the very same several.
            true if copy.inputs.len() == 1 => copy.inputs.clear(),
            true => {}
            false => {
                for input in &mut copy.inputs {
                    if let Some(new) = names.get(input) {
                        input.clone_from(new);
                    }
                }
            }
        }
    }
    let ids = copies.iter().map(|c| c.id.clone()).collect();
    spec.layers.splice(at..at, copies);
    ids
}

/// A name without the number at its end.
pub(super) fn stem(name: &str) -> &str {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = stem.trim_end_matches(['_', '-']);
    // Room for a number.
    let end = stem.len().min(34);
    if stem.is_empty() {
        "layer"
    } else {
        &stem[..end]
    }
}

/// Gives a layer another id, also where others read it.
pub fn rename(spec: &mut Spec, id: &str, new: &str) {
    for layer in &mut spec.layers {
        if layer.id == id {
            layer.id = new.to_string();
        }
        for input in &mut layer.inputs {
            if input == id {
                *input = new.to_string();
            }
        }
    }
}
