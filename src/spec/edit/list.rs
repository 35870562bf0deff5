//! Order, names and copies of layers.
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

/// Puts layers at a place. Those put into a group are of that group.
pub fn insert(spec: &mut Spec, place: &Place, mut layers: Vec<LayerSpec>) {
    if place.group.is_some() {
        for l in &mut layers {
            l.group.clone_from(&place.group);
        }
    }
    let at = place.at.min(spec.layers.len());
    spec.layers.splice(at..at, layers);
}

/// Moves layers to a place that is given as the list is before the move. `whole` says that they are
/// a group, which stays one; else they become of the place's group, or of none.
pub fn shift(spec: &mut Spec, range: Range<usize>, to: &Place, whole: bool) {
    let n = spec.layers.len();
    let within = to.at > range.start && to.at < range.end;
    if range.is_empty() || range.end > n || to.at > n || within {
        return;
    }
    let at = match to.at >= range.end {
        true => to.at - range.len(),
        false => to.at,
    };
    let mut moved: Vec<LayerSpec> = spec.layers.drain(range).collect();
    if !whole {
        for l in &mut moved {
            l.group.clone_from(&to.group);
        }
    }
    spec.layers.splice(at..at, moved);
}

/// Where a layer goes when it is moved by one: past its neighbour, past a closed group, into an
/// open one, out of its own. None at the ends of the list.
pub fn step(spec: &Spec, index: usize, down: bool, open: &dyn Fn(&str) -> bool) -> Option<Place> {
    let own = &spec.layers.get(index)?.group;
    // The place on the near and on the far side of the neighbour.
    let (next, near, past) = match down {
        true => (spec.layers.get(index + 1), index + 1, index + 2),
        false => {
            let next = index.checked_sub(1).and_then(|i| spec.layers.get(i));
            (next, index, index.saturating_sub(1))
        }
    };
    let place = |at: usize, group: Option<&String>| {
        Some(Place {
            at,
            group: group.cloned(),
        })
    };
    match (own, next) {
        (Some(g), Some(n)) if n.group.as_ref() == Some(g) => place(past, Some(g)),
        (Some(_), _) => place(near, None),
        (None, None) => None,
        (None, Some(n)) => match &n.group {
            None => place(past, None),
            Some(h) if open(h) => place(near, Some(h)),
            Some(h) => {
                let run = run_of(spec, h)?;
                place(if down { run.end } else { run.start }, None)
            }
        },
    }
}

/// Where a group goes when it is moved by one.
pub fn step_group(spec: &Spec, name: &str, down: bool) -> Option<Place> {
    let own = run_of(spec, name)?;
    let next = match down {
        true => spec.layers.get(own.end)?,
        false => &spec.layers[own.start.checked_sub(1)?],
    };
    let at = match next.group.as_ref().and_then(|h| run_of(spec, h)) {
        Some(run) if down => run.end,
        Some(run) => run.start,
        None if down => own.end + 1,
        None => own.start - 1,
    };
    Some(Place { at, group: None })
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
/// originals read what was before them. The copy of a group is another group.
pub fn duplicate(spec: &mut Spec, range: Range<usize>, whole: bool) -> Vec<String> {
    let Some(originals) = spec.layers.get(range.clone()).filter(|l| !l.is_empty()) else {
        return Vec::new();
    };
    let mut copies = originals.to_vec();
    let last = copies[copies.len() - 1].id.clone();
    let mut names = BTreeMap::from([(source_of(spec, range.start), last)]);
    let group = match (whole, &copies[0].group) {
        (true, Some(name)) => Some(super::free_group(spec, stem(name))),
        _ => None,
    };
    let mut taken = spec.clone();
    for copy in &mut copies {
        let id = free_id(&taken, stem(&copy.id));
        names.insert(copy.id.clone(), id.clone());
        copy.id = id;
        taken.layers.push(copy.clone());
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
        if group.is_some() {
            copy.group.clone_from(&group);
        }
    }
    let ids = copies.iter().map(|c| c.id.clone()).collect();
    spec.layers.splice(range.end..range.end, copies);
    ids
}

/// A name without the number at its end.
fn stem(name: &str) -> &str {
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
