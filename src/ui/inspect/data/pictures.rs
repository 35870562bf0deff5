//! Pictures, page by page, of one class or of all.
use super::BrowseProps;
use crate::plotting::format::count;
use crate::train::protocol::Failure;
use crate::ui::i18n::{t_args, use_lang};
use crate::ui::inspect::parts::{Pager, Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::thumb::{Thumb, range_of};
use std::rc::Rc;
use yew::prelude::*;

const PAGE: usize = 40;

#[component]
pub fn Pictures(props: &BrowseProps) -> Html {
    use_lang();
    let page = use_state(|| 0usize);
    {
        let page = page.clone();
        use_effect_with((props.part, props.class), move |_| page.set(0));
    }
    let want = (props.part, props.class, *page);
    let pulled = use_pull((props.source.clone(), want), |(source, want)| async move {
        let (part, class, page) = want;
        let rows = source.browse(part, class, page * PAGE, PAGE).await?;
        Ok::<_, Failure>((want, rows))
    });
    let shape = props.source.info.data.image.unwrap_or([1, 1]);
    let onpage = {
        let page = page.clone();
        Callback::from(move |to| page.set(to))
    };
    let Some(shown) = pulled.value.filter(|v| v.0 == want) else {
        return html! { <><Trouble failure={pulled.failure} /><Waiting /></> };
    };
    let rows = &shown.1;
    let pages = rows.total.div_ceil(PAGE).max(1);
    let range = range_of(&props.source.info, rows.x.iter().copied());
    let shown_range = t_args(
        "pager-range",
        &[
            (
                "from",
                count((rows.start + 1).min(rows.total) as u64).into(),
            ),
            ("to", count((rows.start + rows.count) as u64).into()),
            ("total", count(rows.total as u64).into()),
        ],
    );
    html! {
        <>
            <Trouble failure={pulled.failure} />
            <ul class="samples data-pictures">
                { for (0..rows.count).map(|i| {
                    let truth = rows.target(i).first().map(|k| props.source.class(*k as usize));
                    let truth = truth.filter(|_| !props.said.classes.is_empty()).unwrap_or_default();
                    let label = t_args("sample-label", &[
                        ("number", (rows.start + i + 1).to_string().into()), ("truth", truth.clone().into()),
                    ]);
                    html! {
                        <li class="sample" key={rows.index.get(i).copied().unwrap_or_default()}>
                            <Thumb values={Rc::new(rows.sample(i).to_vec())} {shape} {range} {label} />
                            <small>{ truth }</small>
                        </li>
                    }
                }) }
            </ul>
            if pages > 1 {
                <Pager page={*page} {pages} {onpage} range={shown_range} />
            }
        </>
    }
}
