//! Values back from the device: staging buffers, pooled, and the wait for their mapping.
use super::device::Gpu;
use crate::backend::EngineError;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// After so many seconds a device that does not answer counts as lost.
const PATIENCE: u32 = 30;

#[derive(Default)]
struct State {
    done: Option<Result<(), EngineError>>,
    waker: Option<Waker>,
}

/// An answer that a callback gives once.
#[derive(Clone, Default)]
struct Answer(Arc<Mutex<State>>);

impl Answer {
    fn give(&self, result: Result<(), EngineError>) {
        let mut s = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        s.done.get_or_insert(result);
        if let Some(w) = s.waker.take() {
            w.wake();
        }
    }
    async fn wait(&self) -> Result<(), EngineError> {
        std::future::poll_fn(|cx| {
            let mut s = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match s.done.clone() {
                Some(result) => Poll::Ready(result),
                None => {
                    s.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Waits until a staging buffer can be read and returns its first `bytes`.
pub async fn mapped(gpu: &Gpu, staging: &wgpu::Buffer, bytes: u64) -> Result<Vec<u8>, EngineError> {
    let answer = Answer::default();
    let told = answer.clone();
    staging.map_async(wgpu::MapMode::Read, 0..bytes, move |r| {
        told.give(r.map_err(|e| EngineError::DeviceLost {
            detail: e.to_string(),
        }));
    });
    wait(gpu, &answer).await?;
    if let Some(fault) = gpu.faults.get() {
        return Err(fault);
    }
    let lost = |detail: String| EngineError::DeviceLost { detail };
    let view = staging.get_mapped_range(0..bytes);
    let out = view.map_err(|e| lost(e.to_string()))?.to_vec();
    staging.unmap();
    Ok(out)
}

/// Natively the device is polled until it is done.
#[cfg(not(target_arch = "wasm32"))]
async fn wait(gpu: &Gpu, answer: &Answer) -> Result<(), EngineError> {
    let polled = gpu.device.poll(wgpu::PollType::Wait {
        submission_index: None,
        timeout: Some(std::time::Duration::from_secs(u64::from(PATIENCE))),
    });
    if polled.is_err() {
        answer.give(Err(EngineError::TimedOut { seconds: PATIENCE }));
    }
    settled(gpu, answer).await
}

/// In the browser the callback comes from the event loop; a device that was lost may never call.
#[cfg(target_arch = "wasm32")]
async fn wait(gpu: &Gpu, answer: &Answer) -> Result<(), EngineError> {
    let late = answer.clone();
    let timer = gloo::timers::callback::Timeout::new(PATIENCE * 1000, move || {
        late.give(Err(EngineError::TimedOut { seconds: PATIENCE }));
    });
    let told = settled(gpu, answer).await;
    drop(timer);
    told
}

/// The answer. A device that failed to give one is used no more, whether or not anything has said yet why.
async fn settled(gpu: &Gpu, answer: &Answer) -> Result<(), EngineError> {
    let told = answer.wait().await;
    told.map_err(|e| gpu.faults.report(e))
}
