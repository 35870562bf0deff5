//! The weights trained here, and the lines that load them where the script runs.
use super::bridge::Script;
use crate::train::protocol::{Failure, Request, RunId};
use crate::ui::i18n::{failure_text, t, t_args, use_lang};
use crate::ui::link::Link;
use crate::ui::plot::browser::download;
use js_sys::Array;
use serde_json::Value;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct WeightsProps {
    pub script: Rc<Script>,
    pub run: Option<(Link, RunId)>,
}

#[component]
pub fn Weights(props: &WeightsProps) -> Html {
    use_lang();
    let wrong = use_state_eq(|| None::<Failure>);
    let onclick = {
        let (run, wrong, name) = (
            props.run.clone(),
            wrong.setter(),
            props.script.weights.clone(),
        );
        Callback::from(move |_: MouseEvent| {
            let Some((link, run)) = run.clone() else {
                return;
            };
            let (wrong, name) = (wrong.clone(), name.clone());
            spawn_local(async move {
                let request = Request::Weights { run };
                match link.call::<Value>(&request, Vec::new(), &[]).await {
                    Ok((_, buffers)) => {
                        let parts: Array = buffers.iter().collect();
                        if let Ok(blob) = Blob::new_with_buffer_source_sequence(&parts) {
                            download(&blob, &name);
                        }
                        wrong.set(None);
                    }
                    Err(failure) => wrong.set(Some(failure)),
                }
            });
        })
    };
    let Some(loader) = &props.script.loader else {
        return html! { <p class="dim">{ t("weights-other") }</p> };
    };
    html! {
        <details class="more code-weights">
            <summary>{ t("weights-out") }</summary>
            <p class="dim">{ t("weights-about") }</p>
            <button type="button" class="button" disabled={props.run.is_none()} {onclick}>{ t_args("weights-save", &[("name", props.script.weights.as_str().into())]) }</button>
            if let Some(failure) = &*wrong {
                <p class="error" role="alert">{ failure_text(failure) }</p>
            }
            <pre class="code-text loader" tabindex="0" aria-label={t("weights-out")}>{ loader }</pre>
        </details>
    }
}
