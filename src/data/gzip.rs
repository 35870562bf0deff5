//! Transparent gunzip with a bound on what comes out.
use crate::spec::Problem;
use std::borrow::Cow;
use std::io::Read;

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

/// A number of bytes for people: `512 MiB`.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        b if b >= 10 << 20 => format!("{} MiB", b >> 20),
        b if b >= 10 << 10 => format!("{} KiB", b >> 10),
        b => format!("{b} bytes"),
    }
}
