//! The dialog for a dropped file of weights, a checkpoint or a project: what it is, and what can be done
//! with it. Until the visitor chooses, the page is as it was.
use super::WORDS;
use super::look::{self, Content, WeightsFile, bad};
use super::weights::{Match, Table};
use crate::spec::{DataSource, Problem, Spec};
use crate::train::project::Opened;
use crate::train::protocol::{Failure, RunId};
use crate::ui::autosave::RunnerRef;
use crate::ui::builder::kind_name;
use crate::ui::code::Sheet;
use crate::ui::code::bridge::Reading;
use crate::ui::data_panel::source_name;
use crate::ui::fields::slug;
use crate::ui::i18n::{failure_text, t, t_args, use_lang, use_more};
use crate::ui::icons::{Icon, IconButton};
use crate::ui::link::Link;
use crate::ui::numbers::{count, shape};
use crate::ui::plot::runs::short_name;
use crate::ui::runner::Start;
use crate::ui::store::{Action, Dispatch, Word, check};
use js_sys::{Array, Uint8Array};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, File, HtmlDialogElement};
use yew::prelude::*;

#[derive(Clone, Properties)]
pub struct OpenFileProps {
    pub file: File,
    pub runner: RunnerRef,
    /// What the builder shows.
    pub spec: Rc<Spec>,
    /// Its run, where it has one.
    pub run: Option<(Link, RunId)>,
    pub dispatch: Dispatch,
    pub on_close: Callback<()>,
}

impl PartialEq for OpenFileProps {
    fn eq(&self, o: &Self) -> bool {
        self.file == o.file && self.spec == o.spec && self.run == o.run
    }
}

/// What the visitor chose.
#[derive(Clone, Copy, PartialEq)]
enum Choice {
    /// The weights, into the network of the builder.
    Here,
    /// The network that the file names, with its weights.
    There,
    /// The run of a checkpoint, from its step on.
    GoOn,
    Project,
}

#[derive(Clone, PartialEq)]
enum Outcome {
    Looking,
    Seen(Content),
    Failed(Failure),
}

#[component]
pub fn OpenFile(props: &OpenFileProps) -> Html {
    use_lang();
    let ready = use_more(WORDS);
    let dialog = use_node_ref();
    let outcome = use_state(|| Outcome::Looking);
    let found = use_state(|| None::<Result<Rc<Match>, Failure>>);
    // What went wrong when it was opened; and whether it is being opened.
    let wrong = use_state(|| None::<Failure>);
    let busy = use_state_eq(|| false);
    {
        let (outcome, found, wrong) = (outcome.setter(), found.setter(), wrong.setter());
        let keep = props.spec.clone();
        use_effect_with(props.file.clone(), move |file| {
            let file = file.clone();
            found.set(None);
            wrong.set(None);
            outcome.set(Outcome::Looking);
            spawn_local(async move {
                outcome.set(match look::look(&file, &keep).await {
                    Ok(content) => Outcome::Seen(content),
                    Err(failure) => Outcome::Failed(failure),
                });
            });
        });
    }
    // The weights beside the network of now.
    {
        let found = found.setter();
        let content = match &*outcome {
            Outcome::Seen(Content::Weights(file)) => Some(file.clone()),
            _ => None,
        };
        let deps = (content, props.spec.clone(), props.run.clone());
        use_effect_with(deps, move |(content, spec, run)| {
            if let (Some(file), Some((link, run))) = (content.clone(), run.clone()) {
                let spec = spec.clone();
                spawn_local(async move {
                    let answer = Match::of(&file, &spec, link, run).await;
                    found.set(Some(answer.map(Rc::new)));
                });
            }
        });
    }
    {
        let dialog = dialog.clone();
        use_effect_with(ready, move |ready| {
            if *ready
                && let Some(d) = dialog.cast::<HtmlDialogElement>()
                && !d.open()
            {
                // Fails only where it is open already.
                let _ = d.show_modal();
            }
        });
    }
    if !ready {
        return html! {};
    }
    let shut = {
        let dialog = dialog.clone();
        move || {
            if let Some(d) = dialog.cast::<HtmlDialogElement>() {
                d.close();
            }
        }
    };
    let onclose = {
        let on_close = props.on_close.clone();
        Callback::from(move |_: Event| on_close.emit(()))
    };
    let choose = {
        let (props, outcome, found) = (props.clone(), outcome.clone(), found.clone());
        let (wrong, busy, shut) = (wrong.setter(), busy.setter(), shut.clone());
        Callback::from(move |choice: Choice| {
            let Outcome::Seen(content) = (*outcome).clone() else {
                return;
            };
            let header = match (&content, &*found) {
                (Content::Weights(file), Some(Ok(found))) if choice == Choice::Here => {
                    found.header(file)
                }
                _ => None,
            };
            let (props, wrong, busy, shut) =
                (props.clone(), wrong.clone(), busy.clone(), shut.clone());
            busy.set(true);
            spawn_local(async move {
                let done = act(&props, &content, choice, header).await;
                busy.set(false);
                match done {
                    Ok(()) => {
                        wrong.set(None);
                        shut();
                    }
                    Err(failure) => wrong.set(Some(failure)),
                }
            });
        })
    };
    let close = Callback::from(move |_: MouseEvent| shut());
    let title = match &*outcome {
        Outcome::Seen(Content::Project(_)) => "file-project",
        Outcome::Seen(Content::Onnx(_)) => "file-onnx",
        Outcome::Seen(Content::Weights(file)) if file.step.is_some() => "file-checkpoint",
        _ => "file-weights",
    };
    html! {
        <dialog class="code-dialog" ref={dialog} aria-labelledby="file-dialog-title" {onclose}>
            <Sheet />
            <header class="pane-head">
                <h2 id="file-dialog-title">{ t(title) }</h2>
                <span class="spacer"></span>
                <IconButton icon={Icon::Close} label={t("file-close")} onclick={close} />
            </header>
            <div class="code-dialog-body" aria-busy={(*outcome == Outcome::Looking || *busy).to_string()}>
                <p class="dim code">{ props.file.name() }</p>
                { match &*outcome {
                    Outcome::Looking => html! { <p role="status">{ t("file-reading") }</p> },
                    Outcome::Failed(f) => html! { <p class="error" role="alert">{ failure_text(f) }</p> },
                    Outcome::Seen(Content::Project(opened)) => about_project(opened),
                    Outcome::Seen(Content::Onnx(file)) => about_onnx(&file.reading),
                    Outcome::Seen(Content::Weights(file)) => about_weights(props, file, found.as_ref()),
                } }
                if let Some(failure) = &*wrong {
                    <p class="error" role="alert">{ failure_text(failure) }{ " " }{ t("file-as-before") }</p>
                }
            </div>
            if let Outcome::Seen(content) = &*outcome {
                { buttons(props, content, found.as_ref(), *busy, &choose) }
            }
        </dialog>
    }
}

fn about_project(opened: &Opened) -> Html {
    let p = &opened.project;
    let name = match p.spec.name.as_str() {
        "" => t("own-network"),
        name => name.to_string(),
    };
    html! {
        <>
            <p>{ t_args("project-about", &[
                ("name", name.into()),
                ("layers", p.spec.layers.len().into()),
                ("data", source_name(&p.spec.data.source).into()),
            ]) }</p>
            if opened.checkpoint.is_some() {
                <p>{ t_args("project-state", &[("step", count(u64::from(p.step)).into()), ("epoch", count(u64::from(p.epoch)).into())]) }</p>
            } else {
                <p class="dim">{ t("project-no-state") }</p>
            }
            if !p.runs.is_empty() {
                <p>{ t_args("project-runs", &[("n", p.runs.len().into())]) }</p>
                <ul>{ for p.runs.iter().enumerate().map(|(i, r)| html! {
                    <li>{ if r.name.is_empty() { short_name(i + 1) } else { r.name.clone() } }</li>
                }) }</ul>
            }
        </>
    }
}

/// The layers of an ONNX file, and what is to be said of it.
fn about_onnx(reading: &Reading) -> Html {
    let class = if reading.spec.is_none() {
        "error"
    } else {
        "dim"
    };
    html! {
        <>
            { for reading.notes.iter().map(|n| html! { <p {class} role="status">{ &n.message }</p> }) }
            if let Some(spec) = &reading.spec {
                <ol class="found-layers" aria-label={t("layers")}>
                    { for check(spec).layers.iter().zip(&spec.layers).map(|(r, l)| html! {
                        <li>
                            <span class="code">{ &l.id }</span>{ " · " }{ kind_name(&slug(&l.kind), spec.framework) }{ " " }
                            <span class="dim">{ shape(&r.shape) }</span>
                        </li>
                    }) }
                </ol>
            }
        </>
    }
}

fn about_weights(
    props: &OpenFileProps,
    file: &WeightsFile,
    found: Option<&Result<Rc<Match>, Failure>>,
) -> Html {
    let named = file.spec.as_ref().filter(|s| **s != *props.spec).map(|s| {
        let name = match s.name.as_str() {
            "" => t("own-network"),
            name => name.to_string(),
        };
        let params = count(check(s).params as u64);
        t_args(
            "weights-named",
            &[("name", name.into()), ("params", params.into())],
        )
    });
    html! {
        <>
            if let Some(step) = file.step {
                <p>{ t_args("checkpoint-about", &[("step", count(u64::from(step)).into())]) }</p>
            }
            if let Some(text) = named {
                <p>{ text }</p>
            }
            { match (found, &props.run) {
                (Some(Ok(found)), _) => html! { <Table found={found.clone()} /> },
                (Some(Err(f)), _) => html! { <p class="error" role="alert">{ failure_text(f) }</p> },
                (None, Some(_)) => html! { <p role="status">{ t("file-reading") }</p> },
                (None, None) => html! { <p class="dim">{ t("weights-no-run") }</p> },
            } }
        </>
    }
}

fn buttons(
    props: &OpenFileProps,
    content: &Content,
    found: Option<&Result<Rc<Match>, Failure>>,
    busy: bool,
    choose: &Callback<Choice>,
) -> Html {
    let mut first = true;
    let mut button = |key: &str, choice: Choice| {
        let choose = choose.clone();
        let class = classes!("button", std::mem::take(&mut first).then_some("primary"));
        let onclick = Callback::from(move |_: MouseEvent| choose.emit(choice));
        html! { <button type="button" {class} disabled={busy} {onclick}>{ t(key) }</button> }
    };
    let all = match content {
        Content::Project(_) => vec![button("project-open", Choice::Project)],
        Content::Onnx(file) if file.reading.spec.is_none() => Vec::new(),
        Content::Onnx(_) => vec![button("weights-there", Choice::There)],
        Content::Weights(file) => {
            let mut all = Vec::new();
            if file.step.is_some() {
                all.push(button("checkpoint-go-on", Choice::GoOn));
            }
            if matches!(found, Some(Ok(m)) if m.fits()) {
                all.push(button("weights-here", Choice::Here));
            }
            let other = file.spec.as_ref().is_some_and(|s| *s != *props.spec);
            if other && file.step.is_none() {
                all.push(button("weights-there", Choice::There));
            }
            all
        }
    };
    if all.is_empty() {
        return html! {};
    }
    html! {
        <footer>
            <p class="dim">{ t("file-accept-hint") }</p>
            { for all }
        </footer>
    }
}

/// Does what the visitor chose. `header`: the one to put in place of the file's own.
async fn act(
    props: &OpenFileProps,
    content: &Content,
    choice: Choice,
    header: Option<Vec<u8>>,
) -> Result<(), Failure> {
    let (spec, start, told) = match content {
        Content::Project(opened) => {
            let p = &opened.project;
            let start = match &opened.checkpoint {
                Some(at) => {
                    let bytes = look::part(&props.file, at.start as f64..at.end as f64).await?;
                    Start::State(bytes, Box::new(p.course.clone()))
                }
                None => Start::Fresh,
            };
            (p.spec.clone(), start, "project-opened")
        }
        Content::Onnx(file) => {
            let Some(spec) = file.reading.spec.clone() else {
                return Ok(());
            };
            // Without its data there is no run for the weights yet; the network is shown all the same.
            let waits = matches!(spec.data.source, DataSource::Files { .. })
                && props.runner.0.files_of(&spec).is_empty();
            match waits {
                true => (spec, Start::Fresh, "onnx-waits"),
                false => {
                    let start = Start::Weights(file.weights.slice(0));
                    (spec, start, "weights-opened")
                }
            }
        }
        Content::Weights(file) => {
            let bytes = bytes_of(&props.file, file, header).await?;
            match (choice, &file.spec) {
                (Choice::GoOn, Some(spec)) => {
                    let start = Start::State(bytes, Box::default());
                    (spec.clone(), start, "checkpoint-opened")
                }
                (Choice::There, Some(spec)) => {
                    (spec.clone(), Start::Weights(bytes), "weights-opened")
                }
                _ => {
                    let spec = (*props.spec).clone();
                    (spec, Start::Weights(bytes), "weights-loaded")
                }
            }
        }
    };
    let runner = &props.runner.0;
    // A network that is no run yet, for it cannot train, is shown as it is.
    let onnx = matches!(content, Content::Onnx(_));
    if matches!(start, Start::Fresh) && (onnx || !check(&spec).ok) {
        props.dispatch.dispatch(Action::Open(Box::new(spec)));
    } else {
        let files = data_of(&spec, !runner.files_of(&spec).is_empty()).await?;
        runner.replace(spec, start, files).await?;
    }
    if let Content::Project(opened) = content {
        runner.keep(&opened.project.runs);
    }
    let word = Word::Message(told, vec![("name", props.file.name())]);
    props.dispatch.dispatch(Action::Say(word));
    Ok(())
}

/// A file's bytes, under another header where one is given.
async fn bytes_of(
    file: &File,
    about: &WeightsFile,
    header: Option<Vec<u8>>,
) -> Result<js_sys::ArrayBuffer, Failure> {
    let Some(header) = header else {
        return look::part(file, 0.0..about.length).await;
    };
    let rest = look::part(file, about.begin as f64..about.length).await?;
    let parts = Array::of2(&Uint8Array::from(&header[..]), &rest);
    let blob = Blob::new_with_buffer_source_sequence(&parts).map_err(|_| {
        bad(Problem::new("weights-file").arg("detail", "there is no memory for it"))
    })?;
    look::part(&blob, 0.0..blob.size()).await
}

/// The files of the network's data, where it needs some that the page does not have: kept ones of a
/// public set.
async fn data_of(spec: &Spec, here: bool) -> Result<Vec<File>, Failure> {
    let DataSource::Files { name, .. } = &spec.data.source else {
        return Ok(Vec::new());
    };
    if here {
        return Ok(Vec::new());
    }
    let files = look::kept_set(name).await;
    if files.is_empty() {
        return Err(bad(Problem::new("data-missing").arg("name", name)));
    }
    Ok(files)
}
