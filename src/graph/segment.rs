//! A part of a network by itself: what leads to a layer, or what follows it. An autoencoder's two
//! halves are such parts.
use super::build::{Facts, ProgramKind, Programs};
use super::head::outputs;
use super::layers::layers;
use super::*;
use crate::spec::{LayerSpec, Problem, Problems, Spec};

/// Rows that one run takes.
pub const SEGMENT_BATCH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// From the input to this layer.
    To(usize),
    /// From this layer's output to the network's.
    After(usize),
}

/// The layers of a segment, the first of which read `input`. None where they need more than the
/// segment's input, or there are none.
pub fn cut(spec: &Spec, segment: Segment) -> Option<Vec<LayerSpec>> {
    let at = match segment {
        Segment::To(i) => return spec.layers.get(..=i).map(<[_]>::to_vec),
        Segment::After(i) => i,
    };
    let (before, after) = spec.layers.split_at_checked(at + 1)?;
    let from = before.last()?;
    let mut kept = after.to_vec();
    for layer in &mut kept {
        for id in &mut layer.inputs {
            if *id == from.id {
                *id = "input".into();
            } else if !after.iter().any(|l| l.id == *id) {
                return None;
            }
        }
    }
    (!kept.is_empty()).then_some(kept)
}

/// One program under [`ProgramKind::Predict`], over a layout of its own: it reads `segment.x` `[B, …]`, a
/// sample or the output of the layer before, and writes `segment.y` `[B, …]`, the output of the layer
/// or of the network, both as a person sees them. `input` is the shape of one row of x.
pub fn segment(
    spec: &Spec,
    facts: &Facts,
    segment: Segment,
    input: &[usize],
) -> Result<(Layout, Programs), Problems> {
    let Some(layers_kept) = cut(spec, segment) else {
        return Err(Problem::new("segment").into());
    };
    let part = Spec {
        layers: layers_kept,
        ..spec.clone()
    };
    let mut layout = Layout::default();
    let mut g = Graph::default();
    let mut shape = vec![SEGMENT_BATCH];
    match segment {
        Segment::To(_) => shape.extend(&facts.data.sample),
        Segment::After(_) => shape.extend(input),
    }
    let slot = layout.slot(Slab::Io, "segment.x", &shape, Dtype::F32);
    let x = g.slot(&layout, slot);
    let mut problems = Vec::new();
    let outs = layers(&mut g, &mut layout, &part, x, None, &mut problems);
    let (Some(out), true) = (outs.last().copied().flatten(), problems.is_empty()) else {
        return Err(Problems(problems));
    };
    g.mark(Phase::Forward, None);
    let mut y = out.seen(&mut g, spec.framework)?;
    if let Segment::After(_) = segment {
        y = outputs(&mut g, spec, y)?;
    }
    let shape = g.shape(y).to_vec();
    let to = layout.slot(Slab::Io, "segment.y", &shape, Dtype::F32);
    g.write_to(&layout, y, to);
    g.drop_unread();
    fuse(&mut g);
    Ok((layout, vec![(ProgramKind::Predict, SEGMENT_BATCH, g)]))
}
