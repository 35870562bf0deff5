//! Gradients and updates: how large they are, how they spread, and which units are out of use.
mod history;
mod tensors;

use super::ViewProps;
use super::parts::{Trouble, Waiting};
use super::pull::use_pull;
use super::sheet::About;
use crate::plotting::format::{count, percent, three};
use crate::plotting::vitals::{Finding, findings};
use crate::spec::Activation;
use crate::train::protocol::{LayerVitals, Vitals};
use crate::ui::fields::slug;
use crate::ui::i18n::{t, t_args, use_lang};
use history::{History, Spreads};
use std::rc::Rc;
use yew::prelude::*;

#[component]
pub fn Gradients(props: &ViewProps) -> Html {
    use_lang();
    let picked = use_state(|| None::<String>);
    {
        let picked = picked.clone();
        use_effect_with(props.selected.clone(), move |_| picked.set(None));
    }
    let pulled = use_pull(
        (props.source.clone(), props.tick),
        |(source, _)| async move { source.vitals().await },
    );
    let past = use_mut_ref(History::default);
    let Some(now) = pulled.value else {
        return html! { <div class="view"><Trouble failure={pulled.failure} /><Waiting /></div> };
    };
    past.borrow_mut().add(&now);
    let of = |name: &Option<String>| {
        let name = name.as_ref()?;
        now.tensors.iter().find(|t| t.name == *name)
    };
    let selected = props.selected.as_deref();
    let chosen = of(&picked)
        .or_else(|| now.tensors.iter().find(|t| Some(&*t.layer) == selected))
        .or_else(|| now.tensors.first());
    let Some(chosen) = chosen else {
        return html! { <div class="view"><p class="empty">{ t("gradients-none") }</p></div> };
    };
    let onpick = {
        let picked = picked.clone();
        Callback::from(move |name| picked.set(Some(name)))
    };
    html! {
        <div class="view">
            <About text={t("gradients-about")} />
            <Trouble failure={pulled.failure} />
            { diagnosis(&now) }
            { tensors::table(&now, &chosen.name, selected, &onpick) }
            <Spreads past={past.borrow().of(&chosen.name)} name={chosen.name.clone()} />
            if !now.layers.is_empty() { { units(&now) } }
        </div>
    }
}

/// In plain words.
fn diagnosis(now: &Rc<Vitals>) -> Html {
    let found = findings(now);
    if found.is_empty() {
        return html! { <p class="dim">{ t("gradients-fine") }</p> };
    }
    html! {
        <ul class="findings">
            { for found.iter().map(|f| html! { <li>{ words(f) }</li> }) }
        </ul>
    }
}

fn words(f: &Finding) -> String {
    let around = |key: &str, first: &str, last: &str, times: f64| {
        t_args(
            key,
            &[
                ("first", first.to_string().into()),
                ("last", last.to_string().into()),
                ("times", crate::plotting::format::figures(times, 1).into()),
            ],
        )
    };
    match f {
        Finding::NotFinite { name } => {
            t_args("gradients-not-finite", &[("name", name.clone().into())])
        }
        Finding::Still => t("gradients-still"),
        Finding::Vanish { first, last, times } => around("gradients-vanish", first, last, *times),
        Finding::Explode { first, last, times } => around("gradients-explode", first, last, *times),
        Finding::Dead { layer, dead, units } => t_args(
            "gradients-dead",
            &[
                ("layer", layer.clone().into()),
                ("dead", count(*dead as u64).into()),
                ("units", count(*units as u64).into()),
            ],
        ),
        Finding::Fast { ratio } => t_args("gradients-fast", &[("ratio", percent(*ratio).into())]),
        Finding::Slow { ratio } => t_args("gradients-slow", &[("ratio", three(*ratio).into())]),
    }
}

fn units(now: &Vitals) -> Html {
    let share = |n: f64, of: f64| percent(n / of.max(1.0));
    let cells = |l: &LayerVitals| {
        let dead = match l.function {
            Activation::Relu => {
                let n = count(l.dead as u64);
                html! { <>{ n }<small class="dim">{ format!(" · {}", share(l.dead as f64, l.units as f64)) }</small></> }
            }
            _ => html! { "–" },
        };
        let saturated = match l.function {
            Activation::Relu => "–".to_string(),
            _ => percent(l.saturated),
        };
        html! { <><td class="figure">{ dead }</td><td class="figure">{ saturated }</td></> }
    };
    html! {
        <div class="table-scroll" tabindex="0">
            <table class="numbers-table">
                <caption class="dim">{ t_args("units-caption", &[("count", count(now.samples as u64).into())]) }</caption>
                <thead><tr>
                    <th scope="col">{ t("weights-layer") }</th>
                    <th scope="col">{ t("units-function") }</th>
                    <th scope="col">{ t("units-count") }</th>
                    <th scope="col" title={t("about-dead")}>{ t("units-dead") }</th>
                    <th scope="col" title={t("about-saturated")}>{ t("units-saturated") }</th>
                </tr></thead>
                <tbody>
                    { for now.layers.iter().map(|l| html! {
                        <tr key={l.layer.clone()}>
                            <th scope="row"><code>{ &l.layer }</code></th>
                            <td>{ t(&format!("activation-{}", slug(&l.function))) }</td>
                            <td class="figure">{ count(l.units as u64) }</td>
                            { cells(l) }
                        </tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}
