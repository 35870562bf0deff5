//! Small parts that several views share.
use crate::plotting::color::{class, css};
use crate::plotting::format::percent;
use crate::train::protocol::{Failure, Part};
use crate::ui::i18n::{failure_text, t, use_lang};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub value: String,
    pub name: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, name: impl Into<String>) -> Choice {
        Choice {
            value: value.into(),
            name: name.into(),
        }
    }
}

#[derive(Properties, PartialEq)]
pub struct SelectProps {
    pub label: AttrValue,
    pub value: AttrValue,
    pub options: Vec<Choice>,
    pub onpick: Callback<String>,
}

#[component]
pub fn Select(props: &SelectProps) -> Html {
    let onpick = props.onpick.clone();
    let onchange = move |e: Event| {
        onpick.emit(e.target_unchecked_into::<HtmlSelectElement>().value());
    };
    html! {
        <label class="pick">
            <span>{ props.label.clone() }</span>
            <select {onchange}>
                { for props.options.iter().map(|o| html! {
                    <option value={o.value.clone()} selected={o.value == *props.value}>{ &o.name }</option>
                }) }
            </select>
        </label>
    }
}

pub fn part_name(part: Part) -> String {
    t(match part {
        Part::Train => "part-train",
        Part::Validation => "part-validation",
        Part::Test => "part-test",
    })
}

#[derive(Properties, PartialEq)]
pub struct PartSelectProps {
    /// The parts that there are.
    pub parts: Vec<Part>,
    pub part: Part,
    pub onpick: Callback<Part>,
}

/// Nothing when there is but one.
#[component]
pub fn PartSelect(props: &PartSelectProps) -> Html {
    use_lang();
    if props.parts.len() < 2 {
        return Html::default();
    }
    let code = |p: Part| format!("{p:?}");
    let options = props
        .parts
        .iter()
        .map(|p| Choice::new(code(*p), part_name(*p)))
        .collect::<Vec<_>>();
    let (parts, onpick) = (props.parts.clone(), props.onpick.clone());
    let onpick = Callback::from(move |v: String| {
        if let Some(p) = parts.iter().find(|p| code(**p) == v) {
            onpick.emit(*p);
        }
    });
    html! { <Select label={t("part-label")} value={code(props.part)} {options} {onpick} /> }
}

#[derive(Properties, PartialEq)]
pub struct PagerProps {
    pub page: usize,
    pub pages: usize,
    pub onpage: Callback<usize>,
    /// What is on the page: `1–24 of 360`.
    pub range: AttrValue,
}

#[component]
pub fn Pager(props: &PagerProps) -> Html {
    let go = |to: usize| {
        let onpage = props.onpage.clone();
        move |_: MouseEvent| onpage.emit(to)
    };
    let last = props.pages.saturating_sub(1);
    html! {
        <nav class="pager" aria-label={t("pager")}>
            <button type="button" class="button" disabled={props.page == 0} aria-label={t("pager-back")}
                title={t("pager-back")} onclick={go(props.page.saturating_sub(1))}>{ "‹" }</button>
            <span class="figure">{ props.range.clone() }</span>
            <button type="button" class="button" disabled={props.page >= last} aria-label={t("pager-on")}
                title={t("pager-on")} onclick={go((props.page + 1).min(last))}>{ "›" }</button>
        </nav>
    }
}

#[derive(Properties, PartialEq)]
pub struct TroubleProps {
    pub failure: Option<Failure>,
}

/// Why the view is not up to date.
#[component]
pub fn Trouble(props: &TroubleProps) -> Html {
    use_lang();
    match &props.failure {
        // A run that was replaced meanwhile: the next answer is that of the new one.
        Some(f) if f.code != "cancelled" => {
            html! { <p class="error" role="alert">{ failure_text(f) }</p> }
        }
        _ => Html::default(),
    }
}

#[component]
pub fn Waiting() -> Html {
    use_lang();
    html! { <p class="empty" role="status">{ t("inspect-waiting") }</p> }
}

#[derive(Properties, PartialEq)]
pub struct ProbabilityProps {
    pub p: f32,
    /// Whose colour the bar has.
    pub class: usize,
}

/// A probability as a bar and a number.
#[component]
pub fn Probability(props: &ProbabilityProps) -> Html {
    let width = props.p.clamp(0.0, 1.0) * 100.0;
    let style = format!("width:{width:.1}%;background:{}", css(class(props.class)));
    html! {
        <span class="probability" title={props.p.to_string()}>
            <span class="probability-bar"><span {style}></span></span>
            <span class="figure">{ percent(f64::from(props.p)) }</span>
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub struct FactProps {
    pub name: AttrValue,
    pub value: AttrValue,
    /// Full precision, or what it means.
    #[prop_or_default]
    pub title: Option<AttrValue>,
}

/// One number with its name, inside a `<dl class="numbers">`.
#[component]
pub fn Fact(props: &FactProps) -> Html {
    html! {
        <div title={props.title.clone()}>
            <dt>{ props.name.clone() }</dt>
            <dd class="figure">{ props.value.clone() }</dd>
        </div>
    }
}
