//! Where the samples come from, and how they are split and scaled.
mod missing;
mod source;

use super::fields::{Axis, CheckField, NumberField, SelectField, SliderField, slug};
use super::i18n::{problem_text, t, t_args, use_lang};
use super::icons::{Icon, IconButton};
use super::known_sets::KnownSets;
use super::later::Later;
use super::numbers::{count, shape, whole_percent};
use super::reading::{Reading, Share};
use super::store::{Edit, problem_at};
use crate::spec::edit::fit_head;
use crate::spec::{Bundled, DataSource, Scale, Spec, TargetOf};
use crate::train::protocol::{CheckReport, DataInfo, RunInfo};
use missing::{MISSING, MissingProps};
use source::source_fields;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct DataPanelProps {
    pub spec: Rc<Spec>,
    pub report: Rc<CheckReport>,
    pub info: Option<Rc<RunInfo>>,
    pub edit: Edit,
    pub on_pick: Callback<MouseEvent>,
    pub on_pick_folder: Callback<MouseEvent>,
    /// How far files are read, while that lasts.
    pub reading: Option<Share>,
    pub on_cancel: Callback<MouseEvent>,
    /// Another column of a CSV file is to be predicted.
    pub on_target: Callback<Option<String>>,
    pub opening: bool,
    /// A public set by its name, and its files.
    pub on_set: Callback<(String, Vec<web_sys::File>)>,
}

const BUNDLED: [Bundled; 6] = [
    Bundled::Digits,
    Bundled::Digits28,
    Bundled::Iris,
    Bundled::IrisPair,
    Bundled::BreastCancer,
    Bundled::Diabetes,
];

/// Sets that have a test part of their own.
const OWN_TEST: [&str; 4] = ["mnist", "fashion-mnist", "cifar10", "imdb"];

/// The sources that need no files, under the names of the list.
fn sources() -> Vec<(String, DataSource)> {
    let mut all: Vec<_> = BUNDLED
        .iter()
        .map(|name| (slug(name), DataSource::Bundled { name: *name }))
        .collect();
    all.extend(
        [
            DataSource::Line {
                samples: 100,
                slope: 3.0,
                intercept: 2.0,
                noise: 0.5,
            },
            DataSource::MakeRegression {
                samples: 100,
                features: 1,
                noise: 10.0,
                bias: 0.0,
            },
            DataSource::Separable {
                samples: 100,
                margin: 0.1,
            },
            DataSource::Sine {
                samples: 400,
                window: 25,
                period: 40.0,
                noise: 0.05,
            },
            DataSource::DrawnDigits { samples: 2000 },
            DataSource::Shapes { samples: 2000 },
            DataSource::Reviews { samples: 2000 },
            DataSource::Xor {
                samples: 200,
                noise: 0.05,
            },
            DataSource::Blobs {
                samples: 200,
                centers: 2,
                std: 2.0,
            },
            DataSource::Circles {
                samples: 240,
                noise: 0.08,
                factor: 0.5,
            },
            DataSource::Moons {
                samples: 240,
                noise: 0.1,
            },
            DataSource::Spirals {
                samples: 300,
                arms: 2,
                turns: 1.25,
                noise: 0.03,
            },
            DataSource::Points {
                x: vec![vec![1.0, 2.0], vec![3.0, 4.0]],
                y: vec![vec![2.0], vec![6.0]],
                classes: None,
            },
        ]
        .map(|s| (slug(&s), s)),
    );
    all
}

fn source_id(source: &DataSource) -> String {
    match source {
        DataSource::Bundled { name } => slug(name),
        other => slug(other),
    }
}

/// What a source is called.
pub fn source_name(source: &DataSource) -> String {
    match source {
        DataSource::Files { name, .. } => match super::i18n::t_maybe(&format!("source-{name}")) {
            Some(known) => known,
            None => name.clone(),
        },
        other => t(&format!("source-{}", source_id(other))),
    }
}

/// Takes another source, with the scaling that suits it and a head that fits it.
fn set_source(spec: &mut Spec, source: DataSource) {
    spec.data.scale = match &source {
        DataSource::Bundled {
            name: Bundled::Digits,
        } => Scale::Divide { by: 16.0 },
        DataSource::Bundled {
            name: Bundled::Digits28,
        }
        | DataSource::DrawnDigits { .. }
        | DataSource::Shapes { .. } => Scale::Divide { by: 255.0 },
        DataSource::Bundled { .. } => Scale::Standardize,
        _ => Scale::None,
    };
    let images = matches!(
        source,
        DataSource::Bundled {
            name: Bundled::Digits | Bundled::Digits28
        } | DataSource::DrawnDigits { .. }
            | DataSource::Shapes { .. }
    );
    spec.data.text = match &source {
        DataSource::Reviews { .. } => Some(spec.data.text.unwrap_or_default()),
        _ => None,
    };
    let classes = spec.data.shape().and_then(|s| s.classes);
    spec.data.source = source;
    spec.data.missing.clear();
    if spec.data.shape().and_then(|s| s.classes) != classes {
        spec.train.class_weight = None;
    }
    spec.data.flatten = images && (spec.data.flatten || !images_wanted(spec));
    if let Some(shape) = spec.data.shape() {
        fit_head(spec, &shape);
        spec.data.scale_target &= shape.classes.is_none();
    }
}

/// Whether the network begins with a layer that takes images as they are.
fn images_wanted(spec: &Spec) -> bool {
    use crate::spec::LayerKind;
    matches!(
        spec.layers.first().map(|l| &l.kind),
        Some(
            LayerKind::Flatten
                | LayerKind::Reshape { .. }
                | LayerKind::Conv1d(_)
                | LayerKind::Conv2d(_)
                | LayerKind::ConvTranspose2d { .. }
                | LayerKind::MaxPool1d(_)
                | LayerKind::MaxPool2d(_)
                | LayerKind::AvgPool1d(_)
                | LayerKind::AvgPool2d(_)
                | LayerKind::GlobalAvgPool
                | LayerKind::GlobalMaxPool
                | LayerKind::Upsample { .. }
                | LayerKind::BatchNorm { .. }
                | LayerKind::Rnn { .. }
                | LayerKind::Lstm(_)
                | LayerKind::Gru(_)
        )
    )
}

#[component]
pub fn DataPanel(props: &DataPanelProps) -> Html {
    use_lang();
    let (spec, edit) = (&props.spec, &props.edit);
    let known = sources();
    let current = AttrValue::from(source_id(&spec.data.source));
    let mut options: Vec<(AttrValue, AttrValue)> = known
        .iter()
        .map(|(id, s)| (id.clone().into(), source_name(s).into()))
        .collect();
    if matches!(spec.data.source, DataSource::Files { .. }) {
        options.push((current.clone(), source_name(&spec.data.source).into()));
    }
    let on_source = edit.with("", |s: &mut Spec, id: String| {
        if let Some((_, source)) = sources().into_iter().find(|(i, _)| *i == id) {
            set_source(s, source);
        }
    });
    let error = |field: &str| -> Option<AttrValue> {
        problem_at(&props.report, None, field).map(|p| problem_text(p).into())
    };
    let regression = spec.data.shape().is_some_and(|s| s.classes.is_none());
    html! {
        <section class="group" aria-labelledby="data-title">
            <header class="group-head">
                <h2 id="data-title">{ t("data") }</h2>
                <span class="spacer"></span>
                <IconButton
                    icon={Icon::File}
                    label={t("open-files")}
                    text={AttrValue::from(t(if props.opening { "opening" } else { "open" }))}
                    disabled={props.opening}
                    onclick={props.on_pick.clone()}
                />
                <IconButton
                    icon={Icon::Folder}
                    label={t("open-folder")}
                    disabled={props.opening}
                    onclick={props.on_pick_folder.clone()}
                />
            </header>
            <Reading share={props.reading} on_cancel={props.on_cancel.clone()} />
            <SelectField label={t("source")} value={current} {options} on_change={on_source} class="wide" />
            <KnownSets on_files={props.on_set.clone()} />
            { source_fields(props) }
            { facts(props.info.as_ref().map(|i| &i.data)) }
            if let Some(cells) = props.info.as_ref().and_then(|i| i.data.missing.clone()) {
                <Later<MissingProps> view={&MISSING} with={MissingProps {
                    cells,
                    chosen: spec.data.missing.keys().cloned().collect(),
                    edit: edit.clone(),
                }} />
            }
            if !matches!(spec.data.source, DataSource::Files { ref name, .. } if OWN_TEST.contains(&name.as_str())) {
                <SliderField
                    label={t("test-share")}
                    hint={AttrValue::from(t("test-share-hint"))}
                    value={spec.data.split.test}
                    min={0.0}
                    max={0.9}
                    step={0.05}
                    axis={Axis::Linear}
                    shown={AttrValue::from(whole_percent(f64::from(spec.data.split.test)))}
                    error={error("data.split.test")}
                    on_change={edit.with("split.test", |s: &mut Spec, v: f32| s.data.split.test = v)}
                />
            }
            <SliderField
                label={t("validation-share")}
                hint={AttrValue::from(t("validation-share-hint"))}
                value={spec.data.split.validation}
                min={0.0}
                max={0.9}
                step={0.05}
                axis={Axis::Linear}
                shown={AttrValue::from(whole_percent(f64::from(spec.data.split.validation)))}
                error={error("data.split.validation")}
                on_change={edit.with("split.validation", |s: &mut Spec, v: f32| s.data.split.validation = v)}
            />
            <details class="more">
                <summary>{ t("preparation") }</summary>
                <div class="grid">
                    <CheckField
                        label={t("split-shuffle")}
                        hint={AttrValue::from(t("split-shuffle-hint"))}
                        value={spec.data.split.shuffle}
                        on_change={edit.with("", |s: &mut Spec, v: bool| s.data.split.shuffle = v)}
                    />
                    <CheckField
                        label={t("flatten")}
                        hint={AttrValue::from(t("flatten-hint"))}
                        value={spec.data.flatten}
                        on_change={edit.with("", |s: &mut Spec, v: bool| s.data.flatten = v)}
                    />
                    <CheckField
                        label={t("target-input")}
                        hint={AttrValue::from(t("target-input-hint"))}
                        value={spec.data.target == TargetOf::Input}
                        on_change={edit.with("", |s: &mut Spec, v: bool| {
                            s.data.target = if v { TargetOf::Input } else { TargetOf::Labels };
                            if let Some(shape) = s.data.shape() {
                                fit_head(s, &shape);
                            }
                        })}
                    />
                    if regression {
                        <CheckField
                            label={t("scale-target")}
                            hint={AttrValue::from(t("scale-target-hint"))}
                            value={spec.data.scale_target}
                            on_change={edit.with("", |s: &mut Spec, v: bool| s.data.scale_target = v)}
                        />
                    }
                    { scale_fields(props) }
                </div>
            </details>
        </section>
    }
}

fn facts(data: Option<&DataInfo>) -> Html {
    let Some(d) = data else {
        return html! {};
    };
    let n = |x: usize| count(x as u64);
    html! {
        <p class="facts figure">
            { t_args("data-facts", &[
                ("shape", shape(&d.shape).into()),
                ("train", n(d.train).into()),
                ("validation", n(d.validation).into()),
                ("test", n(d.test).into()),
            ]) }
        </p>
    }
}

fn scale_fields(props: &DataPanelProps) -> Html {
    let scales = [
        Scale::None,
        Scale::Standardize,
        Scale::MinMax,
        Scale::Divide { by: 255.0 },
    ];
    let options: Vec<(AttrValue, AttrValue)> = scales
        .iter()
        .map(|s| {
            let id = slug(s);
            (id.clone().into(), t(&format!("scale-{id}")).into())
        })
        .collect();
    let on_change = props.edit.with("", move |s: &mut Spec, v: String| {
        if let Some(scale) = scales.iter().find(|x| slug(*x) == v) {
            s.data.scale = *scale;
        }
    });
    html! {
        <>
            <SelectField
                label={t("scale")}
                hint={AttrValue::from(t("scale-hint"))}
                value={slug(&props.spec.data.scale)}
                {options}
                {on_change}
            />
            if let Scale::Divide { by } = props.spec.data.scale {
                <NumberField
                    label={t("scale-by")}
                    value={by}
                    error={problem_at(&props.report, None, "data.scale.by").map(|p| AttrValue::from(problem_text(p)))}
                    on_change={props.edit.with("scale.by", |s: &mut Spec, v: f32| s.data.scale = Scale::Divide { by: v })}
                />
            }
        </>
    }
}
