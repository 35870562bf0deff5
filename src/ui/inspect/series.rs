//! A series: what the network forecasts from each window, over what really follows.
use super::ViewProps;
use super::parts::{Trouble, Waiting};
use super::pull::use_pull;
use super::source::{Rows, Source};
use crate::plotting::Scale;
use crate::plotting::color::{class, css};
use crate::plotting::format::three;
use crate::plotting::outcome::Outcome;
use crate::plotting::scale::Kind;
use crate::plotting::stats::mse;
use crate::spec::DataSource;
use crate::train::protocol::{Failure, Part};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::plot::axes::{Axes, Pen, Titles};
use crate::ui::plot::{Canvas, Surface, swatch};
use std::rc::Rc;
use yew::prelude::*;

/// Windows of a part, at most.
const MOST: usize = 2000;

/// Whether the samples are windows of one series, each followed by its target.
pub fn offered(source: &Source) -> bool {
    matches!(source.info.spec.data.source, DataSource::Sine { .. })
        && source.outcome == Outcome::Values { targets: 1 }
}

/// A part's windows in the order of the series.
struct Told {
    part: Part,
    /// Where in the series each target stands.
    at: Vec<u32>,
    truth: Vec<f64>,
    said: Vec<f64>,
}

impl Told {
    /// By place; a gap where the part leaves one.
    fn line<'a>(&'a self, values: &'a [f64]) -> impl Iterator<Item = Option<(f64, f64)>> + 'a {
        self.at
            .iter()
            .zip(values)
            .enumerate()
            .flat_map(|(i, (at, v))| {
                let gap = i > 0 && self.at[i - 1] + 1 != *at;
                let point = Some((f64::from(*at), *v));
                gap.then_some(None).into_iter().chain([point])
            })
    }

    fn error(&self) -> Option<f64> {
        mse(&self.truth, &self.said).map(f64::sqrt)
    }

    fn color(&self) -> String {
        css(class(match self.part {
            Part::Train => 4,
            Part::Validation => 2,
            Part::Test => 6,
        }))
    }
}

async fn fetch((source, _): (Source, u64)) -> Result<Vec<Told>, Failure> {
    let window = source.features() as u32;
    let mut all = Vec::new();
    for part in [Part::Train, Part::Validation, Part::Test] {
        if !source.parts().contains(&part) {
            continue;
        }
        let rows: Rc<Rows> = source.samples(part, 0, MOST).await?;
        let out = source.predict(&rows.x, rows.count).await?;
        let mut order: Vec<usize> = (0..rows.count.min(out.len())).collect();
        order.sort_by_key(|i| rows.index[*i]);
        all.push(Told {
            part,
            at: order.iter().map(|i| rows.index[*i] + window).collect(),
            truth: order
                .iter()
                .map(|i| f64::from(rows.target(*i)[0]))
                .collect(),
            said: order.iter().map(|i| f64::from(out[*i])).collect(),
        });
    }
    Ok(all)
}

fn name(part: Part) -> String {
    t(match part {
        Part::Train => "part-train",
        Part::Validation => "part-validation",
        Part::Test => "part-test",
    })
}

#[component]
pub fn Series(props: &ViewProps) -> Html {
    use_lang();
    let pulled = use_pull((props.source.clone(), props.tick), fetch);
    let told = pulled.value.clone();
    let paint = {
        let told = told.clone();
        let key = told.as_ref().map_or(0, |f| Rc::as_ptr(f) as usize);
        use_callback(key, move |surface: Rc<Surface>, _| {
            if let Some(told) = &told {
                draw(&surface, told);
            }
        })
    };
    let Some(told) = told else {
        return html! { <div class="view"><Trouble failure={pulled.failure} /><Waiting /></div> };
    };
    html! {
        <div class="view series-view">
            <link rel="stylesheet" href="./css/data.css" />
            <Trouble failure={pulled.failure} />
            <div class="chart-box"><Canvas {paint} label={t("series-label")} /></div>
            <p class="legend-row">
                <span class="plot-key">{ swatch(&css(class(0)), true) }{ t("series-truth") }</span>
                { for told.iter().map(|p| html! {
                    <span class="plot-key">{ swatch(&p.color(), false) }{ t_args("series-said", &[("part", name(p.part).into())]) }</span>
                }) }
            </p>
            <dl class="numbers">
                { for told.iter().filter_map(|p| {
                    let error = p.error()?;
                    Some(html! {
                        <super::parts::Fact name={t_args("series-error", &[("part", name(p.part).into())])}
                            value={three(error)} title={t("series-error-hint")} />
                    })
                }) }
            </dl>
            <p class="dim">{ t("series-note") }</p>
        </div>
    }
}

fn draw(surface: &Surface, told: &[Told]) {
    let values = told.iter().flat_map(|p| p.truth.iter().chain(&p.said));
    let finite = values.copied().filter(|v| v.is_finite());
    let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
        (a.min(v), b.max(v))
    });
    let places = || told.iter().flat_map(|p| p.at.iter().copied());
    let (Some(first), Some(last)) = (places().min(), places().max()) else {
        return;
    };
    let pad = (hi - lo) * 0.05;
    let axes = Axes::draw(
        surface,
        Scale::linear(f64::from(first), f64::from(last)),
        Scale::nice(Kind::Linear, lo - pad, hi + pad, 5),
        Titles {
            x: &t("series-time"),
            y: &t("try-value"),
            percent: false,
        },
    );
    fn pen(color: &str, width: f64, dashed: bool) -> Pen<'_> {
        Pen {
            color,
            width,
            dashed,
            alpha: 1.0,
        }
    }
    let blue = css(class(0));
    axes.inside(|| {
        for p in told {
            axes.line(p.line(&p.truth), &pen(&blue, 1.5, true));
        }
        for p in told {
            axes.line(p.line(&p.said), &pen(&p.color(), 2.0, false));
        }
        // Where what is for testing begins.
        if let Some(p) = told.iter().find(|p| p.part == Part::Test)
            && let Some(begin) = p.at.first().filter(|b| **b > first)
        {
            let muted = &surface.theme.muted;
            axes.vertical(f64::from(*begin) - 0.5, &pen(muted, 1.0, true));
        }
    });
}
