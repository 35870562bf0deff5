//! A card's fields: the main ones in its line, the others below it.
use super::super::i18n::t;
use super::super::numbers::exact;
use super::ask::Ask;
use super::card::CardProps;
use super::{sequence_fields, spatial_fields};
use crate::lazy;
use crate::spec::{Activation, Init, LayerKind, edit};
use crate::ui::fields::{CheckField, Field, NumberField, SIZES, SelectField, TextInput, slug};
use crate::ui::later::{Later, View};
use web_sys::HtmlInputElement;
use yew::prelude::*;

lazy! { static SPATIAL: View<CardProps>, in page layers = |p| spatial_fields::main_fields(&p); }
lazy! { static SEQUENCE: View<CardProps>, in page layers = |p| sequence_fields::main_fields(&p); }

/// Hidden in the view with fewer fields, as long as it is as it comes.
pub(super) fn expert(default: bool) -> Classes {
    classes!(default.then_some("expert"))
}

pub(super) fn id_field(props: &CardProps) -> Html {
    let old = props.layer.id.clone();
    let (change, on_ask) = (props.edit.clone(), props.on_ask.clone());
    let on_take = Callback::from(move |input: HtmlInputElement| {
        let new = input.value().trim().to_string();
        let (from, to) = (old.clone(), new.clone());
        change.apply("", move |s| edit::rename(s, &from, &to));
        on_ask.emit(Ask::Select(Some(new.into())));
    });
    html! {
        <Field label={t("layer-id")} hint={AttrValue::from(t("layer-id-hint"))} error={props.error("id")} class="expert">
            <TextInput class="code" maxlength="40" value={props.layer.id.clone()} {on_take} />
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
pub(super) fn main_fields(props: &CardProps) -> Html {
    match &props.layer.kind {
        LayerKind::Linear {
            units, activation, ..
        } => html! {
            <>
                <NumberField
                    label={t("units")}
                    choices={SIZES}
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
                choices={&["0", "0.1", "0.2", "0.25", "0.3", "0.4", "0.5"][..]}
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
                choices={&["-1", "1", "2"][..]}
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
    let on_take = Callback::from(move |input: HtmlInputElement| {
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
            <TextInput class="code" value={text} choices={&["-1", "784", "28, 28", "1, 28, 28", "8, 8", "1, 8, 8", "-1, 1"][..]} {on_take} />
        </Field>
    }
}

/// What is in sight when the card is selected.
pub(super) fn more_fields(props: &CardProps) -> Html {
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
                    class={expert(*bias)}
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
                class={expert(value.is_none())}
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
