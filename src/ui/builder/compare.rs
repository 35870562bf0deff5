//! What is different from the last run, and the way back to it.
use super::menu::kind_name;
use crate::spec::Spec;
use crate::spec::compare::{Comparison, How, Setting, compare};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::numbers::count;
use crate::ui::store::{Action, Before, Edit};
use serde_json::Value;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, Properties, PartialEq)]
pub struct CompareProps {
    pub spec: Rc<Spec>,
    pub before: Before,
    /// Of the network as it is now; None while something is wrong with it.
    pub params: Option<usize>,
    pub edit: Edit,
}

#[component]
pub fn Compare(props: &CompareProps) -> Html {
    use_lang();
    let key = (Rc::as_ptr(&props.before.spec) as usize, props.spec.clone());
    let found = {
        let before = props.before.spec.clone();
        use_memo(key, move |(_, now)| compare(&before, now))
    };
    let back = {
        let (edit, spec) = (props.edit.clone(), props.before.spec.clone());
        Callback::from(move |_: MouseEvent| {
            edit.0.dispatch(Action::Open(Box::new((*spec).clone())));
        })
    };
    if found.is_empty() {
        return Html::default();
    }
    let Comparison { layers, settings } = &*found;
    let changes = layers.len() + settings.len();
    html! {
        <details class="compare">
            <summary>
                { t_args("compare-title", &[("n", changes.into())]) }
                if let Some(now) = props.params.filter(|n| *n != props.before.params) {
                    { " · " }<span class="figure">{ difference(now, props.before.params) }</span>
                }
            </summary>
            <ul>
                { for layers.iter().map(|l| {
                    let (sign, word, fields) = match &l.how {
                        How::Added => ("+", "compare-added", None),
                        How::Removed => ("−", "compare-removed", None),
                        How::Moved => ("↕", "compare-moved", None),
                        How::Changed(fields) => ("~", "compare-changed", Some(fields)),
                    };
                    html! {
                        <li key={l.id.clone()}>
                            <span class="sign" aria-hidden="true">{ sign }</span>
                            <code>{ &l.id }</code>{ " " }
                            <span class="dim">{ kind_name(&l.kind, props.spec.framework) }{ " · " }{ t(word) }</span>
                            if let Some(fields) = fields { { values(fields) } }
                        </li>
                    }
                }) }
                if !settings.is_empty() {
                    <li>
                        <span class="sign" aria-hidden="true">{ "~" }</span>
                        { t("compare-settings") }
                        { values(settings) }
                    </li>
                }
            </ul>
            <button type="button" class="button" onclick={back}>{ t("compare-back") }</button>
        </details>
    }
}

/// `+1,024 parameters`
fn difference(now: usize, before: usize) -> String {
    let sign = if now >= before { "+" } else { "−" };
    let n = count(now.abs_diff(before) as u64);
    t_args("compare-params", &[("n", format!("{sign}{n}").into())])
}

fn values(fields: &[Setting]) -> Html {
    html! {
        <ul>
            { for fields.iter().map(|f| html! {
                <li><code>{ &f.path }</code>{ " " }<span class="figure">{ short(&f.before) }{ " → " }{ short(&f.after) }</span></li>
            }) }
        </ul>
    }
}

fn short(v: &Value) -> String {
    const LONG: usize = 40;
    let text = match v {
        Value::Null => "–".to_string(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
