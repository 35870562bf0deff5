//! Labelled inputs, the same everywhere.
use super::numbers::exact;
use serde::Serialize;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// The name of a variant as the spec writes it, with hyphens: `leaky-relu`, `cross-entropy`.
pub fn slug(value: &impl Serialize) -> String {
    named(crate::json::value(value))
}

fn named(value: serde_json::Value) -> String {
    let name = match value {
        serde_json::Value::String(s) => s,
        serde_json::Value::Object(o) => match o.get("kind") {
            Some(serde_json::Value::String(s)) => s.clone(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    name.replace('_', "-")
}

#[derive(Properties, PartialEq)]
pub struct FieldProps {
    pub label: AttrValue,
    pub children: Html,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// The label is for assistive technology only; the control says enough. What is wrong is
    /// then written elsewhere, for there is no room beside it.
    #[prop_or_default]
    pub bare: bool,
    #[prop_or_default]
    pub class: Classes,
}

/// A label, its control and what is wrong with it.
#[component]
pub fn Field(props: &FieldProps) -> Html {
    let class = classes!(
        "field",
        props.bare.then_some("bare"),
        props.error.is_some().then_some("wrong"),
        props.class.clone()
    );
    html! {
        <div {class}>
            <label title={props.hint.clone()}>
                <span class={if props.bare { "unseen" } else { "label" }}>{ props.label.clone() }</span>
                { props.children.clone() }
            </label>
            if let Some(error) = props.error.as_ref().filter(|_| !props.bare) {
                <p class="error" role="alert">{ error.clone() }</p>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct NumberProps {
    pub label: AttrValue,
    pub value: f32,
    pub on_change: Callback<f32>,
    #[prop_or_default]
    pub integer: bool,
    /// What an arrow key adds; a factor where the field is logarithmic.
    #[prop_or(1.0)]
    pub step: f32,
    /// The least that can be entered.
    #[prop_or(f32::NEG_INFINITY)]
    pub min: f32,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub error: Option<AttrValue>,
    #[prop_or_default]
    pub bare: bool,
    #[prop_or_default]
    pub class: Classes,
    /// Usual values, for a pointer.
    #[prop_or_default]
    pub choices: &'static [&'static str],
}

/// Usual numbers of units, filters and the like.
pub const SIZES: &[&str] = &[
    "1", "2", "3", "4", "8", "10", "16", "32", "64", "100", "128", "256", "512", "784", "1024",
];

/// A number, taken over on Enter, on leaving the field and by the arrow keys.
#[component]
pub fn NumberField(props: &NumberProps) -> Html {
    html! {
        <Field
            label={props.label.clone()}
            hint={props.hint.clone()}
            error={props.error.clone()}
            bare={props.bare}
            class={props.class.clone()}
        >
            { number_input(props) }
        </Field>
    }
}

fn number_input(props: &NumberProps) -> Html {
    let (value, integer, step, min) = (props.value, props.integer, props.step, props.min);
    let emit = props.on_change.clone();
    let take = move |input: &HtmlInputElement, by: f32| {
        let text = input.value().replace([',', ' '], "").replace('−', "-");
        match text.parse::<f32>() {
            Ok(x) if x.is_finite() => {
                // Adding a tenth to a tenth should read 0.2.
                let sum = if by == 0.0 {
                    x
                } else {
                    ((x + by) * 1e6).round() / 1e6
                };
                let x = if integer { sum.round() } else { sum }.max(min);
                input.set_value(&exact(x));
                if x != value {
                    emit.emit(x);
                }
            }
            _ => input.set_value(&exact(value)),
        }
    };
    let on_take = {
        let take = take.clone();
        Callback::from(move |input: HtmlInputElement| take(&input, 0.0))
    };
    let on_step = Callback::from(move |(input, steps): (HtmlInputElement, f32)| {
        take(&input, steps * step);
    });
    html! {
        <TextInput
            class="number"
            value={exact(value)}
            inputmode={if integer && min >= 0.0 { "numeric" } else { "decimal" }}
            invalid={props.error.is_some()}
            {on_take}
            {on_step}
            choices={props.choices}
        />
    }
}

#[derive(Properties, PartialEq)]
pub struct TextInputProps {
    /// What it reads while nobody writes in it.
    pub value: AttrValue,
    #[prop_or_default]
    pub class: Classes,
    #[prop_or_default]
    pub inputmode: Option<AttrValue>,
    #[prop_or_default]
    pub invalid: bool,
    #[prop_or_default]
    pub maxlength: Option<AttrValue>,
    /// The visitor has finished a change, by Enter or by leaving.
    pub on_take: Callback<HtmlInputElement>,
    /// Arrow keys: how many steps up, ten at a time with Shift.
    #[prop_or_default]
    pub on_step: Option<Callback<(HtmlInputElement, f32)>>,
    /// Usual values, offered to whoever points at the field and has no keys at hand.
    #[prop_or_default]
    pub choices: &'static [&'static str],
}

/// A line of text that is written by its visitor. Being drawn anew does not touch what is being
/// typed: the element gets another value only when that value changes, and not while it is edited.
#[component]
pub fn TextInput(props: &TextInputProps) -> Html {
    let element = use_node_ref();
    // Something was typed that has not been taken over yet.
    let dirty = use_mut_ref(|| false);
    // The choices are in sight.
    let open = use_state_eq(|| false);
    {
        let (element, dirty) = (element.clone(), dirty.clone());
        use_effect_with(props.value.clone(), move |value| {
            if let Some(e) = element.cast::<HtmlInputElement>()
                && !*dirty.borrow()
            {
                e.set_value(value);
            }
        });
    }
    let oninput = {
        let (dirty, open) = (dirty.clone(), open.clone());
        Callback::from(move |_: InputEvent| {
            *dirty.borrow_mut() = true;
            open.set(false);
        })
    };
    let onpointerdown = {
        let (open, any) = (open.clone(), !props.choices.is_empty());
        Callback::from(move |_: PointerEvent| open.set(any))
    };
    let onchange = {
        let (dirty, take) = (dirty.clone(), props.on_take.clone());
        Callback::from(move |e: Event| {
            *dirty.borrow_mut() = false;
            take.emit(e.target_unchecked_into());
        })
    };
    // Typed and taken back by hand: no change has been told of, but the value may be another now.
    let onfocusout = {
        let (dirty, value, open) = (dirty.clone(), props.value.clone(), open.clone());
        Callback::from(move |e: FocusEvent| {
            open.set(false);
            if dirty.replace(false) {
                e.target_unchecked_into::<HtmlInputElement>()
                    .set_value(&value);
            }
        })
    };
    let onkeydown = {
        let (dirty, value, step) = (dirty.clone(), props.value.clone(), props.on_step.clone());
        let open = open.clone();
        Callback::from(move |e: KeyboardEvent| {
            open.set(false);
            let by = match (e.key().as_str(), &step) {
                ("ArrowUp", Some(_)) => 1.0,
                ("ArrowDown", Some(_)) => -1.0,
                ("Escape", _) if dirty.replace(false) => {
                    e.stop_propagation();
                    e.target_unchecked_into::<HtmlInputElement>()
                        .set_value(&value);
                    return;
                }
                _ => return,
            };
            // Alt moves the layer.
            if e.alt_key() {
                return;
            }
            e.prevent_default();
            *dirty.borrow_mut() = false;
            let by = if e.shift_key() { by * 10.0 } else { by };
            if let Some(step) = &step {
                step.emit((e.target_unchecked_into(), by));
            }
        })
    };
    let choose = |text: &'static str, steps: f32| {
        let (element, dirty) = (element.clone(), dirty.clone());
        let (take, step) = (props.on_take.clone(), props.on_step.clone());
        Callback::from(move |e: MouseEvent| {
            e.prevent_default();
            e.stop_propagation();
            let Some(input) = element.cast::<HtmlInputElement>() else {
                return;
            };
            *dirty.borrow_mut() = false;
            match &step {
                Some(step) if steps != 0.0 => step.emit((input, steps)),
                _ => {
                    input.set_value(text);
                    take.emit(input);
                }
            }
        })
    };
    // The field keeps the focus.
    let hold = Callback::from(|e: MouseEvent| e.prevent_default());
    let steps: &[(&'static str, f32)] = match &props.on_step {
        Some(_) => &[("−1", -1.0), ("+1", 1.0)],
        None => &[],
    };
    let input = html! {
        <input
            ref={element.clone()}
            type="text"
            inputmode={props.inputmode.clone()}
            autocomplete="off"
            spellcheck="false"
            maxlength={props.maxlength.clone()}
            class={props.class.clone()}
            aria-invalid={props.invalid.to_string()}
            {oninput}
            {onchange}
            {onpointerdown}
            {onfocusout}
            {onkeydown}
        />
    };
    if props.choices.is_empty() {
        return input;
    }
    html! {
        <span class="written">
            { input }
            if *open {
                // Arrow keys and typing do the same: nothing here is for assistive technology.
                <span class="choices" aria-hidden="true" onmousedown={hold}>
                    { for props.choices.iter().map(|text| html! {
                        <span key={*text} class={classes!((**text == *props.value).then_some("now"))} onclick={choose(text, 0.0)}>{ *text }</span>
                    }) }
                    { for steps.iter().map(|(text, by)| html! {
                        <span key={*text} onclick={choose("", *by)}>{ *text }</span>
                    }) }
                </span>
            }
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub struct SelectProps {
    pub label: AttrValue,
    pub value: AttrValue,
    /// Values and what they are called.
    pub options: Vec<(AttrValue, AttrValue)>,
    pub on_change: Callback<String>,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub error: Option<AttrValue>,
    #[prop_or_default]
    pub bare: bool,
    #[prop_or_default]
    pub class: Classes,
}

#[component]
pub fn SelectField(props: &SelectProps) -> Html {
    let emit = props.on_change.clone();
    let value = props.value.clone();
    // The element itself says which option is chosen: the attribute of an option counts only
    // until the visitor has chosen one.
    let element = use_node_ref();
    {
        let element = element.clone();
        let deps = (value.clone(), props.options.clone());
        use_effect_with(deps, move |(value, _)| {
            if let Some(e) = element.cast::<HtmlSelectElement>() {
                e.set_value(value);
            }
        });
    }
    let onchange = Callback::from(move |e: Event| {
        emit.emit(e.target_unchecked_into::<HtmlSelectElement>().value());
    });
    html! {
        <Field
            label={props.label.clone()}
            hint={props.hint.clone()}
            error={props.error.clone()}
            bare={props.bare}
            class={props.class.clone()}
        >
            <select ref={element} {onchange} aria-invalid={props.error.is_some().to_string()}>
                { for props.options.iter().map(|(v, name)| html! {
                    <option key={v.to_string()} value={v.clone()} selected={*v == value}>{ name.clone() }</option>
                }) }
            </select>
        </Field>
    }
}

#[derive(Properties, PartialEq)]
pub struct CheckProps {
    pub label: AttrValue,
    pub value: bool,
    pub on_change: Callback<bool>,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub disabled: bool,
    #[prop_or_default]
    pub class: Classes,
}

#[component]
pub fn CheckField(props: &CheckProps) -> Html {
    let emit = props.on_change.clone();
    let onchange = Callback::from(move |e: Event| {
        emit.emit(e.target_unchecked_into::<HtmlInputElement>().checked());
    });
    html! {
        <div class={classes!("field", "check", props.class.clone())}>
            <label title={props.hint.clone()}>
                <input type="checkbox" checked={props.value} disabled={props.disabled} {onchange} />
                <span class="label">{ props.label.clone() }</span>
            </label>
        </div>
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum Axis {
    Linear,
    /// Positions are logarithms; values stay above 0.
    Log,
}

#[derive(Properties, PartialEq)]
pub struct SliderProps {
    pub label: AttrValue,
    pub value: f32,
    pub min: f32,
    pub max: f32,
    pub on_change: Callback<f32>,
    #[prop_or(Axis::Linear)]
    pub axis: Axis,
    #[prop_or(0.01)]
    pub step: f32,
    /// What the slider says of its value, instead of a number field beside it.
    #[prop_or_default]
    pub shown: Option<AttrValue>,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub error: Option<AttrValue>,
}

/// A slider with its number beside it.
#[component]
pub fn SliderField(props: &SliderProps) -> Html {
    const NOTCHES: f32 = 20.0;
    let axis = props.axis;
    let (min, max, position, step) = match axis {
        Axis::Linear => (props.min, props.max, props.value, props.step),
        Axis::Log => (
            props.min.log10(),
            props.max.log10(),
            props.value.max(props.min).log10(),
            1.0 / NOTCHES,
        ),
    };
    let emit = props.on_change.clone();
    let oninput = Callback::from(move |e: InputEvent| {
        let at = e.target_unchecked_into::<HtmlInputElement>().value();
        if let Ok(x) = at.parse::<f32>() {
            emit.emit(match axis {
                Axis::Linear => x,
                // Two figures are what a hand can mean.
                Axis::Log => format!("{:.1e}", 10f32.powf(x)).parse().unwrap_or(x),
            });
        }
    });
    let number = NumberProps {
        label: props.label.clone(),
        value: props.value,
        on_change: props.on_change.clone(),
        integer: false,
        step: match axis {
            Axis::Linear => props.step,
            Axis::Log => props.value / 10.0,
        },
        min: 0.0,
        hint: None,
        error: props.error.clone(),
        bare: true,
        class: Classes::new(),
        choices: &[],
    };
    html! {
        <div class={classes!("field", "slider", props.error.is_some().then_some("wrong"))} title={props.hint.clone()}>
            <div class="slider-head">
                <span class="label">{ props.label.clone() }</span>
                if let Some(shown) = &props.shown {
                    <output class="figure">{ shown.clone() }</output>
                } else {
                    <label>
                        <span class="unseen">{ props.label.clone() }</span>
                        { number_input(&number) }
                    </label>
                }
            </div>
            <input
                type="range"
                min={min.to_string()}
                max={max.to_string()}
                step={step.to_string()}
                value={position.to_string()}
                aria-label={props.label.clone()}
                aria-valuetext={props.shown.clone().unwrap_or_else(|| exact(props.value).into())}
                {oninput}
            />
            if let Some(error) = &props.error {
                <p class="error" role="alert">{ error.clone() }</p>
            }
        </div>
    }
}

/// Whether a key press is meant for a text that is being written.
pub fn is_typing(e: &KeyboardEvent) -> bool {
    e.target()
        .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|t| match t.tag_name().as_str() {
            "TEXTAREA" => true,
            "INPUT" => !matches!(
                t.get_attribute("type").as_deref(),
                Some("checkbox" | "range" | "radio" | "button")
            ),
            _ => t.has_attribute("contenteditable"),
        })
}
