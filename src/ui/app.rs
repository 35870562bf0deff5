//! The root of the page: what stands where, what keys do, what an edit sets off.
use super::autosave::{self, AUTOSAVE, AutosaveProps, RunnerRef};
use super::builder::Builder;
use super::code::open::{OpenCode, OpenProps, Start};
use super::data_panel::DataPanel;
use super::drop::{Opening, adapt, files_of, opener, use_drop, with_set, with_target};
use super::embed::{OpenWhole, embed};
use super::fields::is_typing;
use super::files::embed::{EmbedDialog, EmbedProps};
use super::files::open::{OpenFile, OpenFileProps};
use super::files::save::save_project;
use super::folder;
use super::header::{Ask, Header};
use super::i18n::{self, Lang, problem_text, t};
use super::inspect::{Inspect, Without};
use super::later::{Later, View};
use super::notices::Notices;
use super::panes::Splitter;
use super::plot::LossPlot;
use super::remember::{self, Layout, Theme};
use super::result::Headline;
use super::run_life::SavedStates;
use super::runner::Runner;
use super::share::copy_link;
use super::store::{Action, Edit, Phase, State, Word};
use super::tour::{Pane, Tour};
use super::train_panel::TrainPanel;
use crate::lazy;
use crate::spec::{Spec, presets};
use crate::train::protocol::BackendChoice;
use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use gloo::utils::{document, window};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, HtmlInputElement};
use yew::prelude::*;

/// Starts the page.
pub fn start() {
    console_error_panic_hook::set_once();
    Theme::initial().apply();
    spawn_local(async {
        let root = document().get_element_by_id("app");
        match (i18n::load(Lang::initial()).await, root) {
            (Ok(()), Some(root)) => drop(yew::Renderer::<App>::with_root(root).render()),
            (Ok(()), None) => drop(yew::Renderer::<App>::new().render()),
            (Err(e), root) => {
                web_sys::console::error_1(&e);
                if let Some(root) = root {
                    root.set_text_content(Some(NO_WORDS));
                }
            }
        }
    });
}

/// The one text that cannot come from the catalogue.
const NO_WORDS: &str = "The texts of this page did not load. Check the connection and reload. \
    页面文字没有加载成功，请检查网络连接后刷新。";

/// An edit is kept for the next visit when no other has followed it for so long.
const KEEP_MS: u32 = 600;

/// The three views among which a narrow screen chooses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Setup,
    Network,
    Result,
}

const TABS: [(Tab, &str); 3] = [
    (Tab::Setup, "tab-setup"),
    (Tab::Network, "tab-network"),
    (Tab::Result, "tab-result"),
];

lazy! { static OPEN_CODE: View<OpenProps>, in page code = |p| html! { <OpenCode ..p /> }; }
lazy! { static EMBED: View<EmbedProps>, in page files = |p| html! { <EmbedDialog ..p /> }; }
lazy! { static OPEN_FILE: View<OpenFileProps>, in page files = |p| html! { <OpenFile ..p /> }; }

#[component]
fn App() -> Html {
    let lang = use_state_eq(Lang::initial);
    lang.apply();
    let theme = use_state_eq(Theme::initial);
    let layout = use_state_eq(remember::layout);
    // The first minute is worth seeing: what trains, and how well.
    let tab = use_state_eq(|| Tab::Result);
    let touring = use_state_eq(|| false);
    let state = use_reducer(|| State::new(remember::initial_spec()));
    let runner = {
        let dispatch = state.dispatcher();
        (*use_memo((), move |()| Runner::new(dispatch))).clone()
    };
    let edit = use_memo((), |()| Edit(state.dispatcher()));
    let picker = use_node_ref();

    // The dialog for code and links, with what it begins with.
    let pasting = use_state_eq(|| remember::link().map(|link| Opening::Code(Start::Link(link))));
    use_loading(&state, &runner);
    use_memory(&state, &pasting);
    use_title(*lang);
    let on_code = {
        let pasting = pasting.setter();
        use_callback((), move |(), ()| {
            pasting.set(Some(Opening::Code(Start::Empty)))
        })
    };
    let ask = use_ask(
        &state,
        &runner,
        &lang,
        &theme,
        &layout,
        (&picker, &on_code, &touring, &pasting),
    );
    use_keys(&ask, state.phase);
    let over = use_drop(&state, &runner, &pasting);
    let on_pasted = {
        let dispatch = state.dispatcher();
        use_callback((), move |spec: Spec, ()| {
            dispatch.dispatch(Action::Open(Box::new(spec)));
        })
    };
    let on_files = {
        let open = opener(&state, &runner, &pasting);
        Callback::from(move |e: Event| {
            let input: HtmlInputElement = e.target_unchecked_into();
            open(files_of(input.files()));
            // The same files may be picked again.
            input.set_value("");
        })
    };
    let on_pick = {
        let ask = ask.clone();
        use_callback((), move |_: MouseEvent, ()| ask.emit(Ask::Open))
    };
    let on_pick_folder = {
        let open = opener(&state, &runner, &pasting);
        Callback::from(move |_: MouseEvent| {
            folder::pick(open.clone());
        })
    };
    let on_cancel = {
        let runner = runner.clone();
        use_callback((), move |_: MouseEvent, ()| runner.cancel_reading())
    };
    let on_set = {
        let runner = runner.clone();
        use_callback(
            state.spec.clone(),
            move |(name, files): (String, Vec<File>), spec: &Rc<Spec>| {
                if let Ok(spec) = with_set(spec, &name, &files) {
                    runner.open(spec, files, adapt);
                }
            },
        )
    };
    let on_target = {
        let (spec, runner) = (state.spec.clone(), runner.clone());
        use_callback(spec, move |target: Option<String>, spec: &Rc<Spec>| {
            let spec = with_target(spec, target);
            let files = runner.files_of(&spec);
            runner.open(spec, files, adapt);
        })
    };
    let on_backend = {
        let runner = runner.clone();
        use_callback((), move |backend: BackendChoice, ()| {
            remember::keep_backend(backend);
            runner.set_backend(backend);
        })
    };
    let blocked = (!state.report.ok)
        .then(|| state.report.errors.first().map(problem_text))
        .flatten()
        .map(AttrValue::from);
    // Slow enough for the eye to follow a step.
    let slow = state.phase == Phase::Training && (1..=20).contains(&state.speed);
    let autosave = {
        // Fetched when there is something to go on with, or to keep.
        let met = use_mut_ref(|| embed().is_none() && autosave::is_waiting());
        *met.borrow_mut() |= state.live.step > 300 && embed().is_none();
        let with = AutosaveProps {
            runner: RunnerRef(runner.clone()),
            phase: state.phase,
            run: state.info.as_ref().map(|i| i.run),
        };
        // Always one node: with one more beside it the header would be made anew.
        met.borrow()
            .then(|| html! { <Later<AutosaveProps> view={&AUTOSAVE} {with} /> })
            .unwrap_or_default()
    };
    let trained = {
        let runner = runner.clone();
        use_callback((), move |(), ()| runner.standing().map(|s| s.0))
    };
    let on_pane = {
        let tab = tab.setter();
        use_callback((), move |pane: Pane, ()| {
            tab.set(match pane {
                Pane::Setup => Tab::Setup,
                Pane::Network => Tab::Network,
                Pane::Result => Tab::Result,
            });
        })
    };
    let samples = state.info.as_ref().map(|i| i.data.train);
    // In a frame of another page: the panes that it asks for, and the way to all of them.
    let embed = embed();
    let shows = |pane: &str| embed.as_ref().is_none_or(|e| e.shows(pane));
    let whole = embed.is_none();
    let views = embed.as_ref().map(|e| e.views().count());
    let embedded = embed.is_some().then(|| {
        html! { <OpenWhole spec={state.spec.clone()} edited={state.edited()} /> }
    });
    let class = classes!(
        "panes",
        tab_class(*tab),
        slow.then_some("slow"),
        (!whole).then_some("embed"),
        (views == Some(1)).then_some("one-view"),
    );
    html! {
        <ContextProvider<Lang> context={*lang}>
            <div class="top">
            <Header
                name={state.spec.name.clone()}
                edited={state.edited()}
                phase={state.phase}
                {blocked}
                live={state.live}
                info={state.info.clone()}
                history={runner.history.clone()}
                speed={state.speed}
                theme={*theme}
                can_undo={state.can_undo()}
                can_redo={state.can_redo()}
                on_ask={ask}
                {embedded}
            />
            if whole {
                { tabs(&tab) }
            }
            { autosave }
            </div>
            <main {class} style={style_of(*layout)}>
                if shows("setup") {
                <aside id="pane-setup" class="pane setup">
                    <div class="pane-body">
                        <DataPanel
                            spec={state.spec.clone()}
                            report={state.report.clone()}
                            info={state.info.clone()}
                            edit={(*edit).clone()}
                            {on_pick}
                            {on_pick_folder}
                            reading={state.reading}
                            {on_cancel}
                            {on_target}
                            opening={state.opening}
                            {on_set}
                        />
                        <TrainPanel
                            spec={state.spec.clone()}
                            report={state.report.clone()}
                            {samples}
                            data={state.info.as_ref().map(|i| i.data.clone())}
                            edit={(*edit).clone()}
                            backend={state.backend}
                            {on_backend}
                        />
                        // Apart: what is drawn anew at every epoch must hold no field that is typed in.
                        <SavedStates
                            link={state.link.clone()}
                            run={state.info.as_ref().map(|i| i.run)}
                            epoch={state.live.epoch}
                        />
                    </div>
                </aside>
                }
                if whole {
                    { splitter(&layout, "resize-left", Bar::Left) }
                }
                if shows("network") {
                <div id="pane-network" class="slot network">
                    <Builder
                        spec={state.spec.clone()}
                        report={state.report.clone()}
                        selected={state.selected.clone()}
                        before={state.before.clone()}
                        diverged={state.diverged.clone()}
                        edit={(*edit).clone()}
                        can_undo={state.can_undo()}
                        can_redo={state.can_redo()}
                    />
                </div>
                }
                if whole {
                    { splitter(&layout, "resize-right", Bar::Right) }
                }
                <div id="pane-result" class="slot result">
                    if shows("plot") {
                    <section class="pane plot-pane" aria-label={t("plot")}>
                        <Headline score={state.score.clone()} />
                        <div class="plot-body">
                            <LossPlot history={runner.history.clone()} version={state.live.version} {trained} kept={runner.kept.clone()} />
                        </div>
                    </section>
                    }
                    if whole {
                        { splitter(&layout, "resize-plot", Bar::Plot) }
                    }
                    if views != Some(0) {
                        <section class="pane inside" aria-label={t("inside")}>
                            { inside(&state, &on_code) }
                        </section>
                    }
                </div>
            </main>
            if whole {
                <Tour on={touring} {on_pane} />
            }
            { dialog(&state, &runner, &pasting, on_pasted) }
            <Notices notices={state.notices.clone()} dispatch={state.dispatcher()} />
            <input
                type="file"
                multiple={true}
                hidden={true}
                accept=".csv,.gz,.idx,.idx1-ubyte,.idx3-ubyte,*"
                ref={picker}
                onchange={on_files}
                aria-label={t("open-files")}
            />
            if *over {
                <div class="drop-veil" aria-hidden="true"><p>{ t("drop-here") }</p></div>
            }
        </ContextProvider<Lang>>
    }
}

fn inside(state: &UseReducerHandle<State>, on_code: &Callback<()>) -> Html {
    match (&state.link, &state.info) {
        (Some(link), Some(info)) if state.phase != Phase::Failed => html! {
            <Inspect
                link={link.clone()}
                info={info.clone()}
                tick={state.live.version}
                selected={state.selected.clone()}
                spec={state.spec.clone()}
                dispatch={state.dispatcher()}
                on_code={on_code.clone()}
            />
        },
        _ => html! {
            <Without
                spec={state.spec.clone()}
                selected={state.selected.clone()}
                dispatch={state.dispatcher()}
                on_open={on_code.clone()}
                run={None::<(super::link::Link, u32)>}
            />
        },
    }
}

/// The dialog for what was dropped, picked or asked for.
fn dialog(
    state: &UseReducerHandle<State>,
    runner: &Rc<Runner>,
    pasting: &UseStateHandle<Option<Opening>>,
    on_spec: Callback<Spec>,
) -> Html {
    let on_close = {
        let pasting = pasting.setter();
        Callback::from(move |()| pasting.set(None))
    };
    match &**pasting {
        None => html! {},
        Some(Opening::Code(start)) => html! {
            <Later<OpenProps> view={&OPEN_CODE} with={OpenProps { start: start.clone(), on_spec, on_close }} />
        },
        Some(Opening::Embed) => {
            let spec = state.spec.clone();
            html! { <Later<EmbedProps> view={&EMBED} with={EmbedProps { spec, on_close }} /> }
        }
        Some(Opening::Tensors(file)) => {
            let run = state.info.as_ref().map(|i| i.run);
            let with = OpenFileProps {
                file: file.clone(),
                runner: RunnerRef(runner.clone()),
                spec: state.spec.clone(),
                run: state.link.clone().zip(run).filter(|_| state.report.ok),
                dispatch: state.dispatcher(),
                on_close,
            };
            html! { <Later<OpenFileProps> view={&OPEN_FILE} {with} /> }
        }
    }
}

fn tab_class(tab: Tab) -> &'static str {
    match tab {
        Tab::Setup => "show-setup",
        Tab::Network => "show-network",
        Tab::Result => "show-result",
    }
}

/// The choice of a view on a narrow screen; hidden on a wide one, which shows all three.
fn tabs(tab: &UseStateHandle<Tab>) -> Html {
    let onkeydown = {
        let tab = tab.clone();
        Callback::from(move |e: KeyboardEvent| {
            let now = TABS.iter().position(|(t, _)| *t == *tab).unwrap_or(0);
            let next = match e.key().as_str() {
                "ArrowRight" => (now + 1) % TABS.len(),
                "ArrowLeft" => (now + TABS.len() - 1) % TABS.len(),
                _ => return,
            };
            e.prevent_default();
            tab.set(TABS[next].0);
        })
    };
    html! {
        <div class="tabs" role="tablist" aria-label={t("views")} {onkeydown}>
            { for TABS.iter().map(|(this, key)| {
                let (tab, this) = (tab.clone(), *this);
                let on = *tab == this;
                let onclick = Callback::from(move |_: MouseEvent| tab.set(this));
                html! {
                    <button
                        type="button"
                        role="tab"
                        key={*key}
                        aria-selected={on.to_string()}
                        tabindex={if on { "0" } else { "-1" }}
                        {onclick}
                    >{ t(key) }</button>
                }
            }) }
        </div>
    }
}

fn style_of(l: Layout) -> String {
    format!(
        "--left:{:.0}px;--right:{:.0}px;--plot:{:.1}%",
        l.left,
        l.right,
        l.plot * 100.0
    )
}

#[derive(Clone, Copy)]
enum Bar {
    Left,
    Right,
    Plot,
}

fn splitter(layout: &UseStateHandle<Layout>, label: &str, bar: Bar) -> Html {
    let l = **layout;
    let height = document()
        .document_element()
        .map_or(800.0, |e| f64::from(e.client_height()));
    let (value, min, max, per_pixel) = match bar {
        Bar::Left => (l.left, 220.0, 460.0, 1.0),
        Bar::Right => (l.right, 320.0, 960.0, -1.0),
        Bar::Plot => (l.plot, 0.2, 0.8, 1.0 / height),
    };
    let on_change = {
        let layout = layout.clone();
        Callback::from(move |v: f64| {
            let mut l = *layout;
            match bar {
                Bar::Left => l.left = v,
                Bar::Right => l.right = v,
                Bar::Plot => l.plot = v,
            }
            layout.set(l);
            remember::keep_layout(l);
        })
    };
    html! {
        <Splitter
            label={t(label)}
            flat={matches!(bar, Bar::Plot)}
            {value}
            {min}
            {max}
            {per_pixel}
            {on_change}
        />
    }
}

/// Loads what the builder shows.
#[hook]
fn use_loading(state: &UseReducerHandle<State>, runner: &Rc<Runner>) {
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
fn use_memory(state: &UseReducerHandle<State>, pasting: &UseStateHandle<Option<Opening>>) {
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
fn use_title(lang: Lang) {
    use_effect_with(lang, |_| document().set_title(&t("title")));
}

/// Answers what the bar, the keys and the panels ask for.
#[hook]
fn use_ask(
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
fn use_keys(ask: &Callback<Ask>, phase: Phase) {
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
