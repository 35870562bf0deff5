//! The row of tools under the charts.
use super::export::Format;
use super::gesture::{CLOSER, Hands};
use super::loss_plot::{Change, View, beta_text};
use crate::plotting::format;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::icons::{Icon, IconButton};
use std::rc::Rc;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[derive(Properties)]
pub struct ToolsProps {
    pub view: View,
    /// The smoothing as the slider has it.
    pub slider: u32,
    pub change: Change,
    pub hands: Hands,
    pub keep: Callback<()>,
    pub save: Callback<Format>,
    /// The share of a file that is written.
    pub saving: Option<f64>,
}

impl PartialEq for ToolsProps {
    fn eq(&self, o: &Self) -> bool {
        (self.slider, self.saving) == (o.slider, o.saving)
            && self.view == o.view
            && self.change == o.change
            && Rc::ptr_eq(&self.hands.shared, &o.hands.shared)
            && self.keep == o.keep
            && self.save == o.save
    }
}

const FORMATS: [(Format, &str); 3] = [
    (Format::Csv, "csv"),
    (Format::Png, "png"),
    (Format::Svg, "svg"),
];

#[component]
pub fn Tools(props: &ToolsProps) -> Html {
    use_lang();
    let (view, slider) = (&props.view, props.slider);
    let by_epoch = view.by_epoch;
    let edit = |f: fn(&mut View, f64)| {
        let change = props.change.clone();
        move |value: f64| change.emit(Box::new(move |v| f(v, value)))
    };
    let on_axis = {
        let edit = edit(|v, to| {
            v.by_epoch = to > 0.0;
            (v.cursor, v.window, v.marked) = (None, None, None);
        });
        move |e: Event| {
            let value = e.target_unchecked_into::<HtmlSelectElement>().value();
            edit(if value == "epoch" { 1.0 } else { 0.0 });
        }
    };
    let on_smoothing = {
        let edit = edit(|v, to| v.smoothing[usize::from(v.by_epoch)] = Some(to as u32));
        move |e: InputEvent| {
            edit(
                e.target_unchecked_into::<HtmlInputElement>()
                    .value_as_number(),
            );
        }
    };
    let on_log = {
        let edit = edit(|v, to| v.log = to > 0.0);
        move |e: Event| {
            let on = e.target_unchecked_into::<HtmlInputElement>().checked();
            edit(f64::from(u8::from(on)));
        }
    };
    let press = |f: fn(&Hands)| {
        let hands = props.hands.clone();
        Callback::from(move |_: MouseEvent| f(&hands))
    };
    let keep = props.keep.reform(|_: MouseEvent| ());
    let option = |value: &'static str, on: bool| html! { <option {value} selected={on}>{ t(&format!("plot-by-{value}")) }</option> };
    html! {
        <>
            if view.window.is_some() {
                <span class="plot-zoom" role="group" aria-label={t("plot-zoom")}>
                    <IconButton icon={Icon::Minus} label={t("plot-zoom-out")} onclick={press(|h| h.zoom(1.0 / CLOSER))} />
                    <IconButton icon={Icon::Plus} label={t("plot-zoom-in")} onclick={press(|h| h.zoom(CLOSER))} />
                    <button type="button" class="button" title={t("plot-zoom-reset-hint")} onclick={press(Hands::reset)}>{ t("plot-zoom-reset") }</button>
                </span>
            }
            <select class="plot-axis" aria-label={t("plot-axis")} onchange={on_axis}>
                { option("step", !by_epoch) }
                { option("epoch", by_epoch) }
            </select>
            <label class="plot-slider" title={t_args("plot-smoothing-hint", &[("beta", beta_text(slider).into())])}>
                <span>{ t("plot-smoothing") }</span>
                <input type="range" min="0" max="100" step="1" value={slider.to_string()}
                    aria-valuetext={beta_text(slider)} oninput={on_smoothing} />
            </label>
            <label class="plot-check" title={t("plot-log-hint")}>
                <input type="checkbox" checked={view.log} onchange={on_log} />
                { t("plot-log") }
            </label>
            <button type="button" class="button" title={t("plot-keep-hint")} onclick={keep}>{ t("plot-keep") }</button>
            <span class="plot-save" role="group" aria-label={t("plot-save")}>
                { for FORMATS.iter().map(|(what, key)| {
                    let (save, what) = (props.save.clone(), *what);
                    let text = match props.saving.filter(|done| what == Format::Csv && *done > 0.0) {
                        Some(done) => format::percent(done),
                        None => key.to_uppercase(),
                    };
                    html! {
                        <button type="button" class="button" disabled={props.saving.is_some()}
                            title={t(&format!("plot-{key}-hint"))}
                            onclick={move |_: MouseEvent| save.emit(what)}>{ text }</button>
                    }
                }) }
            </span>
        </>
    }
}
