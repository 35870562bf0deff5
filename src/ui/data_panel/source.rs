//! The fields of a source: numbers of what is generated, a table's target, points as text.
use super::{DataPanelProps, fit_head};
use crate::spec::{DataSource, FileFormat, Spec};
use crate::ui::fields::{Field, NumberField, TextInput};
use crate::ui::i18n::{problem_text, t, t_args};
use crate::ui::numbers::exact;
use crate::ui::store::{Edit, problem_at};
use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

/// A number of a generated source: its name in the spec, its value, whether it is whole.
struct Knob {
    name: &'static str,
    value: f32,
    whole: bool,
    step: f32,
}

fn whole(name: &'static str, value: usize, step: f32) -> Knob {
    Knob {
        name,
        value: value as f32,
        whole: true,
        step,
    }
}

fn real(name: &'static str, value: f32, step: f32) -> Knob {
    Knob {
        name,
        value,
        whole: false,
        step,
    }
}

fn knobs(source: &DataSource) -> Vec<Knob> {
    use DataSource as D;
    let samples = |n: usize| whole("samples", n, 10.0);
    match *source {
        D::Bundled { .. } | D::Points { .. } | D::Files { .. } => Vec::new(),
        D::MakeRegression {
            samples: n,
            features,
            noise,
            bias,
        } => vec![
            samples(n),
            whole("features", features, 1.0),
            real("noise", noise, 1.0),
            real("bias", bias, 1.0),
        ],
        D::DrawnDigits { samples: n } | D::Shapes { samples: n } | D::Reviews { samples: n } => {
            vec![whole("samples", n, 100.0)]
        }
        D::Separable { samples: n, margin } => vec![samples(n), real("margin", margin, 0.05)],
        D::Sine {
            samples: n,
            window,
            period,
            noise,
        } => vec![
            samples(n),
            whole("window", window, 1.0),
            real("period", period, 1.0),
            real("noise", noise, 0.01),
        ],
        D::Line {
            samples: n,
            slope,
            intercept,
            noise,
        } => vec![
            samples(n),
            real("slope", slope, 0.1),
            real("intercept", intercept, 0.1),
            real("noise", noise, 0.05),
        ],
        D::Xor { samples: n, noise } | D::Moons { samples: n, noise } => {
            vec![samples(n), real("noise", noise, 0.01)]
        }
        D::Blobs {
            samples: n,
            centers,
            std,
        } => vec![
            samples(n),
            whole("centers", centers, 1.0),
            real("std", std, 0.1),
        ],
        D::Circles {
            samples: n,
            noise,
            factor,
        } => vec![
            samples(n),
            real("noise", noise, 0.01),
            real("factor", factor, 0.05),
        ],
        D::Spirals {
            samples: n,
            arms,
            turns,
            noise,
        } => vec![
            samples(n),
            whole("arms", arms, 1.0),
            real("turns", turns, 0.25),
            real("noise", noise, 0.01),
        ],
    }
}

/// Writes a number into the source by its name in the spec.
fn set_knob(source: &mut DataSource, name: &str, whole: bool, v: f32) {
    let mut json = crate::json::value(source);
    json[name] = if whole {
        serde_json::json!(v.max(0.0) as u64)
    } else {
        serde_json::json!(v)
    };
    if let Ok(changed) = crate::json::Read::read(json) {
        *source = changed;
    }
}

pub fn source_fields(props: &DataPanelProps) -> Html {
    let source = &props.spec.data.source;
    if let DataSource::Points { x, y, .. } = source {
        return html! { <PointsField x={x.clone()} y={y.clone()} edit={props.edit.clone()} error={
            ["data.source.x", "data.source.y"].iter()
                .find_map(|f| problem_at(&props.report, None, f))
                .map(|p| AttrValue::from(problem_text(p)))
        } /> };
    }
    if let DataSource::Files {
        format: FileFormat::Csv | FileFormat::TextCsv,
        target,
        ..
    } = source
    {
        let emit = props.on_target.clone();
        let on_take = Callback::from(move |input: HtmlInputElement| {
            let name = input.value();
            emit.emit(Some(name.trim().to_string()).filter(|n| !n.is_empty()));
        });
        return html! {
            <Field label={t("target-column")} hint={AttrValue::from(t("target-column-hint"))}>
                <TextInput value={target.clone().unwrap_or_default()} {on_take} />
            </Field>
        };
    }
    let list = knobs(source);
    if list.is_empty() {
        return html! {};
    }
    html! {
        <div class="grid">
            { for list.into_iter().map(|Knob { name, value, whole, step }| {
                let field = format!("data.source.{name}");
                let error = problem_at(&props.report, None, &field).map(|p| AttrValue::from(problem_text(p)));
                let on_change = props.edit.with(name, move |s: &mut Spec, v: f32| {
                    set_knob(&mut s.data.source, name, whole, v);
                    // More arms or clouds are more classes.
                    if matches!(name, "arms" | "centers")
                        && let Some(shape) = s.data.shape()
                    {
                        fit_head(s, &shape);
                    }
                });
                html! {
                    <NumberField
                        key={name}
                        label={t(&format!("source-field-{name}"))}
                        {value}
                        integer={whole}
                        {step}
                        {error}
                        {on_change}
                    />
                }
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct PointsProps {
    x: Vec<Vec<f32>>,
    y: Vec<Vec<f32>>,
    edit: Edit,
    error: Option<AttrValue>,
}

/// Points as lines of text: `1, 2 → 2`.
#[component]
fn PointsField(props: &PointsProps) -> Html {
    let wrong = use_state_eq(|| None::<usize>);
    let row = |r: &[f32]| r.iter().map(|v| exact(*v)).collect::<Vec<_>>().join(", ");
    let text: Vec<String> = props
        .x
        .iter()
        .zip(&props.y)
        .map(|(x, y)| format!("{} → {}", row(x), row(y)))
        .collect();
    let onchange = {
        let (edit, wrong) = (props.edit.clone(), wrong.clone());
        Callback::from(move |e: Event| {
            let text = e.target_unchecked_into::<HtmlTextAreaElement>().value();
            match parse_points(&text) {
                Ok((px, py)) => {
                    wrong.set(None);
                    edit.apply("", move |s| {
                        if let DataSource::Points { x, y, .. } = &mut s.data.source {
                            (*x, *y) = (px, py);
                        }
                    });
                }
                Err(line) => wrong.set(Some(line)),
            }
        })
    };
    let error = match *wrong {
        Some(line) => Some(t_args("points-wrong", &[("line", line.into())]).into()),
        None => props.error.clone(),
    };
    let rows = (text.len() + 1).clamp(3, 10).to_string();
    html! {
        <Field label={t("points")} hint={AttrValue::from(t("points-hint"))} {error} class="wide tall">
            <textarea class="code" spellcheck="false" {rows} value={text.join("\n")} {onchange} />
        </Field>
    }
}

type Rows = Vec<Vec<f32>>;

/// The points, or the number of the line that is none.
fn parse_points(text: &str) -> Result<(Rows, Rows), usize> {
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let (x, y) = ["→", "->", ":", ";", "="]
            .iter()
            .find_map(|by| line.split_once(by))
            .ok_or(i + 1)?;
        let row = |s: &str| -> Option<Vec<f32>> {
            let row: Option<Vec<f32>> = s
                .split([',', ' ', '\t', '，'])
                .filter(|v| !v.is_empty())
                .map(|v| v.parse().ok().filter(|x: &f32| x.is_finite()))
                .collect();
            row.filter(|r| !r.is_empty())
        };
        xs.push(row(x).ok_or(i + 1)?);
        ys.push(row(y).ok_or(i + 1)?);
    }
    if xs.is_empty() {
        return Err(1);
    }
    Ok((xs, ys))
}
