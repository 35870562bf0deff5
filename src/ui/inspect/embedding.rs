//! The rows of an embedding on the plane on which they differ most, and which are alike.
use super::parts::{Fact, Trouble, Waiting};
use super::pull::use_pull;
use super::source::Source;
use crate::plotting::Scale;
use crate::plotting::color::{class, css};
use crate::plotting::format::{count, percent, three};
use crate::train::protocol::{Ask, Failure, Neighbour, Projection};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::plot::axes::{Area, Axes, Pen, Shape, Titles};
use crate::ui::plot::{Canvas, Surface};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Neighbours listed.
const NEAREST: usize = 10;
/// Rows found that are listed.
const FOUND: usize = 8;
/// How near, in pixels, a click must be.
const REACH: f64 = 14.0;

struct Map {
    info: Projection,
    /// `[rows, 2]`
    places: Vec<f32>,
    words: Rc<Vec<String>>,
}

impl Map {
    fn at(&self, row: usize) -> Option<(f64, f64)> {
        let p = self.places.get(row * 2..row * 2 + 2)?;
        Some((f64::from(p[0]), f64::from(p[1])))
    }

    /// The word of a row, or its number.
    fn name(&self, row: usize) -> String {
        match self.words.get(row) {
            Some(w) if w.is_empty() => t("embedding-padding"),
            Some(w) => w.clone(),
            None => row.to_string(),
        }
    }
}

#[derive(Properties, PartialEq)]
pub struct EmbeddingProps {
    pub source: Source,
    pub tick: u64,
    /// The parameter.
    pub name: AttrValue,
    /// Rows are words of the data; else places in a sequence.
    pub words: bool,
}

#[component]
pub fn EmbeddingMap(props: &EmbeddingProps) -> Html {
    use_lang();
    let source = &props.source;
    let chosen = use_state(|| None::<usize>);
    let typed = use_state(String::new);
    let close = use_state_eq(|| false);
    let place = use_memo((), |()| Cell::new(None::<(Area, View)>));
    let words = use_pull(
        (source.clone(), props.words),
        |(source, wanted)| async move {
            let words = match wanted {
                true => source.look::<Vec<String>>(Ask::Words).await?.0,
                false => Vec::new(),
            };
            Ok::<_, Failure>(Rc::new(words))
        },
    );
    let key = (source.clone(), props.tick, props.name.clone());
    let pulled = use_pull(key, |(source, _, name)| async move {
        let ask = Ask::Project {
            name: name.to_string(),
        };
        let (info, mut numbers) = source.look::<Projection>(ask).await?;
        Ok::<_, Failure>((name, info, numbers.pop().unwrap_or_default()))
    });
    let key = (source.clone(), props.tick, props.name.clone(), *chosen);
    let near = use_pull(key, |(source, _, name, row)| async move {
        let Some(row) = row else {
            return Ok((None, Vec::new()));
        };
        let ask = Ask::Neighbours {
            name: name.to_string(),
            row,
            count: NEAREST,
        };
        let found = source.look::<Vec<Neighbour>>(ask).await?.0;
        Ok::<_, Failure>((Some(row), found))
    });
    let key = (
        pulled.value.as_ref().map(|v| Rc::as_ptr(v) as usize),
        words.value.is_some(),
    );
    let map = {
        let (got, words) = (pulled.value.clone(), words.value.clone());
        use_memo(key, move |_| {
            let (got, words) = (got?, words?);
            Some(Rc::new(Map {
                info: got.1.clone(),
                places: got.2.clone(),
                words: (*words).clone(),
            }))
        })
    };
    let neighbours: Rc<Vec<Neighbour>> = match near.value {
        Some(v) if v.0 == *chosen => Rc::new(v.1.clone()),
        _ => Rc::default(),
    };
    let paint = {
        let place = place.clone();
        let map = (*map).clone();
        let key = (
            map.as_ref().map(|m| Rc::as_ptr(m) as usize),
            *chosen,
            neighbours.clone(),
            *close,
            props.words,
        );
        use_callback(
            key,
            move |surface: Rc<Surface>, (_, chosen, near, close, words)| {
                if let Some(map) = &map {
                    let drawn = draw(&surface, map, *chosen, near, *close, *words);
                    place.set(Some(drawn));
                }
            },
        )
    };
    let Some(map) = (*map).clone() else {
        let failure = pulled.failure.or(words.failure);
        return html! { <><Trouble {failure} /><Waiting /></> };
    };
    let onclick = {
        let (chosen, place, map) = (chosen.clone(), place.clone(), map.clone());
        move |e: MouseEvent| {
            let at = (f64::from(e.offset_x()), f64::from(e.offset_y()));
            if let Some(row) = place.get().and_then(|p| under(&map, p, at)) {
                chosen.set(Some(row));
            }
        }
    };
    let oninput = {
        let (typed, chosen, map) = (typed.clone(), chosen.clone(), map.clone());
        move |e: InputEvent| {
            let text = e.target_unchecked_into::<HtmlInputElement>().value();
            let wanted = text.trim().to_lowercase();
            let exact = (0..map.info.rows).find(|r| map.name(*r).to_lowercase() == wanted);
            if exact.is_some() {
                chosen.set(exact);
            }
            typed.set(text);
        }
    };
    let found = found(&map, &typed);
    let choose = |row: usize| {
        let chosen = chosen.clone();
        move |_: MouseEvent| chosen.set(Some(row))
    };
    let toggle = {
        let close = close.clone();
        move |e: Event| close.set(e.target_unchecked_into::<HtmlInputElement>().checked())
    };
    let [a, b] = map.info.explained;
    html! {
        <div class="embedding">
            <p class="about">{ t(if props.words { "embedding-about" } else { "embedding-about-places" }) }</p>
            <Trouble failure={pulled.failure.or(near.failure)} />
            <div class="view-tools">
                <label class="pick"><span>{ t("embedding-search") }</span>
                    <input type="search" value={(*typed).clone()} {oninput} /></label>
                // An element of its own: Yew would move the field where more is found beside it, and it
                // would lose what is being typed.
                <div class="view-tools">
                    { for found.iter().map(|r| html! {
                        <button type="button" class="button" key={*r} onclick={choose(*r)}>{ map.name(*r) }</button>
                    }) }
                </div>
                if !typed.trim().is_empty() && found.is_empty() {
                    <span class="dim" role="status">{ t("embedding-not-found") }</span>
                }
            </div>
            <div class="beside">
                <div class="chart-box square" {onclick}>
                    <Canvas {paint} label={t_args("embedding-label", &[("name", props.name.to_string().into())])} />
                </div>
                <div class="embedding-side">
                    <dl class="numbers">
                        <Fact name={t("embedding-rows")} value={count(map.info.rows as u64)} />
                        <Fact name={t("embedding-dims")} value={count(map.info.dims as u64)} />
                        <Fact name={t("embedding-explained")} value={format!("{} + {}", percent(a), percent(b))} title={t("about-embedding-explained")} />
                    </dl>
                    if let Some(row) = *chosen {
                        <table class="numbers-table" aria-live="polite">
                            <caption>{ t_args("embedding-nearest", &[("word", map.name(row).into())]) }</caption>
                            <thead><tr>
                                <th scope="col">{ t("embedding-row") }</th>
                                <th scope="col" title={t("about-cosine")}>{ t("embedding-cosine") }</th>
                            </tr></thead>
                            <tbody>
                                { for neighbours.iter().map(|n| html! {
                                    <tr key={n.row}>
                                        <th scope="row"><button type="button" class="quiet" onclick={choose(n.row)}>{ map.name(n.row) }</button></th>
                                        <td class="figure" title={n.cosine.to_string()}>{ three(n.cosine) }</td>
                                    </tr>
                                }) }
                            </tbody>
                        </table>
                        <label class="plot-check"><input type="checkbox" checked={*close} onchange={toggle} /><span>{ t("embedding-close") }</span></label>
                    } else {
                        <p class="dim">{ t("embedding-hint") }</p>
                    }
                </div>
            </div>
        </div>
    }
}

/// Rows whose word begins with what was typed, or else holds it.
fn found(map: &Map, typed: &str) -> Vec<usize> {
    let wanted = typed.trim().to_lowercase();
    if wanted.is_empty() {
        return Vec::new();
    }
    let has = |test: fn(&str, &str) -> bool| {
        let rows = 0..map.info.rows;
        rows.filter(|r| test(&map.name(*r).to_lowercase(), &wanted))
            .take(FOUND)
            .collect::<Vec<usize>>()
    };
    let begins = has(|name, wanted| name.starts_with(wanted));
    match begins.is_empty() {
        true => has(|name, wanted| name.contains(wanted)),
        false => begins,
    }
}

/// Ends of both axes.
type View = ((f64, f64), (f64, f64));

/// The row nearest to a place of the canvas.
fn under(map: &Map, (a, (x, y)): (Area, View), (px, py): (f64, f64)) -> Option<usize> {
    let spot = |(u, v): (f64, f64)| {
        let across = (u - x.0) / (x.1 - x.0) * a.width + a.left;
        let down = a.top + a.height - (v - y.0) / (y.1 - y.0) * a.height;
        (across - px).hypot(down - py)
    };
    let rows = (0..map.info.rows).filter_map(|r| Some((r, spot(map.at(r)?))));
    let best = rows.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (best.1 <= REACH).then_some(best.0)
}

fn draw(
    surface: &Surface,
    map: &Map,
    chosen: Option<usize>,
    near: &[Neighbour],
    close: bool,
    words: bool,
) -> (Area, View) {
    let named: Vec<usize> = chosen
        .into_iter()
        .chain(near.iter().map(|n| n.row))
        .collect();
    let shown: Vec<usize> = match close && chosen.is_some() {
        true => named.clone(),
        false => (0..map.info.rows).collect(),
    };
    let ends = |k: usize| {
        let all = shown.iter().filter_map(|r| map.at(*r));
        let all = all
            .map(|p| if k == 0 { p.0 } else { p.1 })
            .filter(|v| v.is_finite());
        let (lo, hi) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        });
        let pad = if hi > lo { (hi - lo) * 0.08 } else { 1.0 };
        if lo <= hi {
            (lo - pad, hi + pad)
        } else {
            (-1.0, 1.0)
        }
    };
    let view = (ends(0), ends(1));
    let scale = |(lo, hi): (f64, f64)| Scale::linear(lo, hi);
    let titles = (t("embedding-first"), t("embedding-second"));
    let axes = Axes::draw(
        surface,
        scale(view.0),
        scale(view.1),
        Titles {
            x: &titles.0,
            y: &titles.1,
            percent: false,
        },
    );
    let ctx = &surface.ctx;
    axes.inside(|| {
        if !words {
            let pen = Pen {
                color: &surface.theme.line,
                width: 1.5,
                dashed: false,
                alpha: 1.0,
            };
            axes.line((0..map.info.rows).map(|r| map.at(r)), &pen);
        }
        ctx.set_fill_style_str(&css(class(0)));
        ctx.set_global_alpha(if map.info.rows > 2000 { 0.35 } else { 0.7 });
        let size = if map.info.rows > 500 { 2.0 } else { 4.0 };
        for (x, y) in (0..map.info.rows).filter_map(|r| map.at(r)) {
            ctx.fill_rect(axes.px(x) - size / 2.0, axes.py(y) - size / 2.0, size, size);
        }
        ctx.set_global_alpha(1.0);
        ctx.set_text_align("left");
        ctx.set_text_baseline("middle");
        let few = map.info.rows <= 64;
        let labels: Vec<usize> = match few {
            true => (0..map.info.rows).collect(),
            false => named.clone(),
        };
        for row in labels {
            let Some(at) = map.at(row) else { continue };
            let own = Some(row) == chosen;
            if named.contains(&row) {
                axes.mark(
                    at,
                    Shape::Disc,
                    if own { 5.5 } else { 4.0 },
                    &css(class(if own { 6 } else { 4 })),
                    true,
                );
            }
            ctx.set_fill_style_str(&surface.theme.ink);
            let _ = ctx.fill_text(&map.name(row), axes.px(at.0) + 7.0, axes.py(at.1));
        }
    });
    (axes.area, view)
}
