//! A compiled spec: memory assigned, steps in order. Made once, replayed by a backend.
use crate::graph::{
    ALIGN, Dtype, Facts, Graph, Layout, Phase, Place, ProgramKind, Programs, Segment, Shape, Slab,
    SlotId, Start, ValueId, numel, probe, programs, segment, slot_len,
};
use crate::ops::{Memory, Op, show};
use crate::spec::{Problem, Problems, Spec, limits};
use std::fmt::Write;

/// Where a persistent tensor lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    pub name: String,
    pub slab: Slab,
    /// In floats (4 bytes) from the beginning of its slab.
    pub offset: usize,
    pub shape: Shape,
    pub dtype: Dtype,
    /// How a parameter begins.
    pub start: Option<Start>,
}

/// A region of memory and its length in floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlabLen {
    pub slab: Slab,
    pub len: usize,
}

/// Memory that a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    Slab(Slab),
    Work,
}

/// An argument of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    pub name: String,
    pub region: Region,
    /// In floats from the beginning of the region.
    pub offset: usize,
    pub shape: Shape,
    pub dtype: Dtype,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub op: Op,
    pub inputs: Vec<Arg>,
    pub outputs: Vec<Arg>,
    pub phase: Phase,
    /// Index into the spec's layers.
    pub layer: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub kind: ProgramKind,
    /// Rows that one step takes.
    pub batch: usize,
    pub steps: Vec<Step>,
    /// Floats of work memory, which all programs share.
    pub work: usize,
    /// Floats below which no assignment can go: the most that lives at one moment.
    pub work_bound: usize,
}

/// What a backend needs to know, and all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub slots: Vec<Slot>,
    pub slabs: Vec<SlabLen>,
    pub programs: Vec<Program>,
    layers: Vec<String>,
}

impl Plan {
    /// Every op that some program runs.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.programs.iter().flat_map(|p| &p.steps).map(|s| &s.op)
    }

    /// Compiles a spec. Errors name the layer and the field.
    pub fn compile(spec: &Spec, facts: &Facts) -> Result<Plan, Problems> {
        Self::placed(spec, programs(spec, facts)?)
    }

    /// The plan of the look inside, see [`probe`]: of a spec that compiles.
    pub fn probe(spec: &Spec, facts: &Facts) -> Result<Plan, Problems> {
        Self::placed(spec, probe(spec, facts)?)
    }

    /// The plan of a part of the network, see [`segment`].
    pub fn segment(
        spec: &Spec,
        facts: &Facts,
        part: Segment,
        input: &[usize],
    ) -> Result<Plan, Problems> {
        Self::placed(spec, segment(spec, facts, part, input)?)
    }

    fn placed(spec: &Spec, (layout, graphs): (Layout, Programs)) -> Result<Plan, Problems> {
        let slots = place_slots(&layout);
        let mut slabs: Vec<SlabLen> = Vec::new();
        for s in &layout.slots {
            if !slabs.iter().any(|l| l.slab == s.slab) {
                let len = layout.slab_len(s.slab);
                slabs.push(SlabLen { slab: s.slab, len });
            }
        }
        let programs: Vec<Program> = graphs
            .iter()
            .map(|(kind, batch, g)| program(*kind, *batch, g, &layout, &slots))
            .collect();
        let plan = Plan {
            slots,
            slabs,
            programs,
            layers: spec.layers.iter().map(|l| l.id.clone()).collect(),
        };
        let need = plan.len();
        if need > limits::WORK {
            return Err(Problem::new("too-big")
                .arg("got", need)
                .arg("what", "numbers of memory")
                .arg("max", limits::WORK)
                .into());
        }
        Ok(plan)
    }

    /// Floats of all memory.
    pub fn len(&self) -> usize {
        self.slabs.iter().map(|s| s.len).sum::<usize>() + self.work()
    }
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }
    /// Floats of work memory.
    pub fn work(&self) -> usize {
        self.programs.iter().map(|p| p.work).max().unwrap_or(0)
    }
    pub fn slab(&self, slab: Slab) -> usize {
        self.slabs
            .iter()
            .find(|s| s.slab == slab)
            .map_or(0, |s| s.len)
    }
    pub fn find(&self, slab: Slab, name: &str) -> Option<SlotId> {
        let at = self
            .slots
            .iter()
            .position(|s| s.slab == slab && s.name == name)?;
        Some(SlotId(at as u32))
    }
    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id.0 as usize]
    }
    pub fn program(&self, kind: ProgramKind) -> Option<&Program> {
        self.programs.iter().find(|p| p.kind == kind)
    }
    /// Trainable slots, in order.
    pub fn params(&self) -> impl Iterator<Item = (SlotId, &Slot)> {
        self.of(Slab::Param)
    }
    pub fn of(&self, slab: Slab) -> impl Iterator<Item = (SlotId, &Slot)> {
        let all = self.slots.iter().enumerate();
        all.filter(move |(_, s)| s.slab == slab)
            .map(|(i, s)| (SlotId(i as u32), s))
    }
    /// Number of trainable parameters.
    pub fn param_count(&self) -> usize {
        self.params().map(|(_, s)| numel(&s.shape)).sum()
    }

    /// The plan in words: slabs, slots, and every step with its shapes and places.
    pub fn pretty(&self) -> String {
        let mut t = String::new();
        for s in &self.slabs {
            let _ = writeln!(t, "slab {:<12} {:>10} floats", s.slab.name(), s.len);
        }
        let _ = writeln!(t, "slab {:<12} {:>10} floats", "work", self.work());
        for (i, s) in self.slots.iter().enumerate() {
            let dtype = if s.dtype == Dtype::U8 { " u8" } else { "" };
            let _ = writeln!(
                t,
                "slot {i:<3} {}+{:<8} {}[{}]{dtype}",
                s.slab.name(),
                s.offset,
                s.name,
                show(&s.shape)
            );
        }
        for p in &self.programs {
            let flops: u64 = p.steps.iter().map(Step::flops).sum();
            let _ = writeln!(
                t,
                "\nprogram {:?} · batch {} · {} steps · {} FLOP · work {} floats (bound {})",
                p.kind,
                p.batch,
                p.steps.len(),
                flops,
                p.work,
                p.work_bound
            );
            for (i, s) in p.steps.iter().enumerate() {
                let phase = match s.phase {
                    Phase::Forward => "fwd",
                    Phase::Backward => "bwd",
                    Phase::Update => "upd",
                };
                let layer = s.layer.map_or("·", |l| self.layers[l].as_str());
                let x: Vec<String> = s.inputs.iter().map(Arg::pretty).collect();
                let y: Vec<String> = s.outputs.iter().map(Arg::pretty).collect();
                let _ = writeln!(
                    t,
                    "{i:>4} {phase} {layer:<10} {:<28} {} → {}",
                    s.op.describe(),
                    x.join(", "),
                    y.join(", ")
                );
            }
        }
        t
    }
}

impl Step {
    pub fn flops(&self) -> u64 {
        let x: Vec<&[usize]> = self.inputs.iter().map(|a| &a.shape[..]).collect();
        let y: Vec<&[usize]> = self.outputs.iter().map(|a| &a.shape[..]).collect();
        self.op.flops(&x, &y)
    }
    pub fn scratch(&self) -> usize {
        let x: Vec<&[usize]> = self.inputs.iter().map(|a| &a.shape[..]).collect();
        let y: Vec<&[usize]> = self.outputs.iter().map(|a| &a.shape[..]).collect();
        self.op.scratch(&x, &y)
    }
}

impl Arg {
    fn pretty(&self) -> String {
        let place = match self.region {
            Region::Work => format!("@{}", self.offset),
            Region::Slab(_) => String::new(),
        };
        format!("{}[{}]{place}", self.name, show(&self.shape))
    }
}

fn place_slots(layout: &Layout) -> Vec<Slot> {
    let mut ends: Vec<(Slab, usize)> = Vec::new();
    let mut slots = Vec::new();
    for s in &layout.slots {
        let end = match ends.iter_mut().find(|(slab, _)| *slab == s.slab) {
            Some((_, end)) => end,
            None => {
                ends.push((s.slab, 0));
                &mut ends.last_mut().expect("just pushed").1
            }
        };
        slots.push(Slot {
            name: s.name.clone(),
            slab: s.slab,
            offset: *end,
            shape: s.shape.clone(),
            dtype: s.dtype,
            start: s.start,
        });
        *end += slot_len(&s.shape, s.dtype);
    }
    slots
}

/// Work memory by liveness: what is alive at the same time does not overlap. Values are placed
/// largest first, each at the lowest offset that is free for as long as it lives.
fn program(kind: ProgramKind, batch: usize, g: &Graph, layout: &Layout, slots: &[Slot]) -> Program {
    // A view is its source under another shape: both are the same memory.
    let mut root: Vec<usize> = (0..g.values.len()).collect();
    for n in &g.nodes {
        if n.op.memory() == Memory::View {
            root[n.outputs[0].0 as usize] = root[n.inputs[0].0 as usize];
        }
    }
    let mut born = vec![usize::MAX; g.values.len()];
    let mut dies = vec![0; g.values.len()];
    for (i, n) in g.nodes.iter().enumerate() {
        for v in &n.outputs {
            let r = root[v.0 as usize];
            born[r] = born[r].min(i);
            dies[r] = dies[r].max(i);
        }
        for v in &n.inputs {
            let r = root[v.0 as usize];
            dies[r] = dies[r].max(i);
        }
    }
    let len = |v: usize| numel(&g.values[v].shape).next_multiple_of(ALIGN);
    let mut order: Vec<usize> = (0..g.values.len())
        .filter(|v| root[*v] == *v && g.values[*v].place == Place::Work && born[*v] != usize::MAX)
        .collect();
    order.sort_by_key(|v| (usize::MAX - len(*v), *v));
    let mut placed: Vec<(usize, usize)> = Vec::new();
    let mut offsets = vec![0; g.values.len()];
    for v in &order {
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|(o, _)| born[*o] <= dies[*v] && born[*v] <= dies[*o])
            .map(|(o, at)| (*at, at + len(*o)))
            .collect();
        taken.sort_unstable();
        let mut at = 0;
        for (from, to) in taken {
            if at + len(*v) <= from {
                break;
            }
            at = at.max(to);
        }
        offsets[*v] = at;
        placed.push((*v, at));
    }
    let work = placed.iter().map(|(v, at)| at + len(*v)).max().unwrap_or(0);
    let work_bound = (0..g.nodes.len())
        .map(|i| {
            let alive = order.iter().filter(|v| born[**v] <= i && i <= dies[**v]);
            alive.map(|v| len(*v)).sum()
        })
        .max()
        .unwrap_or(0);
    let arg = |v: &ValueId| {
        let value = g.value(*v);
        let r = root[v.0 as usize];
        let (region, offset, dtype) = match g.values[r].place {
            Place::Work => (Region::Work, offsets[r], Dtype::F32),
            Place::Slot(id) => {
                let s = &slots[id.0 as usize];
                (Region::Slab(s.slab), s.offset, s.dtype)
            }
            Place::Whole(slab) => (Region::Slab(slab), 0, Dtype::F32),
        };
        debug_assert!(match value.place {
            Place::Whole(slab) => value.shape == [layout.slab_len(slab)],
            _ => true,
        });
        Arg {
            name: value.name.clone(),
            region,
            offset,
            shape: value.shape.clone(),
            dtype,
        }
    };
    let steps = g
        .nodes
        .iter()
        .filter(|n| n.op.memory() != Memory::View)
        .map(|n| Step {
            op: n.op.clone(),
            inputs: n.inputs.iter().map(arg).collect(),
            outputs: n.outputs.iter().map(arg).collect(),
            phase: n.phase,
            layer: n.layer,
        })
        .collect();
    Program {
        kind,
        batch,
        steps,
        work,
        work_bound,
    }
}
