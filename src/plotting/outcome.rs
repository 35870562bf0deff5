//! What a network's output says: a class, how surely, or numbers.
use crate::graph;
use crate::spec::Loss;
use crate::train::protocol::RunInfo;

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One output decides between classes 0 and 1: 1 above the threshold. `probability` says
    /// whether it is the probability of class 1, or a score.
    Two { threshold: f32, probability: bool },
    /// One output per class, the largest decides.
    Many { classes: usize, probability: bool },
    /// Numbers, one per target.
    Values { targets: usize },
}

impl Outcome {
    pub fn of(info: &RunInfo) -> Outcome {
        let shape = info.layers.last().map_or(&[][..], |l| &l.shape);
        let outputs = match shape {
            // Each step has a class: what is said here is said of one of them.
            [_, classes] if !info.data.classes.is_empty() => (*classes).max(1),
            _ => shape.iter().product::<usize>().max(1),
        };
        let loss = &info.spec.train.loss;
        let probability = matches!(
            loss,
            Loss::CrossEntropy { .. } | Loss::BinaryCrossEntropy { .. }
        );
        if info.data.classes.is_empty() {
            Outcome::Values { targets: outputs }
        } else if outputs == 1 {
            Outcome::Two {
                threshold: graph::threshold(loss),
                probability,
            }
        } else {
            Outcome::Many {
                classes: outputs,
                probability,
            }
        }
    }

    /// Numbers per sample, or per step where each has a class.
    pub fn width(&self) -> usize {
        match self {
            Outcome::Two { .. } => 1,
            Outcome::Many { classes, .. } => *classes,
            Outcome::Values { targets } => *targets,
        }
    }

    /// The class that the output of one sample stands for; None when it holds no number, or for
    /// a regression.
    pub fn class(&self, output: &[f32]) -> Option<usize> {
        match self {
            Outcome::Two { threshold, .. } => {
                let v = *output.first()?;
                (!v.is_nan()).then_some(usize::from(v > *threshold))
            }
            Outcome::Many { .. } => {
                let known = output.iter().enumerate().filter(|(_, v)| !v.is_nan());
                // Of equals the first, as argmax has it.
                known
                    .reduce(|a, b| if b.1 > a.1 { b } else { a })
                    .map(|(k, _)| k)
            }
            Outcome::Values { .. } => None,
        }
    }

    /// The probability given to a class, where the output is one.
    pub fn probability(&self, output: &[f32], class: usize) -> Option<f32> {
        match self {
            Outcome::Two {
                probability: true, ..
            } => {
                let p = *output.first()?;
                Some(if class == 1 { p } else { 1.0 - p })
            }
            Outcome::Many {
                probability: true, ..
            } => output.get(class).copied(),
            _ => None,
        }
    }
}
