//! Links, packed and unpacked.
use super::super::mutate::mutate;
use super::super::node;
use super::super::rng::Rng;
use super::{MARKS, Target};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use nabla::graph;
use nabla::spec::{Spec, presets};
use std::io::{Read, Write};

/// What a link holds once it is unpacked.
pub const SPEC: Target = Target {
    name: "spec",
    corpus: specs,
    words: &[MARKS, JSON],
    change: mutate,
    run: read_spec,
    memory: (64 << 20, 4096),
    share: 22,
};

/// The same as it stands in an address. It is unpacked by the page's own code, in Node.
pub const LINK: Target = Target {
    name: "link",
    corpus: links,
    words: &[MARKS, JSON],
    change: mutate_link,
    run: read_link,
    memory: (96 << 20, 65536),
    share: 6,
};

/// Bytes that a link may unpack to: `LINK_BYTES` in `nabla-tools.js`.
const LIMIT: usize = 1 << 20;

const JSON: &[&str] = &[
    "null",
    "true",
    "false",
    "\"kind\":",
    "\"linear\"",
    "\"conv2d\"",
    "\"lstm\"",
    "\"attention\"",
    "\"embedding\"",
    "\"reshape\"",
    "\"add\"",
    "\"concat\"",
    "\"inputs\":",
    "\"input\"",
    "\"units\":",
    "\"filters\":",
    "\"shape\":",
    "\"samples\":",
    "\"batch_size\":",
    "\"epochs\":",
    "\"version\":1",
    "\\u0000",
    "\\ud800",
    "\"source\":",
    "\"inline\"",
    "\"blobs\"",
    "\"vocab\":",
    "\"heads\":",
    "\"padding\":",
    "\"dilation\":",
    "\"groups\":",
    "\"stride\":",
    "\"kernel\":",
    "1e39",
    "-1e39",
];

fn specs() -> Vec<Vec<u8>> {
    let all = presets::PRESETS.iter().map(|p| p.spec());
    let forms = all.flat_map(|s| [s.to_short().to_string(), nabla::json::write(&s)]);
    forms.map(String::into_bytes).collect()
}

/// What a link holds once it is unpacked: the page reads it, checks its network, and makes a link of it again.
fn read_spec(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(spec) = Spec::from_json(&text) {
        let _ = graph::check(&spec, spec.data.shape().as_ref());
        let again = Spec::from_json(&spec.to_short().to_string());
        assert_eq!(again.as_ref(), Ok(&spec), "a link loses nothing");
    }
}

fn links() -> Vec<Vec<u8>> {
    let all = presets::PRESETS.iter().map(|p| p.spec().to_short());
    all.map(|json| address(&deflated(json.to_string().as_bytes())))
        .collect()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("into memory");
    packed.finish().expect("into memory")
}

/// All that the bytes unpack to, up to a little more than the limit, and whether they end there.
fn inflated(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut unpacked = Vec::new();
    let mut decoder = DeflateDecoder::new(bytes);
    let more = LIMIT as u64 + 1;
    (&mut decoder).take(more).read_to_end(&mut unpacked).ok()?;
    let end = decoder.total_in() == bytes.len() as u64;
    Some((unpacked, end))
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// base64url without padding, behind the name of its part of the address.
fn address(bytes: &[u8]) -> Vec<u8> {
    let mut text = b"#spec=".to_vec();
    for part in bytes.chunks(3) {
        let all = part.iter().enumerate();
        let bits = all.fold(0, |n, (k, b)| n | u32::from(*b) << (16 - 8 * k));
        for k in 0..=part.len() {
            text.push(LETTERS[(bits >> (18 - 6 * k)) as usize & 63]);
        }
    }
    text
}

/// The bytes of an address; None where it has none, or some that are cut off.
fn packed(text: &[u8]) -> Option<Vec<u8>> {
    let letters: Option<Vec<u32>> = text
        .strip_prefix(b"#spec=")?
        .iter()
        .map(|c| LETTERS.iter().position(|l| l == c).map(|k| k as u32))
        .collect();
    let mut bytes = Vec::new();
    for part in letters?.chunks(4) {
        let bits = part.iter().enumerate();
        let bits = bits.fold(0, |n, (k, v)| n | v << (18 - 6 * k));
        let all = bits.to_be_bytes();
        match part.len() {
            1 => return None,
            n => bytes.extend(&all[1..n]),
        }
    }
    Some(bytes)
}

/// Changes the text, the packed bytes, or what is packed.
fn mutate_link(rng: &mut Rng, text: &mut Vec<u8>, words: &[&[&str]], others: &[Vec<u8>]) {
    let depth = rng.below(8);
    let bytes = packed(text).unwrap_or_default();
    match depth {
        0 => mutate(
            rng,
            text,
            &[&["#spec=", "&", "?", "=", "+", "/", "%"]],
            others,
        ),
        1..4 => {
            let mut bytes = bytes;
            mutate(rng, &mut bytes, &[], others);
            *text = address(&bytes);
        }
        // Much out of little.
        4 if rng.one_in(8) => {
            let list = rng.below(words.len());
            let word = rng.pick(words[list]);
            let size = 1 << (10 + rng.below(14));
            *text = address(&deflated(&word.as_bytes().repeat(size / word.len())));
        }
        _ => {
            let (mut json, _) = inflated(&bytes).unwrap_or_default();
            mutate(rng, &mut json, words, &[]);
            *text = address(&deflated(&json));
        }
    }
}

/// As the page does: unpacked by its own code, then read as a spec. What is unpacked here without complaint
/// is read there too, and what is too large is not.
fn read_link(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(theirs) = node::unpack(&text) else {
        return;
    };
    let ours = packed(bytes).and_then(|bytes| inflated(&bytes));
    if let Some((json, _)) = ours.as_ref().filter(|(json, _)| json.len() > LIMIT) {
        assert!(theirs.is_err(), "{} bytes were unpacked", json.len());
    }
    if let Some((json, true)) = &ours
        && json.len() <= LIMIT
        && serde_json::from_slice::<serde_json::Value>(json).is_ok()
    {
        assert!(theirs.is_ok(), "refused: {theirs:?}");
    }
    if let Ok(json) = theirs {
        read_spec(json.as_bytes());
    }
}
