//! What was noticed on which line. The texts are in `www/locales/<language>/code.ftl`.

/// One thing that was noticed.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Counted from 1; None where it concerns the whole.
    pub line: Option<usize>,
    pub code: &'static str,
    pub args: Vec<(&'static str, String)>,
}

const ENGLISH: &str = include_str!("../../www/locales/en/code.ftl");
const CHINESE: &str = include_str!("../../www/locales/zh-CN/code.ftl");

impl Note {
    /// The text in a language: `zh…`, else English.
    pub fn text(&self, language: &str) -> String {
        let catalogue = if language.starts_with("zh") {
            CHINESE
        } else {
            ENGLISH
        };
        let line = catalogue.lines().find_map(|l| {
            let (key, text) = l.split_once(" = ")?;
            (key == self.code).then_some(text)
        });
        let mut text = line.unwrap_or(self.code).to_string();
        for (name, value) in &self.args {
            text = text.replace(&format!("{{ ${name} }}"), value);
        }
        text
    }
}

/// Notes as they come: no more than a page can show, each once.
#[derive(Default)]
pub(crate) struct Notes(pub Vec<Note>);

impl Notes {
    pub fn add(&mut self, line: usize, code: &'static str, args: &[(&'static str, String)]) {
        let note = Note {
            line: (line > 0).then_some(line),
            code,
            args: args
                .iter()
                .map(|(n, v)| (*n, v.chars().take(200).collect()))
                .collect(),
        };
        if self.0.len() < 100 && !self.0.contains(&note) {
            self.0.push(note);
        }
    }
}
