//! How much each class counts in the training loss.
use super::fields::{CheckField, Field};
use super::i18n::{problem_text, t, t_args, use_lang};
use super::numbers::exact;
use super::store::{Edit, problem_at};
use crate::spec::{Spec, limits};
use crate::train::protocol::{CheckReport, DataInfo};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct ClassWeightsProps {
    pub spec: Rc<Spec>,
    pub report: Rc<CheckReport>,
    pub edit: Edit,
    /// Of the run at hand.
    pub data: Option<DataInfo>,
}

/// n / (k·nᵢ) for class i of k, so that all classes weigh the same together, as scikit-learn's `balanced`; 1 for a
/// class without samples.
fn balanced(counts: &[u32]) -> Vec<f32> {
    let all: u32 = counts.iter().sum();
    let of = |n: &u32| match n {
        0 => 1.0,
        n => f64::from(all) / (counts.len() as f64 * f64::from(*n)),
    };
    // As many figures as a hand would write.
    let rounded = |w: f64| format!("{w:.4}").parse().unwrap_or(w as f32);
    counts.iter().map(|n| rounded(of(n))).collect()
}

fn parse(text: &str) -> Option<Vec<f32>> {
    let parts = text
        .split([',', ' ', ';', '，', '\t'])
        .filter(|p| !p.is_empty());
    let list: Option<Vec<f32>> = parts.map(|p| p.parse().ok()).collect();
    list.filter(|l| !l.is_empty() && l.iter().all(|w| w.is_finite() && *w >= 0.0))
}

#[component]
pub fn ClassWeights(props: &ClassWeightsProps) -> Html {
    use_lang();
    let wrong = use_state_eq(|| false);
    let (spec, edit) = (&props.spec, &props.edit);
    let Some(shape) = spec.data.shape().filter(|s| s.targets == 1) else {
        return html! {};
    };
    let Some(classes) = shape.classes.filter(|k| *k <= limits::WEIGHTED) else {
        return html! {};
    };
    let counts: Vec<u32> = match &props.data {
        Some(d) if d.class_counts.len() == classes => d.class_counts.clone(),
        _ => vec![1; classes],
    };
    let weights = balanced(&counts);
    let on = {
        let weights = weights.clone();
        edit.with("", move |s: &mut Spec, on: bool| {
            s.train.class_weight = on.then(|| weights.clone());
        })
    };
    let onchange = {
        let (edit, wrong) = (edit.clone(), wrong.clone());
        Callback::from(move |e: Event| {
            let given = parse(&e.target_unchecked_into::<HtmlInputElement>().value());
            wrong.set(given.is_none());
            if let Some(given) = given {
                edit.apply("", move |s| s.train.class_weight = Some(given));
            }
        })
    };
    let balance = {
        let (edit, wrong) = (edit.clone(), wrong.clone());
        Callback::from(move |_: MouseEvent| {
            wrong.set(false);
            let weights = weights.clone();
            edit.apply("", move |s| s.train.class_weight = Some(weights));
        })
    };
    let names = props.data.as_ref().map(|d| d.classes.join(", "));
    let error = match *wrong {
        true => Some(t("class-weights-wrong")),
        false => problem_at(&props.report, None, "train.class_weight").map(problem_text),
    };
    html! {
        <>
            <CheckField
                label={t("class-weights")}
                hint={AttrValue::from(t("class-weights-hint"))}
                value={spec.train.class_weight.is_some()}
                on_change={on}
            />
            if let Some(now) = &spec.train.class_weight {
                <Field
                    label={t("class-weights-each")}
                    hint={AttrValue::from(t_args("class-weights-each-hint", &[("names", names.unwrap_or_default().into())]))}
                    error={error.map(AttrValue::from)}
                    class="wide weights"
                >
                    <input
                        type="text"
                        inputmode="decimal"
                        autocomplete="off"
                        spellcheck="false"
                        value={now.iter().map(|w| exact(*w)).collect::<Vec<_>>().join(", ")}
                        {onchange}
                    />
                </Field>
                <button type="button" class="button" title={t("class-weights-balance-hint")} onclick={balance}>
                    { t("class-weights-balance") }
                </button>
            }
        </>
    }
}
