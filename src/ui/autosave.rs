//! The run's state is kept on this device while it trains; after a reload or a crash the page offers
//! to go on from it.
use super::i18n::{t, t_args, use_lang};
use super::later::View;
use super::runner::Runner;
use super::store::Phase;
use crate::lazy;
use crate::spec::{DataSource, Spec};
use crate::train::protocol::RunId;
use gloo::storage::{LocalStorage, Storage};
use gloo::timers::callback::Interval;
use js_sys::{ArrayBuffer, Promise};
use serde_json::{Value, json};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::prelude::*;

/// What is said of the kept state; the state itself lies in the browser's cache.
const KEY: &str = "nabla.run";
/// Between two states.
const EVERY_MS: u32 = 5000;
/// A larger state is not kept: 64 MiB.
const MAX_BYTES: u32 = 64 << 20;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = nabla, js_name = keepRun)]
    fn keep(state: &ArrayBuffer) -> Promise;
    #[wasm_bindgen(js_namespace = nabla, js_name = keptRun)]
    fn kept() -> Promise;
}

#[derive(Clone, Debug, PartialEq)]
struct Kept {
    spec: Spec,
    step: u32,
    epoch: u32,
}

/// Whether a state may be waiting.
pub fn is_waiting() -> bool {
    LocalStorage::raw().get_item(KEY).is_ok_and(|v| v.is_some())
}

fn waiting() -> Option<Kept> {
    let kept: Value = LocalStorage::get(KEY).ok()?;
    let number = |key: &str| kept[key].as_u64()?.try_into().ok();
    Some(Kept {
        spec: Spec::from_json(&kept["spec"].to_string()).ok()?,
        step: number("step")?,
        epoch: number("epoch")?,
    })
}

fn forget() {
    LocalStorage::delete(KEY);
}

#[derive(Clone, Properties, PartialEq)]
pub struct AutosaveProps {
    pub runner: RunnerRef,
    pub phase: Phase,
    pub run: Option<RunId>,
}

/// The page's one runner.
#[derive(Clone)]
pub struct RunnerRef(pub Rc<Runner>);

impl PartialEq for RunnerRef {
    fn eq(&self, other: &RunnerRef) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

lazy! { pub static AUTOSAVE: View<AutosaveProps>, in page autosave = |p| html! { <Autosave ..p /> }; }

/// Keeps the state while it trains, and offers the one that was left behind.
#[component]
fn Autosave(props: &AutosaveProps) -> Html {
    use_lang();
    let offer = use_state_eq(waiting);
    // The offer stands until it is taken or another run has begun to keep its own.
    {
        let (runner, offer) = (props.runner.clone(), offer.clone());
        let training = props.phase == Phase::Training;
        let open = offer.is_some();
        use_effect_with((props.run, training, open), move |(_, training, open)| {
            let timer = (*training && !*open).then(|| {
                Interval::new(EVERY_MS, move || {
                    let runner = runner.0.clone();
                    spawn_local(async move { save(&runner).await });
                })
            });
            move || drop(timer)
        });
    }
    // A run that has come to its end needs no keeping.
    {
        let open = offer.is_some();
        use_effect_with(props.phase, move |phase| {
            if *phase == Phase::Finished && !open {
                forget();
            }
        });
    }
    let Some(k) = (*offer).clone() else {
        return html! {};
    };
    let on_go = {
        let (offer, runner, spec) = (offer.setter(), props.runner.0.clone(), k.spec.clone());
        Callback::from(move |_: MouseEvent| {
            let (offer, runner, spec) = (offer.clone(), runner.clone(), spec.clone());
            spawn_local(async move {
                if let Ok(state) = JsFuture::from(kept()).await
                    && let Ok(state) = state.dyn_into::<ArrayBuffer>()
                {
                    runner.go_on(&spec, state).await;
                }
                offer.set(None);
            });
        })
    };
    let on_leave = {
        let offer = offer.setter();
        Callback::from(move |_: MouseEvent| {
            forget();
            offer.set(None);
        })
    };
    html! {
        <div class="go-on" role="status">
            <p>{ t_args("go-on", &[("name", k.spec.name.clone().into()), ("step", k.step.into()), ("epoch", (k.epoch + 1).into())]) }</p>
            <button type="button" class="button primary" onclick={on_go}>{ t("go-on-yes") }</button>
            <button type="button" class="button" onclick={on_leave}>{ t("go-on-no") }</button>
        </div>
    }
}

/// Runs on the visitor's own files are left out: the files are gone after a reload.
async fn save(runner: &Rc<Runner>) {
    let Some((spec, step, epoch)) = runner.standing() else {
        return;
    };
    if matches!(spec.data.source, DataSource::Files { .. }) {
        return;
    }
    let Some(state) = runner.state().await else {
        return;
    };
    if state.byte_length() > MAX_BYTES || JsFuture::from(keep(&state)).await.is_err() {
        return;
    }
    let spec = crate::json::value(&*spec);
    let _ = LocalStorage::set(KEY, json!({ "spec": spec, "step": step, "epoch": epoch }));
}
