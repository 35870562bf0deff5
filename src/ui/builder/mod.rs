//! The network builder: the layers as cards that can be added, removed, reordered and edited.
//! Shapes, counts and errors are the engine's own.
mod card;
mod compare;
pub mod edit;
mod inputs;
mod menu;
mod sequence_fields;
mod spatial_fields;

use super::fields::{SelectField, slug};
use super::i18n::{problem_text, t, t_args, use_lang};
use super::icons::{Icon, IconButton};
use super::inspect::INSIDE;
use super::later::{Later, View, Worded};
use super::numbers::{count, scaled, shape};
use super::store::{Action, Before, Edit};
use crate::lazy;
use crate::spec::{Framework, LayerSpec, Spec};
use crate::train::protocol::CheckReport;
use card::Card;
use compare::CompareProps;
use menu::AddMenu;
pub use menu::kind_name;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

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

/// How a layer stands to the last run: `added`, `changed`; None as it was.
fn mark(before: Option<&Before>, layer: &LayerSpec) -> Option<&'static str> {
    match before?.spec.layers.iter().find(|l| l.id == layer.id) {
        None => Some("added"),
        Some(old) if old != layer => Some("changed"),
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
    let list = use_node_ref();
    // The place before which a dragged card would be put, and where it comes from.
    let drag = use_state_eq(|| None::<(usize, usize)>);
    let open = use_state_eq(|| None::<usize>);
    // After an element has moved within its list, which costs it the focus.
    use_effect_with(spec.clone(), |_| card::grant_focus());

    let dispatch = props.edit.0.clone();
    let on_select = {
        let dispatch = dispatch.clone();
        Callback::from(move |id: Option<AttrValue>| dispatch.dispatch(Action::Select(id)))
    };
    let on_add = {
        let (edit, spec, dispatch) = (props.edit.clone(), spec.clone(), dispatch.clone());
        let open = open.clone();
        Callback::from(move |(at, kind): (usize, AttrValue)| {
            open.set(None);
            if let Some(layer) = edit::new_layer(&spec, at, &kind) {
                let id = AttrValue::from(layer.id.clone());
                edit.apply("", move |s| s.layers.insert(at.min(s.layers.len()), layer));
                dispatch.dispatch(Action::Select(Some(id)));
            }
        })
    };
    let on_open = {
        let open = open.clone();
        Callback::from(move |at: Option<usize>| open.set(at))
    };
    let on_move = {
        let edit = props.edit.clone();
        Callback::from(move |(from, to): (usize, usize)| {
            edit.apply("", move |s| edit::shift(s, from, to));
        })
    };
    let on_drag = {
        let (drag, list, on_move) = (drag.clone(), list.clone(), on_move.clone());
        Callback::from(move |(from, event): (usize, DragStep)| match event {
            DragStep::At(y) => drag.set(Some((from, place_at(&list, y)))),
            DragStep::Drop => {
                if let Some((from, to)) = *drag {
                    on_move.emit((from, to));
                }
                drag.set(None);
            }
            DragStep::Cancel => drag.set(None),
        })
    };
    let undo = |action: fn() -> Action| {
        let dispatch = dispatch.clone();
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
    let place = |at: usize| {
        html! {
            <AddMenu
                key={format!("place-{at}")}
                {at}
                end={at == spec.layers.len()}
                open={*open == Some(at)}
                framework={spec.framework}
                drop_here={drag.is_some_and(|(from, to)| to == at && at != from && at != from + 1)}
                on_open={on_open.clone()}
                on_add={on_add.clone()}
            />
        }
    };
    // What concerns neither a layer nor a field of the other panels.
    let general = props.report.errors.iter().find(|p| {
        let field = p.field.as_deref();
        p.layer.is_none() && matches!(field, None | Some("layers" | "name"))
    });
    html! {
        <section class="pane builder" aria-labelledby="builder-title">
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
                <span class="spacer"></span>
                <IconButton icon={Icon::Undo} label={t("undo")} shortcut="Control+Z" disabled={!props.can_undo} onclick={undo(|| Action::Undo)} />
                <IconButton icon={Icon::Redo} label={t("redo")} shortcut="Control+Shift+Z" disabled={!props.can_redo} onclick={undo(|| Action::Redo)} />
            </header>
            <div class="pane-body">
                { input_card(spec, &props.report) }
                <ol class={classes!("layers", drag.is_some().then_some("dragging"))} ref={list} aria-label={t("layers")}>
                    { place(0) }
                    { for spec.layers.iter().enumerate().map(|(index, layer)| {
                        let errors: Vec<_> = props.report.errors.iter()
                            .filter(|p| p.layer.as_deref() == Some(&layer.id))
                            .cloned()
                            .collect();
                        html! {
                            <>
                                <Card
                                    key={layer.id.clone()}
                                    layer={layer.clone()}
                                    {index}
                                    total={spec.layers.len()}
                                    mark={match props.diverged.as_deref() {
                                        Some(id) if id == layer.id => Some("diverged"),
                                        _ => mark(before, layer),
                                    }}
                                    earlier={earlier(spec, index)}
                                    framework={spec.framework}
                                    report={props.report.layers.iter().find(|r| r.id == layer.id).cloned()}
                                    {errors}
                                    selected={props.selected.as_deref() == Some(&layer.id)}
                                    lifted={drag.is_some_and(|(from, _)| from == index)}
                                    edit={props.edit.clone()}
                                    on_select={on_select.clone()}
                                    on_move={on_move.clone()}
                                    on_drag={on_drag.clone()}
                                />
                                { place(index + 1) }
                            </>
                        }
                    }) }
                </ol>
                if let Some(p) = general {
                    <p class="error" role="alert">{ problem_text(p) }</p>
                }
                { totals(spec, &props.report) }
                if let Some(before) = before {
                    <Later<CompareProps> view={&COMPARE} with={CompareProps {
                        spec: spec.clone(),
                        before: before.clone(),
                        params: props.report.ok.then_some(props.report.params),
                        edit: props.edit.clone(),
                    }} />
                }
            </div>
        </section>
    }
}

/// A step of dragging a card by its handle.
#[derive(Clone, Copy, PartialEq)]
pub enum DragStep {
    /// The pointer is at this height of the window.
    At(f64),
    Drop,
    Cancel,
}

/// The place in the list that a height of the window points at.
fn place_at(list: &NodeRef, y: f64) -> usize {
    let Some(list) = list.cast::<HtmlElement>() else {
        return 0;
    };
    let Ok(cards) = list.query_selector_all("[data-layer]") else {
        return 0;
    };
    (0..cards.length())
        .filter_map(|i| cards.item(i)?.dyn_into::<Element>().ok())
        .take_while(|card| {
            let r = card.get_bounding_client_rect();
            r.top() + r.height() / 2.0 < y
        })
        .count()
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
        </p>
    }
}
