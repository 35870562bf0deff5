//! What was recognised in a text, before it is opened.
use crate::spec::{Optimizer, Schedule, Spec};
use crate::ui::builder::kind_name;
use crate::ui::data_panel::source_name;
use crate::ui::fields::slug;
use crate::ui::i18n::{problem_text, t, t_args, use_lang};
use crate::ui::numbers::{count, exact, shape};
use crate::ui::store::check;
use crate::ui::train_panel::loss_id;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct PreviewProps {
    pub spec: Spec,
}

#[component]
pub fn Preview(props: &PreviewProps) -> Html {
    use_lang();
    let spec = &props.spec;
    let report = check(spec);
    let framework = t(&format!("framework-{}", slug(&spec.framework)));
    let fact = |name: String, value: String| {
        html! { <div><dt>{ name }</dt><dd>{ value }</dd></div> }
    };
    html! {
        <section class="code-preview" aria-labelledby="code-found">
            <h3 id="code-found">{ t("code-found") }</h3>
            <dl class="found">
                { fact(t("framework"), framework) }
                { fact(t("code-data"), source_name(&spec.data.source)) }
                { fact(t("loss"), t(&format!("loss-{}", loss_id(&spec.train.loss)))) }
                { fact(t("optimizer"), optimizer(spec)) }
                { fact(t("code-settings"), settings(spec)) }
            </dl>
            <ol class="found-layers" aria-label={t("layers")}>
                { for spec.layers.iter().map(|layer| {
                    let made = report.layers.iter().find(|r| r.id == layer.id);
                    html! {
                        <li>
                            <strong>{ kind_name(&slug(&layer.kind), spec.framework) }</strong>
                            <span class="code dim">{ &layer.id }</span>
                            <span class="spacer"></span>
                            if let Some(r) = made {
                                <span class="figure">{ shape(&r.shape) }</span>
                                if r.params > 0 {
                                    <span class="figure dim">{ t_args("layer-params-short", &[("n", count(r.params as u64).into())]) }</span>
                                }
                            }
                        </li>
                    }
                }) }
            </ol>
            if report.ok {
                <p class="dim">{ t_args("total-params", &[("n", count(report.params as u64).into())]) }</p>
            }
            { for report.errors.iter().map(|p| html! { <p class="error">{ problem_text(p) }</p> }) }
        </section>
    }
}

fn optimizer(spec: &Spec) -> String {
    let optimizer = &spec.train.optimizer;
    let name = t(&format!("optimizer-{}", slug(optimizer)));
    if *optimizer == Optimizer::ClosedForm {
        return name;
    }
    let rate = exact(optimizer.learning_rate());
    format!("{name} · {} {rate}", t("learning-rate"))
}

fn settings(spec: &Spec) -> String {
    let train = &spec.train;
    let batch = match train.batch_size {
        Some(n) => format!("{} {n}", t("batch-size")),
        None => t("whole-batch"),
    };
    let mut all = vec![format!("{} {}", t("epochs"), train.epochs), batch];
    if train.schedule != Schedule::default() {
        let name = t(&format!("schedule-{}", slug(&train.schedule)));
        all.push(format!("{} {name}", t("schedule")));
    }
    all.join(" · ")
}
