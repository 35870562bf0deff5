//! The dialog that makes the lines by which another page shows this one in a frame.
use super::WORDS;
use crate::spec::Spec;
use crate::ui::code::Sheet;
use crate::ui::fields::{CheckField, SelectField};
use crate::ui::i18n::{t, use_lang, use_more};
use crate::ui::icons::{Icon, IconButton};
use crate::ui::plot::browser::copy;
use crate::ui::share::link_to;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// Panes that can be chosen, in their order.
const PANES: [(&str, &str); 8] = [
    ("setup", "tab-setup"),
    ("network", "tab-network"),
    ("plot", "plot"),
    ("predictions", "tab-predictions"),
    ("weights", "tab-weights"),
    ("activations", "tab-activations"),
    ("evaluation", "tab-evaluation"),
    ("code", "tab-code"),
];

#[derive(Clone, Properties, PartialEq)]
pub struct EmbedProps {
    pub spec: Rc<Spec>,
    pub on_close: Callback<()>,
}

#[derive(Clone, PartialEq)]
struct Chosen {
    panes: [bool; 8],
    /// "" where the reader's browser decides.
    theme: String,
    lang: String,
    train: bool,
}

/// The lines for this choice. `link`: the address of the page with the network in its fragment.
fn lines(link: &str, chosen: &Chosen) -> String {
    let (page, fragment) = link.split_once('#').unwrap_or((link, ""));
    let panes = PANES.iter().zip(chosen.panes);
    let panes: Vec<&str> = panes
        .filter(|(_, on)| *on)
        .map(|((id, _), _)| *id)
        .collect();
    let mut query = format!("embed=1&panes={}", panes.join(","));
    for (name, value) in [("theme", &chosen.theme), ("lang", &chosen.lang)] {
        if !value.is_empty() {
            query.push_str(&format!("&{name}={value}"));
        }
    }
    if !chosen.train {
        query.push_str("&train=0");
    }
    // In an attribute of HTML.
    let address = format!("{page}?{query}#{fragment}").replace('&', "&amp;");
    format!(
        "<iframe src=\"{address}\" title=\"Nabla\" width=\"100%\" height=\"640\" style=\"border:0\" loading=\"lazy\" \
         allow=\"clipboard-write\"></iframe>"
    )
}

#[component]
pub fn EmbedDialog(props: &EmbedProps) -> Html {
    use_lang();
    let ready = use_more(WORDS);
    let dialog = use_node_ref();
    let link = use_state_eq(String::new);
    let copied = use_state_eq(|| None::<bool>);
    let chosen = use_state(|| Chosen {
        panes: [false, true, true, true, false, false, false, false],
        theme: String::new(),
        lang: String::new(),
        train: true,
    });
    {
        let link = link.setter();
        use_effect_with(props.spec.clone(), move |spec| {
            let spec = spec.clone();
            spawn_local(async move { link.set(link_to(&spec).await.unwrap_or_default()) });
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
    let change = |f: fn(&mut Chosen, String)| {
        let (chosen, copied) = (chosen.clone(), copied.setter());
        Callback::from(move |value: String| {
            let mut next = (*chosen).clone();
            f(&mut next, value);
            copied.set(None);
            chosen.set(next);
        })
    };
    let pane = |i: usize| {
        let (chosen, copied) = (chosen.clone(), copied.setter());
        Callback::from(move |on: bool| {
            let mut next = (*chosen).clone();
            next.panes[i] = on;
            copied.set(None);
            chosen.set(next);
        })
    };
    let on_train = {
        let (chosen, copied) = (chosen.clone(), copied.setter());
        Callback::from(move |on: bool| {
            let mut next = (*chosen).clone();
            next.train = on;
            copied.set(None);
            chosen.set(next);
        })
    };
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
    let text = lines(&link, &chosen);
    let none = chosen.panes.iter().all(|on| !on);
    let on_copy = {
        let (text, copied) = (text.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| {
            let (text, copied) = (text.clone(), copied.clone());
            spawn_local(async move { copied.set(Some(copy(&text).await)) });
        })
    };
    let option = |id: &'static str, key: &str| (AttrValue::from(id), AttrValue::from(t(key)));
    let themes = vec![
        option("", "embed-theme-reader"),
        option("light", "embed-light"),
        option("dark", "embed-dark"),
    ];
    let langs = vec![
        option("", "embed-lang-reader"),
        (AttrValue::from("en"), AttrValue::from("English")),
        (AttrValue::from("zh"), AttrValue::from("简体中文")),
    ];
    html! {
        <dialog class="code-dialog" ref={dialog} aria-labelledby="embed-title" {onclose}>
            <Sheet />
            <header class="pane-head">
                <h2 id="embed-title">{ t("embed-title") }</h2>
                <span class="spacer"></span>
                <IconButton icon={Icon::Close} label={t("file-close")} onclick={close} />
            </header>
            <div class="code-dialog-body">
                <p class="dim">{ t("embed-about") }</p>
                <fieldset class="embed-panes">
                    <legend>{ t("embed-panes") }</legend>
                    { for PANES.iter().enumerate().map(|(i, (id, key))| html! {
                        <CheckField key={*id} label={t(key)} value={chosen.panes[i]} on_change={pane(i)} />
                    }) }
                </fieldset>
                <SelectField label={t("embed-theme")} value={chosen.theme.clone()} options={themes}
                    on_change={change(|c, v| c.theme = v)} />
                <SelectField label={t("embed-lang")} value={chosen.lang.clone()} options={langs}
                    on_change={change(|c, v| c.lang = v)} />
                <CheckField label={t("embed-train")} value={chosen.train} on_change={on_train} />
                if none {
                    <p class="error" role="alert">{ t("embed-none") }</p>
                }
                <textarea class="code" rows="5" readonly={true} spellcheck="false" aria-label={t("embed-lines")} value={text} />
            </div>
            <footer>
                if let Some(done) = *copied {
                    <p role="status">{ t(if done { "embed-copied" } else { "embed-refused" }) }</p>
                }
                <button type="button" class="button primary" disabled={none || link.is_empty()} onclick={on_copy}>{ t("embed-copy") }</button>
            </footer>
        </dialog>
    }
}
