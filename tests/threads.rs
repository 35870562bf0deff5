//! Training on several threads gives what one thread gives, bit for bit.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::{CpuBackend, pool};
use nabla::train::Session;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Losses and weights after a few steps.
fn train(id: &str, threads: usize) -> (Vec<f32>, Vec<u8>) {
    pool::want(threads);
    let mut spec = preset(id);
    spec.train.batch_size = Some(32);
    let data = load(&spec);
    let mut s: Session<CpuBackend> = block_on(Session::new(spec, data, None)).unwrap();
    let mut losses = Vec::new();
    while s.step() < 6 {
        losses.extend(block_on(s.steps(6 - s.step())).unwrap().rows);
    }
    (losses, block_on(s.weights()).unwrap())
}

// One test, for the number of threads is the whole process'.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    pool::start(4);
    for id in ["digits-mlp", "digits-cnn", "gru"] {
        let one = train(id, 1);
        for threads in [2, 3, 4] {
            assert!(train(id, threads) == one, "{id} with {threads} threads");
        }
    }
    every_part_is_done_once();
}

fn every_part_is_done_once() {
    for parts in [1, 2, 7, 100] {
        let done: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
        for round in 1..=200 {
            pool::run(4, parts, &|part, thread| {
                assert!(thread < 4);
                done[part].fetch_add(1, Relaxed);
            });
            assert!(done.iter().all(|d| d.load(Relaxed) == round), "{parts}");
        }
    }
    // A panic comes out where the job was given, and the pool goes on.
    let failed = std::panic::catch_unwind(|| {
        pool::run(4, 4, &|part, _| assert_ne!(part, 2, "on purpose"));
    });
    assert!(failed.is_err());
    pool::run(4, 4, &|_, _| {});
}
