//! From what ops noted down to what a device runs: places in buffers, access, fused chains.
use super::kernel::{At, Dispatch, EACH, Map, flat};
use super::text::{Source, bindings, declare, map_text, wants_step};

/// Storage buffers of one kernel that every device allows.
const BINDINGS: usize = 8;

/// A part of a buffer, in floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub buffer: usize,
    pub offset: usize,
    pub len: usize,
}

impl Range {
    fn overlaps(&self, o: &Range) -> bool {
        self.buffer == o.buffer
            && self.offset < o.offset + o.len
            && o.offset < self.offset + self.len
    }
}

/// A kernel ready to be compiled and bound.
#[derive(Debug)]
pub struct Ready {
    pub name: &'static str,
    pub text: String,
    pub bind: Vec<Range>,
    /// Whether binding i is written.
    pub writable: Vec<bool>,
    pub groups: [u32; 3],
    pub step: bool,
}

/// A dispatch whose operands have their places.
enum Placed {
    Kernel {
        name: &'static str,
        text: String,
        bind: Vec<Range>,
        groups: [u32; 3],
    },
    Map {
        map: Map,
        reads: Vec<Range>,
        writes: Vec<Range>,
    },
}

/// Collects the kernels of a program.
#[derive(Default)]
pub struct Resolver {
    list: Vec<Placed>,
    /// Floats of scratch memory that any op asked for.
    pub scratch: usize,
}

impl Resolver {
    /// Adds an op's dispatches. `scratch` are the floats that they share, in buffer `pad`.
    pub fn add(
        &mut self,
        list: Vec<Dispatch>,
        scratch: usize,
        pad: usize,
        locate: impl Fn(At) -> Range,
    ) {
        let mut used = scratch;
        for d in list {
            match d {
                Dispatch::Map(map) => {
                    let reads = map.reads.iter().map(|(a, _)| locate(*a)).collect();
                    let writes = map.writes.iter().map(|(a, _)| locate(*a)).collect();
                    self.list.push(Placed::Map { map, reads, writes });
                }
                Dispatch::Kernel {
                    name,
                    text,
                    bind,
                    groups,
                } => {
                    let mut bind: Vec<Range> = bind.into_iter().map(&locate).collect();
                    let written = bindings(&text);
                    debug_assert_eq!(written.len(), bind.len(), "{name}: bindings");
                    // One memory twice in a kernel that writes to its buffer is refused by
                    // WebGPU: the second reader gets a copy.
                    for i in 1..bind.len() {
                        let twice = bind[..i].iter().any(|b| b.overlaps(&bind[i]));
                        let exclusive = bind
                            .iter()
                            .zip(&written)
                            .any(|(b, w)| *w && b.buffer == bind[i].buffer);
                        if twice && exclusive {
                            debug_assert!(!written[i], "{name}: written and read at once");
                            let copy = Range {
                                buffer: pad,
                                offset: used,
                                len: bind[i].len,
                            };
                            used += copy.len.next_multiple_of(crate::graph::ALIGN);
                            self.copy(bind[i], copy);
                            bind[i] = copy;
                        }
                    }
                    self.list.push(Placed::Kernel {
                        name,
                        text,
                        bind,
                        groups,
                    });
                }
            }
        }
        self.scratch = self.scratch.max(used);
    }

    fn copy(&mut self, from: Range, to: Range) {
        let at = At::X(0);
        let map = Map {
            n: from.len,
            reads: vec![(at, EACH.into())],
            writes: vec![(at, EACH.into())],
            body: "r0 = a0;".into(),
            uses: Vec::new(),
            step: false,
        };
        self.list.push(Placed::Map {
            map,
            reads: vec![from],
            writes: vec![to],
        });
    }

    /// All kernels in order, elementwise chains as one.
    pub fn finish(self) -> Vec<Ready> {
        let mut out = Vec::new();
        let mut chain = Chain::default();
        for d in self.list {
            match d {
                Placed::Map { map, reads, writes } => {
                    if !chain.takes(&map, &reads, &writes) {
                        out.extend(std::mem::take(&mut chain).ready());
                    }
                    chain.push(map, reads, writes);
                }
                Placed::Kernel {
                    name,
                    text,
                    bind,
                    groups,
                } => {
                    out.extend(std::mem::take(&mut chain).ready());
                    let written = bindings(&text);
                    out.push(ready(name, &text, bind, &written, groups));
                }
            }
        }
        out.extend(chain.ready());
        out
    }
}

/// WebGPU wants all bindings of one buffer to be writable where one of them is.
fn ready(
    name: &'static str,
    text: &str,
    bind: Vec<Range>,
    written: &[bool],
    groups: [u32; 3],
) -> Ready {
    let writable: Vec<bool> = bind
        .iter()
        .map(|b| {
            let mut all = bind.iter().zip(written);
            all.any(|(o, w)| *w && o.buffer == b.buffer)
        })
        .collect();
    let lens: Vec<usize> = bind.iter().map(|b| b.len).collect();
    Ready {
        name,
        step: wants_step(text),
        text: declare(text, &writable, &lens),
        bind,
        writable,
        groups,
    }
}

/// Elementwise passes over equally many elements that become one kernel: what one computes the
/// next takes from a register.
#[derive(Default)]
struct Chain {
    maps: Vec<Map>,
    reads: Vec<Vec<Range>>,
    writes: Vec<Vec<Range>>,
}

impl Chain {
    fn places(&self) -> Vec<Range> {
        let mut all: Vec<Range> = Vec::new();
        for r in self.reads.iter().chain(&self.writes).flatten() {
            if !all.contains(r) {
                all.push(*r);
            }
        }
        all
    }

    /// Whether the next pass may join: an element must depend on the same element alone.
    fn takes(&self, map: &Map, reads: &[Range], writes: &[Range]) -> bool {
        let Some(first) = self.maps.first() else {
            return true;
        };
        if first.n != map.n {
            return false;
        }
        let earlier = |kind: fn(&Map) -> &[(At, String)], places: &[Vec<Range>]| {
            let mut all: Vec<(Range, bool)> = Vec::new();
            for (m, ranges) in self.maps.iter().zip(places) {
                let each = kind(m).iter().map(|(_, i)| i == EACH);
                all.extend(ranges.iter().copied().zip(each));
            }
            all
        };
        let read = earlier(|m| &m.reads, &self.reads);
        let written = earlier(|m| &m.writes, &self.writes);
        let same = |range: &Range, index: &str, others: &[(Range, bool)]| {
            others
                .iter()
                .all(|(o, each)| !o.overlaps(range) || (o == range && *each && index == EACH))
        };
        let fits = map
            .reads
            .iter()
            .zip(reads)
            .all(|((_, i), r)| same(r, i, &written))
            && map
                .writes
                .iter()
                .zip(writes)
                .all(|((_, i), w)| same(w, i, &written) && same(w, i, &read));
        let mut places = self.places();
        for r in reads.iter().chain(writes) {
            if !places.contains(r) {
                places.push(*r);
            }
        }
        fits && places.len() <= BINDINGS
    }

    fn push(&mut self, map: Map, reads: Vec<Range>, writes: Vec<Range>) {
        self.maps.push(map);
        self.reads.push(reads);
        self.writes.push(writes);
    }

    fn ready(self) -> Option<Ready> {
        let n = self.maps.first()?.n;
        let mut bind: Vec<Range> = Vec::new();
        let mut written: Vec<bool> = Vec::new();
        let mut place = |r: Range, write: bool| {
            let at = bind.iter().position(|b| *b == r).unwrap_or_else(|| {
                bind.push(r);
                written.push(false);
                bind.len() - 1
            });
            written[at] |= write;
            at
        };
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        for m in 0..self.maps.len() {
            let from = self.reads[m].iter().map(|r| {
                let mut made = (0..m).rev().filter_map(|e| {
                    let w = self.writes[e].iter().position(|w| w == r)?;
                    Some(Source::Result(e, w))
                });
                made.next()
                    .unwrap_or_else(|| Source::Binding(place(*r, false)))
            });
            sources.push(from.collect::<Vec<_>>());
            let to = self.writes[m].iter().map(|w| Some(place(*w, true)));
            targets.push(to.collect::<Vec<_>>());
        }
        let maps: Vec<&Map> = self.maps.iter().collect();
        let lines: String = written
            .iter()
            .enumerate()
            .map(|(i, w)| {
                let word = if *w { "write" } else { "read" };
                format!("#{word} b{i}: array<f32>\n")
            })
            .collect();
        let text = lines + &map_text(&maps, &sources, &targets);
        let groups = flat(n).1.map(|g| g as u32);
        Some(ready("map", &text, bind, &written, groups))
    }
}
