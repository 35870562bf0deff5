//! A link to the network at hand.
use super::plot::browser::copy;
use super::store::{Action, Dispatch, Word};
use crate::lazy;
use crate::spec::{DataSource, Spec};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = nabla, js_name = export, catch)]
    async fn export(spec: &str, format: &str) -> Result<JsValue, JsValue>;
}

lazy! { static SHORT: fn(&Spec) -> String, in page code = |spec| spec.to_short().to_string(); }

/// Puts a link to this network on the clipboard and says so. It holds what is not the default; files
/// of the visitor's own stay where they are.
pub fn copy_link(spec: Rc<Spec>, dispatch: Dispatch) {
    spawn_local(async move {
        let link = async {
            let short = SHORT.load().await.ok()?(&spec);
            export(&short, "link").await.ok()?.as_string()
        };
        let done = match link.await {
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
