//! A card's fields for layers on images and sequences, and for normalisations.
use super::super::i18n::t;
use super::card::CardProps;
use super::card_fields::{activation_of, activations, expert, init_field};
use crate::spec::{Conv, LayerKind, Norm, Padding, PaddingName, Pool, Size, default_momentum};
use crate::ui::fields::{CheckField, Field, NumberField, SIZES, SelectField, TextInput, slug};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Whether this file has the layer's fields.
pub(super) fn concerns(kind: &LayerKind) -> bool {
    conv_of(kind).is_some()
        || pool_of(kind).is_some()
        || matches!(
            kind,
            LayerKind::Upsample { .. }
                | LayerKind::BatchNorm { .. }
                | LayerKind::LayerNorm { .. }
                | LayerKind::RmsNorm { .. }
        )
}

/// Fields that stand below the card's line and show their own problems.
pub(super) const BELOW: &[&str] = &[
    "stride",
    "padding",
    "output_padding",
    "dilation",
    "groups",
    "momentum",
    "epsilon",
    "axes",
    "weight_init",
    "bias_init",
    "id",
    "inputs",
];

fn conv_of(kind: &LayerKind) -> Option<&Conv> {
    match kind {
        LayerKind::Conv1d(c)
        | LayerKind::Conv2d(c)
        | LayerKind::ConvTranspose2d { conv: c, .. } => Some(c),
        _ => None,
    }
}

fn conv_mut(kind: &mut LayerKind) -> Option<&mut Conv> {
    match kind {
        LayerKind::Conv1d(c)
        | LayerKind::Conv2d(c)
        | LayerKind::ConvTranspose2d { conv: c, .. } => Some(c),
        _ => None,
    }
}

fn pool_of(kind: &LayerKind) -> Option<&Pool> {
    match kind {
        LayerKind::MaxPool1d(p)
        | LayerKind::MaxPool2d(p)
        | LayerKind::AvgPool1d(p)
        | LayerKind::AvgPool2d(p) => Some(p),
        _ => None,
    }
}

fn pool_mut(kind: &mut LayerKind) -> Option<&mut Pool> {
    match kind {
        LayerKind::MaxPool1d(p)
        | LayerKind::MaxPool2d(p)
        | LayerKind::AvgPool1d(p)
        | LayerKind::AvgPool2d(p) => Some(p),
        _ => None,
    }
}

fn size_text(size: Size) -> String {
    match size {
        Size::One(n) => n.to_string(),
        Size::Two([a, b]) => format!("{a}, {b}"),
    }
}

/// `3`, `3, 5`, `3×5`; None for anything else.
fn size_of(text: &str) -> Option<Size> {
    let numbers: Result<Vec<usize>, _> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|s| !s.is_empty())
        .map(str::parse)
        .collect();
    let plain = |c: char| c.is_ascii_digit() || " ,×x，".contains(c);
    match *numbers.ok().filter(|_| text.chars().all(plain))? {
        [n] => Some(Size::One(n)),
        [a, b] if a == b => Some(Size::One(a)),
        [a, b] => Some(Size::Two([a, b])),
        _ => None,
    }
}

fn padding_text(padding: Padding) -> String {
    match padding {
        Padding::Named(PaddingName::Valid) => "valid".into(),
        Padding::Named(PaddingName::Same) => "same".into(),
        Padding::By(size) => size_text(size),
    }
}

fn padding_of(text: &str) -> Option<Padding> {
    match text.to_ascii_lowercase().as_str() {
        "same" => Some(Padding::Named(PaddingName::Same)),
        "valid" => Some(Padding::Named(PaddingName::Valid)),
        text => size_of(text).map(Padding::By),
    }
}

/// What is usually written in a field.
fn usual(field: &str) -> &'static [&'static str] {
    match field {
        "padding" => &["valid", "same", "0", "1", "2", "3"],
        "stride" | "dilation" | "factor" => &["1", "2", "3", "4"],
        "output_padding" => &["0", "1"],
        _ => &["1", "2", "3", "4", "5", "7"],
    }
}

/// A short text that is read by `parse`; what cannot be read is put back.
fn text_field<T: 'static>(
    props: &CardProps,
    field: &'static str,
    (label, hint): (String, String),
    bare: bool,
    text: String,
    parse: fn(&str) -> Option<T>,
    write: fn(&mut LayerKind, T),
) -> Html {
    let set = props.set(field, write);
    let old = text.clone();
    // As they come, these are for the full view.
    let plain = match field {
        "dilation" => text == "1",
        "output_padding" => text == "0",
        _ => false,
    };
    let on_take =
        Callback::from(
            move |input: HtmlInputElement| match parse(input.value().trim()) {
                Some(v) => set.emit(v),
                None => input.set_value(&old),
            },
        );
    html! {
        <Field {label} hint={AttrValue::from(hint)} {bare} error={props.error(field)} class={expert(plain)}>
            <TextInput class="number" value={text} choices={usual(field)} invalid={props.error(field).is_some()} {on_take} />
        </Field>
    }
}

pub(super) fn main_fields(props: &CardProps) -> Html {
    let kind = &props.layer.kind;
    if let Some(c) = conv_of(kind) {
        return html! {
            <>
                <NumberField
                    label={t("filters")}
                    choices={SIZES}
                    hint={AttrValue::from(t("filters-hint"))}
                    bare={true}
                    integer={true}
                    min={0.0}
                    value={c.filters as f32}
                    error={props.error("filters")}
                    on_change={props.set("filters", |k, v: f32| if let Some(c) = conv_mut(k) { c.filters = v as usize })}
                />
                { text_field(props, "kernel", (t("kernel"), t("kernel-hint")), true, size_text(c.kernel), size_of,
                    |k, v| if let Some(c) = conv_mut(k) { c.kernel = v }) }
                <SelectField
                    label={t("activation")}
                    bare={true}
                    value={c.activation.map(|a| slug(&a)).unwrap_or_default()}
                    options={activations(true)}
                    on_change={props.set("activation", |k, v: String| if let Some(c) = conv_mut(k) { c.activation = activation_of(&v) })}
                />
            </>
        };
    }
    if let Some(p) = pool_of(kind) {
        let label = (t("pool-size"), t("kernel-hint"));
        return text_field(
            props,
            "kernel",
            label,
            true,
            size_text(p.kernel),
            size_of,
            |k, v| {
                if let Some(p) = pool_mut(k) {
                    p.kernel = v;
                }
            },
        );
    }
    if let LayerKind::Upsample { factor } = kind {
        let label = (t("factor"), t("factor-hint"));
        return text_field(
            props,
            "factor",
            label,
            true,
            size_text(*factor),
            size_of,
            |k, v| {
                if let LayerKind::Upsample { factor } = k {
                    *factor = v;
                }
            },
        );
    }
    html! {}
}

pub(super) fn more_fields(props: &CardProps) -> Html {
    match &props.layer.kind {
        kind if conv_of(kind).is_some() => conv_fields(props),
        kind if pool_of(kind).is_some() => pool_fields(props),
        LayerKind::BatchNorm {
            momentum, affine, ..
        } => {
            let name = format!("norm-momentum-{}", slug(&props.framework));
            html! {
                <>
                    <NumberField
                        label={t(&name)}
                        hint={AttrValue::from(t(&format!("{name}-hint")))}
                        class={expert(momentum.is_none())}
                        value={momentum.unwrap_or(default_momentum(props.framework))}
                        step={0.01}
                        error={props.error("momentum")}
                        on_change={props.set("momentum", |k, v: f32| if let LayerKind::BatchNorm { momentum, .. } = k { *momentum = Some(v) })}
                    />
                    { epsilon_field(props, Norm::Batch) }
                    <CheckField
                        label={t("affine")}
                        hint={AttrValue::from(t("affine-hint"))}
                        value={*affine}
                        class={expert(*affine)}
                        on_change={props.set("", |k, v: bool| if let LayerKind::BatchNorm { affine, .. } = k { *affine = v })}
                    />
                </>
            }
        }
        LayerKind::LayerNorm { axes, bias, .. } => html! {
            <>
                { axes_field(props, *axes) }
                { epsilon_field(props, Norm::Layer) }
                <CheckField
                    label={t("bias")}
                    value={*bias}
                    class={expert(*bias)}
                    on_change={props.set("", |k, v: bool| if let LayerKind::LayerNorm { bias, .. } = k { *bias = v })}
                />
            </>
        },
        LayerKind::RmsNorm { axes, .. } => html! {
            <>
                { axes_field(props, *axes) }
                { epsilon_field(props, Norm::Rms) }
            </>
        },
        _ => html! {},
    }
}

fn conv_fields(props: &CardProps) -> Html {
    let Some(c) = conv_of(&props.layer.kind) else {
        return html! {};
    };
    let more = match &props.layer.kind {
        LayerKind::ConvTranspose2d { output_padding, .. } => {
            let label = (t("output-padding"), t("output-padding-hint"));
            let text = size_text(*output_padding);
            text_field(
                props,
                "output_padding",
                label,
                false,
                text,
                size_of,
                |k, v| {
                    if let LayerKind::ConvTranspose2d { output_padding, .. } = k {
                        *output_padding = v;
                    }
                },
            )
        }
        _ => html! {},
    };
    html! {
        <>
            { text_field(props, "stride", (t("stride"), t("stride-hint")), false, size_text(c.stride), size_of,
                |k, v| if let Some(c) = conv_mut(k) { c.stride = v }) }
            { text_field(props, "padding", (t("padding"), t("padding-hint")), false, padding_text(c.padding), padding_of,
                |k, v| if let Some(c) = conv_mut(k) { c.padding = v }) }
            { more }
            { text_field(props, "dilation", (t("dilation"), t("dilation-hint")), false, size_text(c.dilation), size_of,
                |k, v| if let Some(c) = conv_mut(k) { c.dilation = v }) }
            <NumberField
                label={t("groups")}
                choices={&["1", "2", "4", "8", "16"][..]}
                hint={AttrValue::from(t("groups-hint"))}
                integer={true}
                min={0.0}
                class={expert(c.groups == 1)}
                value={c.groups as f32}
                error={props.error("groups")}
                on_change={props.set("groups", |k, v: f32| if let Some(c) = conv_mut(k) { c.groups = v as usize })}
            />
            <CheckField
                label={t("bias")}
                value={c.bias}
                class={expert(c.bias)}
                on_change={props.set("", |k, v: bool| if let Some(c) = conv_mut(k) { c.bias = v })}
            />
            { init_field(props, "weight_init", t("weight-init"), c.weight_init, |k, v| {
                if let Some(c) = conv_mut(k) { c.weight_init = v }
            }) }
            if c.bias {
                { init_field(props, "bias_init", t("bias-init"), c.bias_init, |k, v| {
                    if let Some(c) = conv_mut(k) { c.bias_init = v }
                }) }
            }
        </>
    }
}

fn pool_fields(props: &CardProps) -> Html {
    let Some(p) = pool_of(&props.layer.kind) else {
        return html! {};
    };
    let stride = p.stride.map(size_text).unwrap_or_default();
    // An empty field is the kernel's own size.
    let parse: fn(&str) -> Option<Option<Size>> = |text| match text {
        "" => Some(None),
        text => size_of(text).map(Some),
    };
    html! {
        <>
            { text_field(props, "stride", (t("stride"), t("stride-hint")), false, stride, parse,
                |k, v| if let Some(p) = pool_mut(k) { p.stride = v }) }
            { text_field(props, "padding", (t("padding"), t("padding-hint")), false, padding_text(p.padding), padding_of,
                |k, v| if let Some(p) = pool_mut(k) { p.padding = v }) }
        </>
    }
}

fn axes_field(props: &CardProps, axes: usize) -> Html {
    html! {
        <NumberField
            label={t("norm-axes")}
            hint={AttrValue::from(t("norm-axes-hint"))}
            integer={true}
            min={0.0}
            value={axes as f32}
            class={expert(axes == 1)}
            error={props.error("axes")}
            on_change={props.set("axes", |k, v: f32| {
                if let LayerKind::LayerNorm { axes, .. } | LayerKind::RmsNorm { axes, .. } = k {
                    *axes = v as usize;
                }
            })}
        />
    }
}

fn epsilon_field(props: &CardProps, norm: Norm) -> Html {
    let own = match &props.layer.kind {
        LayerKind::BatchNorm { epsilon, .. }
        | LayerKind::LayerNorm { epsilon, .. }
        | LayerKind::RmsNorm { epsilon, .. } => *epsilon,
        _ => None,
    };
    html! {
        <NumberField
            label={t("norm-epsilon")}
            hint={AttrValue::from(t("norm-epsilon-hint"))}
            value={own.unwrap_or(norm.default_epsilon(props.framework))}
            class={expert(own.is_none())}
            step={1e-5}
            error={props.error("epsilon")}
            on_change={props.set("epsilon", |k, v: f32| {
                if let LayerKind::BatchNorm { epsilon, .. }
                | LayerKind::LayerNorm { epsilon, .. }
                | LayerKind::RmsNorm { epsilon, .. } = k
                {
                    *epsilon = Some(v);
                }
            })}
        />
    }
}
