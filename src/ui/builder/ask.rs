//! What cards ask of the builder, and what it does then.
use super::card::focus_layer;
use super::help::Say;
use super::kind_name;
use crate::spec::edit::{self, Place, path};
use crate::spec::flow::closed;
use crate::spec::{Framework, Spec};
use crate::train::protocol::CheckReport;
use crate::ui::fields::slug;
use crate::ui::store::{Action, Edit};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// What is dragged.
#[derive(Clone, Debug, PartialEq)]
pub enum Dragged {
    Layer(usize),
    /// By its path.
    Group(AttrValue),
}

impl Dragged {
    /// Where it stands, and its path where it is a group.
    pub fn stands(&self, spec: &Spec) -> Option<(Range<usize>, Option<&str>)> {
        match self {
            Dragged::Layer(index) => Some((*index..index + 1, None)),
            Dragged::Group(path) => Some((edit::run_of(spec, path)?, Some(path))),
        }
    }

    /// Whether it would come to another place there.
    pub fn goes(&self, spec: &Spec, to: &Place) -> bool {
        let stands = self.stands(spec);
        stands.is_some_and(|(range, group)| edit::can_shift(spec, &range, to, group))
    }
}

/// A step of dragging by a handle.
#[derive(Clone, Copy, PartialEq)]
pub enum DragStep {
    /// The pointer is at this height of the window.
    At(f64),
    Drop,
    Cancel,
}

/// What to do with layers that stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Group,
    Residual,
    Duplicate,
    Remove,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Select(Option<AttrValue>),
    /// Choose everything from a layer, or else the selected one, to this one.
    Extend(Option<usize>, usize),
    Unchoose,
    Move(usize, bool),
    MoveGroup(AttrValue, bool),
    /// With the path of the group that they are.
    Do(Deed, Range<usize>, Option<AttrValue>),
    /// Show or hide a group's layers.
    Open(AttrValue, bool),
    Ungroup(AttrValue),
    RenameGroup(AttrValue, AttrValue),
    /// The menu of a place.
    Menu(Option<Place>),
    Add(Place, AttrValue),
    Clear,
}

/// What of the builder is its own, not the spec's.
#[derive(Clone)]
pub struct Own {
    pub open: UseStateHandle<Rc<BTreeSet<String>>>,
    /// The first and the last of the chosen layers.
    pub chosen: UseStateHandle<Option<(usize, usize)>>,
    pub menu: UseStateHandle<Option<Place>>,
    pub drag: UseStateHandle<Option<(Dragged, Place)>>,
    pub say: Say,
}

/// Everything that an answer needs.
#[derive(Clone)]
pub struct Desk {
    pub spec: Rc<Spec>,
    pub report: Rc<CheckReport>,
    pub selected: Option<AttrValue>,
    pub edit: Edit,
    pub own: Own,
}

impl Desk {
    fn select(&self, id: Option<AttrValue>) {
        self.edit.0.dispatch(Action::Select(id));
    }

    fn apply(&self, f: impl FnOnce(&mut Spec) + 'static) {
        self.own.chosen.set(None);
        self.edit.apply("", f);
    }

    fn set_open(&self, path: &str, on: bool) {
        let mut open = (**self.own.open).clone();
        let changed = match on {
            true => open_all(&mut open, path),
            false => open.remove(path),
        };
        if changed {
            self.own.open.set(Rc::new(open));
        }
    }

    /// Groups that are open stay open under another path.
    fn reopen(&self, old: &str, new: &str) {
        let all = self.own.open.iter();
        let open = all.map(|p| path::moved(p, old, Some(new)).unwrap_or_else(|| p.clone()));
        self.own.open.set(Rc::new(open.collect()));
    }

    /// The name of a layer as its card has it.
    fn called(&self, index: usize) -> String {
        let layer = self.spec.layers.get(index);
        layer.map(|l| l.id.clone()).unwrap_or_default()
    }

    pub fn answer(&self, ask: Ask) {
        let (spec, say) = (&self.spec, &self.own.say);
        match ask {
            Ask::Select(id) => {
                self.own.chosen.set(None);
                self.select(id);
            }
            Ask::Extend(from, to) => self.extend(from, to),
            Ask::Unchoose => self.own.chosen.set(None),
            Ask::Move(index, down) => {
                let open = self.own.open.clone();
                if let Some(to) = edit::step(spec, index, down, &|g| open.contains(g)) {
                    focus_layer(&self.called(index));
                    self.shift(Dragged::Layer(index), to);
                }
            }
            Ask::MoveGroup(name, down) => {
                let open = self.own.open.clone();
                if let Some(to) = edit::step_group(spec, &name, down, &|g| open.contains(g)) {
                    self.shift(Dragged::Group(name), to);
                }
            }
            Ask::Do(deed, range, group) => self.deed(deed, range, group.as_deref()),
            Ask::Open(name, on) => self.set_open(&name, on),
            Ask::Ungroup(name) => {
                let first = edit::run_of(spec, &name).map_or(0, |r| r.start);
                focus_layer(&self.called(first));
                say.args("said-ungrouped", &[("id", path::leaf(&name).to_string())]);
                self.apply(move |s| edit::ungroup(s, &name));
            }
            Ask::RenameGroup(name, new) => {
                // A slash would make two groups of it.
                let new = new.replace('/', "-");
                let to = path::join(path::parent(&name), Some(&new)).unwrap_or_default();
                self.reopen(&name, &to);
                self.apply(move |s| {
                    edit::rename_group(s, &name, &new);
                });
            }
            Ask::Menu(place) => self.own.menu.set(place),
            Ask::Add(place, kind) => self.add(place, &kind),
            Ask::Clear => {
                say.plain("said-cleared");
                focus_layer("");
                self.apply(|s| s.layers.clear());
            }
        }
    }

    fn extend(&self, from: Option<usize>, to: usize) {
        let selected = |id: &AttrValue| self.spec.layers.iter().position(|l| l.id == **id);
        let from = match *self.own.chosen {
            Some((from, _)) => from,
            None => from
                .or_else(|| self.selected.as_ref().and_then(selected))
                .unwrap_or(to),
        };
        self.own.chosen.set(Some((from, to)));
        let n = from.abs_diff(to) + 1;
        self.own.say.args("said-chosen", &[("n", n.to_string())]);
    }

    fn add(&self, place: Place, kind: &str) {
        let spec = &self.spec;
        self.own.menu.set(None);
        let layers = match edit::BLOCKS.contains(&kind) {
            true => {
                let shape = match place.at {
                    0 => Some(&self.report.input[..]).filter(|s| !s.is_empty()),
                    at => {
                        let before = &spec.layers[at.min(spec.layers.len()) - 1].id;
                        let found = self.report.layers.iter().find(|r| r.id == *before);
                        found.map(|r| &r.shape[..])
                    }
                };
                edit::block(spec, place.at, kind, shape)
            }
            false => edit::new_layer(spec, place.at, kind).into_iter().collect(),
        };
        let Some(first) = layers.first() else { return };
        let name = kind_name(kind, spec.framework);
        let (id, at) = (first.id.clone(), (place.at + 1).to_string());
        self.own
            .say
            .args("said-added", &[("name", name), ("n", at)]);
        match (layers.len(), &first.group) {
            (2.., Some(block)) => {
                let block = path::child(Some(block), None);
                focus_layer(&path::join(place.group.as_deref(), block).unwrap_or_default());
            }
            _ => {
                focus_layer(&id);
                self.select(Some(id.into()));
            }
        }
        self.apply(move |s| edit::insert(s, &place, layers));
    }

    fn shift(&self, what: Dragged, to: Place) {
        let spec = &self.spec;
        let Some((range, group)) = what.stands(spec) else {
            return;
        };
        if !edit::can_shift(spec, &range, &to, group) {
            return;
        }
        let (own, name) = match group {
            Some(path) => (path::parent(path), path::leaf(path).to_string()),
            None => {
                let layer = spec.layers.get(range.start);
                (
                    layer.and_then(|l| l.group.as_deref()),
                    self.called(range.start),
                )
            }
        };
        let at = match to.at > range.start {
            true => to.at - range.len(),
            false => to.at,
        };
        let place = [("id", name), ("n", (at + 1).to_string())];
        match (own, to.group.as_deref()) {
            (own, Some(into)) if own != Some(into) && !path::is_within(own, Some(into)) => {
                let [id, n] = place;
                let into = [id, n, ("group", path::leaf(into).to_string())];
                self.own.say.args("said-into", &into);
            }
            (own, into) if own != into => self.own.say.args("said-out", &place),
            _ => {
                let [id, n] = place;
                let total = ("total", spec.layers.len().to_string());
                self.own.say.args("said-moved", &[id, n, total]);
            }
        }
        let group = group.map(str::to_string);
        let mut after = (**spec).clone();
        edit::shift(&mut after, range, &to, group.as_deref());
        if let Some(old) = group
            && let Some(new) = after.layers.get(at).and_then(|l| {
                let now = path::child(l.group.as_deref(), to.group.as_deref())?;
                Some(now.to_string())
            })
        {
            focus_layer(&new);
            self.reopen(&old, &new);
        }
        self.apply(move |s| *s = after);
    }

    fn deed(&self, deed: Deed, range: Range<usize>, group: Option<&str>) {
        let (spec, say) = (&self.spec, &self.own.say);
        let n = ("n", range.len().to_string());
        let mut after = (**spec).clone();
        match deed {
            Deed::Group | Deed::Residual => {
                let (made, said) = match deed {
                    Deed::Group => (edit::group(&mut after, range, "block"), "said-grouped"),
                    _ => (edit::residual(&mut after, range), "said-residual"),
                };
                let Some(name) = made else {
                    say.plain("said-no-group");
                    return;
                };
                self.set_open(&name, true);
                focus_layer(&name);
                say.args(said, &[n, ("id", path::leaf(&name).to_string())]);
            }
            Deed::Duplicate => {
                let ids = edit::duplicate(&mut after, range, group);
                let Some(first) = ids.first() else { return };
                let layer = after.layers.iter().find(|l| l.id == *first);
                let copy =
                    group.and_then(|old| path::child(layer?.group.as_deref(), path::parent(old)));
                match copy {
                    Some(copy) => focus_layer(copy),
                    None => {
                        focus_layer(first);
                        self.select(Some(first.clone().into()));
                    }
                }
                say.args("said-copied", &[n, ("id", ids.join(", "))]);
            }
            Deed::Remove => {
                let ids: Vec<&str> = spec.layers[range.clone()].iter().map(|l| &*l.id).collect();
                say.args("said-removed", &[n, ("id", ids.join(", "))]);
                // The focus goes to what stands before, or else behind.
                let near = match range.start.checked_sub(1) {
                    Some(before) => spec.layers.get(before),
                    None => spec.layers.get(range.end),
                };
                let open = |g: &str| self.own.open.contains(g);
                match near.map(|l| (l, closed(l.group.as_deref(), &open))) {
                    Some((_, Some(closed))) => focus_layer(closed),
                    Some((layer, None)) => focus_layer(&layer.id),
                    None => focus_layer(""),
                }
                edit::remove_all(&mut after, range);
            }
        }
        self.apply(move |s| *s = after);
    }

    pub fn drag(&self, what: Dragged, step: DragStep, list: &NodeRef) {
        match step {
            DragStep::At(y) => {
                scroll_along(list, y);
                if let Some(place) = place_at(list, y, &what) {
                    self.own.drag.set(Some((what, place)));
                }
            }
            DragStep::Drop => {
                if let Some((what, to)) = (*self.own.drag).clone() {
                    self.shift(what, to);
                }
                self.own.drag.set(None);
            }
            DragStep::Cancel => self.own.drag.set(None),
        }
    }
}

/// The place in the list nearest to a height of the window; a group goes nowhere within itself.
fn place_at(list: &NodeRef, y: f64, what: &Dragged) -> Option<Place> {
    let list = list.cast::<HtmlElement>()?;
    let places = list.query_selector_all(".place").ok()?;
    let mut best: Option<(f64, Place)> = None;
    for i in 0..places.length() {
        let Some(e) = places
            .item(i)
            .and_then(|n| wasm_bindgen::JsCast::dyn_into::<Element>(n).ok())
        else {
            continue;
        };
        let group = e.get_attribute("data-in");
        if let Dragged::Group(path) = what
            && path::is_within(group.as_deref(), Some(path))
        {
            continue;
        }
        let r = e.get_bounding_client_rect();
        let far = (r.top() + r.height() / 2.0 - y).abs();
        let at = e.get_attribute("data-at").and_then(|a| a.parse().ok());
        if let Some(at) = at
            && best.as_ref().is_none_or(|(least, _)| far < *least)
        {
            best = Some((far, Place { at, group }));
        }
    }
    best.map(|(_, place)| place)
}

/// Opens a group and those that it lies in; whether any was closed.
pub fn open_all(open: &mut BTreeSet<String>, path: &str) -> bool {
    let ends = path.match_indices('/').map(|(i, _)| i);
    let all = ends.chain([path.len()]).map(|end| path[..end].to_string());
    all.fold(false, |changed, group| open.insert(group) | changed)
}

/// Scrolls what the list lies in while something is dragged to its edge.
fn scroll_along(list: &NodeRef, y: f64) {
    const EDGE: f64 = 48.0;
    const BY: f64 = 14.0;
    let Some(list) = list.cast::<Element>() else {
        return;
    };
    let pane = list.closest(".pane-body").ok().flatten();
    let pane = pane.filter(|p| p.scroll_height() > p.client_height() + 1);
    let (top, bottom) = match &pane {
        Some(p) => {
            let r = p.get_bounding_client_rect();
            (r.top(), r.bottom())
        }
        None => {
            let height = gloo::utils::window().inner_height().ok();
            (96.0, height.and_then(|h| h.as_f64()).unwrap_or(800.0))
        }
    };
    let by = match y {
        y if y < top + EDGE => -BY,
        y if y > bottom - EDGE => BY,
        _ => return,
    };
    match pane {
        Some(p) => p.set_scroll_top(p.scroll_top() + by as i32),
        None => gloo::utils::window().scroll_by_with_x_and_y(0.0, by),
    }
}

/// The kinds of a group's layers in a few words: `LayerNorm → Linear → Add`.
pub fn summary(spec: &Spec, layers: Range<usize>, framework: Framework) -> String {
    const MOST: usize = 4;
    let names: Vec<String> = spec.layers[layers]
        .iter()
        .map(|l| kind_name(&slug(&l.kind), framework))
        .collect();
    match names.len() {
        n if n > MOST => format!("{} → … → {}", names[..MOST - 1].join(" → "), names[n - 1]),
        _ => names.join(" → "),
    }
}
