//! How the page is divided: views for a narrow screen, bars between panes on a wide one.
use super::i18n::t;
use super::panes::{PerPixel, Splitter};
use super::remember::{self, Layout};
use yew::prelude::*;

/// The three views among which a narrow screen chooses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Setup,
    Network,
    Result,
}

const TABS: [(Tab, &str); 3] = [
    (Tab::Setup, "tab-setup"),
    (Tab::Network, "tab-network"),
    (Tab::Result, "tab-result"),
];

pub fn tab_class(tab: Tab) -> &'static str {
    match tab {
        Tab::Setup => "show-setup",
        Tab::Network => "show-network",
        Tab::Result => "show-result",
    }
}

/// The choice of a view on a narrow screen; hidden on a wide one, which shows all three.
pub fn tabs(tab: &UseStateHandle<Tab>) -> Html {
    let onkeydown = {
        let tab = tab.clone();
        Callback::from(move |e: KeyboardEvent| {
            let now = TABS.iter().position(|(t, _)| *t == *tab).unwrap_or(0);
            let next = match e.key().as_str() {
                "ArrowRight" => (now + 1) % TABS.len(),
                "ArrowLeft" => (now + TABS.len() - 1) % TABS.len(),
                _ => return,
            };
            e.prevent_default();
            tab.set(TABS[next].0);
        })
    };
    html! {
        <div class="tabs" role="tablist" aria-label={t("views")} {onkeydown}>
            { for TABS.iter().map(|(this, key)| {
                let (tab, this) = (tab.clone(), *this);
                let on = *tab == this;
                let onclick = Callback::from(move |_: MouseEvent| tab.set(this));
                html! {
                    <button
                        type="button"
                        role="tab"
                        key={*key}
                        aria-selected={on.to_string()}
                        tabindex={if on { "0" } else { "-1" }}
                        {onclick}
                    >{ t(key) }</button>
                }
            }) }
        </div>
    }
}

pub fn style_of(l: Layout) -> String {
    format!(
        "--left:{:.0}px;--right:{:.0}px;--plot:{:.1}%",
        l.left,
        l.right,
        l.plot * 100.0
    )
}

#[derive(Clone, Copy)]
pub enum Bar {
    Left,
    Right,
    Plot,
}

pub fn splitter(layout: &UseStateHandle<Layout>, label: &str, bar: Bar) -> Html {
    let l = **layout;
    let (value, min, max, per_pixel) = match bar {
        Bar::Left => (l.left, 220.0, 460.0, PerPixel::By(1.0)),
        Bar::Right => (l.right, 320.0, 960.0, PerPixel::By(-1.0)),
        Bar::Plot => (l.plot, 0.2, 0.8, PerPixel::OfHeight),
    };
    let on_change = {
        let layout = layout.clone();
        Callback::from(move |v: f64| {
            let mut l = *layout;
            match bar {
                Bar::Left => l.left = v,
                Bar::Right => l.right = v,
                Bar::Plot => l.plot = v,
            }
            layout.set(l);
            remember::keep_layout(l);
        })
    };
    html! {
        <Splitter
            label={t(label)}
            flat={matches!(bar, Bar::Plot)}
            {value}
            {min}
            {max}
            {per_pixel}
            {on_change}
        />
    }
}
