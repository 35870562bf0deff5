//! The lines of PyTorch and of Keras that a layer is.
use crate::spec::{Framework, Spec};
use crate::ui::code::bridge::script;
use crate::ui::i18n::{t, use_lang};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// At most so many lines are shown of a layer.
const MOST: usize = 6;

#[derive(Clone, Properties, PartialEq)]
pub struct LinesProps {
    pub spec: Rc<Spec>,
    pub layer: AttrValue,
}

/// A layer's lines by framework; None where the framework has none for this network.
type Found = Vec<(Framework, Option<Vec<String>>)>;

#[component]
pub fn Lines(props: &LinesProps) -> Html {
    use_lang();
    let found = use_state_eq(Found::new);
    // Only the newest question is answered.
    let asked = use_mut_ref(|| 0u32);
    {
        let found = found.setter();
        let key = (props.spec.clone(), props.layer.clone());
        use_effect_with(key, move |(spec, layer)| {
            let (spec, layer) = (spec.clone(), layer.clone());
            *asked.borrow_mut() += 1;
            let mine = *asked.borrow();
            spawn_local(async move {
                let mut all = Found::new();
                for framework in [Framework::Pytorch, Framework::Keras] {
                    all.push((framework, lines(&spec, framework, &layer).await));
                }
                if *asked.borrow() == mine {
                    found.set(all);
                }
            });
        });
    }
    if found.iter().all(|(_, lines)| lines.is_none()) {
        return Html::default();
    }
    html! {
        <dl class="layer-code">
            { for found.iter().map(|(framework, lines)| {
                let name = match framework {
                    Framework::Pytorch => "PyTorch",
                    Framework::Keras => "Keras",
                };
                html! {
                    <div key={name}>
                        <dt>{ name }</dt>
                        <dd>
                            if let Some(lines) = lines {
                                <pre tabindex="0" aria-label={name}><code>{ lines.join("\n") }</code></pre>
                            } else {
                                <span class="dim">{ t("code-none") }</span>
                            }
                        </dd>
                    </div>
                }
            }) }
        </dl>
    }
}

async fn lines(spec: &Spec, framework: Framework, layer: &str) -> Option<Vec<String>> {
    // What cannot be written says so in the tab of scripts.
    let script = script(spec, framework).await.ok()?;
    let of = |mark: &Option<String>| mark.as_deref() == Some(layer);
    let mut found: Vec<String> = Vec::new();
    for (line, mark) in script.text.lines().zip(&script.layers) {
        if of(mark) && found.len() < MOST {
            found.push(line.trim().to_string());
        }
    }
    Some(found).filter(|f| !f.is_empty())
}
