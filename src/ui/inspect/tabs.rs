//! A row of tabs (ARIA authoring practices: one tab stop, arrows move) and what they open: the
//! chosen view, and those that stay beside it.
use crate::ui::i18n::t_args;
use crate::ui::icons::{Icon, IconButton};
use gloo::utils::document;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct TabsProps {
    /// Id and title.
    pub tabs: Vec<(AttrValue, AttrValue)>,
    pub current: AttrValue,
    /// Ids of what stands open, in the order of the page; the current one is among them.
    pub open: Vec<AttrValue>,
    pub onchange: Callback<AttrValue>,
    pub label: AttrValue,
    /// What stands at the end of the row.
    pub tools: Html,
    /// A [`Panel`] for each that is open.
    pub children: Html,
}

#[component]
pub fn Tabs(props: &TabsProps) -> Html {
    let list = use_node_ref();
    let several = props.open.len() > 1;
    let keys = {
        let (tabs, current) = (props.tabs.clone(), props.current.clone());
        let (onchange, list) = (props.onchange.clone(), list.clone());
        Callback::from(move |e: KeyboardEvent| {
            let last = tabs.len().saturating_sub(1);
            let at = tabs.iter().position(|t| t.0 == current).unwrap_or(0);
            let to = match e.key().as_str() {
                "ArrowRight" => (at + 1) % (last + 1),
                "ArrowLeft" => (at + last) % (last + 1),
                "Home" => 0,
                "End" => last,
                _ => return,
            };
            e.prevent_default();
            onchange.emit(tabs[to].0.clone());
            let child = list
                .cast::<HtmlElement>()
                .and_then(|l| l.children().item(to as u32));
            if let Some(tab) = child.and_then(|c| c.dyn_into::<HtmlElement>().ok()) {
                // An element that cannot take the focus leaves it where it was.
                let _ = tab.focus();
            }
        })
    };
    // Among several the chosen one comes into sight.
    use_effect_with((props.current.clone(), several), |(current, several)| {
        let panel = document().get_element_by_id(&panel_id(current));
        if let (Some(panel), true) = (panel, *several) {
            let options = ScrollIntoViewOptions::new();
            options.set_block(ScrollLogicalPosition::Nearest);
            panel.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    html! {
        <>
            <div class="look-bar">
                <div class="look-tabs" role="tablist" aria-label={props.label.clone()} ref={list} onkeydown={keys}>
                    { for props.tabs.iter().map(|(id, title)| {
                        let selected = *id == props.current;
                        let open = props.open.contains(id);
                        let (onchange, to) = (props.onchange.clone(), id.clone());
                        html! {
                            <button key={id.to_string()} type="button" role="tab" id={tab_id(id)}
                                class={classes!((open && !selected).then_some("open"))}
                                aria-selected={selected.to_string()}
                                aria-controls={open.then(|| panel_id(id))}
                                tabindex={if selected { "0" } else { "-1" }}
                                onclick={move |_| onchange.emit(to.clone())}>{ title.clone() }</button>
                        }
                    }) }
                </div>
                { props.tools.clone() }
            </div>
            <div class={classes!("look-panels", several.then_some("several"))}>
                { props.children.clone() }
            </div>
        </>
    }
}

fn tab_id(id: &str) -> String {
    format!("tab-{id}")
}

fn panel_id(id: &str) -> String {
    format!("panel-{id}")
}

#[derive(Properties, PartialEq)]
pub struct PanelProps {
    pub id: AttrValue,
    pub title: AttrValue,
    /// Whether it stands beside others, under its title.
    pub beside: bool,
    /// Takes it away from beside the others.
    #[prop_or_default]
    pub on_close: Option<Callback<()>>,
    pub children: Html,
}

/// What a tab opens.
#[component]
pub fn Panel(props: &PanelProps) -> Html {
    let close = props.on_close.clone().map(|close| {
        let label = t_args("inspect-close", &[("view", props.title.as_str().into())]);
        let onclick = Callback::from(move |_: MouseEvent| close.emit(()));
        html! { <IconButton icon={Icon::Close} {label} {onclick} /> }
    });
    html! {
        <div class="look-panel" role="tabpanel" id={panel_id(&props.id)} tabindex="0"
            aria-labelledby={tab_id(&props.id)}>
            if props.beside {
                <div class="look-head"><h3>{ props.title.clone() }</h3>{ close.unwrap_or_default() }</div>
            }
            { props.children.clone() }
        </div>
    }
}
