//! Samples that are texts: what is said of each, or how well each of its characters was foreseen.
use super::{Item, Shown, is_wrong, probability, verdict};
use crate::plotting::color::class;
use crate::plotting::format::percent;
use crate::train::protocol::{Ask, Failure};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::DATA_WORDS;
use crate::ui::inspect::parts::{Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::source::Source;
use crate::ui::later::Worded;
use std::rc::Rc;
use yew::prelude::*;

/// Words of a text that are shown.
const WORDS: usize = 60;
/// How strong the colour of what was not expected at all is.
const STRONG: f32 = 0.6;

#[derive(Clone, Properties)]
pub struct TextsProps {
    pub source: Source,
    pub shown: Rc<Shown>,
    /// Those of the page, by their places among what was fetched.
    pub items: Vec<usize>,
}

impl PartialEq for TextsProps {
    fn eq(&self, o: &Self) -> bool {
        self.source == o.source && Rc::ptr_eq(&self.shown, &o.shown) && self.items == o.items
    }
}

pub fn later(props: TextsProps) -> Html {
    html! {
        <Worded words={DATA_WORDS}>
            <link rel="stylesheet" href="./css/data.css" />
            <Texts ..props />
        </Worded>
    }
}

#[component]
fn Texts(props: &TextsProps) -> Html {
    use_lang();
    let source = &props.source;
    let pulled = use_pull(source.clone(), |source| async move {
        Ok::<_, Failure>(source.look::<Vec<String>>(Ask::Words).await?.0)
    });
    let Some(words) = pulled.value else {
        return html! { <><Trouble failure={pulled.failure} /><Waiting /></> };
    };
    let steps = source.steps() > 1;
    let all = props.shown.items(&source.outcome);
    let items = props.items.iter().filter_map(|i| Some((*i, all.get(*i)?)));
    html! {
        <>
            if steps {
                <p class="about">{ t("texts-about") }</p>
                <p class="legend-row dim">
                    <span class="foreseen" style={shade(1.0)}>{ t("texts-expected") }</span>
                    <span class="foreseen" style={shade(0.0)}>{ t("texts-surprise") }</span>
                </p>
            }
            <ol class="texts">
                { for items.map(|(i, item)| html! {
                    <li key={item.number}>
                        <span class="figure dim">{ item.number + 1 }</span>
                        if steps { { foreseen(props, &words, i) } } else { { judged(source, item, &words) } }
                    </li>
                }) }
            </ol>
        </>
    }
}

fn shade(p: f32) -> String {
    let [r, g, b] = class(6);
    let alpha = (1.0 - p.clamp(0.0, 1.0)) * STRONG;
    format!("background:rgba({r},{g},{b},{alpha:.2})")
}

fn word(words: &[String], id: f32) -> &str {
    words.get(id as usize).map_or("", String::as_str)
}

/// A text as a whole, with what is said of it.
fn judged(source: &Source, item: &Item, words: &[String]) -> Html {
    let said = source.outcome.class(item.output);
    let known = item.x.iter().map(|id| word(words, *id));
    let mut text: Vec<&str> = known.filter(|w| !w.is_empty()).collect();
    if text.len() > WORDS {
        text.truncate(WORDS);
        text.push("…");
    }
    html! {
        <div class={classes!(is_wrong(&source.outcome, item).then_some("wrong"))}>
            <p class="texts-said">
                { verdict(&source.outcome, item) }
                <b>{ said.map(|k| source.class(k)) }</b>
                { for said.map(|k| probability(&source.outcome, item, k)) }
                <span class="dim">{ t("rows-truth") }{ " " }{ source.class(item.truth()) }</span>
            </p>
            <p>{ text.join(" ") }</p>
        </div>
    }
}

/// Each character, and the one behind the last, by how little it was expected.
fn foreseen(props: &TextsProps, words: &[String], i: usize) -> Html {
    let (source, shown) = (&props.source, &props.shown);
    let (x, y) = (shown.rows.sample(i), shown.rows.target(i));
    let width = source.outcome.width().max(1);
    let each = shown.outputs.len() / shown.rows.count.max(1);
    let own = shown.outputs.get(i * each..(i + 1) * each).unwrap_or(&[]);
    let outputs = own.chunks_exact(width);
    let truths = y.iter().zip(outputs).map(|(truth, out)| {
        let truth = *truth as usize;
        let given = source.outcome.probability(out, truth).unwrap_or(f32::NAN);
        let name = source.class(truth);
        let title = t_args(
            "texts-given",
            &[
                ("given", percent(f64::from(given)).into()),
                ("truth", name.clone().into()),
                (
                    "said",
                    source
                        .outcome
                        .class(out)
                        .map(|k| source.class(k))
                        .unwrap_or_default()
                        .into(),
                ),
            ],
        );
        html! { <span class="foreseen" style={shade(given)} {title}>{ seen(&name) }</span> }
    });
    let first = x.first().map(|id| seen(word(words, *id)).to_string());
    html! { <p class="texts-steps"><span class="dim">{ first }</span>{ for truths }</p> }
}

/// A space as itself, where the colour shows it.
fn seen(c: &str) -> &str {
    match c {
        "␣" => " ",
        c => c,
    }
}
