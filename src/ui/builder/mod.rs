//! The network builder: the layers as cards that can be added, removed, reordered, grouped and
//! edited. Shapes, counts and errors are the engine's own.
mod ask;
mod card;
mod card_fields;
mod compare;
mod group;
mod help;
mod inputs;
mod lines;
mod menu;
mod repairs;
mod sequence_fields;
mod spatial_fields;
mod wires;

use super::fields::{SelectField, slug};
use super::i18n::{t, t_args, use_lang};
use super::icons::{Icon, IconButton};
use super::inspect::INSIDE;
use super::later::{Later, View, Worded};
use super::numbers::{count, scaled, shape};
use super::remember;
use super::store::{Action, Before, Edit};
use crate::lazy;
use crate::spec::edit::{self, Place, Row, can_group, path, rows_in};
use crate::spec::{Framework, LayerSpec, Spec};
use crate::train::protocol::CheckReport;
use ask::{Ask, Desk, DragStep, Dragged, Own};
use card::Card;
use compare::CompareProps;
use group::{Chosen, ChosenProps, GroupHead, GroupProps};
use help::{Fetch, Keys, Say};
use menu::AddMenu;
pub use menu::kind_name;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use wires::{Wires, WiresProps};
use yew::prelude::*;

/// The catalogue of what is shown here after the first look.
const WORDS: &str = "builder";

#[derive(Properties, PartialEq)]
pub struct BuilderProps {
    pub spec: Rc<Spec>,
    pub report: Rc<CheckReport>,
    pub selected: Option<AttrValue>,
    pub before: Option<Before>,
    /// Layer in which the run diverged.
    pub diverged: Option<AttrValue>,
    pub edit: Edit,
    pub can_undo: bool,
    pub can_redo: bool,
}

lazy! { static COMPARE: View<CompareProps>, in page compare = |p| html! { <Worded words={INSIDE}><compare::Compare ..p /></Worded> }; }
lazy! { static GROUP: View<GroupProps>, in page groups = |p| html! { <Worded words={WORDS}><GroupHead ..p /></Worded> }; }
lazy! { static WIRES: View<WiresProps>, in page groups = |p| html! { <Wires ..p /> }; }
lazy! { static CHOSEN: View<ChosenProps>, in page groups = |p| html! { <Worded words={WORDS}><Chosen ..p /></Worded> }; }

/// How a layer stands to the last run: `added`, `changed`; None as it was.
fn mark(before: Option<&Before>, layer: &LayerSpec) -> Option<&'static str> {
    let before = before?.spec.layers.iter().find(|l| l.id == layer.id);
    match before {
        None => Some("added"),
        Some(old) if old.kind != layer.kind || old.inputs != layer.inputs => Some("changed"),
        Some(_) => None,
    }
}

#[component]
pub fn Builder(props: &BuilderProps) -> Html {
    use_lang();
    let spec = &props.spec;
    // Another network altogether is not compared.
    let before = props.before.as_ref();
    let before = before.filter(|b| b.spec.name == spec.name && b.spec != *spec);
    let (list, frame) = (use_node_ref(), use_node_ref());
    let said = use_state_eq(|| (0, String::new()));
    let own = Own {
        open: use_state_eq(|| Rc::new(BTreeSet::new())),
        chosen: use_state_eq(|| None),
        menu: use_state_eq(|| None),
        drag: use_state_eq(|| None),
        say: Say(said.clone()),
    };
    let simple = use_state_eq(remember::simple_view);
    // Somebody is at work here: what else belongs to it is fetched.
    let near = use_state_eq(|| false);
    let update = use_force_update();
    // After an element has moved within its list, which costs it the focus.
    use_effect_with(spec.clone(), |_| card::grant_focus());
    use_effect_with(*simple, |simple| {
        if let Some(root) = gloo::utils::document().document_element() {
            let view = if *simple { "simple" } else { "full" };
            // Failing to set an attribute leaves the full view.
            let _ = root.set_attribute("data-view", view);
        }
    });
    {
        // A layer that is selected elsewhere comes in sight.
        let (own, spec) = (own.clone(), spec.clone());
        use_effect_with(props.selected.clone(), move |selected| {
            let group = selected.as_ref().and_then(|id| {
                let layer = spec.layers.iter().find(|l| l.id == **id)?;
                layer.group.clone()
            });
            if let Some(group) = group {
                let mut open = (**own.open).clone();
                if ask::open_all(&mut open, &group) {
                    own.open.set(Rc::new(open));
                }
            }
        });
    }
    let desk = Desk {
        spec: spec.clone(),
        report: props.report.clone(),
        selected: props.selected.clone(),
        edit: props.edit.clone(),
        own: own.clone(),
    };
    let on_ask = {
        let desk = desk.clone();
        Callback::from(move |ask: Ask| desk.answer(ask))
    };
    let on_drag = {
        let (desk, list) = (desk.clone(), list.clone());
        Callback::from(move |(what, step): (Dragged, DragStep)| desk.drag(what, step, &list))
    };
    let come_near = {
        let near = near.clone();
        move || near.set(true)
    };
    let onpointerover = {
        let come_near = come_near.clone();
        Callback::from(move |_: PointerEvent| come_near())
    };
    let onfocusin = Callback::from(move |_: FocusEvent| come_near());
    let on_here = Callback::from(move |()| update.force_update());
    let chosen = own.chosen.map(|(a, b)| a.min(b)..a.max(b) + 1);
    let chosen = chosen.filter(|c| c.end <= spec.layers.len());
    let view = Views {
        props,
        own: &own,
        before,
        simple: *simple,
        chosen: chosen.clone(),
        on_ask: on_ask.clone(),
        on_drag,
    };
    // What concerns neither a layer nor a field of the other panels.
    let general = props.report.errors.iter().find(|p| {
        let field = p.field.as_deref();
        p.layer.is_none() && matches!(field, None | Some("layers" | "name"))
    });
    let fetch = *near || spec.layers.iter().any(|l| l.group.is_some());
    // Where each reads the one before it there is nothing to draw.
    let wired = spec.layers.iter().any(|l| !l.inputs.is_empty());
    html! {
        <section class={classes!("pane", "builder", simple.then_some("simple"))} aria-labelledby="builder-title" {onpointerover} {onfocusin}>
            { header(props, &simple, &on_ask) }
            <div class="pane-body">
                <div class="flow" ref={frame.clone()}>
                    { input_card(spec, &props.report) }
                    <ol class={classes!("layers", own.drag.is_some().then_some("dragging"))} ref={list} aria-label={t("layers")}>
                        { for view.rows(None, 0..spec.layers.len()) }
                    </ol>
                    if wired {
                        <Later<WiresProps> view={&WIRES} with={WiresProps {
                            spec: spec.clone(),
                            open: (*own.open).clone(),
                            selected: props.selected.clone(),
                            frame,
                            on_ask: on_ask.clone(),
                        }} />
                    }
                </div>
                if let Some(p) = general {
                    { card::general(p, spec, &props.edit) }
                }
                { totals(spec, &props.report) }
                if let Some(layers) = chosen {
                    <Later<ChosenProps> view={&CHOSEN} with={ChosenProps {
                        can_group: can_group(spec, &layers),
                        layers,
                        on_ask: on_ask.clone(),
                    }} />
                }
                if let Some(before) = before {
                    <Later<CompareProps> view={&COMPARE} with={CompareProps {
                        spec: spec.clone(),
                        before: before.clone(),
                        params: props.report.ok.then_some(props.report.params),
                        edit: props.edit.clone(),
                    }} />
                }
            </div>
            <p class="unseen" aria-live="polite">{ said.1.clone() }</p>
            if fetch {
                <Fetch {on_here} />
            }
        </section>
    }
}

fn header(props: &BuilderProps, simple: &UseStateHandle<bool>, on_ask: &Callback<Ask>) -> Html {
    let spec = &props.spec;
    let undo = |action: fn() -> Action| {
        let dispatch = props.edit.0.clone();
        Callback::from(move |_: MouseEvent| dispatch.dispatch(action()))
    };
    let frameworks: Vec<(AttrValue, AttrValue)> = [Framework::Pytorch, Framework::Keras]
        .iter()
        .map(|f| {
            let s = slug(f);
            (s.clone().into(), t(&format!("framework-{s}")).into())
        })
        .collect();
    let on_framework = props.edit.with("framework", |s: &mut Spec, v: String| {
        s.framework = if v == "keras" {
            Framework::Keras
        } else {
            Framework::Pytorch
        };
    });
    let clear = {
        let on_ask = on_ask.clone();
        Callback::from(move |_: MouseEvent| on_ask.emit(Ask::Clear))
    };
    let choice = |on: bool, key: &str| {
        let simple = simple.clone();
        let pressed = *simple == on;
        let onclick = Callback::from(move |_: MouseEvent| {
            simple.set(on);
            remember::keep_simple_view(on);
        });
        html! {
            <button type="button" aria-pressed={pressed.to_string()} title={t(&format!("{key}-hint"))} {onclick}>{ t(key) }</button>
        }
    };
    html! {
        <header class="pane-head">
            <h2 id="builder-title">{ t("network") }</h2>
            <SelectField
                label={t("framework")}
                hint={AttrValue::from(t("framework-hint"))}
                bare={true}
                value={slug(&spec.framework)}
                options={frameworks}
                on_change={on_framework}
            />
            <span class="switch" role="group" aria-label={t("view")}>
                { choice(true, "view-simple") }
                { choice(false, "view-full") }
            </span>
            <span class="spacer"></span>
            <span class="tools">
                <IconButton icon={Icon::Undo} label={t("undo")} shortcut="Control+Z" disabled={!props.can_undo} onclick={undo(|| Action::Undo)} />
                <IconButton icon={Icon::Redo} label={t("redo")} shortcut="Control+Shift+Z" disabled={!props.can_redo} onclick={undo(|| Action::Redo)} />
                <IconButton icon={Icon::Trash} label={t("clear-layers")} disabled={spec.layers.is_empty()} onclick={clear} />
                <Keys />
            </span>
        </header>
    }
}

/// What the rows of the list share.
struct Views<'a> {
    props: &'a BuilderProps,
    own: &'a Own,
    before: Option<&'a Before>,
    simple: bool,
    chosen: Option<Range<usize>>,
    on_ask: Callback<Ask>,
    on_drag: Callback<(Dragged, DragStep)>,
}

impl Views<'_> {
    /// The rows of a group, or of the whole network, every item under a key of its own: what stays keeps
    /// its element and the focus.
    fn rows(&self, group: Option<&str>, layers: Range<usize>) -> Vec<Html> {
        let spec = &self.props.spec;
        let place = |at: usize| {
            let place = Place {
                at,
                group: group.map(str::to_string),
            };
            self.place(place, group.is_none() && at == spec.layers.len())
        };
        let mut items = vec![place(layers.start)];
        for row in rows_in(spec, group, layers) {
            let (item, at) = match row {
                Row::Layer(index) => (self.card(index), index + 1),
                Row::Group { name, layers } => (self.group(&name, &layers), layers.end),
            };
            items.push(item);
            items.push(place(at));
        }
        items
    }

    fn place(&self, place: Place, end: bool) -> Html {
        let own = self.own;
        let drop_here = own
            .drag
            .as_ref()
            .is_some_and(|(what, to)| *to == place && what.goes(&self.props.spec, to));
        let key = format!(
            "place-{}-{}",
            place.at,
            place.group.as_deref().unwrap_or_default()
        );
        html! {
            <AddMenu
                {key}
                open={own.menu.as_ref() == Some(&place)}
                {place}
                {end}
                framework={self.props.spec.framework}
                simple={self.simple}
                {drop_here}
                on_ask={self.on_ask.clone()}
            />
        }
    }

    fn card(&self, index: usize) -> Html {
        let (spec, report, own) = (&self.props.spec, &self.props.report, self.own);
        let layer = &spec.layers[index];
        let of = |all: &[crate::spec::Problem]| {
            let mine = all.iter().filter(|p| p.layer.as_deref() == Some(&layer.id));
            mine.cloned().collect::<Vec<_>>()
        };
        let (errors, hints) = (of(&report.errors), of(&report.hints));
        let selected = self.props.selected.as_deref() == Some(&layer.id);
        let goes = |down| edit::step(spec, index, down, &|g| own.open.contains(g)).is_some();
        let wants = selected || !errors.is_empty() || !hints.is_empty();
        let lifted = own.drag.as_ref();
        // Two of one id are a problem, but each has a card.
        let twin = spec.layers[..index].iter().any(|l| l.id == layer.id);
        let key = match twin {
            true => format!("{}#{index}", layer.id),
            false => layer.id.clone(),
        };
        html! {
            <Card
                {key}
                layer={layer.clone()}
                {index}
                mark={match self.props.diverged.as_deref() {
                    Some(id) if id == layer.id => Some("diverged"),
                    _ => mark(self.before, layer),
                }}
                earlier={earlier(spec, index)}
                framework={spec.framework}
                report={report.layers.iter().find(|r| r.id == layer.id).cloned()}
                {errors}
                {hints}
                {selected}
                chosen={self.chosen.clone().filter(|c| c.contains(&index))}
                lifted={lifted.is_some_and(|(what, _)| *what == Dragged::Layer(index))}
                up={goes(false)}
                down={goes(true)}
                simple={self.simple}
                spec={wants.then(|| spec.clone())}
                sound={report.ok}
                edit={self.props.edit.clone()}
                on_ask={self.on_ask.clone()}
                on_drag={self.on_drag.clone()}
            />
        }
    }

    fn group(&self, name: &str, layers: &Range<usize>) -> Html {
        let (spec, report, own) = (&self.props.spec, &self.props.report, self.own);
        let open = own.open.contains(name);
        let inner = &spec.layers[layers.clone()];
        let found = |id: &str| report.layers.iter().find(|r| r.id == id);
        let all: Option<Vec<_>> = inner.iter().map(|l| found(&l.id)).collect();
        let outcome = all.and_then(|all| {
            let last = all.last()?;
            Some((last.shape.clone(), all.iter().map(|r| r.params).sum()))
        });
        let is_wrong = |l: &&LayerSpec| {
            let mine = |p: &crate::spec::Problem| p.layer.as_deref() == Some(&l.id);
            report.errors.iter().any(mine)
        };
        let wrong = inner.iter().filter(is_wrong).count();
        let picked = self.chosen.as_ref();
        let class = classes!(
            "block",
            (wrong > 0).then_some("wrong"),
            open.then_some("open"),
            picked
                .is_some_and(|c| c.start <= layers.start && c.end >= layers.end)
                .then_some("picked"),
            own.drag
                .as_ref()
                .is_some_and(|(what, _)| *what == Dragged::Group(name.to_string().into()))
                .then_some("lifted"),
        );
        // Of a group that is torn apart each run is a card.
        let torn = edit::run_of(spec, name).is_some_and(|r| r.start != layers.start);
        let key = match torn {
            true => format!("group-{name}-{}", layers.start),
            false => format!("group-{name}"),
        };
        let with = GroupProps {
            name: name.to_string().into(),
            layers: layers.clone(),
            open,
            summary: ask::summary(spec, layers.clone(), spec.framework).into(),
            outcome,
            wrong,
            up: edit::step_group(spec, name, false, &|g| own.open.contains(g)).is_some(),
            down: edit::step_group(spec, name, true, &|g| own.open.contains(g)).is_some(),
            on_ask: self.on_ask.clone(),
            on_drag: self.on_drag.clone(),
        };
        html! {
            <li {class} {key} data-group={name.to_string()} data-index={layers.start.to_string()}>
                <Later<GroupProps> view={&GROUP} {with} />
                if open {
                    <ol class="layers" aria-label={path::leaf(name).to_string()}>
                        { for self.rows(Some(name), layers.clone()) }
                    </ol>
                }
            </li>
        }
    }
}

/// What the layer at an index may read.
fn earlier(spec: &Spec, index: usize) -> Vec<AttrValue> {
    std::iter::once("input".into())
        .chain(spec.layers[..index].iter().map(|l| l.id.clone().into()))
        .collect()
}

fn input_card(spec: &Spec, report: &CheckReport) -> Html {
    // What a sample is before it is made one row.
    let own = crate::spec::DataSpec {
        flatten: false,
        ..spec.data.clone()
    };
    let own = own.shape().map(|s| s.sample).unwrap_or_default();
    let given = match spec.data.shape() {
        Some(s) if report.input.is_empty() => s.sample,
        _ => report.input.clone(),
    };
    let size = match (given.is_empty(), own.len() > 1) {
        (true, _) => t("shape-unknown"),
        (_, true) if own != given => format!("{} → {}", shape(&own), shape(&given)),
        _ => shape(&given),
    };
    html! {
        <div class="card ends">
            <div class="card-head">
                <strong>{ t("input") }</strong>
                <span class="dim">{ super::data_panel::source_name(&spec.data.source) }</span>
                <span class="spacer"></span>
                <span class="figure" title={t("shape-hint")}>{ size }</span>
            </div>
        </div>
    }
}

fn totals(spec: &Spec, report: &CheckReport) -> Html {
    // Sums over some of the layers would mislead.
    if report.layers.len() < spec.layers.len() {
        return html! {};
    }
    html! {
        <p class="totals" aria-live="polite">
            <span title={t("params-hint")}>
                { t_args("total-params", &[("n", count(report.params as u64).into())]) }
            </span>
            <span title={t("flops-hint")}>
                { t_args("total-flops", &[("n", scaled(report.flops).into())]) }
            </span>
            <span title={t("memory-hint")}>
                if report.batch_memory > 0 {
                    { t_args("total-batch", &[("n", scaled(report.batch_memory).into())]) }
                } else {
                    { t_args("total-memory", &[("n", scaled(report.memory).into())]) }
                }
            </span>
        </p>
    }
}
