//! Where codes lie, and what the decoder makes of any point among them.
use super::{AboutProps, ink};
use crate::plotting::Scale;
use crate::plotting::color::{class, css};
use crate::plotting::format::{count, percent, three};
use crate::train::protocol::{Codes, Failure};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::legend::Mark;
use crate::ui::inspect::parts::{Choice, Select, Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::source::Source;
use crate::ui::inspect::thumb::{Thumb, pixels};
use crate::ui::plot::axes::{Area, Axes, Shape, Titles};
use crate::ui::plot::canvas::{new_canvas, put_pixels};
use crate::ui::plot::{Canvas, Surface};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Samples whose codes are drawn.
const POINTS: usize = 500;
/// Pictures along each side of the decoded plane.
const SIDE: usize = 11;
/// Steps of the sliders.
const STEPS: f64 = 100.0;

/// Codes of samples and their plane, see `Request::Codes`.
pub struct Coded {
    pub info: Codes,
    pub places: Vec<f32>,
    pub labels: Vec<f32>,
    pub basis: Vec<f32>,
}

impl Coded {
    fn points(&self) -> impl Iterator<Item = (f64, f64, usize)> {
        let label = |i: usize| self.labels.get(i).map_or(0, |l| *l as usize);
        let wide = |v: f32| f64::from(v);
        let at = self.places.chunks_exact(2).enumerate();
        at.map(move |(i, p)| (wide(p[0]), wide(p[1]), label(i)))
    }

    /// The plane's ranges: the points with some room, N(0, 1) wholly where codes are drawn from it.
    fn ranges(&self) -> [(f64, f64); 2] {
        let least: f64 = if self.info.drawn { 2.5 } else { 0.0 };
        [0, 1].map(|k| {
            let all = self.places.iter().skip(k).step_by(2);
            let finite = all.map(|v| f64::from(*v)).filter(|v| v.is_finite());
            let (lo, hi) = finite.fold((-least, least), |(a, b), v| (a.min(v), b.max(v)));
            let room = if hi > lo { (hi - lo) * 0.06 } else { 1.0 };
            (lo - room, hi + room)
        })
    }
}

/// The centre of cell `i` of so many along a range.
fn centre((lo, hi): (f64, f64), i: usize) -> f32 {
    (lo + (hi - lo) * (i as f64 + 0.5) / SIDE as f64) as f32
}

/// Pictures all over the plane, from its top left.
async fn decoded(source: &Source, coded: &Coded) -> Result<Vec<f32>, Failure> {
    let [x, y] = coded.ranges();
    let cells = (0..SIDE * SIDE).map(|c| (c % SIDE, SIDE - 1 - c / SIDE));
    let places: Vec<f32> = cells
        .flat_map(|(i, j)| [centre(x, i), centre(y, j)])
        .collect();
    source.decode(&coded.info.layer, &coded.basis, places).await
}

/// Codes, compared by identity.
#[derive(Clone)]
struct Same(Option<Rc<Coded>>);

impl PartialEq for Same {
    fn eq(&self, o: &Self) -> bool {
        let at = |c: &Option<Rc<Coded>>| c.as_ref().map(Rc::as_ptr);
        at(&self.0) == at(&o.0)
    }
}

struct Shown {
    coded: Rc<Coded>,
    /// Empty where points are shown.
    pictures: Vec<f32>,
}

#[component]
pub fn CodeMap(props: &AboutProps) -> Html {
    use_lang();
    let with_pictures = use_state(|| false);
    let at = use_state(|| (0.0f64, 0.0f64));
    let place = use_memo((), |()| Cell::new(Area::default()));
    let key = (
        props.source.clone(),
        props.tick,
        props.part,
        props.layer.clone(),
        *with_pictures,
    );
    let pulled = use_pull(key, |(source, _, part, layer, with_pictures)| async move {
        let (info, [places, labels, basis]) = source.codes(part, layer.as_deref(), POINTS).await?;
        let coded = Coded {
            info,
            places,
            labels,
            basis,
        };
        let pictures = match with_pictures {
            true => decoded(&source, &coded).await?,
            false => Vec::new(),
        };
        let coded = Rc::new(coded);
        Ok::<_, Failure>(Shown { coded, pictures })
    });
    let coded = Same(pulled.value.as_ref().map(|s| s.coded.clone()));
    let here = use_pull(
        (props.source.clone(), coded, *at),
        |(source, coded, (x, y))| async move {
            let Some(coded) = coded.0 else {
                return Ok(Vec::new());
            };
            let places = vec![x as f32, y as f32];
            source.decode(&coded.info.layer, &coded.basis, places).await
        },
    );
    let paint = {
        let (shown, place) = (pulled.value.clone(), place.clone());
        let shape = props.shape;
        let key = shown.as_ref().map_or(0, |s| Rc::as_ptr(s) as usize);
        use_callback((key, *at), move |surface: Rc<Surface>, (_, at)| {
            if let Some(s) = &shown {
                place.set(draw(&surface, s, *at, shape));
            }
        })
    };
    let Some(shown) = pulled.value else {
        return html! { <><Trouble failure={pulled.failure} /><Waiting /></> };
    };
    let coded = &shown.coded;
    let ranges = coded.ranges();
    let onpoint = {
        let at = at.clone();
        Callback::from(move |to: Option<(f64, f64)>| {
            if let Some(to) = to.and_then(|to| on_plane(place.get(), ranges, to)) {
                at.set(to);
            }
        })
    };
    let onpick = {
        let with_pictures = with_pictures.clone();
        Callback::from(move |v: String| with_pictures.set(v == "pictures"))
    };
    let options = vec![
        Choice::new("points", t("map-points")),
        Choice::new("pictures", t("map-pictures")),
    ];
    let titles = titles(&coded.info);
    let picture = here.value.as_deref().cloned().unwrap_or_default();
    let width: usize = coded.info.shape.iter().product();
    let about = match coded.info.share {
        Some(share) => t_args(
            "map-note-wide",
            &[
                ("layer", coded.info.layer.clone().into()),
                ("width", count(width as u64).into()),
                ("share", percent(share).into()),
            ],
        ),
        None => t_args(
            "map-note",
            &[
                ("layer", coded.info.layer.clone().into()),
                ("width", width.into()),
            ],
        ),
    };
    html! {
        <section>
            <h3>{ t("map-title") }</h3>
            <p class="dim">{ about }</p>
            <Trouble failure={pulled.failure} />
            <div class="view-tools">
                <Select label={t("map-show")} {options} {onpick}
                    value={if *with_pictures { "pictures" } else { "points" }} />
            </div>
            if coded.places.is_empty() {
                <p class="empty">{ t("map-none") }</p>
            } else {
                <div class="beside">
                    <div class="chart-box square"><Canvas {paint} {onpoint} label={t("map-label")} /></div>
                    <div class="map-side">
                        <Thumb values={Rc::new(picture.clone())} shape={props.shape} range={ink(&picture)}
                            label={t("map-decoded")} />
                        <p class="dim">{ t("map-hint") }</p>
                        { for [0, 1].into_iter().take(width).map(|k| slider(&at, k, ranges[k], &titles[k])) }
                        { classes(&coded.info) }
                    </div>
                </div>
                { centres(coded, &titles) }
            }
        </section>
    }
}

fn titles(info: &Codes) -> [String; 2] {
    let key = if info.share.is_some() {
        "map-direction"
    } else {
        "map-number"
    };
    [1, 2].map(|k| t_args(key, &[("number", k.into())]))
}

/// The point of the plane under a point of the canvas.
fn on_plane(a: Area, [x, y]: [(f64, f64); 2], at: (f64, f64)) -> Option<(f64, f64)> {
    let u = (at.0 - a.left) / a.width;
    let v = (at.1 - a.top) / a.height;
    let inside = (0.0..=1.0).contains(&u) && (0.0..=1.0).contains(&v);
    inside.then_some((x.0 + u * (x.1 - x.0), y.1 - v * (y.1 - y.0)))
}

fn slider(at: &UseStateHandle<(f64, f64)>, k: usize, (lo, hi): (f64, f64), title: &str) -> Html {
    let value = if k == 0 { at.0 } else { at.1 };
    let oninput = {
        let at = at.clone();
        move |e: InputEvent| {
            let v = e
                .target_unchecked_into::<HtmlInputElement>()
                .value_as_number();
            if v.is_finite() {
                at.set(if k == 0 { (v, at.1) } else { (at.0, v) });
            }
        }
    };
    html! {
        <label class="map-slider">
            <span>{ title.to_string() }</span>
            <input type="range" min={lo.to_string()} max={hi.to_string()} step={((hi - lo) / STEPS).to_string()}
                value={value.to_string()} {oninput} />
            <span class="figure">{ three(value) }</span>
        </label>
    }
}

fn classes(info: &Codes) -> Html {
    html! {
        <p class="legend-row">
            { for info.classes.iter().enumerate().map(|(k, name)| html! {
                <span class="plot-key"><Mark class={k} />{ name.clone() }</span>
            }) }
        </p>
    }
}

/// Where the classes lie, for those who do not see the picture.
fn centres(coded: &Coded, titles: &[String; 2]) -> Html {
    let row = |k: usize, name: String| {
        let own = || coded.points().filter(|p| p.2 == k);
        let n = own().count();
        let mean = |f: fn(&(f64, f64, usize)) -> f64| own().map(|p| f(&p)).sum::<f64>() / n as f64;
        html! {
            <tr><th scope="row">{ name }</th><td>{ count(n as u64) }</td>
                <td>{ three(mean(|p| p.0)) }</td><td>{ three(mean(|p| p.1)) }</td></tr>
        }
    };
    let names = match coded.info.classes.is_empty() {
        true => vec![t("map-points")],
        false => coded.info.classes.clone(),
    };
    html! {
        <div class="unseen"><table>
            <caption>{ t("map-centres") }</caption>
            <thead><tr>
                <th scope="col">{ t("map-class") }</th><th scope="col">{ t("map-count") }</th>
                <th scope="col">{ titles[0].clone() }</th><th scope="col">{ titles[1].clone() }</th>
            </tr></thead>
            <tbody>{ for names.into_iter().enumerate().map(|(k, name)| row(k, name)) }</tbody>
        </table></div>
    }
}

fn draw(surface: &Surface, shown: &Shown, at: (f64, f64), shape: [usize; 2]) -> Area {
    let coded = &shown.coded;
    let [x, y] = coded.ranges();
    let names = titles(&coded.info);
    let axes = Axes::draw(
        surface,
        Scale::linear(x.0, x.1),
        Scale::linear(y.0, y.1),
        Titles {
            x: &names[0],
            y: &names[1],
            percent: false,
        },
    );
    let a = axes.area;
    axes.inside(|| {
        if shown.pictures.is_empty() {
            for (u, v, k) in coded.points() {
                axes.mark((u, v), Shape::of_class(k), 3.0, &css(class(k)), true);
            }
        } else {
            mosaic(surface, &shown.pictures, shape, a);
        }
        axes.mark(at, Shape::Disc, 6.0, &surface.theme.ink, false);
    });
    a
}

/// The decoded pictures, side by side over the whole plane.
fn mosaic(surface: &Surface, pictures: &[f32], [h, w]: [usize; 2], a: Area) {
    let one = pictures.len() / (SIDE * SIDE);
    if one == 0 {
        return;
    }
    let range = ink(pictures);
    let (wide, tall) = (SIDE * w, SIDE * h);
    let mut rgba = vec![0; wide * tall * 4];
    for (cell, picture) in pictures.chunks_exact(one).enumerate() {
        let tile = pixels(picture, h * w, range, surface.theme.dark);
        let (left, top) = (cell % SIDE * w, cell / SIDE * h);
        for (r, line) in tile.chunks_exact(w * 4).enumerate() {
            rgba[((top + r) * wide + left) * 4..][..w * 4].copy_from_slice(line);
        }
    }
    if let Some(canvas) = new_canvas() {
        put_pixels(&canvas, wide, tall, &mut rgba);
        // A canvas of one's own making can always be drawn.
        let _ = surface
            .ctx
            .draw_image_with_html_canvas_element_and_dw_and_dh(
                &canvas, a.left, a.top, a.width, a.height,
            );
    }
}
