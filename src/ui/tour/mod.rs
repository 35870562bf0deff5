//! The guided tour: an offer that stands out of the way on a first visit, and the tour itself, which
//! loads when somebody takes it.
mod guide;

use super::i18n::{t, use_lang};
use super::later::{Later, View, Worded};
use crate::lazy;
use gloo::storage::{LocalStorage, Storage};
pub use guide::Pane;
use guide::{Guide, GuideProps};
use yew::prelude::*;

/// Says that the tour was taken or declined.
const SEEN: &str = "nabla.tour";

lazy! { static GUIDE: View<GuideProps>, in page tour = |p| html! { <Worded words={guide::WORDS}><Guide ..p /></Worded> }; }

fn is_new() -> bool {
    LocalStorage::raw()
        .get_item(SEEN)
        .is_ok_and(|v| v.is_none())
}

#[derive(Properties, PartialEq)]
pub struct TourProps {
    /// Whether it is under way.
    pub on: UseStateHandle<bool>,
    /// Asks a narrow screen for a view.
    pub on_pane: Callback<Pane>,
}

/// The tour while it is under way; before, on a first visit, a line at the end of the page.
#[component]
pub fn Tour(props: &TourProps) -> Html {
    use_lang();
    let offered = use_state_eq(is_new);
    let on = props.on.clone();
    let answer = {
        let (offered, on) = (offered.clone(), on.setter());
        move |yes: bool| {
            let _ = LocalStorage::set(SEEN, "seen");
            offered.set(false);
            on.set(yes);
        }
    };
    if *on {
        let with = GuideProps {
            on_pane: props.on_pane.clone(),
            on_close: Callback::from(move |()| answer(false)),
        };
        return html! { <Later<GuideProps> view={&GUIDE} {with} /> };
    }
    if !*offered {
        return Html::default();
    }
    let click = |yes: bool| {
        let answer = answer.clone();
        Callback::from(move |_: MouseEvent| answer(yes))
    };
    html! {
        <aside class="tour-offer" aria-label={t("tour")}>
            <p>{ t("tour-offer") }</p>
            <button type="button" class="button" onclick={click(true)}>{ t("tour-take") }</button>
            <button type="button" class="button" onclick={click(false)}>{ t("tour-decline") }</button>
        </aside>
    }
}
