//! How the network is trained.
use super::class_weights::ClassWeights;
use super::fields::{Axis, CheckField, NumberField, SelectField, SliderField, slug};
use super::i18n::{problem_text, t, t_args, use_lang};
use super::run_life::{RunLife, monitor_field};
use super::store::{Edit, problem_at};
use crate::spec::edit::set_optimizer;
use crate::spec::{Clip, Loss, Monitor, Optimizer, Schedule, Spec};
use crate::train::protocol::{BackendChoice, CheckReport, DataInfo};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct TrainPanelProps {
    pub spec: Rc<Spec>,
    pub report: Rc<CheckReport>,
    /// Samples of the training part, when they are known.
    pub samples: Option<usize>,
    pub data: Option<DataInfo>,
    pub edit: Edit,
    /// The visitor's choice of where to compute.
    pub backend: BackendChoice,
    pub on_backend: Callback<BackendChoice>,
}

impl TrainPanelProps {
    fn error(&self, field: &str) -> Option<AttrValue> {
        problem_at(&self.report, None, field).map(|p| problem_text(p).into())
    }
}

const OPTIMIZERS: [&str; 6] = ["sgd", "rmsprop", "adagrad", "adam", "adamw", "closed_form"];

/// Losses as the list offers them.
const LOSSES: [Loss; 9] = [
    Loss::CrossEntropy { from_logits: true },
    Loss::CrossEntropy { from_logits: false },
    Loss::BinaryCrossEntropy { from_logits: true },
    Loss::BinaryCrossEntropy { from_logits: false },
    Loss::Hinge,
    Loss::Perceptron,
    Loss::Mse,
    Loss::Mae,
    Loss::Huber { delta: 1.0 },
];

/// `cross-entropy-logits`, `cross-entropy-probabilities`, `mse`, …
pub fn loss_id(loss: &Loss) -> String {
    match loss {
        Loss::CrossEntropy { from_logits } | Loss::BinaryCrossEntropy { from_logits } => {
            let from = if *from_logits {
                "logits"
            } else {
                "probabilities"
            };
            format!("{}-{from}", slug(loss))
        }
        other => slug(other),
    }
}

fn named(prefix: &str, ids: impl IntoIterator<Item = String>) -> Vec<(AttrValue, AttrValue)> {
    ids.into_iter()
        .map(|id| {
            let name = t(&format!("{prefix}-{id}"));
            (id.into(), name.into())
        })
        .collect()
}

#[component]
pub fn TrainPanel(props: &TrainPanelProps) -> Html {
    use_lang();
    let (spec, edit) = (&props.spec, &props.edit);
    let train = &spec.train;
    let on_loss = edit.with("", |s: &mut Spec, v: String| {
        if let Some(loss) = LOSSES.iter().find(|l| loss_id(l) == v) {
            s.train.loss = *loss;
        }
    });
    let on_optimizer = edit.with("", |s: &mut Spec, v: String| {
        set_optimizer(&mut s.train, &v.replace('-', "_"), s.framework);
    });
    let on_backend = {
        let on_backend = props.on_backend.clone();
        Callback::from(move |v: String| {
            if let Some(b) = BackendChoice::ALL.into_iter().find(|b| b.name() == v) {
                on_backend.emit(b);
            }
        })
    };
    html! {
        <section class="group" aria-labelledby="training-title">
            <header class="group-head"><h2 id="training-title">{ t("training") }</h2></header>
            <SelectField
                label={t("loss")}
                value={loss_id(&train.loss)}
                options={named("loss", LOSSES.iter().map(loss_id))}
                on_change={on_loss}
                error={["train.loss", "loss"].iter().find_map(|f| props.error(f))}
                class="wide"
            />
            if let Loss::Huber { delta } = train.loss {
                <NumberField
                    label={t("huber-delta")}
                    value={delta}
                    step={0.1}
                    error={props.error("train.loss.delta")}
                    on_change={edit.with("delta", |s: &mut Spec, v: f32| s.train.loss = Loss::Huber { delta: v })}
                />
            }
            <SelectField
                label={t("optimizer")}
                value={slug(&train.optimizer)}
                options={named("optimizer", OPTIMIZERS.map(|o| o.replace("_", "-")))}
                on_change={on_optimizer}
                error={props.error("train.optimizer.kind")}
                class="wide"
            />
            if train.optimizer != Optimizer::ClosedForm {
            <SliderField
                label={t("learning-rate")}
                hint={AttrValue::from(t("learning-rate-hint"))}
                value={train.optimizer.learning_rate()}
                min={1e-6}
                max={10.0}
                axis={Axis::Log}
                error={props.error("train.optimizer.learning_rate")}
                on_change={edit.with("learning_rate", |s: &mut Spec, v: f32| s.train.optimizer.set_learning_rate(v))}
            />
            }
            <div class="grid">
                { batch_fields(props) }
                <NumberField
                    label={t("epochs")}
                    integer={true}
                    step={10.0}
                    min={0.0}
                    value={train.epochs as f32}
                    error={props.error("train.epochs")}
                    on_change={edit.with("epochs", |s: &mut Spec, v: f32| s.train.epochs = v as usize)}
                />
                <CheckField
                    label={t("shuffle")}
                    hint={AttrValue::from(t("shuffle-hint"))}
                    value={train.shuffle}
                    on_change={edit.with("", |s: &mut Spec, v: bool| s.train.shuffle = v)}
                />
            </div>
            <details class="more">
                <summary>{ t_args("optimizer-more", &[("name", t(&format!("optimizer-{}", slug(&train.optimizer))).into())]) }</summary>
                <div class="grid">{ optimizer_fields(props) }</div>
            </details>
            <SelectField
                label={t("backend")}
                hint={AttrValue::from(t("backend-hint"))}
                value={props.backend.name()}
                options={named("backend-choice", BackendChoice::ALL.map(|b| b.name().to_string()))}
                on_change={on_backend}
                class="wide"
            />
            <details class="more">
                <summary>{ t("training-more") }</summary>
                <div class="grid">
                    <RunLife spec={spec.clone()} report={props.report.clone()} edit={edit.clone()} />
                    { schedule_fields(props) }
                    { clip_fields(props) }
                    if train.loss.is_classification() {
                        <ClassWeights
                            spec={spec.clone()}
                            report={props.report.clone()}
                            edit={edit.clone()}
                            data={props.data.clone()}
                        />
                    }
                    <NumberField
                        label={t("l1")}
                        hint={AttrValue::from(t("l1-hint"))}
                        value={train.l1}
                        step={0.0001}
                        min={0.0}
                        error={props.error("train.l1")}
                        on_change={edit.with("l1", |s: &mut Spec, v: f32| s.train.l1 = v)}
                    />
                    <NumberField
                        label={t("l2")}
                        hint={AttrValue::from(t("l2-hint"))}
                        value={train.l2}
                        step={0.0001}
                        min={0.0}
                        error={props.error("train.l2")}
                        on_change={edit.with("l2", |s: &mut Spec, v: f32| s.train.l2 = v)}
                    />
                    <NumberField
                        label={t("seed")}
                        hint={AttrValue::from(t("seed-hint"))}
                        integer={true}
                        min={0.0}
                        value={spec.seed as f32}
                        on_change={edit.with("seed", |s: &mut Spec, v: f32| s.seed = v as u32)}
                    />
                    <CheckField
                        label={t("strict")}
                        hint={AttrValue::from(t("strict-hint"))}
                        value={train.strict}
                        on_change={edit.with("", |s: &mut Spec, v: bool| s.train.strict = v)}
                    />
                </div>
            </details>
        </section>
    }
}

fn batch_fields(props: &TrainPanelProps) -> Html {
    let batch = props.spec.train.batch_size;
    let samples = props.samples;
    let on_whole = props.edit.with("", move |s: &mut Spec, whole: bool| {
        s.train.batch_size = if whole {
            None
        } else {
            Some(samples.map_or(32, |n| n.clamp(1, 32)))
        };
    });
    html! {
        <>
            if let Some(b) = batch {
                <NumberField
                    label={t("batch-size")}
                    hint={AttrValue::from(t("batch-size-hint"))}
                    integer={true}
                    min={0.0}
                    value={b as f32}
                    error={props.error("train.batch_size")}
                    on_change={props.edit.with("batch_size", |s: &mut Spec, v: f32| s.train.batch_size = Some(v as usize))}
                />
            }
            <CheckField
                label={t("whole-batch")}
                hint={AttrValue::from(t("whole-batch-hint"))}
                value={batch.is_none()}
                on_change={on_whole}
            />
        </>
    }
}

/// The optimiser's own numbers beside the rate. Their names in the spec are their fields'.
fn optimizer_fields(props: &TrainPanelProps) -> Html {
    let optimizer = &props.spec.train.optimizer;
    let serde_json::Value::Object(fields) = crate::json::value(optimizer) else {
        return html! {};
    };
    const ORDER: [(&str, f32); 7] = [
        ("momentum", 0.05),
        ("beta1", 0.01),
        ("beta2", 0.001),
        ("rho", 0.01),
        ("weight_decay", 0.001),
        ("epsilon", 1e-8),
        ("initial_accumulator", 0.05),
    ];
    let write = |name: &'static str| {
        props
            .edit
            .with(name, move |s: &mut Spec, v: serde_json::Value| {
                let mut json = crate::json::value(&s.train.optimizer);
                json[name] = v;
                if let Ok(changed) = crate::json::Read::read(json) {
                    s.train.optimizer = changed;
                }
            })
    };
    html! {
        <>
            { for ORDER.iter().filter(|(name, _)| fields.contains_key(*name)).map(|(name, step)| {
                let value = fields[*name].as_f64().unwrap_or_default() as f32;
                let write = write(name);
                html! {
                    <NumberField
                        key={*name}
                        label={t(&format!("optimizer-field-{}", name.replace('_', "-")))}
                        {value}
                        step={*step}
                        min={0.0}
                        error={props.error(&format!("train.optimizer.{name}"))}
                        on_change={Callback::from(move |v: f32| write.emit(serde_json::json!(v)))}
                    />
                }
            }) }
            if let Optimizer::Sgd { nesterov, .. } = optimizer {
                <CheckField
                    label={t("nesterov")}
                    value={*nesterov}
                    on_change={{
                        let write = write("nesterov");
                        Callback::from(move |v: bool| write.emit(serde_json::json!(v)))
                    }}
                />
            }
        </>
    }
}

fn schedule_fields(props: &TrainPanelProps) -> Html {
    let all = [
        Schedule::Constant,
        Schedule::Step {
            every: 10,
            gamma: 0.5,
        },
        Schedule::Exponential { gamma: 0.95 },
        Schedule::Cosine { final_factor: 0.0 },
        Schedule::Warmup { epochs: 5.0 },
        Schedule::OneCycle { warmup: 0.3 },
        Schedule::Plateau {
            monitor: Monitor::Loss,
            factor: 0.5,
            patience: 5,
            least: 0.0,
        },
    ];
    let on_kind = props.edit.with("", move |s: &mut Spec, v: String| {
        if let Some(x) = all.iter().find(|x| slug(*x) == v) {
            s.train.schedule = *x;
        }
    });
    let number = |name: &'static str,
                  value: f32,
                  integer: bool,
                  step: f32,
                  make: fn(Schedule, f32) -> Schedule| {
        html! {
            <NumberField
                key={name}
                label={t(&format!("schedule-field-{name}"))}
                {value}
                {integer}
                {step}
                min={0.0}
                error={props.error(&format!("train.schedule.{}", name.replace('-', "_")))}
                on_change={props.edit.with(name, move |s: &mut Spec, v: f32| s.train.schedule = make(s.train.schedule, v))}
            />
        }
    };
    let fields = match props.spec.train.schedule {
        Schedule::Constant => html! {},
        Schedule::Step { every, gamma } => html! {
            <>
                { number("every", every as f32, true, 1.0, |s, v| match s {
                    Schedule::Step { gamma, .. } => Schedule::Step { every: v as usize, gamma },
                    other => other,
                }) }
                { number("gamma", gamma, false, 0.05, |s, v| match s {
                    Schedule::Step { every, .. } => Schedule::Step { every, gamma: v },
                    other => other,
                }) }
            </>
        },
        Schedule::Exponential { gamma } => number("gamma", gamma, false, 0.01, |_, v| {
            Schedule::Exponential { gamma: v }
        }),
        Schedule::Cosine { final_factor } => {
            number("final-factor", final_factor, false, 0.05, |_, v| {
                Schedule::Cosine { final_factor: v }
            })
        }
        Schedule::Warmup { epochs } => number("epochs", epochs, false, 1.0, |_, v| {
            Schedule::Warmup { epochs: v }
        }),
        Schedule::Plateau {
            monitor,
            factor,
            patience,
            least,
        } => html! {
            <>
                { monitor_field(monitor, props.error("train.schedule.monitor"), props.edit.with("", |s: &mut Spec, m: Monitor| {
                    if let Schedule::Plateau { monitor, .. } = &mut s.train.schedule {
                        *monitor = m;
                    }
                })) }
                { number("factor", factor, false, 0.1, |s, v| match s {
                    Schedule::Plateau { monitor, patience, least, .. } => Schedule::Plateau { monitor, factor: v, patience, least },
                    other => other,
                }) }
                { number("patience", patience as f32, true, 1.0, |s, v| match s {
                    Schedule::Plateau { monitor, factor, least, .. } => Schedule::Plateau { monitor, factor, patience: v as usize, least },
                    other => other,
                }) }
                { number("least", least, false, 0.01, |s, v| match s {
                    Schedule::Plateau { monitor, factor, patience, .. } => Schedule::Plateau { monitor, factor, patience, least: v },
                    other => other,
                }) }
            </>
        },
        Schedule::OneCycle { warmup } => number("warmup", warmup, false, 0.05, |_, v| {
            Schedule::OneCycle { warmup: v }
        }),
    };
    html! {
        <>
            <SelectField
                label={t("schedule")}
                hint={AttrValue::from(t("schedule-hint"))}
                value={slug(&props.spec.train.schedule)}
                options={named("schedule", all.iter().map(slug))}
                on_change={on_kind}
            />
            { fields }
        </>
    }
}

fn clip_fields(props: &TrainPanelProps) -> Html {
    let all = [
        Clip::None,
        Clip::Value { max: 1.0 },
        Clip::GlobalNorm { max: 1.0 },
    ];
    let on_kind = props.edit.with("", move |s: &mut Spec, v: String| {
        if let Some(x) = all.iter().find(|x| slug(*x) == v) {
            s.train.clip = *x;
        }
    });
    let max = match props.spec.train.clip {
        Clip::None => None,
        Clip::Value { max } | Clip::GlobalNorm { max } => Some(max),
    };
    html! {
        <>
            <SelectField
                label={t("clip")}
                hint={AttrValue::from(t("clip-hint"))}
                value={slug(&props.spec.train.clip)}
                options={named("clip", all.iter().map(slug))}
                on_change={on_kind}
            />
            if let Some(value) = max {
                <NumberField
                    label={t("clip-max")}
                    {value}
                    step={0.1}
                    min={0.0}
                    error={props.error("train.clip.max")}
                    on_change={props.edit.with("clip.max", |s: &mut Spec, v: f32| {
                        s.train.clip = match s.train.clip {
                            Clip::None => Clip::None,
                            Clip::Value { .. } => Clip::Value { max: v },
                            Clip::GlobalNorm { .. } => Clip::GlobalNorm { max: v },
                        };
                    })}
                />
            }
        </>
    }
}
