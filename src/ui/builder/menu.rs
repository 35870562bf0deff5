//! The place between two cards, where a layer can be added.
use super::super::i18n::{t, use_lang};
use super::super::icons::{Glyph, Icon};
use super::ask::Ask;
use crate::spec::Framework;
use crate::spec::edit::{BLOCKS, KINDS, Place};
use crate::ui::fields::slug;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct AddMenuProps {
    pub place: Place,
    /// Behind the last layer: the button is written out.
    pub end: bool,
    pub open: bool,
    pub framework: Framework,
    /// Only what a beginner's tutorial begins with.
    pub simple: bool,
    /// A dragged card would be put here.
    pub drop_here: bool,
    pub on_ask: Callback<Ask>,
}

/// What the menu offers in the view with fewer fields.
const SIMPLE: &[&str] = &[
    "linear",
    "conv2d",
    "max-pool2d",
    "conv1d",
    "max-pool1d",
    "global-avg-pool",
    "activation",
    "dropout",
    "flatten",
    "embedding",
    "lstm",
    "add",
];

/// Letters that follow each other so soon are of one word.
const WORD_MS: f64 = 800.0;

/// What a kind of layer is called in a framework.
pub fn kind_name(kind: &str, framework: Framework) -> String {
    t(&format!("layer-{kind}-{}", slug(&framework)))
}

#[component]
pub fn AddMenu(props: &AddMenuProps) -> Html {
    use_lang();
    let menu = use_node_ref();
    {
        let menu = menu.clone();
        use_effect_with(props.open, move |open| {
            if *open
                && let Some(m) = menu.cast::<HtmlElement>()
                && let Ok(Some(first)) = m.query_selector("button")
            {
                focus(&first);
            }
        });
    }
    let at = props.place.clone();
    let toggle = {
        let (on_ask, open, at) = (props.on_ask.clone(), props.open, at.clone());
        Callback::from(move |_: MouseEvent| on_ask.emit(Ask::Menu((!open).then(|| at.clone()))))
    };
    // What has been typed to find a kind, and when.
    let typed = use_mut_ref(|| (String::new(), 0.0));
    let onkeydown = {
        let (menu, on_ask) = (menu.clone(), props.on_ask.clone());
        Callback::from(move |e: KeyboardEvent| {
            // The cards have keys of their own.
            e.stop_propagation();
            let to = match e.key().as_str() {
                "ArrowDown" | "ArrowRight" => To::By(1),
                "ArrowUp" | "ArrowLeft" => To::By(-1),
                "Home" => To::Place(0),
                "End" => To::Place(-1),
                "Escape" => {
                    on_ask.emit(Ask::Menu(None));
                    // Back to the button that opened it.
                    if let Some(button) = menu
                        .cast::<HtmlElement>()
                        .and_then(|m| m.previous_element_sibling())
                    {
                        focus(&button);
                    }
                    return;
                }
                key if key.chars().count() == 1
                    && key != " "
                    && !(e.ctrl_key() || e.meta_key() || e.alt_key()) =>
                {
                    let mut typed = typed.borrow_mut();
                    if e.time_stamp() - typed.1 > WORD_MS {
                        typed.0.clear();
                    }
                    typed.0.push_str(&key.to_lowercase());
                    typed.1 = e.time_stamp();
                    To::Word(typed.0.clone())
                }
                _ => return,
            };
            e.prevent_default();
            step_focus(&menu, &to);
        })
    };
    let onfocusout = {
        let (menu, on_ask) = (menu.clone(), props.on_ask.clone());
        Callback::from(move |e: FocusEvent| {
            let to = e
                .related_target()
                .and_then(|t| t.dyn_into::<Element>().ok());
            let inside = match (menu.cast::<Element>(), &to) {
                (Some(m), Some(to)) => {
                    m.contains(Some(to)) || m.previous_element_sibling().as_ref() == Some(to)
                }
                _ => false,
            };
            if !inside {
                on_ask.emit(Ask::Menu(None));
            }
        })
    };
    let simple = props.simple;
    let kinds = KINDS.iter().chain(BLOCKS);
    let kinds = kinds.filter(move |k| !simple || SIMPLE.contains(k));
    let label = t("add-layer");
    html! {
        <li
            class={classes!("place", props.end.then_some("end"), props.drop_here.then_some("drop"))}
            data-at={props.place.at.to_string()}
            data-in={props.place.group.clone()}
        >
            <button
                type="button"
                class="add"
                aria-haspopup="menu"
                aria-expanded={props.open.to_string()}
                aria-label={label.clone()}
                title={label.clone()}
                onclick={toggle}
            >
                <Glyph icon={Icon::Plus} />
                if props.end {
                    <span>{ label }</span>
                }
            </button>
            if props.open {
                <div class="menu" role="menu" ref={menu} {onkeydown} {onfocusout}>
                    { for kinds.map(|kind| {
                        let (on_ask, at) = (props.on_ask.clone(), at.clone());
                        let onclick = Callback::from(move |_: MouseEvent| {
                            on_ask.emit(Ask::Add(at.clone(), AttrValue::Static(kind)));
                        });
                        html! {
                            <button type="button" role="menuitem" key={*kind} {onclick}>
                                <strong>{ kind_name(kind, props.framework) }</strong>
                                <span class="dim">{ t(&format!("layer-{kind}-about")) }</span>
                            </button>
                        }
                    }) }
                </div>
            }
        </li>
    }
}

fn focus(e: &Element) {
    if let Some(e) = e.dyn_ref::<HtmlElement>() {
        // An element that cannot take the focus leaves it where it is.
        let _ = e.focus();
    }
}

/// Where the focus goes among the items of a menu.
enum To {
    By(i32),
    /// Counted from the end where negative.
    Place(i32),
    /// The next item that begins so.
    Word(String),
}

fn step_focus(menu: &NodeRef, to: &To) {
    let Some(menu) = menu.cast::<HtmlElement>() else {
        return;
    };
    let Ok(items) = menu.query_selector_all("button") else {
        return;
    };
    let active = gloo::utils::document().active_element();
    let n = items.length() as i32;
    let item = |i: i32| {
        items
            .item(i as u32)
            .and_then(|e| e.dyn_into::<Element>().ok())
    };
    let now = (0..n).find(|i| item(*i) == active).unwrap_or(0);
    let begins = |i: &i32, word: &str| {
        let text = item(*i).and_then(|e| e.text_content());
        text.is_some_and(|t| t.to_lowercase().starts_with(word))
    };
    let next = match to {
        To::By(by) => Some((now + by).rem_euclid(n.max(1))),
        To::Place(at) => Some(at.rem_euclid(n.max(1))),
        // A first letter goes on to the next item, further ones may stay where they are.
        To::Word(word) => {
            let from = now + i32::from(word.chars().count() == 1);
            (0..n)
                .map(|i| (from + i).rem_euclid(n))
                .find(|i| begins(i, word))
        }
    };
    if let Some(e) = next.and_then(item) {
        focus(&e);
    }
}
