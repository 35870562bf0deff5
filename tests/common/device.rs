//! Sessions on a device, natively.
use super::load;
use nabla::backend::Backend;
use nabla::backend::gpu::Gpu;
use nabla::spec::Spec;
use nabla::train::Session;

/// Runs a future whose waits are polls of the device.
pub fn block_on<F: Future>(f: F) -> F::Output {
    let mut f = std::pin::pin!(f);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(v) = f.as_mut().poll(&mut cx) {
            return v;
        }
        std::thread::yield_now();
    }
}

/// Whether there is a device to test on.
pub fn there_is_one() -> bool {
    match block_on(Gpu::get()) {
        Ok(gpu) => {
            println!("on {} {}", gpu.adapter.name, gpu.adapter.driver);
            true
        }
        Err(e) if std::env::var_os("NABLA_GPU").is_none() => {
            println!("SKIPPED: no GPU and no software driver: {e:?}");
            false
        }
        Err(e) => panic!("NABLA_GPU is set, but: {e:?}"),
    }
}

pub fn open<B: Backend>(spec: Spec) -> Session<B> {
    let data = load(&spec);
    block_on(Session::new(spec, data, None)).unwrap()
}

/// The history's rows of the next `n` steps.
pub fn steps<B: Backend>(s: &mut Session<B>, n: u32) -> Vec<Vec<f32>> {
    let columns = s.info(0).columns.len();
    let mut out = Vec::new();
    while (out.len() as u32) < n {
        let c = block_on(s.steps(n - out.len() as u32)).unwrap();
        out.extend(c.rows.chunks(columns).map(<[f32]>::to_vec));
    }
    out
}
