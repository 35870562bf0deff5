//! The closer look, whose code loads when somebody first opens a view that needs it.
use super::run::AnySession;
use super::scope::{Answer, now};
use crate::lazy;
use crate::spec::Problem;
use crate::train::protocol::{ArrayInfo, Ask, Failure, SurfaceChunk};
use std::future::Future;
use std::pin::Pin;

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + 'a>>;

/// Answers what is asked of a session; see the functions of [`crate::train::Session`].
pub type Look = for<'a> fn(&'a mut AnySession, Ask) -> Answering<'a>;

/// Milliseconds for which points of a surface are computed before messages are heard again.
const PIECE: f64 = 12.0;

fn answered(session: &mut AnySession, ask: Ask) -> Answering<'_> {
    Box::pin(answer(session, ask))
}

async fn answer(s: &mut AnySession, ask: Ask) -> Result<Answer, Failure> {
    match ask {
        Ask::Vitals => Answer::of(&s.vitals().await?),
        Ask::Saliency {
            part,
            number,
            output,
        } => {
            let (info, times, along) = s.saliency(part, number, output).await?;
            let answer = Answer::of(&info)?.floats(&times);
            Ok(along.iter().fold(answer, |a, v| a.floats(v)))
        }
        Ask::Within {
            part,
            number,
            layer,
        } => with(s.within(part, number, &layer).await?),
        Ask::Field(ask) => array(s.field(&ask).await?),
        Ask::Reconstruction { part, number } => {
            let (info, values) = s.reconstruction(part, number).await?;
            let answer = Answer::of(&info)?;
            Ok(values.iter().fold(answer, |a, v| a.floats(v)))
        }
        Ask::Project { name } => with(s.project(&name).await?),
        Ask::Neighbours { name, row, count } => Answer::of(&s.neighbours(&name, row, count).await?),
        Ask::Codes { part, layer, count } => {
            let coded = s.codes(part, layer.as_deref(), count).await?;
            let answer = Answer::of(&coded.info)?;
            let all = [coded.places, coded.labels, coded.basis];
            Ok(all.iter().fold(answer, |a, v| a.floats(v)))
        }
        Ask::Decode {
            layer,
            basis,
            places,
        } => array(s.decode_places(&layer, &basis, &places).await?),
        Ask::Dreams { layer, count, seed } => array(s.dreams(&layer, count, seed).await?),
        Ask::Words => Answer::of(&s.words()),
        Ask::Surface(ask) => Answer::of(&s.surface(&ask).await?),
        Ask::SurfacePoints { id } => {
            let end = now() + PIECE;
            let (losses, done) = s.surface_points(id, || now() < end).await?;
            with((SurfaceChunk { done }, losses))
        }
        Ask::Mark => Answer::of(&s.mark().await?),
        Ask::SurfaceEnd => {
            s.surface_end();
            Ok(Answer::null())
        }
    }
}

fn array((shape, values): (Vec<usize>, Vec<f32>)) -> Result<Answer, Failure> {
    with((ArrayInfo { shape }, values))
}

fn with<T: serde::Serialize>((info, values): (T, Vec<f32>)) -> Result<Answer, Failure> {
    Ok(Answer::of(&info)?.floats(&values))
}

lazy! { static LOOK: Look, in engine look = answered; }

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
