//! Layers over sequences, and the code of a variational autoencoder.
use super::layers::{TENSOR, bounded};
use super::*;
use crate::backend::cpu::kernels::Act;
use crate::ops::{self, Cell};
use crate::spec::{Framework, Init, Problem, Recurrence};

/// What the layers here write into: the graph, the parameters, and the layer's own name.
pub(super) struct At<'a> {
    g: &'a mut Graph,
    layout: &'a mut Layout,
    framework: Framework,
    id: &'a str,
}

impl<'a> At<'a> {
    pub fn new(
        g: &'a mut Graph,
        layout: &'a mut Layout,
        framework: Framework,
        id: &'a str,
    ) -> At<'a> {
        At {
            g,
            layout,
            framework,
            id,
        }
    }
    fn param(&mut self, name: &str, shape: &[usize], start: Start) -> ValueId {
        let slot = self
            .layout
            .param(&format!("{}.{name}", self.id), shape, start);
        self.g.slot(self.layout, slot)
    }
    fn keras(&self) -> bool {
        self.framework == Framework::Keras
    }
    fn push(&mut self, op: impl Into<Op>, x: &[ValueId]) -> Result<ValueId, Problem> {
        self.g.push1(op, x, self.id)
    }
    /// Steps and numbers per step of an input.
    fn sequence(&self, x: ValueId) -> Result<(usize, usize), Problem> {
        match *self.g.shape(x) {
            [_, t, d] => Ok((t, d)),
            ref other => Err(Problem::new("sequence-input").arg("got", ops::show(&other[1..]))),
        }
    }
    /// Whether a value holds the data's own numbers.
    fn is_data(&self, v: ValueId) -> bool {
        if let Place::Slot(id) = self.g.value(v).place {
            return self.layout.slots[id.0 as usize].slab != Slab::Param;
        }
        let producer = self.g.nodes.iter().find(|n| n.outputs.contains(&v));
        producer.is_some_and(|n| match n.op {
            Op::Gather(_) => true,
            Op::Reshape(_) => self.is_data(n.inputs[0]),
            _ => false,
        })
    }

    /// Parameters of a table: PyTorch `weight` from N(0,1), Keras `embeddings` from U(±0.05).
    fn table(&mut self, rows: usize, dim: usize) -> ValueId {
        let (name, init) = match self.framework {
            Framework::Pytorch => (
                "weight",
                Init::Normal {
                    mean: 0.0,
                    std: 1.0,
                },
            ),
            Framework::Keras => (
                "embeddings",
                Init::Uniform {
                    low: -0.05,
                    high: 0.05,
                },
            ),
        };
        self.param(name, &[rows, dim], start(init, rows, dim))
    }

    /// `id[N,T] → y[N,T,dim]`.
    pub fn embedding(&mut self, x: ValueId, vocab: usize, dim: usize) -> Result<ValueId, Problem> {
        if !self.is_data(x) {
            return Err(Problem::new("embedding-input").field("inputs"));
        }
        let table = self.table(vocab, dim);
        self.push(ops::Embedding, &[x, table])
    }

    /// `x[N,T,D] → x + weight[T,D]`.
    pub fn positional_embedding(&mut self, x: ValueId) -> Result<ValueId, Problem> {
        let (t, d) = self.sequence(x)?;
        let table = self.table(t, d);
        self.push(ops::AddRow, &[x, table])
    }

    /// `x[N,T,I] → h[N,T,H]`, or `[N,H]` of the last step. Of two directions the outputs stand
    /// side by side; a last step is then the last that each direction computed.
    pub fn recurrent(
        &mut self,
        x: ValueId,
        cell: Cell,
        layer: &Recurrence,
    ) -> Result<ValueId, Problem> {
        let (steps, inputs) = self.sequence(x)?;
        let h = layer.units;
        let rows = h.saturating_mul(cell.gates());
        bounded(rows.saturating_mul(inputs.max(h)), TENSOR, "weights")?;
        bounded(rows.saturating_mul(steps), TENSOR, "values per sample")?;
        let mut out = Vec::new();
        for reverse in [false, true] {
            if reverse && !layer.bidirectional {
                break;
            }
            let mut values = vec![x];
            values.extend(match self.framework {
                Framework::Pytorch => self.torch_cell(cell, (inputs, h), reverse),
                Framework::Keras => {
                    self.keras_cell(cell, (inputs, h), layer.bidirectional, reverse)?
                }
            });
            let op = ops::Recurrent { cell, reverse };
            let mut y = self.g.push(op, &values, self.id)?[0];
            if !layer.return_sequences {
                let op = ops::Slice {
                    axis: 1,
                    start: if reverse { 0 } else { steps - 1 },
                    len: 1,
                };
                y = self.push(op, &[y])?;
                let shape = vec![self.g.shape(y)[0], h];
                y = self.push(ops::Reshape { shape }, &[y])?;
            }
            out.push(y);
        }
        if out.len() == 1 {
            return Ok(out[0]);
        }
        let axis = self.g.shape(out[0]).len() - 1;
        self.push(ops::Concat { axis }, &out)
    }

    /// Everything begins as U(±1/√H).
    fn torch_cell(
        &mut self,
        cell: Cell,
        (inputs, h): (usize, usize),
        reverse: bool,
    ) -> Vec<ValueId> {
        let rows = cell.gates() * h;
        let suffix = if reverse { "l0_reverse" } else { "l0" };
        let begin = start(Init::TorchDefault, h, h);
        let all: [(&str, &[usize]); 4] = [
            ("weight_ih", &[rows, inputs]),
            ("weight_hh", &[rows, h]),
            ("bias_ih", &[rows]),
            ("bias_hh", &[rows]),
        ];
        all.map(|(name, shape)| self.param(&format!("{name}_{suffix}"), shape, begin))
            .to_vec()
    }

    /// Kernels lie as `[gates, in]` here and are turned round in files. The GRU's biases are one
    /// tensor `[2, gates]`.
    fn keras_cell(
        &mut self,
        cell: Cell,
        (inputs, h): (usize, usize),
        both: bool,
        reverse: bool,
    ) -> Result<Vec<ValueId>, Problem> {
        let rows = cell.gates() * h;
        let kind = match cell {
            Cell::Lstm => "lstm",
            Cell::Gru { .. } => "gru",
            Cell::Rnn { .. } => "simple_rnn",
        };
        let direction = match (both, reverse) {
            (false, _) => String::new(),
            (true, false) => format!("forward_{kind}."),
            (true, true) => format!("backward_{kind}."),
        };
        let name = |what: &str| format!("{direction}{kind}_cell.{what}");
        let kernel = start(Init::GlorotUniform, inputs, rows);
        let w = self.param(&name("kernel"), &[rows, inputs], kernel);
        let orthogonal = start(Init::Orthogonal { gain: 1.0 }, h, rows);
        let u = self.param(&name("recurrent_kernel"), &[rows, h], orthogonal);
        let init = match cell {
            Cell::Lstm => Init::UnitForgetBias,
            _ => Init::Zeros,
        };
        let zeros = start(init, h, rows);
        let mut all = vec![w, u];
        if let Cell::Gru { .. } = cell {
            let both = self.param(&name("bias"), &[2, rows], zeros);
            for start in 0..2 {
                let op = ops::Slice {
                    axis: 0,
                    start,
                    len: 1,
                };
                let row = self.push(op, &[both])?;
                all.push(self.push(ops::Reshape { shape: vec![rows] }, &[row])?);
            }
        } else {
            all.push(self.param(&name("bias"), &[rows], zeros));
        }
        Ok(all)
    }

    /// `(mean[N,…], logvar[N,…]) → z[N,…]`; the divergence becomes a term of the loss. `seed` and
    /// the layer's index while training.
    pub fn sampling(
        &mut self,
        x: [ValueId; 2],
        kl: f32,
        seed: Option<(u32, u32)>,
    ) -> Result<ValueId, Problem> {
        let (a, b) = (self.g.shape(x[0]), self.g.shape(x[1]));
        if a != b {
            return Err(Problem::new("same-shape")
                .arg("a", ops::show(&a[1..]))
                .arg("b", ops::show(&b[1..])));
        }
        if kl > 0.0 {
            let divergence = self.push(ops::Divergence, &x)?;
            let term = self.push(ops::Scale { by: kl }, &[divergence])?;
            self.g.terms.push(term);
        }
        match seed {
            Some((seed, layer)) => self.push(ops::Sample { seed, layer }, &x),
            None => Ok(x[0]),
        }
    }

    /// Self-attention `x[N,T,D] → y[N,T,D]` with projections before and after.
    pub fn attention(
        &mut self,
        x: ValueId,
        heads: usize,
        causal: bool,
    ) -> Result<ValueId, Problem> {
        let (_, d) = self.sequence(x)?;
        if heads == 0 || !d.is_multiple_of(heads) {
            return Err(Problem::new("heads")
                .arg("heads", heads)
                .arg("width", d)
                .field("heads"));
        }
        bounded(d.saturating_mul(3 * d), TENSOR, "weights")?;
        let op = |packed| ops::Attention {
            heads,
            causal,
            packed,
            mask: false,
        };
        let linear = ops::Linear {
            bias: true,
            act: Act::None,
        };
        if self.keras() {
            // Keras' fans of kernels [D, heads, D/heads] and [heads, D/heads, D].
            let each = d / heads;
            let into = start(Init::GlorotUniform, heads * d, each * d);
            let out = start(Init::GlorotUniform, d, heads * d);
            let project = |at: &mut Self, x, name: &str, begin| {
                let w = at.param(&format!("{name}.weight"), &[d, d], begin);
                let b = at.param(&format!("{name}.bias"), &[d], start(Init::Zeros, d, d));
                at.push(linear.clone(), &[x, w, b])
            };
            let q = project(self, x, "query", into)?;
            let k = project(self, x, "key", into)?;
            let v = project(self, x, "value", into)?;
            let y = self.push(op(false), &[q, k, v])?;
            return project(self, y, "attention_output", out);
        }
        let w = start(Init::GlorotUniform, d, 3 * d);
        let zeros = start(Init::Zeros, d, d);
        let w = self.param("in_proj_weight", &[3 * d, d], w);
        let b = self.param("in_proj_bias", &[3 * d], zeros);
        let qkv = self.push(linear.clone(), &[x, w, b])?;
        let y = self.push(op(true), &[qkv])?;
        let w = self.param("out_proj.weight", &[d, d], start(Init::TorchDefault, d, d));
        let b = self.param("out_proj.bias", &[d], zeros);
        self.push(linear, &[y, w, b])
    }
}

fn start(init: Init, fan_in: usize, fan_out: usize) -> Start {
    Start {
        init,
        fan_in,
        fan_out,
    }
}
