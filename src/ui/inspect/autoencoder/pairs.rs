//! Pictures beside what the network gives back.
use super::{AboutProps, ink};
use crate::plotting::format::{count, three};
use crate::train::protocol::Failure;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::parts::{Pager, Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::source::Rows;
use crate::ui::inspect::thumb::Thumb;
use std::rc::Rc;
use yew::prelude::*;

const PAGE: usize = 12;

struct Shown {
    want: usize,
    rows: Rc<Rows>,
    outputs: Vec<f32>,
}

#[component]
pub fn Pairs(props: &AboutProps) -> Html {
    use_lang();
    let page = use_state(|| 0usize);
    let key = (props.source.clone(), props.tick, props.part, *page);
    let pulled = use_pull(key, |(source, _, part, page)| async move {
        let rows = source.samples(part, page * PAGE, PAGE).await?;
        let outputs = source.predict(&rows.x, rows.count).await?;
        Ok::<_, Failure>(Shown {
            want: page,
            rows,
            outputs,
        })
    });
    let shown = pulled.value.filter(|s| s.want == *page);
    let onpage = {
        let page = page.clone();
        Callback::from(move |to| page.set(to))
    };
    let Some(shown) = shown else {
        return html! { <><Trouble failure={pulled.failure} /><Waiting /></> };
    };
    let rows = &shown.rows;
    let wide = rows.targets().max(1);
    let range = ink(&rows.y);
    let first = *page * PAGE;
    let place = t_args(
        "pager-range",
        &[
            ("from", count(first as u64 + 1).into()),
            ("to", count((first + rows.count) as u64).into()),
            ("total", count(rows.total as u64).into()),
        ],
    );
    html! {
        <section>
            <h3>{ t("pairs-title") }</h3>
            <p class="dim">{ t("pairs-note") }</p>
            <Trouble failure={pulled.failure} />
            <ul class="samples pairs">
                { for (0..rows.count).zip(shown.outputs.chunks_exact(wide)).map(|(i, out)| {
                    pair(props.shape, range, first + i, rows.target(i), out)
                }) }
            </ul>
            if rows.total > PAGE {
                <Pager page={*page} pages={rows.total.div_ceil(PAGE)} {onpage} range={place} />
            }
        </section>
    }
}

fn pair(shape: [usize; 2], range: (f32, f32), number: usize, want: &[f32], got: &[f32]) -> Html {
    let error = want.iter().zip(got).map(|(a, b)| {
        let d = f64::from(a - b);
        d * d
    });
    let error = error.sum::<f64>() / want.len().max(1) as f64;
    let label = |key: &str| t_args(key, &[("number", count(number as u64 + 1).into())]);
    html! {
        <li class="sample" key={number}>
            <span class="pair">
                <Thumb values={Rc::new(want.to_vec())} {shape} {range} label={label("pair-input")} />
                <Thumb values={Rc::new(got.to_vec())} {shape} {range} label={label("pair-output")} />
            </span>
            <small class="figure dim" title={t("about-mse")}>{ t_args("pair-error", &[("error", three(error).into())]) }</small>
        </li>
    }
}
