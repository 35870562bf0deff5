//! Loss, one metric, learning rate and gradient norm over the steps or the epochs.
use super::axes::{Area, Titles};
use super::canvas::{Canvas, Surface};
use super::chart::{self, Look};
use super::export::{self, Format, Job};
use super::gesture::{Gesture, Hands, use_wheel};
use super::legend::{legend, metric_name, place_text, reading_text, value};
use super::runs::{self, Kept, KeptRuns, Runs, RunsProps};
use super::strand::{Strand, shown};
use super::table::table;
use super::theme::Theme;
use super::tools::Tools;
use crate::lazy;
use crate::plotting::history::STEP_FACTS;
use crate::plotting::zoom::Span;
use crate::plotting::{History, Scale, format};
use crate::spec::Spec;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::later::{Later, View as Shown, Worded};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

lazy! { static RUNS: Shown<RunsProps>, in page plots = |p| html! { <Worded words={runs::WORDS}><Runs ..p /></Worded> }; }
lazy! { static SAVE: fn(Job), in page plots = export::save; }

#[derive(Properties)]
pub struct LossPlotProps {
    pub history: Rc<RefCell<History>>,
    /// Grows with every change of the history.
    pub version: u64,
    /// What the run at hand trains.
    pub trained: Callback<(), Option<Rc<Spec>>>,
    /// Runs that stand beside it; they change with the version or here.
    pub kept: KeptRuns,
}

impl PartialEq for LossPlotProps {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && Rc::ptr_eq(&self.history, &other.history)
    }
}

/// Between two versions of the table, and between two announcements.
const TABLE_MS: f64 = 1000.0;
const SAY_MS: f64 = 15_000.0;

/// Loss, metric, and the facts of the steps.
const CHARTS: usize = 2 + STEP_FACTS.len();

/// What outlives a rendering without causing one.
pub struct Shared {
    pub charts: [Chart; CHARTS],
    pub gesture: RefCell<Option<Gesture>>,
    /// As it was rendered last: the view, and all steps there are.
    pub latest: RefCell<(View, Option<Span>)>,
    table: RefCell<(f64, Html)>,
    said: RefCell<(f64, String)>,
}

pub struct Chart {
    pub strand: RefCell<Strand>,
    /// Where it was drawn last, and the steps it spans.
    pub place: Cell<(Area, Scale)>,
    /// Rows are left that the curves have not taken in.
    behind: Cell<bool>,
}

impl Chart {
    fn of(column: &str) -> Chart {
        Chart {
            strand: RefCell::new(Strand::new(column)),
            place: Cell::default(),
            behind: Cell::default(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    pub by_epoch: bool,
    /// By steps and by epochs: 0…100; see [`beta`]. None: what suits the run.
    pub smoothing: [Option<u32>; 2],
    pub log: bool,
    /// None: the first there is.
    pub metric: Option<String>,
    pub cursor: Option<f64>,
    /// Steps in view; None: all.
    pub window: Option<Span>,
    /// What a drag has marked so far.
    pub marked: Option<Span>,
}

impl View {
    fn look(&self) -> Look {
        Look {
            log: self.log,
            cursor: self.cursor,
            window: self.window,
            marked: self.marked,
        }
    }
}

pub type Edit = Box<dyn FnOnce(&mut View)>;

impl Reducible for View {
    type Action = Edit;

    fn reduce(self: Rc<Self>, edit: Edit) -> Rc<Self> {
        let mut next = (*self).clone();
        edit(&mut next);
        Rc::new(next)
    }
}

/// Changes the view, one change after the other.
#[derive(Clone, PartialEq)]
pub struct Change(pub UseReducerDispatcher<View>);

impl Change {
    pub fn emit(&self, edit: Edit) {
        self.0.dispatch(edit);
    }
}

/// The slider's even steps multiply the number of steps that are averaged.
pub fn beta(slider: u32) -> f32 {
    1.0 - 10f32.powf(-(slider.min(100) as f32) * 0.03)
}

/// The whole training set in each step leaves nothing to smooth, nor does the mean of an epoch.
fn suitable(history: &History) -> u32 {
    if history.is_by_epoch() || history.steps_per_epoch() == 1 {
        0
    } else {
        30
    }
}

#[component]
pub fn LossPlot(props: &LossPlotProps) -> Html {
    use_lang();
    let shared = use_memo((), |()| Shared {
        charts: ["loss", "accuracy", STEP_FACTS[0], STEP_FACTS[1]].map(Chart::of),
        gesture: RefCell::default(),
        latest: RefCell::default(),
        table: RefCell::new((f64::NEG_INFINITY, Html::default())),
        said: RefCell::new((f64::NEG_INFINITY, String::new())),
    });
    let view = use_reducer_eq(View::default);
    let change = Change(view.dispatcher());
    let saving = use_state(|| None::<f64>);
    let root = use_node_ref();
    let render = use_force_update();
    let kept = props.kept.borrow().clone();

    let whole = props.history.borrow();
    let by_epoch = view.by_epoch;
    let history = shown(&whole, by_epoch);
    let metrics = whole.metrics();
    let metric = view
        .metric
        .clone()
        .filter(|m| metrics.contains(m))
        .or_else(|| metrics.first().cloned());
    let slider = view.smoothing[usize::from(by_epoch)].unwrap_or_else(|| suitable(history));
    // The facts that are not shown large.
    let facts: Vec<usize> = (2..CHARTS)
        .filter(|i| whole.columns().iter().any(|c| c == STEP_FACTS[i - 2]))
        .filter(|i| metric.as_deref() != Some(STEP_FACTS[i - 2]))
        .collect();
    for (i, chart) in shared.charts.iter().enumerate() {
        let mut strand = chart.strand.borrow_mut();
        let column = match (i, &metric) {
            (1, Some(metric)) => metric.clone(),
            _ => strand.column().to_string(),
        };
        // A rate is no matter of chance.
        let smoothing = if column == STEP_FACTS[0] {
            0.0
        } else {
            beta(slider)
        };
        strand.set(&column, by_epoch, smoothing, &kept);
        chart.behind.set(!strand.advance(&whole, &kept));
    }
    let all = chart::span(history, &kept);
    shared.latest.replace(((*view).clone(), all));

    let painter = |which: usize| {
        let (shared, history) = (shared.clone(), props.history.clone());
        let render = render.clone();
        move |surface: Rc<Surface>, (_, view, kept): &(u64, View, Rc<Vec<Kept>>)| {
            let chart = &shared.charts[which];
            let history = history.borrow();
            if !chart.strand.borrow_mut().advance(&history, kept) {
                surface.ask_again();
            }
            let x = match view.by_epoch {
                _ if which >= 2 => String::new(),
                true => t("axis-epoch"),
                false => t("axis-step"),
            };
            let titles = Titles {
                x: &x,
                ..Titles::default()
            };
            let strand = chart.strand.borrow();
            let place = chart::draw(&surface, &history, &strand, kept, view.look(), titles);
            chart.place.set(place);
            if !surface.wants_again() && chart.behind.replace(false) {
                // The figures in the legend are those of before.
                render.force_update();
            }
        }
    };
    let seen = (props.version, (*view).clone(), kept.clone());
    let paint = [
        use_callback(seen.clone(), painter(0)),
        use_callback(seen.clone(), painter(1)),
        use_callback(seen.clone(), painter(2)),
        use_callback(seen, painter(3)),
    ];
    let hands = Hands {
        shared: shared.clone(),
        change: change.clone(),
    };
    let empty = whole.step_range().is_none() && kept.is_empty();
    use_wheel(&root, &hands, !empty);

    let point = |which: usize| {
        let (shared, change) = (shared.clone(), change.clone());
        Callback::from(move |at: Option<(f64, f64)>| {
            let (area, x) = shared.charts[which].place.get();
            let step = at.map(|(px, _)| x.value(((px - area.left) / area.width).clamp(0.0, 1.0)));
            change.emit(Box::new(move |v| v.cursor = step.map(f64::round)));
        })
    };
    let keys = {
        let (hands, change) = (hands.clone(), change.clone());
        Callback::from(move |e: KeyboardEvent| {
            if hands.key(&e) {
                return e.prevent_default();
            }
            let (view, all) = hands.shared.latest.borrow().clone();
            if let Some(to) = moved(view.window.or(all), view.cursor, &e.key()) {
                e.prevent_default();
                change.emit(Box::new(move |v| v.cursor = to));
            }
        })
    };
    let on_change = {
        let (runs, render) = (props.kept.clone(), render.clone());
        use_callback((), move |change: runs::Change, ()| {
            let mut next = (**runs.borrow()).clone();
            match change {
                runs::Change::Remove(id) => next.retain(|k| k.id != id),
                runs::Change::Hide(id, hidden) => (next.iter_mut())
                    .filter(|k| k.id == id)
                    .for_each(|k| k.hidden = hidden),
                runs::Change::Rename(id, name) => (next.iter_mut())
                    .filter(|k| k.id == id)
                    .for_each(|k| k.name = Some(name.clone()).filter(|n| !n.is_empty())),
            }
            runs.replace(Rc::new(next));
            render.force_update();
        })
    };
    if empty {
        return html! {
            <section class="lossplot" aria-label={t("plot-title")}>
                <p class="empty">{ t("plot-empty") }</p>
            </section>
        };
    }
    let range = Slider::of(all, view.cursor);
    let figure = |which: usize, name: Html| {
        let strand = shared.charts[which].strand.borrow();
        let key = if by_epoch {
            "plot-chart-label-epochs"
        } else {
            "plot-chart-label"
        };
        let label = t_args(key, &[("metric", metric_name(strand.column()).into())]);
        html! {
            <figure class="plot-figure">
                <figcaption>
                    { name }
                    if which < 2 {
                        { legend(history, &strand, view.cursor, &kept) }
                    } else {
                        { value(history, &strand, view.cursor) }
                    }
                </figcaption>
                <div class="plot-box" role="slider" tabindex="0" aria-label={label.clone()}
                    data-chart={which.to_string()}
                    aria-valuemin={range.min.clone()} aria-valuemax={range.max.clone()}
                    aria-valuenow={range.now.clone()}
                    aria-valuetext={reading_text(history, &strand, view.cursor, &kept)}
                    title={(which < 2).then(|| t("plot-zoom-hint"))}
                    onkeydown={keys.clone()} onpointerdown={hands.down(which)}
                    onpointermove={hands.moved(which)} onpointerup={hands.up(which)}
                    onpointercancel={hands.up(which)}
                    ondblclick={let hands = hands.clone(); move |_: MouseEvent| hands.reset()}>
                    <Canvas paint={paint[which].clone()} {label} onpoint={point(which)} />
                </div>
            </figure>
        }
    };
    let plain = |name: &str| html! { <span class="plot-name">{ metric_name(name) }</span> };
    let keep = {
        let (runs, history, trained) = (
            props.kept.clone(),
            props.history.clone(),
            props.trained.clone(),
        );
        let render = render.clone();
        Callback::from(move |()| {
            let Some(spec) = trained.emit(()) else { return };
            let history = Rc::new(history.borrow().clone());
            runs::keep(&runs, None, spec, history);
            render.force_update();
        })
    };
    let save = {
        let (shared, history) = (shared.clone(), props.history.clone());
        let (saving, root, trained) = (saving.clone(), root.clone(), props.trained.clone());
        let (kept, look) = (kept.clone(), view.look());
        let mut charts: Vec<usize> = vec![0];
        charts.extend(metric.is_some().then_some(1));
        charts.extend(&facts);
        Callback::from(move |format: Format| {
            let Some(root) = root.cast::<web_sys::Element>() else {
                return;
            };
            let progress = saving.clone();
            let job = Job {
                format,
                shared: shared.clone(),
                history: history.clone(),
                charts: charts.clone(),
                by_epoch,
                look: Look {
                    cursor: None,
                    marked: None,
                    ..look
                },
                kept: kept.clone(),
                now: trained.emit(()),
                theme: Theme::of(&root),
                progress: Callback::from(move |done| progress.set(done)),
            };
            let saving = saving.clone();
            saving.set(Some(0.0));
            spawn_local(async move {
                match SAVE.load().await {
                    Ok(save) => save(job),
                    Err(_) => saving.set(None),
                }
            });
        })
    };
    let columns: Vec<&str> = std::iter::once("loss")
        .chain(metric.as_deref())
        .chain(facts.iter().map(|i| STEP_FACTS[i - 2]))
        .collect();
    let now = super::browser::now();
    html! {
        <section class="lossplot" aria-label={t("plot-title")} ref={root}>
            <div class="plot-charts">
                { figure(0, plain("loss")) }
                if let Some(metric) = &metric {
                    { figure(1, chooser(&metrics, metric, &change)) }
                }
            </div>
            if !facts.is_empty() {
                <div class="plot-facts">
                    { for facts.iter().map(|i| figure(*i, plain(STEP_FACTS[i - 2]))) }
                </div>
            }
            if !kept.is_empty() {
                if let Some(now) = props.trained.emit(()) {
                    <Later<RunsProps> view={&RUNS} with={RunsProps { kept: kept.clone(), now, on_change }} />
                }
            }
            <div class="plot-tools">
                <span class="plot-at">{ place_text(history, view.cursor) }</span>
                <Tools view={(*view).clone()} {slider} change={change.clone()} {hands} {keep} {save} saving={*saving} />
            </div>
            { in_time(&shared.table, TABLE_MS, now, || table(history, &columns)) }
            <p class="unseen" role="status">
                { in_time(&shared.said, SAY_MS, now, || reading_text(history, &shared.charts[0].strand.borrow(), None, &[])) }
            </p>
        </section>
    }
}

/// What was made last, or a new one when that is too old.
fn in_time<T: Clone>(cell: &RefCell<(f64, T)>, ms: f64, now: f64, make: impl FnOnce() -> T) -> T {
    let mut made = cell.borrow_mut();
    if now - made.0 >= ms {
        *made = (now, make());
    }
    made.1.clone()
}

/// Where the cursor goes with a key, among the steps in view; None when the key is another's.
fn moved(view: Option<Span>, cursor: Option<f64>, key: &str) -> Option<Option<f64>> {
    let (first, last) = view?;
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
    Some(Some(to.clamp(first, last).round()))
}

struct Slider {
    min: String,
    max: String,
    now: String,
}

impl Slider {
    fn of(all: Option<Span>, cursor: Option<f64>) -> Slider {
        let (min, max) = all.unwrap_or_default();
        Slider {
            min: min.to_string(),
            max: max.to_string(),
            now: cursor.unwrap_or(max).to_string(),
        }
    }
}

fn chooser(metrics: &[String], current: &str, change: &Change) -> Html {
    let change = change.clone();
    let onchange = move |e: Event| {
        let value = e.target_unchecked_into::<HtmlSelectElement>().value();
        change.emit(Box::new(move |v| v.metric = Some(value)));
    };
    html! {
        <select class="plot-name" aria-label={t("plot-metric")} {onchange}>
            { for metrics.iter().map(|m| html! {
                <option value={m.clone()} selected={m == current}>{ metric_name(m) }</option>
            }) }
        </select>
    }
}

/// `0.937`, as a tooltip writes the smoothing.
pub fn beta_text(slider: u32) -> String {
    format::figures(f64::from(beta(slider)), 3)
}
