//! Files with the paths that they have within a folder, dropped or picked.
use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, HtmlInputElement};

#[wasm_bindgen]
extern "C" {
    /// Files of the entries, each with its path as `webkitRelativePath`.
    #[wasm_bindgen(js_namespace = nabla, js_name = walk)]
    fn walk(entries: &Array) -> Promise;
}

/// The path of a file within the folder that it came from, else its name.
pub fn path(file: &File) -> String {
    let path = Reflect::get(file, &"webkitRelativePath".into()).ok();
    let path = path.and_then(|p| p.as_string()).filter(|p| !p.is_empty());
    path.unwrap_or_else(|| file.name())
}

/// Paths of all files; none where no file has any.
pub fn paths(files: &[File]) -> Vec<String> {
    let all: Vec<String> = files.iter().map(path).collect();
    match all.iter().any(|p| p.contains('/')) {
        true => all,
        false => Vec::new(),
    }
}

/// What was dropped, where there is a folder among it. To be asked while the event lasts.
pub fn entries(data: &DataTransfer) -> Option<Array> {
    let items = Reflect::get(data, &"items".into()).ok()?;
    let length = Reflect::get(&items, &"length".into()).ok()?.as_f64()? as u32;
    let found = Array::new();
    let mut folders = false;
    for i in 0..length {
        let item = Reflect::get_u32(&items, i).ok()?;
        let get = Reflect::get(&item, &"webkitGetAsEntry".into()).ok()?;
        let entry = get.dyn_ref::<Function>()?.call0(&item).ok()?;
        if entry.is_null() || entry.is_undefined() {
            continue;
        }
        folders |= Reflect::get(&entry, &"isDirectory".into()).is_ok_and(|d| d.is_truthy());
        found.push(&entry);
    }
    folders.then_some(found)
}

/// The files of dropped folders.
pub async fn files(entries: &Array) -> Vec<File> {
    let all = JsFuture::from(walk(entries)).await;
    let all = all.map_or_else(
        |e| {
            web_sys::console::warn_1(&e);
            Array::new()
        },
        |v| Array::from(&v),
    );
    useful(all.iter().filter_map(|f| f.dyn_into().ok()).collect())
}

/// Lets the visitor choose a folder, and hands over its files.
pub fn pick(then: impl FnOnce(Vec<File>) + 'static) {
    let input = gloo::utils::document().create_element("input").ok();
    let Some(input) = input.and_then(|i| i.dyn_into::<HtmlInputElement>().ok()) else {
        return;
    };
    input.set_type("file");
    // What cannot be set leaves a choice of single files.
    let _ = input.set_attribute("webkitdirectory", "");
    let chosen = input.clone();
    let changed = Closure::once_into_js(move || {
        then(useful(super::drop::files_of(chosen.files())));
    });
    input.set_onchange(Some(changed.unchecked_ref()));
    input.click();
}

/// Those of a folder's files that make up a data set: pictures, else texts by class, else all.
/// Hidden ones never do.
pub fn useful(files: Vec<File>) -> Vec<File> {
    use crate::data::{images::is_picture, labelled::is_text_of_class};
    let hidden = |p: &str| p.split('/').any(|part| part.starts_with('.'));
    let kept: Vec<(String, File)> = files
        .into_iter()
        .map(|f| (path(&f), f))
        .filter(|(p, _)| !hidden(p))
        .collect();
    let only = |of: &dyn Fn(&str) -> bool| -> Vec<File> {
        let chosen = kept.iter().filter(|(p, _)| of(p));
        chosen.map(|(_, f)| f.clone()).collect()
    };
    [only(&is_picture), only(&is_text_of_class)]
        .into_iter()
        .find(|list| !list.is_empty())
        .unwrap_or_else(|| only(&|_| true))
}
