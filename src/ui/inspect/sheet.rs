//! What the views that load later share: their words and their styles.
use crate::ui::i18n::use_more;
use gloo::events::EventListener;
use std::cell::Cell;
use web_sys::Element;
use yew::prelude::*;

/// The catalogue of the closer look.
pub const INSIDE: &str = "inside";

thread_local! {
    /// Whether the styles have come once: a link to them then works at once.
    static STYLED: Cell<bool> = const { Cell::new(false) };
}

#[derive(Properties, PartialEq)]
pub struct InsideProps {
    pub children: Html,
}

/// Shows what it holds as soon as words and styles are here.
#[component]
pub fn Inside(props: &InsideProps) -> Html {
    let worded = use_more(INSIDE);
    let styled = use_state_eq(|| STYLED.get());
    let link = use_node_ref();
    {
        let (styled, link) = (styled.setter(), link.clone());
        use_effect_with((), move |()| {
            let listeners = link.cast::<Element>().map(|link| {
                // Without styles the numbers can still be read.
                ["load", "error"].map(|name| {
                    let styled = styled.clone();
                    EventListener::once(&link, name, move |_| {
                        STYLED.set(true);
                        styled.set(true);
                    })
                })
            });
            move || drop(listeners)
        });
    }
    html! {
        <>
            <link rel="stylesheet" href="./css/inside.css" ref={link} />
            if worded && *styled {
                { props.children.clone() }
            } else {
                <p class="empty" aria-busy="true"></p>
            }
        </>
    }
}

/// What is seen, and what to look for: the sentence at the head of a view.
#[derive(Properties, PartialEq)]
pub struct AboutProps {
    pub text: AttrValue,
}

#[component]
pub fn About(props: &AboutProps) -> Html {
    html! { <p class="about">{ props.text.clone() }</p> }
}
