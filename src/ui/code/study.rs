//! What an Optuna study tries: its ranges, as they stand in the script.
use crate::ui::fields::{CheckField, NumberField, SelectField, TextInput};
use crate::ui::i18n::{t, t_args, use_lang};
use serde_json::{Value, json};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct StudyProps {
    /// As the module for code gives it: `{trials, prune, knobs}`.
    pub study: Rc<Value>,
    pub on_change: Callback<Rc<Value>>,
}

#[component]
pub fn StudyEditor(props: &StudyProps) -> Html {
    use_lang();
    let study = &props.study;
    // A change of one entry.
    let set = |path: String| {
        let (study, emit) = (study.clone(), props.on_change.clone());
        move |value: Value| {
            let mut study = (*study).clone();
            if let Some(place) = study.pointer_mut(&path) {
                *place = value;
                emit.emit(Rc::new(study));
            }
        }
    };
    let trials = set("/trials".into());
    let prune = set("/prune".into());
    let empty = Vec::new();
    let knobs = study["knobs"].as_array().unwrap_or(&empty);
    html! {
        <fieldset class="study">
            <legend>{ t("study-legend") }</legend>
            <p class="dim">{ t("study-about") }</p>
            <div class="view-tools">
                <NumberField
                    label={t("study-trials")}
                    integer={true}
                    min={1.0}
                    value={study["trials"].as_f64().unwrap_or(30.0) as f32}
                    on_change={Callback::from(move |v: f32| trials(json!(v as u64)))}
                />
                <CheckField
                    label={t("study-prune")}
                    value={study["prune"].as_bool().unwrap_or(true)}
                    on_change={Callback::from(move |v: bool| prune(json!(v)))}
                />
            </div>
            <ul class="study-knobs">
                { for knobs.iter().enumerate().map(|(i, k)| knob(i, k, &set)) }
            </ul>
        </fieldset>
    }
}

/// What a knob is called.
fn title(key: &str) -> String {
    let of = |name: &str, id: &str| t_args(name, &[("layer", id.into())]);
    match key.split_once(':') {
        Some(("units", id)) => of("study-units", id),
        Some((_, id)) => of("study-rate", id),
        None => match key {
            "learning_rate" => t("learning-rate"),
            "batch_size" => t("batch-size"),
            _ => t("optimizer"),
        },
    }
}

fn knob<F>(i: usize, k: &Value, set: &impl Fn(String) -> F) -> Html
where
    F: Fn(Value) + 'static,
{
    let name = title(k["key"].as_str().unwrap_or_default());
    let on = k["on"].as_bool().unwrap_or(false);
    let switch = set(format!("/knobs/{i}/on"));
    let number = |end: &str| k[end].as_f64().unwrap_or(0.0) as f32;
    let whole = k["kind"] == "whole";
    let change = |end: &str| {
        let set = set(format!("/knobs/{i}/{end}"));
        Callback::from(move |v: f32| {
            set(match whole {
                true => json!(v as u64),
                false => json!(v.to_string().parse::<f64>().unwrap_or(f64::from(v))),
            });
        })
    };
    let field = |end: &str, label: &str| {
        html! {
            <NumberField
                label={format!("{name}, {}", t(label))}
                bare={true}
                integer={whole}
                min={0.0}
                value={number(end)}
                on_change={change(end)}
            />
        }
    };
    let body = match k["kind"].as_str() {
        Some("choice") => {
            let empty = Vec::new();
            let all = k["choices"].as_array().unwrap_or(&empty);
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            let take = set(format!("/knobs/{i}/choices"));
            let on_take = Callback::from(move |input: HtmlInputElement| {
                let value = input.value();
                let all: Vec<&str> = value
                    .split([',', '，', ' '])
                    .filter(|s| !s.is_empty())
                    .collect();
                take(json!(all));
            });
            html! {
                <label class="study-choices">
                    <span class="unseen">{ format!("{name}, {}", t("study-choices")) }</span>
                    <TextInput value={all.join(", ")} {on_take} />
                </label>
            }
        }
        _ => html! {
            <>
                { field("low", "study-from") }
                <span aria-hidden="true">{ "…" }</span>
                { field("high", "study-to") }
            </>
        },
    };
    html! {
        <li key={k["key"].as_str().unwrap_or_default().to_string()}>
            <CheckField label={name.clone()} value={on} on_change={Callback::from(move |v: bool| switch(json!(v)))} />
            if on {
                <span class="study-range">{ body }</span>
            }
        </li>
    }
}

#[derive(Properties, PartialEq)]
pub struct FormProps {
    pub study: bool,
    pub on_change: Callback<bool>,
}

/// Whether the script trains the network once or searches.
#[component]
pub fn Form(props: &FormProps) -> Html {
    use_lang();
    let emit = props.on_change.clone();
    let options = [("script", "script-plain"), ("study", "script-study")];
    html! {
        <SelectField
            label={t("script-form")}
            bare={true}
            value={if props.study { "study" } else { "script" }}
            options={options.map(|(v, key)| (v.into(), t(key).into())).to_vec()}
            on_change={Callback::from(move |v: String| emit.emit(v == "study"))}
        />
    }
}
