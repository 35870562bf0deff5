//! Objects field by field, and names out of a list: what derived readers call.
use super::read::found;
use super::{Error, Read};
use serde_json::{Map, Value};

/// The fields of an object that are not read yet.
pub struct Fields(Map<String, Value>);

impl Fields {
    /// `what` is read, as an error says it: `struct Spec`.
    pub fn of(value: Value, what: &str) -> Result<Fields, Error> {
        match value {
            Value::Object(fields) => Ok(Fields(fields)),
            other => Err(found(&other, what)),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        // Order is of no use here, and keeping it would move all that follow.
        self.0.swap_remove(name)
    }

    /// A field; one that is missing is an error unless its type has a value for that.
    pub fn get<T: Read>(&mut self, name: &'static str) -> Result<T, Error> {
        match self.take(name) {
            Some(value) => T::read(value).map_err(|e| e.in_field(name)),
            None => T::missing().ok_or_else(|| missing(name)),
        }
    }

    /// A field that may be missing.
    pub fn or<T: Read>(
        &mut self,
        name: &'static str,
        default: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        match self.take(name) {
            Some(value) => T::read(value).map_err(|e| e.in_field(name)),
            None => Ok(default()),
        }
    }

    /// A field with a reader of its own.
    pub fn with<T>(
        &mut self,
        name: &'static str,
        read: fn(Value) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.take(name) {
            Some(value) => read(value).map_err(|e| e.in_field(name)),
            None => Err(missing(name)),
        }
    }

    /// The place in `names` of what the field says.
    pub fn tag(&mut self, name: &'static str, names: &[&str]) -> Result<usize, Error> {
        match self.take(name) {
            Some(value) => one_of(value, names).map_err(|e| e.in_field(name)),
            None => Err(missing(name)),
        }
    }

    /// All that is left, as an object.
    pub fn rest(&mut self) -> Value {
        Value::Object(std::mem::take(&mut self.0))
    }
}

fn missing(name: &str) -> Error {
    Error::new(format!("missing field `{name}`"))
}

/// The place of a name in `names`.
pub fn one_of(value: Value, names: &[&str]) -> Result<usize, Error> {
    let Value::String(name) = &value else {
        return Err(found(&value, "variant identifier"));
    };
    names.iter().position(|n| n == name).ok_or_else(|| {
        let known: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
        let one = if known.len() > 2 { "one of " } else { "" };
        let by = if known.len() > 2 { ", " } else { " or " };
        Error::new(format!(
            "unknown variant `{name}`, expected {one}{}",
            known.join(by)
        ))
    })
}

/// For a value that is none of the forms of a type.
pub fn fits_none(name: &str) -> Error {
    Error::new(format!("data did not match any form of {name}"))
}
