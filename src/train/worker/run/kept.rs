//! States that a run keeps at the ends of epochs.
use super::Run;
use crate::train::protocol::{Evaluation, Failure, SavedInfo};
use crate::train::session::{EpochEnd, Saved};

/// Bytes of kept states in all; the oldest go first.
const SAVED: usize = 192 << 20;

impl Run {
    pub fn saved(&self) -> Vec<SavedInfo> {
        let info = |s: &Saved| SavedInfo {
            name: s.name.clone(),
            epoch: s.epoch,
            bytes: s.bytes.len(),
        };
        self.saved.iter().map(info).collect()
    }

    pub fn saved_file(&self, name: &str) -> Option<&[u8]> {
        let found = self.saved.iter().find(|s| s.name == name);
        found.map(|s| &s.bytes[..])
    }

    pub fn saved_files(&self) -> impl Iterator<Item = &[u8]> {
        self.saved.iter().map(|s| &s.bytes[..])
    }

    /// Takes over what the run had kept elsewhere.
    pub fn keep_states(&mut self, states: Vec<(SavedInfo, Vec<u8>)>) {
        self.saved = states
            .into_iter()
            .map(|(info, bytes)| Saved {
                name: info.name,
                epoch: info.epoch,
                bytes,
            })
            .collect();
        self.forget_oldest();
    }

    fn forget_oldest(&mut self) {
        while self.saved.len() > 1
            && self.saved.iter().map(|s| s.bytes.len()).sum::<usize>() > SAVED
        {
            self.saved.remove(0);
        }
    }

    /// Does what the end of an epoch asks for; the name of a state that was kept.
    pub(super) async fn callbacks(
        &mut self,
        e: Option<&Evaluation>,
    ) -> Result<Option<String>, Failure> {
        let EpochEnd { stop, saved } = self.session.epoch_ended(e).await?;
        self.over |= stop;
        let name = saved.as_ref().map(|s| s.name.clone());
        if let Some(saved) = saved {
            // An epoch that a fault undid ends a second time.
            self.saved.retain(|s| s.epoch < saved.epoch);
            self.saved.push(saved);
        }
        self.forget_oldest();
        Ok(name)
    }
}
