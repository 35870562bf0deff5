//! What outlasts a visit, in the browser's local storage. Where that is switched off, the page
//! begins anew each time.
use crate::spec::{Bundled, DataSource, Scale, Spec, presets};
use crate::train::protocol::BackendChoice;
use gloo::storage::{LocalStorage, Storage};
use gloo::utils::window;
use lean_json::Deserialize;
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::JsValue;

const SPEC: &str = "nabla.spec";
const LAYOUT: &str = "nabla.layout";
const THEME: &str = "nabla.theme";
const BACKEND: &str = "nabla.backend";

/// The preset that the address names, the network of the last visit, or the first preset.
pub fn initial_spec() -> Spec {
    let own = || match super::embed::embed() {
        Some(embed) => presets::find(embed.preset.as_ref()?),
        None => last_spec(),
    };
    named_preset()
        .or_else(own)
        .unwrap_or_else(|| presets::PRESETS[0].spec())
}

thread_local! {
    /// The end of the address as the page last read or wrote it.
    static HASH: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The preset that the address names (`#preset=<id>`).
pub fn named_preset() -> Option<Spec> {
    let hash = window().location().hash().ok()?;
    HASH.set(hash.clone());
    let fields = hash.trim_start_matches('#').split('&');
    let id = fields.filter_map(|f| f.strip_prefix("preset=")).next()?;
    presets::find(id)
}

/// The address's end where it is a link to a network.
pub fn link() -> Option<String> {
    let hash = window().location().hash().ok()?;
    let fields = hash.trim_start_matches('#').split('&');
    let is_link = fields.into_iter().any(|f| f.starts_with("spec="));
    is_link.then_some(hash)
}

/// Names the preset in the address, or takes its name away.
pub fn name_preset(id: Option<&str>) {
    if super::embed::embed().is_some() {
        return;
    }
    let location = window().location();
    let (Ok(path), Ok(query)) = (location.pathname(), location.search()) else {
        return;
    };
    let hash = id.map(|id| format!("#preset={id}")).unwrap_or_default();
    let now = location.hash().unwrap_or_default();
    // Somebody has just written another one, which is about to be opened.
    let theirs = HASH.with_borrow(|seen| *seen != now);
    if theirs || now == hash {
        return;
    }
    if let Ok(history) = window().history() {
        let url = format!("{path}{query}{hash}");
        // An address that cannot be changed only names another network than the page shows.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&url));
        HASH.set(hash);
    }
}

fn last_spec() -> Option<Spec> {
    let text: String = LocalStorage::get(SPEC).ok()?;
    let mut spec = Spec::from_json(&text).ok()?;
    // The files themselves are not kept; the digits that ship stand in for MNIST's.
    if let DataSource::Files { name, .. } = &spec.data.source {
        if name != "mnist" {
            return None;
        }
        spec.data.source = DataSource::Bundled {
            name: Bundled::Digits28,
        };
        spec.data.scale = Scale::Divide { by: 255.0 };
        spec.data.split.test = 0.2;
    }
    Some(spec)
}

pub fn keep_spec(spec: &Spec) {
    if super::embed::embed().is_some() {
        return;
    }
    let _ = LocalStorage::set(SPEC, spec.to_json());
}

/// Sizes of the panes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Width of the left pane in pixels.
    pub left: f64,
    /// Width of the right one.
    pub right: f64,
    /// Height of the plot, as a share of the right pane.
    pub plot: f64,
}

impl Default for Layout {
    fn default() -> Self {
        let width = window()
            .inner_width()
            .ok()
            .and_then(|w| w.as_f64())
            .unwrap_or(1280.0);
        Layout {
            left: (width * 0.22).clamp(240.0, 340.0),
            right: (width * 0.38).clamp(340.0, 920.0),
            plot: 0.5,
        }
    }
}

pub fn layout() -> Layout {
    LocalStorage::get(LAYOUT).unwrap_or_default()
}

/// The backend that the visitor chose.
pub fn backend() -> BackendChoice {
    LocalStorage::get(BACKEND).unwrap_or_default()
}

pub fn keep_backend(backend: BackendChoice) {
    let _ = LocalStorage::set(BACKEND, backend);
}

const SIMPLE: &str = "nabla.simple";

/// Whether the visitor chose the view with fewer fields.
pub fn simple_view() -> bool {
    LocalStorage::get(SIMPLE).unwrap_or_default()
}

pub fn keep_simple_view(on: bool) {
    let _ = LocalStorage::set(SIMPLE, on);
}

pub fn keep_layout(layout: Layout) {
    let _ = LocalStorage::set(LAYOUT, layout);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// The theme chosen before, or the browser's.
    pub fn initial() -> Theme {
        if let Some(theme) = super::embed::embed().and_then(|e| e.theme) {
            return theme;
        }
        match LocalStorage::get::<String>(THEME).as_deref() {
            Ok("dark") => Theme::Dark,
            Ok("light") => Theme::Light,
            _ => Theme::of_browser(),
        }
    }

    fn of_browser() -> Theme {
        let dark = window()
            .match_media("(prefers-color-scheme: dark)")
            .ok()
            .flatten()
            .is_some_and(|m| m.matches());
        if dark { Theme::Dark } else { Theme::Light }
    }

    pub fn other(self) -> Theme {
        match self {
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Light,
        }
    }

    pub fn apply(self) {
        let name = match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        if let Some(root) = gloo::utils::document().document_element() {
            let _ = root.set_attribute("data-theme", name);
        }
    }

    /// Keeps a choice that differs from the browser's; otherwise the page follows the browser.
    pub fn keep(self) {
        if self == Theme::of_browser() {
            LocalStorage::delete(THEME);
        } else {
            let name = if self == Theme::Dark { "dark" } else { "light" };
            let _ = LocalStorage::set(THEME, name);
        }
    }
}
