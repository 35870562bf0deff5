//! What the engine made of the network.
use super::ViewProps;
use super::parts::Fact;
use crate::plotting::format::{bytes, count, flops};
use crate::ui::i18n::{t, use_lang};
use crate::ui::plot::browser::{copy, sleep};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Copying {
    No,
    Done,
    Refused,
}

#[component]
pub fn Plan(props: &ViewProps) -> Html {
    use_lang();
    let copying = use_state(|| Copying::No);
    let info = &props.source.info;
    let onclick = {
        let (copying, info) = (copying.clone(), info.clone());
        move |_| {
            let (copying, info) = (copying.clone(), info.clone());
            spawn_local(async move {
                let done = copy(&info.plan).await;
                copying.set(if done {
                    Copying::Done
                } else {
                    Copying::Refused
                });
                sleep(2500).await;
                copying.set(Copying::No);
            });
        }
    };
    let exact = |n: u64| AttrValue::from(count(n));
    html! {
        <div class="view">
            <dl class="numbers">
                <Fact name={t("plan-params")} value={exact(info.params as u64)} />
                <Fact name={t("plan-flops")} value={flops(info.flops)} title={exact(info.flops)} />
                <Fact name={t("plan-memory")} value={bytes(info.memory as u64)} title={exact(info.memory as u64)} />
                <Fact name={t("plan-batch")} value={exact(info.batch_size as u64)} />
                <Fact name={t("plan-steps")} value={exact(info.steps_per_epoch as u64)} />
            </dl>
            <div class="view-tools">
                <h4>{ t("plan-title") }</h4>
                <button type="button" class="button" {onclick}>{ t(match *copying {
                    Copying::No => "plan-copy",
                    Copying::Done => "plan-copied",
                    Copying::Refused => "plan-refused",
                }) }</button>
            </div>
            <p class="dim">{ t("plan-what") }</p>
            <pre class="plan" tabindex="0" aria-label={t("plan-title")}>{ &info.plan }</pre>
        </div>
    }
}
