//! A regression on one feature: the network's curve, the points, and the line of least squares.
use super::ViewProps;
use super::parts::{Trouble, Waiting};
use super::pull::use_pull;
use super::source::{Rows, Source};
use crate::plotting::Scale;
use crate::plotting::color::{class, css};
use crate::plotting::format::figures;
use crate::plotting::scale::Kind;
use crate::plotting::stats::{Line, least_squares, mse, r2};
use crate::spec::DataSource;
use crate::train::protocol::{Failure, Part};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::plot::axes::{Axes, Pen, Shape, Titles};
use crate::ui::plot::{Canvas, Surface};
use std::rc::Rc;
use yew::prelude::*;

const CURVE: usize = 129;
const POINTS: usize = 2000;
/// Figures of what is compared.
const EXACT: usize = 4;
/// A curve that keeps this close to the line through its ends, of its height, is a line.
const STRAIGHT: f64 = 1e-4;

struct Fitted {
    curve: Vec<(f64, f64)>,
    train: Rc<Rows>,
    test: Option<Rc<Rows>>,
    /// The network's outputs for the training points.
    said: Vec<f64>,
}

impl Fitted {
    fn points(rows: &Rows) -> (Vec<f64>, Vec<f64>) {
        let wide = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect();
        (wide(&rows.x), wide(&rows.y))
    }

    /// The network as a line, if it is one.
    fn line(&self) -> Option<Line> {
        let line = Line::through(*self.curve.first()?, *self.curve.last()?);
        let (lo, hi) = ends(self.curve.iter().map(|p| p.1));
        let off = self.curve.iter().map(|p| (p.1 - line.at(p.0)).abs());
        let off = off.fold(0.0, f64::max);
        let size = (hi - lo).max(hi.abs()).max(lo.abs());
        (off <= STRAIGHT * size && line.slope.is_finite()).then_some(line)
    }
}

fn ends(v: impl Iterator<Item = f64>) -> (f64, f64) {
    v.filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        })
}

async fn fetch((source, _): (Source, u64)) -> Result<Fitted, Failure> {
    let train = source.samples(Part::Train, 0, POINTS).await?;
    let test = match source.parts().contains(&Part::Test) {
        true => Some(source.samples(Part::Test, 0, POINTS).await?),
        false => None,
    };
    let all = train.x.iter().chain(test.iter().flat_map(|t| t.x.iter()));
    let (lo, hi) = ends(all.map(|v| f64::from(*v)));
    let pad = if hi > lo { (hi - lo) * 0.05 } else { 1.0 };
    let at = |i: usize| lo - pad + (hi - lo + 2.0 * pad) * i as f64 / (CURVE - 1) as f64;
    let mut asked: Vec<f32> = (0..CURVE).map(|i| at(i) as f32).collect();
    asked.extend(&train.x);
    let out = source.predict(&asked, asked.len()).await?;
    let (curve, said) = out.split_at(CURVE.min(out.len()));
    Ok(Fitted {
        curve: asked
            .iter()
            .zip(curve)
            .map(|(x, y)| (f64::from(*x), f64::from(*y)))
            .collect(),
        said: said.iter().map(|v| f64::from(*v)).collect(),
        train,
        test,
    })
}

#[component]
pub fn Fit(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let pulled = use_pull((source.clone(), props.tick), fetch);
    let fitted = pulled.value.clone();
    let paint = {
        let (source, fitted) = (source.clone(), fitted.clone());
        let key = fitted.as_ref().map_or(0, |f| Rc::as_ptr(f) as usize);
        use_callback((key, source.clone()), move |surface: Rc<Surface>, _| {
            if let Some(f) = &fitted {
                draw(&surface, &source, f);
            }
        })
    };
    let Some(fitted) = fitted else {
        return html! { <div class="view"><Trouble failure={pulled.failure} /><Waiting /></div> };
    };
    html! {
        <div class="view">
            <Trouble failure={pulled.failure} />
            <div class="chart-box"><Canvas {paint} label={t("fit-label")} /></div>
            <p class="legend-row">
                { key_of(&network_color(), false, t("fit-network")) }
                { key_of(&css(class(6)), true, t("fit-least-squares")) }
                <span class="plot-key"><super::legend::Mark class={0} />{ t("part-train") }</span>
                if fitted.test.is_some() {
                    <span class="plot-key"><super::legend::Mark class={0} filled=false />{ t("part-test") }</span>
                }
            </p>
            { comparison(source, &fitted) }
        </div>
    }
}

fn network_color() -> String {
    css(class(4))
}

fn key_of(color: &str, dashed: bool, name: String) -> Html {
    html! {
        <span class="plot-key">{ crate::ui::plot::swatch(color, dashed) }{ name }</span>
    }
}

fn draw(surface: &Surface, source: &Source, f: &Fitted) {
    let (x, y) = Fitted::points(&f.train);
    let held: Vec<(f64, f64)> = f
        .test
        .iter()
        .flat_map(|t| {
            let (x, y) = Fitted::points(t);
            x.into_iter().zip(y)
        })
        .collect();
    let (xlo, xhi) = ends(f.curve.iter().map(|p| p.0));
    let (ylo, yhi) = ends(y.iter().copied().chain(held.iter().map(|p| p.1)));
    let pad = (yhi - ylo) * 0.05;
    let axes = Axes::draw(
        surface,
        Scale::linear(xlo, xhi),
        Scale::nice(Kind::Linear, ylo - pad, yhi + pad, 6),
        Titles {
            x: &source.feature(0),
            y: &source.target(0),
            percent: false,
        },
    );
    let blue = css(class(0));
    axes.inside(|| {
        for p in x.iter().copied().zip(y.iter().copied()) {
            axes.mark(p, Shape::Disc, 3.25, &blue, true);
        }
        for p in &held {
            axes.mark(*p, Shape::Disc, 3.25, &blue, false);
        }
        let pen = |color, width, dashed| Pen {
            color,
            width,
            dashed,
            alpha: 1.0,
        };
        let color = network_color();
        axes.line(f.curve.iter().copied().map(Some), &pen(&color, 2.5, false));
        if let Some(best) = least_squares(&x, &y) {
            let orange = css(class(6));
            axes.line(
                [xlo, xhi].map(|x| Some((x, best.at(x)))),
                &pen(&orange, 2.0, true),
            );
        }
    });
}

/// Network, least squares and, where the data were made from a line, that line.
fn comparison(source: &Source, f: &Fitted) -> Html {
    let (x, y) = Fitted::points(&f.train);
    let network = f.line();
    let best = least_squares(&x, &y);
    let made_from = match source.info.spec.data.source {
        DataSource::Line {
            slope, intercept, ..
        } => Some(Line {
            slope: f64::from(slope),
            intercept: f64::from(intercept),
            errors: None,
        }),
        _ => None,
    };
    let of_line = |l: &Line| x.iter().map(|x| l.at(*x)).collect::<Vec<_>>();
    let row = |name: &str, line: Option<&Line>, said: &[f64]| {
        let errors = line.and_then(|l| l.errors);
        html! {
            <tr>
                <th scope="row">{ t(name) }</th>
                <td class="figure">{ parameter(line.map(|l| l.slope), errors.map(|e| e.0)) }</td>
                <td class="figure">{ parameter(line.map(|l| l.intercept), errors.map(|e| e.1)) }</td>
                <td class="figure">{ number(mse(&y, said)) }</td>
                <td class="figure">{ number(r2(&y, said)) }</td>
            </tr>
        }
    };
    html! {
        <>
            <div class="table-scroll" tabindex="0">
                <table class="numbers-table">
                    <caption class="dim">{ t_args("fit-caption", &[("count", f.train.count.to_string().into())]) }</caption>
                    <thead><tr>
                        <th scope="col"></th>
                        <th scope="col">{ t("fit-weight") }</th>
                        <th scope="col">{ t("fit-bias") }</th>
                        <th scope="col" title={t("about-mse")}>{ t("metric-mse") }</th>
                        <th scope="col" title={t("about-r2")}>{ "R²" }</th>
                    </tr></thead>
                    <tbody>
                        { row("fit-network", network.as_ref(), &f.said) }
                        if let Some(best) = &best { { row("fit-least-squares", Some(best), &of_line(best)) } }
                        if let Some(line) = &made_from { { row("fit-made-from", Some(line), &of_line(line)) } }
                    </tbody>
                </table>
            </div>
            if network.is_none() { <p class="dim">{ t("fit-curved") }</p> }
            <p class="dim">{ t("fit-note") }</p>
        </>
    }
}

fn number(v: Option<f64>) -> Html {
    match v {
        Some(v) => html! { <span title={v.to_string()}>{ figures(v, EXACT) }</span> },
        None => html! { "–" },
    }
}

fn parameter(v: Option<f64>, error: Option<f64>) -> Html {
    html! {
        <>
            { number(v) }
            if let Some(e) = error {
                <small class="dim" title={t("fit-error")}>{ format!(" ± {}", figures(e, 2)) }</small>
            }
        </>
    }
}
