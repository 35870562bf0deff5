//! The page's icons: strokes on a grid of 16, drawn for this page. Each stands beside a label
//! or inside a control that has an accessible name.
use yew::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Play,
    Pause,
    Step,
    Reset,
    Sun,
    Moon,
    More,
    Up,
    Down,
    Trash,
    Plus,
    Grip,
    Close,
    Undo,
    Redo,
    File,
    Folder,
    Code,
    Link,
    Warning,
    Restore,
    Copy,
    Help,
    Group,
    Ungroup,
    Residual,
    Right,
    Save,
    /// Side by side.
    Beside,
    Pencil,
    Flag,
    Minus,
}

impl Icon {
    /// Path data, and whether it is filled.
    fn path(self) -> (&'static str, bool) {
        match self {
            Icon::Play => ("M4.5 2.8v10.4L13 8z", true),
            Icon::Pause => ("M4 3h2.8v10H4zM9.2 3H12v10H9.2z", true),
            Icon::Step => ("M3 3v10l6.5-5zM11 3h2v10h-2z", true),
            Icon::Reset => ("M3.2 8a4.8 4.8 0 1 0 1.5-3.5M4.4 1.8v3h3", false),
            Icon::Sun => (
                "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M3.2 12.8l1.1-1.1M11.7 4.3l1.1-1.1",
                false,
            ),
            Icon::Moon => ("M13 9.6A5.4 5.4 0 1 1 6.4 3a4.4 4.4 0 0 0 6.6 6.6z", false),
            Icon::More => (
                "M3.5 7a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM8 7a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM12.5 7a1 1 0 1 0 0 2 1 1 0 0 0 0-2z",
                true,
            ),
            Icon::Up => ("M8 12.5v-9M4.2 7.2 8 3.4l3.8 3.8", false),
            Icon::Down => ("M8 3.5v9M4.2 8.8 8 12.6l3.8-3.8", false),
            Icon::Trash => (
                "M2.8 4.4h10.4M6.2 4.2V2.6h3.6v1.6M4.2 4.4l.6 9h6.4l.6-9M6.7 7v4M9.3 7v4",
                false,
            ),
            Icon::Plus => ("M8 3v10M3 8h10", false),
            Icon::Minus => ("M3 8h10", false),
            Icon::Grip => (
                "M6 3a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM10 3a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM6 7a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM10 7a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM6 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM10 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2z",
                true,
            ),
            Icon::Close => ("M4 4l8 8M12 4l-8 8", false),
            Icon::Undo => ("M6 3 3 6l3 3M3.2 6H10a3.4 3.4 0 0 1 0 6.8H6", false),
            Icon::Redo => ("M10 3l3 3-3 3M12.8 6H6a3.4 3.4 0 0 0 0 6.8h4", false),
            Icon::Save => ("M8 2v7.6M4.8 6.6 8 9.8l3.2-3.2M2.6 11v2.6h10.8V11", false),
            Icon::File => ("M4 1.8h5l3 3v9.4H4zM9 1.8v3h3M8 7v4.4M6 9l2-2 2 2", false),
            Icon::Folder => ("M1.8 4.2v8.6h12.4V5.4H7.4L6 3.4H1.8z", false),
            Icon::Code => (
                "M5.2 4.2 1.6 8l3.6 3.8M10.8 4.2 14.4 8l-3.6 3.8M9.2 2.6 6.8 13.4",
                false,
            ),
            Icon::Link => (
                "M6.6 9.4a2.6 2.6 0 0 0 3.7 0l2.3-2.3a2.6 2.6 0 0 0-3.7-3.7l-.9.9M9.4 6.6a2.6 2.6 0 0 0-3.7 0L3.4 8.9a2.6 2.6 0 0 0 3.7 3.7l.9-.9",
                false,
            ),
            Icon::Warning => ("M8 2.2 14.4 13.4H1.6zM8 6.4v3.4M8 11.4v.4", false),
            Icon::Copy => ("M6 5.6h7.4v8H6zM3 10.4H2.6v-8H10v.6", false),
            Icon::Help => (
                "M5.4 5.8a2.6 2.6 0 1 1 3.7 2.4c-.7.3-1.1.8-1.1 1.6M8 12.4v.3",
                false,
            ),
            Icon::Group => ("M2.4 2.4h11.2v11.2H2.4zM5 5.6h6M5 8h6M5 10.4h6", false),
            Icon::Ungroup => ("M2.6 3.4h10.8v3.2H2.6zM2.6 9.4h10.8v3.2H2.6z", false),
            Icon::Residual => (
                "M8 1.6v2.6M8 11.8v2.6M5 4.2h6v7.6H5zM8 2.6H3.4q-1.4 0-1.4 1.4v8q0 1.4 1.4 1.4H8",
                false,
            ),
            Icon::Right => ("M6 3.4 10.6 8 6 12.6", false),
            Icon::Restore => (
                "M3 3v3.4h3.4M3.2 6.2A5.2 5.2 0 1 1 2.8 8M8 5.2V8l2 1.4",
                false,
            ),
            Icon::Flag => ("M3.6 14V2.4M3.6 3h8.8l-2 3 2 3H3.6", false),
            Icon::Pencil => (
                "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.4 4.4l2.2 2.2",
                false,
            ),
            Icon::Beside => ("M2.4 3h11.2v10H2.4zM8 3v10", false),
        }
    }
}

#[derive(Properties, PartialEq)]
pub struct GlyphProps {
    pub icon: Icon,
}

/// An icon, hidden from assistive technology.
#[component]
pub fn Glyph(props: &GlyphProps) -> Html {
    let (d, filled) = props.icon.path();
    let (fill, stroke) = if filled {
        ("currentColor", "none")
    } else {
        ("none", "currentColor")
    };
    html! {
        <svg class="glyph" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path {d} {fill} {stroke} stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
        </svg>
    }
}

#[derive(Properties, PartialEq)]
pub struct IconButtonProps {
    pub icon: Icon,
    /// The tooltip; the accessible name as well, unless there is a text.
    pub label: AttrValue,
    pub onclick: Callback<MouseEvent>,
    #[prop_or_default]
    pub disabled: bool,
    #[prop_or_default]
    pub class: Classes,
    /// What is written beside the icon.
    #[prop_or_default]
    pub text: Option<AttrValue>,
    #[prop_or_default]
    pub shortcut: Option<AttrValue>,
}

/// A button with an icon. Where it is disabled, its label should say why.
#[component]
pub fn IconButton(props: &IconButtonProps) -> Html {
    let title = match &props.shortcut {
        Some(s) => format!("{} ({s})", props.label),
        None => props.label.to_string(),
    };
    html! {
        <button
            type="button"
            class={classes!("button", props.text.is_none().then_some("icon"), props.class.clone())}
            aria-label={props.text.is_none().then(|| props.label.clone())}
            {title}
            aria-keyshortcuts={props.shortcut.clone()}
            disabled={props.disabled}
            onclick={props.onclick.clone()}
        >
            <Glyph icon={props.icon} />
            if let Some(text) = &props.text {
                <span class="button-text">{ text.clone() }</span>
            }
        </button>
    }
}
