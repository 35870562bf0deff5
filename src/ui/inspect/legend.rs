//! What colours and marks stand for.
use crate::plotting::color::{class, css, diverging, sequential};
use crate::plotting::format::three;
use crate::ui::i18n::{t_args, use_lang};
use crate::ui::plot::axes::Shape;
use crate::ui::plot::theme::use_dark;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct ColorLegendProps {
    pub lo: f32,
    pub hi: f32,
    /// The diverging map, else the sequential one.
    pub signed: bool,
    /// Share of the colours' strength that is in use.
    #[prop_or(1.0)]
    pub strength: f32,
    /// In the place of the numbers at both ends.
    #[prop_or_default]
    pub names: Option<(AttrValue, AttrValue)>,
}

/// A bar of colour between its ends.
#[component]
pub fn ColorLegend(props: &ColorLegendProps) -> Html {
    use_lang();
    let dark = use_dark();
    let stops: Vec<String> = (0..=12)
        .map(|i| i as f32 / 12.0)
        .map(|t| match props.signed {
            true => css(diverging((2.0 * t - 1.0) * props.strength, dark)),
            false => css(sequential(t)),
        })
        .collect();
    let number = |v: f32| AttrValue::from(three(f64::from(v)));
    let (lo, hi) = props
        .names
        .clone()
        .unwrap_or_else(|| (number(props.lo), number(props.hi)));
    let label = t_args(
        "legend-label",
        &[("lo", lo.to_string().into()), ("hi", hi.to_string().into())],
    );
    html! {
        <span class="legend" role="img" aria-label={label}>
            <span>{ lo }</span>
            <span class="legend-bar" style={format!("background:linear-gradient(to right,{})", stops.join(","))}></span>
            <span>{ hi }</span>
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub struct MarkProps {
    /// Class whose colour and shape it has.
    pub class: usize,
    #[prop_or(true)]
    pub filled: bool,
}

/// The mark of a class, as charts draw it.
#[component]
pub fn Mark(props: &MarkProps) -> Html {
    let color = css(class(props.class));
    let (fill, stroke) = match props.filled {
        true => (color.clone(), "none".to_string()),
        false => ("none".to_string(), color.clone()),
    };
    let corners = Shape::of_class(props.class).corners();
    let points: Vec<String> = corners
        .iter()
        .map(|(x, y)| format!("{:.2},{:.2}", x * 4.0, y * 4.0))
        .collect();
    html! {
        <svg class="mark" viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">
            if points.is_empty() {
                <circle r="4" {fill} {stroke} stroke-width="1.75" />
            } else {
                <polygon points={points.join(" ")} {fill} {stroke} stroke-width="1.75" />
            }
        </svg>
    }
}
