//! The script of the network at hand, kept up to date with it.
use super::bridge::{self, Note, Script};
use super::onnx::Onnx;
use super::study::{Form, StudyEditor};
use super::weights::Weights;
use super::{Sheet, use_words};
use crate::interop::write::file_name;
use crate::spec::{Framework, Spec};
use crate::train::protocol::{Failure, RunId};
use crate::ui::fields::{SelectField, slug};
use crate::ui::i18n::{Lang, failure_text, t, t_args, use_lang};
use crate::ui::link::Link;
use crate::ui::plot::browser::{copy, download, sleep, text_blob};
use crate::ui::store::{Action, Dispatch};
use gloo::storage::{LocalStorage, Storage};
use js_sys::Array;
use serde_json::{Value, json};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// The framework that was chosen last.
const STORED: &str = "nabla.code";
/// An edit is followed when no other has come for so many milliseconds.
const REST: i32 = 200;
/// For how many milliseconds it says that the text was copied.
const SAID: i32 = 2500;

#[derive(Clone, Properties)]
pub struct CodeProps {
    pub spec: Rc<Spec>,
    /// The layer that is open in the builder.
    pub selected: Option<AttrValue>,
    pub dispatch: Dispatch,
    pub on_open: Callback<()>,
    /// The run whose weights can be saved.
    pub run: Option<(Link, RunId)>,
}

impl PartialEq for CodeProps {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.spec, &o.spec)
            && self.selected == o.selected
            && self.on_open == o.on_open
            && self.run == o.run
    }
}

/// The script, or why there is none.
type Answer = Result<Rc<Script>, Failure>;

/// The framework chosen before, or the network's own.
fn first_choice(spec: &Spec) -> Framework {
    let stored: Option<String> = LocalStorage::get(STORED).ok();
    stored
        .and_then(|name| framework_of(&name))
        .unwrap_or(spec.framework)
}

fn framework_of(name: &str) -> Option<Framework> {
    [Framework::Pytorch, Framework::Keras]
        .into_iter()
        .find(|f| slug(f) == name)
}

/// The last answer, and whether a newer one is on its way.
#[hook]
fn use_script(
    spec: &Rc<Spec>,
    framework: Framework,
    study: Option<Rc<Value>>,
) -> (Option<Answer>, bool) {
    let lang = use_lang();
    let answer = use_state(|| None::<Answer>);
    let waits = use_state_eq(|| true);
    // Number, framework and language of the last request; answers to others come too late.
    let last = use_mut_ref(|| (0_u32, None::<(Framework, Lang)>));
    {
        let (answer, waits) = (answer.setter(), waits.setter());
        let deps = (spec.clone(), framework, lang, study);
        use_effect_with(deps, move |(spec, framework, lang, study)| {
            let (spec, framework, lang) = (spec.clone(), *framework, *lang);
            let study = study.clone();
            let mine = last.borrow().0 + 1;
            let edited = last.replace((mine, Some((framework, lang)))).1 == Some((framework, lang));
            let closed = last.clone();
            waits.set(true);
            spawn_local(async move {
                if edited {
                    sleep(REST).await;
                }
                if last.borrow().0 != mine {
                    return;
                }
                let got = bridge::script(&spec, framework, study.as_deref())
                    .await
                    .map(Rc::new);
                if last.borrow().0 == mine {
                    answer.set(Some(got));
                    waits.set(false);
                }
            });
            move || closed.borrow_mut().0 = mine + 1
        });
    }
    ((*answer).clone(), *waits)
}

#[component]
pub fn CodeView(props: &CodeProps) -> Html {
    let ready = use_words();
    let framework = use_state_eq(|| first_choice(&props.spec));
    // The ranges as the visitor left them, where a study is wanted.
    let study = use_state_eq(|| None::<Rc<Value>>);
    let (answer, waits) = use_script(&props.spec, *framework, (*study).clone());
    let copied = use_state_eq(|| None::<bool>);
    if !ready {
        return html! { <p class="empty" aria-busy="true"></p> };
    }
    let on_framework = {
        let framework = framework.clone();
        Callback::from(move |name: String| {
            if let Some(f) = framework_of(&name) {
                framework.set(f);
                // Without storage the choice lasts as long as the page.
                let _ = LocalStorage::set(STORED, name);
            }
        })
    };
    let on_form = {
        let study = study.clone();
        Callback::from(move |wanted: bool| study.set(wanted.then(usual)))
    };
    let on_study = {
        let study = study.clone();
        Callback::from(move |given: Rc<Value>| study.set(Some(given)))
    };
    let frameworks = [Framework::Pytorch, Framework::Keras].map(|f| {
        let name = slug(&f);
        let title = t(&format!("framework-{name}"));
        (name.into(), title.into())
    });
    let script = answer.as_ref().and_then(|a| a.as_ref().ok()).cloned();
    let on_copy = {
        let (copied, script) = (copied.clone(), script.clone());
        Callback::from(move |_: MouseEvent| {
            let Some(script) = script.clone() else { return };
            let copied = copied.clone();
            spawn_local(async move {
                copied.set(Some(copy(&script.text).await));
                sleep(SAID).await;
                copied.set(None);
            });
        })
    };
    let save = |notebook: bool| {
        let script = script.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(script) = &script {
                save(script, notebook);
            }
        })
    };
    let on_open = {
        let on_open = props.on_open.clone();
        Callback::from(move |_: MouseEvent| on_open.emit(()))
    };
    let none = script.is_none();
    let onnx: Option<AttrValue> = props
        .run
        .is_some()
        .then(|| file_name(&props.spec, "onnx").into());
    html! {
        <div class="view code-view" aria-busy={waits.to_string()}>
            <Sheet />
            <div class="view-tools">
                <SelectField
                    label={t("script-for")}
                    bare={true}
                    value={slug(&*framework)}
                    options={frameworks.to_vec()}
                    on_change={on_framework}
                />
                <Form study={study.is_some()} on_change={on_form} />
                <button type="button" class="button" disabled={none} onclick={on_copy}>
                    { t(match *copied {
                        None => "script-copy",
                        Some(true) => "plan-copied",
                        Some(false) => "plan-refused",
                    }) }
                </button>
                <button type="button" class="button" disabled={none} title={t("script-save-py")} onclick={save(false)}>{ ".py" }</button>
                <button type="button" class="button" disabled={none} title={t("script-save-ipynb")} onclick={save(true)}>{ ".ipynb" }</button>
                <Onnx name={onnx} />
                <span class="spacer"></span>
                <button type="button" class="button" onclick={on_open}>{ t("code-open") }</button>
            </div>
            { match answer {
                Some(Ok(script)) => html! {
                    <>
                        if !script.study.is_null() {
                            <StudyEditor study={Rc::new(script.study.clone())} on_change={on_study} />
                        }
                        <Text script={script.clone()} selected={props.selected.clone()} dispatch={props.dispatch.clone()} />
                        { remarks(&script.notes) }
                        <Weights script={script.clone()} run={props.run.clone()} />
                    </>
                },
                Some(Err(failure)) => html! {
                    <div class="error" role="alert">
                        if study.is_some() {
                            <button type="button" class="button" onclick={move |_| study.set(Some(usual()))}>{ t("study-again") }</button>
                        }
                        <p>{ t(if *framework == Framework::Keras { "script-none-keras" } else { "script-none-pytorch" }) }</p>
                        <p>{ failure_text(&failure) }</p>
                    </div>
                },
                None => html! { <p class="empty" role="status">{ t("script-loading") }</p> },
            } }
        </div>
    }
}

/// The ranges that are chosen for the network.
fn usual() -> Rc<Value> {
    Rc::new(json!({}))
}

/// What the script does otherwise than the page.
fn remarks(notes: &[Note]) -> Html {
    if notes.is_empty() {
        return html! {};
    }
    html! {
        <ul class="remarks" aria-label={t("script-remarks")}>
            { for notes.iter().map(|n| html! { <li>{ &n.message }</li> }) }
        </ul>
    }
}

fn save(script: &Script, notebook: bool) {
    let (text, kind) = match notebook {
        true => (&script.notebook, "application/x-ipynb+json"),
        false => (&script.text, "text/x-python"),
    };
    let name = match notebook {
        true => format!("{}.ipynb", script.file.trim_end_matches(".py")),
        false => script.file.clone(),
    };
    if let Some(blob) = text_blob(&Array::of1(&text.into()), kind) {
        download(&blob, &name);
    }
}

#[derive(Properties)]
struct TextProps {
    script: Rc<Script>,
    selected: Option<AttrValue>,
    dispatch: Dispatch,
}

impl PartialEq for TextProps {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.script, &o.script) && self.selected == o.selected
    }
}

/// The script line by line; those of the selected layer are marked, and a click on a layer's line
/// selects it.
#[component]
fn Text(props: &TextProps) -> Html {
    use_lang();
    let root = use_node_ref();
    let script = &props.script;
    let on = |i: usize| {
        let layer = script.layers.get(i).and_then(Option::as_deref);
        layer.is_some() && layer == props.selected.as_deref()
    };
    let marked: Vec<usize> = (0..script.painted.len()).filter(|i| on(*i)).collect();
    {
        let root = root.clone();
        let deps = (
            props.selected.clone(),
            marked.first().copied(),
            Rc::as_ptr(script) as usize,
        );
        use_effect_with(deps, move |_| show_mark(&root));
    }
    let onclick = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |e: MouseEvent| {
            let target = e.target().and_then(|t| t.dyn_into::<Element>().ok());
            let line = target.and_then(|t| t.closest("[data-of]").ok().flatten());
            if let Some(layer) = line.and_then(|l| l.get_attribute("data-of")) {
                dispatch.dispatch(Action::Select(Some(layer.into())));
            }
        })
    };
    let said = match (&props.selected, marked.is_empty()) {
        (Some(layer), false) => {
            let lines: Vec<String> = marked.iter().map(|i| (i + 1).to_string()).collect();
            let args = [
                ("layer", layer.as_str().into()),
                ("lines", lines.join(", ").into()),
            ];
            t_args("script-marked", &args)
        }
        _ => t("script-mark-hint"),
    };
    html! {
        <>
            <p class="dim" role="status">{ said }</p>
            <pre class="code-text" tabindex="0" aria-label={t("script-text")} ref={root} {onclick}>
                { for script.painted.iter().enumerate().map(|(i, pieces)| html! {
                    <span class={classes!("line", on(i).then_some("on"))} data-of={script.layers.get(i).cloned().flatten()}>
                        { for pieces.iter().map(|(ink, text)| match ink.as_str() {
                            "" => html! { text },
                            ink => html! { <span class={format!("ink-{ink}")}>{ text }</span> },
                        }) }
                        { "\n" }
                    </span>
                }) }
            </pre>
        </>
    }
}

/// Scrolls the text, and nothing around it, to its first marked line.
fn show_mark(root: &NodeRef) {
    let Some(root) = root.cast::<HtmlElement>() else {
        return;
    };
    let Ok(Some(line)) = root.query_selector(".line.on") else {
        return;
    };
    let (line, sight) = (
        line.get_bounding_client_rect(),
        root.get_bounding_client_rect(),
    );
    if line.top() < sight.top() || line.bottom() > sight.bottom() {
        let by = line.top() - sight.top() - sight.height() / 3.0;
        root.set_scroll_top(root.scroll_top() + by as i32);
    }
}
