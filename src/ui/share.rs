//! A link to the network at hand.
use super::plot::browser::copy;
use super::store::{Action, Dispatch, Word};
use crate::spec::{DataSource, Spec};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = nabla, js_name = export, catch)]
    async fn export(spec: &str, format: &str) -> Result<JsValue, JsValue>;
}

/// The address of the page with this network: what of it is not the default.
pub async fn link_to(spec: &Spec) -> Option<String> {
    let link = export(&crate::json::write(spec), "link").await;
    link.ok()?.as_string()
}

/// Puts a link to this network on the clipboard and says so. It holds what is not the default; files
/// of the visitor's own stay where they are.
pub fn copy_link(spec: Rc<Spec>, dispatch: Dispatch) {
    spawn_local(async move {
        let done = match link_to(&spec).await {
            Some(link) => copy(&link).await,
            None => false,
        };
        dispatch.dispatch(Action::Say(match (done, &spec.data.source) {
            (false, _) => Word::Trouble("link-refused", Vec::new()),
            (true, DataSource::Files { name, .. }) => {
                Word::Message("link-copied-files", vec![("name", name.clone())])
            }
            (true, _) => Word::Message("link-copied", Vec::new()),
        }));
    });
}
