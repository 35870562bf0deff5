//! One layer as a card: its main fields in one line, the others when it is selected.
use super::super::i18n::{problem_text, t, t_args, use_lang};
use super::super::icons::{Glyph, Icon, IconButton};
use super::super::numbers::{count, exact, shape};
use super::inputs::Inputs;
use super::menu::kind_name;
use super::{DragStep, edit, sequence_fields, spatial_fields};
use crate::lazy;
use crate::spec::{Activation, Framework, Init, LayerKind, LayerSpec, Problem, Spec};
use crate::train::protocol::LayerReport;
use crate::ui::fields::{CheckField, Field, NumberField, SelectField, slug};
use crate::ui::later::{Later, View};
use crate::ui::panes::{capture, captured};
use crate::ui::store::Edit;
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};
use yew::prelude::*;

#[derive(Clone, Properties, PartialEq)]
pub struct CardProps {
    pub layer: LayerSpec,
    pub index: usize,
    pub total: usize,
    /// `added` or `changed` since the last run.
    pub mark: Option<&'static str>,
    pub earlier: Vec<AttrValue>,
    pub framework: Framework,
    pub report: Option<LayerReport>,
    pub errors: Vec<Problem>,
    pub selected: bool,
    /// It is being dragged.
    pub lifted: bool,
    pub edit: Edit,
    pub on_select: Callback<Option<AttrValue>>,
    pub on_move: Callback<(usize, usize)>,
    pub on_drag: Callback<(usize, DragStep)>,
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
}

lazy! { static MORE: View<CardProps>, in page layers = |p| more(&p); }
lazy! { static SPATIAL: View<CardProps>, in page layers = |p| spatial_fields::main_fields(&p); }
lazy! { static SEQUENCE: View<CardProps>, in page layers = |p| sequence_fields::main_fields(&p); }

/// What stands below the line when the card is selected.
fn more(props: &CardProps) -> Html {
    let index = props.index;
    let step = |from: usize, to: usize| {
        let on_move = props.on_move.clone();
        Callback::from(move |_: MouseEvent| on_move.emit((from, to)))
    };
    let remove = {
        let remove = remover(props);
        Callback::from(move |e: MouseEvent| {
            e.stop_propagation();
            remove();
        })
    };
    html! {
        <>
            { id_field(props) }
            { more_fields(props) }
            <Inputs
                layer={props.layer.clone()}
                earlier={props.earlier.clone()}
                error={props.errors.iter().find(|p| p.field.as_deref() == Some("inputs")).cloned()}
                edit={props.edit.clone()}
            />
            <div class="card-actions">
                <IconButton icon={Icon::Up} label={t("move-up")} shortcut="Alt+ArrowUp" disabled={index == 0} onclick={step(index, index.saturating_sub(1))} />
                <IconButton icon={Icon::Down} label={t("move-down")} shortcut="Alt+ArrowDown" disabled={index + 1 == props.total} onclick={step(index, index + 2)} />
                <IconButton icon={Icon::Trash} label={t("remove-layer")} shortcut="Delete" onclick={remove} />
            </div>
        </>
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
        let (on_select, id, selected) = (props.on_select.clone(), id.clone(), props.selected);
        Callback::from(move |_: MouseEvent| {
            if !selected {
                on_select.emit(Some(id.clone()));
            }
        })
    };
    let toggle = {
        let (on_select, id, selected) = (props.on_select.clone(), id.clone(), props.selected);
        Callback::from(move |e: MouseEvent| {
            e.stop_propagation();
            on_select.emit((!selected).then(|| id.clone()));
        })
    };
    let onkeydown = {
        let (on_move, id, total) = (props.on_move.clone(), layer.id.clone(), props.total);
        let remove = remover(props);
        Callback::from(move |e: KeyboardEvent| {
            match (e.key().as_str(), e.alt_key()) {
                ("ArrowUp", true) if index > 0 => on_move.emit((index, index - 1)),
                ("ArrowDown", true) if index + 1 < total => on_move.emit((index, index + 2)),
                ("Delete", false) if !crate::ui::fields::is_typing(&e) => {
                    remove();
                    return;
                }
                _ => return,
            }
            // An element that moves within its list loses the focus.
            focus_layer(&id);
            e.prevent_default();
        })
    };
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
        props.lifted.then_some("lifted"),
        (!props.errors.is_empty()).then_some("wrong"),
    );
    html! {
        <li {class} data-layer={id.clone()} aria-label={format!("{name} {id}")} aria-current={props.selected.to_string()} {onclick} {onkeydown}>
            <div class="card-head">
                { handle(props) }
                <button type="button" class="kind" aria-expanded={props.selected.to_string()} title={t("layer-open")} onclick={toggle}>{ name }</button>
                if let Some(mark) = props.mark {
                    <span class={classes!("since", mark)}>{ t(&format!("compare-{mark}")) }</span>
                }
                <span class="main-fields">{ main_fields(props) }</span>
                <span class="spacer"></span>
                { outcome(props.report.as_ref()) }
            </div>
            if props.selected {
                <div class="card-more">
                    <Later<CardProps> view={&MORE} with={props.clone()} />
                </div>
            }
            { for rest.map(|p| html! { <p class="error" role="alert">{ problem_text(p) }</p> }) }
        </li>
    }
}

/// Removes the layer and gives the focus to the one before it.
fn remover(props: &CardProps) -> impl Fn() + Clone + 'static {
    let (edit, id) = (props.edit.clone(), props.layer.id.clone());
    let before = props.earlier.last().cloned().unwrap_or_default();
    move || {
        let id = id.clone();
        edit.apply("", move |s| edit::remove(s, &id));
        focus_layer(&before);
    }
}

thread_local! {
    static WISH: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Gives the focus to a layer's card once the list has been drawn anew.
fn focus_layer(id: &str) {
    WISH.set(Some(id.to_string()));
}

/// What the builder does when it has drawn another list of layers.
pub(super) fn grant_focus() {
    let Some(id) = WISH.take() else {
        return;
    };
    let selector = format!("[data-layer=\"{id}\"] .kind");
    let found = gloo::utils::document().query_selector(&selector);
    if let Some(card) = found.ok().flatten()
        && let Ok(card) = card.dyn_into::<HtmlElement>()
    {
        // A card that cannot take the focus leaves it where it is.
        let _ = card.focus();
    }
}

/// The output's shape and the number of parameters.
fn outcome(report: Option<&LayerReport>) -> Html {
    let Some(r) = report else {
        return html! {};
    };
    html! {
        <span class="outcome figure">
            <span title={t("shape-hint")}>{ shape(&r.shape) }</span>
            if r.params > 0 {
                <span class="dim" title={t_args("layer-params", &[("n", count(r.params as u64).into())])}>
                    { t_args("layer-params-short", &[("n", count(r.params as u64).into())]) }
                </span>
            }
        </span>
    }
}

/// The handle by which a pointer drags the card.
fn handle(props: &CardProps) -> Html {
    let index = props.index;
    let emit = |make: fn(&PointerEvent) -> DragStep| {
        let on_drag = props.on_drag.clone();
        Callback::from(move |e: PointerEvent| on_drag.emit((index, make(&e))))
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

fn id_field(props: &CardProps) -> Html {
    let old = props.layer.id.clone();
    let (edit, dispatch) = (props.edit.clone(), props.on_select.clone());
    let onchange = Callback::from(move |e: Event| {
        let new = e
            .target_unchecked_into::<HtmlInputElement>()
            .value()
            .trim()
            .to_string();
        let (from, to) = (old.clone(), new.clone());
        edit.apply("", move |s| edit::rename(s, &from, &to));
        dispatch.emit(Some(new.into()));
    });
    html! {
        <Field label={t("layer-id")} hint={AttrValue::from(t("layer-id-hint"))} error={props.error("id")}>
            <input type="text" class="code" spellcheck="false" autocomplete="off" maxlength="40" value={props.layer.id.clone()} {onchange} />
        </Field>
    }
}

pub(super) fn activation_name(a: Activation) -> String {
    t(&format!("activation-{}", slug(&a)))
}

pub(super) fn activation_of(value: &str) -> Option<Activation> {
    Activation::ALL.into_iter().find(|a| slug(a) == value)
}

pub(super) fn activations(none: bool) -> Vec<(AttrValue, AttrValue)> {
    let none = none.then(|| (AttrValue::Static(""), AttrValue::from(t("activation-none"))));
    none.into_iter()
        .chain(
            Activation::ALL
                .into_iter()
                .map(|a| (slug(&a).into(), activation_name(a).into())),
        )
        .collect()
}

/// What is always in sight.
fn main_fields(props: &CardProps) -> Html {
    match &props.layer.kind {
        LayerKind::Linear {
            units, activation, ..
        } => html! {
            <>
                <NumberField
                    label={t("units")}
                    bare={true}
                    integer={true}
                    min={0.0}
                    value={*units as f32}
                    error={props.error("units")}
                    on_change={props.set("units", |k, v: f32| if let LayerKind::Linear { units, .. } = k { *units = v as usize })}
                />
                <SelectField
                    label={t("activation")}
                    bare={true}
                    value={activation.map(|a| slug(&a)).unwrap_or_default()}
                    options={activations(true)}
                    on_change={props.set("activation", |k, v: String| if let LayerKind::Linear { activation, .. } = k { *activation = activation_of(&v) })}
                />
            </>
        },
        LayerKind::Activation { function, .. } => html! {
            <SelectField
                label={t("activation")}
                bare={true}
                value={slug(function)}
                options={activations(false)}
                on_change={props.set("activation", |k, v: String| {
                    if let (LayerKind::Activation { function, alpha }, Some(a)) = (k, activation_of(&v)) {
                        *function = a;
                        *alpha = None;
                    }
                })}
            />
        },
        LayerKind::Dropout { rate } => html! {
            <NumberField
                label={t("rate")}
                bare={true}
                value={*rate}
                step={0.05}
                error={props.error("rate")}
                on_change={props.set("rate", |k, v: f32| if let LayerKind::Dropout { rate } = k { *rate = v })}
            />
        },
        LayerKind::Reshape { shape } => shape_field(props, shape),
        LayerKind::Concatenate { axis } => html! {
            <NumberField
                label={t("axis")}
                bare={true}
                integer={true}
                value={*axis as f32}
                error={props.error("axis")}
                on_change={props.set("axis", |k, v: f32| if let LayerKind::Concatenate { axis } = k { *axis = v as i64 })}
            />
        },
        LayerKind::Flatten | LayerKind::Add => html! {},
        kind => {
            let view = if spatial_fields::concerns(kind) {
                &SPATIAL
            } else {
                &SEQUENCE
            };
            html! { <Later<CardProps> {view} with={props.clone()} /> }
        }
    }
}

fn shape_field(props: &CardProps, dims: &[i64]) -> Html {
    let text = dims
        .iter()
        .map(i64::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let old = text.clone();
    let set = props.set("shape", |k, v: Vec<i64>| {
        if let LayerKind::Reshape { shape } = k {
            *shape = v;
        }
    });
    let onchange = Callback::from(move |e: Event| {
        let input: HtmlInputElement = e.target_unchecked_into();
        let value = input.value().replace('−', "-");
        let dims: Result<Vec<i64>, _> = value
            .split(|c: char| c != '-' && !c.is_ascii_digit())
            .filter(|s| !s.is_empty())
            .map(str::parse)
            .collect();
        match dims {
            Ok(dims) => set.emit(dims),
            Err(_) => input.set_value(&old),
        }
    });
    html! {
        <Field label={t("target-shape")} hint={AttrValue::from(t("target-shape-hint"))} bare={true} error={props.error("shape")}>
            <input type="text" class="code" autocomplete="off" spellcheck="false" value={text} {onchange} />
        </Field>
    }
}

/// What is in sight when the card is selected.
fn more_fields(props: &CardProps) -> Html {
    match &props.layer.kind {
        LayerKind::Linear {
            bias,
            weight_init,
            bias_init,
            ..
        } => html! {
            <>
                <CheckField
                    label={t("bias")}
                    value={*bias}
                    on_change={props.set("", |k, v: bool| if let LayerKind::Linear { bias, .. } = k { *bias = v })}
                />
                { init_field(props, "weight_init", t("weight-init"), *weight_init, |k, v| {
                    if let LayerKind::Linear { weight_init, .. } = k { *weight_init = v }
                }) }
                if *bias {
                    { init_field(props, "bias_init", t("bias-init"), *bias_init, |k, v| {
                        if let LayerKind::Linear { bias_init, .. } = k { *bias_init = v }
                    }) }
                }
            </>
        },
        LayerKind::Activation { function, alpha } => {
            if !matches!(
                function,
                Activation::LeakyRelu | Activation::Elu | Activation::Softplus
            ) {
                return html! {};
            }
            html! {
                <NumberField
                    label={t("alpha")}
                    value={alpha.unwrap_or_else(|| function.default_alpha(props.framework))}
                    step={0.05}
                    error={props.error("alpha")}
                    on_change={props.set("alpha", |k, v: f32| if let LayerKind::Activation { alpha, .. } = k { *alpha = Some(v) })}
                />
            }
        }
        kind if spatial_fields::concerns(kind) => spatial_fields::more_fields(props),
        _ => sequence_fields::more_fields(props),
    }
}

/// Initialisers as the list offers them, with the numbers that they start with.
fn inits() -> [Init; 14] {
    [
        Init::TorchDefault,
        Init::GlorotUniform,
        Init::GlorotNormal,
        Init::HeUniform,
        Init::HeNormal,
        Init::LecunUniform,
        Init::LecunNormal,
        Init::Orthogonal { gain: 1.0 },
        Init::Zeros,
        Init::Ones,
        Init::Constant { value: 0.1 },
        Init::Uniform {
            low: -0.1,
            high: 0.1,
        },
        Init::Normal {
            mean: 0.0,
            std: 0.05,
        },
        Init::TruncatedNormal {
            mean: 0.0,
            std: 0.05,
        },
    ]
}

pub(super) fn init_field(
    props: &CardProps,
    field: &'static str,
    label: String,
    value: Option<Init>,
    write: fn(&mut LayerKind, Option<Init>),
) -> Html {
    let mut options = vec![(AttrValue::Static(""), AttrValue::from(t("init-default")))];
    options.extend(inits().iter().map(|i| {
        let s = slug(i);
        (s.clone().into(), t(&format!("init-{s}")).into())
    }));
    let on_change = props.set(field, move |k, v: String| {
        write(k, inits().into_iter().find(|i| slug(i) == v));
    });
    let numbers: Vec<(&str, f32)> = match value {
        Some(Init::Constant { value }) => vec![("value", value)],
        Some(Init::Orthogonal { gain }) => vec![("gain", gain)],
        Some(Init::Uniform { low, high }) => vec![("low", low), ("high", high)],
        Some(Init::Normal { mean, std } | Init::TruncatedNormal { mean, std }) => {
            vec![("mean", mean), ("std", std)]
        }
        _ => Vec::new(),
    };
    html! {
        <>
            <SelectField
                {label}
                value={value.map(|i| slug(&i)).unwrap_or_default()}
                {options}
                {on_change}
                error={props.error(field)}
            />
            { for numbers.iter().enumerate().map(|(place, (name, number))| {
                let on_change = props.set(field, move |k, v: f32| {
                    write(k, value.map(|i| with_number(i, place, v)));
                });
                html! {
                    <NumberField
                        key={format!("{field}-{name}")}
                        label={t(&format!("init-{name}"))}
                        hint={AttrValue::from(exact(*number))}
                        value={*number}
                        step={0.05}
                        {on_change}
                    />
                }
            }) }
        </>
    }
}

/// The initialiser with its first or second number replaced.
fn with_number(init: Init, place: usize, v: f32) -> Init {
    match (init, place) {
        (Init::Constant { .. }, _) => Init::Constant { value: v },
        (Init::Orthogonal { .. }, _) => Init::Orthogonal { gain: v },
        (Init::Uniform { high, .. }, 0) => Init::Uniform { low: v, high },
        (Init::Uniform { low, .. }, _) => Init::Uniform { low, high: v },
        (Init::Normal { std, .. }, 0) => Init::Normal { mean: v, std },
        (Init::Normal { mean, .. }, _) => Init::Normal { mean, std: v },
        (Init::TruncatedNormal { std, .. }, 0) => Init::TruncatedNormal { mean: v, std },
        (Init::TruncatedNormal { mean, .. }, _) => Init::TruncatedNormal { mean, std: v },
        (other, _) => other,
    }
}
