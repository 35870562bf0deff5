//! The closer look, whose code loads when somebody first opens a view that needs it.
use super::run::AnySession;
use super::scope::Answer;
use crate::lazy;
use crate::spec::Problem;
use crate::train::protocol::{Failure, Part};
use std::future::Future;
use std::pin::Pin;

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + 'a>>;

/// See the functions of [`crate::train::Session`].
#[derive(Clone, Copy)]
pub struct Look {
    pub vitals: for<'a> fn(&'a mut AnySession) -> Answering<'a>,
    pub saliency: for<'a> fn(&'a mut AnySession, Part, usize, usize) -> Answering<'a>,
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

lazy! { static LOOK: Look, in engine look = Look { vitals, saliency }; }

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
