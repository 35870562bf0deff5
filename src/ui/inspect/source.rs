//! The run that the views look at, and the questions they have.
use super::evaluation::Judged;
use crate::plotting::outcome::Outcome;
use crate::spec::{DataSource, FileFormat, Spec};
use crate::train::protocol::{
    ArrayInfo, Ask, BackendChoice, Codes, Description, Disposed, Encoded, Evaluation, Failure,
    LoadOptions, Part, Request, RunEnd, RunId, RunInfo, Saliency, Samples, TensorInfo, Vitals,
};
use crate::ui::link::Link;
use js_sys::{ArrayBuffer, Float32Array, Uint32Array};
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::rc::Rc;

/// Samples of one part, raw, with their targets in original units.
#[derive(Debug, PartialEq)]
pub struct Rows {
    pub part: Part,
    pub start: usize,
    pub count: usize,
    /// Samples of the part in all.
    pub total: usize,
    /// `[count, features]`
    pub x: Vec<f32>,
    /// `[count, targets]`
    pub y: Vec<f32>,
    /// Place of each in the data.
    pub index: Vec<u32>,
}

impl Rows {
    pub fn features(&self) -> usize {
        self.x.len().checked_div(self.count).unwrap_or(0)
    }

    pub fn targets(&self) -> usize {
        self.y.len().checked_div(self.count).unwrap_or(0)
    }

    pub fn sample(&self, i: usize) -> &[f32] {
        let n = self.features();
        &self.x[i * n..(i + 1) * n]
    }

    pub fn target(&self, i: usize) -> &[f32] {
        let n = self.targets();
        &self.y[i * n..(i + 1) * n]
    }
}

/// What of a sample speaks for an output, see [`Saliency`].
pub struct Attribution {
    pub info: Saliency,
    /// Gradient × input, or × embedding.
    pub times: Rc<Vec<f32>>,
    /// Integrated gradients.
    pub along: Option<Rc<Vec<f32>>>,
}

/// Numbers kept of samples that were fetched.
const CACHED: usize = 4 << 20;

#[derive(Clone)]
pub struct Source {
    link: Link,
    pub info: Rc<RunInfo>,
    pub outcome: Outcome,
    cache: Rc<RefCell<Vec<Rc<Rows>>>>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.cache, &other.cache)
    }
}

fn floats(buffers: &[ArrayBuffer], i: usize) -> Vec<f32> {
    buffers
        .get(i)
        .map_or(Vec::new(), |b| Float32Array::new(b).to_vec())
}

impl Source {
    pub fn new(link: Link, info: Rc<RunInfo>) -> Source {
        Source {
            outcome: Outcome::of(&info),
            link,
            info,
            cache: Rc::default(),
        }
    }

    /// Parts that have samples, the test part first.
    pub fn parts(&self) -> Vec<Part> {
        let d = &self.info.data;
        [
            (Part::Test, d.test),
            (Part::Validation, d.validation),
            (Part::Train, d.train),
        ]
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(p, _)| p)
        .collect()
    }

    /// Features of one sample.
    pub fn features(&self) -> usize {
        self.info.data.shape.iter().product()
    }

    /// Rows of outputs per sample: more than one where each step has a class.
    pub fn steps(&self) -> usize {
        let classes = self.info.data.classes.len();
        let shape = self.info.layers.last().map_or(&[][..], |l| &l.shape);
        match shape {
            [steps, _] if classes > 0 => (*steps).max(1),
            _ => 1,
        }
    }

    /// Whether samples are rows of numbers of words.
    pub fn texts(&self) -> bool {
        matches!(
            self.info.spec.data.source,
            DataSource::Reviews { .. }
                | DataSource::Files {
                    format: FileFormat::Jsonl | FileFormat::TextCsv | FileFormat::AclImdb,
                    ..
                }
        )
    }

    /// A feature's name; x₁, x₂, … where it has none.
    pub fn feature(&self, i: usize) -> String {
        let name = self.info.data.features.get(i).cloned();
        name.unwrap_or_else(|| match self.features() {
            1 => "x".to_string(),
            _ => format!("x{}", subscript(i + 1)),
        })
    }

    pub fn target(&self, i: usize) -> String {
        let name = self.info.data.targets.get(i).cloned();
        name.unwrap_or_else(|| "y".to_string())
    }

    pub fn class(&self, k: usize) -> String {
        let name = self.info.data.classes.get(k).cloned();
        name.unwrap_or_else(|| k.to_string())
    }

    /// Samples do not change during a run: what was fetched once is kept.
    pub async fn samples(
        &self,
        part: Part,
        start: usize,
        count: usize,
    ) -> Result<Rc<Rows>, Failure> {
        let kept = self
            .cache
            .borrow()
            .iter()
            .find(|r| r.part == part && r.start == start && r.count == count.min(r.total - start))
            .cloned();
        if let Some(rows) = kept {
            return Ok(rows);
        }
        let run = self.info.run;
        let request = Request::Samples {
            run,
            part,
            start,
            count,
        };
        let (got, buffers): (Samples, _) = self.link.call(&request, Vec::new(), &[]).await?;
        let rows = Rc::new(rows_of(part, &got, &buffers));
        let mut cache = self.cache.borrow_mut();
        cache.push(rows.clone());
        while cache.len() > 1 && cache.iter().map(|r| r.x.len()).sum::<usize>() > CACHED {
            cache.remove(0);
        }
        Ok(rows)
    }

    /// Samples of one class, or of all; not kept.
    pub async fn browse(
        &self,
        part: Part,
        class: Option<u32>,
        start: usize,
        count: usize,
    ) -> Result<Rows, Failure> {
        let run = self.info.run;
        let request = Request::Browse {
            run,
            part,
            class,
            start,
            count,
        };
        let (got, buffers): (Samples, _) = self.link.call(&request, Vec::new(), &[]).await?;
        Ok(rows_of(part, &got, &buffers))
    }

    /// What the samples of a part are like.
    pub async fn describe(&self, part: Part) -> Result<Description, Failure> {
        let request = Request::Describe {
            run: self.info.run,
            part,
        };
        Ok(self.link.call(&request, Vec::new(), &[]).await?.0)
    }

    /// A text as a raw sample.
    pub async fn encode(&self, text: &str) -> Result<(Encoded, Vec<f32>), Failure> {
        let request = Request::Encode {
            run: self.info.run,
            text: text.to_string(),
        };
        let (said, buffers) = self.link.call(&request, Vec::new(), &[]).await?;
        Ok((said, floats(&buffers, 0)))
    }

    /// How the series behind a raw window goes on.
    pub async fn carry_on(&self, window: &[f32], steps: usize) -> Result<Vec<f32>, Failure> {
        let buffer = Float32Array::from(window).buffer();
        let request = Request::CarryOn {
            run: self.info.run,
            steps,
        };
        let (_, buffers): (serde_json::Value, _) =
            self.link.call(&request, vec![buffer], &[]).await?;
        Ok(floats(&buffers, 0))
    }

    /// The words of a sample that is a text.
    pub async fn words_of(&self, ids: &[f32]) -> Result<Vec<String>, Failure> {
        let buffer = Float32Array::from(ids).buffer();
        let request = Request::WordsOf { run: self.info.run };
        Ok(self.link.call(&request, vec![buffer], &[]).await?.0)
    }

    /// As [`Source::saliency`], of any raw sample.
    pub async fn attribute(&self, x: &[f32], output: usize) -> Result<Attribution, Failure> {
        let request = Request::Attribute {
            run: self.info.run,
            output,
        };
        let buffer = Float32Array::from(x).buffer();
        let (info, buffers) = self.link.call(&request, vec![buffer], &[]).await?;
        Ok(Attribution {
            info,
            times: Rc::new(floats(&buffers, 0)),
            along: (buffers.len() > 1).then(|| Rc::new(floats(&buffers, 1))),
        })
    }

    /// The network's outputs `[count, outputs]` for raw samples; of a regression in original
    /// units.
    pub async fn predict(&self, x: &[f32], count: usize) -> Result<Vec<f32>, Failure> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut shape = vec![count];
        shape.extend(&self.info.data.shape);
        let request = Request::Predict {
            run: self.info.run,
            shape,
            scaled: false,
        };
        let buffer = Float32Array::from(x).buffer();
        let (_, buffers): (ArrayInfo, _) = self.link.call(&request, vec![buffer], &[]).await?;
        Ok(floats(&buffers, 0))
    }

    /// Trains another network on the side, for its outputs at these points: its facts, and
    /// `[count, outputs]`. Afterwards the worker forgets it.
    pub async fn beside(
        &self,
        spec: &Spec,
        run: RunId,
        x: &[f32],
        count: usize,
    ) -> Result<(RunInfo, Vec<f32>), Failure> {
        let found = self.trained(spec, run, x, count).await;
        let dispose = Request::Dispose { run };
        // A worker that is gone has forgotten it, too.
        let _ = self.link.call::<Disposed>(&dispose, Vec::new(), &[]).await;
        found
    }

    async fn trained(
        &self,
        spec: &Spec,
        run: RunId,
        x: &[f32],
        count: usize,
    ) -> Result<(RunInfo, Vec<f32>), Failure> {
        let load = Request::Load {
            run,
            spec: crate::json::read(&crate::json::write(spec)).unwrap_or_default(),
            options: LoadOptions {
                backend: BackendChoice::Cpu,
                threads: Some(1),
                ..LoadOptions::default()
            },
        };
        let (info, _): (RunInfo, _) = self.link.call(&load, Vec::new(), &[]).await?;
        let train = Request::Train {
            run,
            steps: None,
            epochs: None,
        };
        self.link.call::<RunEnd>(&train, Vec::new(), &[]).await?;
        let mut shape = vec![count];
        shape.extend(&info.data.shape);
        let predict = Request::Predict {
            run,
            shape,
            scaled: false,
        };
        let buffer = Float32Array::from(x).buffer();
        let (_, buffers): (ArrayInfo, _) = self.link.call(&predict, vec![buffer], &[]).await?;
        Ok((info, floats(&buffers, 0)))
    }

    pub async fn tensors(&self) -> Result<Vec<TensorInfo>, Failure> {
        let request = Request::Tensors { run: self.info.run };
        Ok(self.link.call(&request, Vec::new(), &[]).await?.0)
    }

    /// Shape and values.
    pub async fn tensor(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), Failure> {
        let request = Request::Tensor {
            run: self.info.run,
            name: name.to_string(),
        };
        let (info, buffers): (ArrayInfo, _) = self.link.call(&request, Vec::new(), &[]).await?;
        Ok((info.shape, floats(&buffers, 0)))
    }

    /// A closer look: the answer, and the numbers beside it.
    pub async fn look<T: DeserializeOwned>(&self, ask: Ask) -> Result<(T, Vec<Vec<f32>>), Failure> {
        let request = Request::Look {
            run: self.info.run,
            ask,
        };
        let (info, buffers) = self.link.call(&request, Vec::new(), &[]).await?;
        let numbers = (0..buffers.len()).map(|i| floats(&buffers, i)).collect();
        Ok((info, numbers))
    }

    /// What the next step would do.
    pub async fn vitals(&self) -> Result<Vitals, Failure> {
        Ok(self.look(Ask::Vitals).await?.0)
    }

    /// Codes of samples: places on their plane, classes, and the plane's basis.
    pub async fn codes(
        &self,
        part: Part,
        layer: Option<&str>,
        count: usize,
    ) -> Result<(Codes, [Vec<f32>; 3]), Failure> {
        let layer = layer.map(str::to_string);
        let (info, numbers) = self.look(Ask::Codes { part, layer, count }).await?;
        let mut numbers = numbers.into_iter();
        Ok((
            info,
            std::array::from_fn(|_| numbers.next().unwrap_or_default()),
        ))
    }

    /// What the decoder makes of points of such a plane.
    pub async fn decode(
        &self,
        layer: &str,
        basis: &[f32],
        places: Vec<f32>,
    ) -> Result<Vec<f32>, Failure> {
        let ask = Ask::Decode {
            layer: layer.to_string(),
            basis: basis.to_vec(),
            places,
        };
        self.numbers(ask).await
    }

    /// What it makes of codes drawn at random.
    pub async fn dreams(&self, layer: &str, count: usize, seed: u32) -> Result<Vec<f32>, Failure> {
        let layer = layer.to_string();
        self.numbers(Ask::Dreams { layer, count, seed }).await
    }

    async fn numbers(&self, ask: Ask) -> Result<Vec<f32>, Failure> {
        let (_, numbers): (ArrayInfo, _) = self.look(ask).await?;
        Ok(numbers.into_iter().next().unwrap_or_default())
    }

    pub async fn saliency(
        &self,
        part: Part,
        number: usize,
        output: usize,
    ) -> Result<Attribution, Failure> {
        let ask = Ask::Saliency {
            part,
            number,
            output,
        };
        let (info, mut numbers) = self.look(ask).await?;
        let along = (numbers.len() > 1).then(|| Rc::new(numbers.remove(1)));
        Ok(Attribution {
            info,
            times: Rc::new(numbers.pop().unwrap_or_default()),
            along,
        })
    }

    /// Outputs, targets and losses of a whole part.
    pub async fn outputs(&self, part: Part) -> Result<Judged, Failure> {
        let request = Request::Outputs {
            run: self.info.run,
            part,
        };
        let (_, buffers): (ArrayInfo, _) = self.link.call(&request, Vec::new(), &[]).await?;
        Ok(Judged {
            part,
            outputs: floats(&buffers, 0),
            targets: floats(&buffers, 1),
            losses: floats(&buffers, 2),
        })
    }

    pub async fn evaluate(&self, part: Part) -> Result<Evaluation, Failure> {
        let request = Request::Evaluate {
            run: self.info.run,
            part,
        };
        Ok(self.link.call(&request, Vec::new(), &[]).await?.0)
    }
}

fn rows_of(part: Part, got: &Samples, buffers: &[ArrayBuffer]) -> Rows {
    let index = buffers.get(2).map(|b| Uint32Array::new(b).to_vec());
    Rows {
        part,
        start: got.start,
        count: got.count,
        total: got.total,
        x: floats(buffers, 0),
        y: floats(buffers, 1),
        index: index.unwrap_or_default(),
    }
}

fn subscript(n: usize) -> String {
    let digit = |c: char| char::from_u32('₀' as u32 + c as u32 - '0' as u32).unwrap_or(c);
    n.to_string().chars().map(digit).collect()
}
