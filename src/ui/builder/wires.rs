//! Connections that lead past other cards, drawn in lanes beside them. Where they lie is read from the page
//! after it has been laid out, once per frame at most, and again whenever the list changes its size.
use super::WORDS;
use super::ask::Ask;
use crate::spec::Spec;
use crate::spec::edit::path;
use crate::spec::flow::{End, Flow, flow};
use crate::ui::i18n::{t, t_args, use_lang, use_more};
use gloo::events::EventListener;
use gloo::render::{AnimationFrame, request_animation_frame};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, ResizeObserver};
use yew::prelude::*;

#[derive(Clone, Properties, PartialEq)]
pub struct WiresProps {
    pub spec: Rc<Spec>,
    /// Paths of the groups that are open.
    pub open: Rc<BTreeSet<String>>,
    pub selected: Option<AttrValue>,
    /// What holds the cards, and room for the lanes at its left.
    pub frame: NodeRef,
    pub on_ask: Callback<Ask>,
}

/// Width of a lane, and what lies between the innermost one and the cards, in pixels.
const LANE: f64 = 11.0;
const GAP: f64 = 15.0;
/// Radius of the corners.
const ROUND: f64 = 7.0;

/// A connection as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Wire {
    line: String,
    dot: (f64, f64),
    tip: String,
    from: End,
    to: End,
    past: usize,
}

fn selector(end: &End) -> String {
    let quoted = |name: &str| name.replace(['"', '\\'], "");
    match end {
        End::Input => ".card.ends".to_string(),
        End::Layer(id) => format!("[data-layer=\"{}\"]", quoted(id)),
        End::Group(path) => format!("[data-group=\"{}\"]", quoted(path)),
    }
}

fn name(end: &End) -> String {
    match end {
        End::Input => t("input"),
        End::Layer(id) => id.clone(),
        End::Group(path) => path::leaf(path).to_string(),
    }
}

/// The left end and the middle of a card's line, within the frame.
fn socket(frame: &Element, end: &End) -> Option<(f64, f64)> {
    let card = frame.query_selector(&selector(end)).ok()??;
    let head = card.query_selector(".card-head").ok()??;
    let (outer, card, head) = (
        frame.get_bounding_client_rect(),
        card.get_bounding_client_rect(),
        head.get_bounding_client_rect(),
    );
    // A list that is not in sight has no places.
    let middle = head.top() + head.height().min(40.0) / 2.0;
    (head.height() > 0.0).then(|| (card.left() - outer.left(), middle - outer.top()))
}

fn lay(frame: &Element, flow: &Flow) -> Vec<Wire> {
    let room = GAP + LANE * flow.lanes as f64;
    // How many come in at an end, and which of them each is, the inner lanes above.
    let mut order: Vec<usize> = (0..flow.links.len()).collect();
    order.sort_by_key(|i| flow.links[*i].lane);
    let place = |i: usize| {
        let to = &flow.links[i].to;
        let same: Vec<usize> = (order.iter().copied())
            .filter(|k| flow.links[*k].to == *to)
            .collect();
        let at = same.iter().position(|k| *k == i).unwrap_or(0);
        match same.len() {
            0 | 1 => -5.0,
            n => -9.0 + 13.0 * at as f64 / (n - 1) as f64,
        }
    };
    let each = flow.links.iter().enumerate().filter_map(|(i, link)| {
        let (x1, y1) = socket(frame, &link.from)?;
        let (x2, y2) = socket(frame, &link.to)?;
        let (y1, y2) = (y1 + 8.0, y2 + place(i));
        let x = room - GAP - LANE * (link.lane as f64 + 0.5);
        let (tip, r) = (x2 - 1.0, ROUND.min((y2 - y1).abs() / 2.0));
        Some(Wire {
            line: format!(
                "M{x1:.1} {y1:.1}H{:.1}Q{x:.1} {y1:.1} {x:.1} {:.1}V{:.1}Q{x:.1} {y2:.1} {:.1} {y2:.1}H{:.1}",
                x + r,
                y1 + r,
                y2 - r,
                x + r,
                tip - 4.0
            ),
            dot: (x1, y1),
            tip: format!(
                "M{:.1} {:.1}L{tip:.1} {y2:.1}L{:.1} {:.1}Z",
                tip - 6.0,
                y2 - 4.0,
                tip - 6.0,
                y2 + 4.0
            ),
            from: link.from.clone(),
            to: link.to.clone(),
            past: link.past,
        })
    });
    each.collect()
}

/// Makes room for the lanes, and parts the rows between which no data goes. (The list is drawn without
/// knowing of connections, whose code comes later.)
fn prepare(frame: &HtmlElement, flow: &Flow) {
    let room = match flow.lanes {
        0 => String::new(),
        n => format!("{:.0}px", GAP + LANE * n as f64),
    };
    // Failing, the lanes lie over the cards' edge.
    let _ = frame.style().set_property("padding-left", &room);
    let Ok(places) = frame.query_selector_all(".place") else {
        return;
    };
    for i in 0..places.length() {
        let Some(place) = places.item(i).and_then(|p| p.dyn_into::<Element>().ok()) else {
            continue;
        };
        let at = place.get_attribute("data-at").and_then(|a| a.parse().ok());
        // Failing, a line remains that means nothing.
        let _ = place.toggle_attribute_with_force(
            "data-apart",
            at.is_some_and(|at: usize| flow.apart.contains(&at)),
        );
    }
}

/// Marks both ends of a connection, or takes the marks away.
fn light(frame: &Element, wire: &Wire, on: bool) {
    for end in [&wire.from, &wire.to] {
        if let Ok(Some(card)) = frame.query_selector(&selector(end)) {
            // Failing, the connection itself is marked all the same.
            let _ = card.toggle_attribute_with_force("data-lit", on);
        }
    }
}

/// What is shown of the page's own layout, and how it is asked for again.
#[derive(Default)]
struct Ruler {
    flow: RefCell<Rc<Flow>>,
    frame: RefCell<Option<AnimationFrame>>,
}

#[component]
pub fn Wires(props: &WiresProps) -> Html {
    use_lang();
    let here = use_more(WORDS);
    let ruler = use_memo((), |()| Ruler::default());
    let wires = use_state_eq(|| Rc::new(Vec::<Wire>::new()));
    // The connection that is pointed at, and the card.
    let lit = use_state_eq(|| None::<usize>);
    let near = use_state_eq(|| None::<End>);
    let flow = use_memo((props.spec.clone(), props.open.clone()), |(spec, open)| {
        flow(spec, &|group| open.contains(group))
    });
    let measure: Rc<dyn Fn()> = {
        let (ruler, at, wires) = (ruler.clone(), props.frame.clone(), wires.setter());
        Rc::new(move || {
            let mut frame = ruler.frame.borrow_mut();
            if frame.is_none() {
                let (ruler, at, wires) = (ruler.clone(), at.clone(), wires.clone());
                *frame = Some(request_animation_frame(move |_| {
                    ruler.frame.take();
                    if let Some(list) = at.cast::<Element>() {
                        wires.set(Rc::new(lay(&list, &ruler.flow.borrow())));
                    }
                }));
            }
        })
    };
    {
        let (ruler, at, measure) = (ruler.clone(), props.frame.clone(), measure.clone());
        use_effect_with((flow, props.spec.clone()), move |(flow, _)| {
            ruler.flow.replace(flow.clone());
            if let Some(list) = at.cast::<HtmlElement>() {
                prepare(&list, flow);
            }
            measure();
        });
    }
    {
        let (ruler, at, near) = (ruler.clone(), props.frame.clone(), near.setter());
        use_effect_with((), move |()| {
            let on_resize = Closure::<dyn FnMut()>::new(move || measure());
            let resize = ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok();
            let list = at.cast::<Element>();
            if let (Some(r), Some(list)) = (&resize, &list) {
                r.observe(list);
            }
            let listen = |kind: &'static str| {
                let near = near.clone();
                let list = list.as_ref()?;
                Some(EventListener::new(list, kind, move |e| {
                    near.set(e.target().and_then(|t| end_at(&t)))
                }))
            };
            let gone = {
                let near = near.clone();
                let leave = move |_: &web_sys::Event| near.set(None);
                (list.as_ref()).map(|list| EventListener::new(list, "pointerleave", leave))
            };
            let listeners = (listen("pointerover"), listen("focusin"), gone);
            move || {
                if let Some(r) = resize {
                    r.disconnect();
                }
                drop((on_resize, listeners));
                ruler.frame.take();
                if let Some(list) = at.cast::<HtmlElement>() {
                    prepare(&list, &Flow::default());
                }
            }
        });
    }
    {
        let at = props.frame.clone();
        let wire = lit.and_then(|i| wires.get(i).cloned());
        use_effect_with(wire, move |wire| {
            let both = at.cast::<Element>().zip(wire.clone());
            if let Some((list, wire)) = &both {
                light(list, wire, true);
            }
            move || {
                if let Some((list, wire)) = both {
                    light(&list, &wire, false);
                }
            }
        });
    }
    let sheet = html! { <link rel="stylesheet" href="./css/wires.css" /> };
    if wires.is_empty() || !here {
        return sheet;
    }
    let touches =
        |wire: &Wire, end: Option<&End>| end.is_some_and(|e| wire.from == *e || wire.to == *e);
    let chosen = props.selected.as_ref().map(|id| End::Layer(id.to_string()));
    let one = |(i, wire): (usize, &Wire)| {
        let on = *lit == Some(i) || touches(wire, near.as_ref()) || touches(wire, chosen.as_ref());
        let label = t_args(
            "wire",
            &[
                ("from", name(&wire.from).into()),
                ("to", name(&wire.to).into()),
                ("n", wire.past.into()),
            ],
        );
        let set = |to: Option<usize>| {
            let lit = lit.setter();
            move || lit.set(to)
        };
        let (enter, leave, focus, blur) = (set(Some(i)), set(None), set(Some(i)), set(None));
        let ask = match &wire.to {
            End::Input => None,
            End::Layer(id) => Some(Ask::Select(Some(id.clone().into()))),
            End::Group(path) => Some(Ask::Open(path.clone().into(), true)),
        };
        let go = {
            let on_ask = props.on_ask.clone();
            move || {
                if let Some(ask) = &ask {
                    on_ask.emit(ask.clone());
                }
            }
        };
        let onclick = {
            let go = go.clone();
            move |_: MouseEvent| go()
        };
        let onkeydown = move |e: KeyboardEvent| {
            if matches!(e.key().as_str(), "Enter" | " ") {
                e.prevent_default();
                go();
            }
        };
        html! {
            <g key={format!("{:?}{:?}", wire.from, wire.to)} class={classes!("wire", on.then_some("lit"))}
                role="button" tabindex="0" aria-label={label.clone()}
                onpointerenter={move |_: PointerEvent| enter()} onpointerleave={move |_: PointerEvent| leave()}
                onfocus={move |_: FocusEvent| focus()} onblur={move |_: FocusEvent| blur()}
                {onclick} {onkeydown}>
                <title>{ label }</title>
                <path class="reach" d={wire.line.clone()} />
                <path class="halo" d={wire.line.clone()} />
                <path class="line" d={wire.line.clone()} />
                <circle cx={format!("{:.1}", wire.dot.0)} cy={format!("{:.1}", wire.dot.1)} r="3" />
                <path class="head" d={wire.tip.clone()} />
            </g>
        }
    };
    // What is marked is drawn over the others.
    html! {
        <>
            { sheet }
            <svg class="wires" role="group" aria-label={t("wires")}>
                { for wires.iter().enumerate().map(one) }
            </svg>
        </>
    }
}

/// The card that an event happened in.
fn end_at(target: &web_sys::EventTarget) -> Option<End> {
    let card = target.dyn_ref::<Element>()?;
    let card = card
        .closest("[data-layer], .block-head, .card.ends")
        .ok()??;
    if let Some(id) = card.get_attribute("data-layer") {
        return Some(End::Layer(id));
    }
    if card.matches(".block-head").unwrap_or(false) {
        let group = card.closest("[data-group]").ok()??;
        return group.get_attribute("data-group").map(End::Group);
    }
    Some(End::Input)
}
