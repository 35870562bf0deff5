//! What of a sample speaks for a class, and what against it.
use super::ViewProps;
use super::legend::ColorLegend;
use super::parts::{Choice, Fact, Select, Trouble, Waiting};
use super::pull::use_pull;
use super::reconstruct::Reconstruct;
use super::sample::use_sample;
use super::sheet::About;
use super::source::{Attribution, Rows};
use super::thumb::{Thumb, range_of};
use crate::plotting::color::{css, diverging};
use crate::plotting::format::three;
use crate::plotting::outcome::Outcome;
use crate::spec::TargetOf;
use crate::train::protocol::{Failure, Part};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::plot::canvas::put_pixels;
use crate::ui::plot::theme::use_dark;
use std::rc::Rc;
use web_sys::HtmlCanvasElement;
use yew::prelude::*;

struct Seen {
    want: (Part, usize, Option<usize>, usize),
    rows: Rc<Rows>,
    output: Vec<f32>,
    /// The output that it is about.
    of: usize,
    found: Attribution,
}

#[component]
pub fn SaliencyView(props: &ViewProps) -> Html {
    match props.source.info.spec.data.target {
        TargetOf::Input => html! { <Reconstruct ..props.clone() /> },
        _ => html! { <Scores ..props.clone() /> },
    }
}

#[component]
fn Scores(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let chosen = use_sample(source);
    let output = use_state(|| None::<usize>);
    let step = use_state(|| 0usize);
    // Where each step has a class, the scores of one step follow those of the step before.
    let steps = source.steps();
    let width = source.outcome.width();
    let want = (chosen.part, chosen.number, *output, (*step).min(steps - 1));
    let pulled = use_pull(
        (source.clone(), props.tick, want),
        |(source, _, want)| async move {
            let (part, number, output, step) = want;
            let rows = source.samples(part, number, 1).await?;
            let said = source.predict(&rows.x, rows.count).await?;
            let width = source.outcome.width();
            let said = said
                .get(step * width..(step + 1) * width)
                .unwrap_or(&[])
                .to_vec();
            let of = output.or(source.outcome.class(&said)).unwrap_or(0);
            let found = source.saliency(part, number, step * width + of).await?;
            Ok::<_, Failure>(Seen {
                want,
                rows,
                output: said,
                of,
                found,
            })
        },
    );
    let pick_output = {
        let output = output.clone();
        Callback::from(move |v: String| output.set(v.parse().ok()))
    };
    let pick_step = {
        let step = step.clone();
        Callback::from(move |v: String| step.set(v.parse().unwrap_or(0)))
    };
    let classes = source.info.data.classes.len();
    let named = |k: usize| match &source.outcome {
        Outcome::Values { .. } => source.target(k),
        _ => source.class(k),
    };
    let outputs = match &source.outcome {
        Outcome::Values { .. } => width,
        _ => classes,
    };
    let mut options = Vec::new();
    if classes > 0 {
        options.push(Choice::new("", t("saliency-predicted")));
    }
    options.extend((0..outputs).map(|k| Choice::new(k.to_string(), named(k))));
    let seen = pulled.value.filter(|s| s.want == want);
    html! {
        <div class="view">
            <About text={t("saliency-about")} />
            <div class="view-tools">
                { chosen.tools(seen.as_ref().map(|s| s.rows.total)) }
                if steps > 1 {
                    <Select label={t("saliency-step")} value={want.3.to_string()} onpick={pick_step}
                        options={(0..steps).map(|i| Choice::new(i.to_string(), i.to_string())).collect::<Vec<_>>()} />
                }
                if outputs > 1 {
                    <Select label={t("saliency-for")} {options} onpick={pick_output}
                        value={output.map_or(String::new(), |k| k.to_string())} />
                }
            </div>
            <Trouble failure={pulled.failure} />
            { match &seen {
                None => html! { <Waiting /> },
                Some(s) => html! { <>{ facts(props, s, named(s.of)) }{ picture(props, s, &named(s.of)) }</> },
            } }
        </div>
    }
}

fn facts(props: &ViewProps, s: &Seen, name: String) -> Html {
    let source = &props.source;
    let a = &s.found;
    let targets = s.rows.target(0);
    let target = targets.get(if source.steps() > 1 { s.want.3 } else { 0 });
    let truth = match &source.outcome {
        Outcome::Values { .. } => target.map(|v| three(f64::from(*v))),
        _ => target.map(|k| source.class(*k as usize)),
    };
    let said = match source.outcome.class(&s.output) {
        Some(k) => Some(source.class(k)),
        None => s.output.first().map(|v| three(f64::from(*v))),
    };
    html! {
        <dl class="numbers">
            <Fact name={t("rows-truth")} value={truth.unwrap_or_default()} />
            <Fact name={t("rows-prediction")} value={said.unwrap_or_default()} />
            <Fact name={t_args("saliency-score", &[("name", name.into())])} value={three(a.info.score)}
                title={t("about-score")} />
            if a.along.is_some() {
                <Fact name={t("saliency-blank")} value={three(a.info.blank)} title={t("about-blank")} />
                <Fact name={t("saliency-sum")} title={t("about-sum")}
                    value={three(a.along.iter().flat_map(|v| v.iter()).map(|v| f64::from(*v)).sum())} />
            }
        </dl>
    }
}

fn picture(props: &ViewProps, s: &Seen, name: &str) -> Html {
    let source = &props.source;
    let a = &s.found;
    if a.along.is_none() {
        return words(s, name);
    }
    let ways = [
        ("saliency-times", Some(a.times.clone())),
        ("saliency-along", a.along.clone()),
    ];
    if let Some(shape) = source.info.data.image {
        let range = range_of(&source.info, s.rows.x.iter().copied());
        return html! {
            <>
                <div class="saliency">
                    <figure>
                        <figcaption>{ t("activations-input") }</figcaption>
                        <Thumb values={Rc::new(s.rows.sample(0).to_vec())} {shape} {range} label={t("activations-input")} />
                    </figure>
                    { for ways.into_iter().filter_map(|(key, values)| Some((key, values?))).map(|(key, values)| html! {
                        <Overlay title={t(key)} hint={t(&format!("about-{key}"))} {values} {shape} {range}
                            image={Rc::new(s.rows.sample(0).to_vec())} name={name.to_string()} />
                    }) }
                </div>
                <p class="dim">{ t("saliency-note") }</p>
            </>
        };
    }
    let features = source.features();
    let (times, along) = (a.times.clone(), a.along.clone().unwrap_or_default());
    let most = |v: &[f32]| {
        v.iter()
            .fold(0.0f32, |m, v| m.max(v.abs()))
            .max(f32::MIN_POSITIVE)
    };
    let (high, higher) = (most(&times), most(&along));
    html! {
        <>
            <div class="table-scroll" tabindex="0">
                <table class="numbers-table">
                    <thead><tr>
                        <th scope="col">{ t("saliency-feature") }</th>
                        <th scope="col">{ t("histogram-value") }</th>
                        <th scope="col" title={t("about-saliency-times")}>{ t("saliency-times") }</th>
                        <th scope="col" title={t("about-saliency-along")}>{ t("saliency-along") }</th>
                    </tr></thead>
                    <tbody>
                        { for (0..features.min(FEATURES)).map(|i| {
                            let at = |v: &[f32]| v.get(i).copied().unwrap_or(f32::NAN);
                            html! {
                                <tr>
                                    <th scope="row">{ source.feature(i) }</th>
                                    <td class="figure">{ three(f64::from(at(s.rows.sample(0)))) }</td>
                                    <Shaded v={at(&times)} most={high} />
                                    <Shaded v={at(&along)} most={higher} />
                                </tr>
                            }
                        }) }
                    </tbody>
                </table>
            </div>
            <p class="dim">{ t("saliency-note") }</p>
        </>
    }
}

/// Features that are listed at most.
const FEATURES: usize = 64;

#[derive(Properties, PartialEq)]
pub struct ShadedProps {
    pub v: f32,
    pub most: f32,
}

#[component]
pub fn Shaded(props: &ShadedProps) -> Html {
    let dark = use_dark();
    let (v, most) = (props.v, props.most);
    html! {
        <td class="figure" title={v.to_string()} style={ground(v / most, dark)}>{ three(f64::from(v)) }</td>
    }
}

/// The colour of a share of the largest value, with ink that can be read on it.
fn ground(share: f32, dark: bool) -> String {
    // Never so strong that the page's ink could not be read.
    format!("background:{}", css(diverging(share * 0.6, dark)))
}

#[derive(Properties, PartialEq)]
pub struct OverlayProps {
    pub title: AttrValue,
    pub hint: AttrValue,
    /// What the values speak for.
    pub name: AttrValue,
    pub values: Rc<Vec<f32>>,
    pub shape: [usize; 2],
    pub image: Rc<Vec<f32>>,
    pub range: (f32, f32),
}

/// The picture, faint, under the colours of what counts.
#[component]
pub fn Overlay(props: &OverlayProps) -> Html {
    let canvas = use_node_ref();
    let dark = use_dark();
    let pixels = props.shape[0] * props.shape[1];
    // Of a picture in colour, the sum over its channels.
    let summed: Rc<Vec<f32>> = use_memo(props.values.clone(), |values| {
        let at = |i: usize| values.iter().skip(i).step_by(pixels.max(1)).sum();
        (0..pixels).map(at).collect()
    });
    let most = summed.iter().filter(|v| v.is_finite());
    let most = most.fold(0.0f32, |m, v| m.max(v.abs()));
    {
        let canvas = canvas.clone();
        let (image, shape, range) = (props.image.clone(), props.shape, props.range);
        let key = (summed.clone(), image.clone(), shape, range, dark);
        use_effect_with(key, move |(values, image, shape, range, dark)| {
            if let Some(c) = canvas.cast::<HtmlCanvasElement>() {
                paint(&c, values, image, *shape, *range, *dark);
            }
        });
    }
    let label = t_args(
        "saliency-label",
        &[
            ("way", props.title.to_string().into()),
            ("name", props.name.to_string().into()),
        ],
    );
    html! {
        <figure>
            <figcaption title={props.hint.clone()}>{ props.title.clone() }</figcaption>
            <canvas class="thumb" ref={canvas} role="img" aria-label={label} />
            <ColorLegend lo={-most} hi={most} signed={true} />
            { strongest(&summed, props.shape) }
        </figure>
    }
}

fn paint(
    canvas: &HtmlCanvasElement,
    values: &[f32],
    image: &[f32],
    [h, w]: [usize; 2],
    (lo, hi): (f32, f32),
    dark: bool,
) {
    let pixels = h * w;
    let most = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let most = if most > 0.0 { most } else { 1.0 };
    let channels = (image.len() / pixels.max(1)).max(1);
    let mut rgba = vec![255; pixels * 4];
    for (i, p) in rgba.chunks_exact_mut(4).enumerate() {
        let v = values.get(i).copied().unwrap_or(0.0) / most;
        let light: f32 = image.iter().skip(i).step_by(pixels).sum();
        let ink = ((light / channels as f32 - lo) / (hi - lo)).clamp(0.0, 1.0);
        // Ink towards the page's own, at a third of its strength.
        let to = if dark { 255.0 } else { 0.0 };
        let c = diverging(v.signum() * v.abs().sqrt(), dark);
        let faint = 0.3 * ink * (1.0 - v.abs().sqrt());
        for (p, c) in p.iter_mut().zip(c) {
            *p = (f32::from(c) + (to - f32::from(c)) * faint).round() as u8;
        }
    }
    put_pixels(canvas, w, h, &mut rgba);
}

/// The pixels that count most, for those who do not see the picture.
fn strongest(values: &[f32], [_, w]: [usize; 2]) -> Html {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].abs().total_cmp(&values[*a].abs()));
    html! {
        <div class="unseen"><table>
            <thead><tr>
                <th scope="col">{ t("heat-row") }</th>
                <th scope="col">{ t("saliency-column") }</th>
                <th scope="col">{ t("histogram-value") }</th>
            </tr></thead>
            <tbody>
                { for order.into_iter().take(10).map(|i| html! {
                    <tr><th scope="row">{ i / w.max(1) }</th><td>{ i % w.max(1) }</td><td>{ three(f64::from(values[i])) }</td></tr>
                }) }
            </tbody>
        </table></div>
    }
}

fn words(s: &Seen, name: &str) -> Html {
    marked(&s.found.info.words, s.rows.sample(0), &s.found.times, name)
}

/// The words of a text, coloured by what they speak for; padding is left out.
pub fn marked(words: &[String], tokens: &[f32], values: &[f32], name: &str) -> Html {
    let most = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let known = !words.is_empty();
    let all = values.iter().zip(tokens).enumerate();
    html! {
        <>
            <p class="dim">{ t_args("saliency-words", &[("name", name.to_string().into())]) }</p>
            <p class="saliency-words">
                { for all.filter(|(_, (_, token))| !known || **token != 0.0).map(|(i, (v, token))| {
                    let word = words.get(i).filter(|w| !w.is_empty()).cloned();
                    let word = word.unwrap_or_else(|| format!("{token}"));
                    html! { <Word {word} v={*v} {most} /> }
                }) }
            </p>
            <p class="legend-row"><ColorLegend lo={-most} hi={most} signed={true} strength={0.6} /></p>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct WordProps {
    word: AttrValue,
    v: f32,
    most: f32,
}

#[component]
fn Word(props: &WordProps) -> Html {
    let dark = use_dark();
    let share = props.v / props.most.max(f32::MIN_POSITIVE);
    html! {
        <><span style={ground(share, dark)} title={three(f64::from(props.v))}>{ props.word.clone() }</span>{ " " }</>
    }
}
