//! Changes of bytes that know of numbers, brackets, lines and headers.
use super::rng::Rng;

/// Longest input: what grows by doubling stops here.
const LONGEST: usize = 64 << 10;

/// Numbers at the edges of types and bounds.
const NUMBERS: [&str; 28] = [
    "0",
    "1",
    "2",
    "-1",
    "7",
    "255",
    "256",
    "1000",
    "4096",
    "65535",
    "65536",
    "1000000",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e999",
    "-0.0",
    "1e-45",
    "0.1",
    "null",
];

/// Between one and some changes of `bytes`. `words`: what the format is made of; `others`: inputs
/// to take pieces from.
pub fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>, words: &[&[&str]], others: &[Vec<u8>]) {
    let rounds = 1 + rng.small(5);
    for _ in 0..rounds {
        once(rng, bytes, words, others);
        bytes.truncate(LONGEST);
    }
}

fn place(rng: &mut Rng, bytes: &[u8]) -> usize {
    rng.below(bytes.len() + 1)
}

/// A range of the bytes, short ones more often.
fn range(rng: &mut Rng, bytes: &[u8]) -> std::ops::Range<usize> {
    let from = place(rng, bytes);
    let to = (from + 1 + rng.small(10)).min(bytes.len());
    from.min(to)..to
}

fn once(rng: &mut Rng, bytes: &mut Vec<u8>, words: &[&[&str]], others: &[Vec<u8>]) {
    match rng.below(12) {
        0 if !bytes.is_empty() => {
            let at = rng.below(bytes.len());
            bytes[at] ^= 1 << rng.below(8);
        }
        1 if !bytes.is_empty() => {
            let at = rng.below(bytes.len());
            bytes[at] = [0, 0xff, 0x7f, 0x80, b'0', b'"', b'\n', rng.next() as u8][rng.below(8)];
        }
        2 => drop(bytes.drain(range(rng, bytes))),
        3 => {
            let piece = bytes[range(rng, bytes)].to_vec();
            let at = place(rng, bytes);
            let times = 1 + rng.small(6);
            let piece = piece.repeat(times.min(LONGEST / piece.len().max(1)));
            bytes.splice(at..at, piece);
        }
        4 | 5 if !words.is_empty() => {
            let word = word(rng, words);
            let at = place(rng, bytes);
            bytes.splice(at..at, word);
        }
        6 if !words.is_empty() => {
            let word = word(rng, words);
            let old = range(rng, bytes);
            bytes.splice(old, word);
        }
        7 | 8 => {
            if let Some(number) = number(rng, bytes) {
                bytes.splice(number, rng.pick(&NUMBERS).bytes());
            }
        }
        9 if !others.is_empty() => {
            let other = &others[rng.below(others.len())];
            let piece = other[range(rng, other)].to_vec();
            let old = range(rng, bytes);
            bytes.splice(old, piece);
        }
        10 => {
            let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("(", ")"), ("-", "")][rng.below(4)];
            let depth = 1 << rng.below(12);
            let at = place(rng, bytes);
            let nested = format!("{}{}", open.repeat(depth), close.repeat(depth));
            bytes.splice(at..at, nested.into_bytes());
        }
        11 => bytes.truncate(place(rng, bytes)),
        _ => {}
    }
}

/// One of several lists, of whichever length, each word as likely as any other.
fn word(rng: &mut Rng, words: &[&[&str]]) -> Vec<u8> {
    let at = rng.below(words.iter().map(|list| list.len()).sum());
    let word = words.iter().copied().flatten().nth(at);
    word.expect("is below their number").as_bytes().to_vec()
}

/// Where a number in digits stands, from somewhere on.
fn number(rng: &mut Rng, bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let from = place(rng, bytes);
    let digit = |b: &u8| b.is_ascii_digit();
    let start = from + bytes[from..].iter().position(digit)?;
    let in_number = |b: &u8| b.is_ascii_digit() || *b == b'.';
    let end = bytes[start..].iter().position(|b| !in_number(b));
    Some(start..end.map_or(bytes.len(), |n| start + n))
}

/// Changes the header of a safetensors file more often than its numbers, and mostly keeps its
/// length true, so that what it says is read.
pub fn mutate_tensors(rng: &mut Rng, bytes: &mut Vec<u8>, words: &[&[&str]], others: &[Vec<u8>]) {
    let length = bytes.first_chunk::<8>().map(|b| u64::from_le_bytes(*b));
    let Some(length) = length.filter(|n| *n <= bytes.len() as u64 - 8) else {
        return mutate(rng, bytes, words, others);
    };
    if rng.one_in(6) {
        return mutate(rng, bytes, words, others);
    }
    let data = bytes.split_off(8 + length as usize);
    let mut header = bytes.split_off(8);
    mutate(rng, &mut header, words, others);
    let said = match rng.below(12) {
        0 => rng.next(),
        1 => u64::MAX,
        2 => length,
        _ => header.len() as u64,
    };
    *bytes = said.to_le_bytes().to_vec();
    bytes.append(&mut header);
    bytes.extend(data);
}
