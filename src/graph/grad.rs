//! Reverse mode: walks a forward graph backwards and adds the nodes of its gradient.
use super::*;
use crate::ops;
use crate::spec::Problem;

/// What an op sees of the graph while it adds its gradient.
pub struct Backward<'a> {
    graph: &'a mut Graph,
    inputs: Vec<ValueId>,
    outputs: Vec<ValueId>,
    /// Gradient of the loss by value, as far as it has been summed up.
    grads: &'a mut Vec<Option<ValueId>>,
    needs: &'a [bool],
}

impl Backward<'_> {
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }
    pub fn x(&self, i: usize) -> ValueId {
        self.inputs[i]
    }
    pub fn y(&self, i: usize) -> ValueId {
        self.outputs[i]
    }
    pub fn shape(&self, v: ValueId) -> &[usize] {
        self.graph.shape(v)
    }
    /// Gradient of output `i`; None where the loss does not depend on it.
    pub fn grad(&self, i: usize) -> Option<ValueId> {
        self.grads
            .get(self.outputs[i].0 as usize)
            .copied()
            .flatten()
    }
    /// Whether anything trainable lies behind input `i`.
    pub fn needs(&self, i: usize) -> bool {
        self.needs
            .get(self.inputs[i].0 as usize)
            .copied()
            .unwrap_or(false)
    }
    /// Adds a node with one output.
    pub fn emit(&mut self, op: impl Into<Op>, x: &[ValueId]) -> Result<ValueId, Problem> {
        self.graph.push1(op, x, "t")
    }
    /// Adds a node with several outputs.
    pub fn emit_all(&mut self, op: impl Into<Op>, x: &[ValueId]) -> Result<Vec<ValueId>, Problem> {
        self.graph.push(op, x, "t")
    }
    /// Adds `v` to the gradient of input `i`. The one place where gradients are summed.
    pub fn give(&mut self, i: usize, v: ValueId) -> Result<(), Problem> {
        let at = self.inputs[i].0 as usize;
        debug_assert_eq!(self.graph.shape(v), self.graph.shape(self.inputs[i]));
        if !self.needs(i) {
            return Ok(());
        }
        let name = format!("d{}", self.graph.value(self.inputs[i]).name);
        let sum = match self.grads[at] {
            None => v,
            Some(sum) => self.graph.push1(ops::Add, &[sum, v], &name)?,
        };
        self.graph.values[sum.0 as usize].name = name;
        self.grads[at] = Some(sum);
        Ok(())
    }
}

/// Adds the gradient of the scalar `loss` by every value of `wanted`, and returns those
/// gradients (None where the loss does not depend on the value).
pub fn differentiate(
    graph: &mut Graph,
    loss: ValueId,
    wanted: &[ValueId],
) -> Result<Vec<Option<ValueId>>, Problem> {
    let forward = graph.nodes.len();
    let mut needs = vec![false; graph.values.len()];
    for w in wanted {
        needs[w.0 as usize] = true;
    }
    for node in &graph.nodes {
        if node.inputs.iter().any(|v| needs[v.0 as usize]) {
            for v in &node.outputs {
                needs[v.0 as usize] = true;
            }
        }
    }
    graph.mark(Phase::Backward, None);
    let shape = graph.shape(loss).to_vec();
    let seed = graph.push1(ops::Fill { shape, value: 1.0 }, &[], "dloss")?;
    let mut grads: Vec<Option<ValueId>> = vec![None; needs.len()];
    grads[loss.0 as usize] = Some(seed);
    for n in (0..forward).rev() {
        let node = graph.nodes[n].clone();
        let reached = node.outputs.iter().any(|v| grads[v.0 as usize].is_some());
        if !reached || !node.inputs.iter().any(|v| needs[v.0 as usize]) {
            continue;
        }
        graph.mark(Phase::Backward, node.layer);
        node.op.backward(&mut Backward {
            graph,
            inputs: node.inputs,
            outputs: node.outputs,
            grads: &mut grads,
            needs: &needs,
        })?;
    }
    Ok(wanted.iter().map(|w| grads[w.0 as usize]).collect())
}

impl Graph {
    /// Removes nodes whose outputs nobody reads and which write into no slot.
    pub fn drop_unread(&mut self) {
        let mut read: Vec<bool> = self.values.iter().map(|v| v.place != Place::Work).collect();
        let mut keep = vec![true; self.nodes.len()];
        for (n, node) in self.nodes.iter().enumerate().rev() {
            keep[n] = node.outputs.iter().any(|v| read[v.0 as usize]);
            if keep[n] {
                for v in &node.inputs {
                    read[v.0 as usize] = true;
                }
            }
        }
        let mut k = keep.iter();
        self.nodes.retain(|_| *k.next().expect("one per node"));
    }
}
