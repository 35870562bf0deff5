//! What the page has to say: failures and what became of files.
use super::i18n::{t, use_lang};
use super::icons::{Glyph, Icon, IconButton};
use super::store::{Action, Dispatch, Notice};
use gloo::timers::callback::Timeout;
use yew::prelude::*;

/// How long news stay; failures stay until they are dismissed or settled.
const NEWS_MS: u32 = 8000;

#[derive(Properties, PartialEq)]
pub struct NoticesProps {
    pub notices: Vec<Notice>,
    pub dispatch: Dispatch,
}

#[component]
pub fn Notices(props: &NoticesProps) -> Html {
    use_lang();
    html! {
        <div class="notices" role="region" aria-label={t("notices")}>
            { for props.notices.iter().map(|n| html! {
                <OneNotice key={n.id} notice={n.clone()} dispatch={props.dispatch.clone()} />
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct OneProps {
    notice: Notice,
    dispatch: Dispatch,
}

#[component]
fn OneNotice(props: &OneProps) -> Html {
    use_lang();
    let (id, error) = (props.notice.id, props.notice.is_error());
    let dismiss = {
        let dispatch = props.dispatch.clone();
        move || dispatch.dispatch(Action::Dismiss(id))
    };
    {
        let dismiss = dismiss.clone();
        use_effect_with(id, move |_| {
            let timer = (!error).then(|| Timeout::new(NEWS_MS, dismiss));
            move || drop(timer)
        });
    }
    html! {
        <div class={classes!("notice", error.then_some("bad"))} role={if error { "alert" } else { "status" }}>
            if error {
                <Glyph icon={Icon::Warning} />
            }
            <p>{ props.notice.text() }</p>
            <IconButton icon={Icon::Close} label={t("dismiss")} onclick={Callback::from(move |_: MouseEvent| dismiss())} />
        </div>
    }
}
