//! JSON in and out. Everything is read as a [`Value`] first, by the readers that `lean_json`
//! derives, and written through text, so that each type has one reader and one writer in
//! the wasm: these are a large part of its size.
mod error;
mod fields;
mod read;

pub use error::Error;
pub use fields::{Fields, fits_none, one_of};
pub use read::{Read, nan_f32, nan_f64};
use serde::Serialize;
use serde_json::Value;

/// A type out of JSON. The error says where in it something is wrong, and what.
pub fn read<T: Read>(text: &str) -> Result<T, Error> {
    T::read(parse(text)?)
}

/// Any JSON.
pub fn parse(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|e| Error::new(e.to_string()))
}

/// Panics on maps whose keys are no strings; no type of ours has any.
pub fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("string keys only")
}

/// An f32 becomes the decimal that a person wrote, not the digits beyond it.
pub fn value<T: Serialize>(value: &T) -> Value {
    parse(&write(value)).expect("just written")
}
