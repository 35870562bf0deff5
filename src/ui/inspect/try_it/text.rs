//! A text of the reader's own, and the words that swayed the network.
use super::likely::Likely;
use crate::train::protocol::Failure;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::ViewProps;
use crate::ui::inspect::parts::{Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::saliency::marked;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

struct Said {
    text: String,
    output: Vec<f32>,
    tokens: Vec<f32>,
    words: Vec<String>,
    /// For each token, what it adds to the score; empty where the network cannot be asked.
    sway: Vec<f32>,
    of: usize,
}

#[component]
pub fn TryText(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let text = use_state(|| t("try-text-first"));
    let pulled = use_pull(
        (source.clone(), props.tick, (*text).clone()),
        |(source, _, text)| async move {
            let (said, tokens) = source.encode(&text).await?;
            let output = source.predict(&tokens, 1).await?;
            let of = source.outcome.class(&output).unwrap_or(0);
            let sway = match source.attribute(&tokens, of).await {
                Ok(found) if found.along.is_none() => found.times.to_vec(),
                _ => Vec::new(),
            };
            Ok::<_, Failure>(Said {
                text,
                output,
                tokens,
                words: said.words,
                sway,
                of,
            })
        },
    );
    let oninput = {
        let text = text.clone();
        Callback::from(move |e: InputEvent| {
            text.set(e.target_unchecked_into::<HtmlTextAreaElement>().value());
        })
    };
    let body = match pulled.value.filter(|v| v.text == *text) {
        None => html! { <Waiting /> },
        Some(said) => {
            let unknown = said.words.iter().filter(|w| *w == "[?]").count();
            html! {
                <>
                    <Likely source={source.clone()} output={said.output.clone()} />
                    if !said.sway.is_empty() {
                        { marked(&said.words, &said.tokens, &said.sway, &source.class(said.of)) }
                    }
                    if unknown > 0 {
                        <p class="dim">{ t_args("try-text-unknown", &[("n", unknown.into())]) }</p>
                    }
                </>
            }
        }
    };
    html! {
        <section class="try" aria-label={t("try-text")}>
            <h4>{ t("try-text") }</h4>
            <textarea rows="3" maxlength="20000" aria-label={t("try-text")} value={(*text).clone()} {oninput} />
            <Trouble failure={pulled.failure} />
            { body }
        </section>
    }
}
