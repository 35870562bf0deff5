//! The message catalogues: complete in both languages, and what the page asks for is there.
#![cfg(not(target_arch = "wasm32"))]
use nabla::spec::{Activation, PROBLEMS, presets::PRESETS};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Messages of a language by key. The catalogues use one line per message and indented
/// continuations, no terms and no attributes.
fn catalogue(lang: &str) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for file in [
        "page", "inspect", "inside", "data", "code", "scripts", "files", "builder", "plots", "tour",
    ] {
        let path = root().join(format!("www/locales/{lang}/{file}.ftl"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        let mut last = None;
        for (n, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = format!("{}:{}", path.display(), n + 1);
            if line.starts_with([' ', '}']) {
                let key: &String = last.as_ref().unwrap_or_else(|| panic!("{at}: no key"));
                all.get_mut(key).expect("seen").push_str(line);
                continue;
            }
            let (key, value) = line
                .split_once(" =")
                .unwrap_or_else(|| panic!("{at}: {line}"));
            let valid = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            assert!(valid, "{at}: key {key:?}");
            let before = all.insert(key.to_string(), value.trim().to_string());
            assert!(before.is_none(), "{at}: {key} is there twice");
            last = Some(key.to_string());
        }
    }
    for (key, value) in &all {
        assert!(!value.is_empty(), "{lang}: {key} is empty");
        assert_eq!(
            value.matches('{').count(),
            value.matches('}').count(),
            "{lang}: braces of {key}"
        );
    }
    all
}

/// The `$name`s that a message shows; a number by which it chooses a plural is none of them, for
/// Chinese has no plural to choose.
fn arguments(value: &str) -> BTreeSet<String> {
    value
        .split('$')
        .skip(1)
        .filter_map(|s| {
            let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let end = s.find(|c| !in_name(c)).unwrap_or(s.len());
            let chooses = s[end..].trim_start().starts_with("->");
            (!chooses).then(|| s[..end].to_string())
        })
        .collect()
}

#[test]
fn both_languages_have_the_same_messages() {
    let (en, zh) = (catalogue("en"), catalogue("zh-CN"));
    for (key, value) in &en {
        let other = zh.get(key).unwrap_or_else(|| panic!("zh-CN lacks {key}"));
        assert_eq!(arguments(value), arguments(other), "arguments of {key}");
    }
    for key in zh.keys().filter(|k| !k.starts_with("problem-")) {
        assert!(en.contains_key(key), "en lacks {key}");
    }
}

#[test]
fn every_problem_is_there_in_chinese() {
    let zh = catalogue("zh-CN");
    for (code, english) in PROBLEMS {
        let key = format!("problem-{code}");
        let text = zh.get(&key).unwrap_or_else(|| panic!("zh-CN lacks {key}"));
        let want: BTreeSet<String> = english
            .split('{')
            .skip(1)
            .filter_map(|s| s.split_once('}'))
            .map(|(name, _)| name.to_string())
            .collect();
        assert_eq!(arguments(text), want, "arguments of {key}");
    }
    for key in zh.keys() {
        if let Some(code) = key.strip_prefix("problem-") {
            assert!(
                PROBLEMS.iter().any(|(c, _)| *c == code),
                "{key} is no problem any more"
            );
        }
    }
}

#[test]
fn every_preset_and_activation_has_a_name() {
    for lang in ["en", "zh-CN"] {
        let all = catalogue(lang);
        for p in PRESETS {
            assert!(
                all.contains_key(&format!("preset-{}", p.id)),
                "{lang}: {}",
                p.id
            );
        }
        for a in Activation::ALL {
            let name = serde_json::to_value(a).expect("plain");
            let slug = name.as_str().expect("a string").replace('_', "-");
            assert!(
                all.contains_key(&format!("activation-{slug}")),
                "{lang}: {slug}"
            );
        }
    }
}

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Literal keys: `t("…")`, `t_args("…", …)`, and keys that a table or an action holds.
#[test]
fn what_the_page_asks_for_is_there() {
    let en = catalogue("en");
    let mut files = Vec::new();
    sources(&root().join("src/ui"), &mut files);
    assert!(!files.is_empty());
    let mut asked = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).expect("source");
        for call in ["t(", "t_args(", "Word::Message(", "Word::Trouble("] {
            for (at, _) in text.match_indices(call) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let rest = text[at + call.len()..].trim_start();
                let Some((key, _)) = rest.strip_prefix('"').and_then(|r| r.split_once('"')) else {
                    continue;
                };
                asked += 1;
                assert!(en.contains_key(key), "{}: {key}", file.display());
            }
        }
    }
    assert!(asked > 50, "only {asked} keys were found");
}
