//! When a run ends by itself, and which of its states are kept.
use super::fields::{CheckField, NumberField, SelectField, slug};
use super::i18n::{problem_text, t, t_args, use_lang};
use super::link::Link;
use super::plot::browser::download;
use super::store::{Edit, problem_at};
use crate::spec::{Checkpoints, EarlyStopping, Monitor, Spec};
use crate::train::protocol::{CheckReport, Request, RunId, SavedInfo};
use js_sys::Array;
use serde_json::Value;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;
use yew::prelude::*;

const MONITORS: [Monitor; 3] = [Monitor::ValLoss, Monitor::ValAccuracy, Monitor::Loss];

/// A choice of what is watched.
pub fn monitor_field(value: Monitor, error: Option<AttrValue>, write: Callback<Monitor>) -> Html {
    let options: Vec<(AttrValue, AttrValue)> = MONITORS
        .iter()
        .map(|m| (m.name().into(), t(&format!("monitor-{}", slug(m))).into()))
        .collect();
    let on_change = Callback::from(move |name: String| {
        if let Some(m) = MONITORS.iter().find(|m| m.name() == name) {
            write.emit(*m);
        }
    });
    html! {
        <SelectField label={t("monitor")} value={value.name()} {options} {error} {on_change} />
    }
}

#[derive(Properties, PartialEq)]
pub struct RunLifeProps {
    pub spec: Rc<Spec>,
    pub report: Rc<CheckReport>,
    pub edit: Edit,
}

/// Early stopping and kept states.
#[component]
pub fn RunLife(props: &RunLifeProps) -> Html {
    use_lang();
    let (train, edit) = (&props.spec.train, &props.edit);
    let error = |field: &str| -> Option<AttrValue> {
        problem_at(&props.report, None, field).map(|p| problem_text(p).into())
    };
    let stop = |f: fn(&mut EarlyStopping, f32)| {
        move |s: &mut Spec, v: f32| {
            if let Some(e) = &mut s.train.early_stopping {
                f(e, v);
            }
        }
    };
    html! {
        <>
            <CheckField
                label={t("early-stopping")}
                hint={AttrValue::from(t("early-stopping-hint"))}
                value={train.early_stopping.is_some()}
                on_change={edit.with("", |s: &mut Spec, on: bool| {
                    let watch = if s.data.split.validation > 0.0 { Monitor::ValLoss } else { Monitor::Loss };
                    s.train.early_stopping = on.then_some(EarlyStopping {
                        monitor: watch,
                        patience: 3,
                        min_delta: 0.0,
                        restore_best: true,
                    });
                })}
            />
            if let Some(e) = train.early_stopping {
                { monitor_field(e.monitor, error("train.early_stopping.monitor"), edit.with("", |s: &mut Spec, m: Monitor| {
                    if let Some(e) = &mut s.train.early_stopping {
                        e.monitor = m;
                    }
                })) }
                <NumberField
                    label={t("patience")}
                    hint={AttrValue::from(t("patience-hint"))}
                    integer={true}
                    min={0.0}
                    value={e.patience as f32}
                    error={error("train.early_stopping.patience")}
                    on_change={edit.with("patience", stop(|e, v| e.patience = v as usize))}
                />
                <NumberField
                    label={t("min-delta")}
                    hint={AttrValue::from(t("min-delta-hint"))}
                    min={0.0}
                    step={0.001}
                    value={e.min_delta}
                    error={error("train.early_stopping.min_delta")}
                    on_change={edit.with("min_delta", stop(|e, v| e.min_delta = v))}
                />
                <CheckField
                    label={t("restore-best")}
                    value={e.restore_best}
                    on_change={edit.with("", |s: &mut Spec, on: bool| {
                        if let Some(e) = &mut s.train.early_stopping {
                            e.restore_best = on;
                        }
                    })}
                />
            }
            <CheckField
                label={t("checkpoints")}
                hint={AttrValue::from(t("checkpoints-hint"))}
                value={train.checkpoints.is_some()}
                on_change={edit.with("", |s: &mut Spec, on: bool| {
                    let watch = if s.data.split.validation > 0.0 { Monitor::ValLoss } else { Monitor::Loss };
                    s.train.checkpoints = on.then_some(Checkpoints { monitor: watch, best_only: true });
                })}
            />
            if let Some(c) = train.checkpoints {
                { monitor_field(c.monitor, error("train.checkpoints.monitor"), edit.with("", |s: &mut Spec, m: Monitor| {
                    if let Some(c) = &mut s.train.checkpoints {
                        c.monitor = m;
                    }
                })) }
                <CheckField
                    label={t("best-only")}
                    value={c.best_only}
                    on_change={edit.with("", |s: &mut Spec, on: bool| {
                        if let Some(c) = &mut s.train.checkpoints {
                            c.best_only = on;
                        }
                    })}
                />
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
pub struct SavedStatesProps {
    pub link: Option<Link>,
    pub run: Option<RunId>,
    /// When it grows, there may be more.
    pub epoch: u32,
}

/// The states that the run has kept, to be downloaded.
#[component]
pub fn SavedStates(props: &SavedStatesProps) -> Html {
    use_lang();
    let all = use_state_eq(Vec::<SavedInfo>::new);
    {
        let (all, link) = (all.setter(), props.link.clone());
        use_effect_with((props.run, props.epoch), move |(run, _)| {
            if let (Some(link), Some(run)) = (link, *run) {
                spawn_local(async move {
                    let request = Request::Saved { run };
                    // A run that is gone has kept nothing.
                    let answer = link.call(&request, Vec::new(), &[]).await;
                    all.set(answer.map(|(list, _)| list).unwrap_or_default());
                });
            }
        });
    }
    let save = |name: &str| {
        let (link, run, name) = (props.link.clone(), props.run, name.to_string());
        Callback::from(move |_: MouseEvent| {
            let (Some(link), Some(run), name) = (link.clone(), run, name.clone()) else {
                return;
            };
            spawn_local(async move {
                let file = name.clone();
                let request = Request::SavedFile { run, name };
                if let Ok((_, buffers)) = link.call::<Value>(&request, Vec::new(), &[]).await
                    && let Some(bytes) = buffers.first()
                    && let Ok(blob) = Blob::new_with_buffer_source_sequence(&Array::of1(bytes))
                {
                    download(&blob, &file);
                }
            });
        })
    };
    if all.is_empty() {
        return html! {};
    }
    html! {
        <details class="more saved-states">
            <summary>{ t_args("saved-states", &[("n", all.len().into())]) }</summary>
            <ul>
                { for all.iter().rev().map(|s| html! {
                    <li key={s.name.clone()}>
                        <button type="button" class="figure" title={t("saved-download")} onclick={save(&s.name)}>{ s.name.clone() }</button>
                    </li>
                }) }
            </ul>
        </details>
    }
}
