//! Programs as data: values (tensors of known shape) and nodes (ops between them).
//!
//! `layers` and `head` turn a spec into a forward pass and a loss, `grad` adds the backward nodes,
//! `optim` the update nodes, `fuse` merges what one kernel can do; `build` puts programs together.
//! Persistent tensors (parameters, gradients, moments, data) are slots of a [`Layout`] that all
//! programs of a plan share.
mod build;
mod check;
mod fuse;
mod grad;
mod head;
mod layers;
mod norm;
mod optim;
mod probe;
pub mod repair;
mod segment;
mod sequence;
mod spatial;

use crate::ops::Op;
pub use build::{
    CLASS_WEIGHT, Facts, PREDICT_BATCH, ProgramKind, Programs, columns, programs, steps_per_run,
};
pub use check::check;
pub use fuse::fuse;
pub use grad::{Backward, differentiate};
pub use head::threshold;
pub use optim::{Knobs, route, rule, solve, update};
pub use probe::{PROBE_BATCH, probe};
pub use segment::{SEGMENT_BATCH, Segment, cut, segment};

pub type Shape = Vec<usize>;

/// Number of values of a shape; an empty shape is a scalar.
pub fn numel(shape: &[usize]) -> usize {
    shape.iter().product()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

/// A persistent tensor of the [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// The memory region that a persistent tensor lies in. `Param`, `Grad` and the moments are laid
/// out identically, so that the optimiser is one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slab {
    Param,
    Grad,
    Moment(u8),
    /// What training changes but no gradient does: batch norm's running statistics.
    State,
    /// Data set, resident for the run.
    Data,
    /// Written and read by the host between steps: batch order, hyper-parameters, history.
    Io,
}

impl Slab {
    pub fn name(self) -> String {
        match self {
            Slab::Moment(k) => format!("moment{k}"),
            s => format!("{s:?}").to_lowercase(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    F32,
    U8,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SlotSpec {
    pub name: String,
    pub slab: Slab,
    pub shape: Shape,
    pub dtype: Dtype,
    /// How a parameter begins.
    pub start: Option<Start>,
}

/// Initial values of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    pub init: crate::spec::Init,
    pub fan_in: usize,
    pub fan_out: usize,
}

/// Floats to which slots are aligned: 256 bytes, what WebGPU asks of a binding's offset.
pub const ALIGN: usize = 64;

/// Floats that a slot takes in its slab.
pub fn slot_len(shape: &[usize], dtype: Dtype) -> usize {
    let words = match dtype {
        Dtype::F32 => numel(shape),
        Dtype::U8 => numel(shape).div_ceil(4),
    };
    words.next_multiple_of(ALIGN)
}

/// The persistent tensors of a plan, in the order of their offsets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    pub slots: Vec<SlotSpec>,
}

impl Layout {
    /// The slot of this slab and name, made when it is not there yet.
    pub fn slot(&mut self, slab: Slab, name: &str, shape: &[usize], dtype: Dtype) -> SlotId {
        if let Some(id) = self.find(slab, name) {
            debug_assert_eq!(self.slots[id.0 as usize].shape, shape, "{name}");
            return id;
        }
        self.slots.push(SlotSpec {
            name: name.to_string(),
            slab,
            shape: shape.to_vec(),
            dtype,
            start: None,
        });
        SlotId(self.slots.len() as u32 - 1)
    }

    /// The slot of a trainable tensor, made when it is not there yet.
    pub fn param(&mut self, name: &str, shape: &[usize], start: Start) -> SlotId {
        let id = self.slot(Slab::Param, name, shape, Dtype::F32);
        self.slots[id.0 as usize].start = Some(start);
        id
    }

    /// The slot of a tensor that training changes without a gradient.
    pub fn state(&mut self, name: &str, shape: &[usize], start: Start) -> SlotId {
        let id = self.slot(Slab::State, name, shape, Dtype::F32);
        self.slots[id.0 as usize].start = Some(start);
        id
    }

    pub fn find(&self, slab: Slab, name: &str) -> Option<SlotId> {
        let i = self
            .slots
            .iter()
            .position(|s| s.slab == slab && s.name == name)?;
        Some(SlotId(i as u32))
    }

    pub fn params(&self) -> impl Iterator<Item = &SlotSpec> {
        self.slots.iter().filter(|s| s.slab == Slab::Param)
    }

    /// Floats of a slab.
    pub fn slab_len(&self, slab: Slab) -> usize {
        let slab = match slab {
            Slab::Grad | Slab::Moment(_) => Slab::Param,
            s => s,
        };
        self.slots
            .iter()
            .filter(|s| s.slab == slab)
            .map(|s| slot_len(&s.shape, s.dtype))
            .sum()
    }
}

/// Where a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Only between its producer and its last reader; the planner gives it room.
    Work,
    Slot(SlotId),
    /// All of a slab, as one vector.
    Whole(Slab),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub name: String,
    pub shape: Shape,
    pub place: Place,
}

/// Which part of a step a node belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Forward,
    Backward,
    Update,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub op: Op,
    pub inputs: Vec<ValueId>,
    pub outputs: Vec<ValueId>,
    pub phase: Phase,
    /// Index into the spec's layers.
    pub layer: Option<usize>,
}

/// One program: nodes in the order of their execution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    pub values: Vec<Value>,
    pub nodes: Vec<Node>,
    /// What layers add to the loss of each sample, `[B]`.
    pub terms: Vec<ValueId>,
    phase: PhaseNow,
    layer: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct PhaseNow(Phase);
impl Default for PhaseNow {
    fn default() -> Self {
        PhaseNow(Phase::Forward)
    }
}

impl Graph {
    pub fn shape(&self, v: ValueId) -> &[usize] {
        &self.values[v.0 as usize].shape
    }
    pub fn value(&self, v: ValueId) -> &Value {
        &self.values[v.0 as usize]
    }

    /// Nodes added from now on carry these marks.
    pub fn mark(&mut self, phase: Phase, layer: Option<usize>) {
        self.phase = PhaseNow(phase);
        self.layer = layer;
    }

    fn add_value(&mut self, name: &str, shape: Shape, place: Place) -> ValueId {
        self.values.push(Value {
            name: name.to_string(),
            shape,
            place,
        });
        ValueId(self.values.len() as u32 - 1)
    }

    /// The value that stands for a slot.
    pub fn slot(&mut self, layout: &Layout, id: SlotId) -> ValueId {
        let s = &layout.slots[id.0 as usize];
        let place = Place::Slot(id);
        if let Some(i) = self.values.iter().position(|v| v.place == place) {
            return ValueId(i as u32);
        }
        self.add_value(&s.name, s.shape.clone(), place)
    }

    /// The value that stands for a whole slab. All parameters must be in the layout by now.
    pub fn whole(&mut self, layout: &Layout, slab: Slab) -> ValueId {
        let place = Place::Whole(slab);
        if let Some(i) = self.values.iter().position(|v| v.place == place) {
            return ValueId(i as u32);
        }
        let name = slab.name();
        self.add_value(&name, vec![layout.slab_len(slab)], place)
    }

    /// Adds a node and its outputs, whose shapes the op infers.
    pub fn push(
        &mut self,
        op: impl Into<Op>,
        inputs: &[ValueId],
        name: &str,
    ) -> Result<Vec<ValueId>, crate::spec::Problem> {
        let op = op.into();
        let shapes: Vec<&[usize]> = inputs.iter().map(|v| self.shape(*v)).collect();
        let inferred = op.infer(&shapes)?;
        let mut outputs = Vec::with_capacity(inferred.len());
        for (i, shape) in inferred.into_iter().enumerate() {
            let name = if i == 0 {
                name.to_string()
            } else {
                format!("{name}.{i}")
            };
            outputs.push(self.add_value(&name, shape, Place::Work));
        }
        self.nodes.push(Node {
            op,
            inputs: inputs.to_vec(),
            outputs: outputs.clone(),
            phase: self.phase.0,
            layer: self.layer,
        });
        Ok(outputs)
    }

    /// [`Graph::push`] of an op with one output.
    pub fn push1(
        &mut self,
        op: impl Into<Op>,
        inputs: &[ValueId],
        name: &str,
    ) -> Result<ValueId, crate::spec::Problem> {
        Ok(self.push(op, inputs, name)?[0])
    }

    /// Makes `v` lie in a slot: its producer writes straight into it, or a copy does where that
    /// cannot be (a view, a value that has a place already).
    pub fn write_to(&mut self, layout: &Layout, v: ValueId, slot: SlotId) {
        let producer = self.nodes.iter().find(|n| n.outputs.contains(&v));
        let fresh = producer.is_some_and(|n| n.op.memory() == crate::ops::Memory::Fresh);
        if fresh && self.value(v).place == Place::Work {
            self.values[v.0 as usize].place = Place::Slot(slot);
        } else {
            let to = self.slot(layout, slot);
            self.push_into(crate::ops::Copy, &[v], &[to]);
        }
    }

    /// Adds a node that writes into values which are there already.
    pub fn push_into(&mut self, op: impl Into<Op>, inputs: &[ValueId], outputs: &[ValueId]) {
        let op = op.into();
        debug_assert_eq!(
            op.infer(&inputs.iter().map(|v| self.shape(*v)).collect::<Vec<_>>())
                .expect("shapes are the caller's"),
            outputs
                .iter()
                .map(|v| self.shape(*v).to_vec())
                .collect::<Vec<_>>(),
        );
        self.nodes.push(Node {
            op,
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
            phase: self.phase.0,
            layer: self.layer,
        });
    }
}
