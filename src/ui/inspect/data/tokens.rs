//! Texts as the network gets them: token by token, how long they are, which words there are.
use super::BrowseProps;
use super::bars::Histogram;
use crate::plotting::format::count;
use crate::train::protocol::Failure;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::parts::{Pager, Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use yew::prelude::*;

#[component]
pub fn Tokens(props: &BrowseProps) -> Html {
    use_lang();
    let at = use_state(|| 0usize);
    {
        let at = at.clone();
        use_effect_with((props.part, props.class), move |_| at.set(0));
    }
    let want = (props.part, props.class, *at);
    let pulled = use_pull((props.source.clone(), want), |(source, want)| async move {
        let (part, class, at) = want;
        let rows = source.browse(part, class, at, 1).await?;
        let words = match rows.count {
            0 => Vec::new(),
            _ => source.words_of(rows.sample(0)).await?,
        };
        Ok::<_, Failure>((want, rows, words))
    });
    let Some(text) = &props.said.text else {
        return Html::default();
    };
    let onpage = {
        let at = at.clone();
        Callback::from(move |to| at.set(to))
    };
    html! {
        <>
            <h4>{ t("data-lengths") }</h4>
            <div class="data-lengths"><Histogram spread={text.lengths.clone()} label={t("data-lengths")} /></div>
            <p class="dim">{ t_args("data-lengths-note", &[("length", count(text.length as u64).into())]) }</p>
            <h4>{ t("data-tokens") }</h4>
            <Trouble failure={pulled.failure} />
            { match pulled.value.filter(|v| v.0 == want) {
                None => html! { <Waiting /> },
                Some(v) => {
                    let (_, rows, words) = &*v;
                    let class = rows.y.first().map(|k| props.source.class(*k as usize));
                    html! {
                        <>
                            <Pager page={*at} pages={rows.total.max(1)} {onpage} range={t_args("pager-one", &[
                                ("number", count(*at as u64 + 1).into()), ("total", count(rows.total as u64).into()),
                            ])} />
                            <p class="dim">{ class.unwrap_or_default() }</p>
                            { tokens(rows.x.as_slice(), words) }
                        </>
                    }
                }
            } }
            <h4>{ t("data-frequent") }</h4>
            <p class="data-frequent">
                { for text.frequent.iter().map(|(word, n)| html! {
                    <><span>{ word }{ " " }<small class="figure dim">{ count(u64::from(*n)) }</small></span>{ " " }</>
                }) }
            </p>
        </>
    }
}

/// Words with their numbers; padding is counted, not shown.
fn tokens(ids: &[f32], words: &[String]) -> Html {
    let padding = ids.iter().filter(|id| **id == 0.0).count();
    html! {
        <>
            if padding > 0 {
                <p class="dim">{ t_args("data-padding", &[("n", count(padding as u64).into())]) }</p>
            }
            <p class="data-tokens">
                { for ids.iter().zip(words).filter(|(id, _)| **id != 0.0).map(|(id, word)| {
                    let unknown = word == "[?]";
                    let class = unknown.then_some("unknown");
                    html! { <><span {class} title={id.to_string()}>{ word }</span>{ " " }</> }
                }) }
            </p>
        </>
    }
}
