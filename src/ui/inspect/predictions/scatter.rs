//! Predicted against true values.
use crate::plotting::color::{class, css};
use crate::plotting::format::three;
use crate::plotting::outcome::Outcome;
use crate::plotting::scale::Kind;
use crate::plotting::{Scale, stats};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::parts::{Choice, Fact, Select};
use crate::ui::inspect::source::{Rows, Source};
use crate::ui::plot::axes::{Axes, Pen, Shape, Titles};
use crate::ui::plot::{Canvas, Surface};
use std::rc::Rc;
use yew::prelude::*;

/// Below this a scatter plot says nothing.
const FEW: usize = 4;

pub fn view(source: &Source, rows: Rc<Rows>, outputs: &[f32]) -> Html {
    if rows.count < FEW {
        return Html::default();
    }
    html! { <Scatter source={source.clone()} {rows} outputs={Rc::new(outputs.to_vec())} /> }
}

#[derive(Properties)]
struct ScatterProps {
    source: Source,
    rows: Rc<Rows>,
    outputs: Rc<Vec<f32>>,
}

impl PartialEq for ScatterProps {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.rows, &o.rows) && Rc::ptr_eq(&self.outputs, &o.outputs)
    }
}

#[component]
fn Scatter(props: &ScatterProps) -> Html {
    use_lang();
    let column = use_state(|| 0usize);
    let width = match &props.source.outcome {
        Outcome::Values { targets } => *targets,
        _ => 1,
    };
    let column_now = (*column).min(width - 1);
    let pick = |values: &[f32]| -> Vec<f64> {
        let column = values.iter().skip(column_now).step_by(width);
        column.map(|v| f64::from(*v)).collect()
    };
    let (truth, said) = (pick(&props.rows.y), pick(&props.outputs));
    let (r2, mse) = (stats::r2(&truth, &said), stats::mse(&truth, &said));
    let paint = {
        let key = (Rc::as_ptr(&props.outputs) as usize, column_now);
        use_callback(key, move |surface: Rc<Surface>, _| {
            draw(&surface, &truth, &said)
        })
    };
    let onpick = {
        let column = column.clone();
        Callback::from(move |v: String| column.set(v.parse().unwrap_or(0)))
    };
    let options: Vec<Choice> = (0..width)
        .map(|i| Choice::new(i.to_string(), props.source.target(i)))
        .collect();
    let text = |v: Option<f64>| v.map_or_else(|| "–".to_string(), three);
    html! {
        <>
            <div class="view-tools">
                <dl class="numbers">
                    <Fact name="R²" value={text(r2)} title={t("about-r2")} />
                    <Fact name={t("metric-mse")} value={text(mse)} title={t("about-mse")} />
                </dl>
                if width > 1 {
                    <Select label={t("scatter-target")} value={column_now.to_string()} {options} {onpick} />
                }
            </div>
            <div class="chart-box square">
                <Canvas {paint} label={t_args("scatter-label", &[("r2", text(r2).into())])} />
            </div>
        </>
    }
}

fn draw(surface: &Surface, truth: &[f64], said: &[f64]) {
    let finite = truth.iter().chain(said).copied().filter(|v| v.is_finite());
    let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
        (a.min(v), b.max(v))
    });
    let scale = Scale::nice(Kind::Linear, lo, hi, 5);
    let axes = Axes::draw(
        surface,
        scale,
        scale,
        Titles {
            x: &t("rows-truth"),
            y: &t("rows-prediction"),
            percent: false,
        },
    );
    axes.inside(|| {
        let diagonal = Pen {
            color: &surface.theme.muted,
            width: 1.0,
            dashed: true,
            alpha: 1.0,
        };
        axes.line(
            [Some((scale.lo, scale.lo)), Some((scale.hi, scale.hi))],
            &diagonal,
        );
        let color = css(class(0));
        for (t, p) in truth.iter().zip(said) {
            axes.mark((*t, *p), Shape::Disc, 3.0, &color, true);
        }
    });
}
