//! Samples as pictures.
use super::{Item, is_wrong, probability, verdict};
use crate::plotting::format::three;
use crate::ui::i18n::{t, t_args};
use crate::ui::inspect::source::Source;
use crate::ui::inspect::thumb::{Thumb, range_of};
use std::rc::Rc;
use yew::prelude::*;

pub fn grid(source: &Source, items: &[Item], shape: [usize; 2]) -> Html {
    let range = range_of(&source.info, items.iter().flat_map(|i| i.x.iter().copied()));
    html! {
        <ul class="samples">
            { for items.iter().map(|item| card(source, item, shape, range)) }
        </ul>
    }
}

fn loss_words(loss: f32) -> String {
    t_args("sample-loss", &[("loss", three(f64::from(loss)).into())])
}

fn card(source: &Source, item: &Item, shape: [usize; 2], range: (f32, f32)) -> Html {
    let outcome = &source.outcome;
    let truth = source.class(item.truth());
    let wrong = is_wrong(outcome, item);
    let class = outcome.class(item.output);
    let said = class.map_or_else(|| "–".to_string(), |k| source.class(k));
    let label = t_args(
        "sample-label",
        &[
            ("number", (item.number + 1).to_string().into()),
            ("truth", truth.clone().into()),
        ],
    );
    html! {
        <li class={classes!("sample", wrong.then_some("wrong"))} key={item.number}>
            <Thumb values={Rc::new(item.x.to_vec())} {shape} {range} {label} />
            <span class="sample-said">
                { verdict(outcome, item) }
                <b>{ said }</b>
                if wrong {
                    <span class="sample-truth" title={t("sample-truth")}>{ t_args("sample-is", &[("truth", truth.into())]) }</span>
                }
            </span>
            if let Some(k) = class { { probability(outcome, item, k) } }
            if let Some(loss) = item.loss { <small class="figure dim">{ loss_words(loss) }</small> }
        </li>
    }
}
