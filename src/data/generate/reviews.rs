//! Film reviews put together from phrases: what stands in for IMDB until its files come. Whether
//! a review is positive depends on its sum of judgements, and a judgement on its adjective, its
//! degree and its negation; single words tell little.
use crate::data::rng::{DATA, NOISE, Rng};
use crate::data::{Raw, Target, Values};

const THINGS: [&str; 14] = [
    "the film",
    "the plot",
    "the acting",
    "the story",
    "the music",
    "the ending",
    "the cast",
    "the dialogue",
    "the camera work",
    "the pacing",
    "the lead",
    "the script",
    "the humour",
    "the first half",
];
const GOOD: [&str; 14] = [
    "good",
    "great",
    "wonderful",
    "moving",
    "funny",
    "clever",
    "beautiful",
    "charming",
    "gripping",
    "brilliant",
    "fresh",
    "touching",
    "convincing",
    "memorable",
];
const BAD: [&str; 14] = [
    "bad",
    "awful",
    "boring",
    "dull",
    "stupid",
    "weak",
    "ugly",
    "clumsy",
    "tedious",
    "terrible",
    "stale",
    "shallow",
    "wooden",
    "forgettable",
];
/// Degrees and what they count.
const DEGREES: [(&str, f32); 8] = [
    ("", 1.0),
    ("", 1.0),
    ("very ", 1.6),
    ("really ", 1.5),
    ("extremely ", 2.0),
    ("somewhat ", 0.6),
    ("a bit ", 0.5),
    ("rather ", 0.8),
];
const NEUTRAL: [&str; 10] = [
    "i saw it on a sunday with my sister.",
    "it runs for about two hours.",
    "it was made in the seventies.",
    "the director has made three films before.",
    "most of it takes place in a small town.",
    "a friend had told me about it.",
    "there is a dog in it.",
    "the hall was half full.",
    "it is based on a novel.",
    "we watched it twice.",
];

fn one<T: Copy>(rng: &mut Rng, list: &[T]) -> T {
    list[rng.below(list.len() as u32) as usize]
}

/// A sentence and how much it speaks for the film; `good` is the judgement that it leads to.
fn sentence(good: bool, rng: &mut Rng) -> (String, f32) {
    let (degree, weight) = one(rng, &DEGREES);
    let thing = one(rng, &THINGS);
    let sign = if good { 1.0 } else { -1.0 };
    // A negation asks for the opposite adjective, and takes away some of the weight.
    let negated = rng.uniform() < 0.35;
    let word = if good != negated {
        one(rng, &GOOD)
    } else {
        one(rng, &BAD)
    };
    if negated {
        let text = match rng.below(4) {
            0 => format!("{thing} was not {word} at all."),
            1 => format!("i would not call {thing} {word}."),
            2 => format!("nothing about {thing} was {word}."),
            _ => format!("{thing} was never {word}."),
        };
        return (text, 0.8 * sign);
    }
    let text = match rng.below(4) {
        0 => format!("{thing} was {degree}{word}."),
        1 => format!("i found {thing} {degree}{word}."),
        2 => format!("{thing}, {degree}{word}, stays with me."),
        _ => format!("my word for {thing}: {degree}{word}."),
    };
    (text, weight * sign)
}

/// A review that is positive or negative by the sum of its sentences, and clearly so.
pub fn review(positive: bool, rng: &mut Rng) -> String {
    loop {
        let count = 4 + rng.below(12);
        let (mut text, mut sum) = (Vec::new(), 0.0);
        for _ in 0..count {
            if rng.uniform() < 0.3 {
                text.push(one(rng, &NEUTRAL).to_string());
                continue;
            }
            // Mixed feelings: one judgement in four speaks against the whole.
            let (s, weight) = sentence(positive == (rng.uniform() < 0.75), rng);
            sum += weight;
            text.push(s);
        }
        if sum.abs() >= 1.0 && (sum > 0.0) == positive {
            return text.join(" ");
        }
    }
}

/// `samples` reviews, half of them positive.
pub fn reviews(samples: usize, seed: u32) -> Raw {
    let mut which: Vec<bool> = (0..samples).map(|i| i % 2 == 1).collect();
    Rng::new(seed, DATA).shuffle(&mut which);
    let texts = which
        .iter()
        .enumerate()
        .map(|(i, positive)| review(*positive, &mut Rng::at(seed, NOISE, i as u32)))
        .collect();
    let y = which.iter().map(|p| f32::from(u8::from(*p))).collect();
    Raw {
        texts,
        target: Target::Classes {
            names: vec!["negative".into(), "positive".into()],
        },
        ..Raw::of("Generated reviews", Values::F32(Vec::new()), y)
    }
}
