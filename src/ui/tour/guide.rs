//! A card that walks from part to part of the page and says what each is for. The page stays as
//! usable as ever; the tour ends at any time.
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::icons::{Icon, IconButton};
use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::utils::{document, window};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::prelude::*;

/// The catalogue of its words.
pub const WORDS: &str = "tour";

/// A part of the page: its words, where it is, and the view of a narrow screen that shows it.
struct Stop {
    key: &'static str,
    at: &'static str,
    pane: Option<Pane>,
}

/// The views among which a narrow screen chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Setup,
    Network,
    Result,
}

const STOPS: [Stop; 7] = [
    Stop {
        key: "train",
        at: ".controls",
        pane: Some(Pane::Result),
    },
    Stop {
        key: "loss",
        at: ".plot-charts",
        pane: Some(Pane::Result),
    },
    Stop {
        key: "score",
        at: ".plot-pane > .headline",
        pane: Some(Pane::Result),
    },
    Stop {
        key: "network",
        at: "#pane-network [data-layer]",
        pane: Some(Pane::Network),
    },
    Stop {
        key: "settings",
        at: "[aria-labelledby=training-title]",
        pane: Some(Pane::Setup),
    },
    Stop {
        key: "inside",
        at: ".look-bar",
        pane: Some(Pane::Result),
    },
    Stop {
        key: "yours",
        at: ".which",
        pane: None,
    },
];

/// Distances in CSS pixels.
const GAP: f64 = 12.0;
const RING: f64 = 4.0;
/// Narrower than this the card stands at the edge of the screen.
const NARROW: f64 = 1024.0;

/// A box on the screen, in whole CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Place {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Place {
    fn of(e: &Element) -> Place {
        let r = e.get_bounding_client_rect();
        Place {
            left: r.left().round(),
            top: r.top().round(),
            width: r.width().round(),
            height: r.height().round(),
        }
    }

    /// What of it is on a screen of this size, with room for the ring.
    fn on(self, (w, h): (f64, f64)) -> Place {
        let (left, top) = ((self.left - RING).max(1.0), (self.top - RING).max(1.0));
        Place {
            left,
            top,
            width: (self.left + self.width + RING).min(w - 1.0) - left,
            height: (self.top + self.height + RING).min(h - 1.0) - top,
        }
    }

    fn style(self) -> String {
        let Place {
            left,
            top,
            width,
            height,
        } = self;
        format!("left:{left}px;top:{top}px;width:{width}px;height:{height}px")
    }
}

fn screen() -> (f64, f64) {
    let e = document().document_element();
    let height = window().inner_height().ok().and_then(|h| h.as_f64());
    (
        e.map_or(1280.0, |e| f64::from(e.client_width())),
        height.unwrap_or(800.0),
    )
}

/// Where a card of this size stands best: below, above or beside what it is about, and wholly on
/// the screen.
fn beside(target: Place, (width, height): (f64, f64), (w, h): (f64, f64)) -> (f64, f64) {
    let (most_left, most_top) = ((w - width - GAP).max(GAP), (h - height - GAP).max(GAP));
    let clamp = |v: f64, most: f64| v.min(most).max(GAP);
    let (right, bottom) = (target.left + target.width, target.top + target.height);
    if w < NARROW {
        let above = target.top + target.height / 2.0 > h / 2.0;
        let over = if above { GAP } else { most_top };
        return (clamp((w - width) / 2.0, most_left), over);
    }
    if bottom + GAP + height + GAP <= h {
        (clamp(target.left, most_left), bottom + GAP)
    } else if target.left - GAP - width >= GAP {
        (target.left - GAP - width, clamp(target.top, most_top))
    } else if right + GAP + width + GAP <= w {
        (right + GAP, clamp(target.top, most_top))
    } else {
        let above = target.top - GAP - height;
        (clamp(target.left, most_left), clamp(above, most_top))
    }
}

/// What the loop over frames works on.
struct Loop {
    frame: RefCell<Option<AnimationFrame>>,
    card: NodeRef,
    show: UseStateSetter<Option<(Place, (f64, f64))>>,
    stop: usize,
}

impl Loop {
    fn go(self: &Rc<Self>) {
        let this = self.clone();
        let frame = request_animation_frame(move |_| {
            this.look();
            this.go();
        });
        self.frame.replace(Some(frame));
    }

    fn look(&self) {
        let target = find(&STOPS[self.stop]);
        let (Some(target), Some(card)) = (target, self.card.cast::<HtmlElement>()) else {
            return;
        };
        let (screen, at) = (screen(), Place::of(&target));
        let size = (
            f64::from(card.offset_width()),
            f64::from(card.offset_height()),
        );
        let ring = at.on(screen);
        self.show.set(Some((ring, beside(ring, size, screen))));
    }
}

fn find(stop: &Stop) -> Option<Element> {
    document().query_selector(stop.at).ok().flatten()
}

#[derive(Clone, Properties, PartialEq)]
pub struct GuideProps {
    /// Asks a narrow screen for a view.
    pub on_pane: Callback<Pane>,
    pub on_close: Callback<()>,
}

#[component]
pub fn Guide(props: &GuideProps) -> Html {
    use_lang();
    let at = use_state_eq(|| 0usize);
    let place = use_state_eq(|| None::<(Place, (f64, f64))>);
    let card = use_node_ref();
    // The focus goes back to where it was.
    use_effect_with((), |()| {
        let before = document().active_element();
        move || {
            let kept = before.filter(|e| e.is_connected() && e.tag_name() != "BODY");
            let back = kept.or_else(|| document().query_selector(".menu-root > button").ok()?);
            if let Some(e) = back.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
                // What cannot take the focus any more leaves it to the page.
                let _ = e.focus();
            }
        }
    });
    {
        let (card, show, on_pane) = (card.clone(), place.setter(), props.on_pane.clone());
        use_effect_with(*at, move |stop| {
            let stop = *stop;
            if let Some(pane) = STOPS[stop].pane {
                on_pane.emit(pane);
            }
            if let Some(card) = card.cast::<HtmlElement>() {
                // A card that does not take the focus is still to be seen.
                let _ = card.focus();
            }
            let following = Rc::new(Loop {
                frame: RefCell::default(),
                card,
                show,
                stop,
            });
            let first = {
                let following = following.clone();
                // The view that holds it is on the page by the next frame.
                request_animation_frame(move |_| {
                    if let Some(target) = find(&STOPS[stop]) {
                        let options = ScrollIntoViewOptions::new();
                        options.set_block(ScrollLogicalPosition::Nearest);
                        target.scroll_into_view_with_scroll_into_view_options(&options);
                    }
                    following.look();
                    following.go();
                })
            };
            move || {
                drop(first);
                following.frame.take();
            }
        });
    }
    let go = |to: Option<usize>| {
        let (at, on_close) = (at.clone(), props.on_close.clone());
        move || match to {
            Some(to) if to < STOPS.len() => at.set(to),
            _ => on_close.emit(()),
        }
    };
    let (back, next, close) = (go(Some(at.saturating_sub(1))), go(Some(*at + 1)), go(None));
    let onkeydown = {
        let (back, next, close) = (back.clone(), next.clone(), close.clone());
        Callback::from(move |e: KeyboardEvent| {
            match e.key().as_str() {
                "Escape" => close(),
                "ArrowRight" => next(),
                "ArrowLeft" => back(),
                _ => return,
            }
            e.prevent_default();
            e.stop_propagation();
        })
    };
    let click = |f: Box<dyn Fn()>| Callback::from(move |_: MouseEvent| f());
    let stop = &STOPS[*at];
    let last = *at + 1 == STOPS.len();
    let (ring, style) = match *place {
        Some((ring, (left, top))) => (
            Some(ring.style()),
            format!("left:{left:.0}px;top:{top:.0}px"),
        ),
        // Not hidden: it takes the focus before it has found its place.
        None => (None, "position:fixed;opacity:0".to_string()),
    };
    html! {
        <>
            <link rel="stylesheet" href="./css/tour.css" />
            if let Some(style) = ring {
                <div class="tour-ring" {style} aria-hidden="true"></div>
            }
            <div class="tour-card" role="dialog" aria-labelledby="tour-title" aria-describedby="tour-text"
                tabindex="-1" ref={card} {style} {onkeydown}>
                <div class="tour-head">
                    <h2 id="tour-title">{ t(&format!("tour-{}-title", stop.key)) }</h2>
                    <IconButton icon={Icon::Close} label={t("tour-end")} onclick={click(Box::new(close))} />
                </div>
                <p id="tour-text">{ t(&format!("tour-{}", stop.key)) }</p>
                <div class="tour-steps">
                    <span class="dim figure">{ t_args("tour-of", &[("n", (*at + 1).into()), ("all", STOPS.len().into())]) }</span>
                    <button type="button" class="button" disabled={*at == 0} onclick={click(Box::new(back))}>{ t("tour-back") }</button>
                    <button type="button" class="button primary" onclick={click(Box::new(next))}>{ t(if last { "tour-done" } else { "tour-next" }) }</button>
                </div>
            </div>
        </>
    }
}
