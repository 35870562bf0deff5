//! What is asked of data, and of a network with samples of one's own. Its code loads when it is first
//! needed.
use super::run::AnySession;
use super::scope::Answer;
use crate::lazy;
use crate::spec::Problem;
use crate::train::protocol::{Failure, Part};
use std::future::Future;
use std::pin::Pin;

type Answering<'a> = Pin<Box<dyn Future<Output = Answered> + 'a>>;
type Answered = Result<Answer, Failure>;

/// See the functions of [`crate::train::Session`].
#[derive(Clone, Copy)]
pub struct Trying {
    pub attribute: for<'a> fn(&'a mut AnySession, Vec<f32>, usize) -> Answering<'a>,
    pub carry_on: for<'a> fn(&'a mut AnySession, Vec<f32>, usize) -> Answering<'a>,
    pub describe: fn(&AnySession, Part) -> Answered,
    pub browse: fn(&AnySession, Part, Option<u32>, (usize, usize)) -> Answered,
    pub encode: fn(&AnySession, &str) -> Answered,
}

fn attribute(session: &mut AnySession, x: Vec<f32>, output: usize) -> Answering<'_> {
    Box::pin(async move {
        let (info, times, along) = session.saliency_of_raw(x, output).await?;
        let answer = Answer::of(&info)?.floats(&times);
        Ok(along.iter().fold(answer, |a, v| a.floats(v)))
    })
}

fn carry_on(session: &mut AnySession, x: Vec<f32>, steps: usize) -> Answering<'_> {
    Box::pin(async move { Ok(Answer::null().floats(&session.carry_on(x, steps).await?)) })
}

fn describe(session: &AnySession, part: Part) -> Answered {
    Answer::of(&session.describe(part))
}

fn browse(
    session: &AnySession,
    part: Part,
    class: Option<u32>,
    (start, count): (usize, usize),
) -> Answered {
    let (info, x, y, rows) = session.browse(part, class, start, count);
    Ok(Answer::of(&info)?.floats(&x).floats(&y).words(&rows))
}

fn encode(session: &AnySession, text: &str) -> Answered {
    let (info, ids) = session.encode(text)?;
    Ok(Answer::of(&info)?.floats(&ids))
}

lazy! {
    static TRYING: Trying, in engine look = Trying {
        attribute, carry_on, describe, browse, encode
    };
}

/// Fails with `part-not-loaded` when it does not come.
pub async fn trying() -> Result<Trying, Failure> {
    match TRYING.load().await {
        Ok(trying) => Ok(*trying),
        Err(_) => {
            let problem = Problem::new("part-not-loaded");
            Err(Failure::new("internal", vec![problem]))
        }
    }
}
