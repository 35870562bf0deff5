//! The page's colours, as a canvas takes them.
use gloo::utils::{document, document_element, window};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Element, MutationObserver, MutationObserverInit};
use yew::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Theme {
    pub dark: bool,
    pub ink: String,
    pub muted: String,
    pub line: String,
    pub ground: String,
    pub accent: String,
    pub font: String,
}

impl Theme {
    /// As the style sheet has it at this element.
    pub fn of(element: &Element) -> Theme {
        let Ok(Some(style)) = window().get_computed_style(element) else {
            return Theme::default();
        };
        let get = |name: &str| {
            let value = style.get_property_value(name).unwrap_or_default();
            value.trim().to_string()
        };
        Theme {
            dark: is_dark(),
            ink: get("--ink"),
            muted: get("--ink-2"),
            line: get("--line"),
            ground: get("--surface"),
            accent: get("--accent"),
            font: get("font-family"),
        }
    }
}

/// Whether the page stands light on dark, by the luminance of its text.
pub fn is_dark() -> bool {
    let color = document()
        .body()
        .and_then(|b| window().get_computed_style(&b).ok().flatten())
        .and_then(|s| s.get_property_value("color").ok())
        .unwrap_or_default();
    let parts: Vec<f64> = color
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter_map(|p| p.parse().ok())
        .take(3)
        .collect();
    match parts[..] {
        [r, g, b] if color.starts_with("rgb") => 0.3 * r + 0.6 * g + 0.1 * b > 128.0,
        _ => prefers_dark().is_some_and(|m| m.matches()),
    }
}

fn prefers_dark() -> Option<web_sys::MediaQueryList> {
    window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten()
}

/// Calls `f` whenever the colours of the page may have changed, until it is dropped.
pub struct ThemeWatch {
    observer: Option<MutationObserver>,
    media: Option<web_sys::MediaQueryList>,
    on_change: Closure<dyn FnMut()>,
}

impl ThemeWatch {
    pub fn new(f: impl FnMut() + 'static) -> ThemeWatch {
        let on_change = Closure::<dyn FnMut()>::new(f);
        let callback = on_change.as_ref().unchecked_ref();
        let observer = MutationObserver::new(callback).ok();
        if let Some(o) = &observer {
            let options = MutationObserverInit::new();
            options.set_attributes(true);
            // An observer that cannot start leaves the colours as they were.
            let _ = o.observe_with_options(&document_element(), &options);
        }
        let media = prefers_dark();
        if let Some(m) = &media {
            let _ = m.add_event_listener_with_callback("change", callback);
        }
        ThemeWatch {
            observer,
            media,
            on_change,
        }
    }
}

impl Drop for ThemeWatch {
    fn drop(&mut self) {
        if let Some(o) = &self.observer {
            o.disconnect();
        }
        if let Some(m) = &self.media {
            let callback = self.on_change.as_ref().unchecked_ref();
            let _ = m.remove_event_listener_with_callback("change", callback);
        }
    }
}

/// [`is_dark`], kept up to date.
#[hook]
pub fn use_dark() -> bool {
    let dark = use_state_eq(is_dark);
    let set = dark.setter();
    use_effect_with((), move |()| {
        let last = Rc::new(Cell::new(None));
        let watch = ThemeWatch::new(move || {
            let now = is_dark();
            if last.replace(Some(now)) != Some(now) {
                set.set(now);
            }
        });
        move || drop(watch)
    });
    *dark
}
