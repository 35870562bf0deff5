//! The worker pool: one job at a time, cut into parts that threads take one after another. The
//! caller takes part; helpers join when they are up, and until then the caller does everything.
//!
//! What a part computes never depends on who computes it, nor on how many threads there are.
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Condvar, Mutex, PoisonError};

/// Whether this build has threads; without them the pool is the caller alone.
pub const THREADS: bool = cfg!(any(not(target_arch = "wasm32"), target_feature = "atomics"));
/// Most threads that are of use; the state of a job has eight bits for their number.
pub const MAX: usize = 64;
/// Looks at an empty pool before a thread goes to sleep: a few times what lies between two jobs
/// of a training step, so that waking costs nothing there.
const SPINS: u32 = 40_000;

/// Called as `work(part, thread)`; threads are counted from 0, the caller's.
type Work<'a> = &'a (dyn Fn(usize, usize) + Sync + 'a);

/// The job in one word: its number, who may help, how many parts, the next part to take. A part
/// is taken by adding 1, which fails when anything has changed meanwhile.
#[derive(Clone, Copy)]
struct State(u64);

impl State {
    fn new(number: u32, threads: usize, parts: usize) -> State {
        State(u64::from(number) << 32 | (threads as u64) << 24 | (parts as u64) << 12)
    }
    fn threads(self) -> usize {
        (self.0 >> 24 & 0xff) as usize
    }
    fn parts(self) -> usize {
        (self.0 >> 12 & 0xfff) as usize
    }
    fn next(self) -> usize {
        (self.0 & 0xfff) as usize
    }
}

/// Most parts of a job.
pub const PARTS: usize = 0xfff;

struct Pool {
    state: AtomicU64,
    /// Written before its state is published, read by who has taken a part of it.
    work: UnsafeCell<Option<Work<'static>>>,
    done: AtomicUsize,
    failed: AtomicBool,
    /// A helper has broken off in the middle of a part, which nobody will ever finish.
    lost: AtomicBool,
    number: AtomicU32,
    /// Held by the thread whose job is run.
    caller: Mutex<()>,
    helpers: AtomicUsize,
    asleep: AtomicUsize,
    /// The caller waits for others' parts.
    waiting: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
    finished: Condvar,
}

// SAFETY: `work` is written only while no part of a job is taken or can be.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool {
    state: AtomicU64::new(0),
    work: UnsafeCell::new(None),
    done: AtomicUsize::new(0),
    failed: AtomicBool::new(false),
    lost: AtomicBool::new(false),
    number: AtomicU32::new(0),
    caller: Mutex::new(()),
    helpers: AtomicUsize::new(0),
    asleep: AtomicUsize::new(0),
    waiting: AtomicBool::new(false),
    lock: Mutex::new(()),
    wake: Condvar::new(),
    finished: Condvar::new(),
};

/// Threads that a backend prepared from now on uses at most.
static WANTED: AtomicUsize = AtomicUsize::new(1);

/// Says how many threads the next backend may use, itself included.
pub fn want(threads: usize) {
    WANTED.store(threads.clamp(1, MAX), Relaxed);
}

pub fn wanted() -> usize {
    WANTED.load(Relaxed)
}

/// Threads that are there, the caller's included.
pub fn threads() -> usize {
    1 + POOL.helpers.load(Relaxed)
}

/// Runs all parts with at most `threads` threads and returns when they are done. Where the pool
/// is at work for somebody else, the caller does all of it. Creates nothing.
pub fn run(threads: usize, parts: usize, work: Work) {
    debug_assert!(parts <= PARTS);
    let alone = !THREADS || threads <= 1 || parts <= 1 || POOL.helpers.load(Relaxed) == 0;
    let caller = if alone {
        None
    } else {
        POOL.caller.try_lock().ok()
    };
    if caller.is_none() {
        return (0..parts).for_each(|part| work(part, 0));
    }
    // SAFETY: `run` returns after the last part is done, and nobody takes a part later, so the
    // work outlives its use.
    let work = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
    // SAFETY: no job is under way, see above.
    unsafe { *POOL.work.get() = Some(work) };
    POOL.done.store(0, Relaxed);
    let number = POOL.number.fetch_add(1, Relaxed);
    let job = State::new(number, threads.min(MAX), parts);
    POOL.state.store(job.0, SeqCst);
    if POOL.asleep.load(SeqCst) > 0 {
        let _held = POOL.lock.lock().unwrap_or_else(PoisonError::into_inner);
        POOL.wake.notify_all();
    }
    while let Some(part) = take(0) {
        perform(work, part, 0);
        POOL.done.fetch_add(1, Release);
    }
    let mut spins = 0;
    while POOL.done.load(Acquire) < parts && !POOL.lost.load(Acquire) {
        spins += 1;
        if spins < SPINS {
            std::hint::spin_loop();
            continue;
        }
        POOL.waiting.store(true, SeqCst);
        let mut held = POOL.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while POOL.done.load(SeqCst) < parts && !POOL.lost.load(SeqCst) {
            held = match POOL.finished.wait(held) {
                Ok(held) => held,
                Err(e) => e.into_inner(),
            };
        }
        POOL.waiting.store(false, SeqCst);
    }
    let failed = POOL.failed.swap(false, AcqRel);
    // The lost part may still use the work: for good, nobody gets the pool any more.
    assert!(!POOL.lost.load(Acquire), "a helper thread broke off");
    drop(caller);
    assert!(!failed, "a part of a job panicked");
}

/// A panic waits until the job is over, for others still work on it.
fn perform(work: Work, part: usize, thread: usize) {
    let guarded = std::panic::AssertUnwindSafe(|| work(part, thread));
    if std::panic::catch_unwind(guarded).is_err() {
        POOL.failed.store(true, Release);
    }
}

/// A part of the job under way, if there is one for this thread.
fn take(thread: usize) -> Option<usize> {
    let mut state = State(POOL.state.load(Acquire));
    while state.next() < state.parts() && thread < state.threads() {
        let taken = POOL
            .state
            .compare_exchange_weak(state.0, state.0 + 1, AcqRel, Acquire);
        match taken {
            Ok(_) => return Some(state.next()),
            Err(now) => state = State(now),
        }
    }
    None
}

/// Makes the calling thread a helper for good.
pub fn help() -> ! {
    let thread = 1 + POOL.helpers.fetch_add(1, Relaxed);
    let mut spins = 0;
    loop {
        if let Some(part) = take(thread) {
            spins = 0;
            // SAFETY: a part has been taken, so the job is not over.
            let work = unsafe { *POOL.work.get() }.expect("a job has work");
            perform(work, part, thread);
            POOL.done.fetch_add(1, SeqCst);
            if POOL.waiting.load(SeqCst) {
                let _held = POOL.lock.lock().unwrap_or_else(PoisonError::into_inner);
                POOL.finished.notify_one();
            }
            continue;
        }
        spins += 1;
        if spins < SPINS {
            std::hint::spin_loop();
            continue;
        }
        spins = 0;
        let held = POOL.lock.lock().unwrap_or_else(PoisonError::into_inner);
        POOL.asleep.fetch_add(1, SeqCst);
        let state = State(POOL.state.load(SeqCst));
        if state.next() >= state.parts() || thread >= state.threads() {
            // Whatever the reason to wake, the next turn looks again.
            drop(POOL.wake.wait(held));
        }
        POOL.asleep.fetch_sub(1, SeqCst);
    }
}

/// Says that a helper has broken off, which on the web a panic or a trap does: whoever waits for its part
/// panics instead of waiting for ever.
pub fn lose() {
    POOL.lost.store(true, SeqCst);
    let _held = POOL.lock.lock().unwrap_or_else(PoisonError::into_inner);
    POOL.finished.notify_all();
}

/// Starts helpers until there are `threads` threads, and waits for them. For the host; on the web
/// the worker starts helpers of its own kind.
#[cfg(not(target_arch = "wasm32"))]
pub fn start(threads: usize) {
    static STARTED: Mutex<usize> = Mutex::new(1);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    while *started < threads.min(MAX) {
        std::thread::spawn(|| help());
        *started += 1;
    }
    while self::threads() < *started {
        std::thread::yield_now();
    }
}
