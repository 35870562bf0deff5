//! Public data sets by name: fetched, verified and kept by `nabla-data.js`.
use super::i18n::{t, t_args, use_lang};
use super::icons::{Icon, IconButton};
use super::numbers::whole_percent;
use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::File;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = nabla, js_name = datasets)]
    fn list() -> Promise;
    #[wasm_bindgen(js_namespace = nabla, js_name = dataset)]
    fn get(name: &str, progress: &Function) -> Promise;
    #[wasm_bindgen(js_namespace = nabla, js_name = cancelDataset)]
    fn cancel(name: &str);
    #[wasm_bindgen(js_namespace = nabla, js_name = forgetDataset)]
    fn forget(name: &str) -> Promise;
}

#[derive(Clone, Debug, PartialEq)]
struct Set {
    name: String,
    title: String,
    bytes: f64,
    cached: f64,
}

async fn sets() -> Vec<Set> {
    let Ok(answer) = JsFuture::from(list()).await else {
        return Vec::new();
    };
    let text = |v: &JsValue, k: &str| {
        let v = Reflect::get(v, &k.into()).ok();
        v.and_then(|v| v.as_string()).unwrap_or_default()
    };
    let number = |v: &JsValue, k: &str| {
        let v = Reflect::get(v, &k.into()).ok();
        v.and_then(|v| v.as_f64()).unwrap_or_default()
    };
    Array::from(&answer)
        .iter()
        .map(|v| Set {
            name: text(&v, "name"),
            title: text(&v, "title"),
            bytes: number(&v, "bytes"),
            cached: number(&v, "cached"),
        })
        .collect()
}

#[derive(Properties, PartialEq)]
pub struct KnownSetsProps {
    /// A set's name and its files.
    pub on_files: Callback<(String, Vec<File>)>,
}

#[component]
pub fn KnownSets(props: &KnownSetsProps) -> Html {
    use_lang();
    let all = use_state_eq(Vec::<Set>::new);
    // Name and share of the one that is being fetched.
    let busy = use_state_eq(|| None::<(String, u32)>);
    let wrong = use_state_eq(|| None::<String>);
    let refresh = {
        let all = all.setter();
        Callback::from(move |()| {
            let all = all.clone();
            spawn_local(async move { all.set(sets().await) });
        })
    };
    let ontoggle = {
        let refresh = refresh.clone();
        Callback::from(move |_: Event| refresh.emit(()))
    };
    let fetch = {
        let (busy, wrong, refresh) = (busy.setter(), wrong.setter(), refresh.clone());
        let on_files = props.on_files.clone();
        Callback::from(move |name: String| {
            let (busy, wrong, refresh) = (busy.clone(), wrong.clone(), refresh.clone());
            let on_files = on_files.clone();
            wrong.set(None);
            busy.set(Some((name.clone(), 0)));
            spawn_local(async move {
                let shown = (busy.clone(), name.clone());
                let progress = Closure::<dyn Fn(f64)>::new(move |share: f64| {
                    shown.0.set(Some((shown.1.clone(), (share * 100.0) as u32)));
                });
                let outcome = JsFuture::from(get(&name, progress.as_ref().unchecked_ref())).await;
                busy.set(None);
                match outcome {
                    Ok(files) => {
                        let files = Array::from(&files);
                        let files = files.iter().filter_map(|f| f.dyn_into().ok());
                        on_files.emit((name, files.collect()));
                    }
                    Err(e) => {
                        let text = |k: &str| {
                            let v = Reflect::get(&e, &k.into()).ok();
                            v.and_then(|v| v.as_string()).unwrap_or_default()
                        };
                        if text("code") != "cancelled" {
                            wrong.set(Some(text("message")));
                        }
                    }
                }
                refresh.emit(());
            });
        })
    };
    let row = |set: &Set| {
        let mebibytes = |b: f64| format!("{:.0}", (b / 1_048_576.0).max(1.0));
        let size = t_args("mebibytes", &[("n", mebibytes(set.bytes).into())]);
        let here = set.cached > 0.0;
        let share = busy
            .as_ref()
            .filter(|(name, _)| *name == set.name)
            .map(|b| b.1);
        let on_get = {
            let (fetch, name) = (fetch.clone(), set.name.clone());
            Callback::from(move |_: MouseEvent| fetch.emit(name.clone()))
        };
        let on_cancel = {
            let name = set.name.clone();
            Callback::from(move |_: MouseEvent| cancel(&name))
        };
        let on_forget = {
            let (name, refresh) = (set.name.clone(), refresh.clone());
            Callback::from(move |_: MouseEvent| {
                let (gone, refresh) = (forget(&name), refresh.clone());
                spawn_local(async move {
                    // What cannot be deleted stays in the list.
                    let _ = JsFuture::from(gone).await;
                    refresh.emit(());
                });
            })
        };
        html! {
            <li key={set.name.clone()} data-set={set.name.clone()}>
                <span>{ set.title.clone() }</span>
                <span class="dim figure">{ if here { t_args("set-here", &[("size", size.clone().into())]) } else { size } }</span>
                <span class="spacer"></span>
                if let Some(share) = share {
                    <progress max="100" value={share.to_string()} aria-label={set.title.clone()} />
                    <span class="figure" role="status">{ whole_percent(f64::from(share) / 100.0) }</span>
                    <button type="button" class="button" onclick={on_cancel}>{ t("set-cancel") }</button>
                } else {
                    <button type="button" class="button" disabled={busy.is_some()} onclick={on_get}>
                        { t(if here { "set-use" } else { "set-get" }) }
                    </button>
                    if here {
                        <IconButton
                            icon={Icon::Trash}
                            label={t_args("set-forget", &[("name", set.title.clone().into())])}
                            onclick={on_forget}
                        />
                    }
                }
            </li>
        }
    };
    html! {
        <details class="more known-sets" {ontoggle}>
            <summary title={t("known-sets-hint")}>{ t("known-sets") }</summary>
            <ul>{ for all.iter().map(row) }</ul>
            if let Some(text) = &*wrong {
                <p class="error" role="alert">{ text }</p>
            }
        </details>
    }
}
