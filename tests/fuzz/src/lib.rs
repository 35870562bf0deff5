//! Fuzzing of every reader that meets input from outside: good inputs are changed in ways that know their
//! structure, from fixed seeds, so that every case can be made again by its number. A case fails when it
//! panics, when it has more bytes live at once than its bound, or when it takes too long.
mod alloc;
mod mutate;
mod node;
mod rng;
mod targets;

use rng::Rng;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};
pub use targets::{TARGETS, Target};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

/// A case that takes longer hangs. Those of any target take milliseconds at most.
const HANG: Duration = Duration::from_secs(20);

/// A case that is running: its target, its number, when it began.
static RUNNING: Mutex<Option<(&str, u64, Instant)>> = Mutex::new(None);

thread_local! {
    /// What the last panic of this thread said.
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What is wrong with a case.
#[derive(Clone, Debug)]
pub struct Finding {
    pub case: u64,
    pub what: String,
}

/// What came of many cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub cases: u64,
    pub findings: Vec<Finding>,
    /// Bytes live at once, at most.
    pub peak: usize,
    /// The slowest case.
    pub slowest: (Duration, u64),
}

/// The input of a case.
pub fn input(target: &Target, corpus: &[Vec<u8>], case: u64) -> Vec<u8> {
    let mut rng = Rng::new(target.name, case);
    let mut bytes = corpus[rng.below(corpus.len())].clone();
    (target.change)(&mut rng, &mut bytes, target.words, corpus);
    bytes
}

/// Silences panics, which are findings, and ends the process when a case hangs.
pub fn watch() {
    std::panic::set_hook(Box::new(|info| {
        SAID.with_borrow_mut(|said| *said = info.to_string());
    }));
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let running = *RUNNING.lock().expect("no case panics with it");
            if let Some((target, case, _)) = running.filter(|(_, _, begun)| begun.elapsed() > HANG)
            {
                eprintln!("{target}: case {case} hangs");
                std::process::exit(3);
            }
        }
    });
}

/// Runs cases `from…` of a target until `go_on` says no, given how many were run.
pub fn run(target: &Target, from: u64, mut go_on: impl FnMut(u64) -> bool) -> Report {
    let corpus = (target.corpus)();
    let mut report = Report::default();
    while go_on(report.cases) {
        let case = from + report.cases;
        let bytes = input(target, &corpus, case);
        let begun = Instant::now();
        *RUNNING.lock().expect("no case panics with it") = Some((target.name, case, begun));
        let live = alloc::begin();
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes)));
        let peak = alloc::peak(live);
        let took = begun.elapsed();
        *RUNNING.lock().expect("no case panics with it") = None;
        report.peak = report.peak.max(peak);
        report.slowest = report.slowest.max((took, case));
        let bound = target.memory.0 + target.memory.1 * bytes.len();
        let mut find = |what: String| report.findings.push(Finding { case, what });
        if outcome.is_err() {
            find(SAID.with_borrow(Clone::clone));
        } else if peak > bound {
            find(format!(
                "{peak} bytes live for {} of input, more than {bound}",
                bytes.len()
            ));
        }
        report.cases += 1;
    }
    report
}
