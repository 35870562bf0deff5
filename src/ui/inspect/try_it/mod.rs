//! Something of the reader's own, and what the network makes of it: a drawing or a picture, a text, the
//! course of a series.
mod forecast;
mod likely;
mod picture;
mod text;

use super::ViewProps;
use super::source::Source;
use crate::lazy;
use crate::spec::DataSource;
use crate::ui::i18n::{t, use_lang};
use crate::ui::later::{Later, View, Worded};
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

/// What can be tried.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Picture,
    Text,
    Forecast,
}

fn way(source: &Source) -> Option<Way> {
    match &source.info.spec.data.source {
        _ if source.texts() => Some(Way::Text),
        DataSource::Sine { .. } => Some(Way::Forecast),
        _ => source.info.data.image.map(|_| Way::Picture),
    }
}

/// Whether there is something to try here.
pub fn offered(source: &Source) -> bool {
    way(source).is_some()
}

lazy! { static TRY: View<ViewProps>, in page data = |p| html! { <Worded words={super::DATA_WORDS}><TryOne ..p /></Worded> }; }

/// Closed at first: its code, words and styles are fetched for who opens it.
#[component]
pub fn TryIt(props: &ViewProps) -> Html {
    use_lang();
    let open = use_state_eq(|| false);
    let ontoggle = {
        let open = open.clone();
        Callback::from(move |e: Event| {
            let details: Option<Element> = e.target().and_then(|t| t.dyn_into().ok());
            open.set(details.is_some_and(|d| d.has_attribute("open")));
        })
    };
    html! {
        <details class="more try-own" {ontoggle}>
            <summary>{ t("try-own") }</summary>
            if *open {
                <Later<ViewProps> view={&TRY} with={props.clone()} />
            }
        </details>
    }
}

#[component]
fn TryOne(props: &ViewProps) -> Html {
    let with = props.clone();
    html! {
        <>
            <link rel="stylesheet" href="./css/data.css" />
            { match way(&props.source) {
                Some(Way::Picture) => html! { <picture::TryPicture ..with /> },
                Some(Way::Text) => html! { <text::TryText ..with /> },
                Some(Way::Forecast) => html! { <forecast::Forecast ..with /> },
                None => Html::default(),
            } }
        </>
    }
}
