//! Zooming and panning by mouse, wheel, fingers and keys.
use super::loss_plot::{Change, Shared, View};
use crate::plotting::zoom::{Span, panned, pinched, zoomed};
use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::{document, window};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, WheelEvent};
use yew::prelude::*;

/// A mouse that moved less than this, in pixels, was only pressed.
const CLICK: f64 = 4.0;
/// What a key, a button or a notch of the wheel comes closer.
pub const CLOSER: f64 = 0.7;

/// What pointers are doing to the view; places in pixels.
#[derive(Clone, Debug, PartialEq)]
pub enum Gesture {
    /// A mouse marks a range.
    Mark { from: f64 },
    /// A mouse drags the picture; the view when it began.
    Drag { view: Span, from: f64 },
    /// Fingers, by their ids: one only reads, two hold a step each.
    Fingers {
        at: Vec<(i32, f64)>,
        steps: Option<[f64; 2]>,
    },
}

/// What the handlers of all charts work on.
#[derive(Clone)]
pub struct Hands {
    pub shared: Rc<Shared>,
    pub change: Change,
}

impl Hands {
    /// All steps, and those in view.
    fn spans(&self) -> Option<(Span, Span)> {
        let (view, all) = &*self.shared.latest.borrow();
        let all = (*all)?;
        Some((all, view.window.unwrap_or(all)))
    }

    fn look(&self, window: Option<Span>) {
        self.change
            .emit(Box::new(move |v: &mut View| v.window = window));
    }

    /// The step at a place of a chart.
    fn step(&self, which: usize, x: f64) -> f64 {
        let (area, scale) = self.shared.charts[which].place.get();
        scale.value(((x - area.left) / area.width).clamp(0.0, 1.0))
    }

    pub fn down(&self, which: usize) -> Callback<PointerEvent> {
        let hands = self.clone();
        Callback::from(move |e: PointerEvent| {
            let Some((_, view)) = hands.spans() else {
                return;
            };
            let x = f64::from(e.offset_x());
            let mut gesture = hands.shared.gesture.borrow_mut();
            if e.pointer_type() != "mouse" {
                let mut at = match gesture.take() {
                    Some(Gesture::Fingers { at, .. }) => at,
                    _ => Vec::new(),
                };
                at.retain(|f| f.0 != e.pointer_id());
                at.push((e.pointer_id(), x));
                let steps = match at[..] {
                    [a, b] => Some([hands.step(which, a.1), hands.step(which, b.1)]),
                    _ => None,
                };
                *gesture = Some(Gesture::Fingers { at, steps });
                return;
            }
            if e.button() > 1 {
                return;
            }
            if let Some(t) = e.target().and_then(|t| t.dyn_into::<Element>().ok()) {
                // Without the capture the drag ends at the element's edge, no worse.
                let _ = t.set_pointer_capture(e.pointer_id());
            }
            *gesture = Some(match e.shift_key() || e.button() == 1 {
                true => Gesture::Drag { view, from: x },
                false => Gesture::Mark { from: x },
            });
        })
    }

    pub fn moved(&self, which: usize) -> Callback<PointerEvent> {
        let hands = self.clone();
        Callback::from(move |e: PointerEvent| {
            let Some((all, _)) = hands.spans() else {
                return;
            };
            let x = f64::from(e.offset_x());
            let (area, _) = hands.shared.charts[which].place.get();
            match &mut *hands.shared.gesture.borrow_mut() {
                Some(Gesture::Mark { from }) if (x - *from).abs() > CLICK => {
                    let marked = Some((hands.step(which, *from), hands.step(which, x)));
                    hands
                        .change
                        .emit(Box::new(move |v: &mut View| v.marked = marked));
                }
                Some(Gesture::Drag { view, from }) => {
                    let by = (*from - x) / area.width * (view.1 - view.0);
                    hands.look(panned(*view, by, all));
                }
                Some(Gesture::Fingers { at, steps }) => {
                    if let Some(finger) = at.iter_mut().find(|f| f.0 == e.pointer_id()) {
                        finger.1 = x;
                    }
                    if let (Some(steps), [a, b]) = (steps, &at[..]) {
                        hands.look(pinched([a.1, b.1], *steps, area.left, area.width, all));
                    }
                }
                _ => {}
            }
        })
    }

    pub fn up(&self, which: usize) -> Callback<PointerEvent> {
        let hands = self.clone();
        Callback::from(move |e: PointerEvent| {
            let x = f64::from(e.offset_x());
            let mut gesture = hands.shared.gesture.borrow_mut();
            match gesture.take() {
                Some(Gesture::Mark { from }) => {
                    let far = e.type_() == "pointerup" && (x - from).abs() > CLICK;
                    let (a, b) = (hands.step(which, from), hands.step(which, x));
                    let all = hands.spans().map(|s| s.0).filter(|_| far);
                    hands.change.emit(Box::new(move |v: &mut View| {
                        v.marked = None;
                        if let Some(all) = all {
                            let span = (a.min(b), a.max(b));
                            v.window = crate::plotting::zoom::fitted(span, all);
                        }
                    }));
                }
                Some(Gesture::Fingers { mut at, .. }) => {
                    at.retain(|f| f.0 != e.pointer_id());
                    *gesture = (!at.is_empty()).then_some(Gesture::Fingers { at, steps: None });
                }
                _ => {}
            }
        })
    }

    /// Comes closer to the cursor, or to the end; farther with a factor above 1.
    pub fn zoom(&self, factor: f64) {
        if let Some((all, view)) = self.spans() {
            let cursor = self.shared.latest.borrow().0.cursor;
            let around = cursor.filter(|c| *c >= view.0 && *c <= view.1);
            self.look(zoomed(view, around.unwrap_or(view.1), factor, all));
        }
    }

    /// Moves by a share of what is in view.
    pub fn pan(&self, share: f64) {
        if let Some((all, view)) = self.spans() {
            self.look(panned(view, share * (view.1 - view.0), all));
        }
    }

    pub fn reset(&self) {
        self.change.emit(Box::new(|v: &mut View| {
            v.window = None;
            v.marked = None;
        }));
    }

    /// Whether a key was for the view.
    pub fn key(&self, e: &KeyboardEvent) -> bool {
        if e.ctrl_key() || e.meta_key() || e.alt_key() {
            return false;
        }
        match (e.key().as_str(), e.shift_key()) {
            ("+" | "=", _) => self.zoom(CLOSER),
            ("-" | "_", _) => self.zoom(1.0 / CLOSER),
            ("0", _) => self.reset(),
            ("ArrowLeft", true) => self.pan(-0.1),
            ("ArrowRight", true) => self.pan(0.1),
            _ => return false,
        }
        true
    }

    /// The wheel zooms where the page has nothing to scroll, or with Ctrl, as pinching a touch pad
    /// does; sideways it pans.
    fn wheel(&self, e: &WheelEvent) {
        let place = e
            .target()
            .and_then(|t| t.dyn_into::<Element>().ok())
            .and_then(|t| t.closest("[data-chart]").ok().flatten());
        let Some(place) = place else { return };
        let scrolls = document().scrolling_element().is_some_and(|s| {
            let height = window().inner_height().ok().and_then(|h| h.as_f64());
            f64::from(s.scroll_height()) > height.unwrap_or(0.0) + 1.0
        });
        let control = e.ctrl_key() || e.meta_key();
        let sideways = e.delta_x().abs() > e.delta_y().abs();
        if !control && (scrolls && !sideways) {
            return;
        }
        let Some((all, view)) = self.spans() else {
            return;
        };
        e.prevent_default();
        let which = place
            .get_attribute("data-chart")
            .and_then(|w| w.parse().ok())
            .filter(|w| *w < self.shared.charts.len())
            .unwrap_or(0);
        // A line is about 16 pixels.
        let unit = if e.delta_mode() == 0 { 1.0 } else { 16.0 };
        if sideways {
            let (area, _) = self.shared.charts[which].place.get();
            let by = e.delta_x() * unit / area.width.max(1.0) * (view.1 - view.0);
            self.look(panned(view, by, all));
        } else {
            let x = f64::from(e.client_x()) - place.get_bounding_client_rect().left();
            let speed = if e.ctrl_key() { 0.01 } else { 0.002 };
            let factor = (e.delta_y() * unit * speed).clamp(-0.7, 0.7).exp();
            self.look(zoomed(view, self.step(which, x), factor, all));
        }
    }
}

/// Listens to the wheel over the charts. (Not through Yew, whose listeners cannot keep a page from
/// scrolling.)
#[hook]
pub fn use_wheel(root: &NodeRef, hands: &Hands, there: bool) {
    let (root, hands) = (root.clone(), hands.clone());
    use_effect_with(there, move |_| {
        let listener = root.cast::<Element>().map(|root| {
            let options = EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&root, "wheel", options, move |e| {
                if let Some(e) = e.dyn_ref::<WheelEvent>() {
                    hands.wheel(e);
                }
            })
        });
        move || drop(listener)
    });
}
