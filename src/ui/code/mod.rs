//! The network as a script, and scripts as networks. Code, words and styles of it load when it is
//! first asked for.
mod bridge;
pub mod open;
mod preview;
pub mod view;
mod weights;

use crate::ui::i18n::{has_more, load_more, use_lang};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// The catalogue of what is shown here.
const WORDS: &str = "scripts";

/// Whether the words of the current language are here; they are fetched if not.
#[hook]
fn use_words() -> bool {
    let lang = use_lang();
    let update = use_force_update();
    use_effect_with(lang, move |lang| {
        let lang = *lang;
        if !has_more(lang, WORDS) {
            spawn_local(async move {
                // Without them the keys stand in, which is better than nothing.
                load_more(lang, WORDS).await;
                update.force_update();
            });
        }
    });
    has_more(lang, WORDS)
}

/// The styles.
#[component]
fn Sheet() -> Html {
    html! { <link rel="stylesheet" href="./css/code.css" /> }
}
