//! JSON in and out. Everything is read through [`Value`] and written through text, so that each
//! type has one reader and one writer in the wasm: these are a large part of its size.
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Error, Value};

pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_value(serde_json::from_str(text)?)
}

/// Panics on maps whose keys are no strings; no type of ours has any.
pub fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("string keys only")
}

/// An f32 becomes the decimal that a person wrote, not the digits beyond it.
pub fn value<T: Serialize>(value: &T) -> Value {
    serde_json::from_str(&write(value)).expect("just written")
}
