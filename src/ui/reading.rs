//! How far the reading of files is, where it lasts.
use super::i18n::{t, t_args, use_lang};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct ReadingProps {
    /// Bytes read of all.
    pub share: Option<(f64, f64)>,
    pub on_cancel: Callback<MouseEvent>,
}

#[component]
pub fn Reading(props: &ReadingProps) -> Html {
    use_lang();
    let Some((read, total)) = props.share else {
        return html! {};
    };
    let mebibytes = |b: f64| format!("{:.1}", b / 1_048_576.0);
    let told = match read < total {
        true => t_args(
            "reading-n",
            &[
                ("read", mebibytes(read).into()),
                ("total", mebibytes(total).into()),
            ],
        ),
        false => t("reading-prepare"),
    };
    html! {
        <div class="reading" role="status">
            <progress max={total.max(1.0).to_string()} value={read.to_string()} aria-label={t("opening")} />
            <span class="figure">{ told }</span>
            <button type="button" class="button" onclick={props.on_cancel.clone()}>{ t("set-cancel") }</button>
        </div>
    }
}
