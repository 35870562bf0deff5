//! How far the reading of files is, where it lasts.
use super::i18n::{t, t_args, use_lang};
use yew::prelude::*;

/// Bytes read of all, and what share of them is made ready.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    pub read: f64,
    pub total: f64,
    pub prepared: f64,
}

#[derive(Properties, PartialEq)]
pub struct ReadingProps {
    pub share: Option<Share>,
    pub on_cancel: Callback<MouseEvent>,
}

#[component]
pub fn Reading(props: &ReadingProps) -> Html {
    use_lang();
    let Some(Share {
        read,
        total,
        prepared,
    }) = props.share
    else {
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
    // Of the whole way reading is one half, making ready the other.
    let (max, value) = (total.max(1.0), (read + prepared * total) / 2.0);
    html! {
        <div class="reading" role="status">
            <progress max={max.to_string()} value={value.to_string()} aria-label={t("opening")} />
            <span class="figure">{ told }</span>
            <button type="button" class="button" onclick={props.on_cancel.clone()}>{ t("set-cancel") }</button>
        </div>
    }
}
