//! Fields of the layers over sequences.
use super::super::i18n::t;
use super::card::CardProps;
use super::card_fields::{activation_name, activation_of};
use crate::spec::{LayerKind, Recurrence};
use crate::ui::fields::{CheckField, NumberField, SIZES, SelectField, slug};
use yew::prelude::*;

/// Usual sizes of a vocabulary.
const VOCABULARIES: &[&str] = &["100", "500", "1000", "2000", "5000", "10000", "20000"];

/// A whole number of the layer.
fn number(
    props: &CardProps,
    name: &'static str,
    label: String,
    value: usize,
    field: fn(&mut LayerKind) -> Option<&mut usize>,
) -> Html {
    html! {
        <NumberField
            {label}
            choices={if name == "vocab" { VOCABULARIES } else { SIZES }}
            bare={true}
            integer={true}
            min={0.0}
            value={value as f32}
            error={props.error(name)}
            on_change={props.set(name, move |k, v: f32| if let Some(n) = field(k) { *n = v as usize })}
        />
    }
}

fn check(
    props: &CardProps,
    label: String,
    value: bool,
    field: fn(&mut LayerKind) -> Option<&mut bool>,
) -> Html {
    html! {
        <CheckField
            {label}
            {value}
            on_change={props.set("", move |k, v: bool| if let Some(b) = field(k) { *b = v })}
        />
    }
}

fn recurrence(k: &mut LayerKind) -> Option<&mut Recurrence> {
    match k {
        LayerKind::Rnn { layer, .. } | LayerKind::Lstm(layer) | LayerKind::Gru(layer) => {
            Some(layer)
        }
        _ => None,
    }
}

/// What is always in sight.
pub fn main_fields(props: &CardProps) -> Html {
    match &props.layer.kind {
        LayerKind::Embedding { vocab, dim } => html! {
            <>
                { number(props, "vocab", t("vocab"), *vocab, |k| match k {
                    LayerKind::Embedding { vocab, .. } => Some(vocab),
                    _ => None,
                }) }
                { number(props, "dim", t("dim"), *dim, |k| match k {
                    LayerKind::Embedding { dim, .. } => Some(dim),
                    _ => None,
                }) }
            </>
        },
        LayerKind::Rnn { layer, .. } | LayerKind::Lstm(layer) | LayerKind::Gru(layer) => {
            number(props, "units", t("units"), layer.units, |k| {
                recurrence(k).map(|r| &mut r.units)
            })
        }
        LayerKind::Sampling { kl } => html! {
            <NumberField
                label={t("kl")}
                bare={true}
                value={*kl}
                error={props.error("kl")}
                on_change={props.set("kl", |k, v: f32| if let LayerKind::Sampling { kl } = k { *kl = v })}
            />
        },
        LayerKind::MultiHeadAttention { heads, .. } => {
            number(props, "heads", t("heads"), *heads, |k| match k {
                LayerKind::MultiHeadAttention { heads, .. } => Some(heads),
                _ => None,
            })
        }
        _ => html! {},
    }
}

/// What is in sight when the card is selected.
pub fn more_fields(props: &CardProps) -> Html {
    match &props.layer.kind {
        LayerKind::Rnn { layer, .. } | LayerKind::Lstm(layer) | LayerKind::Gru(layer) => html! {
            <>
                if let LayerKind::Rnn { activation, .. } = &props.layer.kind {
                    <SelectField
                        label={t("activation")}
                        value={slug(activation)}
                        options={Recurrence::ACTIVATIONS.map(|a| (slug(&a).into(), activation_name(a).into())).to_vec()}
                        on_change={props.set("activation", |k, v: String| {
                            if let (LayerKind::Rnn { activation, .. }, Some(a)) = (k, activation_of(&v)) {
                                *activation = a;
                            }
                        })}
                        error={props.error("activation")}
                    />
                }
                { check(props, t("bidirectional"), layer.bidirectional, |k| recurrence(k).map(|r| &mut r.bidirectional)) }
                { check(props, t("return-sequences"), layer.return_sequences, |k| recurrence(k).map(|r| &mut r.return_sequences)) }
            </>
        },
        LayerKind::MultiHeadAttention { causal, .. } => {
            check(props, t("causal"), *causal, |k| match k {
                LayerKind::MultiHeadAttention { causal, .. } => Some(causal),
                _ => None,
            })
        }
        _ => html! {},
    }
}
