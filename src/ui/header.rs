//! The bar at the top: which network, what it does, how fast; language and theme.
use super::i18n::{Lang, t, t_args, t_maybe, use_lang};
use super::icons::{Glyph, Icon, IconButton};
use super::numbers::{count, figures};
use super::plot::{History, Sparkline};
use super::remember::Theme;
use super::store::{Live, Phase};
use crate::spec::presets::PRESETS;
use crate::train::protocol::{BackendChoice, RunInfo};
use crate::ui::fields::SelectField;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

/// What the bar can ask for.
#[derive(Clone, PartialEq)]
pub enum Ask {
    Play,
    Pause,
    Step,
    Reset,
    Speed(u32),
    Preset(String),
    Restore,
    Open,
    OpenCode,
    Save,
    Link,
    Embed,
    Undo,
    Redo,
    Language(Lang),
    Theme,
    Layout,
    Tour,
}

#[derive(Properties)]
pub struct HeaderProps {
    pub name: AttrValue,
    pub edited: bool,
    pub phase: Phase,
    /// Why the network cannot train as it stands.
    pub blocked: Option<AttrValue>,
    pub live: Live,
    pub info: Option<Rc<RunInfo>>,
    pub history: Rc<RefCell<History>>,
    pub speed: u32,
    pub theme: Theme,
    pub can_undo: bool,
    pub can_redo: bool,
    pub on_ask: Callback<Ask>,
    /// In a frame of another page: what stands in place of all but the controls.
    #[prop_or_default]
    pub embedded: Option<Html>,
}

impl PartialEq for HeaderProps {
    fn eq(&self, o: &Self) -> bool {
        // The history's changes are told by `live.version`.
        let of = |p: &Self| (p.edited, p.phase, p.live, p.speed, p.can_undo, p.can_redo);
        of(self) == of(o)
            && self.name == o.name
            && self.blocked == o.blocked
            && self.theme == o.theme
            && self.info == o.info
            && self.on_ask == o.on_ask
            && self.embedded == o.embedded
    }
}

/// Steps per second that can be chosen; 0 is as fast as possible.
const SPEEDS: [u32; 7] = [1, 5, 20, 100, 300, 1000, 0];

#[component]
pub fn Header(props: &HeaderProps) -> Html {
    let lang = use_lang();
    let ask = |what: Ask| {
        let on_ask = props.on_ask.clone();
        Callback::from(move |_: MouseEvent| on_ask.emit(what.clone()))
    };
    let mut presets: Vec<(AttrValue, AttrValue)> = PRESETS
        .iter()
        .map(|p| (p.id.into(), t(&format!("preset-{}", p.id)).into()))
        .collect();
    if PRESETS.iter().all(|p| *p.id != *props.name) {
        let own = if props.name.is_empty() {
            t("own-network").into()
        } else {
            props.name.clone()
        };
        presets.insert(0, (props.name.clone(), own));
    }
    let on_preset = {
        let on_ask = props.on_ask.clone();
        Callback::from(move |id: String| on_ask.emit(Ask::Preset(id)))
    };
    let on_speed = {
        let on_ask = props.on_ask.clone();
        Callback::from(move |v: String| on_ask.emit(Ask::Speed(v.parse().unwrap_or(0))))
    };
    let speeds: Vec<(AttrValue, AttrValue)> = SPEEDS
        .iter()
        .map(|s| {
            let name = match s {
                0 => t("speed-full"),
                s => t_args("speed-steps", &[("n", (*s).into())]),
            };
            (s.to_string().into(), name.into())
        })
        .collect();
    if let Some(link) = &props.embedded {
        return html! {
            <header class="bar">
                <h1 class="brand" title={t("tagline")}><span aria-hidden="true">{ "∇" }</span>{ " Nabla" }</h1>
                { controls(props, &ask) }
                { readout(props) }
                { link.clone() }
            </header>
        };
    }
    let other = if lang == Lang::En { Lang::Zh } else { Lang::En };
    let (theme_icon, theme_label) = match props.theme {
        Theme::Light => (Icon::Moon, t("theme-dark")),
        Theme::Dark => (Icon::Sun, t("theme-light")),
    };
    html! {
        <header class="bar">
            <h1 class="brand" title={t("tagline")}><span aria-hidden="true">{ "∇" }</span>{ " Nabla" }</h1>
            <div class="which">
                <SelectField
                    label={t("preset")}
                    bare={true}
                    value={props.name.clone()}
                    options={presets}
                    on_change={on_preset}
                />
                if props.edited {
                    <span class="edited" title={t("edited-hint")}>{ t("edited") }</span>
                }
            </div>
            { controls(props, &ask) }
            <SelectField
                class="speed"
                label={t("speed")}
                hint={AttrValue::from(t("speed-hint"))}
                bare={true}
                value={props.speed.to_string()}
                options={speeds}
                on_change={on_speed}
            />
            <span class="mini" aria-hidden="true">
                <Sparkline history={props.history.clone()} version={props.live.version} />
            </span>
            { readout(props) }
            <div class="settings">
                <button
                    type="button"
                    class="button language"
                    lang={other.tag()}
                    title={t("language-other")}
                    onclick={ask(Ask::Language(other))}
                >
                    { if other == Lang::Zh { "中文" } else { "EN" } }
                </button>
                <IconButton icon={theme_icon} label={theme_label} onclick={ask(Ask::Theme)} />
                <Menu
                    edited={props.edited}
                    can_undo={props.can_undo}
                    can_redo={props.can_redo}
                    on_ask={props.on_ask.clone()}
                />
            </div>
        </header>
    }
}

fn controls(props: &HeaderProps, ask: &impl Fn(Ask) -> Callback<MouseEvent>) -> Html {
    let (icon, text, what) = match props.phase {
        Phase::Training => (Icon::Pause, "pause", Ask::Pause),
        Phase::Finished => (Icon::Play, "train-more", Ask::Play),
        _ => (Icon::Play, "train", Ask::Play),
    };
    let waiting = matches!(props.phase, Phase::Connecting | Phase::Loading);
    let blocked = props.blocked.is_some();
    let label = match &props.blocked {
        Some(why) => t_args("train-blocked", &[("why", why.as_str().into())]).into(),
        None => AttrValue::from(t(&format!("{text}-hint"))),
    };
    let still = !matches!(
        props.phase,
        Phase::Paused | Phase::Finished | Phase::Training
    );
    html! {
        <div class="controls" role="group" aria-label={t("controls")}>
            <IconButton
                class="primary"
                {icon}
                {label}
                text={AttrValue::from(t(text))}
                disabled={blocked || waiting}
                onclick={ask(what)}
            />
            <IconButton icon={Icon::Step} label={t("step-hint")} disabled={blocked || still} onclick={ask(Ask::Step)} />
            <IconButton icon={Icon::Reset} label={t("reset-hint")} disabled={blocked || still} onclick={ask(Ask::Reset)} />
        </div>
    }
}

/// Epoch, samples per second, backend.
fn readout(props: &HeaderProps) -> Html {
    let phase = match (props.phase, &props.blocked) {
        (_, Some(_)) => "phase-blocked",
        (Phase::Connecting, _) => "phase-connecting",
        (Phase::Loading, _) => "phase-loading",
        (Phase::Paused, _) => "phase-paused",
        (Phase::Training, _) => "phase-training",
        (Phase::Finished, _) => "phase-finished",
        (Phase::Failed, _) => "phase-failed",
    };
    let live = &props.live;
    // What the engine could do is told apart from the pace that the visitor chose.
    let pace = |info: &RunInfo| match props.speed {
        0 => f64::INFINITY,
        steps => f64::from(steps) * info.batch_size as f64,
    };
    let rate = props
        .info
        .as_ref()
        .map_or(0.0, |info| live.samples_per_second.min(pace(info)));
    html! {
        <div class="readout figure">
            <span class={classes!("phase", phase)} role="status" title={props.blocked.clone()}>{ t(phase) }</span>
            if let Some(info) = &props.info {
                <span title={t_args("step-of", &[("step", count(u64::from(live.step)).into()), ("per", count(info.steps_per_epoch as u64).into())])}>
                    { t_args("epoch-n", &[("n", count(u64::from(live.epoch)).into())]) }
                </span>
                if rate > 0.0 {
                    <span class="rate" title={t("rate-hint")}>
                        { t_args("samples-per-second", &[("n", figures(rate).into())]) }
                    </span>
                }
                <span class="backend" title={backend_hint(info)}>
                    { backend_name(info) }
                </span>
            }
        </div>
    }
}

/// Why this backend, and which build of the engine it is.
fn backend_hint(info: &RunInfo) -> String {
    let why = t_maybe(&format!("backend-{}", info.why)).unwrap_or_default();
    if info.backend == BackendChoice::Webgpu {
        return why;
    }
    format!("{why} {}", t(&format!("build-{}", info.build.name())))
}

fn backend_name(info: &RunInfo) -> String {
    match (info.backend, info.threads) {
        (BackendChoice::Webgpu, _) => "WebGPU".to_string(),
        (_, 0 | 1) => "CPU".to_string(),
        (_, n) => format!("CPU ×{n}"),
    }
}

#[derive(Properties, PartialEq)]
struct MenuProps {
    edited: bool,
    can_undo: bool,
    can_redo: bool,
    on_ask: Callback<Ask>,
}

/// What is needed less often.
#[component]
fn Menu(props: &MenuProps) -> Html {
    use_lang();
    let open = use_state_eq(|| false);
    let root = use_node_ref();
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let onkeydown = {
        let open = open.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Escape" {
                open.set(false);
            }
        })
    };
    let onfocusout = {
        let (open, root) = (open.clone(), root.clone());
        Callback::from(move |e: FocusEvent| {
            let to = e
                .related_target()
                .and_then(|t| t.dyn_into::<Element>().ok());
            if !root
                .cast::<Element>()
                .is_some_and(|r| r.contains(to.as_deref()))
            {
                open.set(false);
            }
        })
    };
    let item = |icon: Icon, key: &str, what: Ask, disabled: bool| {
        let (on_ask, open) = (props.on_ask.clone(), open.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            open.set(false);
            on_ask.emit(what.clone());
        });
        html! {
            <button type="button" role="menuitem" {disabled} {onclick}>
                <Glyph {icon} /><span>{ t(key) }</span>
            </button>
        }
    };
    html! {
        <div class="menu-root" ref={root} {onkeydown} {onfocusout}>
            <button
                type="button"
                class="button icon"
                aria-haspopup="menu"
                aria-expanded={open.to_string()}
                aria-label={t("menu")}
                title={t("menu")}
                onclick={toggle}
            >
                <Glyph icon={Icon::More} />
            </button>
            if *open {
                <div class="menu right" role="menu">
                    { item(Icon::File, "open-files", Ask::Open, false) }
                    { item(Icon::Code, "open-code", Ask::OpenCode, false) }
                    { item(Icon::Save, "save-project", Ask::Save, false) }
                    { item(Icon::Link, "copy-link", Ask::Link, false) }
                    { item(Icon::Code, "embed-this", Ask::Embed, false) }
                    { item(Icon::Undo, "undo", Ask::Undo, !props.can_undo) }
                    { item(Icon::Redo, "redo", Ask::Redo, !props.can_redo) }
                    { item(Icon::Restore, "restore-preset", Ask::Restore, !props.edited) }
                    { item(Icon::Reset, "restore-layout", Ask::Layout, false) }
                    { item(Icon::Flag, "tour", Ask::Tour, false) }
                    <p class="dim">{ t("about") }</p>
                </div>
            }
        </div>
    }
}
