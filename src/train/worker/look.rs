//! The closer look, whose code loads when somebody first opens a view that needs it.
use super::run::AnySession;
use super::scope::Answer;
use crate::lazy;
use crate::spec::Problem;
use crate::train::protocol::{Failure, Part};
use std::future::Future;
use std::pin::Pin;

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + 'a>>;

type Answered = Result<Answer, Failure>;

/// See the functions of [`crate::train::Session`].
#[derive(Clone, Copy)]
pub struct Look {
    pub vitals: for<'a> fn(&'a mut AnySession) -> Answering<'a>,
    pub saliency: for<'a> fn(&'a mut AnySession, Part, usize, usize) -> Answering<'a>,
    pub attribute: for<'a> fn(&'a mut AnySession, Vec<f32>, usize) -> Answering<'a>,
    pub carry_on: for<'a> fn(&'a mut AnySession, Vec<f32>, usize) -> Answering<'a>,
    pub describe: fn(&AnySession, Part) -> Answered,
    pub browse: fn(&AnySession, Part, Option<u32>, (usize, usize)) -> Answered,
    pub encode: fn(&AnySession, &str) -> Answered,
}

fn vitals(session: &mut AnySession) -> Answering<'_> {
    Box::pin(async { Answer::of(&session.vitals().await?) })
}

fn saliency(session: &mut AnySession, part: Part, number: usize, output: usize) -> Answering<'_> {
    Box::pin(async move {
        let (info, times, along) = session.saliency(part, number, output).await?;
        let answer = Answer::of(&info)?.floats(&times);
        Ok(along.iter().fold(answer, |a, v| a.floats(v)))
    })
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

fn describe(session: &AnySession, part: Part) -> Result<Answer, Failure> {
    Answer::of(&session.describe(part))
}

fn browse(
    session: &AnySession,
    part: Part,
    class: Option<u32>,
    (start, count): (usize, usize),
) -> Result<Answer, Failure> {
    let (info, x, y, rows) = session.browse(part, class, start, count);
    Ok(Answer::of(&info)?.floats(&x).floats(&y).words(&rows))
}

fn encode(session: &AnySession, text: &str) -> Result<Answer, Failure> {
    let (info, ids) = session.encode(text)?;
    Ok(Answer::of(&info)?.floats(&ids))
}

lazy! {
    static LOOK: Look, in engine look = Look {
        vitals, saliency, attribute, carry_on, describe, browse, encode
    };
}

/// Fails with `part-not-loaded` when it does not come.
pub async fn look() -> Result<Look, Failure> {
    match LOOK.load().await {
        Ok(look) => Ok(*look),
        Err(_) => {
            let problem = Problem::new("part-not-loaded");
            Err(Failure::new("internal", vec![problem]))
        }
    }
}
