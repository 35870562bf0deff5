//! How well the scores tell a class from the rest: ROC, precision and recall, calibration.
use super::Judged;
use crate::plotting::Scale;
use crate::plotting::color::{class, css};
use crate::plotting::format::{count, figures, percent, three};
use crate::plotting::outcome::Outcome;
use crate::plotting::ranking::{Bin, Counts, Ranking, calibration, calibration_error};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::parts::{Choice, Fact, Select};
use crate::ui::inspect::source::Source;
use crate::ui::plot::axes::{Axes, Pen, Shape, Titles};
use crate::ui::plot::{Canvas, Surface};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

const BINS: usize = 10;
/// Steps of the slider.
const STEPS: f64 = 1000.0;

#[derive(Properties, PartialEq)]
pub struct CurvesProps {
    pub source: Source,
    pub judged: Rc<Judged>,
}

/// Scores for one class, and what is made of them.
struct Told {
    /// Lowest and highest score.
    ends: (f64, f64),
    ranking: Option<Ranking>,
    bins: Vec<Bin>,
    probability: bool,
}

fn tell(outcome: &Outcome, judged: &Judged, class: usize) -> Told {
    let width = outcome.width();
    let score = |row: &[f32]| match outcome {
        _ if outcome.probability(row, class).is_some() => outcome.probability(row, class),
        Outcome::Two { .. } if class == 0 => row.first().map(|v| -v),
        Outcome::Two { .. } => row.first().copied(),
        _ => row.get(class).copied(),
    };
    let rows = judged.outputs.chunks_exact(width.max(1));
    let scores: Vec<f32> = rows.map(|r| score(r).unwrap_or(f32::NAN)).collect();
    let positive: Vec<bool> = judged
        .targets
        .iter()
        .map(|t| *t as usize == class)
        .collect();
    let probability = matches!(
        outcome,
        Outcome::Two {
            probability: true,
            ..
        } | Outcome::Many {
            probability: true,
            ..
        }
    );
    let fold = scores.iter().filter(|s| s.is_finite());
    let ends = fold.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), s| {
        (a.min(f64::from(*s)), b.max(f64::from(*s)))
    });
    Told {
        ends: if probability { (0.0, 1.0) } else { ends },
        ranking: Ranking::of(&scores, &positive),
        bins: match probability {
            true => calibration(&scores, &positive, BINS),
            false => Vec::new(),
        },
        probability,
    }
}

#[component]
pub fn Curves(props: &CurvesProps) -> Html {
    use_lang();
    let source = &props.source;
    let classes = source.info.data.classes.len();
    let picked = use_state(|| None::<usize>);
    let threshold = use_state(|| None::<f64>);
    let class_now = picked
        .filter(|k| *k < classes)
        .unwrap_or(match source.outcome {
            Outcome::Two { .. } => 1,
            _ if classes == 2 => 1,
            _ => 0,
        });
    let told = {
        let (judged, outcome) = (props.judged.clone(), source.outcome.clone());
        let key = (Rc::as_ptr(&props.judged) as usize, class_now);
        use_memo(key, move |_| tell(&outcome, &judged, class_now))
    };
    let middle = match &source.outcome {
        _ if told.probability => 0.5,
        Outcome::Two { threshold, .. } if class_now == 1 => f64::from(*threshold),
        Outcome::Two { threshold, .. } => -f64::from(*threshold),
        _ => 0.0,
    };
    let (lo, hi) = told.ends;
    let at = threshold.unwrap_or(middle).clamp(lo.min(hi), hi.max(lo));
    let oninput = {
        let threshold = threshold.clone();
        move |e: InputEvent| {
            let v = e
                .target_unchecked_into::<HtmlInputElement>()
                .value_as_number();
            if v.is_finite() {
                threshold.set(Some(lo + (hi - lo) * v / STEPS));
            }
        }
    };
    let onpick = {
        let (picked, threshold) = (picked.clone(), threshold.clone());
        Callback::from(move |v: String| {
            picked.set(v.parse().ok());
            threshold.set(None);
        })
    };
    let options: Vec<Choice> = (0..classes)
        .map(|k| Choice::new(k.to_string(), source.class(k)))
        .collect();
    let name = source.class(class_now);
    let tools = html! {
        <div class="view-tools">
            <h4>{ t("curves-title") }</h4>
            <Select label={t("curves-class")} value={class_now.to_string()} {options} {onpick} />
        </div>
    };
    let Some(ranking) = &told.ranking else {
        return html! { <>{ tools }<p class="empty">{ t("curves-none") }</p></> };
    };
    let counts = ranking.at(at);
    let value = ((at - lo) / (hi - lo).max(f64::MIN_POSITIVE) * STEPS).round();
    html! {
        <>
            { tools }
            <div class="view-tools">
                <label class="plot-slider threshold">
                    <span>{ t("curves-threshold") }</span>
                    <input type="range" min="0" max={STEPS.to_string()} step="1" value={value.to_string()} {oninput}
                        aria-valuetext={three(at)} />
                    <span class="figure">{ three(at) }</span>
                </label>
            </div>
            { facts(&counts) }
            <div class="beside">
                <Chart kind={Kind::Roc} told={ByAddress(told.clone())} {at} name={name.clone()} />
                <Chart kind={Kind::Precision} told={ByAddress(told.clone())} {at} name={name.clone()} />
                if told.probability {
                    <Chart kind={Kind::Calibration} told={ByAddress(told.clone())} {at} {name} />
                }
            </div>
            { thresholds(ranking) }
            if told.probability { { reliability(&told.bins) } }
        </>
    }
}

fn facts(c: &Counts) -> Html {
    let fact = |key: &str, v: f64| html! { <Fact name={t(key)} value={percent(v)} title={v.to_string()} /> };
    let n = |n: usize| count(n as u64);
    html! {
        <>
            <dl class="numbers">
                { fact("curves-precision", c.precision()) }
                { fact("curves-recall", c.recall()) }
                { fact("curves-fpr", c.false_positive_rate()) }
                { fact("curves-f1", c.f1()) }
                { fact("metric-accuracy", c.accuracy()) }
            </dl>
            <p class="dim figure">{ t_args("curves-counts", &[
                ("tp", n(c.true_positive).into()), ("fp", n(c.false_positive).into()),
                ("fn", n(c.false_negative).into()), ("tn", n(c.true_negative).into()),
            ]) }</p>
        </>
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Roc,
    Precision,
    Calibration,
}

#[derive(Clone)]
struct ByAddress(Rc<Told>);

impl PartialEq for ByAddress {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.0, &o.0)
    }
}

#[derive(Properties, PartialEq)]
struct ChartProps {
    kind: Kind,
    told: ByAddress,
    at: f64,
    name: AttrValue,
}

#[component]
fn Chart(props: &ChartProps) -> Html {
    use_lang();
    let (kind, at) = (props.kind, props.at);
    let paint = {
        let told = props.told.0.clone();
        let key = (props.told.clone(), at.to_bits(), kind);
        use_callback(key, move |surface: Rc<Surface>, _| {
            draw(&surface, &told, kind, at)
        })
    };
    let told = &props.told.0;
    let Some(ranking) = &told.ranking else {
        return Html::default();
    };
    let (key, value) = match kind {
        Kind::Roc => ("curves-roc", Some(ranking.auc())),
        Kind::Precision => ("curves-pr", Some(ranking.average_precision())),
        Kind::Calibration => ("curves-calibration", calibration_error(&told.bins)),
    };
    let value = value.map_or("–".to_string(), |v| figures(v, 4));
    let label = t_args(
        key,
        &[
            ("name", props.name.to_string().into()),
            ("value", value.into()),
        ],
    );
    html! {
        <figure class="curve">
            <figcaption>{ label.clone() }</figcaption>
            <div class="chart-box square"><Canvas {paint} {label} /></div>
        </figure>
    }
}

fn draw(surface: &Surface, told: &Told, kind: Kind, at: f64) {
    let Some(ranking) = &told.ranking else {
        return;
    };
    let (x, y) = match kind {
        Kind::Roc => ("curves-fpr", "curves-tpr"),
        Kind::Precision => ("curves-recall", "curves-precision"),
        Kind::Calibration => ("curves-said", "curves-was"),
    };
    let axes = Axes::draw(
        surface,
        Scale::linear(0.0, 1.0),
        Scale::linear(0.0, 1.0),
        Titles {
            x: &t(x),
            y: &t(y),
            percent: false,
        },
    );
    let muted = surface.theme.muted.clone();
    let blue = css(class(0));
    let pen = |color, dashed| Pen {
        color,
        width: if dashed { 1.0 } else { 2.0 },
        dashed,
        alpha: 1.0,
    };
    let counts = ranking.at(at);
    let (line, mark): (Vec<(f64, f64)>, _) = match kind {
        Kind::Roc => (
            ranking.roc(),
            Some((counts.false_positive_rate(), counts.recall())),
        ),
        Kind::Precision => (
            ranking.precision_recall(),
            Some((counts.recall(), counts.precision())),
        ),
        Kind::Calibration => {
            let full = told.bins.iter().filter(|b| b.count > 0);
            (full.map(|b| (b.said, b.was)).collect(), None)
        }
    };
    let guess = match kind {
        // What guessing would give: the share of positive samples.
        Kind::Precision => [ranking.at(f64::NEG_INFINITY).precision(); 2],
        _ => [0.0, 1.0],
    };
    let guess = [Some((0.0, guess[0])), Some((1.0, guess[1]))];
    axes.line(guess, &pen(&muted, true));
    axes.line(line.into_iter().map(Some), &pen(&blue, false));
    if kind == Kind::Calibration {
        let most = told.bins.iter().map(|b| b.count).max().unwrap_or(1).max(1) as f64;
        for b in told.bins.iter().filter(|b| b.count > 0) {
            let size = 2.5 + 4.0 * (b.count as f64 / most).sqrt();
            axes.mark((b.said, b.was), Shape::Disc, size, &blue, true);
        }
    }
    if let Some(mark) = mark {
        axes.mark(mark, Shape::Diamond, 6.0, &css(class(6)), true);
    }
}

/// Some of the thresholds, for those who do not see the curves.
fn thresholds(r: &Ranking) -> Html {
    let every = r.counts.len().div_ceil(12).max(1);
    html! {
        <div class="unseen"><table>
            <caption>{ t("curves-table") }</caption>
            <thead><tr>
                <th scope="col">{ t("curves-threshold") }</th>
                <th scope="col">{ t("curves-fpr") }</th>
                <th scope="col">{ t("curves-recall") }</th>
                <th scope="col">{ t("curves-precision") }</th>
            </tr></thead>
            <tbody>
                { for r.counts.iter().zip(&r.thresholds).step_by(every).map(|(c, at)| html! {
                    <tr>
                        <th scope="row">{ three(*at) }</th>
                        <td>{ percent(c.false_positive_rate()) }</td>
                        <td>{ percent(c.recall()) }</td>
                        <td>{ percent(c.precision()) }</td>
                    </tr>
                }) }
            </tbody>
        </table></div>
    }
}

fn reliability(bins: &[Bin]) -> Html {
    html! {
        <div class="unseen"><table>
            <caption>{ t("curves-calibration-table") }</caption>
            <thead><tr>
                <th scope="col">{ t("curves-said") }</th>
                <th scope="col">{ t("curves-was") }</th>
                <th scope="col">{ t("evaluation-samples") }</th>
            </tr></thead>
            <tbody>
                { for bins.iter().filter(|b| b.count > 0).map(|b| html! {
                    <tr><th scope="row">{ percent(b.said) }</th><td>{ percent(b.was) }</td><td>{ b.count }</td></tr>
                }) }
            </tbody>
        </table></div>
    }
}
