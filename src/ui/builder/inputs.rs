//! What a layer reads.
use super::super::i18n::{problem_text, t, use_lang};
use crate::spec::{LayerKind, LayerSpec, Problem, Spec};
use crate::ui::fields::{CheckField, SelectField};
use crate::ui::store::Edit;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct InputsProps {
    pub layer: LayerSpec,
    /// `input` and the layers before it.
    pub earlier: Vec<AttrValue>,
    pub error: Option<Problem>,
    pub edit: Edit,
}

/// The name under which the data is shown.
fn shown(id: &str) -> String {
    if id == "input" {
        t("input")
    } else {
        id.to_string()
    }
}

fn set_inputs(spec: &mut Spec, id: &str, change: impl FnOnce(&mut Vec<String>)) {
    if let Some(layer) = spec.layers.iter_mut().find(|l| l.id == id) {
        change(&mut layer.inputs);
    }
}

#[component]
pub fn Inputs(props: &InputsProps) -> Html {
    use_lang();
    let layer = &props.layer;
    let error: Option<AttrValue> = props.error.as_ref().map(|p| problem_text(p).into());
    let id = layer.id.clone();
    if !matches!(layer.kind, LayerKind::Add | LayerKind::Concatenate { .. }) {
        let mut options = vec![(AttrValue::Static(""), AttrValue::from(t("layer-before")))];
        options.extend(
            props
                .earlier
                .iter()
                .map(|e| (e.clone(), AttrValue::from(shown(e)))),
        );
        let on_change = props.edit.with("inputs", move |s: &mut Spec, v: String| {
            set_inputs(s, &id, |inputs| {
                inputs.clear();
                inputs.extend((!v.is_empty()).then_some(v));
            });
        });
        return html! {
            <SelectField
                label={t("reads")}
                value={layer.inputs.first().cloned().unwrap_or_default()}
                {options}
                {on_change}
                {error}
                class={super::card_fields::expert(layer.inputs.is_empty())}
            />
        };
    }
    html! {
        <div class="field wide">
            <div class="row">
            <span class="label">{ t("reads") }</span>
            <span class="chips" role="group" aria-label={t("reads")}>
                { for props.earlier.iter().map(|e| {
                    let (id, name) = (id.clone(), e.to_string());
                    let on_change = props.edit.with("inputs", move |s: &mut Spec, on: bool| {
                        set_inputs(s, &id, |inputs| {
                            inputs.retain(|i| *i != name);
                            if on {
                                inputs.push(name.clone());
                            }
                        });
                    });
                    html! {
                        <CheckField
                            key={e.to_string()}
                            label={shown(e)}
                            value={layer.inputs.iter().any(|i| *i == **e)}
                            {on_change}
                        />
                    }
                }) }
            </span>
            </div>
            if let Some(error) = error {
                <p class="error" role="alert">{ error }</p>
            }
        </div>
    }
}
