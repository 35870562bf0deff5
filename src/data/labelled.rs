//! Labelled texts: JSON lines, CSV of text and label, folders of text files by class.
use super::{FileBytes, Pauses, Raw, Target, Values, archive, gzip::gunzip};
use crate::spec::Problem;
use serde_json::Value;
use std::collections::BTreeMap;

/// Names under which texts and labels are found, the likelier first.
const TEXT: [&str; 7] = [
    "text", "review", "sentence", "content", "comment", "body", "message",
];
const LABEL: [&str; 7] = [
    "label",
    "sentiment",
    "class",
    "target",
    "category",
    "polarity",
    "y",
];
/// Labels that differ, at most.
const MAX_CLASSES: usize = 1000;
/// Samples, at most.
const MAX_TEXTS: usize = 1_000_000;

/// Samples as they come, their labels still as texts.
#[derive(Default)]
struct Texts {
    texts: Vec<String>,
    labels: Vec<String>,
    test: Vec<bool>,
}

fn is_test(name: &str) -> bool {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.to_lowercase().contains("test")
}

impl Texts {
    fn push(&mut self, text: String, label: String, test: bool) -> Result<(), Problem> {
        if self.texts.len() == MAX_TEXTS {
            return Err(Problem::new("data-too-big")
                .arg("got", format!("more than {MAX_TEXTS} texts"))
                .arg("max", MAX_TEXTS));
        }
        self.texts.push(text);
        self.labels.push(label);
        self.test.push(test);
        Ok(())
    }

    /// Classes in order: numbers by value, else by name. The test part comes last.
    fn finish(self, name: &str) -> Result<Raw, Problem> {
        if self.texts.is_empty() {
            return Err(Problem::new("no-samples"));
        }
        let mut classes: BTreeMap<(i64, &str), f32> = BTreeMap::new();
        let key = |l: &'_ String| -> i64 { l.parse().unwrap_or(i64::MAX) };
        for l in &self.labels {
            classes.insert((key(l), l), 0.0);
        }
        if classes.len() < 2 || classes.len() > MAX_CLASSES {
            return Err(Problem::new("text-classes")
                .arg("got", classes.len())
                .arg("max", MAX_CLASSES));
        }
        for (k, v) in classes.values_mut().enumerate() {
            *v = k as f32;
        }
        let mut names: Vec<String> = classes.keys().map(|(_, l)| l.to_string()).collect();
        // What sentiments are called where they are numbers.
        if names == ["0", "1"] {
            names = vec!["negative".into(), "positive".into()];
        }
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        order.sort_by_key(|i| self.test[*i]);
        let y = order
            .iter()
            .map(|i| classes[&(key(&self.labels[*i]), self.labels[*i].as_str())])
            .collect();
        let mut texts: Vec<Option<String>> = self.texts.into_iter().map(Some).collect();
        let texts: Vec<String> = order
            .iter()
            .map(|i| texts[*i].take().unwrap_or_default())
            .collect();
        let train = self.test.iter().filter(|t| !**t).count();
        let all = texts.len();
        Ok(Raw {
            texts,
            target: Target::Classes { names },
            test: (train > 0 && train < all).then_some(train..all),
            ..Raw::of(name, Values::F32(Vec::new()), y)
        })
    }
}

/// The text of a file, which is UTF-8; a byte order mark is left out.
fn utf8<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        Problem::new("text-line")
            .arg("file", file)
            .arg("line", line)
            .arg("detail", "it is not UTF-8")
    })
}

fn label_of(v: &Value) -> Option<String> {
    match v {
        Value::String(s) => Some(s.trim().to_string()),
        Value::Bool(b) => Some(u8::from(*b).to_string()),
        Value::Number(n) => {
            let whole = n.as_i64().map(|n| n.to_string());
            whole.or_else(|| n.as_f64().map(|v| v.to_string()))
        }
        _ => None,
    }
}

/// JSON lines: an object each, whose text is under `text`, `review`, … and whose label, a text, a
/// whole number or a truth value, under `label`, `sentiment`, … Files with `test` in their name
/// are the test part.
///
/// Errors: `text-line` names the line, `text-classes`, `no-samples`, and those of [`gunzip`].
pub async fn jsonl(
    name: &str,
    files: &[FileBytes],
    pauses: &mut Pauses<'_>,
) -> Result<Raw, Problem> {
    let mut all = Texts::default();
    for f in files {
        let bytes = gunzip(&f.name, &f.bytes)?;
        for (i, line) in utf8(&f.name, &bytes)?.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let wrong = |detail: &str| {
                Problem::new("text-line")
                    .arg("file", &f.name)
                    .arg("line", i + 1)
                    .arg("detail", detail)
            };
            let v: Value = serde_json::from_str(line).map_err(|e| wrong(&e.to_string()))?;
            let text = TEXT.iter().find_map(|k| v.get(k)?.as_str());
            let label = LABEL.iter().find_map(|k| label_of(v.get(k)?));
            let text = text.ok_or_else(|| wrong("it has no “text” that is a string"))?;
            let label = label.ok_or_else(|| wrong("it has no “label”"))?;
            all.push(text.to_string(), label, is_test(&f.name))?;
            pauses.after(line.len() + 1).await?;
        }
    }
    all.finish(name)
}

/// CSV or TSV of text and label. The text's column is found by its name, or else is the one whose cells are
/// longest; the label's is `target`, or found by its name, or else the last other one.
///
/// Errors: as [`jsonl`], and `csv-target`.
pub async fn csv(
    name: &str,
    files: &[FileBytes],
    target: Option<&str>,
    pauses: &mut Pauses<'_>,
) -> Result<Raw, Problem> {
    let mut all = Texts::default();
    for f in files {
        let bytes = gunzip(&f.name, &f.bytes)?;
        let text = utf8(&f.name, &bytes)?;
        let first = text.lines().next().unwrap_or_default();
        let tab = first.contains('\t');
        let reader = || {
            csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(if tab { b'\t' } else { b',' })
                .from_reader(text.as_bytes())
        };
        let wrong = |line: u64, detail: String| {
            Problem::new("text-line")
                .arg("file", &f.name)
                .arg("line", line)
                .arg("detail", detail)
        };
        let mut lengths: Vec<usize> = Vec::new();
        let mut header = Vec::new();
        for (i, row) in reader().records().enumerate().take(200) {
            let row = row.map_err(|e| wrong(i as u64 + 1, e.to_string()))?;
            lengths.resize(lengths.len().max(row.len()), 0);
            row.iter()
                .zip(&mut lengths)
                .for_each(|(c, n)| *n += c.len());
            if i == 0 {
                header = row.iter().map(|c| c.trim().to_lowercase()).collect();
            }
        }
        let named = |list: &[&str]| list.iter().find_map(|k| header.iter().position(|h| h == k));
        let by_name = named(&TEXT);
        let longest = (0..lengths.len()).max_by_key(|i| lengths[*i]);
        let (Some(at), true) = (by_name.or(longest), lengths.len() > 1) else {
            return Err(wrong(
                1,
                "a text and its label need two columns".to_string(),
            ));
        };
        let label = match target {
            Some(t) => Some(
                header
                    .iter()
                    .position(|h| *h == t.trim().to_lowercase())
                    .ok_or_else(|| {
                        Problem::new("csv-target")
                            .arg("file", &f.name)
                            .arg("column", t)
                            .arg("columns", header.join(", "))
                    })?,
            ),
            None => named(&LABEL),
        };
        let has_header = by_name.is_some() || label.is_some();
        let label = label.unwrap_or_else(|| (0..lengths.len()).rfind(|i| *i != at).unwrap_or(0));
        for row in reader().records().skip(usize::from(has_header)) {
            let row = row.map_err(|e| wrong(0, e.to_string()))?;
            let line = row.position().map_or(0, csv::Position::line);
            let cell = |i: usize| row.get(i).map(str::trim).filter(|c| !c.is_empty());
            let (Some(text), Some(label)) = (cell(at), cell(label)) else {
                return Err(wrong(line, "its text or its label is missing".to_string()));
            };
            all.push(text.to_string(), label.to_string(), is_test(&f.name))?;
            pauses.after(text.len() + label.len() + 2).await?;
        }
    }
    all.finish(name)
}

/// `(test part, class)` of a path such as `aclImdb/train/pos/0_9.txt`.
fn place(path: &str) -> Option<(bool, &str)> {
    let parts: Vec<&str> = path.split('/').collect();
    let [.., class, file] = parts[..] else {
        return None;
    };
    let test = parts.iter().rev().skip(2).find_map(|p| match *p {
        "train" => Some(false),
        "test" => Some(true),
        _ => None,
    });
    let text = file.to_lowercase().ends_with(".txt");
    let class_like = !matches!(class, "train" | "test" | "unsup");
    // Beside the folders there are lists of words and addresses.
    (text && class_like && (test.is_some() || parts.len() == 2))
        .then(|| (test == Some(true), class))
}

/// Whether a path in an archive is a text of a class.
pub fn is_text_of_class(path: &str) -> bool {
    place(path).is_some()
}

/// Text files in a folder per class, under `train` and `test` or directly; what the Large Movie
/// Review Dataset is, as a folder or as `aclImdb_v1.tar.gz`.
///
/// Errors: `text-line`, `text-classes`, `no-samples`, and those of [`archive::unpack`].
pub async fn folders(
    name: &str,
    files: &[FileBytes],
    pauses: &mut Pauses<'_>,
) -> Result<Raw, Problem> {
    let mut all = Texts::default();
    let mut files = archive::unpack(files, is_text_of_class, pauses).await?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    for f in &files {
        if let Some((test, class)) = place(&f.name) {
            let class = match class {
                "neg" => "negative",
                "pos" => "positive",
                other => other,
            };
            all.push(
                utf8(&f.name, &f.bytes)?.to_string(),
                class.to_string(),
                test,
            )?;
            pauses.spent(f.bytes.len()).await?;
        }
    }
    all.finish(name)
}
