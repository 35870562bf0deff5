//! Boundaries of other models in the same plane: of earlier runs on these data, and of linear models that
//! are fitted for the comparison.
use super::{Field, SIDE, boundaries};
use crate::plotting::color::{class, css};
use crate::plotting::contour::Segment;
use crate::plotting::outcome::Outcome;
use crate::spec::{DataSource, Spec, presets};
use crate::train::protocol::{Failure, RunId};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::parts::Trouble;
use crate::ui::inspect::source::Source;
use crate::ui::plot::Surface;
use crate::ui::plot::axes::{Area, Pen};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// A boundary that stays.
#[derive(Debug, PartialEq)]
pub struct Kept {
    /// What the data and the plane were: boundaries of other data have nothing to say here.
    data: String,
    name: String,
    /// In cells of the plane.
    lines: Vec<Segment>,
}

thread_local! {
    static KEPT: RefCell<Vec<Rc<Kept>>> = const { RefCell::new(Vec::new()) };
    static RUNS: Cell<RunId> = const { Cell::new(RunId::MAX) };
}

/// Kept at most.
const MOST: usize = 6;
/// Models that are fitted on the side: a message, and the preset that has the model.
const MODELS: [(&str, &str); 3] = [
    ("beside-logistic", "logreg-blobs"),
    ("beside-svm", "linear-models"),
    ("beside-gda", "linear-models-gda"),
];
/// Colours that no class of two has.
const COLORS: [usize; 6] = [4, 2, 5, 8, 7, 6];

fn data_of(source: &Source) -> String {
    let spec = &source.info.spec;
    format!(
        "{:?} {} {:?}",
        spec.data, spec.seed, source.info.data.ranges
    )
}

/// Those that belong into the plane of a run.
pub fn kept(source: &Source) -> Vec<Rc<Kept>> {
    let data = data_of(source);
    KEPT.with_borrow(|all| all.iter().filter(|k| k.data == data).cloned().collect())
}

fn keep(kept: Kept) {
    KEPT.with_borrow_mut(|all| {
        all.retain(|k| (&k.data, &k.name) != (&kept.data, &kept.name));
        if all.iter().filter(|k| k.data == kept.data).count() >= MOST
            && let Some(at) = all.iter().position(|k| k.data == kept.data)
        {
            all.remove(at);
        }
        all.push(Rc::new(kept));
    });
}

/// Draws them in their colours.
pub fn draw(surface: &Surface, all: &[Rc<Kept>], a: Area) {
    let at = |g: f32| (f64::from(g) + 0.5) / SIDE as f64;
    let spot = |(x, y): (f32, f32)| (a.left + at(x) * a.width, a.top + at(y) * a.height);
    for (k, kept) in all.iter().enumerate() {
        let color = css(class(COLORS[k % COLORS.len()]));
        for [p, q] in &kept.lines {
            let pen = Pen {
                color: &color,
                width: 2.25,
                dashed: false,
                alpha: 1.0,
            };
            pen.stroke(&surface.ctx, &[spot(*p), spot(*q)]);
        }
    }
}

/// The data with the model of a preset.
fn model(source: &Source, preset: &str) -> Option<Spec> {
    let mut spec = presets::find(preset)?;
    spec.data = source.info.spec.data.clone();
    spec.seed = source.info.spec.seed;
    Some(spec)
}

async fn fit(source: &Source, name: String, preset: &str) -> Result<Option<Kept>, Failure> {
    let Some(spec) = model(source, preset) else {
        return Ok(None);
    };
    let run = RUNS.get();
    RUNS.set(run - 1);
    let (field, asked) = Field::blank(source);
    let (info, outputs) = source.beside(&spec, run, &asked, SIDE * SIDE).await?;
    let outcome = Outcome::of(&info);
    let field = Field { outputs, ..field };
    Ok(Some(Kept {
        data: data_of(source),
        name,
        lines: boundaries(&outcome, &field),
    }))
}

#[derive(Properties, PartialEq)]
pub struct BesideProps {
    pub source: Source,
    /// The boundary as it is now.
    pub lines: Rc<Vec<Segment>>,
    /// Something was kept or forgotten.
    pub onchange: Callback<()>,
}

#[component]
pub fn Beside(props: &BesideProps) -> Html {
    use_lang();
    let source = &props.source;
    let busy = use_state(|| None::<usize>);
    let failure = use_state(|| None::<Failure>);
    let all = kept(source);
    let two = source.info.data.classes.len() == 2;
    let own = !matches!(source.info.spec.data.source, DataSource::Files { .. });
    let keep_this = {
        let (source, lines, onchange) =
            (source.clone(), props.lines.clone(), props.onchange.clone());
        move |_: MouseEvent| {
            let step = source.info.spec.name.clone();
            let number = kept(&source).len() + 1;
            keep(Kept {
                data: data_of(&source),
                name: t_args(
                    "beside-run",
                    &[("number", number.into()), ("name", step.into())],
                ),
                lines: (*lines).clone(),
            });
            onchange.emit(());
        }
    };
    let forget = {
        let (source, onchange) = (source.clone(), props.onchange.clone());
        move |_: MouseEvent| {
            let data = data_of(&source);
            KEPT.with_borrow_mut(|all| all.retain(|k| k.data != data));
            onchange.emit(());
        }
    };
    let compare = |at: usize| {
        let (source, onchange) = (source.clone(), props.onchange.clone());
        let (busy, failure) = (busy.clone(), failure.clone());
        move |_: MouseEvent| {
            let (source, onchange) = (source.clone(), onchange.clone());
            let (busy, failure) = (busy.setter(), failure.setter());
            let (key, preset) = MODELS[at];
            busy.set(Some(at));
            spawn_local(async move {
                match fit(&source, t(key), preset).await {
                    Ok(found) => {
                        found.into_iter().for_each(keep);
                        failure.set(None);
                    }
                    Err(f) => failure.set(Some(f)),
                }
                busy.set(None);
                onchange.emit(());
            });
        }
    };
    html! {
        <section class="beside-models">
            <h4>{ t("beside-title") }</h4>
            <p class="dim">{ t("beside-about") }</p>
            <div class="view-tools">
                <button type="button" class="button" onclick={keep_this}>{ t("beside-keep") }</button>
                if two && own {
                    { for MODELS.iter().enumerate().map(|(i, (key, _))| html! {
                        <button type="button" class="button" key={*key} disabled={busy.is_some()} aria-busy={(*busy == Some(i)).to_string()}
                            title={t(&format!("about-{key}"))} onclick={compare(i)}>{ format!("+ {}", t(key)) }</button>
                    }) }
                }
                if !all.is_empty() {
                    <button type="button" class="button" onclick={forget}>{ t("beside-forget") }</button>
                }
            </div>
            <Trouble failure={(*failure).clone()} />
            if !all.is_empty() {
                <ul class="legend-row beside-legend" aria-live="polite">
                    { for all.iter().enumerate().map(|(k, kept)| html! {
                        <li class="plot-key" key={kept.name.clone()}>
                            <svg class="mark" viewBox="0 0 18 12" width="18" height="12" aria-hidden="true">
                                <line x1="0" y1="6" x2="18" y2="6" stroke={css(class(COLORS[k % COLORS.len()]))} stroke-width="2.25" /></svg>
                            { if kept.lines.is_empty() { t_args("beside-nowhere", &[("name", kept.name.clone().into())]) } else { kept.name.clone() } }
                        </li>
                    }) }
                </ul>
            }
        </section>
    }
}
