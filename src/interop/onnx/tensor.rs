//! Tensors that a file holds.
use super::proto::{self, dtype};
use prost::bytes::Bytes;

/// Numbers with their shape; whole numbers are kept whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub dims: Vec<usize>,
    pub data: Data,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    Floats(Vec<f32>),
    Longs(Vec<i64>),
}

/// Why a tensor cannot be had.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// It is in another file.
    External,
    Broken(String),
}

impl Tensor {
    pub fn longs(values: Vec<i64>) -> Tensor {
        Tensor {
            dims: vec![values.len()],
            data: Data::Longs(values),
        }
    }

    pub fn floats(dims: &[usize], values: Vec<f32>) -> Tensor {
        Tensor {
            dims: dims.to_vec(),
            data: Data::Floats(values),
        }
    }

    pub fn len(&self) -> usize {
        match &self.data {
            Data::Floats(v) => v.len(),
            Data::Longs(v) => v.len(),
        }
    }

    /// As floats; whole numbers are turned into them.
    pub fn to_floats(&self) -> Vec<f32> {
        match &self.data {
            Data::Floats(v) => v.clone(),
            Data::Longs(v) => v.iter().map(|v| *v as f32).collect(),
        }
    }

    pub fn to_longs(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Longs(v) => Some(v),
            Data::Floats(_) => None,
        }
    }

    /// The one number of a tensor that holds one.
    pub fn scalar(&self) -> Option<f32> {
        match &self.data {
            Data::Floats(v) if v.len() == 1 => Some(v[0]),
            Data::Longs(v) if v.len() == 1 => Some(v[0] as f32),
            _ => None,
        }
    }

    /// From a file's bytes; what it takes is never more than eight times these.
    pub fn read(bytes: &Bytes) -> Result<(String, Tensor), Refusal> {
        let t: proto::Tensor = proto::decode(bytes, "tensor").map_err(Refusal::Broken)?;
        if t.location == 1 || !t.external.is_empty() {
            return Err(Refusal::External);
        }
        let broken = |why: &str| Refusal::Broken(format!("tensor “{}” {why}", short(&t.name)));
        let dims: Option<Vec<usize>> = t.dims.iter().map(|d| usize::try_from(*d).ok()).collect();
        let dims = dims
            .filter(|d| d.len() <= 8)
            .ok_or_else(|| broken("has no proper shape"))?;
        let count = dims
            .iter()
            .try_fold(1usize, |n, d| n.checked_mul(*d))
            .ok_or_else(|| broken("is too large"))?;
        let data = numbers(&t).ok_or_else(|| broken("is of a type that is not read"))?;
        let got = match &data {
            Data::Floats(v) => v.len(),
            Data::Longs(v) => v.len(),
        };
        if got != count {
            return Err(broken(&format!("has {got} numbers for a shape of {count}")));
        }
        Ok((t.name, Tensor { dims, data }))
    }
}

/// The beginning of a name, for messages.
pub fn short(name: &str) -> String {
    name.chars().take(80).collect()
}

fn numbers(t: &proto::Tensor) -> Option<Data> {
    fn each<const N: usize, T>(bytes: &[u8], f: impl Fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks::<N>().0.iter().map(|b| f(*b)).collect()
    }
    let raw = &t.raw[..];
    let has = !raw.is_empty();
    let wide = |v: &[i32]| v.iter().map(|v| i64::from(*v)).collect();
    Some(match t.dtype {
        dtype::FLOAT if has => Data::Floats(each(raw, f32::from_le_bytes)),
        dtype::FLOAT => Data::Floats(t.floats.clone()),
        dtype::DOUBLE if has => Data::Floats(each(raw, |b| f64::from_le_bytes(b) as f32)),
        dtype::DOUBLE => Data::Floats(t.doubles.iter().map(|v| *v as f32).collect()),
        dtype::FLOAT16 if has => Data::Floats(each(raw, |b| half(u16::from_le_bytes(b)))),
        dtype::FLOAT16 => Data::Floats(t.ints.iter().map(|v| half(*v as u16)).collect()),
        dtype::BFLOAT16 if has => Data::Floats(each(raw, |b| {
            f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
        })),
        dtype::INT64 if has => Data::Longs(each(raw, i64::from_le_bytes)),
        dtype::INT64 => Data::Longs(t.longs.clone()),
        dtype::INT32 if has => Data::Longs(each(raw, |b| i64::from(i32::from_le_bytes(b)))),
        dtype::INT8 if has => Data::Longs(each(raw, |b| i64::from(i8::from_le_bytes(b)))),
        dtype::UINT8 | dtype::BOOL if has => Data::Longs(each(raw, |b: [u8; 1]| i64::from(b[0]))),
        dtype::INT32 | dtype::INT8 | dtype::UINT8 | dtype::BOOL => Data::Longs(wide(&t.ints)),
        _ => return None,
    })
}

use crate::train::tensors::half;
