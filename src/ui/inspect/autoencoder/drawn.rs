//! Pictures made up by the decoder.
use super::{AboutProps, ink};
use crate::plotting::format::count;
use crate::train::protocol::{Codes, Failure};
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::inspect::parts::{Trouble, Waiting};
use crate::ui::inspect::pull::use_pull;
use crate::ui::inspect::thumb::Thumb;
use std::rc::Rc;
use yew::prelude::*;

const DRAWN: usize = 12;

struct Shown {
    codes: Codes,
    outputs: Vec<f32>,
}

#[component]
pub fn Drawn(props: &AboutProps) -> Html {
    use_lang();
    let seed = use_state(|| 1u32);
    let key = (
        props.source.clone(),
        props.tick,
        props.part,
        props.layer.clone(),
        *seed,
    );
    let pulled = use_pull(key, |(source, _, part, layer, seed)| async move {
        let (codes, _) = source.codes(part, layer.as_deref(), 1).await?;
        let outputs = source.dreams(&codes.layer, DRAWN, seed).await?;
        Ok::<_, Failure>(Shown { codes, outputs })
    });
    let again = {
        let seed = seed.clone();
        Callback::from(move |_: MouseEvent| seed.set(*seed + 1))
    };
    let Some(shown) = pulled.value else {
        return html! { <><Trouble failure={pulled.failure} /><Waiting /></> };
    };
    let wide = shown.outputs.len() / DRAWN;
    let range = ink(&shown.outputs);
    let note = match shown.codes.drawn {
        true => "drawn-note-normal",
        false => "drawn-note-fitted",
    };
    html! {
        <section>
            <h3>{ t("drawn-title") }
                <button type="button" class="button" onclick={again}>{ t("drawn-again") }</button>
            </h3>
            <p class="dim">{ t(note) }</p>
            <Trouble failure={pulled.failure} />
            <ul class="samples drawn">
                { for shown.outputs.chunks_exact(wide.max(1)).enumerate().map(|(i, out)| html! {
                    <li key={i}><Thumb values={Rc::new(out.to_vec())} shape={props.shape} {range}
                        label={t_args("drawn-label", &[("number", count(i as u64 + 1).into())])} /></li>
                }) }
            </ul>
        </section>
    }
}
