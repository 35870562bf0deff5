//! The root of the page: what stands where, what keys do, what an edit sets off.
use super::autosave::{self, AUTOSAVE, AutosaveProps, RunnerRef};
use super::builder::Builder;
use super::code::open::{OpenCode, OpenProps, Start};
use super::data_panel::DataPanel;
use super::drop::{Opening, adapt, files_of, opener, use_drop, with_set, with_target};
use super::embed::{OpenWhole, embed};
use super::files::embed::{EmbedDialog, EmbedProps};
use super::files::open::{OpenFile, OpenFileProps};
use super::folder;
use super::frame::{Bar, Tab, splitter, style_of, tab_class, tabs};
use super::header::{Ask, Header};
use super::hooks::{use_ask, use_keys, use_loading, use_memory, use_title};
use super::i18n::{self, Lang, problem_text, t};
use super::inspect::{Inspect, Without};
use super::later::{Later, View};
use super::notices::Notices;
use super::plot::LossPlot;
use super::remember::{self, Theme};
use super::result::Headline;
use super::run_life::SavedStates;
use super::runner::Runner;
use super::store::{Action, Edit, Phase, State};
use super::tour::{Pane, Tour};
use super::train_panel::TrainPanel;
use crate::lazy;
use crate::spec::Spec;
use crate::train::protocol::BackendChoice;
use gloo::utils::document;
use std::rc::Rc;
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
