//! `cargo xtask bench --gpu`: the GPU backend on this machine's own driver. Products of matrices,
//! the convolutions of the presets and the training step of each, in GFLOP/s.
//!
//! `--quick` measures each for a moment only; other words choose what contains one of them.
use nabla::backend::AnyBackend;
use nabla::backend::Place;
use nabla::backend::gpu::{Gpu, time_op};
use nabla::data::{self, Dataset};
use nabla::graph::ProgramKind;
use nabla::ops::{MatMul, Op};
use nabla::spec::Spec;
use nabla::spec::presets::{self, PRESETS};
use nabla::train::Session;
use std::rc::Rc;
use std::time::Instant;

fn block_on<F: Future>(f: F) -> F::Output {
    let mut f = std::pin::pin!(f);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(v) = f.as_mut().poll(&mut cx) {
            return v;
        }
        std::thread::yield_now();
    }
}

/// What a preset trains on, from what ships with the page.
fn load(spec: &Spec) -> Option<Rc<Dataset>> {
    let bytes = data::needs(&spec.data).and_then(|which| {
        let file = data::bundled::file_name(which);
        std::fs::read(format!("{}/www/data/{file}", env!("CARGO_MANIFEST_DIR"))).ok()
    });
    let made = data::load(&spec.data, spec.seed, bytes.as_deref(), &[]);
    made.ok().map(Rc::new)
}

struct Choice {
    words: Vec<String>,
    ms: f64,
}

impl Choice {
    fn takes(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|w| name.contains(w.as_str()))
    }
}

fn row(name: &str, ms: f64, flops: f64) {
    println!("| {name} | {ms:.3} | {:.1} |", flops / ms / 1e6);
}

fn products(choice: &Choice) {
    for n in [256usize, 512, 1024, 2048, 4096] {
        for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
            let turned = |t: bool| if t { "ᵀ" } else { "" };
            let name = format!("matmul {n} A{}·B{}", turned(ta), turned(tb));
            // The other transposes at one size.
            if !choice.takes(&name) || ((ta || tb) && n != 1024) {
                continue;
            }
            let op: Op = MatMul { ta, tb }.into();
            let shapes = [vec![n, n], vec![n, n]];
            let got = block_on(time_op(&op, &shapes, &[vec![n, n]], choice.ms));
            match got {
                Ok(ms) => row(&name, ms, 2.0 * (n as f64).powi(3)),
                Err(e) => println!("| {name} | {e:?} | |"),
            }
        }
    }
}

/// Every convolution, forward and backward, of a preset's step.
fn convolutions(choice: &Choice, id: &str, run: &Session<AnyBackend>) {
    let Some(program) = run.plan().program(ProgramKind::Train) else {
        return;
    };
    for s in &program.steps {
        if !s.op.name().contains("Conv") {
            continue;
        }
        let xs: Vec<Vec<usize>> = s.inputs.iter().map(|a| a.shape.clone()).collect();
        let ys: Vec<Vec<usize>> = s.outputs.iter().map(|a| a.shape.clone()).collect();
        let name = format!("{id}: {} {xs:?}", s.op.describe());
        if !choice.takes(&name) {
            continue;
        }
        let x: Vec<&[usize]> = xs.iter().map(|s| &s[..]).collect();
        let y: Vec<&[usize]> = ys.iter().map(|s| &s[..]).collect();
        let flops = s.op.flops(&x, &y) as f64;
        match block_on(time_op(&s.op, &xs, &ys, choice.ms)) {
            Ok(ms) => row(&name, ms, flops),
            Err(e) => println!("| {name} | {e:?} | |"),
        }
    }
}

/// Milliseconds of a training step, with two pieces of work in flight as the page has them.
fn step(run: &mut Session<AnyBackend>, budget: f64) -> f64 {
    block_on(run.steps(1)).expect("the first step");
    let (begin, mut done, mut count) = (Instant::now(), 0, 1);
    loop {
        while run.flights() < 2 && run.queue(count) > 0 {}
        done += block_on(run.collect()).expect("a step").steps;
        let ms = begin.elapsed().as_secs_f64() * 1000.0;
        if ms >= budget {
            let left = run.in_flight();
            while run.flights() > 0 {
                block_on(run.collect()).expect("a step");
            }
            return begin.elapsed().as_secs_f64() * 1000.0 / f64::from(done + left);
        }
        count = (count * 2).min((f64::from(done) * 45.0 / ms) as u32).max(1);
    }
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let quick = args.iter().any(|a| a == "--quick");
    let choice = Choice {
        words: args.into_iter().filter(|a| !a.starts_with("--")).collect(),
        ms: if quick { 200.0 } else { 1500.0 },
    };
    let gpu = match block_on(Gpu::get()) {
        Ok(gpu) => gpu,
        Err(e) => return println!("No GPU and no software driver: {e:?}"),
    };
    let a = &gpu.adapter;
    let kind = if a.software { ", software" } else { "" };
    println!(
        "{} {}{kind}\n\n| | ms | GFLOP/s |\n|---|--:|--:|",
        a.name, a.driver
    );
    products(&choice);
    let mut steps = Vec::new();
    for p in PRESETS {
        let spec = presets::find(p.id).expect("it is listed");
        let Some(data) = load(&spec) else { continue };
        let made = Session::<AnyBackend>::on(Place::Gpu, spec.clone(), data.clone(), None);
        match block_on(made) {
            Ok(mut run) => {
                convolutions(&choice, p.id, &run);
                if choice.takes(p.id) {
                    let ms = step(&mut run, choice.ms);
                    let flops = run.info(0).flops as f64;
                    drop(run);
                    let cpu = Session::<AnyBackend>::on(Place::Cpu, spec, data, None);
                    let cpu_ms = block_on(cpu).map(|mut run| step(&mut run, choice.ms));
                    steps.push((p.id, ms, flops, cpu_ms.unwrap_or(f64::NAN)));
                }
            }
            Err(e) => println!("| {} | {} | |", p.id, e.message),
        }
    }
    println!("\n| training step | ms | GFLOP/s | CPU, one thread, ms |\n|---|--:|--:|--:|");
    for (id, ms, flops, cpu) in steps {
        println!("| {id} | {ms:.3} | {:.2} | {cpu:.3} |", flops / ms / 1e6);
    }
}
