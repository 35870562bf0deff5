//! One layer as a card: its main fields in one line, the others when it is selected.
use super::super::i18n::{problem_text, t, t_args, use_lang};
use super::super::icons::{Glyph, Icon, IconButton};
use super::super::numbers::{count, scaled, shape};
use super::ask::{Ask, Deed, DragStep, Dragged};
use super::card_fields::{id_field, main_fields, more_fields};
use super::help::about;
use super::inputs::Inputs;
use super::lines::{Lines, LinesProps};
use super::menu::kind_name;
use super::repairs::{Repairs, RepairsProps};
use super::spatial_fields;
use crate::lazy;
use crate::spec::edit::Place;
use crate::spec::{Framework, LayerKind, LayerSpec, Problem, Spec};
use crate::train::protocol::LayerReport;
use crate::ui::fields::{is_typing, slug};
use crate::ui::later::{Later, View};
use crate::ui::panes::{capture, captured};
use crate::ui::store::Edit;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

#[derive(Clone, Properties, PartialEq)]
pub struct CardProps {
    pub layer: LayerSpec,
    pub index: usize,
    /// `added` or `changed` since the last run.
    pub mark: Option<&'static str>,
    pub earlier: Vec<AttrValue>,
    pub framework: Framework,
    pub report: Option<LayerReport>,
    pub errors: Vec<Problem>,
    pub hints: Vec<Problem>,
    pub selected: bool,
    /// The chosen layers, if this is one of them.
    pub chosen: Option<Range<usize>>,
    /// It is being dragged.
    pub lifted: bool,
    /// Whether it can be moved up and down.
    pub up: bool,
    pub down: bool,
    /// Fewer fields, plainer words.
    pub simple: bool,
    /// The network, where the card is selected or something is to be mended.
    pub spec: Option<Rc<Spec>>,
    /// Nothing is wrong anywhere.
    pub sound: bool,
    pub edit: Edit,
    pub on_ask: Callback<Ask>,
    pub on_drag: Callback<(Dragged, DragStep)>,
}

impl CardProps {
    pub(super) fn error(&self, field: &str) -> Option<AttrValue> {
        self.errors
            .iter()
            .find(|p| p.field.as_deref() == Some(field))
            .map(|p| problem_text(p).into())
    }

    /// A callback that changes this layer's kind in place.
    pub(super) fn set<T: 'static>(
        &self,
        name: &'static str,
        f: impl Fn(&mut LayerKind, T) + Clone + 'static,
    ) -> Callback<T> {
        let id = self.layer.id.clone();
        self.edit.with(name, move |s: &mut Spec, v: T| {
            if let Some(l) = s.layers.iter_mut().find(|l| l.id == id) {
                f(&mut l.kind, v);
            }
        })
    }

    /// What deeds are about: the chosen layers, or this one.
    fn meant(&self) -> Range<usize> {
        self.chosen.clone().unwrap_or(self.index..self.index + 1)
    }

    fn deed(&self, deed: Deed) -> Ask {
        Ask::Do(deed, self.meant(), None)
    }
}

lazy! { static MORE: View<CardProps>, in page layers = |p| more(&p); }
lazy! { static REPAIRS: View<RepairsProps>, in page repairs = |p| html! { <Repairs ..p /> }; }
lazy! { static LINES: View<LinesProps>, in page code = |p| html! { <Lines ..p /> }; }

/// What stands below the line when the card is selected.
fn more(props: &CardProps) -> Html {
    let ask = |what: Ask| {
        let on_ask = props.on_ask.clone();
        Callback::from(move |e: MouseEvent| {
            e.stop_propagation();
            on_ask.emit(what.clone());
        })
    };
    let index = props.index;
    let kind = slug(&props.layer.kind);
    html! {
        <>
            <p class="about dim">{ about(&kind) }</p>
            { id_field(props) }
            { more_fields(props) }
            <Inputs
                layer={props.layer.clone()}
                earlier={props.earlier.clone()}
                error={props.errors.iter().find(|p| p.field.as_deref() == Some("inputs")).cloned()}
                edit={props.edit.clone()}
            />
            { figures(props.report.as_ref()) }
            if let Some(spec) = props.spec.as_ref().filter(|_| props.sound) {
                <Later<LinesProps> view={&LINES} with={LinesProps { spec: spec.clone(), layer: props.layer.id.clone().into() }} />
            }
            <div class="card-actions">
                <IconButton icon={Icon::Up} label={t("move-up")} shortcut="Alt+ArrowUp" disabled={!props.up} onclick={ask(Ask::Move(index, false))} />
                <IconButton icon={Icon::Down} label={t("move-down")} shortcut="Alt+ArrowDown" disabled={!props.down} onclick={ask(Ask::Move(index, true))} />
                <IconButton icon={Icon::Copy} label={t("copy-layer")} shortcut="Control+D" onclick={ask(props.deed(Deed::Duplicate))} />
                <IconButton icon={Icon::Group} label={t("group-layer")} shortcut="Control+G" onclick={ask(props.deed(Deed::Group))} />
                <IconButton icon={Icon::Residual} label={t("residual-layer")} onclick={ask(props.deed(Deed::Residual))} />
                <IconButton icon={Icon::Trash} label={t("remove-layer")} shortcut="Delete" onclick={ask(Ask::Do(Deed::Remove, index..index + 1, None))} />
            </div>
        </>
    }
}

/// What the layer costs, in full.
fn figures(report: Option<&LayerReport>) -> Html {
    let Some(r) = report else {
        return html! {};
    };
    let one = |name: &str, hint: &str, value: String| {
        html! { <div title={t(hint)}><dt>{ t(name) }</dt><dd>{ value }</dd></div> }
    };
    html! {
        <dl class="card-figures">
            { one("figure-params", "params-hint", count(r.params as u64)) }
            { one("figure-flops", "flops-hint", format!("{}FLOP", scaled(r.flops))) }
            { one("figure-memory", "memory-hint", format!("{}B", scaled(r.memory))) }
            if r.batch_memory > 0 {
                { one("figure-batch", "memory-hint", format!("{}B", scaled(r.batch_memory))) }
            }
        </dl>
    }
}

#[component]
pub fn Card(props: &CardProps) -> Html {
    use_lang();
    let layer = &props.layer;
    let index = props.index;
    let kind = slug(&layer.kind);
    let name = kind_name(&kind, props.framework);
    let id = AttrValue::from(layer.id.clone());
    let onclick = {
        let (on_ask, id, selected) = (props.on_ask.clone(), id.clone(), props.selected);
        Callback::from(move |e: MouseEvent| {
            if e.shift_key() {
                on_ask.emit(Ask::Extend(None, index));
            } else if !selected {
                on_ask.emit(Ask::Select(Some(id.clone())));
            }
        })
    };
    let toggle = {
        let (on_ask, id, selected) = (props.on_ask.clone(), id.clone(), props.selected);
        Callback::from(move |e: MouseEvent| {
            e.stop_propagation();
            on_ask.emit(match e.shift_key() {
                true => Ask::Extend(None, index),
                false => Ask::Select((!selected).then(|| id.clone())),
            });
        })
    };
    let onkeydown = on_keys(
        props.on_ask.clone(),
        [
            props.up.then_some(Ask::Move(index, false)),
            props.down.then_some(Ask::Move(index, true)),
            Some(props.deed(Deed::Duplicate)),
            Some(props.deed(Deed::Remove)),
            Some(props.deed(Deed::Group)),
            (!props.selected).then(|| Ask::Select(Some(id.clone()))),
            props.selected.then_some(Ask::Select(None)),
        ],
        Some((
            index,
            Place {
                at: index + 1,
                group: layer.group.clone(),
            },
        )),
    );
    // Fields below the line show their own problems; all others are written here.
    let below: &[&str] = match &layer.kind {
        _ if !props.selected => &[],
        kind if spatial_fields::concerns(kind) => spatial_fields::BELOW,
        LayerKind::Rnn { .. } => &["id", "inputs", "activation"],
        _ => &["id", "inputs", "alpha", "weight_init", "bias_init"],
    };
    let rest = props
        .errors
        .iter()
        .filter(|p| !p.field.as_deref().is_some_and(|f| below.contains(&f)));
    let class = classes!(
        "card",
        props.selected.then_some("selected"),
        props.chosen.is_some().then_some("picked"),
        props.lifted.then_some("lifted"),
        (!props.errors.is_empty()).then_some("wrong"),
    );
    let tip = format!("tip-{id}");
    let problems: Vec<Problem> = props.errors.iter().chain(&props.hints).cloned().collect();
    html! {
        <li {class} data-layer={id.clone()} data-index={index.to_string()} aria-label={format!("{name} {id}")} aria-current={props.selected.to_string()} {onclick} {onkeydown}>
            <div class="card-head">
                { handle(&Dragged::Layer(index), &props.on_drag) }
                <button type="button" class="kind" aria-expanded={props.selected.to_string()} aria-describedby={tip.clone()} onclick={toggle}>{ name }</button>
                <span class="tip" role="tooltip" id={tip}><code>{ id.clone() }</code>{ " " }{ about(&kind) }</span>
                if let Some(mark) = props.mark {
                    <span class={classes!("since", mark)}>{ t(&format!("compare-{mark}")) }</span>
                }
                <span class="main-fields">{ main_fields(props) }</span>
                if !layer.inputs.is_empty() {
                    <span class="dim reads" title={t("reads")}>{ "← " }{ layer.inputs.join(" + ") }</span>
                }
                <span class="spacer"></span>
                { outcome(props.report.as_ref(), props.simple) }
            </div>
            if props.simple && !props.selected {
                <p class="plain dim">{ t(&format!("layer-{kind}-about")) }</p>
            }
            if props.selected {
                <div class="card-more">
                    <Later<CardProps> view={&MORE} with={props.clone()} />
                </div>
            }
            // In fragments: with more children or fewer the others would be made anew.
            <>{ for rest.map(|p| html! { <p class="error" role="alert">{ problem_text(p) }</p> }) }</>
            <>{ for props.hints.iter().map(|p| html! { <p class="hint" role="note">{ problem_text(p) }</p> }) }</>
            if let Some(spec) = props.spec.as_ref().filter(|_| !problems.is_empty()) {
                <Later<RepairsProps> view={&REPAIRS} with={RepairsProps { spec: spec.clone(), problems, edit: props.edit.clone() }} />
            }
        </li>
    }
}

/// What is wrong with the network as a whole, and what mends it.
pub(super) fn general(problem: &Problem, spec: &Rc<Spec>, edit: &Edit) -> Html {
    let with = RepairsProps {
        spec: spec.clone(),
        problems: vec![problem.clone()],
        edit: edit.clone(),
    };
    html! {
        <>
            <p class="error" role="alert">{ problem_text(problem) }</p>
            <Later<RepairsProps> view={&REPAIRS} {with} />
        </>
    }
}

/// What keys do on a card: up, down, copy, remove, group, open, close; and for a layer its index and
/// the place behind it.
pub(super) fn on_keys(
    on_ask: Callback<Ask>,
    asks: [Option<Ask>; 7],
    layer: Option<(usize, Place)>,
) -> Callback<KeyboardEvent> {
    Callback::from(move |e: KeyboardEvent| {
        let [up, down, copy, remove, group, open, close] = &asks;
        let control = e.ctrl_key() || e.meta_key();
        let title = e
            .target()
            .and_then(|t| t.dyn_into::<Element>().ok())
            .filter(|t| t.matches(".kind").unwrap_or(false));
        let key = e.key();
        let ask = match (key.as_str(), e.alt_key(), control) {
            ("ArrowUp", true, _) => up,
            ("ArrowDown", true, _) => down,
            // Out of a field, back to the card's own keys.
            ("Escape", false, false) if title.is_none() => {
                let card = e.target().and_then(|t| t.dyn_into::<Element>().ok());
                let card = card.and_then(|c| c.closest("[data-layer], .block-head").ok().flatten());
                let kind = card.and_then(|c| c.query_selector(".kind").ok().flatten());
                if let Some(kind) = kind.and_then(|k| k.dyn_into::<HtmlElement>().ok()) {
                    // A title that cannot take the focus leaves it where it is.
                    let _ = kind.focus();
                }
                return;
            }
            _ if is_typing(&e) => return,
            ("Delete", false, false) => remove,
            ("d", false, true) => copy,
            ("g", false, true) => group,
            ("Escape", false, false) => &Some(Ask::Unchoose),
            // What follows would take keys from lists and fields.
            _ if title.is_none() => return,
            ("ArrowRight", false, false) => open,
            ("ArrowLeft", false, false) => close,
            ("+" | "Insert", false, false) => {
                &layer.clone().map(|(_, place)| Ask::Menu(Some(place)))
            }
            (walk @ ("ArrowUp" | "ArrowDown" | "Home" | "End"), false, false) => {
                let by = match walk {
                    "ArrowUp" => -1,
                    "ArrowDown" => 1,
                    "Home" => i32::MIN,
                    _ => i32::MAX,
                };
                let to = title.and_then(|t| walk_to(&t, by));
                let to = to.and_then(|card| card.closest("[data-index]").ok().flatten());
                let to = to.and_then(|card| card.get_attribute("data-index")?.parse().ok());
                if let (true, Some((from, _)), Some(to)) = (e.shift_key(), &layer, to) {
                    on_ask.emit(Ask::Extend(Some(*from), to));
                }
                e.prevent_default();
                return;
            }
            _ => return,
        };
        if let Some(ask) = ask {
            on_ask.emit(ask.clone());
        }
        e.prevent_default();
    })
}

/// Gives the focus to another card's title, so many further in the list, and returns it.
fn walk_to(title: &Element, by: i32) -> Option<Element> {
    let list = title.closest(".builder").ok()??;
    let titles = list.query_selector_all(".kind").ok()?;
    let item = |i: u32| titles.item(i)?.dyn_into::<HtmlElement>().ok();
    let n = titles.length();
    let now = (0..n).find(|i| item(*i).is_some_and(|t| t.is_same_node(Some(title))))?;
    let last = n.checked_sub(1)?;
    let to = (i64::from(now) + i64::from(by)).clamp(0, i64::from(last));
    let to = item(u32::try_from(to).ok()?)?;
    // A card that cannot take the focus leaves it where it is.
    let _ = to.focus();
    Some(to.into())
}

thread_local! {
    static WISH: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Gives the focus to the card of a layer or a group once the list has been drawn anew; to the first
/// place for a layer where there is none.
pub(super) fn focus_layer(id: &str) {
    WISH.set(Some(id.to_string()));
}

/// What the builder does when it has drawn another list of layers.
pub(super) fn grant_focus() {
    let Some(id) = WISH.take() else {
        return;
    };
    let find = |selector: &str| {
        let found = gloo::utils::document()
            .query_selector(selector)
            .ok()
            .flatten();
        found.and_then(|e| e.dyn_into::<HtmlElement>().ok())
    };
    let quoted = id.replace(['"', '\\'], "");
    let card = find(&format!("[data-layer=\"{quoted}\"] .kind"))
        .or_else(|| find(&format!("[data-group=\"{quoted}\"] .kind")))
        .or_else(|| find(".builder .place > .add"));
    if let Some(card) = card {
        // A card that cannot take the focus leaves it where it is.
        let _ = card.focus();
    }
}

/// The output's shape and the number of parameters.
fn outcome(report: Option<&LayerReport>, simple: bool) -> Html {
    let Some(r) = report else {
        return html! {};
    };
    html! {
        <span class="outcome figure">
            <span title={t("shape-hint")}>{ shape(&r.shape) }</span>
            if r.params > 0 {
                <span class="dim" title={t_args("layer-params", &[("n", count(r.params as u64).into())])}>
                    { t_args(if simple { "layer-params" } else { "layer-params-short" }, &[("n", count(r.params as u64).into())]) }
                </span>
            }
        </span>
    }
}

/// The handle by which a pointer drags a card.
pub(super) fn handle(what: &Dragged, on_drag: &Callback<(Dragged, DragStep)>) -> Html {
    let emit = |make: fn(&PointerEvent) -> DragStep| {
        let (on_drag, what) = (on_drag.clone(), what.clone());
        Callback::from(move |e: PointerEvent| on_drag.emit((what.clone(), make(&e))))
    };
    let onpointerdown = Callback::from(|e: PointerEvent| capture(&e, ".handle"));
    let onpointermove = {
        let go = emit(|e| DragStep::At(f64::from(e.client_y())));
        Callback::from(move |e: PointerEvent| {
            if captured(&e, ".handle") {
                go.emit(e);
            }
        })
    };
    html! {
        <span
            class="handle"
            title={t("drag-hint")}
            aria-hidden="true"
            {onpointerdown}
            {onpointermove}
            onpointerup={emit(|_| DragStep::Drop)}
            onpointercancel={emit(|_| DragStep::Cancel)}
        >
            <Glyph icon={Icon::Grip} />
        </span>
    }
}
