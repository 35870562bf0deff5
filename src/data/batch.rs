//! The order in which training samples are seen.
use super::rng::{Rng, SHUFFLE};

/// The training rows in the order of epoch `epoch` (from 0): a pure function of its arguments,
/// so that a run can go on from any epoch. As given when `shuffle` is false.
pub fn order(seed: u32, epoch: u32, train_rows: &[u32], shuffle: bool) -> Vec<u32> {
    let mut rows = train_rows.to_vec();
    if shuffle {
        Rng::at(seed, SHUFFLE, epoch).shuffle(&mut rows);
    }
    rows
}

/// The batches of one epoch after the other; allocates only when made.
#[derive(Clone, Debug)]
pub struct Batches {
    seed: u32,
    shuffle: bool,
    size: usize,
    rows: Vec<u32>,
    order: Vec<u32>,
    epoch: u32,
}

impl Batches {
    /// `size`: samples per batch; `None` takes all at once. The last batch of an epoch holds
    /// what is left. Stands at epoch 0.
    pub fn new(seed: u32, train_rows: &[u32], shuffle: bool, size: Option<usize>) -> Batches {
        let size = size.unwrap_or(train_rows.len());
        let mut b = Batches {
            seed,
            shuffle,
            size: size.clamp(1, train_rows.len().max(1)),
            rows: train_rows.to_vec(),
            order: train_rows.to_vec(),
            epoch: 0,
        };
        b.set_epoch(0);
        b
    }

    /// Goes to epoch `epoch`, in the order that [`order`] gives.
    pub fn set_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        if self.shuffle {
            self.order.copy_from_slice(&self.rows);
            Rng::at(self.seed, SHUFFLE, epoch).shuffle(&mut self.order);
        }
    }

    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Batches per epoch.
    pub fn count(&self) -> usize {
        self.order.len().div_ceil(self.size)
    }

    /// Rows of batch `i` of this epoch; empty when there is none.
    pub fn get(&self, i: usize) -> &[u32] {
        let start = i.saturating_mul(self.size).min(self.order.len());
        let end = start.saturating_add(self.size).min(self.order.len());
        &self.order[start..end]
    }
}
