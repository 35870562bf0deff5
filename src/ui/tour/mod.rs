//! The guided tour: an offer that stands out of the way on a first visit, and the tour itself, which
//! loads when somebody takes it.
pub mod guide;

use super::i18n::{t, use_lang};
use super::later::{View, Worded};
use crate::lazy;
use gloo::storage::{LocalStorage, Storage};
use guide::{Guide, GuideProps};
use yew::prelude::*;

/// Says that the tour was taken or declined.
const SEEN: &str = "nabla.tour";

lazy! { pub static GUIDE: View<GuideProps>, in page tour = |p| html! { <Worded words={guide::WORDS}><Guide ..p /></Worded> }; }

/// Whether the tour is to be offered on this visit.
pub fn is_new() -> bool {
    LocalStorage::raw()
        .get_item(SEEN)
        .is_ok_and(|v| v.is_none())
}

/// It is not offered again.
pub fn remember_seen() {
    let _ = LocalStorage::set(SEEN, "seen");
}

#[derive(Properties, PartialEq)]
pub struct OfferProps {
    /// True for who takes it.
    pub on_answer: Callback<bool>,
}

/// A line at the end of the page.
#[component]
pub fn Offer(props: &OfferProps) -> Html {
    use_lang();
    let answer = |yes: bool| props.on_answer.reform(move |_: MouseEvent| yes);
    html! {
        <aside class="tour-offer" aria-label={t("tour")}>
            <p>{ t("tour-offer") }</p>
            <button type="button" class="button" onclick={answer(true)}>{ t("tour-take") }</button>
            <button type="button" class="button" onclick={answer(false)}>{ t("tour-decline") }</button>
        </aside>
    }
}
