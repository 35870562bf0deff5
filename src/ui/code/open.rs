//! “Open code…”: a dialog that takes pasted or dropped Python and says what it means.
use super::bridge::{self, Note, Reading};
use super::preview::Preview;
use super::{Sheet, use_words};
use crate::interop::read::notebook_code;
use crate::spec::Spec;
use crate::train::protocol::Failure;
use crate::ui::i18n::{failure_text, t, t_args, use_lang};
use crate::ui::icons::{Icon, IconButton};
use crate::ui::store::check;
use std::rc::Rc;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{File, HtmlDialogElement, HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

/// Bytes of a file that is read; a notebook may hold pictures.
const FILE: f64 = 16.0 * 1_048_576.0;
/// What says that a file holds Python.
const ENDS: &str = ".py,.ipynb,.txt";

/// Networks with more parameters or more operations per sample are heavy: a link opens none of
/// them by itself.
const HEAVY: (usize, u64) = (1_000_000, 20_000_000);

/// What the dialog begins with.
#[derive(Clone, PartialEq)]
pub enum Start {
    Empty,
    /// A file that was dropped on the page.
    File(File),
    /// The end of an address. The dialog comes up only if there is something to ask or to say.
    Link(String),
}

#[derive(Clone, Properties, PartialEq)]
pub struct OpenProps {
    pub start: Start,
    pub on_spec: Callback<Spec>,
    pub on_close: Callback<()>,
}

/// What became of the text.
#[derive(Clone, PartialEq)]
enum Outcome {
    None,
    Reading,
    Read(Rc<Reading>),
    Failed(Failure),
    /// The file could not be used: a key of the catalogue and the file's name.
    File(&'static str, String),
}

#[component]
pub fn OpenCode(props: &OpenProps) -> Html {
    let lang = use_lang();
    let ready = use_words();
    let dialog = use_node_ref();
    let area = use_node_ref();
    let outcome = use_state(|| Outcome::None);
    // The last question; answers to others come too late.
    let turn = use_mut_ref(|| 0_u32);
    {
        let dialog = dialog.clone();
        let (on_spec, on_close) = (props.on_spec.clone(), props.on_close.clone());
        let quiet = matches!(props.start, Start::Link(_));
        let deps = (ready, quiet, (*outcome).clone());
        use_effect_with(deps, move |(_, quiet, outcome)| {
            match outcome {
                Outcome::None | Outcome::Reading if *quiet => return,
                Outcome::Read(reading) if *quiet => {
                    if let Some(spec) = reading.spec.as_ref().filter(|s| is_light(s)) {
                        on_spec.emit(spec.clone());
                        on_close.emit(());
                        return;
                    }
                }
                _ => {}
            }
            if let Some(d) = dialog.cast::<HtmlDialogElement>()
                && !d.open()
            {
                // Fails only where it is open already.
                let _ = d.show_modal();
            }
        });
    }
    let read = {
        let (area, outcome, turn) = (area.clone(), outcome.setter(), turn.clone());
        Callback::from(move |()| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            // A notebook becomes its code, so that lines can be named.
            if let Some(code) = notebook_code(&area.value()) {
                area.set_value(&code);
            }
            let text = area.value();
            *turn.borrow_mut() += 1;
            let mine = *turn.borrow();
            if text.trim().is_empty() {
                outcome.set(Outcome::None);
                return;
            }
            outcome.set(Outcome::Reading);
            let (outcome, turn) = (outcome.clone(), turn.clone());
            spawn_local(async move {
                let answer = bridge::reading(&text).await;
                if *turn.borrow() == mine {
                    outcome.set(match answer {
                        Ok(reading) => Outcome::Read(Rc::new(reading)),
                        Err(failure) => Outcome::Failed(failure),
                    });
                }
            });
        })
    };
    let take = {
        let (area, outcome, read) = (area.clone(), outcome.setter(), read.clone());
        Callback::from(move |file: File| {
            let (area, outcome, read) = (area.clone(), outcome.clone(), read.clone());
            if file.size() > FILE {
                outcome.set(Outcome::File("code-file-big", file.name()));
                return;
            }
            spawn_local(async move {
                match JsFuture::from(file.text())
                    .await
                    .ok()
                    .and_then(|t| t.as_string())
                {
                    Some(text) => {
                        if let Some(area) = area.cast::<HtmlTextAreaElement>() {
                            area.set_value(&text);
                        }
                        read.emit(());
                    }
                    None => outcome.set(Outcome::File("code-file-unread", file.name())),
                }
            });
        })
    };
    {
        let (take, read, area) = (take.clone(), read.clone(), area.clone());
        let deps = (props.start.clone(), ready);
        use_effect_with(deps, move |(start, ready)| match start {
            Start::File(file) if *ready => take.emit(file.clone()),
            Start::Link(link) if *ready => {
                if let Some(area) = area.cast::<HtmlTextAreaElement>() {
                    area.set_value(link);
                }
                read.emit(());
            }
            _ => {}
        });
    }
    {
        // Messages in the other language.
        let read = read.clone();
        let shown = matches!(*outcome, Outcome::Read(_));
        use_effect_with(lang, move |_| {
            if shown {
                read.emit(());
            }
        });
    }
    if !ready {
        return html! {};
    }
    let close = {
        let dialog = dialog.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(d) = dialog.cast::<HtmlDialogElement>() {
                d.close();
            }
        })
    };
    let onclose = {
        let on_close = props.on_close.clone();
        Callback::from(move |_: Event| on_close.emit(()))
    };
    let on_file = {
        let take = take.clone();
        Callback::from(move |e: Event| {
            let input: HtmlInputElement = e.target_unchecked_into();
            if let Some(file) = input.files().and_then(|f| f.get(0)) {
                take.emit(file);
            }
            input.set_value("");
        })
    };
    let on_read = {
        let read = read.clone();
        Callback::from(move |_: MouseEvent| read.emit(()))
    };
    let onkeydown = {
        let read = read.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Enter" && (e.ctrl_key() || e.meta_key()) {
                e.prevent_default();
                read.emit(());
            }
        })
    };
    // What is said of the text before is not of the text now.
    let oninput = {
        let (outcome, turn) = (outcome.setter(), turn.clone());
        Callback::from(move |_: InputEvent| {
            *turn.borrow_mut() += 1;
            outcome.set(Outcome::None);
        })
    };
    let go = {
        let area = area.clone();
        Callback::from(move |line: usize| {
            if let Some(area) = area.cast::<HtmlTextAreaElement>() {
                show_line(&area, line);
            }
        })
    };
    let on_accept = match &*outcome {
        Outcome::Read(reading) => reading.spec.clone(),
        _ => None,
    }
    .map(|spec| {
        let (on_spec, dialog) = (props.on_spec.clone(), dialog.clone());
        Callback::from(move |_: MouseEvent| {
            on_spec.emit(spec.clone());
            if let Some(d) = dialog.cast::<HtmlDialogElement>() {
                d.close();
            }
        })
    });
    // Of a link there is nothing to edit.
    let link = matches!(props.start, Start::Link(_));
    html! {
        <dialog class="code-dialog" ref={dialog} aria-labelledby="code-dialog-title" {onclose}>
            <Sheet />
            <header class="pane-head">
                <h2 id="code-dialog-title">{ t(if link { "link-title" } else { "code-title" }) }</h2>
                <span class="spacer"></span>
                <IconButton icon={Icon::Close} label={t("code-close")} onclick={close} />
            </header>
            <div class="code-dialog-body">
                <p class="dim" id="code-about">{ t(if link { "link-about" } else { "code-about" }) }</p>
                <textarea
                    class="code"
                    ref={area}
                    rows="12"
                    hidden={link}
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    wrap="off"
                    autofocus={true}
                    aria-label={t("code-paste")}
                    aria-describedby="code-about"
                    placeholder={t("code-paste")}
                    {onkeydown}
                    {oninput}
                />
                <div class="view-tools" hidden={link}>
                    <button type="button" class="button primary" title={t("code-read-hint")} onclick={on_read}>{ t("code-read") }</button>
                    <label class="button">
                        { t("code-file") }
                        <input class="unseen" type="file" accept={ENDS} onchange={on_file} />
                    </label>
                </div>
                { said(&outcome, &go, link) }
            </div>
            if let Some(onclick) = on_accept {
                <footer>
                    <p class="dim">{ t("code-accept-hint") }</p>
                    <button type="button" class="button primary" {onclick}>{ t("code-accept") }</button>
                </footer>
            }
        </dialog>
    }
}

/// Whether a network of a link may be built without asking.
fn is_light(spec: &Spec) -> bool {
    check(spec).ok && !is_heavy(spec)
}

fn is_heavy(spec: &Spec) -> bool {
    let report = check(spec);
    report.params > HEAVY.0 || report.flops > HEAVY.1
}

fn said(outcome: &Outcome, go: &Callback<usize>, link: bool) -> Html {
    match outcome {
        Outcome::None => html! {},
        Outcome::Reading => html! { <p class="empty" role="status">{ t("code-reading") }</p> },
        Outcome::Failed(f) => html! { <p class="error" role="alert">{ failure_text(f) }</p> },
        Outcome::File(key, name) => html! {
            <p class="error" role="alert">{ t_args(key, &[("name", name.as_str().into())]) }</p>
        },
        Outcome::Read(reading) => html! {
            <>
                if reading.spec.as_ref().is_some_and(is_heavy) {
                    <p>{ t("code-heavy") }</p>
                }
                if reading.spec.is_none() {
                    <p class="error" role="alert">{ t("code-nothing") }</p>
                }
                if !link || !reading.notes.is_empty() {
                    { notes(&reading.notes, go) }
                }
                if let Some(spec) = &reading.spec {
                    <Preview spec={spec.clone()} />
                }
            </>
        },
    }
}

/// The messages, each with a button that shows its line.
fn notes(notes: &[Note], go: &Callback<usize>) -> Html {
    if notes.is_empty() {
        return html! { <p role="status">{ t("code-clean") }</p> };
    }
    html! {
        <section aria-labelledby="code-notes">
            <h3 id="code-notes">{ t_args("code-notes", &[("n", notes.len().into())]) }</h3>
            <ol class="code-notes">
                { for notes.iter().map(|n| html! {
                    <li>
                        { match n.line {
                            Some(line) => {
                                let go = go.clone();
                                let onclick = Callback::from(move |_: MouseEvent| go.emit(line));
                                html! {
                                    <button type="button" class="line-no figure" title={t("code-show-line")} {onclick}>
                                        { t_args("code-line", &[("n", line.into())]) }
                                    </button>
                                }
                            }
                            None => html! { <span class="line-no dim">{ t("code-whole") }</span> },
                        } }
                        <span>{ &n.message }</span>
                    </li>
                }) }
            </ol>
        </section>
    }
}

/// Selects a line of the text, counted from 1, and brings it into sight.
fn show_line(area: &HtmlTextAreaElement, line: usize) {
    let text = area.value();
    let mut lines = text.split('\n');
    let before: Vec<&str> = lines.by_ref().take(line.saturating_sub(1)).collect();
    let units = |s: &str| s.encode_utf16().count() as u32;
    let start: u32 = before.iter().map(|l| units(l) + 1).sum();
    let end = start + lines.next().map_or(0, units);
    // None of these fail on a text area.
    let _ = area.focus();
    let _ = area.set_selection_range(start, end);
    let total = text.split('\n').count().max(1) as i32;
    let each = area.scroll_height() / total;
    area.set_scroll_top((line as i32 - 3).max(0) * each);
}
