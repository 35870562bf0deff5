//! Coming closer to a picture of cells: by buttons, by the wheel with Ctrl, and by two fingers.
use gloo::events::{EventListener, EventListenerOptions};
use js_sys::Reflect;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, WheelEvent};
use yew::prelude::*;

/// Sizes of a cell in CSS pixels, beside the one that fits.
const CELLS: [f64; 5] = [4.0, 8.0, 16.0, 32.0, 56.0];
/// From this size on a cell has room for its number.
pub const ROOM: f64 = 48.0;

/// The part of a scrolled box that is seen, in CSS pixels: left, top, width, height.
pub type Seen = [f64; 4];

#[derive(Clone)]
pub struct Zoom {
    /// 0: as large as fits.
    pub level: usize,
    levels: Rc<Vec<f64>>,
    set: Callback<(usize, Option<(f64, f64)>)>,
    /// The box that scrolls.
    pub scroll: NodeRef,
    pub seen: Seen,
    pub onscroll: Callback<Event>,
}

impl Zoom {
    /// Size of a cell, unless it is as large as fits.
    pub fn cell(&self) -> Option<f64> {
        self.level
            .checked_sub(1)
            .and_then(|k| self.levels.get(k))
            .copied()
    }
    pub fn can(&self, by: isize) -> bool {
        self.level
            .checked_add_signed(by)
            .is_some_and(|l| l <= self.levels.len())
    }
    pub fn step(&self, by: isize) {
        if self.can(by) {
            self.set.emit((self.level.saturating_add_signed(by), None));
        }
    }
}

/// Distance of two fingers, and the point between them.
fn fingers(e: &Event) -> Option<(f64, (f64, f64))> {
    let get = |o: &JsValue, name: &str| Reflect::get(o, &name.into()).ok();
    let touches = get(e.as_ref(), "touches")?;
    if get(&touches, "length")?.as_f64()? != 2.0 {
        return None;
    }
    let at = |i: &str, axis: &str| get(&get(&touches, i)?, axis)?.as_f64();
    let (ax, ay) = (at("0", "clientX")?, at("0", "clientY")?);
    let (bx, by) = (at("1", "clientX")?, at("1", "clientY")?);
    Some(((ax - bx).hypot(ay - by), ((ax + bx) / 2.0, (ay + by) / 2.0)))
}

fn seen(e: &HtmlElement) -> Seen {
    [
        e.scroll_left(),
        e.scroll_top(),
        e.client_width(),
        e.client_height(),
    ]
    .map(f64::from)
}

/// `fit`: the size of a cell where everything fits, as far as that is known; 0 where it may be smaller.
#[hook]
pub fn use_zoom(fit: f64, on: bool) -> Zoom {
    let levels: Rc<Vec<f64>> = Rc::new(CELLS.into_iter().filter(|c| *c > fit * 1.3).collect());
    let level = use_state_eq(|| 0usize);
    let now = (*level).min(levels.len());
    let view = use_state_eq(|| [0.0; 4]);
    let scroll = use_node_ref();
    // Where on the content, as a share of its size, and where on the screen.
    let anchor = use_memo((), |()| Cell::new(None::<[f64; 4]>));
    let set = {
        let (level, scroll, anchor) = (level.setter(), scroll.clone(), anchor.clone());
        Callback::from(move |(to, at): (usize, Option<(f64, f64)>)| {
            if let Some(e) = scroll.cast::<HtmlElement>() {
                let r = e.get_bounding_client_rect();
                let (px, py) = at.map_or(
                    (
                        f64::from(e.client_width()) / 2.0,
                        f64::from(e.client_height()) / 2.0,
                    ),
                    |(x, y)| (x - r.left(), y - r.top()),
                );
                let (w, h) = (f64::from(e.scroll_width()), f64::from(e.scroll_height()));
                let share =
                    |scrolled: i32, p: f64, all: f64| (f64::from(scrolled) + p) / all.max(1.0);
                anchor.set(Some([
                    share(e.scroll_left(), px, w),
                    share(e.scroll_top(), py, h),
                    px,
                    py,
                ]));
            }
            level.set(to);
        })
    };
    {
        let (scroll, view) = (scroll.clone(), view.setter());
        use_effect_with(now, move |_| {
            if let Some(e) = scroll.cast::<HtmlElement>() {
                if let Some([sx, sy, px, py]) = anchor.take() {
                    e.set_scroll_left((sx * f64::from(e.scroll_width()) - px) as i32);
                    e.set_scroll_top((sy * f64::from(e.scroll_height()) - py) as i32);
                }
                view.set(seen(&e));
            }
        });
    }
    {
        let (scroll, set, most) = (scroll.clone(), set.clone(), levels.len());
        use_effect_with((now, most, on), move |(now, most, on)| {
            let (now, most) = (*now, *most);
            let to = move |by: isize| now.saturating_add_signed(by).min(most);
            let element = scroll.cast::<HtmlElement>().filter(|_| *on);
            let listeners = element.map(|e| {
                let options = EventListenerOptions::enable_prevent_default();
                let by_wheel = set.clone();
                let wheel = EventListener::new_with_options(&e, "wheel", options, move |e| {
                    let Some(w) = e.dyn_ref::<WheelEvent>() else {
                        return;
                    };
                    // Without a key the wheel scrolls; a pinch on a touchpad comes with Ctrl.
                    if w.ctrl_key() || w.meta_key() {
                        w.prevent_default();
                        let by = if w.delta_y() < 0.0 { 1 } else { -1 };
                        let at = (f64::from(w.client_x()), f64::from(w.client_y()));
                        by_wheel.emit((to(by), Some(at)));
                    }
                });
                let begun = Rc::new(Cell::new(None::<f64>));
                let pinch = {
                    let begun = begun.clone();
                    EventListener::new_with_options(&e, "touchmove", options, move |e| {
                        let Some((apart, at)) = fingers(e) else {
                            return begun.set(None);
                        };
                        e.prevent_default();
                        let from = begun.get().unwrap_or(apart);
                        begun.set(Some(from));
                        let by = match apart / from.max(1.0) {
                            r if r > 1.5 => 1,
                            r if r < 0.67 => -1,
                            _ => return,
                        };
                        begun.set(Some(apart));
                        set.emit((to(by), Some(at)));
                    })
                };
                let end = EventListener::new(&e, "touchend", move |_| begun.set(None));
                [wheel, pinch, end]
            });
            move || drop(listeners)
        });
    }
    let onscroll = {
        let view = view.setter();
        Callback::from(move |e: Event| view.set(seen(&e.target_unchecked_into::<HtmlElement>())))
    };
    Zoom {
        level: now,
        levels,
        set,
        scroll,
        seen: *view,
        onscroll,
    }
}
