//! The loss around the run's parameters, along two directions.
mod chart;
mod job;

use super::ViewProps;
use super::parts::{Choice, Fact, Select, Trouble};
use super::pull::use_pull;
use super::sheet::About;
use crate::plotting::format::{count, percent, three};
use crate::train::protocol::{Ask, Directions, Failure, Mark, Role, SurfaceAsk, TensorInfo};
use crate::ui::i18n::{t, t_args, use_lang};
use chart::Chart;
use job::{Job, Stage, use_job};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Parameters that can be chosen one by one.
const SINGLES: usize = 64;
/// Floating-point operations for which the surface is begun without being asked.
const CHEAP: f64 = 3e9;
const SIDES: [usize; 4] = [11, 21, 31, 51];
const SAMPLES: [usize; 4] = [64, 256, 1024, 4096];
const RANGES: [f32; 4] = [0.25, 0.5, 1.0, 2.0];

/// Names of the single parameters in their order; empty where there are too many.
fn singles(tensors: &[TensorInfo]) -> Vec<String> {
    let params = || tensors.iter().filter(|t| t.role == Role::Param);
    let size = |t: &TensorInfo| t.shape.iter().product::<usize>();
    if params().map(size).sum::<usize>() > SINGLES {
        return Vec::new();
    }
    let named = |t: &TensorInfo| {
        let (name, inner) = (t.name.clone(), t.shape.last().copied().unwrap_or(1));
        let matrix = t.shape.len() > 1;
        (0..size(t))
            .map(move |i| match matrix {
                true => format!("{name}[{}, {}]", i / inner, i % inner),
                false => format!("{name}[{i}]"),
            })
            .collect::<Vec<String>>()
    };
    params().flat_map(named).collect()
}

#[component]
pub fn LandscapeView(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let names = singles(&props.tensors);
    let ask = {
        let few = names.len() == 2 || names.len() == 3;
        use_state(move || SurfaceAsk {
            directions: match few {
                true => Directions::Parameters {
                    first: 0,
                    second: 1,
                },
                false => Directions::Random { seed: 1 },
            },
            side: 21,
            samples: 256,
            range: 1.0,
        })
    };
    let logarithmic = use_state_eq(|| false);
    let job = use_job(source);
    {
        let (job, ask, source) = (job.clone(), ask.clone(), source.clone());
        use_effect_with((), move |()| {
            if cost(&source.info, &ask) < CHEAP {
                job.begin((*ask).clone());
            }
        });
    }
    let id = job.surface.as_ref().map(|s| s.info.id);
    let marks = use_pull(
        (source.clone(), props.tick, id),
        |(source, _, id)| async move {
            let (mark, _) = source.look::<Mark>(Ask::Mark).await?;
            Ok::<_, Failure>((id, mark))
        },
    );
    let mark = marks
        .value
        .filter(|m| m.0 == id)
        .map(|m| Rc::new(m.1.clone()));
    let failure = match &job.stage {
        Stage::Failed(f) => Some(f.clone()),
        _ => marks.failure,
    };
    html! {
        <div class="view landscape">
            <About text={t("landscape-about")} />
            { settings(&ask, &names) }
            <div class="view-tools">
                { buttons(&job, &ask, mark.as_deref()) }
                <label class="plot-check">
                    <input type="checkbox" checked={*logarithmic} onchange={{
                        let logarithmic = logarithmic.clone();
                        move |e: Event| logarithmic.set(e.target_unchecked_into::<HtmlInputElement>().checked())
                    }} />
                    <span>{ t("landscape-log") }</span>
                </label>
            </div>
            <Trouble {failure} />
            if let Some(surface) = &job.surface {
                <Chart surface={surface.clone()} mark={mark.clone()} logarithmic={*logarithmic} titles={titles(surface.ask.directions, &names)} />
                { facts(surface, mark.as_deref()) }
                <p class="dim">{ t("landscape-note") }</p>
            } else if job.stage == Stage::Idle {
                <p class="empty">{ t("landscape-empty") }</p>
            }
        </div>
    }
}

/// About how much work a surface is.
fn cost(info: &crate::train::protocol::RunInfo, ask: &SurfaceAsk) -> f64 {
    let sample = info.layers.iter().map(|l| l.flops as f64).sum::<f64>();
    let samples = ask.samples.min(info.data.train) as f64;
    sample.max(1.0) * samples * (ask.side * ask.side) as f64
}

fn titles(directions: Directions, names: &[String]) -> (AttrValue, AttrValue) {
    match directions {
        Directions::Parameters { first, second } => {
            let name = |i: usize| format!("Δ {}", names.get(i).cloned().unwrap_or_default());
            (name(first).into(), name(second).into())
        }
        Directions::Trajectory => (
            t("landscape-component-1").into(),
            t("landscape-component-2").into(),
        ),
        Directions::Random { .. } => (
            t("landscape-direction-1").into(),
            t("landscape-direction-2").into(),
        ),
    }
}

fn settings(ask: &UseStateHandle<SurfaceAsk>, names: &[String]) -> Html {
    let change = |f: fn(&mut SurfaceAsk, String)| {
        let ask = ask.clone();
        Callback::from(move |v: String| {
            let mut next = (*ask).clone();
            f(&mut next, v);
            ask.set(next);
        })
    };
    let numbers = |all: &[usize]| -> Vec<Choice> {
        let one = |n: &usize| Choice::new(n.to_string(), count(*n as u64));
        all.iter().map(one).collect()
    };
    let kind = match ask.directions {
        Directions::Random { .. } => "random",
        Directions::Trajectory => "trajectory",
        Directions::Parameters { .. } => "parameters",
    };
    let mut kinds = vec![
        Choice::new("random", t("landscape-random")),
        Choice::new("trajectory", t("landscape-trajectory")),
    ];
    if names.len() > 1 {
        kinds.push(Choice::new("parameters", t("landscape-parameters")));
    }
    let pick_kind = change(|ask, v| {
        ask.directions = match v.as_str() {
            "trajectory" => Directions::Trajectory,
            "parameters" => Directions::Parameters {
                first: 0,
                second: 1,
            },
            _ => Directions::Random { seed: 1 },
        };
    });
    let single = |second: bool| {
        let of = names.iter().enumerate();
        let options: Vec<Choice> = of
            .map(|(i, n)| Choice::new(i.to_string(), n.clone()))
            .collect();
        let now = match ask.directions {
            Directions::Parameters { first, second: s } => {
                if second {
                    s
                } else {
                    first
                }
            }
            _ => 0,
        };
        let onpick = match second {
            false => change(|ask, v| {
                if let Directions::Parameters { first, .. } = &mut ask.directions {
                    *first = v.parse().unwrap_or(0);
                }
            }),
            true => change(|ask, v| {
                if let Directions::Parameters { second, .. } = &mut ask.directions {
                    *second = v.parse().unwrap_or(1);
                }
            }),
        };
        let label = t(if second {
            "landscape-second"
        } else {
            "landscape-first"
        });
        html! { <Select {label} value={now.to_string()} {options} {onpick} /> }
    };
    let seed = match ask.directions {
        Directions::Random { seed } => Some(seed),
        _ => None,
    };
    let onseed = {
        let ask = ask.clone();
        move |e: Event| {
            let v = e
                .target_unchecked_into::<HtmlInputElement>()
                .value_as_number();
            if (0.0..=f64::from(u32::MAX)).contains(&v) {
                let mut next = (*ask).clone();
                next.directions = Directions::Random { seed: v as u32 };
                ask.set(next);
            }
        }
    };
    html! {
        <div class="view-tools">
            <Select label={t("landscape-directions")} value={kind} options={kinds} onpick={pick_kind} />
            if let Some(seed) = seed {
                <label class="pick" title={t("about-landscape-seed")}><span>{ t("landscape-seed") }</span>
                    <input type="number" min="0" step="1" value={seed.to_string()} onchange={onseed} /></label>
            }
            if kind == "parameters" { { single(false) }{ single(true) } }
            if kind != "trajectory" {
                <Select label={t("landscape-range")} value={ask.range.to_string()} onpick={change(|a, v| a.range = v.parse().unwrap_or(1.0))}
                    options={RANGES.map(|r| Choice::new(r.to_string(), format!("±{r}"))).to_vec()} />
            }
            <Select label={t("landscape-points")} value={ask.side.to_string()} onpick={change(|a, v| a.side = v.parse().unwrap_or(21))}
                options={SIDES.map(|n| Choice::new(n.to_string(), format!("{n} × {n}"))).to_vec()} />
            <Select label={t("landscape-samples")} value={ask.samples.to_string()} onpick={change(|a, v| a.samples = v.parse().unwrap_or(256))}
                options={numbers(&SAMPLES)} />
        </div>
    }
}

fn buttons(job: &Job, ask: &UseStateHandle<SurfaceAsk>, mark: Option<&Mark>) -> Html {
    let begin = {
        let (job, ask) = (job.clone(), ask.clone());
        move |_: MouseEvent| job.begin((*ask).clone())
    };
    let cancel = {
        let job = job.clone();
        move |_: MouseEvent| job.cancel()
    };
    let waits = ask.directions == Directions::Trajectory && !mark.is_some_and(|m| m.enough);
    let busy = job.stage == Stage::Busy;
    let (known, all) = job
        .surface
        .as_ref()
        .map_or((0, 1), |s| (s.losses.len(), s.info.side * s.info.side));
    html! {
        <>
            if busy {
                <button type="button" class="button" onclick={cancel}>{ t("landscape-cancel") }</button>
                <progress max={all.to_string()} value={known.to_string()} aria-label={t("landscape-progress")}></progress>
                <span class="figure" role="status">{ percent(known as f64 / all as f64) }</span>
            } else {
                <button type="button" class="button primary" disabled={waits} onclick={begin}>{ t(match job.surface {
                    Some(_) => "landscape-again",
                    None => "landscape-begin",
                }) }</button>
            }
            if waits {
                <span class="dim">{ t_args("landscape-waits", &[("count", mark.map_or(0, |m| m.marks).into())]) }</span>
            }
        </>
    }
}

fn facts(surface: &job::Surface, mark: Option<&Mark>) -> Html {
    let at = mark.and_then(|m| m.at);
    html! {
        <dl class="numbers">
            <Fact name={t("landscape-step")} value={count(u64::from(surface.info.step))} />
            <Fact name={t("landscape-samples")} value={count(surface.info.samples as u64)} />
            if let Some(middle) = surface.middle() {
                <Fact name={t("landscape-middle")} value={three(f64::from(middle))} />
            }
            if let (Some([x, y]), Some(away)) = (at, mark.and_then(|m| m.away)) {
                <Fact name={t("landscape-now")} value={format!("({}, {})", three(f64::from(x)), three(f64::from(y)))} />
                <Fact name={t("landscape-away")} value={percent(f64::from(away))} title={t("about-landscape-away")} />
            }
            if let Some([a, b]) = surface.info.explained {
                <Fact name={t("landscape-explained")} value={format!("{} + {}", percent(a), percent(b))} title={t("about-landscape-explained")} />
            }
        </dl>
    }
}
