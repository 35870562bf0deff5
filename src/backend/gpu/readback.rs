//! The wait for a device's answers.
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
pub struct Answer(Arc<Mutex<State>>);

impl Answer {
    pub fn give(&self, result: Result<(), EngineError>) {
        let mut s = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        s.done.get_or_insert(result);
        if let Some(w) = s.waker.take() {
            w.wake();
        }
    }
    /// Whether it is a good one and has been given.
    pub fn came(&self) -> bool {
        let s = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(s.done, Some(Ok(())))
    }
    async fn told(&self) -> Result<(), EngineError> {
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

/// Milliseconds from any point on.
pub fn now() -> f64 {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::now();
    #[cfg(not(target_arch = "wasm32"))]
    {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
        since.map_or(0.0, |d| d.as_secs_f64() * 1000.0)
    }
}

/// Waits for the answer to a submit. A device that fails to give one is used no more, whether or
/// not anything has said yet why.
pub async fn wait(
    gpu: &Gpu,
    answer: &Answer,
    index: wgpu::SubmissionIndex,
) -> Result<(), EngineError> {
    let told = answered(gpu, answer, index).await;
    told.map_err(|e| gpu.faults.report(e))
}

/// Natively the device is polled until it is done.
#[cfg(not(target_arch = "wasm32"))]
async fn answered(
    gpu: &Gpu,
    answer: &Answer,
    index: wgpu::SubmissionIndex,
) -> Result<(), EngineError> {
    let polled = gpu.device.poll(wgpu::PollType::Wait {
        submission_index: Some(index),
        timeout: Some(std::time::Duration::from_secs(u64::from(PATIENCE))),
    });
    if polled.is_err() {
        answer.give(Err(EngineError::TimedOut { seconds: PATIENCE }));
    }
    answer.told().await
}

/// In the browser the callback comes from the event loop; a device that was lost may never call.
#[cfg(target_arch = "wasm32")]
async fn answered(_: &Gpu, answer: &Answer, _: wgpu::SubmissionIndex) -> Result<(), EngineError> {
    let late = answer.clone();
    let timer = gloo::timers::callback::Timeout::new(PATIENCE * 1000, move || {
        late.give(Err(EngineError::TimedOut { seconds: PATIENCE }));
    });
    let told = answer.told().await;
    drop(timer);
    told
}
