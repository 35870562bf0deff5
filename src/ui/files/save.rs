//! Saving a project: the network, the course of its run, the run's state.
use crate::interop::write::file_name;
use crate::lazy;
use crate::spec::Spec;
use crate::train::project::Project;
use crate::ui::plot::browser::download;
use crate::ui::runner::Runner;
use crate::ui::store::{Action, Dispatch, Word};
use js_sys::{Array, Uint8Array};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

/// The bytes of a project but for its state, and the name of its file.
type Writer = fn(&Project, usize) -> (Vec<u8>, String);

lazy! {
    static WRITE: Writer, in page files = |project, state| {
        (project.to_bytes(state), file_name(&project.spec, "nabla"))
    };
}

/// Offers the project for saving and says so.
pub fn save_project(runner: Rc<Runner>, spec: Rc<Spec>, dispatch: Dispatch) {
    spawn_local(async move {
        let Ok(write) = WRITE.load().await else {
            let word = Word::Trouble("part-not-loaded", Vec::new());
            return dispatch.dispatch(Action::Say(word));
        };
        let (project, state) = runner.project(&spec).await;
        let length = state.as_ref().map_or(0, |s| s.byte_length());
        let (head, name) = write(&project, length as usize);
        let parts = Array::of1(&Uint8Array::from(&head[..]));
        if let Some(state) = state {
            parts.push(&state);
        }
        if let Ok(blob) = Blob::new_with_buffer_source_sequence(&parts) {
            download(&blob, &name);
            let word = Word::Message("project-saved", vec![("name", name)]);
            dispatch.dispatch(Action::Say(word));
        }
    });
}
