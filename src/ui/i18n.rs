//! The words of the page: one catalogue per language, fetched when the language is chosen.
//!
//! A script of index.html fetches the first while the page's wasm still loads.
//!
//! `t` and `t_args` read the current language; a component that uses them calls [`use_lang`],
//! so that it renders anew when the language changes.
use crate::spec::Problem;
use crate::train::protocol::Failure;
pub use fluent_bundle::FluentValue;
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use gloo::storage::{LocalStorage, Storage};
use js_sys::{Function, Promise, Reflect};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;
use yew::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    En,
    Zh,
}

const STORED: &str = "nabla.language";

impl Lang {
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh => "zh-CN",
        }
    }

    /// The language chosen before, or the browser's.
    pub fn initial() -> Lang {
        if let Some(lang) = super::embed::embed().and_then(|e| e.lang) {
            return lang;
        }
        let stored: Option<String> = LocalStorage::get(STORED).ok();
        let tag = stored.or_else(|| gloo::utils::window().navigator().language());
        match tag {
            Some(t) if t.starts_with("zh") => Lang::Zh,
            _ => Lang::En,
        }
    }

    /// Makes it the current language of the page.
    pub fn apply(self) {
        let root = gloo::utils::document().document_element();
        // Set again, even to what it is, it costs the styles of the whole page.
        if let Some(root) = root
            && root.get_attribute("lang").as_deref() != Some(self.tag())
        {
            // Failing to set an attribute leaves the page readable.
            let _ = root.set_attribute("lang", self.tag());
        }
        CURRENT.set(self);
    }

    pub fn remember(self) {
        // Storage may be switched off; the choice then lasts as long as the page.
        let _ = LocalStorage::set(STORED, self.tag());
    }

    pub fn current() -> Lang {
        CURRENT.get()
    }
}

type Bundle = FluentBundle<FluentResource>;

thread_local! {
    static CURRENT: Cell<Lang> = const { Cell::new(Lang::En) };
    static BUNDLES: RefCell<[Option<Rc<Bundle>>; 2]> = const { RefCell::new([None, None]) };
    /// Catalogues of parts of the page that load later, by language and name.
    static MORE: RefCell<Vec<(Lang, &'static str, Rc<Bundle>)>> = const { RefCell::new(Vec::new()) };
}

/// Fetches a language's catalogue unless it is here.
pub async fn load(lang: Lang) -> Result<(), JsValue> {
    if bundle_of(lang).is_some() {
        return Ok(());
    }
    let fetch: Function = Reflect::get(&gloo::utils::window(), &"nablaWords".into())?.dyn_into()?;
    let promise: Promise = fetch
        .call1(&JsValue::UNDEFINED, &lang.tag().into())?
        .dyn_into()?;
    let text = JsFuture::from(promise).await?.as_string();
    let made = Rc::new(bundle(lang, text.unwrap_or_default()));
    BUNDLES.with_borrow_mut(|all| all[lang as usize] = Some(made));
    Ok(())
}

/// Fetches the catalogue of a part of the page; without it keys stand in for its words.
pub async fn load_more(lang: Lang, name: &'static str) {
    let url = format!("./locales/{}/{name}.ftl", lang.tag());
    let text = async {
        let answer = JsFuture::from(gloo::utils::window().fetch_with_str(&url)).await?;
        let answer: Response = answer.dyn_into()?;
        if !answer.ok() {
            return Err(JsValue::from(url.as_str()));
        }
        JsFuture::from(answer.text()?).await
    };
    let text = text.await.ok().and_then(|t| t.as_string());
    let made = Rc::new(bundle(lang, text.unwrap_or_default()));
    if !has_more(lang, name) {
        MORE.with_borrow_mut(|all| all.push((lang, name, made)));
    }
}

/// Whether the words of a part of the page are here, in the current language; they are fetched if
/// not.
#[hook]
pub fn use_more(name: &'static str) -> bool {
    let lang = use_lang();
    let update = use_force_update();
    use_effect_with((lang, name), move |(lang, name)| {
        let (lang, name) = (*lang, *name);
        if !has_more(lang, name) {
            wasm_bindgen_futures::spawn_local(async move {
                // Without them the keys stand in, which is better than nothing.
                load_more(lang, name).await;
                update.force_update();
            });
        }
    });
    has_more(lang, name)
}

/// Whether [`load_more`] has been here.
pub fn has_more(lang: Lang, name: &str) -> bool {
    MORE.with_borrow(|all| all.iter().any(|(l, n, _)| *l == lang && *n == name))
}

fn bundle_of(lang: Lang) -> Option<Rc<Bundle>> {
    BUNDLES.with_borrow(|all| all[lang as usize].clone())
}

fn bundle(lang: Lang, source: String) -> Bundle {
    let tag = lang.tag().parse().expect("a valid language tag");
    let mut bundle = FluentBundle::new(vec![tag]);
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(source).unwrap_or_else(|(r, errors)| {
        web_sys::console::error_1(&format!("{}: {errors:?}", lang.tag()).into());
        r
    });
    bundle.add_resource_overriding(resource);
    bundle
}

fn message(key: &str, args: Option<&FluentArgs>) -> Option<String> {
    let lang = Lang::current();
    let more = MORE.with_borrow(|all| {
        let of = all.iter().filter(|m| m.0 == lang);
        of.map(|m| m.2.clone()).collect::<Vec<_>>()
    });
    bundle_of(lang).into_iter().chain(more).find_map(|bundle| {
        let pattern = bundle.get_message(key)?.value()?;
        // Arguments that a translation does not use are no errors.
        let text = bundle.format_pattern(pattern, args, &mut Vec::new());
        Some(text.into_owned())
    })
}

/// The message in the current language; the key itself where there is none.
pub fn t(key: &str) -> String {
    message(key, None).unwrap_or_else(|| key.to_string())
}

/// As [`t`], where the language has it.
pub fn t_maybe(key: &str) -> Option<String> {
    message(key, None)
}

/// The message with its `{ $name }`s filled in: `t_args("epoch-n", &[("n", 3.into())])`.
pub fn t_args(key: &str, args: &[(&str, FluentValue)]) -> String {
    let args: FluentArgs = args.iter().cloned().collect();
    message(key, Some(&args)).unwrap_or_else(|| key.to_string())
}

/// Renders the component anew when the language changes.
#[hook]
pub fn use_lang() -> Lang {
    use_context::<Lang>().unwrap_or_else(Lang::current)
}

/// What is wrong, in the current language.
pub fn problem_text(p: &Problem) -> String {
    if Lang::current() == Lang::En {
        return p.message.clone();
    }
    let args: FluentArgs = p
        .args
        .iter()
        .map(|(k, v)| (k.as_str(), FluentValue::from(word(k, v))))
        .collect();
    message(&format!("problem-{}", p.code), Some(&args)).unwrap_or_else(|| p.message.clone())
}

/// An argument of a problem that is itself a word: the name of a field, a part, a kind.
fn word(name: &str, value: &str) -> String {
    let last = value.rsplit('.').next().unwrap_or(value);
    let mut slug = String::new();
    for c in last.to_lowercase().chars() {
        match c.is_alphanumeric() {
            true => slug.push(c),
            false if slug.ends_with('-') => {}
            false => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    let key = match name {
        "name" => format!("field-{slug}"),
        // What the visitor wrote stays as it is.
        "id" | "file" | "column" | "columns" | "detail" => return value.to_string(),
        _ => format!("word-{slug}"),
    };
    t_maybe(&key).unwrap_or_else(|| value.to_string())
}

/// All problems of a failure in one paragraph, each with the layer it is about.
pub fn failure_text(f: &Failure) -> String {
    if f.problems.is_empty() {
        return f.message.clone();
    }
    let one = |p: &Problem| match &p.layer {
        Some(id) => t_args(
            "on-layer",
            &[
                ("layer", id.as_str().into()),
                ("text", problem_text(p).into()),
            ],
        ),
        None => problem_text(p),
    };
    f.problems.iter().map(one).collect::<Vec<_>>().join(" ")
}
