//! A row of tabs (ARIA authoring practices: one tab stop, arrows move).
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct TabsProps {
    /// Id and title.
    pub tabs: Vec<(AttrValue, AttrValue)>,
    pub current: AttrValue,
    pub onchange: Callback<AttrValue>,
    pub label: AttrValue,
    /// What the current tab shows.
    pub children: Html,
}

#[component]
pub fn Tabs(props: &TabsProps) -> Html {
    let list = use_node_ref();
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
    html! {
        <>
            <div class="look-tabs" role="tablist" aria-label={props.label.clone()} ref={list} onkeydown={keys}>
                { for props.tabs.iter().map(|(id, title)| {
                    let selected = *id == props.current;
                    let (onchange, to) = (props.onchange.clone(), id.clone());
                    html! {
                        <button key={id.to_string()} type="button" role="tab" id={format!("tab-{id}")}
                            aria-selected={selected.to_string()} aria-controls="inspect-panel"
                            tabindex={if selected { "0" } else { "-1" }}
                            onclick={move |_| onchange.emit(to.clone())}>{ title.clone() }</button>
                    }
                }) }
            </div>
            <div class="look-panel" role="tabpanel" id="inspect-panel" tabindex="0"
                aria-labelledby={format!("tab-{}", props.current)}>
                { props.children.clone() }
            </div>
        </>
    }
}
