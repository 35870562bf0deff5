//! The page as a part of another: `?embed=1&panes=network,plot,predictions&theme=dark&lang=zh&train=0`, in a
//! frame, with a preset (`&preset=<id>`) or a link's fragment. It shows the panes that were asked for, keeps
//! nothing for later visits, and offers to open the whole page.
use super::i18n::{Lang, t, use_lang};
use super::remember::Theme;
use super::share::link_to;
use crate::spec::Spec;
use gloo::utils::window;
use std::cell::OnceCell;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::UrlSearchParams;
use yew::prelude::*;

/// What is shown where nothing is said of it.
const PANES: &str = "network,plot,predictions";

#[derive(Clone, Debug, PartialEq)]
pub struct Embed {
    /// `setup`, `network`, `plot` and views of the look inside by their ids, as they were asked for.
    panes: Vec<String>,
    pub theme: Option<Theme>,
    pub lang: Option<Lang>,
    pub preset: Option<String>,
    /// Whether it trains without being asked.
    pub train: bool,
}

/// Panes that are no views of the look inside.
const OTHER: [&str; 3] = ["setup", "network", "plot"];

impl Embed {
    fn of(search: &str) -> Option<Embed> {
        let asked = UrlSearchParams::new_with_str(search).ok()?;
        asked.get("embed").filter(|v| v == "1")?;
        let get = |name: &str| asked.get(name).filter(|v| !v.is_empty());
        let panes = get("panes").unwrap_or_else(|| PANES.to_string());
        Some(Embed {
            panes: panes.split(',').map(|p| p.trim().to_string()).collect(),
            theme: match get("theme").as_deref() {
                Some("dark") => Some(Theme::Dark),
                Some("light") => Some(Theme::Light),
                _ => None,
            },
            lang: get("lang").map(|tag| match tag.starts_with("zh") {
                true => Lang::Zh,
                false => Lang::En,
            }),
            preset: get("preset"),
            train: get("train").as_deref() != Some("0"),
        })
    }

    /// Whether it shows one of `setup`, `network` and `plot`.
    pub fn shows(&self, pane: &str) -> bool {
        self.panes.iter().any(|p| p == pane)
    }

    /// Ids of the views of the look inside that it shows.
    pub fn views(&self) -> impl Iterator<Item = &str> {
        let all = self.panes.iter().map(String::as_str);
        all.filter(|p| !p.is_empty() && !OTHER.contains(p))
    }
}

thread_local! {
    static EMBED: OnceCell<Option<Rc<Embed>>> = const { OnceCell::new() };
}

/// What the address asks for; None on the whole page.
pub fn embed() -> Option<Rc<Embed>> {
    let read = || {
        let search = window().location().search().ok()?;
        Embed::of(&search).map(Rc::new)
    };
    EMBED.with(|e| e.get_or_init(read).clone())
}

#[derive(Properties, PartialEq)]
pub struct OpenWholeProps {
    pub spec: Rc<Spec>,
    pub edited: bool,
}

/// The link to the whole page, on the network of now.
#[component]
pub fn OpenWhole(props: &OpenWholeProps) -> Html {
    use_lang();
    let own = use_state_eq(|| None::<String>);
    {
        let own = own.setter();
        let deps = (props.spec.clone(), props.edited);
        use_effect_with(deps, move |(spec, edited)| {
            let (spec, edited) = (spec.clone(), *edited);
            spawn_local(async move {
                own.set(if edited { link_to(&spec).await } else { None });
            });
        });
    }
    let href = match &*own {
        Some(link) => link.clone(),
        None => format!("./#preset={}", props.spec.name),
    };
    html! {
        <>
            <link rel="stylesheet" href="./css/embed.css" />
            <a class="button open-whole" {href} target="_blank" rel="noopener">{ t("embed-open") }</a>
        </>
    }
}
