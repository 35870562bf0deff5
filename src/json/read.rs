//! Plain types out of JSON values.
use super::Error;
use serde_json::{Number, Value};
use std::collections::BTreeMap;

/// What can be read from JSON. `lean_json::Deserialize` derives it.
pub trait Read: Sized {
    fn read(value: Value) -> Result<Self, Error>;

    /// What a missing field of this type stands for, if it may be missing.
    fn missing() -> Option<Self> {
        None
    }
}

/// A value where something else was expected.
pub(super) fn found(value: &Value, expected: &str) -> Error {
    let what = match value {
        Value::Null => "null".to_string(),
        Value::Bool(b) => format!("boolean `{b}`"),
        Value::Number(n) if n.is_f64() => format!("floating point `{n}`"),
        Value::Number(n) => format!("integer `{n}`"),
        Value::String(s) => format!("string {s:?}"),
        Value::Array(_) => "sequence".to_string(),
        Value::Object(_) => "map".to_string(),
    };
    Error::new(format!("invalid type: {what}, expected {expected}"))
}

fn outside(number: &Number, expected: &str) -> Error {
    Error::new(format!(
        "invalid value: integer `{number}`, expected {expected}"
    ))
}

/// A whole number within bounds.
fn integer(value: &Value, min: i64, max: u64, name: &str) -> Result<i128, Error> {
    match value {
        Value::Number(n) if !n.is_f64() => {
            let whole = match (n.as_u64(), n.as_i64()) {
                (Some(n), _) => i128::from(n),
                (None, n) => i128::from(n.unwrap_or_default()),
            };
            match whole >= i128::from(min) && whole <= i128::from(max) {
                true => Ok(whole),
                false => Err(outside(n, name)),
            }
        }
        other => Err(found(other, name)),
    }
}

macro_rules! integers {
    ($($t:ident)*) => {$(
        impl Read for $t {
            fn read(value: Value) -> Result<$t, Error> {
                let min = $t::MIN as i64;
                Ok(integer(&value, min, $t::MAX as u64, stringify!($t))? as $t)
            }
        }
    )*};
}
integers!(u8 u32 u64 usize i64);

impl Read for f64 {
    fn read(value: Value) -> Result<f64, Error> {
        let number = value.as_f64();
        number.ok_or_else(|| found(&value, "f64"))
    }
}

impl Read for f32 {
    fn read(value: Value) -> Result<f32, Error> {
        // Each form is rounded once.
        let number = match &value {
            Value::Number(n) => match (n.as_u64(), n.as_i64()) {
                (Some(n), _) => Some(n as f32),
                (None, Some(n)) => Some(n as f32),
                (None, None) => n.as_f64().map(|n| n as f32),
            },
            _ => None,
        };
        number.ok_or_else(|| found(&value, "f32"))
    }
}

impl Read for bool {
    fn read(value: Value) -> Result<bool, Error> {
        value.as_bool().ok_or_else(|| found(&value, "a boolean"))
    }
}

impl Read for String {
    fn read(value: Value) -> Result<String, Error> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(found(&other, "a string")),
        }
    }
}

impl Read for Value {
    fn read(value: Value) -> Result<Value, Error> {
        Ok(value)
    }
}

impl Read for () {
    fn read(value: Value) -> Result<(), Error> {
        match value {
            Value::Null => Ok(()),
            other => Err(found(&other, "unit")),
        }
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: Value) -> Result<Option<T>, Error> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }

    fn missing() -> Option<Option<T>> {
        Some(None)
    }
}

fn list(value: Value) -> Result<Vec<Value>, Error> {
    match value {
        Value::Array(values) => Ok(values),
        other => Err(found(&other, "a sequence")),
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: Value) -> Result<Vec<T>, Error> {
        let values = list(value)?;
        let mut all = Vec::with_capacity(values.len());
        for (i, value) in values.into_iter().enumerate() {
            all.push(T::read(value).map_err(|e| e.in_item(i))?);
        }
        Ok(all)
    }
}

fn items<const N: usize>(value: Value) -> Result<[Value; N], Error> {
    list(value)?.try_into().map_err(|values: Vec<Value>| {
        Error::new(format!(
            "invalid length {}, expected {N} values",
            values.len()
        ))
    })
}

impl<T: Read> Read for [T; 2] {
    fn read(value: Value) -> Result<[T; 2], Error> {
        let (a, b) = <(T, T)>::read(value)?;
        Ok([a, b])
    }
}

impl<A: Read, B: Read> Read for (A, B) {
    fn read(value: Value) -> Result<(A, B), Error> {
        let [a, b] = items(value)?;
        Ok((
            A::read(a).map_err(|e| e.in_item(0))?,
            B::read(b).map_err(|e| e.in_item(1))?,
        ))
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(value: Value) -> Result<BTreeMap<String, T>, Error> {
        let Value::Object(values) = value else {
            return Err(found(&value, "a map"));
        };
        let mut all = BTreeMap::new();
        for (key, value) in values {
            match T::read(value) {
                Ok(value) => all.insert(key, value),
                Err(e) => return Err(e.in_key(key)),
            };
        }
        Ok(all)
    }
}

/// A number that is null in JSON where it is not finite.
pub fn nan_f32(value: Value) -> Result<f32, Error> {
    Ok(Option::read(value)?.unwrap_or(f32::NAN))
}

/// A number that is null in JSON where it is not finite.
pub fn nan_f64(value: Value) -> Result<f64, Error> {
    Ok(Option::read(value)?.unwrap_or(f64::NAN))
}
