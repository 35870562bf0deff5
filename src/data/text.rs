//! Texts as numbers, as Keras' `Tokenizer` and `pad_sequences` do it.
use crate::spec::{Side, TextSpec};
use std::collections::HashMap;

/// Numbers of words; the most frequent have the lowest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    /// Word by number; padding is empty and the unknown word `[?]`.
    words: Vec<String>,
    numbers: HashMap<String, u32>,
    unknown: bool,
}

/// What Keras' `Tokenizer` filters out by default, beside white space.
const FILTERED: &str = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~";

/// The words of a text: lower case, cut at white space and punctuation; an apostrophe stays. A line
/// break of HTML counts as space.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let text = text.replace("<br />", " ").to_lowercase();
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || FILTERED.contains(c))
        .filter(|w| !w.is_empty())
        .map(str::to_string)
        .collect();
    words.into_iter()
}

/// How often each word was there, and which came first.
#[derive(Default)]
pub struct Counts(HashMap<String, (u32, usize)>);

impl Counts {
    pub fn add(&mut self, text: &str) {
        for word in words(text) {
            let next = self.0.len();
            self.0.entry(word).or_insert((0, next)).0 += 1;
        }
    }

    pub fn vocabulary(self, spec: &TextSpec) -> Vocabulary {
        Vocabulary::most_frequent(self, spec)
    }
}

impl Vocabulary {
    /// The most frequent words of texts; among equals the one that came first.
    pub fn fit<'a>(texts: impl Iterator<Item = &'a str>, spec: &TextSpec) -> Vocabulary {
        let mut counts = Counts::default();
        texts.for_each(|text| counts.add(text));
        counts.vocabulary(spec)
    }

    fn most_frequent(counts: Counts, spec: &TextSpec) -> Vocabulary {
        let mut order: Vec<(String, (u32, usize))> = counts.0.into_iter().collect();
        order.sort_unstable_by_key(|(_, (count, first))| (u32::MAX - count, *first));
        let mut all = vec![String::new()];
        if spec.unknown {
            all.push("[?]".to_string());
        }
        let room = spec.words.saturating_sub(all.len());
        all.extend(order.into_iter().take(room).map(|(w, _)| w));
        Vocabulary::of(all, spec.unknown)
    }

    fn of(words: Vec<String>, unknown: bool) -> Vocabulary {
        let first = 1 + usize::from(unknown);
        let numbers = words
            .iter()
            .enumerate()
            .skip(first)
            .map(|(i, w)| (w.clone(), i as u32))
            .collect();
        Vocabulary {
            words,
            numbers,
            unknown,
        }
    }

    /// Word by number: padding is empty.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Numbers of a text's words, cut or padded to the spec's length, and with it the word that
    /// each stands for.
    pub fn encode(&self, text: &str, spec: &TextSpec) -> Vec<f32> {
        let mut ids: Vec<f32> = words(text)
            .filter_map(|w| match self.numbers.get(&w) {
                Some(n) => Some(*n as f32),
                None => self.unknown.then_some(1.0),
            })
            .collect();
        if ids.len() > spec.length {
            match spec.cut {
                Side::Front => {
                    ids.drain(..ids.len() - spec.length);
                }
                Side::Back => ids.truncate(spec.length),
            }
        }
        let padding = spec.length - ids.len();
        match spec.pad {
            Side::Front => {
                ids.splice(0..0, std::iter::repeat_n(0.0, padding));
            }
            Side::Back => ids.resize(spec.length, 0.0),
        }
        ids
    }
}
