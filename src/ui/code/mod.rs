//! The network as a script, and scripts as networks. Code, words and styles of it load when it is
//! first asked for.
pub(super) mod bridge;
pub mod open;
mod preview;
pub mod view;
mod weights;

use crate::ui::i18n::use_more;
use yew::prelude::*;

/// The catalogue of what is shown here.
const WORDS: &str = "scripts";

/// Whether the words of the current language are here; they are fetched if not.
#[hook]
fn use_words() -> bool {
    use_more(WORDS)
}

/// The styles.
#[component]
pub fn Sheet() -> Html {
    html! { <link rel="stylesheet" href="./css/code.css" /> }
}
