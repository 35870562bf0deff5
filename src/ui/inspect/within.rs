//! What recurrent and attention layers hold of a sample on the way to their outputs.
use super::heatmap::{Grid, Heatmap, Layout};
use super::parts::Trouble;
use super::pull::use_pull;
use super::source::{Rows, Source};
use crate::plotting::color::class;
use crate::plotting::format::{percent, three};
use crate::spec::LayerKind;
use crate::train::protocol::{Ask, Failure, Part, Within, WithinKind};
use crate::ui::i18n::{t, t_args, use_lang};
use std::rc::Rc;
use yew::prelude::*;

/// Whether a layer has states or attention.
pub fn has_within(kind: &LayerKind) -> bool {
    matches!(
        kind,
        LayerKind::Rnn { .. }
            | LayerKind::Lstm(_)
            | LayerKind::Gru(_)
            | LayerKind::MultiHeadAttention { .. }
    )
}

#[derive(Properties)]
pub struct WithinProps {
    pub source: Source,
    pub tick: u64,
    pub layer: AttrValue,
    /// The sample.
    pub want: (Part, usize),
    pub rows: Rc<Rows>,
}

impl PartialEq for WithinProps {
    fn eq(&self, o: &Self) -> bool {
        self.source == o.source
            && self.tick == o.tick
            && self.layer == o.layer
            && self.want == o.want
    }
}

/// Width of the steps together, in CSS pixels.
const ACROSS: f64 = 480.0;

#[component]
pub fn WithinView(props: &WithinProps) -> Html {
    use_lang();
    let key = (
        props.source.clone(),
        props.tick,
        props.want,
        props.layer.clone(),
    );
    let pulled = use_pull(key, |(source, _, want, layer)| async move {
        let ask = Ask::Within {
            part: want.0,
            number: want.1,
            layer: layer.to_string(),
        };
        let (info, mut numbers) = source.look::<Within>(ask).await?;
        let values = Rc::new(numbers.pop().unwrap_or_default());
        Ok::<_, Failure>((want, info, values))
    });
    let Some(seen) = pulled.value.filter(|v| v.0 == props.want) else {
        return html! { <Trouble failure={pulled.failure} /> };
    };
    let (_, info, values) = &*seen;
    html! {
        <>
            <Trouble failure={pulled.failure} />
            { match (info.kind, &info.shape[..]) {
                (WithinKind::States, [steps, units]) => states(props, info, values, *steps, *units),
                (WithinKind::Attention, [heads, queries, keys]) => html! {
                    <Attention values={ByAddress(values.clone())} heads={*heads} queries={*queries} keys={*keys}
                        names={names(props, info, *keys)} tokens={!info.words.is_empty()} layer={props.layer.clone()} />
                },
                _ => Html::default(),
            } }
        </>
    }
}

/// What each step is called: its word, or its number.
fn names(props: &WithinProps, info: &Within, steps: usize) -> Rc<Vec<String>> {
    let tokens = props.rows.features() == steps;
    let name = |i: usize| {
        let word = info.words.get(i).filter(|w| !w.is_empty() && tokens);
        word.cloned().unwrap_or_else(|| i.to_string())
    };
    Rc::new((0..steps).map(name).collect())
}

/// Units down, steps across, and the input of each step above them.
fn states(props: &WithinProps, info: &Within, values: &[f32], steps: usize, units: usize) -> Html {
    let turn = |v: &[f32], rows: usize, columns: usize| -> Vec<f32> {
        (0..rows * columns)
            .map(|i| v[i % rows * columns + i / rows])
            .collect()
    };
    let grid = |values: Vec<f32>, rows: usize, signed: bool| {
        Rc::new(Grid {
            values: Rc::new(values),
            rows,
            columns: steps,
            layout: Layout::Matrix,
            window: 0..rows,
            signed,
        })
    };
    let axes = (
        AttrValue::from(t("heat-unit")),
        AttrValue::from(t("within-step")),
    );
    let x = props.rows.sample(0);
    let features = x.len() / steps.max(1);
    // Numbers of words say nothing as colours.
    let numbers = steps > 0 && features * steps == x.len() && info.words.is_empty();
    // The steps of both stand above each other.
    let column = (ACROSS / steps.max(1) as f64).clamp(4.0, 24.0);
    let words = names(props, info, steps);
    let said: Vec<&str> = words.iter().map(String::as_str).collect();
    html! {
        <div class="within">
            <h5 title={t("about-within-states")}>{ t("within-states") }</h5>
            <Heatmap grid={grid(turn(values, steps, units), units, true)} axes={axes}
                label={t_args("within-states-label", &[("name", props.layer.to_string().into())])} zoom=true {column} />
            <h5>{ t("within-input") }</h5>
            if numbers {
                <Heatmap grid={grid(turn(x, steps, features), features, x.iter().any(|v| *v < 0.0))}
                    axes={(AttrValue::from(t("within-feature")), AttrValue::from(t("within-step")))}
                    label={t("within-input")} {column} />
            } else if !info.words.is_empty() {
                <p class="dim within-words">{ said.join(" ") }</p>
            }
        </div>
    }
}

/// Compared by where it lies.
#[derive(Clone)]
struct ByAddress(Rc<Vec<f32>>);

impl PartialEq for ByAddress {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.0, &o.0)
    }
}

#[derive(Properties, PartialEq)]
struct AttentionProps {
    values: ByAddress,
    heads: usize,
    queries: usize,
    keys: usize,
    names: Rc<Vec<String>>,
    /// Whether these are words or characters.
    tokens: bool,
    layer: AttrValue,
}

#[derive(Properties, PartialEq)]
struct AttendedProps {
    name: AttrValue,
    names: Rc<Vec<String>>,
    /// What the step takes from each.
    values: Vec<f32>,
    query: usize,
    onpick: Callback<String>,
}

/// The sample as a line of text: what one step takes from each other as the depth of its ground. A click
/// chooses another step; for the keyboard there is the list above.
#[component]
fn Attended(props: &AttendedProps) -> Html {
    let most = props
        .values
        .iter()
        .fold(f32::MIN_POSITIVE, |m, v| m.max(*v));
    let [r, g, b] = class(0);
    html! {
        <p class="attended">
            <span class="dim">{ props.name.clone() }</span>
            <span class="attended-line">
            { for props.names.iter().zip(&props.values).enumerate().map(|(i, (name, v))| {
                let onpick = props.onpick.clone();
                let style = format!("background:rgba({r},{g},{b},{:.2})", 0.75 * v / most);
                let class = classes!((i == props.query).then_some("query"), (i > props.query).then_some("dim"));
                html! { <span {class} {style} title={format!("{i} · {}", percent(f64::from(*v)))}
                    onclick={move |_: MouseEvent| onpick.emit(i.to_string())}>{ name }</span> }
            }) }
            </span>
        </p>
    }
}

/// Steps whose names fit along the axes.
const NAMED: usize = 32;
/// Steps listed of what one looks at.
const LISTED: usize = 5;

/// A map per head: row i shows how much step i takes from each other step.
#[component]
fn Attention(props: &AttentionProps) -> Html {
    use_lang();
    let step = use_state(|| None::<usize>);
    let (queries, keys) = (props.queries, props.keys);
    // The last has most to look back at.
    let query = step.unwrap_or(usize::MAX).min(queries.saturating_sub(1));
    let size = queries * keys;
    let head = |h: usize| props.values.0.get(h * size..(h + 1) * size).unwrap_or(&[]);
    let onpick = {
        let step = step.clone();
        Callback::from(move |v: String| step.set(v.parse().ok()))
    };
    let options = (0..queries).map(|i| {
        super::parts::Choice::new(
            i.to_string(),
            format!("{i} · {}", props.names.get(i).cloned().unwrap_or_default()),
        )
    });
    html! {
        <div class="within">
            <h5 title={t("about-within-attention")}>{ t("within-attention") }</h5>
            <div class="heads">
                { for (0..props.heads).map(|h| {
                    let grid = Rc::new(Grid {
                        values: Rc::new(head(h).to_vec()),
                        rows: queries,
                        columns: keys,
                        layout: Layout::Matrix,
                        window: 0..queries,
                        signed: false,
                    });
                    html! {
                        <figure key={h}>
                            <figcaption>{ t_args("within-head", &[("head", h.to_string().into())]) }</figcaption>
                            <div class={classes!("attention-map", (keys <= NAMED).then_some("named"))}>
                                if keys <= NAMED {
                                    <ol class="attention-rows" aria-hidden="true">{ for props.names.iter().map(|n| html! { <li>{ n }</li> }) }</ol>
                                    <ol class="attention-columns" aria-hidden="true">{ for props.names.iter().map(|n| html! { <li><span>{ n }</span></li> }) }</ol>
                                }
                                <Heatmap {grid} zoom={keys > NAMED}
                                    axes={(AttrValue::from(t("within-query")), AttrValue::from(t("within-key")))}
                                    label={t_args("within-attention-label", &[
                                        ("head", h.to_string().into()), ("name", props.layer.to_string().into()),
                                    ])} />
                            </div>
                        </figure>
                    }
                }) }
            </div>
            <div class="view-tools">
                <super::parts::Select label={t("within-looks")} value={query.to_string()} options={options.collect::<Vec<_>>()} onpick={onpick.clone()} />
            </div>
            if props.tokens {
                { for (0..props.heads).map(|h| {
                    let row = head(h).get(query * keys..(query + 1) * keys).unwrap_or(&[]);
                    html! { <Attended names={props.names.clone()} values={row.to_vec()} {query} onpick={onpick.clone()}
                        name={t_args("within-head", &[("head", h.to_string().into())])} /> }
                }) }
            }
            <table class="numbers-table">
                <caption class="dim">{ t("within-looks-at") }</caption>
                <tbody>
                    { for (0..props.heads).map(|h| {
                        let row = head(h).get(query * keys..(query + 1) * keys).unwrap_or(&[]);
                        let mut order: Vec<usize> = (0..row.len()).collect();
                        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
                        html! {
                            <tr>
                                <th scope="row">{ t_args("within-head", &[("head", h.to_string().into())]) }</th>
                                { for order.into_iter().take(LISTED).map(|k| html! {
                                    <td>{ props.names.get(k) }{ " " }<small class="figure dim">{ three(f64::from(row[k])) }</small></td>
                                }) }
                            </tr>
                        }
                    }) }
                </tbody>
            </table>
        </div>
    }
}
