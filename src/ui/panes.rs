//! The bars between panes, which a pointer drags and arrow keys move.
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

/// The element of this kind that a pointer event happened in. (Its `currentTarget` is the root
/// of the page, where Yew listens for all.)
fn target_in(e: &PointerEvent, selector: &str) -> Option<Element> {
    let target = e.target()?.dyn_into::<Element>().ok()?;
    target.closest(selector).ok().flatten()
}

/// Sends the pointer's further events to this element until it is released.
pub fn capture(e: &PointerEvent, selector: &str) {
    e.prevent_default();
    if let Some(t) = target_in(e, selector) {
        // Without the capture the drag ends at the element's edge, no worse.
        let _ = t.set_pointer_capture(e.pointer_id());
    }
}

/// Whether the pointer's events are sent to this element.
pub fn captured(e: &PointerEvent, selector: &str) -> bool {
    target_in(e, selector).is_some_and(|t| t.has_pointer_capture(e.pointer_id()))
}

/// What a pixel of movement adds to a bar's value; negative where the pane lies behind the bar.
#[derive(Clone, Copy, PartialEq)]
pub enum PerPixel {
    By(f64),
    /// The value is a share of the window's height, which is asked for when the bar is moved: asking
    /// while the page is being drawn would make the browser lay it out at once.
    OfHeight,
}

impl PerPixel {
    fn get(self) -> f64 {
        match self {
            PerPixel::By(by) => by,
            PerPixel::OfHeight => {
                let root = gloo::utils::document().document_element();
                1.0 / root.map_or(800.0, |e| f64::from(e.client_height().max(1)))
            }
        }
    }
}

#[derive(Properties, PartialEq)]
pub struct SplitterProps {
    pub label: AttrValue,
    /// Whether the bar lies flat, between an upper and a lower pane.
    #[prop_or_default]
    pub flat: bool,
    pub value: f64,
    pub min: f64,
    pub max: f64,
    pub per_pixel: PerPixel,
    pub on_change: Callback<f64>,
}

#[component]
pub fn Splitter(props: &SplitterProps) -> Html {
    // Where the pointer took hold, and the value then.
    let held = use_mut_ref(|| None::<(f64, f64)>);
    let (flat, min, max, by) = (props.flat, props.min, props.max, props.per_pixel);
    let place = move |e: &PointerEvent| f64::from(if flat { e.client_y() } else { e.client_x() });
    let onpointerdown = {
        let (held, value) = (held.clone(), props.value);
        Callback::from(move |e: PointerEvent| {
            *held.borrow_mut() = Some((place(&e), value));
            capture(&e, ".splitter");
        })
    };
    let onpointermove = {
        let (held, emit) = (held.clone(), props.on_change.clone());
        Callback::from(move |e: PointerEvent| {
            if let Some((from, value)) = *held.borrow() {
                emit.emit((value + (place(&e) - from) * by.get()).clamp(min, max));
            }
        })
    };
    let release = {
        let held = held.clone();
        Callback::from(move |_: PointerEvent| *held.borrow_mut() = None)
    };
    let onkeydown = {
        let (emit, value) = (props.on_change.clone(), props.value);
        Callback::from(move |e: KeyboardEvent| {
            let pixels = match e.key().as_str() {
                "ArrowLeft" | "ArrowUp" => -16.0,
                "ArrowRight" | "ArrowDown" => 16.0,
                _ => return,
            };
            e.prevent_default();
            emit.emit((value + pixels * by.get()).clamp(min, max));
        })
    };
    let share = ((props.value - min) / (max - min) * 100.0).clamp(0.0, 100.0);
    html! {
        <div
            class={classes!("splitter", flat.then_some("flat"))}
            role="separator"
            tabindex="0"
            aria-orientation={if flat { "horizontal" } else { "vertical" }}
            aria-label={props.label.clone()}
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow={format!("{share:.0}")}
            {onpointerdown}
            {onpointermove}
            onpointerup={release.clone()}
            onpointercancel={release}
            {onkeydown}
        ></div>
    }
}
