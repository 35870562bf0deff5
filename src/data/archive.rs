//! Files out of tar archives and zips, gzipped or not, one entry at a time.
use super::gzip::{MAX_BYTES, size};
use super::{FileBytes, Pauses};
use crate::spec::Problem;
use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

/// Entries of one archive, at most.
const MAX_ENTRIES: usize = 500_000;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Whether a name says that an archive lies behind the gzip.
pub fn is_packed_archive(name: &str) -> bool {
    let name = name.to_lowercase();
    [".tar.gz", ".tgz", ".tar"]
        .iter()
        .any(|e| name.ends_with(e))
}

/// Whether a file is an archive, by its first bytes and, where gzip hides them, its name.
pub fn is_archive(file: &FileBytes) -> bool {
    let packed = file.bytes.starts_with(&GZIP);
    is_zip(&file.bytes) || is_tar(&file.bytes) || (packed && is_packed_archive(&file.name))
}

fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// The files themselves: those of archives that `wanted` names take the place of the archive, under
/// their paths in it; other files stay as they are.
///
/// Errors: `archive` when one is damaged or cut short, `archive-path` for a path that leads out of
/// it, `gzip-size` when it holds more than [`MAX_BYTES`], `archive-empty` when `wanted` names none, and
/// those of a pause.
pub async fn unpack(
    files: &[FileBytes],
    wanted: impl Fn(&str) -> bool,
    pauses: &mut Pauses<'_>,
) -> Result<Vec<FileBytes>, Problem> {
    let mut all = Vec::new();
    let mut before_it = 0;
    for file in files {
        let start = before_it;
        before_it += file.bytes.len();
        pauses.reached(start);
        if !is_archive(file) {
            all.push(file.clone());
            continue;
        }
        let before = all.len();
        let mut store = Store {
            archive: &file.name,
            left: MAX_BYTES,
            entries: 0,
            wanted: &wanted,
            found: &mut all,
            pauses,
            start,
            read: Rc::default(),
        };
        if is_zip(&file.bytes) {
            store.zip(&file.bytes).await?;
        } else {
            store.tar(&file.bytes).await?;
        }
        if all.len() == before {
            return Err(Problem::new("archive-empty").arg("file", &file.name));
        }
    }
    Ok(all)
}

/// Bytes that are unpacked between two looks at whether to pause.
const PIECE: usize = 1 << 18;

/// Counts what is read of an archive, behind whatever unpacks it.
struct Counted<'a> {
    rest: &'a [u8],
    read: Rc<Cell<usize>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.rest.read(into)?;
        self.read.set(self.read.get() + n);
        Ok(n)
    }
}

struct Store<'a, 'p, W> {
    archive: &'a str,
    /// Bytes that may still be kept.
    left: usize,
    entries: usize,
    wanted: W,
    found: &'a mut Vec<FileBytes>,
    pauses: &'a mut Pauses<'p>,
    /// Bytes of the files before this one, and those read of it.
    start: usize,
    read: Rc<Cell<usize>>,
}

impl<W: Fn(&str) -> bool> Store<'_, '_, W> {
    fn damaged(&self, detail: impl std::fmt::Display) -> Problem {
        Problem::new("archive")
            .arg("file", self.archive)
            .arg("detail", detail)
    }

    /// Whether to read an entry; refuses paths that lead out of the archive.
    fn admits(&mut self, path: &str) -> Result<bool, Problem> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(self.damaged(format!("more than {MAX_ENTRIES} entries")));
        }
        let hostile = path.starts_with(['/', '\\'])
            || path.split(['/', '\\']).any(|part| part == "..")
            || path.get(1..2) == Some(":")
            || path.contains('\0');
        if hostile {
            let shown: String = path.chars().take(80).collect();
            return Err(Problem::new("archive-path")
                .arg("file", self.archive)
                .arg("path", shown));
        }
        let own = path.rsplit('/').next().unwrap_or(path);
        // What macOS adds: "__MACOSX/…/._name".
        Ok(!own.is_empty() && !own.starts_with("._") && (self.wanted)(path))
    }

    /// Reads through what is packed, piece by piece, and gives each to `take`.
    async fn through(
        &mut self,
        mut from: impl Read,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), Problem> {
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let read = from.by_ref().take(PIECE as u64).read_to_end(&mut piece);
            read.map_err(|e| self.damaged(e))?;
            if piece.is_empty() {
                return Ok(());
            }
            take(&piece);
            self.pauses.reached(self.start + self.read.get());
            self.pauses.spent(piece.len()).await?;
        }
    }

    async fn keep(&mut self, path: &str, from: impl Read) -> Result<(), Problem> {
        let mut bytes = Vec::new();
        let limit = self.left as u64 + 1;
        self.through(from.take(limit), |piece| bytes.extend_from_slice(piece))
            .await?;
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(|| {
            Problem::new("gzip-size")
                .arg("file", self.archive)
                .arg("max", size(MAX_BYTES))
        })?;
        self.found.push(FileBytes {
            name: path.to_string(),
            bytes,
        });
        Ok(())
    }

    async fn tar(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let from = Counted {
            rest: bytes,
            read: self.read.clone(),
        };
        let from: Box<dyn Read + '_> = match bytes.starts_with(&GZIP) {
            true => Box::new(flate2::read::MultiGzDecoder::new(from)),
            false => Box::new(from),
        };
        let mut archive = tar::Archive::new(from);
        let entries = archive.entries().map_err(|e| self.damaged(e))?;
        for entry in entries {
            let mut entry = entry.map_err(|e| self.damaged(e))?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let admitted = self.admits(&path)?;
            if !admitted || !entry.header().entry_type().is_file() {
                self.through(&mut entry, |_| {}).await?;
                continue;
            }
            let length = entry.size();
            let before = self.found.len();
            self.keep(&path, &mut entry).await?;
            if self.found[before].bytes.len() as u64 != length {
                return Err(self.damaged(format!("“{path}” is cut short")));
            }
        }
        Ok(())
    }

    /// By the central directory at the end; methods 0 (stored) and 8 (deflate). Source: PKWARE's
    /// APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
    async fn zip(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let short = |at: usize| {
            Some(usize::from(u16::from_le_bytes(
                *bytes.get(at..)?.first_chunk()?,
            )))
        };
        let long = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
        let broken = || {
            Problem::new("archive")
                .arg("file", self.archive)
                .arg("detail", "its directory is damaged or missing")
        };
        let tail = bytes.len().saturating_sub(22 + 65_535);
        let end = (tail..bytes.len().saturating_sub(21))
            .rev()
            .find(|i| bytes[*i..].starts_with(b"PK\x05\x06"))
            .ok_or_else(broken)?;
        let count = short(end + 10).ok_or_else(broken)?;
        let mut at = long(end + 16).ok_or_else(broken)?;
        let mut list = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = (|| {
                bytes.get(at..)?.starts_with(b"PK\x01\x02").then_some(())?;
                let name = short(at + 28)?;
                let path = bytes.get(at + 46..at + 46 + name)?;
                let found = (
                    String::from_utf8_lossy(path).into_owned(),
                    short(at + 8)?,
                    short(at + 10)?,
                    long(at + 20)?,
                    long(at + 42)?,
                );
                at += 46 + name + short(at + 30)? + short(at + 32)?;
                Some(found)
            })();
            list.push(entry.ok_or_else(broken)?);
        }
        for (path, flags, method, packed, start) in list {
            if !self.admits(&path)? {
                continue;
            }
            let body = (|| {
                bytes
                    .get(start..)?
                    .starts_with(b"PK\x03\x04")
                    .then_some(())?;
                let from = start + 30 + short(start + 26)? + short(start + 28)?;
                bytes.get(from..from.checked_add(packed)?)
            })();
            let body = body.ok_or_else(|| self.damaged(format!("“{path}” is cut short")))?;
            self.read.set(start);
            match (flags & 1, method) {
                (0, 0) => self.keep(&path, body).await?,
                (0, 8) => {
                    let unpacked = flate2::read::DeflateDecoder::new(body);
                    self.keep(&path, unpacked).await?;
                }
                _ => {
                    return Err(self.damaged(format!(
                        "“{path}” is encrypted or packed in a way that is not read here"
                    )));
                }
            }
        }
        Ok(())
    }
}
