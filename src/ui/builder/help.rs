//! Words that load later: help on hover and focus, what is said of an edit, the list of keys.
use super::WORDS;
use crate::ui::i18n::{Lang, has_more, load_more, t, t_args, t_maybe, use_lang, use_more};
use crate::ui::icons::{Icon, IconButton};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

/// Says what an edit did to those who cannot see it.
#[derive(Clone)]
pub struct Say(pub UseStateHandle<(u32, String)>);

impl Say {
    pub fn plain(&self, key: &'static str) {
        self.args(key, &[]);
    }

    pub fn args(&self, key: &'static str, args: &[(&'static str, String)]) {
        let (said, args) = (self.0.clone(), args.to_vec());
        let say = move || {
            let args: Vec<_> = args.iter().map(|(k, v)| (*k, v.clone().into())).collect();
            // The same words again are another text, or nobody would hear them.
            said.set((said.0 + 1, t_args(key, &args)));
        };
        let lang = Lang::current();
        if has_more(lang, WORDS) {
            return say();
        }
        wasm_bindgen_futures::spawn_local(async move {
            load_more(lang, WORDS).await;
            say();
        });
    }
}

#[derive(Properties, PartialEq)]
pub struct FetchProps {
    /// The words have come.
    pub on_here: Callback<()>,
}

/// Fetches the words; shows nothing.
#[component]
pub fn Fetch(props: &FetchProps) -> Html {
    let here = use_more(WORDS);
    let on_here = props.on_here.clone();
    use_effect_with(here, move |here| {
        if *here {
            on_here.emit(());
        }
    });
    html! { <link rel="stylesheet" href="./css/blocks.css" /> }
}

/// What a kind of layer does: in full where the words are here, else in short.
pub fn about(kind: &str) -> String {
    t_maybe(&format!("help-{kind}")).unwrap_or_else(|| t(&format!("layer-{kind}-about")))
}

/// Keys of the builder, and what they do.
const KEYS: &[(&str, &str)] = &[
    ("↑ ↓ Home End", "key-walk"),
    ("Enter  ← →", "key-open"),
    ("+  Insert", "key-add"),
    ("Alt + ↑ ↓", "key-move"),
    ("Ctrl + D", "key-copy"),
    ("Delete", "key-remove"),
    ("Shift + ↑ ↓", "key-choose"),
    ("Ctrl + G", "key-group"),
    ("Ctrl + Z", "key-undo"),
    ("Ctrl + Shift + Z", "key-redo"),
    ("Esc", "key-escape"),
];

/// A button that opens the list of keys.
#[component]
pub fn Keys() -> Html {
    use_lang();
    let open = use_state_eq(|| false);
    let here = use_more_if(*open);
    let root = use_node_ref();
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let onkeydown = {
        let (open, root) = (open.clone(), root.clone());
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Escape" && *open {
                e.stop_propagation();
                open.set(false);
                let button = root.cast::<HtmlElement>();
                let button = button.and_then(|r| r.query_selector("button").ok().flatten());
                if let Some(b) = button.and_then(|b| b.dyn_into::<HtmlElement>().ok()) {
                    // A button that cannot take the focus leaves it where it is.
                    let _ = b.focus();
                }
            }
        })
    };
    let onfocusout = {
        let (open, root) = (open.clone(), root.clone());
        Callback::from(move |e: FocusEvent| {
            let to = e
                .related_target()
                .and_then(|t| t.dyn_into::<web_sys::Node>().ok());
            let inside = root
                .cast::<HtmlElement>()
                .is_some_and(|r| to.as_ref().is_some_and(|to| r.contains(Some(to))));
            if !inside {
                open.set(false);
            }
        })
    };
    html! {
        <span class="menu-root" ref={root} {onkeydown} {onfocusout}>
            <IconButton icon={Icon::Help} label={t("builder-help")} onclick={toggle} />
            if *open && here {
                <div class="menu right keys" role="note" tabindex="-1">
                    <p>{ t("keys-about") }</p>
                    <dl>
                        { for KEYS.iter().map(|(keys, what)| html! {
                            <div key={*what}><dt><kbd>{ *keys }</kbd></dt><dd>{ t(what) }</dd></div>
                        }) }
                    </dl>
                </div>
            }
        </span>
    }
}

/// As `use_more`, but fetched only when it is wanted.
#[hook]
fn use_more_if(wanted: bool) -> bool {
    let lang = use_lang();
    let update = use_force_update();
    use_effect_with((lang, wanted), move |(lang, wanted)| {
        let lang = *lang;
        if *wanted && !has_more(lang, WORDS) {
            wasm_bindgen_futures::spawn_local(async move {
                load_more(lang, WORDS).await;
                update.force_update();
            });
        }
    });
    has_more(lang, WORDS)
}
