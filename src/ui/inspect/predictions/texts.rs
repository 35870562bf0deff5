//! A sample that is a text, as words.
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::source::Source;
use yew::prelude::*;

/// Words that are shown; all of them stand in the tip.
const WORDS: usize = 24;

/// Whether the data are texts.
pub fn are_texts(source: &Source) -> bool {
    source.info.spec.data.text.is_some()
}

#[derive(Properties, PartialEq)]
pub struct ExcerptProps {
    pub source: Source,
    /// Numbers of the words.
    pub ids: Vec<f32>,
}

/// The first words of a text, without padding.
#[component]
pub fn Excerpt(props: &ExcerptProps) -> Html {
    let pulled = use_pull(
        (props.source.clone(), props.ids.clone()),
        |(source, ids)| async move {
            let words = source.words_of(&ids).await?;
            Ok((ids, words))
        },
    );
    let Some(told) = pulled.value.filter(|v| v.0 == props.ids) else {
        return html! { <td class="excerpt dim">{ "…" }</td> };
    };
    let words: Vec<&str> = told
        .1
        .iter()
        .filter(|w| !w.is_empty())
        .map(|w| w.as_str())
        .collect();
    let mut shown = words[..words.len().min(WORDS)].join(" ");
    if words.len() > WORDS {
        shown.push_str(" …");
    }
    html! { <td class="excerpt" title={words.join(" ")}>{ shown }</td> }
}
