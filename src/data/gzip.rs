//! Transparent gunzip with a bound on what comes out.
use crate::spec::Problem;
use std::borrow::Cow;
use std::io::{Read, Write};

/// Bytes that one file may unpack to.
pub const MAX_BYTES: usize = 512 << 20;

/// `bytes` as they are, or unpacked when they begin as gzip does. Unpacks at most
/// [`MAX_BYTES`].
///
/// Errors: `gzip` when the data is damaged or cut short, `gzip-size` when it unpacks to more.
pub fn gunzip<'a>(file: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Problem> {
    gunzip_up_to(file, bytes, MAX_BYTES)
}

/// [`gunzip`] with another bound, in bytes.
pub fn gunzip_up_to<'a>(file: &str, bytes: &'a [u8], max: usize) -> Result<Cow<'a, [u8]>, Problem> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::new();
    // The last four bytes promise the size; a false promise must not cost memory.
    if let Some(tail) = bytes.last_chunk::<4>() {
        let promised = u32::from_le_bytes(*tail) as usize;
        let hint = promised.min(max).min(bytes.len().saturating_mul(32));
        let _ = out.try_reserve_exact(hint.saturating_add(1));
    }
    let limit = (max as u64).saturating_add(1);
    flate2::read::MultiGzDecoder::new(bytes)
        .take(limit)
        .read_to_end(&mut out)
        .map_err(|e| Problem::new("gzip").arg("file", file).arg("detail", e))?;
    if out.len() > max {
        return Err(Problem::new("gzip-size")
            .arg("file", file)
            .arg("max", size(max)));
    }
    Ok(Cow::Owned(out))
}

/// [`gunzip`] of a file that comes in pieces: only what it unpacks to is kept.
pub struct Unpacker {
    file: String,
    max: usize,
    out: Out,
}

enum Out {
    /// The first bytes, too few to tell.
    Start(Vec<u8>),
    Plain(Vec<u8>),
    Packed(Box<flate2::write::MultiGzDecoder<Vec<u8>>>),
}

impl Unpacker {
    /// `max`: bytes that it may unpack to. With `packed` false what comes is kept as it is.
    pub fn new(file: &str, max: usize, packed: bool) -> Unpacker {
        Unpacker {
            file: file.to_string(),
            max,
            out: match packed {
                true => Out::Start(Vec::new()),
                false => Out::Plain(Vec::new()),
            },
        }
    }

    fn damaged(&self, e: impl std::fmt::Display) -> Problem {
        Problem::new("gzip")
            .arg("file", &self.file)
            .arg("detail", e)
    }

    /// Takes the next piece. Errors: as [`gunzip`].
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let len = match &mut self.out {
            Out::Start(bytes) => {
                bytes.extend(piece);
                if bytes.len() < 2 {
                    return Ok(());
                }
                let bytes = std::mem::take(bytes);
                if !bytes.starts_with(&[0x1f, 0x8b]) {
                    self.out = Out::Plain(bytes);
                    return Ok(());
                }
                let decoder = flate2::write::MultiGzDecoder::new(Vec::new());
                self.out = Out::Packed(Box::new(decoder));
                return self.push(&bytes);
            }
            Out::Plain(bytes) => {
                bytes.extend(piece);
                return Ok(());
            }
            Out::Packed(decoder) => {
                // In small steps, so that what unpacks to too much is noticed in time.
                let mut written = Ok(());
                for part in piece.chunks(1 << 16) {
                    written = decoder.write_all(part);
                    if written.is_err() || decoder.get_ref().len() > self.max {
                        break;
                    }
                }
                let len = decoder.get_ref().len();
                written.map_err(|e| self.damaged(e))?;
                len
            }
        };
        if len > self.max {
            return Err(Problem::new("gzip-size")
                .arg("file", &self.file)
                .arg("max", size(self.max)));
        }
        Ok(())
    }

    /// All of it, unpacked. Errors: as [`gunzip`].
    pub fn finish(mut self) -> Result<Vec<u8>, Problem> {
        match std::mem::replace(&mut self.out, Out::Plain(Vec::new())) {
            Out::Start(bytes) | Out::Plain(bytes) => Ok(bytes),
            Out::Packed(decoder) => {
                let out = decoder.finish().map_err(|e| self.damaged(e))?;
                match out.len() > self.max {
                    true => Err(Problem::new("gzip-size")
                        .arg("file", &self.file)
                        .arg("max", size(self.max))),
                    false => Ok(out),
                }
            }
        }
    }
}

/// A number of bytes for people: `512 MiB`.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        b if b >= 10 << 20 => format!("{} MiB", b >> 20),
        b if b >= 10 << 10 => format!("{} KiB", b >> 10),
        b => format!("{b} bytes"),
    }
}
