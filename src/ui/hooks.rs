//! What the root of the page keeps an eye on: edits, the address, keys, what its parts ask for.
use super::code::open::Start;
use super::drop::Opening;
use super::fields::is_typing;
use super::files::save::save_project;
use super::header::Ask;
use super::i18n::{self, Lang, t};
use super::remember::{self, Layout, Theme};
use super::runner::Runner;
use super::share::copy_link;
use super::store::{Action, Phase, State, Word};
use crate::spec::{Spec, presets};
use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use gloo::utils::{document, window};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// An edit is kept for the next visit when no other has followed it for so long.
const KEEP_MS: u32 = 600;

/// Loads what the builder shows.
#[hook]
pub fn use_loading(state: &UseReducerHandle<State>, runner: &Rc<Runner>) {
    let runner = runner.clone();
    let deps = (state.spec.clone(), state.report.ok);
    use_effect_with(deps, move |(spec, ok)| {
        if *ok {
            runner.want(spec.clone());
        } else {
            runner.block();
        }
    });
}

/// Keeps the spec for the next visit, and names it in the address while it is a preset's.
#[hook]
pub fn use_memory(state: &UseReducerHandle<State>, pasting: &UseStateHandle<Option<Opening>>) {
    let edited = state.edited();
    use_effect_with(state.spec.clone(), move |spec| {
        let spec = spec.clone();
        let timer = Timeout::new(KEEP_MS, move || {
            remember::keep_spec(&spec);
            remember::name_preset((!edited).then_some(spec.name.as_str()));
        });
        move || drop(timer)
    });
    let (dispatch, pasting) = (state.dispatcher(), pasting.setter());
    use_effect_with((), move |()| {
        let listener = EventListener::new(&window(), "hashchange", move |_| {
            if let Some(link) = remember::link() {
                pasting.set(Some(Opening::Code(Start::Link(link))));
            }
            if let Some(spec) = remember::named_preset() {
                dispatch.dispatch(Action::Open(Box::new(spec)));
            }
        });
        move || drop(listener)
    });
}

#[hook]
pub fn use_title(lang: Lang) {
    use_effect_with(lang, |_| document().set_title(&t("title")));
}

/// Answers what the bar, the keys and the panels ask for.
#[hook]
pub fn use_ask(
    state: &UseReducerHandle<State>,
    runner: &Rc<Runner>,
    lang: &UseStateHandle<Lang>,
    theme: &UseStateHandle<Theme>,
    layout: &UseStateHandle<Layout>,
    // What opens files, what opens code, whether the tour is on, and the dialogs.
    openers: (
        &NodeRef,
        &Callback<()>,
        &UseStateHandle<bool>,
        &UseStateHandle<Option<Opening>>,
    ),
) -> Callback<Ask> {
    let dispatch = state.dispatcher();
    let (runner, lang, layout, theme) =
        (runner.clone(), lang.clone(), layout.clone(), theme.clone());
    let (picker, on_code) = (openers.0.clone(), openers.1.clone());
    let touring = openers.2.setter();
    let pasting = openers.3.setter();
    let open = move |id: &str| {
        if let Some(spec) = presets::find(id) {
            dispatch.dispatch(Action::Open(Box::new(spec)));
        }
    };
    let dispatch = state.dispatcher();
    let deps = (state.spec.clone(), *theme);
    use_callback(
        deps,
        move |ask: Ask, (spec, shown): &(Rc<Spec>, Theme)| match ask {
            Ask::Play => runner.play(),
            Ask::Pause => runner.pause(),
            Ask::Step => runner.step(),
            Ask::Reset => runner.reset(),
            Ask::Speed(speed) => runner.set_speed(speed),
            Ask::Preset(id) => open(&id),
            Ask::Restore => open(&spec.name),
            Ask::Open => {
                if let Some(input) = picker.cast::<HtmlInputElement>() {
                    input.click();
                }
            }
            Ask::OpenCode => on_code.emit(()),
            Ask::Save => save_project(runner.clone(), spec.clone(), dispatch.clone()),
            Ask::Embed => pasting.set(Some(Opening::Embed)),
            Ask::Link => copy_link(spec.clone(), dispatch.clone()),
            Ask::Undo => dispatch.dispatch(Action::Undo),
            Ask::Redo => dispatch.dispatch(Action::Redo),
            Ask::Language(chosen) => {
                chosen.remember();
                let (lang, dispatch) = (lang.clone(), dispatch.clone());
                spawn_local(async move {
                    match i18n::load(chosen).await {
                        Ok(()) => lang.set(chosen),
                        Err(_) => dispatch
                            .dispatch(Action::Say(Word::Trouble("part-not-loaded", Vec::new()))),
                    }
                });
            }
            Ask::Theme => {
                let other = shown.other();
                other.apply();
                other.keep();
                theme.set(other);
            }
            Ask::Layout => {
                layout.set(Layout::default());
                remember::keep_layout(Layout::default());
            }
            Ask::Tour => touring.set(true),
        },
    )
}

#[hook]
pub fn use_keys(ask: &Callback<Ask>, phase: Phase) {
    let deps = (ask.clone(), phase);
    use_effect_with(deps, move |(ask, phase)| {
        let (ask, phase) = (ask.clone(), *phase);
        // Not passive: the browser's own undo must not run as well.
        let options = EventListenerOptions::enable_prevent_default();
        let listener = EventListener::new_with_options(&document(), "keydown", options, move |e| {
            let Some(e) = e.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            if is_typing(e) {
                return;
            }
            let at_rest = e
                .target()
                .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
                .is_none_or(|t| t.tag_name() == "BODY");
            let control = e.ctrl_key() || e.meta_key();
            let what = match (e.key().to_lowercase().as_str(), control, e.shift_key()) {
                ("z", true, false) => Ask::Undo,
                ("z", true, true) | ("y", true, false) => Ask::Redo,
                (" ", false, false) if at_rest => match phase {
                    Phase::Training => Ask::Pause,
                    Phase::Paused | Phase::Finished => Ask::Play,
                    _ => return,
                },
                _ => return,
            };
            e.prevent_default();
            ask.emit(what);
        });
        move || drop(listener)
    });
}
