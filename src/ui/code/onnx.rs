//! The trained network as an ONNX file.
use super::bridge;
use crate::train::protocol::Failure;
use crate::ui::i18n::{failure_text, t, use_lang};
use crate::ui::plot::browser::download;
use js_sys::Array;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct OnnxProps {
    /// What the file is called; None where there is no run to take weights of.
    pub name: Option<AttrValue>,
}

#[component]
pub fn Onnx(props: &OnnxProps) -> Html {
    use_lang();
    let wrong = use_state_eq(|| None::<Failure>);
    let busy = use_state_eq(|| false);
    let onclick = {
        let (name, wrong, busy) = (props.name.clone(), wrong.setter(), busy.setter());
        Callback::from(move |_: MouseEvent| {
            let Some(name) = name.clone() else { return };
            let (wrong, busy) = (wrong.clone(), busy.clone());
            busy.set(true);
            spawn_local(async move {
                match bridge::to_onnx().await {
                    Ok(bytes) => {
                        if let Ok(blob) = Blob::new_with_buffer_source_sequence(&Array::of1(&bytes))
                        {
                            download(&blob, &name);
                        }
                        wrong.set(None);
                    }
                    Err(failure) => wrong.set(Some(failure)),
                }
                busy.set(false);
            });
        })
    };
    html! {
        <>
            <button type="button" class="button" disabled={props.name.is_none() || *busy} title={t("script-save-onnx")} {onclick}>{ ".onnx" }</button>
            if let Some(failure) = &*wrong {
                <span class="error" role="alert">{ failure_text(failure) }</span>
            }
        </>
    }
}
