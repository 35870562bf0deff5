//! Plans of all presets are snapshots under `tests/plans/`: a refactor must not change them, an
//! optimisation shows its difference. `UPDATE_PLANS=1 cargo test --test plans` writes them anew.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::{Backend, cpu::CpuBackend};
use nabla::graph::{Dtype, Facts, ProgramKind};
use nabla::plan::{Arg, Plan, Region};
use nabla::spec::DataShape;
use nabla::spec::presets::PRESETS;
use nabla::train::Session;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts allocations of this thread.
struct Counting;
thread_local! { static COUNT: Cell<usize> = const { Cell::new(0) } }

// SAFETY: forwards to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|c| c.set(c.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(p, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn plan(id: &str) -> Plan {
    let spec = preset(id);
    let data = load(&spec);
    let session: Session<CpuBackend> = block_on(Session::new(spec, data, None)).unwrap();
    session.plan().clone()
}

#[test]
fn presets_compile_to_their_snapshots() {
    for p in PRESETS {
        let got = plan(p.id).pretty();
        let path = format!("{}/tests/plans/{}.txt", env!("CARGO_MANIFEST_DIR"), p.id);
        if std::env::var_os("UPDATE_PLANS").is_some() {
            std::fs::write(&path, &got).unwrap();
        }
        let want = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            got == want,
            "the plan of {} differs from {path}:\n{got}",
            p.id
        );
    }
}

fn overlap(a: &Arg, b: &Arg) -> bool {
    let end = |a: &Arg| a.offset + a.shape.iter().product::<usize>();
    a.region == b.region && a.offset < end(b) && b.offset < end(a)
}

/// No step writes over what it reads, nor over a work value that a later step still reads.
#[test]
fn nothing_alive_is_overwritten() {
    for p in PRESETS {
        for program in &plan(p.id).programs {
            for (i, s) in program.steps.iter().enumerate() {
                for y in s.outputs.iter().filter(|y| y.region == Region::Work) {
                    assert!(!s.inputs.iter().any(|x| overlap(x, y)), "{} step {i}", p.id);
                    // Between the birth of a value and its last reading nobody else writes there.
                    let last = program
                        .steps
                        .iter()
                        .rposition(|t| t.inputs.iter().any(|x| x.name == y.name && overlap(x, y)));
                    for t in
                        &program.steps[i + 1..last.unwrap_or(i).max(i + 1).min(program.steps.len())]
                    {
                        let over = t.outputs.iter().any(|z| z != y && overlap(z, y));
                        let read_later = t.outputs.iter().any(|z| z.name == y.name);
                        assert!(
                            !over || read_later,
                            "{} {} over {}",
                            p.id,
                            t.op.describe(),
                            y.name
                        );
                    }
                }
            }
            assert!(
                program.work <= program.work_bound * 3 / 2,
                "{}: {} over {}",
                p.id,
                program.work,
                program.work_bound
            );
        }
    }
}

#[test]
fn a_step_allocates_nothing() {
    for p in PRESETS {
        let plan = plan(p.id);
        let mut backend = block_on(CpuBackend::prepare(&plan, &())).unwrap();
        for program in &plan.programs {
            let steps = if program.kind == ProgramKind::Train {
                3
            } else {
                1
            };
            let before = COUNT.with(Cell::get);
            backend.run(program.kind, 0, steps);
            let made = COUNT.with(Cell::get) - before;
            assert_eq!(made, 0, "{} {:?}", p.id, program.kind);
        }
    }
}

/// All memory of the CIFAR network at batch 128, scratch included, against what lives at one moment.
#[test]
fn the_cifar_network_needs_little_more_than_what_lives() {
    let mut spec = preset("cifar-cnn");
    spec.train.batch_size = Some(128);
    let rows = 128;
    let facts = Facts {
        data: DataShape {
            sample: vec![3, 32, 32],
            classes: Some(10),
            targets: 1,
        },
        rows,
        dtype: Dtype::F32,
        scaled: false,
        train: rows,
        seed: 1,
    };
    let plan = Plan::compile(&spec, &facts).unwrap();
    let train = plan.program(ProgramKind::Train).unwrap();
    let slabs: usize = plan.slabs.iter().map(|s| s.len).sum();
    let scratch = train.steps.iter().map(|s| s.scratch()).max().unwrap_or(0);
    let (need, bound) = (slabs + train.work + scratch, slabs + train.work_bound);
    let mib = |floats: usize| floats as f64 / f64::from(1 << 18);
    println!(
        "slabs {:.1} MiB, work {:.1} (at least {:.1}), scratch {:.1}",
        mib(slabs),
        mib(train.work),
        mib(train.work_bound),
        mib(scratch)
    );
    assert!(2 * need <= 3 * bound, "{need} floats over {bound}");
    let backend = block_on(CpuBackend::prepare(&plan, &())).unwrap();
    let all = slabs
        + plan.work()
        + plan
            .programs
            .iter()
            .flat_map(|p| &p.steps)
            .map(|s| s.scratch())
            .max()
            .unwrap_or(0);
    // Blocks are whole cache lines.
    assert!(backend.memory() <= 4 * all + 64 * (plan.slabs.len() + 2));
}
