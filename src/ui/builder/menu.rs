//! The place between two cards, where a layer can be added.
use super::super::i18n::{t, use_lang};
use super::super::icons::{Glyph, Icon};
use super::edit::KINDS;
use crate::spec::Framework;
use crate::ui::fields::slug;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct AddMenuProps {
    pub at: usize,
    /// Behind the last layer: the button is written out.
    pub end: bool,
    pub open: bool,
    pub framework: Framework,
    /// A dragged card would be put here.
    pub drop_here: bool,
    pub on_open: Callback<Option<usize>>,
    pub on_add: Callback<(usize, AttrValue)>,
}

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
    let at = props.at;
    let toggle = {
        let (on_open, open) = (props.on_open.clone(), props.open);
        Callback::from(move |_: MouseEvent| on_open.emit((!open).then_some(at)))
    };
    let onkeydown = {
        let (menu, on_open) = (menu.clone(), props.on_open.clone());
        Callback::from(move |e: KeyboardEvent| {
            let by = match e.key().as_str() {
                "ArrowDown" | "ArrowRight" => 1,
                "ArrowUp" | "ArrowLeft" => -1,
                "Escape" => {
                    e.stop_propagation();
                    on_open.emit(None);
                    // Back to the button that opened it.
                    if let Some(button) = menu
                        .cast::<HtmlElement>()
                        .and_then(|m| m.previous_element_sibling())
                    {
                        focus(&button);
                    }
                    return;
                }
                _ => return,
            };
            e.prevent_default();
            step_focus(&menu, by);
        })
    };
    let onfocusout = {
        let (menu, on_open) = (menu.clone(), props.on_open.clone());
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
                on_open.emit(None);
            }
        })
    };
    let label = t("add-layer");
    html! {
        <li class={classes!("place", props.end.then_some("end"), props.drop_here.then_some("drop"))}>
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
                    { for KINDS.iter().map(|kind| {
                        let on_add = props.on_add.clone();
                        let onclick = Callback::from(move |_: MouseEvent| {
                            on_add.emit((at, AttrValue::Static(kind)));
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

fn step_focus(menu: &NodeRef, by: i32) {
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
    if n > 0
        && let Some(e) = item((now + by).rem_euclid(n))
    {
        focus(&e);
    }
}
