//! Work on its way to the device. What is asked for stands in line and is submitted in pieces of
//! about [`SUBMIT`] milliseconds, of which at most [`AT_ONCE`] are with the device: so that the
//! display, which uses it too, gets its turn, and the device never waits for the host.
use super::readback::{Answer, now, wait};
use super::run::{Buffers, GpuBackend, STEP_STRIDE};
use crate::backend::EngineError;
use std::collections::VecDeque;
use std::rc::Rc;
use wgpu::BufferUsages as Usage;

/// Submits that the device has at once.
const AT_ONCE: usize = 2;
/// Milliseconds that one should take.
const SUBMIT: f64 = 50.0;
/// Kernels of one before any was timed, on a device of hardware; one of software begins with the least,
/// of which a busy machine may take seconds each.
const FIRST: f64 = 64.0;
/// Bounds of the same.
const BOUNDS: (f64, f64) = (8.0, 8192.0);

/// Steps of a program that are not submitted yet: the next one's number among them, the next of
/// its kernels, and where they end.
struct Walk {
    program: usize,
    step: u32,
    kernel: usize,
    end: u32,
}

/// Values on their way to the host.
pub struct Fetch {
    /// Buffer, offset and length in floats.
    parts: Vec<(usize, usize, usize)>,
    bytes: u64,
    /// One, until it is back in the pool.
    staging: Buffers,
    answer: Answer,
}

enum Piece {
    Steps(Walk),
    Fetch(Rc<Fetch>),
    /// Bytes for a buffer, from this byte on.
    Write(wgpu::Buffer, u64, Vec<u8>),
}

/// A submit that the device has.
struct Flying {
    answer: Answer,
    index: wgpu::SubmissionIndex,
    kernels: usize,
    since: f64,
}

pub struct Line {
    waiting: VecDeque<Piece>,
    flying: VecDeque<Flying>,
    /// Kernels that fit a submit.
    kernels: f64,
    /// When the last one was done.
    done: f64,
    /// Most that were with the device at once.
    most: usize,
}

impl Line {
    pub fn new(software: bool) -> Line {
        Line {
            waiting: VecDeque::new(),
            flying: VecDeque::new(),
            kernels: if software { BOUNDS.0 } else { FIRST },
            done: 0.0,
            most: 0,
        }
    }

    /// `kernels` took `ms`.
    fn learn(&mut self, kernels: usize, ms: f64) {
        let fits = kernels as f64 * SUBMIT / ms.max(0.1);
        // A single slow one says little; a submit that was not full proves no more than it held.
        let next = (self.kernels + fits) / 2.0;
        if next < self.kernels || kernels as f64 > self.kernels * 0.9 {
            self.kernels = next.clamp(BOUNDS.0, BOUNDS.1);
        }
    }
}

impl GpuBackend {
    /// Steps of the program in place `program` of the list.
    pub(super) fn walk(&mut self, program: usize, steps: std::ops::Range<u32>) {
        self.line.waiting.push_back(Piece::Steps(Walk {
            program,
            step: steps.start,
            kernel: 0,
            end: steps.end,
        }));
        self.pump();
    }

    /// Puts bytes into a buffer, behind what waits.
    pub(super) fn put(&mut self, buffer: wgpu::Buffer, at: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.line.waiting.is_empty() {
            true => self.gpu.queue.write_buffer(&buffer, at, bytes),
            false => {
                let piece = Piece::Write(buffer, at, bytes.to_vec());
                self.line.waiting.push_back(piece);
            }
        }
    }

    /// Asks for parts of buffers, in floats.
    pub(super) fn ask(&mut self, parts: Vec<(usize, usize, usize)>) -> Rc<Fetch> {
        let bytes: u64 = parts.iter().map(|(_, _, n)| *n as u64 * 4).sum();
        let fits = self.staging.0.iter().position(|b| b.size() >= bytes);
        let buffer = fits.map(|i| self.staging.0.swap_remove(i));
        let buffer = buffer.unwrap_or_else(|| {
            let size = bytes.next_power_of_two().max(1024);
            let usage = Usage::MAP_READ | Usage::COPY_DST;
            self.gpu.buffer("staging", size, usage)
        });
        let fetch = Rc::new(Fetch {
            parts,
            bytes,
            staging: Buffers(vec![buffer], self.gpu.clone()),
            answer: Answer::default(),
        });
        self.line.waiting.push_back(Piece::Fetch(fetch.clone()));
        self.pump();
        fetch
    }

    /// Waits for what was asked for, one part after another.
    pub(super) async fn got(&mut self, fetch: Rc<Fetch>) -> Result<Vec<u8>, EngineError> {
        while !fetch.answer.came() {
            self.pump();
            let Some(flying) = self.line.flying.pop_front() else {
                break;
            };
            let told = wait(&self.gpu, &flying.answer, flying.index).await;
            let (end, line) = (now(), &mut self.line);
            line.learn(flying.kernels, end - flying.since.max(line.done));
            line.done = end;
            if let Err(e) = told.and_then(|()| self.gpu.faults.get().map_or(Ok(()), Err)) {
                (self.line.waiting, self.line.flying) = Default::default();
                return Err(e);
            }
        }
        self.pump();
        let lost = |detail: String| EngineError::DeviceLost { detail };
        let staging = &fetch.staging.0[0];
        let out = {
            let view = staging.get_mapped_range(0..fetch.bytes);
            view.map_err(|e| lost(e.to_string()))?.to_vec()
        };
        staging.unmap();
        if let Ok(mut fetch) = Rc::try_unwrap(fetch) {
            self.staging.0.append(&mut fetch.staging.0);
        }
        Ok(out)
    }

    /// Submits as much as may be with the device.
    fn pump(&mut self) {
        while self.line.flying.len() < AT_ONCE && !self.line.waiting.is_empty() {
            self.submit();
        }
        self.line.most = self.line.most.max(self.line.flying.len());
    }

    /// The next submit.
    fn submit(&mut self) {
        let d = &self.gpu.device;
        let mut encoder = d.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let (mut kernels, mut fetched) = (0, None);
        while let Some(piece) = self.line.waiting.front_mut() {
            match piece {
                Piece::Write(..) if kernels > 0 => break,
                Piece::Write(buffer, at, bytes) => {
                    self.gpu.queue.write_buffer(buffer, *at, bytes);
                }
                Piece::Steps(walk) => {
                    let room = (self.line.kernels as usize).saturating_sub(kernels);
                    if room == 0 {
                        break;
                    }
                    kernels += self.programs[walk.program]
                        .1
                        .encode(&mut encoder, walk, room);
                    if walk.step < walk.end {
                        break;
                    }
                }
                Piece::Fetch(fetch) => {
                    let mut at = 0;
                    for (buffer, offset, n) in &fetch.parts {
                        let (from, n) = (*offset as u64 * 4, *n as u64 * 4);
                        let buffer = &self.buffers.0[*buffer];
                        encoder.copy_buffer_to_buffer(buffer, from, &fetch.staging.0[0], at, n);
                        at += n;
                    }
                    fetched = Some(fetch.clone());
                }
            }
            self.line.waiting.pop_front();
            if fetched.is_some() {
                break;
            }
        }
        let index = self.gpu.queue.submit([encoder.finish()]);
        let answer = match fetched {
            Some(fetch) => {
                let told = fetch.answer.clone();
                let staging = &fetch.staging.0[0];
                staging.map_async(wgpu::MapMode::Read, 0..fetch.bytes, move |r| {
                    told.give(r.map_err(|e| EngineError::DeviceLost {
                        detail: e.to_string(),
                    }));
                });
                fetch.answer.clone()
            }
            None => {
                let answer = Answer::default();
                let told = answer.clone();
                let done = move || told.give(Ok(()));
                self.gpu.queue.on_submitted_work_done(done);
                answer
            }
        };
        self.line.flying.push_back(Flying {
            answer,
            index,
            kernels,
            since: now(),
        });
    }

    /// Most submits that the device ever had at once, and kernels that fit one now.
    pub fn submits(&self) -> (usize, usize) {
        (self.line.most, self.line.kernels as usize)
    }
}

impl super::run::Program {
    /// Encodes up to `room` kernels and moves on; how many.
    fn encode(&self, encoder: &mut wgpu::CommandEncoder, walk: &mut Walk, room: usize) -> usize {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let mut count = 0;
        while count < room && walk.step < walk.end {
            if let Some(k) = self.kernels.get(walk.kernel) {
                pass.set_pipeline(&k.pipeline);
                pass.set_bind_group(0, &k.group, &[]);
                if k.step {
                    let offset = walk.step * STEP_STRIDE as u32;
                    pass.set_bind_group(1, &self.steps, &[offset]);
                }
                let [x, y, z] = k.groups;
                pass.dispatch_workgroups(x, y, z);
                count += 1;
                walk.kernel += 1;
            }
            if walk.kernel >= self.kernels.len() {
                (walk.kernel, walk.step) = (0, walk.step + 1);
            }
        }
        count
    }
}
