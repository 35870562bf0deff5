//! How good the network is, in large figures.
use super::i18n::{t, use_lang};
use super::numbers::{figures, percent};
use super::store::Score;
use crate::train::protocol::Part;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct ResultProps {
    pub score: Option<Rc<Score>>,
}

#[component]
pub fn Headline(props: &ResultProps) -> Html {
    use_lang();
    let Some(score) = &props.score else {
        return html! {
            <p class="headline empty">{ t("score-empty") }</p>
        };
    };
    let e = &score.evaluation;
    let part = match score.part {
        Part::Train => "train",
        Part::Validation => "validation",
        Part::Test => "test",
    };
    // Kind, what is written, the exact value.
    let mut shown: Vec<(&str, String, f64)> = Vec::new();
    let mut put = |kind, value: Option<f64>, write: fn(f64) -> String| {
        shown.extend(value.map(|v| (kind, write(v), v)));
    };
    put("accuracy", e.accuracy, percent);
    if e.accuracy.is_none() {
        put("mse", e.mse, figures);
        put("r2", e.r2, figures);
        put("mae", e.mae, figures);
    } else {
        put("auc", e.auc, figures);
        put("loss", Some(e.loss), figures);
    }
    if shown.is_empty() {
        put_loss(&mut shown, e.loss);
    }
    html! {
        <dl class="headline">
            { for shown.into_iter().enumerate().map(|(i, (kind, text, exact))| html! {
                <div class={if i == 0 { "first" } else { "second" }} key={kind}>
                    <dd class="figure" title={exact.to_string()}>{ text }</dd>
                    <dt title={t(&format!("score-{kind}-hint"))}>
                        { if i == 0 { t(&format!("score-{kind}-{part}")) } else { t(&format!("score-{kind}")) } }
                    </dt>
                </div>
            }) }
        </dl>
    }
}

fn put_loss(shown: &mut Vec<(&str, String, f64)>, loss: f64) {
    shown.push(("loss", figures(loss), loss));
}
