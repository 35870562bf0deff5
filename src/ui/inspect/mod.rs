//! The look inside a run: what it says, what it has learnt, how good it is.
mod activations;
mod autoencoder;
mod data;
mod embedding;
mod evaluation;
mod fit;
mod gradients;
mod heatmap;
mod histogram;
mod landscape;
mod legend;
mod neurons;
mod parts;
mod plan;
mod plane;
mod predictions;
mod pull;
mod reconstruct;
mod saliency;
mod sample;
mod series;
mod sheet;
mod source;
mod tabs;
mod thumb;
mod try_it;
mod try_value;
mod weights;
mod within;
mod zoom;

use crate::lazy;
use crate::plotting::outcome::Outcome;
use crate::spec::{Spec, TargetOf};
use crate::train::protocol::{Role, RunInfo, TensorInfo};
use crate::ui::code::view::{CodeProps, CodeView};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::icons::{Icon, IconButton};
use crate::ui::later::{Later, View as Shown, Worded};
use crate::ui::link::Link;
use crate::ui::store::Dispatch;
use gloo::events::EventListener;
use gloo::utils::document;
use pull::{Awake, use_pull};
use sheet::Inside;
use source::Source;
use std::rc::Rc;
use tabs::{Panel, Tabs};
use wasm_bindgen::prelude::*;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry};
use yew::prelude::*;

#[derive(Properties)]
pub struct InspectProps {
    pub link: Link,
    pub info: Rc<RunInfo>,
    /// Grows while it trains.
    pub tick: u64,
    /// The layer that is open in the builder.
    pub selected: Option<AttrValue>,
    /// The network as the builder has it, which may be ahead of the run.
    pub spec: Rc<Spec>,
    pub dispatch: Dispatch,
    /// Asks for the dialog that opens code.
    pub on_code: Callback<()>,
}

impl PartialEq for InspectProps {
    fn eq(&self, o: &Self) -> bool {
        self.link == o.link
            && Rc::ptr_eq(&self.info, &o.info)
            && self.tick == o.tick
            && self.selected == o.selected
            && Rc::ptr_eq(&self.spec, &o.spec)
            && self.on_code == o.on_code
    }
}

/// What every view is given.
#[derive(Clone, Properties)]
pub struct ViewProps {
    source: Source,
    /// Grows while it trains.
    tick: u64,
    tensors: Rc<Vec<TensorInfo>>,
    /// The layer that is open in the builder.
    selected: Option<AttrValue>,
}

impl PartialEq for ViewProps {
    fn eq(&self, o: &Self) -> bool {
        self.source == o.source
            && self.tick == o.tick
            && Rc::ptr_eq(&self.tensors, &o.tensors)
            && self.selected == o.selected
    }
}

pub use sheet::INSIDE;

/// The catalogue of the data and of what is tried.
pub const DATA_WORDS: &str = "data";

lazy! { static DATA: Shown<ViewProps>, in page data = |p| html! { <Inside><Worded words={DATA_WORDS}><data::DataView ..p /></Worded></Inside> }; }
lazy! { static SERIES: Shown<ViewProps>, in page data = |p| html! { <Inside><Worded words={DATA_WORDS}><series::Series ..p /></Worded></Inside> }; }
lazy! { static FIT: Shown<ViewProps>, in page fit = |p| html! { <Inside><fit::Fit ..p /></Inside> }; }
lazy! { static PLANE: Shown<ViewProps>, in page plane = |p| html! { <Inside><plane::Plane ..p /></Inside> }; }
lazy! { static WEIGHTS: Shown<ViewProps>, in page weights = |p| html! { <Inside><weights::Weights ..p /></Inside> }; }
lazy! { static ACTIVATIONS: Shown<ViewProps>, in page activations = |p| html! { <Inside><activations::Activations ..p /></Inside> }; }
lazy! { static NEURONS: Shown<ViewProps>, in page neurons = |p| html! { <Inside><neurons::Neurons ..p /></Inside> }; }
lazy! { static LANDSCAPE: Shown<ViewProps>, in page landscape = |p| html! { <Inside><landscape::LandscapeView ..p /></Inside> }; }
lazy! { static GRADIENTS: Shown<ViewProps>, in page gradients = |p| html! { <Inside><gradients::Gradients ..p /></Inside> }; }
lazy! { static SALIENCY: Shown<ViewProps>, in page saliency = |p| html! { <Inside><saliency::SaliencyView ..p /></Inside> }; }
lazy! { static EVALUATION: Shown<ViewProps>, in page evaluation = |p| html! { <Inside><evaluation::EvaluationView ..p /></Inside> }; }
lazy! { static AUTOENCODER: Shown<ViewProps>, in page autoencoder = |p| html! { <Inside><autoencoder::Autoencoder ..p /></Inside> }; }
lazy! { static CODE: Shown<CodeProps>, in page code = |p| html! { <CodeView ..p /> }; }
lazy! { static PLAN: Shown<ViewProps>, in page plan = |p| html! { <Inside><plan::Plan ..p /></Inside> }; }

/// Views open at once at most.
const OPEN: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Series,
    Fit,
    Plane,
    Autoencoder,
    Neurons,
    Predictions,
    Data,
    Weights,
    Activations,
    Gradients,
    Landscape,
    Evaluation,
    Saliency,
    Code,
    Plan,
}

impl View {
    const ALL: [View; 15] = [
        View::Series,
        View::Fit,
        View::Plane,
        View::Autoencoder,
        View::Neurons,
        View::Predictions,
        View::Data,
        View::Code,
        View::Weights,
        View::Activations,
        View::Gradients,
        View::Landscape,
        View::Evaluation,
        View::Saliency,
        View::Plan,
    ];

    fn id(self) -> &'static str {
        match self {
            View::Series => "series",
            View::Fit => "fit",
            View::Plane => "plane",
            View::Autoencoder => "autoencoder",
            View::Neurons => "neurons",
            View::Landscape => "landscape",
            View::Predictions => "predictions",
            View::Data => "data",
            View::Weights => "weights",
            View::Activations => "activations",
            View::Gradients => "gradients",
            View::Evaluation => "evaluation",
            View::Saliency => "saliency",
            View::Code => "code",
            View::Plan => "plan",
        }
    }

    fn title(self, source: &Source) -> String {
        match (self, &source.outcome) {
            (View::Plane, Outcome::Values { .. }) => t("tab-surface"),
            (View::Plane, _) => t("tab-boundary"),
            (view, _) => t(&format!("tab-{}", view.id())),
        }
    }

    /// Whether the data and the network have what it shows.
    fn offered(self, source: &Source, tensors: &[TensorInfo]) -> bool {
        let has = |role| tensors.iter().any(|t| t.role == role);
        match self {
            View::Fit => source.features() == 1 && source.outcome == Outcome::Values { targets: 1 },
            View::Series => series::offered(source),
            View::Plane => source.features() == 2,
            View::Neurons => source.features() == 2 && has(Role::Activation),
            View::Weights | View::Gradients | View::Landscape => has(Role::Param),
            View::Activations => has(Role::Activation),
            View::Saliency => {
                let info = &source.info;
                let outputs = info.layers.last().map_or(0, |l| l.shape.len());
                // Many numbers at once have no score of their own.
                let scores = outputs <= 1 || source.steps() > 1;
                info.spec.data.target == TargetOf::Input || scores
            }
            View::Autoencoder => autoencoder::offered(source),
            View::Predictions => !autoencoder::offered(source),
            View::Data | View::Evaluation | View::Code | View::Plan => true,
        }
    }

    /// What it shows of a run; of another run it starts anew.
    fn body(self, with: &ViewProps, code: &CodeProps, run: usize) -> Html {
        let key = format!("{}-{run}", self.id());
        let later = match self {
            View::Series => &SERIES,
            View::Fit => &FIT,
            View::Plane => &PLANE,
            View::Autoencoder => &AUTOENCODER,
            View::Neurons => &NEURONS,
            View::Landscape => &LANDSCAPE,
            // Most networks open on it.
            View::Predictions => {
                return html! { <predictions::Predictions {key} ..with.clone() /> };
            }
            // It shows the network, not the run.
            View::Code => {
                return html! { <Later<CodeProps> key="code" view={&CODE} with={code.clone()} /> };
            }
            View::Data => &DATA,
            View::Weights => &WEIGHTS,
            View::Activations => &ACTIVATIONS,
            View::Gradients => &GRADIENTS,
            View::Evaluation => &EVALUATION,
            View::Saliency => &SALIENCY,
            View::Plan => &PLAN,
        };
        html! { <Later<ViewProps> {key} view={later} with={with.clone()} /> }
    }
}

/// The views that a page which embeds this one asks for.
fn embedded() -> Vec<View> {
    let Some(embed) = crate::ui::embed::embed() else {
        return Vec::new();
    };
    let known = |id: &str| View::ALL.into_iter().find(|v| v.id() == id);
    embed.views().filter_map(known).take(OPEN).collect()
}

#[component]
pub fn Inspect(props: &InspectProps) -> Html {
    use_lang();
    let root = use_node_ref();
    let awake = use_awake(&root);
    let source = {
        let (link, info) = (props.link.clone(), props.info.clone());
        use_memo(Rc::as_ptr(&props.info) as usize, move |_| {
            Source::new(link, info)
        })
    };
    let wanted = use_state(|| embedded().first().copied());
    // Stay open beside the chosen one.
    let pinned = use_state(embedded);
    let listed = use_pull((*source).clone(), |source| async move {
        let tensors = source.tensors().await?;
        Ok((source, Rc::new(tensors)))
    });
    let tensors = listed
        .value
        .filter(|v| v.0 == *source)
        .map(|v| v.1.clone())
        .unwrap_or_default();
    let offered: Vec<View> = View::ALL
        .into_iter()
        .filter(|v| v.offered(&source, &tensors))
        .collect();
    let view = wanted.filter(|v| offered.contains(v)).unwrap_or(offered[0]);
    let source = (*source).clone();
    let kept: Vec<View> = (pinned.iter().copied())
        .filter(|v| offered.contains(v))
        .collect();
    let mut open = kept.clone();
    if !open.contains(&view) {
        open.push(view);
    }
    let titled = |v: &View| (v.id().into(), v.title(&source).into());
    let tabs: Vec<(AttrValue, AttrValue)> = offered.iter().map(titled).collect();
    let code = CodeProps {
        spec: props.spec.clone(),
        selected: props.selected.clone(),
        dispatch: props.dispatch.clone(),
        on_open: props.on_code.clone(),
        run: Some((props.link.clone(), props.info.run)),
    };
    let with = ViewProps {
        source: source.clone(),
        tick: props.tick,
        tensors,
        selected: props.selected.clone(),
    };
    let unpin = |v: View| {
        let pinned = pinned.clone();
        move || pinned.set(pinned.iter().copied().filter(|o| *o != v).collect())
    };
    let panels = open.iter().map(|v| {
        let (id, title) = titled(v);
        let beside = open.len() > 1;
        let close = kept.contains(v).then(|| {
            let unpin = unpin(*v);
            Callback::from(move |()| unpin())
        });
        html! {
            <Panel key={v.id()} {id} {title} {beside} on_close={close}>
                { v.body(&with, &code, Rc::as_ptr(&props.info) as usize) }
            </Panel>
        }
    });
    let pin = {
        let (on, pinned, unpin) = (kept.contains(&view), pinned.clone(), unpin(view));
        let onclick = Callback::from(move |_: MouseEvent| {
            if on {
                return unpin();
            }
            let mut next = (*pinned).clone();
            next.push(view);
            pinned.set(next);
        });
        let full = !on && kept.len() + 1 >= OPEN;
        let label = match (on, full) {
            (true, _) => t("inspect-unpin"),
            (_, true) => t_args("inspect-pin-full", &[("n", OPEN.into())]),
            _ => t("inspect-pin"),
        };
        html! {
            <IconButton icon={Icon::Beside} class={classes!("look-pin", on.then_some("on"))}
                {label} disabled={full} {onclick} />
        }
    };
    let onchange = {
        let wanted = wanted.clone();
        Callback::from(move |id: AttrValue| {
            wanted.set(View::ALL.into_iter().find(|v| v.id() == id));
        })
    };
    html! {
        <section class="inspect" ref={root}>
            <ContextProvider<Awake> context={awake}>
                <Tabs {tabs} current={view.id()} open={open.iter().map(|v| v.id().into()).collect::<Vec<_>>()}
                    {onchange} label={t("inspect-title")} tools={pin}>
                    { for panels }
                </Tabs>
            </ContextProvider<Awake>>
        </section>
    }
}

/// What there is to see of a network that cannot be run: its script.
#[component]
pub fn Without(props: &CodeProps) -> Html {
    use_lang();
    let open = use_state_eq(|| false);
    let ontoggle = {
        let open = open.clone();
        Callback::from(move |e: Event| {
            let details: Option<Element> = e.target().and_then(|t| t.dyn_into().ok());
            open.set(details.is_some_and(|d| d.has_attribute("open")));
        })
    };
    html! {
        <>
            <p class="empty">{ t("inside-empty") }</p>
            <details class="more without" {ontoggle}>
                <summary>{ t("tab-code") }</summary>
                if *open {
                    <Later<CodeProps> view={&CODE} with={props.clone()} />
                }
            </details>
        </>
    }
}

/// Whether an element is in sight, on a page that is.
#[hook]
fn use_awake(root: &NodeRef) -> Awake {
    let in_sight = use_state_eq(|| true);
    let page_shown = use_state_eq(|| !document().hidden());
    {
        let (root, in_sight, page_shown) = (root.clone(), in_sight.setter(), page_shown.setter());
        use_effect_with((), move |()| {
            let listener = EventListener::new(&document(), "visibilitychange", move |_| {
                page_shown.set(!document().hidden());
            });
            let seen = Closure::<dyn Fn(js_sys::Array)>::new(move |entries: js_sys::Array| {
                let last: Option<IntersectionObserverEntry> =
                    entries.iter().last().map(|e| e.unchecked_into());
                in_sight.set(last.is_none_or(|e| e.is_intersecting()));
            });
            let observer = IntersectionObserver::new(seen.as_ref().unchecked_ref()).ok();
            if let (Some(o), Some(element)) = (&observer, root.cast::<Element>()) {
                o.observe(&element);
            }
            move || {
                if let Some(o) = observer {
                    o.disconnect();
                }
                drop((listener, seen));
            }
        });
    }
    Awake(*in_sight && *page_shown)
}
