//! A spec without what goes without saying, for links.
use super::{DataSpec, LayerSpec, Spec, TrainSpec};
use crate::json::{self, Read};
use serde::Serialize;
use serde_json::Value;

impl Spec {
    /// JSON that [`Spec::from_json`] reads as this very spec, without fields whose value is the default.
    pub fn to_short(&self) -> Value {
        let mut whole = short(self);
        let mut put = |name: &str, value: Value| {
            if let Some(slot) = whole.get_mut(name) {
                *slot = value;
            }
        };
        put("data", short::<DataSpec>(&self.data));
        put("train", short::<TrainSpec>(&self.train));
        put(
            "layers",
            self.layers.iter().map(short::<LayerSpec>).collect(),
        );
        whole
    }
}

/// The fields of an object that it does not have without being written.
fn short<T: Serialize + Read + PartialEq>(object: &T) -> Value {
    let mut whole = json::value(object);
    let names: Vec<String> = whole
        .as_object()
        .map(|o| o.keys().cloned().collect())
        .unwrap_or_default();
    for name in names {
        let mut less = whole.clone();
        if let Some(o) = less.as_object_mut() {
            o.shift_remove(&name);
        }
        if T::read(less.clone()).is_ok_and(|v| v == *object) {
            whole = less;
        }
    }
    whole
}
