//! Counts as bars: by class, and of values.
use crate::plotting::color::{class, css};
use crate::plotting::format::{count, percent, three};
use crate::train::protocol::Spread;
use crate::ui::i18n::{t_args, use_lang};
use yew::prelude::*;

/// Bars that are shown, at most.
const MOST: usize = 60;

#[derive(Properties, PartialEq)]
pub struct BarsProps {
    /// Name and count of each.
    pub bars: Vec<(AttrValue, u32)>,
    pub total: u32,
    pub chosen: Option<usize>,
    /// Where a bar can be chosen.
    pub onpick: Option<Callback<usize>>,
    pub label: AttrValue,
}

/// A row for each name.
#[component]
pub fn Bars(props: &BarsProps) -> Html {
    use_lang();
    let most = props.bars.iter().map(|b| b.1).max().unwrap_or(1).max(1);
    html! {
        <ul class="data-bars" aria-label={props.label.clone()}>
            { for props.bars.iter().take(MOST).enumerate().map(|(k, (name, n))| {
                let share = percent(f64::from(*n) / f64::from(props.total.max(1)));
                let style = format!("width:{:.1}%;background:{}", f64::from(*n) / f64::from(most) * 100.0, css(class(k)));
                let inside = html! {
                    <>
                        <span class="data-bar-name">{ name.clone() }</span>
                        <span class="data-bar"><span {style}></span></span>
                        <span class="figure">{ count(u64::from(*n)) }</span>
                        <span class="figure dim">{ share }</span>
                    </>
                };
                match &props.onpick {
                    Some(onpick) => {
                        let onpick = onpick.clone();
                        let onclick = move |_: MouseEvent| onpick.emit(k);
                        html! {
                            <li key={k}>
                                <button type="button" aria-pressed={(props.chosen == Some(k)).to_string()} {onclick}>{ inside }</button>
                            </li>
                        }
                    }
                    None => html! { <li key={k}><div>{ inside }</div></li> },
                }
            }) }
        </ul>
    }
}

#[derive(Properties, PartialEq)]
pub struct ColumnsProps {
    pub spread: Spread,
    pub label: AttrValue,
}

/// Counts of equal ranges, side by side.
#[component]
pub fn Histogram(props: &ColumnsProps) -> Html {
    use_lang();
    let s = &props.spread;
    let most = s.counts.iter().copied().max().unwrap_or(0).max(1);
    let width = (s.hi - s.lo) / s.counts.len().max(1) as f32;
    let label = t_args(
        "data-histogram",
        &[
            ("name", props.label.to_string().into()),
            ("lo", three(f64::from(s.lo)).into()),
            ("hi", three(f64::from(s.hi)).into()),
        ],
    );
    html! {
        <span class="data-histogram" role="img" aria-label={label}>
            { for s.counts.iter().enumerate().map(|(i, n)| {
                let from = s.lo + width * i as f32;
                let title = format!("{} … {}: {}", three(f64::from(from)), three(f64::from(from + width)), count(u64::from(*n)));
                let height = f64::from(*n) / f64::from(most) * 100.0;
                html! { <span {title} style={format!("height:{height:.1}%")}></span> }
            }) }
        </span>
    }
}
