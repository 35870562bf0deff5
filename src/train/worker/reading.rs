//! Files into memory, piece by piece: with progress, and so that it can be cancelled.
use super::scope::{Inbox, Incoming, emit, now};
use crate::data::FileBytes;
use crate::data::archive::is_packed_archive;
use crate::data::gzip::{MAX_BYTES, Unpacker};
use crate::spec::Problem;
use crate::train::protocol::{Event, Failure, Request, RunId};
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// Bytes of files that are read at most.
const FILES: f64 = (1u64 << 30) as f64;
/// Milliseconds between two words of progress.
const PROGRESS: f64 = 60.0;
/// Files smaller than this are read several at a time.
const SMALL: f64 = 262_144.0;
const TOGETHER: usize = 64;

/// What a load says that was not wanted any more.
pub const CANCELLED: &str = "reading-cancelled";

/// Where a load says how far it is, and hears that it is not wanted any more.
pub struct Desk<'a> {
    inbox: &'a Inbox,
    run: RunId,
    /// When it last said so.
    told: Cell<f64>,
    /// Bytes of all files, where there are some.
    total: Cell<f64>,
}

impl<'a> Desk<'a> {
    pub fn new(inbox: &'a Inbox, run: RunId) -> Desk<'a> {
        Desk {
            inbox,
            run,
            told: Cell::new(now()),
            total: Cell::new(0.0),
        }
    }

    fn tell(&self, read: f64, prepared: f64) {
        self.told.set(now());
        let (run, total) = (self.run, self.total.get());
        let event = Event::Reading {
            run,
            read,
            total,
            prepared,
        };
        emit(&event, None);
    }

    /// Says now and then how much of what was read is unpacked and made ready, 0…1.
    pub fn prepared(&self, share: f64) {
        if self.total.get() > 0.0 && now() - self.told.get() >= PROGRESS {
            self.tell(self.total.get(), share);
        }
    }

    /// Fails with [`CANCELLED`] when a message asks for that.
    pub fn go_on(&self) -> Result<(), Problem> {
        let ends = |m: &Incoming| match crate::json::read(&m.body) {
            Ok(Request::CancelLoad { run } | Request::Dispose { run }) => run == self.run,
            _ => false,
        };
        match self.inbox.any(ends) {
            true => Err(Problem::new(CANCELLED)),
            false => Ok(()),
        }
    }

    /// Lets messages in, and goes on unless one of them says otherwise.
    pub async fn pause(&self) -> Result<(), Problem> {
        self.inbox.turn().await;
        self.go_on()
    }
}

/// How far the files of a load are.
struct Progress<'a> {
    desk: &'a Desk<'a>,
    read: f64,
}

impl Progress<'_> {
    fn add(&mut self, bytes: f64) -> Result<(), Failure> {
        self.read += bytes;
        if now() - self.desk.told.get() >= PROGRESS {
            self.desk.tell(self.read, 0.0);
        }
        self.desk.go_on().map_err(super::source::failure)
    }
}

fn unreadable(name: &str, why: &JsValue) -> Failure {
    web_sys::console::warn_1(why);
    super::source::failure(Problem::new("data-missing").arg("name", name))
}

/// The bytes of all files, under their paths where they have any; what gzip packed is unpacked on the way,
/// but for archives. Errors: `data-too-big` before anything is read, `cancelled`, and those of
/// [`Unpacker`].
pub async fn read(
    files: &[File],
    paths: &[String],
    desk: &Desk<'_>,
) -> Result<Vec<FileBytes>, Failure> {
    let total: f64 = files.iter().map(|f| f.size()).sum();
    if total > FILES {
        let mebibytes = |bytes: f64| format!("{:.0} MiB", bytes / 1_048_576.0);
        return Err(super::source::failure(
            Problem::new("data-too-big")
                .arg("got", mebibytes(total))
                .arg("max", mebibytes(FILES)),
        ));
    }
    desk.total.set(total);
    let mut progress = Progress { desk, read: 0.0 };
    let name = |i: usize| paths.get(i).cloned().unwrap_or_else(|| files[i].name());
    let mut all = Vec::with_capacity(files.len());
    let mut i = 0;
    while i < files.len() {
        let together = files[i..]
            .iter()
            .take(TOGETHER)
            .take_while(|f| f.size() < SMALL)
            .count();
        if together > 1 {
            let wanted: Array = files[i..i + together]
                .iter()
                .map(|f| f.array_buffer())
                .collect();
            let got = JsFuture::from(Promise::all(&wanted)).await;
            let got = Array::from(&got.map_err(|e| unreadable(&name(i), &e))?);
            for (k, buffer) in got.iter().enumerate() {
                let bytes = Uint8Array::new(&buffer).to_vec();
                progress.add(bytes.len() as f64)?;
                all.push(unpacked(&name(i + k), &[bytes])?);
            }
            i += together;
        } else {
            all.push(stream(&files[i], &name(i), &mut progress).await?);
            i += 1;
        }
    }
    desk.tell(progress.read, 0.0);
    desk.pause().await.map_err(super::source::failure)?;
    Ok(all)
}

fn unpacker(name: &str) -> Unpacker {
    Unpacker::new(name, MAX_BYTES, !is_packed_archive(name))
}

fn unpacked(name: &str, pieces: &[Vec<u8>]) -> Result<FileBytes, Failure> {
    let mut out = unpacker(name);
    let all = pieces.iter().try_for_each(|p| out.push(p));
    let bytes = all.and_then(|()| out.finish());
    Ok(FileBytes {
        name: name.to_string(),
        bytes: bytes.map_err(super::source::failure)?,
    })
}

/// One file as its stream brings it.
async fn stream(
    file: &File,
    name: &str,
    progress: &mut Progress<'_>,
) -> Result<FileBytes, Failure> {
    let mut out = unpacker(name);
    let failed = |e: JsValue| unreadable(name, &e);
    let method = |of: &JsValue, name: &str| -> Result<Function, JsValue> {
        Reflect::get(of, &name.into())?.dyn_into()
    };
    let reader = method(file, "stream")
        .and_then(|f| f.call0(file))
        .and_then(|s| method(&s, "getReader")?.call0(&s))
        .map_err(failed)?;
    let read = method(&reader, "read").map_err(failed)?;
    let outcome = loop {
        let next = async {
            let promise: Promise = read.call0(&reader)?.unchecked_into();
            JsFuture::from(promise).await
        };
        let next = match next.await {
            Ok(next) => next,
            Err(e) => break Err(failed(e)),
        };
        let value = Reflect::get(&next, &"value".into()).unwrap_or_default();
        if value.is_undefined() {
            break Ok(());
        }
        let piece = Uint8Array::new(&value).to_vec();
        if let Err(f) = out.push(&piece).map_err(super::source::failure) {
            break Err(f);
        }
        if let Err(f) = progress.add(piece.len() as f64) {
            break Err(f);
        }
    };
    if outcome.is_err() {
        // What is not read to its end is let go of; there is nobody to tell if that fails.
        let _ = method(&reader, "cancel").and_then(|f| f.call0(&reader));
    }
    outcome?;
    Ok(FileBytes {
        name: name.to_string(),
        bytes: out.finish().map_err(super::source::failure)?,
    })
}
