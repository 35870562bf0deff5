//! The data themselves: pictures by class, tokens of texts, columns of tables, and what they are like.
mod bars;
mod columns;
mod pictures;
mod tokens;

use super::ViewProps;
use super::parts::{Fact, PartSelect, Trouble, Waiting};
use super::pull::use_pull;
use super::source::Source;
use crate::plotting::format::{count, percent, three};
use crate::train::protocol::{Description, Failure, Part};
use crate::ui::i18n::{t, use_lang};
use bars::Bars;
use std::rc::Rc;
use yew::prelude::*;

/// What each part of the view is given.
#[derive(Clone, PartialEq, Properties)]
pub struct BrowseProps {
    pub source: Source,
    pub part: Part,
    pub said: Rc<Description>,
    pub class: Option<u32>,
}

#[component]
pub fn DataView(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let parts = source.parts();
    let part = use_state(|| Part::Train);
    let class = use_state(|| None::<u32>);
    let part_now = Some(*part)
        .filter(|p| parts.contains(p))
        .or(parts.first().copied());
    let part_now = part_now.unwrap_or(Part::Train);
    let pulled = use_pull((source.clone(), part_now), |(source, part)| async move {
        let said = source.describe(part).await?;
        Ok::<_, Failure>((part, Rc::new(said)))
    });
    let pick_part = {
        let (part, class) = (part.clone(), class.clone());
        Callback::from(move |p| {
            part.set(p);
            class.set(None);
        })
    };
    let pick_class = {
        let class = class.clone();
        Callback::from(move |k: usize| {
            let k = k as u32;
            class.set(Some(k).filter(|k| *class != Some(*k)));
        })
    };
    let said = pulled
        .value
        .filter(|v| v.0 == part_now)
        .map(|v| v.1.clone());
    html! {
        <div class="view data-view">
            <link rel="stylesheet" href="./css/data.css" />
            <div class="view-tools"><PartSelect {parts} part={part_now} onpick={pick_part} /></div>
            <Trouble failure={pulled.failure} />
            { match said {
                None => html! { <Waiting /> },
                Some(said) => body(source, part_now, said, *class, pick_class),
            } }
        </div>
    }
}

fn body(
    source: &Source,
    part: Part,
    said: Rc<Description>,
    class: Option<u32>,
    pick_class: Callback<usize>,
) -> Html {
    let with = BrowseProps {
        source: source.clone(),
        part,
        said: said.clone(),
        class,
    };
    let classes = said.classes.iter().enumerate();
    let bars: Vec<(AttrValue, u32)> = classes.map(|(k, n)| (source.class(k).into(), *n)).collect();
    let all: u32 = said.classes.iter().sum();
    let pictures = source.info.data.image.is_some();
    let share = |n: u64, of: u64| percent(n as f64 / of.max(1) as f64);
    html! {
        <>
            <dl class="numbers">
                <Fact name={t("data-samples")} value={count(said.rows as u64)} />
                if !said.classes.is_empty() {
                    <Fact name={t("data-classes")} value={count(said.classes.len() as u64)} />
                }
                if let Some(text) = &said.text {
                    <Fact name={t("data-vocabulary")} value={count(text.vocabulary as u64)} title={t("data-vocabulary-hint")} />
                    <Fact name={t("data-words")} value={count(text.words)} />
                    if let Some(unknown) = text.unknown {
                        <Fact name={t("data-unknown")} value={share(unknown, text.words)} title={t("data-unknown-hint")} />
                    }
                    <Fact name={t("data-mean-length")} value={three(text.mean)} />
                    <Fact name={t("data-full")} value={share(u64::from(text.full), said.rows as u64)} title={t("data-full-hint")} />
                }
            </dl>
            if !bars.is_empty() {
                <h4>{ t("data-by-class") }</h4>
                <Bars {bars} total={all} chosen={class.map(|k| k as usize)}
                    onpick={(pictures || said.text.is_some()).then_some(pick_class)} label={t("data-by-class")} />
            }
            if pictures && said.text.is_none() {
                <columns::Table columns={said.channels.clone()} first={t("data-channel")} />
                <pictures::Pictures ..with />
            } else if said.text.is_some() {
                <tokens::Tokens ..with />
            } else {
                <columns::Table columns={said.columns.clone()} first={t("data-column")} more={said.more} />
            }
            if !said.targets.is_empty() {
                <h4>{ t("data-targets") }</h4>
                <columns::Table columns={said.targets.clone()} first={t("data-target")} />
            }
        </>
    }
}
