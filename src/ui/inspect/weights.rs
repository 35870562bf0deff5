//! Parameters, their gradients and the optimiser's moments, layer by layer.
use super::ViewProps;
use super::embedding::EmbeddingMap;
use super::heatmap::{Grid, Heatmap, Layout};
use super::histogram::HistogramChart;
use super::parts::{Choice, Pager, Select, Trouble, Waiting};
use super::pull::use_pull;
use super::sheet::About;
use crate::plotting::format;
use crate::spec::LayerKind;
use crate::train::protocol::{Failure, Role, TensorInfo};
use crate::ui::i18n::{t, t_args, t_maybe, use_lang};
use std::rc::Rc;
use yew::prelude::*;

/// Layers that have parameters, in their order.
fn layers(tensors: &[TensorInfo]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for t in tensors.iter().filter(|t| t.role == Role::Param) {
        if !out.contains(&t.layer) {
            out.push(t.layer.clone());
        }
    }
    out
}

/// What stands before the colon of a name: `grad`, `exp_avg`; nothing for a parameter itself.
fn quantity(info: &TensorInfo) -> &str {
    info.name.split_once(':').map_or("", |(q, _)| q)
}

fn quantity_name(q: &str) -> String {
    let key = match q {
        "" => "weights-values".to_string(),
        q => format!("weights-{}", q.replace('_', "-")),
    };
    t_maybe(&key).unwrap_or_else(|| q.to_string())
}

/// A tensor with its values.
struct Filled {
    info: TensorInfo,
    values: Rc<Vec<f32>>,
}

#[component]
pub fn Weights(props: &ViewProps) -> Html {
    use_lang();
    let layers = layers(&props.tensors);
    let layer = use_state(|| None::<String>);
    let what = use_state(String::new);
    let shown_as = use_state(String::new);
    {
        let layer = layer.clone();
        use_effect_with(props.selected.clone(), move |s| {
            layer.set(s.as_ref().map(|s| s.to_string()));
        });
    }
    let missing = layer.as_ref().filter(|l| !layers.contains(l)).cloned();
    let current = layer
        .as_ref()
        .filter(|l| layers.contains(l))
        .or_else(|| layers.first())
        .cloned()
        .unwrap_or_default();
    let of_layer = || {
        props
            .tensors
            .iter()
            .filter(|t| t.layer == current && t.role != Role::Activation)
    };
    let mut quantities: Vec<&str> = Vec::new();
    for t in of_layer() {
        if !quantities.contains(&quantity(t)) {
            quantities.push(quantity(t));
        }
    }
    let chosen = quantities
        .iter()
        .find(|q| **q == what.as_str())
        .copied()
        .unwrap_or("");
    let wanted: Vec<TensorInfo> = of_layer()
        .filter(|t| quantity(t) == chosen)
        .cloned()
        .collect();
    let spec = props
        .source
        .info
        .spec
        .layers
        .iter()
        .find(|l| l.id == current);
    let embedding = match spec.map(|l| &l.kind) {
        Some(LayerKind::Embedding { .. }) => Some(true),
        Some(LayerKind::PositionalEmbedding) => Some(false),
        _ => None,
    };
    let embedding = embedding.filter(|_| chosen.is_empty());
    // The map asks for what it shows itself.
    let mapped = embedding.is_some() && ["", "map"].contains(&shown_as.as_str());
    let pulled = use_pull(
        (props.source.clone(), props.tick, wanted.clone(), mapped),
        |(source, _, wanted, mapped)| async move {
            let mut out = Vec::new();
            for info in wanted {
                let values = match mapped {
                    true => Rc::default(),
                    false => Rc::new(source.tensor(&info.name).await?.1),
                };
                out.push(Filled { info, values });
            }
            Ok::<_, Failure>(out)
        },
    );
    let shown = pulled
        .value
        .clone()
        .filter(|v| v.iter().map(|f| &f.info).eq(wanted.iter()))
        .filter(|v| mapped || v.iter().all(|f| !f.values.is_empty()));

    let first = layers.first() == Some(&current);
    let image = props.source.info.data.image.filter(|_| first);
    let pictures = image.filter(|[h, w]| wanted.iter().any(|t| is_matrix(t) && inputs(t) == h * w));
    let filters = wanted.iter().find(|t| t.shape.len() > 2);
    let channels = filters
        .filter(|t| t.shape.len() == 4)
        .map_or(0, |t| t.shape[1]);
    // The first is what is shown unless another one is asked for.
    let mut ways: Vec<(String, String)> = Vec::new();
    let mut way = |id: &str, name: String| ways.push((id.to_string(), name));
    if embedding.is_some() {
        way("map", t("weights-map"));
    }
    if pictures.is_some() {
        way("images", t("weights-images"));
    }
    if filters.is_some() {
        way("filters", t("weights-filters"));
    }
    for k in 0..channels.min(CHANNELS) {
        let name = t_args("weights-channel", &[("channel", k.to_string().into())]);
        if channels > 1 {
            way(&format!("channel {k}"), name);
        }
    }
    way("matrix", t("weights-matrix"));
    let way = match ways.iter().any(|w| w.0 == *shown_as) {
        true => (*shown_as).clone(),
        false => ways[0].0.clone(),
    };
    let picture = match way.as_str() {
        "images" => pictures.map(Picture::Image),
        "filters" => Some(Picture::Filters(None)),
        other => other
            .strip_prefix("channel ")
            .and_then(|k| k.parse().ok())
            .map(|k| Picture::Filters(Some(k))),
    };
    let options = |names: Vec<(String, String)>| {
        names
            .into_iter()
            .map(|(v, n)| Choice::new(v, n))
            .collect::<Vec<_>>()
    };
    let pick = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |v: String| state.set(v))
    };
    let pick_layer = {
        let layer = layer.clone();
        Callback::from(move |v: String| layer.set(Some(v)))
    };
    html! {
        <div class="view">
            <About text={t("weights-look")} />
            <div class="view-tools">
                <Select label={t("weights-layer")} value={current.clone()} onpick={pick_layer}
                    options={options(layers.iter().map(|l| (l.clone(), l.clone())).collect())} />
                if quantities.len() > 1 {
                    <Select label={t("weights-quantity")} value={chosen.to_string()} onpick={pick(&what)}
                        options={options(quantities.iter().map(|q| (q.to_string(), quantity_name(q))).collect())} />
                }
                if ways.len() > 1 {
                    <Select label={t("weights-as")} value={way.clone()} onpick={pick(&shown_as)} options={options(ways)} />
                }
            </div>
            if let Some(id) = missing {
                <p class="dim">{ t_args("weights-none-here", &[("layer", id.into()), ("shown", current.clone().into())]) }</p>
            }
            <Trouble failure={pulled.failure.clone()} />
            { match (shown, embedding.filter(|_| way == "map")) {
                (None, _) => html! { <Waiting /> },
                (Some(all), Some(words)) => html! { <>{ for all.iter().map(|f| html! {
                    <EmbeddingMap key={f.info.name.clone()} source={props.source.clone()} tick={props.tick} name={f.info.name.clone()} {words} />
                }) }</> },
                (Some(all), None) => html! { <>{ for all.iter().map(|f| panel(f, picture)) }</> },
            } }
        </div>
    }
}

fn is_matrix(t: &TensorInfo) -> bool {
    t.shape.len() == 2
}

/// Inputs per unit: `[units, inputs]`.
fn inputs(t: &TensorInfo) -> usize {
    t.shape.last().copied().unwrap_or(1)
}

fn panel(f: &Filled, picture: Option<Picture>) -> Html {
    let numel = f.values.len();
    let shape: Vec<String> = f.info.shape.iter().map(usize::to_string).collect();
    html! {
        <section class="tensor" key={f.info.name.clone()}>
            <h4>
                <code>{ &f.info.name }</code>
                <span class="dim">{ format!("[{}]", shape.join(" × ")) }</span>
                <span class="dim">{ t_args("weights-count", &[("count", format::count(numel as u64).into()), ("n", numel.into())]) }</span>
            </h4>
            <TensorView name={f.info.name.clone()} shape={f.info.shape.clone()} values={f.values.clone()} {picture} />
        </section>
    }
}

/// How rows are shown as pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Picture {
    /// Each unit's weights have this height and width.
    Image([usize; 2]),
    /// Filters of a convolution: all channels of a filter side by side, or one channel of each.
    Filters(Option<usize>),
}

/// Channels that can be chosen.
const CHANNELS: usize = 64;

/// Values, how many make up a row, and the pictures that rows are: height, width, side by side (0: as
/// looks well).
type Pictured = (Rc<Vec<f32>>, usize, Option<[usize; 3]>);

fn pictured(values: &Rc<Vec<f32>>, shape: &[usize], picture: Option<Picture>) -> Pictured {
    let plain = match shape {
        [] | [_] => values.len(),
        [.., last] => *last,
    };
    match (picture, shape) {
        (Some(Picture::Image([h, w])), [_, n]) if h * w == *n => {
            (values.clone(), *n, Some([h, w, 0]))
        }
        // A filter over a sequence is one picture: channels down, places across.
        (Some(Picture::Filters(_)), [_, c, k]) => (values.clone(), c * k, Some([*c, *k, 0])),
        (Some(Picture::Filters(None)), [_, c, h, w]) => {
            let across = if *c == 1 { 0 } else { *c };
            (values.clone(), h * w, Some([*h, *w, across]))
        }
        (Some(Picture::Filters(Some(k))), [_, c, h, w]) => {
            let each = values.chunks_exact((c * h * w).max(1));
            let one = each.flat_map(|f| f.get(k * h * w..(k + 1) * h * w).unwrap_or(&[]));
            (Rc::new(one.copied().collect()), h * w, Some([*h, *w, 0]))
        }
        _ => (values.clone(), plain, None),
    }
}

/// Images side by side on one page.
const TILES: usize = 64;
/// Values of a vector side by side.
const ACROSS: usize = 32;

/// Compared by where it lies.
struct ByAddress(Rc<Vec<f32>>);

impl PartialEq for ByAddress {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.0, &o.0)
    }
}

#[derive(Properties)]
struct TensorViewProps {
    name: AttrValue,
    shape: Vec<usize>,
    values: Rc<Vec<f32>>,
    picture: Option<Picture>,
}

impl PartialEq for TensorViewProps {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.values, &o.values) && self.name == o.name && self.picture == o.picture
    }
}

#[component]
fn TensorView(props: &TensorViewProps) -> Html {
    use_lang();
    let page = use_state(|| 0usize);
    let matrix = props.shape.len() > 1;
    // Values, how many make up a row, size of an image and images side by side.
    let (values, columns, tiles) = {
        let (values, shape, picture) = (props.values.clone(), props.shape.clone(), props.picture);
        let key = (ByAddress(values.clone()), picture);
        let made = use_memo(key, move |_| pictured(&values, &shape, picture));
        (made.0.clone(), made.1, made.2)
    };
    let rows = values.len().checked_div(columns).unwrap_or(0);
    let (layout, window) = match tiles {
        Some([height, width, across]) if across > 0 => (
            Layout::Tiles {
                height,
                width,
                across,
            },
            0..rows,
        ),
        Some([height, width, _]) => {
            let first = (*page * TILES).min(rows.saturating_sub(1) / TILES * TILES);
            (
                Layout::Tiles {
                    height,
                    width,
                    across: 0,
                },
                first..(first + TILES).min(rows),
            )
        }
        None if matrix => (Layout::Matrix, 0..rows),
        None => (Layout::Strip { across: ACROSS }, 0..rows),
    };
    let pager = (tiles.is_some_and(|t| t[2] == 0) && rows > TILES).then(|| {
        let range = t_args(
            "weights-units",
            &[
                ("from", window.start.to_string().into()),
                ("to", (window.end - 1).to_string().into()),
                ("total", rows.to_string().into()),
            ],
        );
        let page_now = window.start / TILES;
        let onpage = {
            let page = page.clone();
            Callback::from(move |to| page.set(to))
        };
        html! { <Pager page={page_now} pages={rows.div_ceil(TILES)} {onpage} {range} /> }
    });
    let grid = {
        let key = (ByAddress(values), rows, columns, layout, window);
        use_memo(key, |(values, rows, columns, layout, window)| Grid {
            values: values.0.clone(),
            rows: *rows,
            columns: *columns,
            layout: *layout,
            window: window.clone(),
            signed: true,
        })
    };
    let axes = match (tiles.is_some(), matrix) {
        (true, _) if tiles.is_some_and(|t| t[2] > 0) => (t("weights-picture"), t("heat-pixel")),
        (true, _) => (t("heat-unit"), t("heat-pixel")),
        (_, true) => (t("heat-unit"), t("heat-input")),
        _ => (t("heat-row"), t("heat-unit")),
    };
    let axes = (axes.0.into(), axes.1.into());
    let label = t_args("heat-label", &[("name", props.name.to_string().into())]);
    html! {
        <>
            { pager }
            <Heatmap {grid} {label} {axes} zoom={matrix} />
            if matrix || props.values.len() >= 16 {
                <HistogramChart values={props.values.clone()} name={props.name.clone()} />
            }
        </>
    }
}
