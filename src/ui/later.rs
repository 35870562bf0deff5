//! Views whose code is fetched when they are first shown.
use super::i18n::{t, use_lang, use_more};
use crate::lazy::Lazy;
use yew::prelude::*;

/// A view behind a split point: its properties in, what it shows out.
pub type View<P> = fn(P) -> Html;

/// The functions when they are here; until then what to show instead: nothing for a moment, or
/// why they did not come and a button to try again.
#[hook]
pub fn use_lazy<T: Copy + 'static>(lazy: &'static Lazy<T>) -> Result<T, Html> {
    use_lang();
    let failed = use_state_eq(|| false);
    let tries = use_state_eq(|| 0);
    let update = use_force_update();
    {
        let failed = failed.setter();
        use_effect_with((std::ptr::from_ref(lazy) as usize, *tries), move |_| {
            if lazy.get().is_none() {
                wasm_bindgen_futures::spawn_local(async move {
                    failed.set(lazy.load().await.is_err());
                    update.force_update();
                });
            }
        });
    }
    match lazy.get() {
        Some(value) => Ok(*value),
        None if *failed => {
            let onclick = {
                let (failed, tries) = (failed.clone(), tries.clone());
                Callback::from(move |_: MouseEvent| {
                    failed.set(false);
                    tries.set(*tries + 1);
                })
            };
            Err(html! {
                <p class="empty" role="alert">
                    { t("part-not-loaded") }{ " " }
                    <button type="button" class="button" {onclick}>{ t("try-again") }</button>
                </p>
            })
        }
        None => Err(html! { <p class="empty" aria-busy="true"></p> }),
    }
}

#[derive(Properties)]
pub struct LaterProps<P: Clone + PartialEq + 'static> {
    pub view: &'static Lazy<View<P>>,
    pub with: P,
}

impl<P: Clone + PartialEq> PartialEq for LaterProps<P> {
    fn eq(&self, o: &Self) -> bool {
        std::ptr::eq(self.view, o.view) && self.with == o.with
    }
}

/// Shows a view as soon as its code is here.
#[component]
pub fn Later<P: Clone + PartialEq + 'static>(props: &LaterProps<P>) -> Html {
    match use_lazy(props.view) {
        Ok(view) => view(props.with.clone()),
        Err(meanwhile) => meanwhile,
    }
}

#[derive(Properties, PartialEq)]
pub struct WordedProps {
    /// The catalogue that its words are in.
    pub words: &'static str,
    pub children: Html,
}

/// Shows what it holds as soon as its words are here.
#[component]
pub fn Worded(props: &WordedProps) -> Html {
    match use_more(props.words) {
        true => props.children.clone(),
        false => html! { <p class="empty" aria-busy="true"></p> },
    }
}
