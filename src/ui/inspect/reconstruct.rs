//! Where a network that gives its input back goes wrong, and what would make it worse.
use super::ViewProps;
use super::heatmap::{Grid, Heatmap, Layout};
use super::parts::{Fact, Trouble, Waiting};
use super::pull::use_pull;
use super::saliency::{Overlay, Shaded};
use super::sample::use_sample;
use super::sheet::About;
use super::source::Rows;
use super::thumb::{Thumb, range_of};
use crate::plotting::format::three;
use crate::train::protocol::{Ask, Failure, Part, Reconstruction};
use crate::ui::i18n::{t, use_lang};
use std::rc::Rc;
use yew::prelude::*;

/// Features that are listed at most.
const FEATURES: usize = 64;

struct Seen {
    want: (Part, usize),
    rows: Rc<Rows>,
    info: Reconstruction,
    /// As the network sees values, like the next two.
    given: Rc<Vec<f32>>,
    errors: Rc<Vec<f32>>,
    slopes: Rc<Vec<f32>>,
}

#[component]
pub fn Reconstruct(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let chosen = use_sample(source);
    let pulled = use_pull(
        (source.clone(), props.tick, chosen.want()),
        |(source, _, want)| async move {
            let rows = source.samples(want.0, want.1, 1).await?;
            let ask = Ask::Reconstruction {
                part: want.0,
                number: want.1,
            };
            let (info, numbers) = source.look::<Reconstruction>(ask).await?;
            let mut numbers = numbers.into_iter().map(Rc::new);
            let mut next = || numbers.next().unwrap_or_default();
            Ok::<_, Failure>(Seen {
                want,
                rows,
                info,
                given: next(),
                errors: next(),
                slopes: next(),
            })
        },
    );
    let seen = pulled.value.filter(|s| s.want == chosen.want());
    html! {
        <div class="view">
            <About text={t("reconstruct-about")} />
            <div class="view-tools">{ chosen.tools(seen.as_ref().map(|s| s.rows.total)) }</div>
            <Trouble failure={pulled.failure} />
            { match &seen {
                Some(s) if s.rows.count > 0 => html! {
                    <>
                        <dl class="numbers">
                            <Fact name={t("reconstruct-mean")} value={three(s.info.mean)} title={t("about-reconstruct-mean")} />
                        </dl>
                        { pictures(props, s) }
                    </>
                },
                _ => html! { <Waiting /> },
            } }
        </div>
    }
}

fn pictures(props: &ViewProps, s: &Seen) -> Html {
    let source = &props.source;
    let x = s.rows.sample(0);
    let Some([height, width]) = source.info.data.image else {
        return table(props, s);
    };
    let shape = [height, width];
    let image = Rc::new(x.to_vec());
    let seen = s.given.iter().copied();
    let lo = seen.clone().fold(0.0f32, f32::min);
    let hi = seen.fold(1.0f32, f32::max);
    let pixels = height * width;
    // Of a picture in colour, the sum over its channels.
    let summed: Vec<f32> = (0..pixels)
        .map(|i| s.errors.iter().skip(i).step_by(pixels.max(1)).sum())
        .collect();
    let grid = Rc::new(Grid {
        values: Rc::new(summed),
        rows: height,
        columns: width,
        layout: Layout::Matrix,
        window: 0..height,
        signed: false,
    });
    let range = range_of(&source.info, x.iter().copied());
    html! {
        <div class="saliency">
            <figure>
                <figcaption>{ t("activations-input") }</figcaption>
                <Thumb values={image.clone()} {shape} {range} label={t("activations-input")} />
            </figure>
            <figure>
                <figcaption>{ t("reconstruct-given") }</figcaption>
                <Thumb values={s.given.clone()} {shape} range={(lo, hi)} label={t("reconstruct-given")} />
            </figure>
            <figure class="reconstruct-errors">
                <figcaption title={t("about-reconstruct-errors")}>{ t("reconstruct-errors") }</figcaption>
                <Heatmap {grid} axes={(AttrValue::from(t("heat-row")), AttrValue::from(t("saliency-column")))} label={t("reconstruct-errors")} />
            </figure>
            <Overlay title={t("reconstruct-slopes")} hint={t("about-reconstruct-slopes")} values={s.slopes.clone()} {shape} {range}
                {image} name={t("reconstruct-mean")} />
        </div>
    }
}

fn table(props: &ViewProps, s: &Seen) -> Html {
    let source = &props.source;
    let most = |v: &[f32]| v.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let (error, slope) = (most(&s.errors), most(&s.slopes));
    html! {
        <div class="table-scroll" tabindex="0">
            <table class="numbers-table">
                <thead><tr>
                    <th scope="col">{ t("saliency-feature") }</th>
                    <th scope="col">{ t("histogram-value") }</th>
                    <th scope="col">{ t("reconstruct-given") }</th>
                    <th scope="col" title={t("about-reconstruct-errors")}>{ t("reconstruct-errors") }</th>
                    <th scope="col" title={t("about-reconstruct-slopes")}>{ t("reconstruct-slopes") }</th>
                </tr></thead>
                <tbody>
                    { for (0..source.features().min(FEATURES)).map(|i| {
                        let at = |v: &[f32]| v.get(i).copied().unwrap_or(f32::NAN);
                        html! {
                            <tr>
                                <th scope="row">{ source.feature(i) }</th>
                                <td class="figure">{ three(f64::from(at(s.rows.sample(0)))) }</td>
                                <td class="figure">{ three(f64::from(at(&s.given))) }</td>
                                <Shaded v={at(&s.errors)} most={error} />
                                <Shaded v={at(&s.slopes)} most={slope} />
                            </tr>
                        }
                    }) }
                </tbody>
            </table>
        </div>
    }
}
