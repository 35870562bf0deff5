//! Loss and one metric over the steps.
use super::axes::{Area, Titles};
use super::canvas::{Canvas, Surface};
use super::chart::{self, Kept, kept_color, train_color, validation_color};
use super::export;
use super::theme::Theme;
use crate::plotting::{Curve, History, Scale, format};
use crate::ui::i18n::{t, t_args, t_maybe, use_lang};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[derive(Properties)]
pub struct LossPlotProps {
    pub history: Rc<RefCell<History>>,
    /// Grows with every change of the history.
    pub version: u64,
}

impl PartialEq for LossPlotProps {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && Rc::ptr_eq(&self.history, &other.history)
    }
}

/// Kept runs at most.
const KEPT: usize = 5;
/// Rows of the table that stands behind the picture.
const TABLE_ROWS: usize = 12;
const TABLE_MS: f64 = 1000.0;

/// What outlives a rendering without causing one.
struct Shared {
    loss: RefCell<Curve>,
    metric: RefCell<Curve>,
    /// Where each chart was drawn last, and the steps it spans.
    places: [Cell<(Area, Scale)>; 2],
    /// Rows are left that the curves have not taken in.
    behind: [Cell<bool>; 2],
    table: RefCell<(f64, Html)>,
}

#[derive(Clone, PartialEq)]
struct View {
    /// 0…100; see [`beta`]. None: what suits the run.
    smoothing: Option<u32>,
    log: bool,
    /// None: the first there is.
    metric: Option<String>,
    cursor: Option<f64>,
}

/// The slider's even steps multiply the number of steps that are averaged.
fn beta(slider: u32) -> f32 {
    1.0 - 10f32.powf(-(slider.min(100) as f32) * 0.03)
}

/// The whole training set in each step leaves nothing to smooth.
fn suitable(history: &History) -> u32 {
    if history.steps_per_epoch() == 1 {
        0
    } else {
        30
    }
}

pub fn metric_name(metric: &str) -> String {
    t_maybe(&format!("metric-{}", metric.to_lowercase())).unwrap_or_else(|| metric.to_string())
}

/// Shares as per cent, all else with three figures.
pub fn metric_value(metric: &str, v: f64) -> String {
    match metric {
        "accuracy" => format::percent(v),
        _ => format::three(v),
    }
}

#[component]
pub fn LossPlot(props: &LossPlotProps) -> Html {
    use_lang();
    let shared = use_memo((), |()| Shared {
        loss: RefCell::new(Curve::new("loss", 0.0)),
        metric: RefCell::new(Curve::new("accuracy", 0.0)),
        places: Default::default(),
        behind: Default::default(),
        table: RefCell::new((f64::NEG_INFINITY, Html::default())),
    });
    let view = use_state(|| View {
        smoothing: None,
        log: false,
        metric: None,
        cursor: None,
    });
    let kept = use_state(|| Rc::new(Vec::<Kept>::new()));
    let saving = use_state(|| None::<f64>);
    let root = use_node_ref();
    let render = use_force_update();

    let metrics = props.history.borrow().metrics();
    let metric = view
        .metric
        .clone()
        .filter(|m| metrics.contains(m))
        .or_else(|| metrics.first().cloned());
    let slider = view
        .smoothing
        .unwrap_or_else(|| suitable(&props.history.borrow()));
    {
        let smoothing = beta(slider);
        let history = props.history.borrow();
        let mut loss = shared.loss.borrow_mut();
        loss.set_smoothing(smoothing);
        shared.behind[0].set(!loss.advance(&history, chart::BUDGET));
        let mut curve = shared.metric.borrow_mut();
        if let Some(m) = metric.as_ref().filter(|m| *m != curve.column()) {
            *curve = Curve::new(m, smoothing);
        }
        curve.set_smoothing(smoothing);
        shared.behind[1].set(!curve.advance(&history, chart::BUDGET));
    }

    let painter = |which: usize| {
        let (shared, history) = (shared.clone(), props.history.clone());
        let render = render.clone();
        move |surface: Rc<Surface>, (_, view, kept): &(u64, View, Rc<Vec<Kept>>)| {
            let curve = [&shared.loss, &shared.metric][which];
            let place = chart::paint(
                &surface,
                &history.borrow(),
                &mut curve.borrow_mut(),
                view.log,
                view.cursor,
                kept,
                Titles {
                    x: &t("axis-step"),
                    ..Titles::default()
                },
            );
            shared.places[which].set(place);
            if !surface.wants_again() && shared.behind[which].replace(false) {
                // The figures in the legend are those of before.
                render.force_update();
            }
        }
    };
    let seen = (props.version, (*view).clone(), (*kept).clone());
    let paint_loss = use_callback(seen.clone(), painter(0));
    let paint_metric = use_callback(seen, painter(1));

    let change = {
        let view = view.clone();
        move |f: &dyn Fn(&mut View)| {
            let mut next = (*view).clone();
            f(&mut next);
            view.set(next);
        }
    };
    let point = |which: usize| {
        let (shared, change) = (shared.clone(), change.clone());
        Callback::from(move |at: Option<(f64, f64)>| {
            let (area, x) = shared.places[which].get();
            let step = at.map(|(px, _)| x.value(((px - area.left) / area.width).clamp(0.0, 1.0)));
            change(&|v| v.cursor = step.map(f64::round));
        })
    };
    let keys = {
        let (history, view, change) = (props.history.clone(), view.clone(), change.clone());
        Callback::from(move |e: KeyboardEvent| {
            let history = history.borrow();
            if let Some(to) = moved(&history, view.cursor, &e.key()) {
                e.prevent_default();
                change(&|v| v.cursor = to);
            }
        })
    };

    let history = props.history.borrow();
    if history.step_range().is_none() && kept.is_empty() {
        return html! {
            <section class="lossplot" aria-label={t("plot-title")}>
                <p class="empty">{ t("plot-empty") }</p>
            </section>
        };
    }
    let range = Slider::of(&history, view.cursor);
    let figure = |name: Html, curve: &Curve, paint: Callback<Rc<Surface>>, which: usize| {
        let label = t_args(
            "plot-chart-label",
            &[("metric", metric_name(curve.column()).into())],
        );
        html! {
            <figure class="plot-figure">
                <figcaption>
                    { name }
                    { legend(&history, curve, view.cursor, &kept) }
                </figcaption>
                <div class="plot-box" role="slider" tabindex="0" aria-label={label.clone()}
                    aria-valuemin={range.min.clone()} aria-valuemax={range.max.clone()}
                    aria-valuenow={range.now.clone()}
                    aria-valuetext={reading_text(&history, curve, view.cursor)}
                    onkeydown={keys.clone()}>
                    <Canvas {paint} {label} onpoint={point(which)} />
                </div>
            </figure>
        }
    };
    let loss_name = html! { <span class="plot-name">{ metric_name("loss") }</span> };
    html! {
        <section class="lossplot" aria-label={t("plot-title")} ref={root.clone()}>
            <div class="plot-charts">
                { figure(loss_name, &shared.loss.borrow(), paint_loss, 0) }
                if let Some(metric) = &metric {
                    { figure(chooser(&metrics, metric, &change), &shared.metric.borrow(), paint_metric, 1) }
                }
            </div>
            <div class="plot-tools">
                <output class="plot-at">{ place_text(&history, view.cursor) }</output>
                <label class="plot-slider" title={t_args("plot-smoothing-hint", &[("beta", format::figures(f64::from(beta(slider)), 3).into())])}>
                    <span>{ t("plot-smoothing") }</span>
                    <input type="range" min="0" max="100" step="1" value={slider.to_string()}
                        aria-valuetext={format::figures(f64::from(beta(slider)), 3)}
                        oninput={let change = change.clone(); move |e: InputEvent| {
                            let value = e.target_unchecked_into::<HtmlInputElement>().value_as_number();
                            change(&|v| v.smoothing = Some(value as u32));
                        }} />
                </label>
                <label class="plot-check" title={t("plot-log-hint")}>
                    <input type="checkbox" checked={view.log}
                        onchange={let change = change.clone(); move |e: Event| {
                            let on = e.target_unchecked_into::<HtmlInputElement>().checked();
                            change(&|v| v.log = on);
                        }} />
                    { t("plot-log") }
                </label>
                { keep_buttons(&shared, &kept) }
                <button type="button" class="button" disabled={saving.is_some()} title={t("plot-csv-hint")}
                    onclick={csv(props.history.clone(), saving.clone())}>
                    { saving.map_or_else(|| t("plot-csv"), |done| format!("CSV {}", format::percent(done))) }
                </button>
                <button type="button" class="button" title={t("plot-png-hint")}
                    onclick={png(&shared, props, &view, &kept, root)}>{ t("plot-png") }</button>
            </div>
            { table(&shared, &history, metric.as_deref()) }
        </section>
    }
}

/// Where the cursor goes with a key; None when the key is another's.
fn moved(history: &History, cursor: Option<f64>, key: &str) -> Option<Option<f64>> {
    let (first, last) = history.step_range()?;
    let (first, last) = (f64::from(first), f64::from(last));
    let at = cursor.unwrap_or(last);
    let leap = ((last - first) / 20.0).max(1.0).round();
    let pace = ((last - first) / 200.0).max(1.0).round();
    let to = match key {
        "ArrowLeft" | "ArrowDown" => at - pace,
        "ArrowRight" | "ArrowUp" => at + pace,
        "PageDown" => at - leap,
        "PageUp" => at + leap,
        "Home" => first,
        "End" => last,
        "Escape" => return Some(None),
        _ => return None,
    };
    Some(Some(to.clamp(first, last)))
}

struct Slider {
    min: String,
    max: String,
    now: String,
}

impl Slider {
    fn of(history: &History, cursor: Option<f64>) -> Slider {
        let (min, max) = history.step_range().unwrap_or((0, 0));
        Slider {
            min: min.to_string(),
            max: max.to_string(),
            now: cursor.map_or(max, |c| c as u32).to_string(),
        }
    }
}

/// A metric at the cursor, or the newest there is.
struct Reading {
    smooth: Option<f64>,
    raw: Option<f64>,
    validation: Option<f64>,
}

fn reading(history: &History, curve: &Curve, cursor: Option<f64>) -> Reading {
    let metric = curve.column();
    let row = match cursor {
        Some(step) => history.row(step),
        None => curve.smooth().rows().min(history.len()).checked_sub(1),
    };
    let raw = row.and_then(|r| history.column(metric).map(|c| f64::from(c[r])));
    let smooth = row.and_then(|r| curve.smoothed(history, r)).map(f64::from);
    let all = history.validation();
    let until = match cursor {
        Some(step) => all.partition_point(|v| f64::from(v.step) <= step),
        None => all.len(),
    };
    Reading {
        smooth: smooth.or(raw),
        raw,
        validation: all[..until].last().and_then(|v| v.metric(metric)),
    }
}

fn place_text(history: &History, cursor: Option<f64>) -> String {
    let Some((_, last)) = history.step_range() else {
        return String::new();
    };
    // A validation stands one step beyond the last one trained.
    let last = history
        .len()
        .checked_sub(1)
        .map_or(last, |r| history.step(r));
    let step = cursor.map_or(last, |c| c as u32).min(last);
    t_args(
        "plot-at",
        &[
            ("step", format::count(u64::from(step)).into()),
            (
                "epoch",
                format::count(u64::from(history.epoch(step))).into(),
            ),
        ],
    )
}

fn reading_text(history: &History, curve: &Curve, cursor: Option<f64>) -> String {
    let r = reading(history, curve, cursor);
    let metric = curve.column();
    let mut parts = vec![place_text(history, cursor)];
    if let Some(v) = r.smooth {
        parts.push(format!("{} {}", t("plot-train"), metric_value(metric, v)));
    }
    if let Some(v) = r.validation {
        parts.push(format!(
            "{} {}",
            t("plot-validation"),
            metric_value(metric, v)
        ));
    }
    parts.join(", ")
}

fn legend(history: &History, curve: &Curve, cursor: Option<f64>, kept: &[Kept]) -> Html {
    let metric = curve.column();
    let r = reading(history, curve, cursor);
    let value = |v: f64| html! { <b title={v.to_string()}>{ metric_value(metric, v) }</b> };
    html! {
        <span class="plot-legend">
            if let Some(v) = r.smooth {
                <span class="plot-key">
                    { swatch(&train_color(), false) }{ t("plot-train") }{ value(v) }
                    if let Some(raw) = r.raw.filter(|_| cursor.is_some() && curve.smoothing() > 0.0) {
                        <small>{ t_args("plot-raw", &[("value", metric_value(metric, raw).into())]) }</small>
                    }
                </span>
            }
            if let Some(v) = r.validation {
                <span class="plot-key">
                    { swatch(&validation_color(), true) }{ t("plot-validation") }{ value(v) }
                </span>
            }
            { for kept.iter().map(|k| html! {
                <span class="plot-key">
                    { swatch(&kept_color(k.number), false) }
                    { t_args("plot-kept", &[("number", k.number.to_string().into())]) }
                    { cursor.and_then(|c| k.at(metric, c)).map(value) }
                </span>
            }) }
        </span>
    }
}

/// A piece of the line that stands for a curve.
pub fn swatch(color: &str, dashed: bool) -> Html {
    html! {
        <svg class="plot-swatch" viewBox="0 0 18 8" width="18" height="8" aria-hidden="true">
            <path d="M1 4h16" stroke={color.to_string()} stroke-width="2" stroke-linecap="round"
                stroke-dasharray={if dashed { "4 3" } else { "none" }} />
        </svg>
    }
}

fn chooser(
    metrics: &[String],
    current: &str,
    change: &(impl Fn(&dyn Fn(&mut View)) + Clone + 'static),
) -> Html {
    let change = change.clone();
    let onchange = move |e: Event| {
        let value = e.target_unchecked_into::<HtmlSelectElement>().value();
        change(&|v| v.metric = Some(value.clone()));
    };
    html! {
        <select class="plot-name" aria-label={t("plot-metric")} {onchange}>
            { for metrics.iter().map(|m| html! {
                <option value={m.clone()} selected={m == current}>{ metric_name(m) }</option>
            }) }
        </select>
    }
}

/// Keeps the curves as they are for comparison with later runs, and lets go of them.
fn keep_buttons(shared: &Rc<Shared>, kept: &UseStateHandle<Rc<Vec<Kept>>>) -> Html {
    let keep = {
        let (shared, kept) = (shared.clone(), kept.clone());
        move |_| {
            let line = |c: &Curve| {
                let points = c.points().collect();
                (c.column().to_string(), points)
            };
            let mut next = (**kept).clone();
            if next.len() == KEPT {
                next.remove(0);
            }
            next.push(Kept {
                number: next.last().map_or(1, |k| k.number + 1),
                lines: vec![line(&shared.loss.borrow()), line(&shared.metric.borrow())],
            });
            kept.set(Rc::new(next));
        }
    };
    let forget = {
        let kept = kept.clone();
        move |_| kept.set(Rc::default())
    };
    html! {
        <>
            <button type="button" class="button" title={t("plot-keep-hint")} onclick={keep}>{ t("plot-keep") }</button>
            if !kept.is_empty() {
                <button type="button" class="button" onclick={forget}>{ t("plot-forget") }</button>
            }
        </>
    }
}

fn csv(
    history: Rc<RefCell<History>>,
    saving: UseStateHandle<Option<f64>>,
) -> impl Fn(MouseEvent) + 'static {
    move |_| {
        let (history, saving) = (history.clone(), saving.clone());
        spawn_local(async move {
            saving.set(Some(0.0));
            export::save_csv(&history, |done| saving.set(Some(done))).await;
            saving.set(None);
        });
    }
}

fn png(
    shared: &Rc<Shared>,
    props: &LossPlotProps,
    view: &View,
    kept: &[Kept],
    root: NodeRef,
) -> impl Fn(MouseEvent) + 'static {
    let (shared, history) = (shared.clone(), props.history.clone());
    let (log, kept) = (view.log, kept.to_vec());
    move |_| {
        let Some(root) = root.cast::<web_sys::Element>() else {
            return;
        };
        let (loss, metric) = (shared.loss.borrow(), shared.metric.borrow());
        let history = history.borrow();
        let mut charts = vec![(&*loss, metric_name("loss"))];
        if !history.metrics().is_empty() {
            charts.push((&*metric, metric_name(metric.column())));
        }
        let theme = Theme::of(&root);
        export::save_png(&charts, &history, log, &kept, &theme, &t("axis-step"));
    }
}

/// The same as the picture, for those who do not see it; made anew once a second at most.
fn table(shared: &Shared, history: &History, metric: Option<&str>) -> Html {
    let now = super::browser::now();
    let mut made = shared.table.borrow_mut();
    if now - made.0 < TABLE_MS {
        return made.1.clone();
    }
    let columns: Vec<&str> = std::iter::once("loss").chain(metric).collect();
    let rows = history.len();
    let picked = (0..TABLE_ROWS.min(rows)).map(|i| {
        let last = rows - 1;
        i * last / (TABLE_ROWS.min(rows) - 1).max(1)
    });
    let line = |row: usize| {
        let step = history.step(row);
        let all = history.validation();
        let mark = all[..all.partition_point(|v| v.step <= step)].last();
        let cell = |v: Option<f64>, m: &str| html! { <td>{ v.map(|v| metric_value(m, v)) }</td> };
        html! {
            <tr>
                <th scope="row">{ format::count(u64::from(step)) }</th>
                <td>{ history.epoch(step) }</td>
                { for columns.iter().map(|m| {
                    cell(history.column(m).map(|c| f64::from(c[row])), m)
                }) }
                { for columns.iter().map(|m| cell(mark.and_then(|v| v.metric(m)), m)) }
            </tr>
        }
    };
    let html = html! {
        <div class="unseen"><table>
            <caption>{ t("plot-table") }</caption>
            <thead><tr>
                <th scope="col">{ t("axis-step") }</th>
                <th scope="col">{ t("axis-epoch") }</th>
                { for columns.iter().map(|m| html! { <th scope="col">{ format!("{} · {}", metric_name(m), t("plot-train")) }</th> }) }
                { for columns.iter().map(|m| html! { <th scope="col">{ format!("{} · {}", metric_name(m), t("plot-validation")) }</th> }) }
            </tr></thead>
            <tbody>{ for picked.map(line) }</tbody>
        </table></div>
    };
    *made = (now, html.clone());
    html
}
