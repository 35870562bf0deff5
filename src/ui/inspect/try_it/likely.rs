//! What the network says of one sample: each class and how likely it is.
use crate::plotting::format::three;
use crate::ui::i18n::{t, use_lang};
use crate::ui::inspect::parts::Probability;
use crate::ui::inspect::source::Source;
use yew::prelude::*;

/// Classes that are all shown, in their order; of more only the likeliest are.
const ALL: usize = 10;
const FEW: usize = 5;

#[derive(Properties, PartialEq)]
pub struct LikelyProps {
    pub source: Source,
    /// Of one sample.
    pub output: Vec<f32>,
}

#[component]
pub fn Likely(props: &LikelyProps) -> Html {
    use_lang();
    let (source, output) = (&props.source, &props.output);
    let outcome = &source.outcome;
    let classes = source.info.data.classes.len();
    let best = outcome.class(output);
    let p = |k: usize| outcome.probability(output, k);
    let mut order: Vec<usize> = (0..classes).collect();
    if classes > ALL {
        order.sort_by(|a, b| p(*b).unwrap_or(0.0).total_cmp(&p(*a).unwrap_or(0.0)));
        order.truncate(FEW);
    }
    html! {
        <ul class="try-said" aria-live="polite" aria-label={t("try-said")}>
            { for order.into_iter().map(|k| html! {
                <li key={k} class={(best == Some(k)).then_some("likeliest")}>
                    <span>{ source.class(k) }</span>
                    { match p(k) {
                        Some(p) => html! { <Probability {p} class={k} /> },
                        None => html! { <span class="figure">{
                            output.get(k).or(output.first()).map(|v| three(f64::from(*v)))
                        }</span> },
                    } }
                </li>
            }) }
        </ul>
    }
}
