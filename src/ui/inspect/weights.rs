//! Parameters, their gradients and the optimiser's moments, layer by layer.
use super::ViewProps;
use super::heatmap::{Grid, Heatmap, Layout};
use super::histogram::HistogramChart;
use super::parts::{Choice, Pager, Select, Trouble, Waiting};
use super::pull::use_pull;
use crate::plotting::format;
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
    let as_matrix = use_state(|| false);
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
    let pulled = use_pull(
        (props.source.clone(), props.tick, wanted.clone()),
        |(source, _, wanted)| async move {
            let mut out = Vec::new();
            for info in wanted {
                let values = Rc::new(source.tensor(&info.name).await?.1);
                out.push(Filled { info, values });
            }
            Ok::<_, Failure>(out)
        },
    );
    let shown = pulled
        .value
        .clone()
        .filter(|v| v.iter().map(|f| &f.info).eq(wanted.iter()));

    let first = layers.first() == Some(&current);
    let image = props.source.info.data.image.filter(|_| first);
    let pictures = image.filter(|[h, w]| wanted.iter().any(|t| is_matrix(t) && inputs(t) == h * w));
    let tiles = pictures.filter(|_| !*as_matrix);
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
    let toggle = {
        let as_matrix = as_matrix.clone();
        Callback::from(move |v: String| as_matrix.set(v == "matrix"))
    };
    html! {
        <div class="view">
            <div class="view-tools">
                <Select label={t("weights-layer")} value={current.clone()} onpick={pick_layer}
                    options={options(layers.iter().map(|l| (l.clone(), l.clone())).collect())} />
                if quantities.len() > 1 {
                    <Select label={t("weights-quantity")} value={chosen.to_string()} onpick={pick(&what)}
                        options={options(quantities.iter().map(|q| (q.to_string(), quantity_name(q))).collect())} />
                }
                if pictures.is_some() {
                    <Select label={t("weights-as")} value={if *as_matrix { "matrix" } else { "images" }} onpick={toggle}
                        options={options(vec![
                            ("images".to_string(), t("weights-images")), ("matrix".to_string(), t("weights-matrix")),
                        ])} />
                }
            </div>
            if let Some(id) = missing {
                <p class="dim">{ t_args("weights-none-here", &[("layer", id.into()), ("shown", current.clone().into())]) }</p>
            }
            <Trouble failure={pulled.failure.clone()} />
            { match shown {
                None => html! { <Waiting /> },
                Some(all) => html! { <>{ for all.iter().map(|f| panel(f, tiles)) }</> },
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

fn panel(f: &Filled, tiles: Option<[usize; 2]>) -> Html {
    let numel = f.values.len();
    let shape: Vec<String> = f.info.shape.iter().map(usize::to_string).collect();
    html! {
        <section class="tensor" key={f.info.name.clone()}>
            <h4>
                <code>{ &f.info.name }</code>
                <span class="dim">{ format!("[{}]", shape.join(" × ")) }</span>
                <span class="dim">{ t_args("weights-count", &[("count", format::count(numel as u64).into()), ("n", numel.into())]) }</span>
            </h4>
            <TensorView name={f.info.name.clone()} shape={f.info.shape.clone()} values={f.values.clone()} {tiles} />
        </section>
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
    tiles: Option<[usize; 2]>,
}

impl PartialEq for TensorViewProps {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.values, &o.values) && self.name == o.name && self.tiles == o.tiles
    }
}

#[component]
fn TensorView(props: &TensorViewProps) -> Html {
    use_lang();
    let page = use_state(|| 0usize);
    let columns = match props.shape.len() {
        0 | 1 => props.values.len(),
        _ => props.shape.last().copied().unwrap_or(1),
    };
    let rows = props.values.len().checked_div(columns).unwrap_or(0);
    let matrix = props.shape.len() > 1;
    let tiles = props.tiles.filter(|[h, w]| matrix && h * w == columns);
    let (layout, window) = match tiles {
        Some([height, width]) => {
            let first = (*page * TILES).min(rows.saturating_sub(1) / TILES * TILES);
            (
                Layout::Tiles { height, width },
                first..(first + TILES).min(rows),
            )
        }
        None if matrix => (Layout::Matrix, 0..rows),
        None => (Layout::Strip { across: ACROSS }, 0..rows),
    };
    let pager = (tiles.is_some() && rows > TILES).then(|| {
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
        let key = (
            ByAddress(props.values.clone()),
            rows,
            columns,
            layout,
            window,
        );
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
