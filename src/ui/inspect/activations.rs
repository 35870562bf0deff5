//! One sample on its way through the layers.
use super::ViewProps;
use super::heatmap::{Grid, Heatmap, Layout};
use super::parts::{Fact, Probability, Trouble, Waiting};
use super::pull::use_pull;
use super::sample::use_sample;
use super::sheet::About;
use super::source::{Rows, Source};
use super::thumb::{Thumb, range_of};
use super::within::{WithinView, has_within};
use crate::plotting::format::{count, three};
use crate::plotting::outcome::Outcome;
use crate::train::protocol::{Failure, Part, Role, TensorInfo};
use crate::ui::fields::slug;
use crate::ui::i18n::{t, t_args, t_maybe, use_lang};
use std::rc::Rc;
use yew::prelude::*;

/// Numbers of a sample that are written out.
const TYPED: usize = 64;
/// Values side by side in a picture of a vector.
const ACROSS: usize = 32;
/// Classes whose probabilities are listed.
const LISTED: usize = 20;

struct Layer {
    id: String,
    shape: Vec<usize>,
    grid: Rc<Grid>,
    zeros: usize,
    count: usize,
}

struct Seen {
    want: (Part, usize),
    rows: Rc<Rows>,
    output: Vec<f32>,
    layers: Vec<Layer>,
}

fn layer(info: &TensorInfo, values: Vec<f32>) -> Layer {
    // The first axis counts the samples: one.
    let shape: Vec<usize> = info.shape.iter().skip(1).copied().collect();
    let numel = values.len();
    let (columns, layout) = match shape[..] {
        [_, height, width] => (
            height * width,
            Layout::Tiles {
                height,
                width,
                across: 0,
            },
        ),
        [_, width] => (width, Layout::Matrix),
        _ => (numel, Layout::Strip { across: ACROSS }),
    };
    let rows = numel.checked_div(columns).unwrap_or(0);
    let signed = values.iter().any(|v| *v < 0.0);
    let zeros = values.iter().filter(|v| **v == 0.0).count();
    Layer {
        id: info.layer.clone(),
        shape,
        zeros,
        count: numel,
        grid: Rc::new(Grid {
            values: Rc::new(values),
            rows,
            columns,
            layout,
            window: 0..rows,
            signed,
        }),
    }
}

#[component]
pub fn Activations(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let chosen = use_sample(source);
    let key = (
        source.clone(),
        props.tick,
        chosen.want(),
        Names(props.tensors.clone()),
    );
    let pulled = use_pull(key, |(source, _, (part, number), names)| async move {
        let rows = source.samples(part, number, 1).await?;
        // Asking for a single sample also makes its activations the ones that can be read.
        let output = source.predict(&rows.x, rows.count).await?;
        let mut layers = Vec::new();
        for info in names.0.iter().filter(|t| t.role == Role::Activation) {
            layers.push(layer(info, source.tensor(&info.name).await?.1));
        }
        Ok::<_, Failure>(Seen {
            want: (part, number),
            rows,
            output,
            layers,
        })
    });
    let seen = pulled.value.filter(|s| s.want == chosen.want());
    html! {
        <div class="view">
            <About text={t("activations-about")} />
            <div class="view-tools">{ chosen.tools(seen.as_ref().map(|s| s.rows.total)) }</div>
            <Trouble failure={pulled.failure} />
            { match &seen {
                None => html! { <Waiting /> },
                Some(s) => html! {
                    <>
                        { sample(source, s) }
                        { for s.layers.iter().map(|l| one(props, s, l)) }
                        { probabilities(source, s) }
                    </>
                },
            } }
        </div>
    }
}

/// Tensors, compared by identity.
#[derive(Clone)]
struct Names(Rc<Vec<TensorInfo>>);

impl PartialEq for Names {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.0, &o.0)
    }
}

fn sample(source: &Source, s: &Seen) -> Html {
    if s.rows.count == 0 {
        return html! { <p class="empty">{ t("predictions-none") }</p> };
    }
    if source.steps() > 1 {
        // What each step is and looks at stands with the layers.
        return Html::default();
    }
    let (x, y) = (s.rows.sample(0), s.rows.target(0));
    let text = |v: &[f32]| {
        let all: Vec<String> = v.iter().map(|v| three(f64::from(*v))).collect();
        all.join(", ")
    };
    let (truth, said) = match &source.outcome {
        Outcome::Values { .. } => (text(y), text(&s.output)),
        outcome => {
            let name = |k: usize| source.class(k);
            let said = outcome.class(&s.output).map(name).unwrap_or_default();
            (
                y.first().map(|k| name(*k as usize)).unwrap_or_default(),
                said,
            )
        }
    };
    html! {
        <div class="activation-input">
            if let Some(shape) = source.info.data.image {
                <Thumb values={Rc::new(x.to_vec())} {shape} range={range_of(&source.info, x.iter().copied())}
                    label={t("activations-input")} />
            } else if x.len() <= TYPED {
                <code class="dim">{ format!("x = ({})", text(x)) }</code>
            }
            <dl class="numbers">
                <Fact name={t("rows-truth")} value={truth} />
                <Fact name={t("rows-prediction")} value={said} />
            </dl>
        </div>
    }
}

/// What the last layer's values come to.
fn probabilities(source: &Source, s: &Seen) -> Html {
    if source.steps() > 1 {
        return Html::default();
    }
    let classes = source.info.data.classes.len().min(LISTED);
    let all: Vec<(usize, f32)> = (0..classes)
        .filter_map(|k| Some((k, source.outcome.probability(&s.output, k)?)))
        .collect();
    if all.is_empty() {
        return Html::default();
    }
    html! {
        <section class="tensor">
            <h4>{ t("activations-output") }</h4>
            <ol class="probabilities">
                { for all.into_iter().map(|(class, p)| html! {
                    <li><span>{ source.class(class) }</span><Probability {p} {class} /></li>
                }) }
            </ol>
        </section>
    }
}

fn one(props: &ViewProps, s: &Seen, l: &Layer) -> Html {
    let (source, selected) = (&props.source, props.selected.as_deref());
    let spec = source.info.spec.layers.iter().find(|s| s.id == l.id);
    let inner = s.rows.count > 0 && spec.is_some_and(|s| has_within(&s.kind));
    let kind = source.info.layers.iter().find(|r| r.id == l.id).map(|r| {
        let framework = slug(&source.info.spec.framework);
        let kind = r.kind.replace('_', "-");
        t_maybe(&format!("layer-{kind}-{framework}")).unwrap_or_else(|| r.kind.clone())
    });
    let shape: Vec<String> = l.shape.iter().map(usize::to_string).collect();
    let label = t_args("heat-label", &[("name", l.id.clone().into())]);
    let axes = (
        AttrValue::from(t("heat-row")),
        AttrValue::from(t("heat-unit")),
    );
    html! {
        <section class={classes!("tensor", (selected == Some(&l.id)).then_some("selected"))} key={l.id.clone()}>
            <h4>
                <code>{ &l.id }</code>
                <span class="dim">{ kind }</span>
                <span class="dim">{ format!("[{}]", shape.join(" × ")) }</span>
                if l.zeros > 0 {
                    <span class="dim" title={t("activations-zero-hint")}>{ t_args("activations-active", &[
                        ("active", count((l.count - l.zeros) as u64).into()), ("count", count(l.count as u64).into()),
                    ]) }</span>
                }
            </h4>
            <Heatmap grid={l.grid.clone()} {label} {axes} zoom={l.count > ACROSS} />
            if inner {
                <WithinView source={source.clone()} tick={props.tick} layer={l.id.clone()} want={s.want} rows={s.rows.clone()} />
            }
        </section>
    }
}
