//! The op table: one file per family, everything about an op side by side.
//!
//! To add an op, write its file and name it once in `ops!` below; `docs/adding-an-op.md` has
//! the steps. There are no default bodies: an op that compiles is whole on every backend.
mod activation;
mod arith;
mod attention;
mod axes;
mod axis_softmax;
mod batch_norm;
mod class_weight;
mod conv;
mod cross_entropy;
mod discriminant;
mod dropout;
mod elementwise;
mod embedding;
mod gather;
mod image;
mod layer_norm;
mod linear;
mod matmul;
pub mod optimizer;
mod penalty;
mod per_sample;
mod permute;
mod pick;
mod pool;
mod record;
mod recurrent;
mod reduce;
mod shape;
mod softmax;
mod strides;
mod variational;
mod window;

use crate::backend::cpu::Call;
use crate::backend::gpu::{
    At, Combine, EACH, Kernel, Kernels, Map, Product, Reduction, Shader, float, shader,
};
use crate::graph::{Backward, Shape};
use crate::lazy;
use crate::lazy::NotLoaded;
use crate::spec::Problem;

pub use crate::backend::cpu::kernels::Window;
pub use activation::{Activation, ActivationGrad};
pub use arith::{Pair, Pairwise, Scale};
pub use attention::{Attention, AttentionGrad};
pub use axes::{Broadcast, Fold, MaxGrad, Reduce};
pub use axis_softmax::{AxisSoftmax, AxisSoftmaxGrad};
pub use batch_norm::{BatchNorm, BatchNormGrad, Normalize, RunningStats};
pub use class_weight::ClassWeight;
pub use conv::{Conv2d, ConvTranspose2d, ConvWeightGrad};
pub use cross_entropy::{
    CrossEntropyProbs, CrossEntropyProbsGrad, SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad,
};
pub use discriminant::Discriminant;
pub use dropout::Dropout;
pub use elementwise::{Add, Copy, Fill};
pub use embedding::{AddRow, Embedding, EmbeddingGrad};
pub use gather::Gather;
pub use image::{Channels, Upsample, UpsampleGrad};
pub use layer_norm::{LayerNorm, LayerNormGrad};
pub use linear::Linear;
pub use matmul::MatMul;
pub use optimizer::{ClipGrad, Update};
pub use penalty::{Penalty, PenaltyGrad};
pub use per_sample::{Measure, PerSample, PerSampleGrad};
pub use permute::{Pad, Permute};
pub use pick::{Pick, PickGrad};
pub use pool::{AvgPool, AvgPoolGrad, MaxPool, MaxPoolGrad};
pub use record::{Correct, Record, predicted};
pub use recurrent::{Cell, Recurrent, RecurrentGrad};
pub use reduce::{ColSums, Expand, Mean, Norm};
pub use shape::{Concat, Reshape, Slice, SliceGrad};
pub use softmax::{Softmax, SoftmaxGrad};
pub use variational::{Divergence, DivergenceGrad, Sample};

/// How an op's outputs lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Outputs have room of their own.
    Fresh,
    /// Output 0 *is* input 0 under another shape; there is nothing to run.
    View,
    /// Output i is input i, changed in place.
    InPlace,
}

/// What an op must say of itself. `x` are the inputs' shapes, `y` the outputs'.
pub trait OpDef {
    /// Output shapes, or what is wrong with the inputs.
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem>;
    fn memory(&self) -> Memory;
    /// Adds the nodes of the gradient, in terms of ops, so that it reaches every backend.
    fn backward(&self, b: &mut Backward) -> Result<(), Problem>;
    /// The definition, element by element, in the plainest loops: what kernels are tested against.
    fn reference<T: Real>(&self, c: &mut Reference<T>);
    /// Floats of scratch memory that [`OpDef::cpu`] wants.
    fn scratch(&self, x: &[&[usize]], y: &[&[usize]]) -> usize;
    fn cpu(&self, c: &mut Call);
    /// How threads may share the work. The only default there is, since it is always right.
    fn split(&self, _x: &[&[usize]], _y: &[&[usize]]) -> Split {
        Split::WHOLE
    }
    /// Notes down the kernels that do the same on a GPU.
    fn gpu(&self, k: &mut Kernels);
    /// Floating-point operations; a multiply-add counts as two.
    fn flops(&self, x: &[&[usize]], y: &[&[usize]]) -> u64;
    /// Name and attributes, as the plan prints them.
    fn describe(&self) -> String;
}

/// How an op's work divides: into calls of it with some rows (along the first axis) of the
/// arguments that are cut. Outputs that are not cut are sums over the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// 1: not at all, or the op sees to it itself by [`Call::each`].
    pub rows: usize,
    /// Rows below which a part would lose more than it wins.
    pub grain: usize,
    /// A bit for each input, the lowest for the first.
    pub x: u32,
    /// A bit for each output.
    pub y: u32,
}

impl Split {
    pub const WHOLE: Split = Split {
        rows: 1,
        grain: 1,
        x: 0,
        y: 0,
    };
    /// By rows of the inputs named, as many as the shape has, and of all outputs.
    pub fn rows(shape: &[usize], x: &[usize]) -> Split {
        Split {
            rows: if shape.len() > 1 { shape[0] } else { 1 },
            grain: 1,
            x: x.iter().fold(0, |bits, i| bits | 1 << i),
            y: !0,
        }
    }
    /// By rows of all inputs and outputs.
    pub fn all(x: &[&[usize]]) -> Split {
        Split {
            x: !0,
            ..Split::rows(x[0], &[])
        }
    }
    /// By rows of the inputs named; outputs from `sums` on are sums over them.
    pub fn sums(shape: &[usize], x: &[usize], sums: usize) -> Split {
        Split {
            y: (1 << sums) - 1,
            ..Split::rows(shape, x)
        }
    }
    /// Element by element: as [`Split::all`], and a shape of one axis divides too.
    pub fn elements(x: &[&[usize]]) -> Split {
        Split {
            rows: x[0].first().copied().unwrap_or(1),
            grain: 1,
            x: !0,
            y: !0,
        }
    }
}

/// What the page's first network needs stands under `at_once`; kernels and gradients of the
/// others may load later, see [`load`].
macro_rules! ops {
    (at_once { $($now:ident),* $(,)? } later { $($later:ident),* $(,)? }) => {
        #[derive(Clone, Debug, PartialEq)]
        pub enum Op { $($now($now),)* $($later($later)),* }
        $(impl From<$now> for Op { fn from(op: $now) -> Op { Op::$now(op) } })*
        $(impl From<$later> for Op { fn from(op: $later) -> Op { Op::$later(op) } })*
        macro_rules! each {
            ($op:expr, $o:ident => $body:expr) => {
                match $op { $(Op::$now($o) => $body,)* $(Op::$later($o) => $body),* }
            };
        }
        impl Op {
            pub const NAMES: &[&str] = &[$(stringify!($now),)* $(stringify!($later)),*];
            pub fn name(&self) -> &'static str {
                match self { $(Op::$now(_) => stringify!($now),)* $(Op::$later(_) => stringify!($later)),* }
            }
            pub fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> { each!(self, o => o.infer(x)) }
            pub fn memory(&self) -> Memory { each!(self, o => o.memory()) }
            pub fn reference<T: Real>(&self, c: &mut Reference<T>) { each!(self, o => o.reference(c)) }
            pub fn scratch(&self, x: &[&[usize]], y: &[&[usize]]) -> usize { each!(self, o => o.scratch(x, y)) }
            pub fn split(&self, x: &[&[usize]], y: &[&[usize]]) -> Split { each!(self, o => o.split(x, y)) }
            pub fn gpu(&self, k: &mut Kernels) { each!(self, o => o.gpu(k)) }
            pub fn flops(&self, x: &[&[usize]], y: &[&[usize]]) -> u64 { each!(self, o => o.flops(x, y)) }
            pub fn describe(&self) -> String { each!(self, o => o.describe()) }
            /// Fails with `part-not-loaded` before [`load`].
            pub fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
                match self {
                    $(Op::$now(o) => o.backward(b),)*
                    later => match LATER.get() {
                        Some(code) => (code.backward)(later, b),
                        None => Err(Problem::new("part-not-loaded")),
                    },
                }
            }
            /// Panics before [`load`]; a session loads what its plan [needs](Op::is_later).
            pub fn cpu(&self, c: &mut Call) {
                match self {
                    $(Op::$now(o) => o.cpu(c),)*
                    later => (LATER.get().expect("ops::load before a plan runs").cpu)(later, c),
                }
            }
            /// Whether it runs only after [`load`].
            pub fn is_later(&self) -> bool {
                matches!(self, $(Op::$later(_))|*)
            }
        }
        fn later_cpu(op: &Op, c: &mut Call) {
            match op { $(Op::$later(o) => o.cpu(c),)* _ => unreachable!("{} is here from the start", op.name()) }
        }
        fn later_backward(op: &Op, b: &mut Backward) -> Result<(), Problem> {
            match op { $(Op::$later(o) => o.backward(b),)* _ => unreachable!("{} is here from the start", op.name()) }
        }
    };
}

#[derive(Clone, Copy)]
struct Later {
    cpu: fn(&Op, &mut Call),
    backward: fn(&Op, &mut Backward) -> Result<(), Problem>,
}

lazy! { static LATER: Later, in engine ops = Later { cpu: later_cpu, backward: later_backward }; }

/// Whether all ops can run.
pub fn loaded() -> bool {
    LATER.get().is_some()
}

/// Makes all ops able to run.
pub async fn load() -> Result<(), Problem> {
    match LATER.load().await {
        Ok(_) => Ok(()),
        Err(NotLoaded) => Err(Problem::new("part-not-loaded")),
    }
}

ops! {
    at_once {
        Activation, ActivationGrad,
        Add, Copy, Fill,
        ClipGrad, Update,
        ColSums, Expand, Mean, Norm,
        Concat, Reshape, Slice, SliceGrad,
        Correct, Record,
        CrossEntropyProbs, CrossEntropyProbsGrad, SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad,
        Dropout,
        Gather,
        Linear, MatMul,
        Penalty, PenaltyGrad,
        PerSample, PerSampleGrad,
        Softmax, SoftmaxGrad,
    }
    later {
        Pairwise, Scale, Permute, Pad,
        AvgPool, AvgPoolGrad, MaxPool, MaxPoolGrad,
        BatchNorm, BatchNormGrad, Normalize, RunningStats,
        ClassWeight,
        Channels, Upsample, UpsampleGrad,
        Conv2d, ConvTranspose2d, ConvWeightGrad,
        Discriminant,
        LayerNorm, LayerNormGrad,
        Pick, PickGrad,
        Reduce, MaxGrad, Broadcast, AxisSoftmax, AxisSoftmaxGrad,
        Embedding, EmbeddingGrad, AddRow,
        Recurrent, RecurrentGrad,
        Attention, AttentionGrad,
        Sample, Divergence, DivergenceGrad,
    }
}

/// Which step is being run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepCtx {
    /// Counted over the whole run, from 0.
    pub step: u32,
    /// Counted within the present call of `Backend::run`, from 0: the row of the tables that
    /// the host wrote for it (batch order, learning rates) and reads after it (history).
    pub index: u32,
}

/// f32 or f64, for the reference implementations.
pub trait Real:
    core::marker::Copy
    + PartialOrd
    + core::ops::Add<Output = Self>
    + core::ops::Sub<Output = Self>
    + core::ops::Mul<Output = Self>
    + core::ops::Div<Output = Self>
    + core::ops::Neg<Output = Self>
    + core::ops::AddAssign
{
    fn of(v: f64) -> Self;
    fn f64(self) -> f64;
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self::of(f(self.f64()))
    }
    fn max(self, o: Self) -> Self {
        if self > o { self } else { o }
    }
    fn min(self, o: Self) -> Self {
        if self < o { self } else { o }
    }
}
impl Real for f32 {
    fn of(v: f64) -> f32 {
        v as f32
    }
    fn f64(self) -> f64 {
        f64::from(self)
    }
}
impl Real for f64 {
    fn of(v: f64) -> f64 {
        v
    }
    fn f64(self) -> f64 {
        self
    }
}

/// Arguments of [`OpDef::reference`]: inputs, and outputs that begin as zeros (in-place ops:
/// as the inputs).
pub struct Reference<'a, T> {
    pub x: &'a [Vec<T>],
    pub xs: &'a [&'a [usize]],
    pub y: &'a mut [Vec<T>],
    pub ys: &'a [&'a [usize]],
    pub step: StepCtx,
}

/// `[rows, last]` of a shape whose leading axes are taken together.
pub(crate) fn rows_last(shape: &[usize]) -> (usize, usize) {
    let last = shape.last().copied().unwrap_or(1);
    (crate::graph::numel(shape) / last.max(1), last)
}

/// For ops whose gradient nobody can ask for: they end the graph or only serve the backward pass.
pub(crate) fn no_gradient() -> Result<(), Problem> {
    Ok(())
}

/// A shape for a message: `3×28×28`.
pub(crate) fn show(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "1".into();
    }
    let parts: Vec<String> = shape.iter().map(usize::to_string).collect();
    parts.join("×")
}
