//! A sample of the reader's own, and what the network makes of it.
use super::parts::Trouble;
use super::pull::use_pull;
use super::source::Source;
use crate::plotting::format::{percent, three};
use crate::plotting::outcome::Outcome;
use crate::plotting::stats::determined;
use crate::spec::{DataSource, LayerKind};
use crate::train::protocol::{Failure, Part};
use crate::ui::i18n::{t, t_args, use_lang};
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct TryValueProps {
    pub source: Source,
    pub tick: u64,
}

/// The tutorial's question to its first network.
const FIRST_NETWORK: &str = "first-network";
const FIRST_QUESTION: [f32; 2] = [5.0, 6.0];

/// Where to begin: the middle of what the training part has.
fn first_guess(source: &Source) -> Vec<f32> {
    let n = source.features();
    if source.info.spec.name == FIRST_NETWORK && n == FIRST_QUESTION.len() {
        return FIRST_QUESTION.to_vec();
    }
    let middle = |i: usize| {
        source
            .info
            .data
            .ranges
            .get(i)
            .map_or(0.0, |(a, b)| (a + b) / 2.0)
    };
    // Three figures are as good a beginning as seven.
    let round = |v: f32| format!("{v:.2e}").parse().unwrap_or(v);
    (0..n).map(|i| round(middle(i))).collect()
}

#[component]
pub fn TryValue(props: &TryValueProps) -> Html {
    use_lang();
    let source = &props.source;
    let typed = use_state(|| first_guess(source));
    {
        let typed = typed.clone();
        use_effect_with(source.clone(), move |source| {
            if typed.len() != source.features() {
                typed.set(first_guess(source));
            }
        });
    }
    let pulled = use_pull(
        (source.clone(), props.tick, (*typed).clone()),
        |(source, _, x)| async move {
            let out = match x.len() == source.features() {
                true => source.predict(&x, 1).await?,
                false => Vec::new(),
            };
            Ok::<_, Failure>((x, out))
        },
    );
    let set = |i: usize| {
        let typed = typed.clone();
        move |e: InputEvent| {
            let input: HtmlInputElement = e.target_unchecked_into();
            let v = input.value_as_number() as f32;
            if v.is_finite() {
                let mut next = (*typed).clone();
                next[i] = v;
                typed.set(next);
            }
        }
    };
    // One number is moved as well as typed: beyond the data on both sides, where it gets interesting.
    let slide = (source.features() == 1).then(|| source.info.data.ranges.first().copied());
    let slide = slide.flatten().filter(|(lo, hi)| hi > lo).map(|(lo, hi)| {
        let pad = (hi - lo) * 0.25;
        html! {
            <input class="try-slide" type="range" min={(lo - pad).to_string()} max={(hi + pad).to_string()} step="any"
                value={typed.first().map(f32::to_string)} aria-label={source.feature(0)} oninput={set(0)} />
        }
    });
    let answer = pulled
        .value
        .filter(|v| v.0 == *typed && !v.1.is_empty())
        .map(|v| said(source, &v.1));
    html! {
        <section class="try" aria-label={t("try-title")}>
            <h4>{ t("try-title") }</h4>
            <div class="try-row">
                { for typed.iter().enumerate().map(|(i, v)| html! {
                    <label class="try-field" key={i}>
                        <span>{ source.feature(i) }</span>
                        <input type="number" step="any" value={v.to_string()} oninput={set(i)} />
                    </label>
                }) }
                <span class="try-arrow" aria-hidden="true">{ "→" }</span>
                <output class="try-answer figure" aria-live="polite">{ answer.unwrap_or_else(|| html! { "…" }) }</output>
            </div>
            { slide }
            <Trouble failure={pulled.failure} />
            <Openness source={source.clone()} x={(*typed).clone()} />
        </section>
    }
}

fn said(source: &Source, out: &[f32]) -> Html {
    match &source.outcome {
        Outcome::Values { .. } => {
            let texts: Vec<String> = out.iter().map(|v| three(f64::from(*v))).collect();
            let full: Vec<String> = out.iter().map(f32::to_string).collect();
            html! { <b title={full.join(", ")}>{ texts.join(", ") }</b> }
        }
        outcome => {
            let class = outcome.class(out);
            let p = class.and_then(|k| outcome.probability(out, k));
            html! {
                <>
                    <b>{ class.map_or_else(|| "–".to_string(), |k| source.class(k)) }</b>
                    { p.map(|p| format!(" {}", percent(f64::from(p)))) }
                </>
            }
        }
    }
}

#[derive(Properties, PartialEq)]
struct OpennessProps {
    source: Source,
    x: Vec<f32>,
}

/// Whether the training points fix the value of a linear model here. Says nothing where there
/// are points enough, or the network is not linear.
#[component]
fn Openness(props: &OpennessProps) -> Html {
    use_lang();
    let source = &props.source;
    let n = source.features();
    let spec = &source.info.spec;
    let linear = matches!(
        &spec.layers[..],
        [l] if matches!(l.kind, LayerKind::Linear { units: 1, bias: true, activation: None, .. })
    );
    let points = matches!(spec.data.source, DataSource::Points { classes: None, .. });
    let asks = linear && points && source.info.data.train <= n;
    let pulled = use_pull((source.clone(), asks), |(source, asks)| async move {
        match asks {
            true => source
                .samples(Part::Train, 0, usize::from(u16::MAX))
                .await
                .map(Some),
            false => Ok(None),
        }
    });
    let Some(rows) = pulled.value.and_then(|v| (*v).clone()).filter(|_| asks) else {
        return Html::default();
    };
    let wide = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>();
    let points: Vec<(Vec<f64>, f64)> = (0..rows.count)
        .map(|i| (wide(rows.sample(i)), f64::from(rows.target(i)[0])))
        .collect();
    let Some(d) = determined(&points, &wide(&props.x)).filter(|d| d.rank < d.unknowns) else {
        return Html::default();
    };
    let here = match d.value {
        Some(v) => t_args("open-determined", &[("value", three(v).into())]),
        None => t("open-undetermined"),
    };
    html! {
        <div class="explain">
            <p>{ t_args("open-why", &[
                ("points", points.len().into()),
                ("equations", d.rank.to_string().into()),
                ("unknowns", d.unknowns.to_string().into()),
            ]) }</p>
            <p>{ here }</p>
            if spec.name == FIRST_NETWORK {
                <p>{ t("open-tutorial") }</p>
            }
        </div>
    }
}
