//! The safetensors container: eight bytes of length, a header of JSON, the bytes of the tensors.
//! The crate's type for the header is what reads it; its reader of whole files is not used, for its sum of the
//! header's length and a hostile offset can overflow (safetensors 0.8.0), and neither is its writer, which leaves the
//! order of several entries of metadata to chance.
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde_json::{Map, Value, json};

/// Bound on a file's header, in bytes.
pub const HEADER: usize = 16 << 20;
/// What stands before the header: its length.
pub const LENGTH: usize = 8;

/// The length and the header of a file; the bytes of these tensors follow in this order. Blanks
/// make it a multiple of eight bytes.
pub fn head(metadata: &[(&str, String)], tensors: &[(&str, Dtype, &[usize])]) -> Vec<u8> {
    let mut header = Map::new();
    let entries = metadata.iter();
    let entries: Map<String, Value> = entries
        .map(|(k, v)| (k.to_string(), Value::from(v.as_str())))
        .collect();
    header.insert("__metadata__".to_string(), entries.into());
    let mut from = 0;
    for (name, dtype, shape) in tensors {
        let to = from + shape.iter().product::<usize>() * dtype.bitsize() / 8;
        let info = json!({
            "dtype": format!("{dtype:?}"),
            "shape": shape,
            "data_offsets": [from, to],
        });
        header.insert(name.to_string(), info);
        from = to;
    }
    let mut text = Value::Object(header).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut out = (text.len() as u64).to_le_bytes().to_vec();
    out.append(&mut text);
    out
}

/// A whole file of f32 tensors: name, shape, values.
///
/// Fails when a shape and its values disagree.
pub fn serialize(
    tensors: &[(&str, &[usize], &[f32])],
    metadata: &[(&str, String)],
) -> Result<Vec<u8>, String> {
    for (name, shape, values) in tensors {
        if shape.iter().product::<usize>() != values.len() {
            return Err(format!(
                "{name} has {} values in shape {shape:?}",
                values.len()
            ));
        }
    }
    let list: Vec<_> = tensors
        .iter()
        .map(|(n, s, _)| (*n, Dtype::F32, *s))
        .collect();
    let mut out = head(metadata, &list);
    for (_, _, values) in tensors {
        out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    Ok(out)
}

/// The length of a header, from a file's first eight bytes.
pub fn header_length(bytes: &[u8]) -> Result<usize, String> {
    let (length, _) = bytes
        .split_first_chunk::<LENGTH>()
        .ok_or("it has no safetensors header")?;
    usize::try_from(u64::from_le_bytes(*length))
        .ok()
        .filter(|n| *n <= HEADER)
        .ok_or_else(|| "it is no safetensors file".to_string())
}

/// A header by itself, before `data` bytes of tensors.
pub fn read_header(header: &[u8], data: usize) -> Result<Metadata, String> {
    let metadata: Metadata = serde_json::from_slice(header).map_err(|e| e.to_string())?;
    if metadata.data_len() != data {
        let want = metadata.data_len();
        return Err(format!("{data} bytes of data where {want} are promised"));
    }
    Ok(metadata)
}

/// An entry of the header's metadata.
pub fn entry<'a>(metadata: &'a Metadata, key: &str) -> Option<&'a str> {
    let all = metadata.metadata().as_ref()?;
    all.get(key).map(String::as_str)
}

/// A file taken apart.
pub struct File<'a> {
    pub metadata: Metadata,
    data: &'a [u8],
}

impl<'a> File<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<File<'a>, String> {
        let length = header_length(bytes)?;
        let (header, data) = bytes[LENGTH..]
            .split_at_checked(length)
            .ok_or("it is cut short")?;
        let metadata = read_header(header, data.len())?;
        Ok(File { metadata, data })
    }

    pub fn bytes(&self, info: &TensorInfo) -> &'a [u8] {
        let (start, end) = info.data_offsets;
        self.data.get(start..end).unwrap_or_default()
    }
}

/// Whether [`floats`] reads numbers of this type.
pub fn is_float(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F64 | Dtype::F16 | Dtype::BF16)
}

/// Little-endian numbers as f32, or None for a type that is no float.
pub fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks::<N>().0.iter().map(|b| f(*b)).collect()
    }
    Some(match dtype {
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::F16 => each(bytes, |b| half(u16::from_le_bytes(b))),
        Dtype::BF16 => each(bytes, |b| {
            f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
        }),
        _ => return None,
    })
}

/// IEEE 754 binary16 → binary32.
fn half(h: u16) -> f32 {
    let sign = u32::from(h & 0x8000) << 16;
    let exponent = u32::from(h >> 10) & 0x1f;
    let fraction = u32::from(h & 0x3ff);
    let magnitude = match exponent {
        0 => return f32::from_bits(sign | (fraction as f32 * (-24f32).exp2()).to_bits()),
        0x1f => 0x7f80_0000 | (fraction << 13),
        _ => ((exponent + 112) << 23) | (fraction << 13),
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        for (bits, want) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), want, "{bits:04x}");
        }
        assert!(half(0x7e00).is_nan());
        assert_eq!(half(0x8000).to_bits(), 0x8000_0000);
    }
}
