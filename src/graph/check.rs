//! Shapes, parameter counts, FLOPs and errors of a spec, without any data: what the builder shows
//! is what the engine will do.
use super::head::{check_head, hints};
use super::layers::{kind_name, layers};
use super::*;
use crate::spec::{DataShape, Problem, Spec};
use crate::train::protocol::{CheckReport, LayerReport};

/// `known` is the shape of data that is loaded already, for sources that cannot tell it before.
pub fn check(spec: &Spec, known: Option<&DataShape>) -> CheckReport {
    let mut errors = spec.validate();
    let mut report = CheckReport::default();
    let data = known.cloned().or_else(|| spec.data.shape());
    if !errors.is_empty() || spec.layers.is_empty() {
        report.errors = errors;
        return report;
    }
    let Some(data) = data else {
        let name = match &spec.data.source {
            crate::spec::DataSource::Files { name, .. } => name.as_str(),
            _ => "data",
        };
        report.errors = vec![Problem::new("data-missing").arg("name", name)];
        return report;
    };
    let (mut g, mut layout) = (Graph::default(), Layout::default());
    let mut shape = vec![1];
    shape.extend(&data.sample);
    let x = layout.slot(Slab::Io, "x", &shape, Dtype::F32);
    let x = g.slot(&layout, x);
    let outputs = layers(&mut g, &mut layout, spec, x, Some(0), &mut errors);
    for (i, (layer, out)) in spec.layers.iter().zip(&outputs).enumerate() {
        let Some(out) = out else { continue };
        let prefix = format!("{}.", layer.id);
        let params = layout
            .params()
            .filter(|s| s.name.starts_with(&prefix))
            .map(|s| numel(&s.shape))
            .sum();
        let nodes = || g.nodes.iter().filter(|n| n.layer == Some(i));
        let flops = nodes().map(|n| n.flops(&g)).sum();
        let memory = nodes().map(|n| n.memory(&g)).sum();
        let rows = spec.train.batch_size.unwrap_or(0) as u64;
        report.layers.push(LayerReport {
            id: layer.id.clone(),
            kind: kind_name(&layer.kind).to_string(),
            shape: out.shape(&g, spec.framework)[1..].to_vec(),
            params,
            flops,
            memory,
            batch_memory: memory.saturating_mul(rows),
        });
    }
    if errors.is_empty()
        && let Some(Some(out)) = outputs.last()
        && let Err(p) = check_head(spec, &out.shape(&g, spec.framework)[1..], &data)
    {
        errors.push(p);
    }
    report.ok = errors.is_empty();
    report.hints = hints(spec);
    report.errors = errors;
    report.input = data.sample;
    report.params = report.layers.iter().map(|l| l.params).sum();
    report.flops = report.layers.iter().map(|l| l.flops).sum();
    let sum =
        |of: fn(&LayerReport) -> u64| report.layers.iter().map(of).fold(0, u64::saturating_add);
    (report.memory, report.batch_memory) = (sum(|l| l.memory), sum(|l| l.batch_memory));
    report
}

impl Node {
    /// Floating-point operations of this node.
    pub fn flops(&self, g: &Graph) -> u64 {
        let x: Vec<&[usize]> = self.inputs.iter().map(|v| g.shape(*v)).collect();
        let y: Vec<&[usize]> = self.outputs.iter().map(|v| g.shape(*v)).collect();
        self.op.flops(&x, &y)
    }

    /// Bytes that its outputs take, unless they are its inputs' own.
    fn memory(&self, g: &Graph) -> u64 {
        if self.op.memory() != crate::ops::Memory::Fresh {
            return 0;
        }
        let numbers = self.outputs.iter().map(|v| numel(g.shape(*v)) as u64);
        numbers.sum::<u64>().saturating_mul(4)
    }
}
