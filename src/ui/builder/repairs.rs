//! Buttons that mend what is wrong with a layer, and what the layer is in code.
use super::WORDS;
use crate::graph::repair::repairs;
use crate::spec::{Problem, Spec};
use crate::ui::i18n::{FluentValue, t_args, t_maybe, use_lang, use_more};
use crate::ui::store::Edit;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, Properties, PartialEq)]
pub struct RepairsProps {
    pub spec: Rc<Spec>,
    pub problems: Vec<Problem>,
    pub edit: Edit,
}

#[component]
pub fn Repairs(props: &RepairsProps) -> Html {
    use_lang();
    let here = use_more(WORDS);
    let key = (props.spec.clone(), props.problems.clone());
    let found = use_memo(key, |(spec, problems)| {
        let mut all = Vec::new();
        for problem in problems {
            for repair in repairs(spec, None, problem) {
                if !all.contains(&repair) {
                    all.push(repair);
                }
            }
        }
        all
    });
    if found.is_empty() || !here {
        return Html::default();
    }
    html! {
        <p class="repairs">
            { for found.iter().map(|r| {
                let (edit, spec) = (props.edit.clone(), r.spec.clone());
                let onclick = Callback::from(move |e: MouseEvent| {
                    e.stop_propagation();
                    let spec = spec.clone();
                    edit.apply("", move |s| *s = spec);
                });
                let text = words(r.code, &r.args);
                html! { <button type="button" class="button repair" key={text.clone()} {onclick}>{ text }</button> }
            }) }
        </p>
    }
}

/// What a repair does. Names of fields are in the visitor's words.
fn words(code: &str, args: &[(&'static str, String)]) -> String {
    let word = |name: &str, value: &String| match name {
        "name" => t_maybe(&format!("field-{}", value.replace('_', "-"))),
        "activation" => t_maybe(&format!("activation-{}", value.replace('_', "-"))),
        _ => None,
    };
    let args: Vec<(&str, FluentValue)> = args
        .iter()
        .map(|(k, v)| (*k, word(k, v).unwrap_or_else(|| v.clone()).into()))
        .collect();
    t_args(&format!("repair-{code}"), &args)
}
