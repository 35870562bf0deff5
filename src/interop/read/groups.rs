//! Groups: what a script's own module, or in Keras its own function of tensors, lays down stands together.
use super::machine::Machine;
use super::network::Tensor;
use super::value::*;
use std::rc::Rc;

/// The first tensor of a value, or of what it holds.
fn tensor<'a>(v: &Value<'a>) -> Option<Tensor<'a>> {
    match v {
        Value::Tensor(t) => Some(t.clone()),
        Value::Tuple(_) | Value::List(_) => v.items()?.iter().take(8).find_map(|v| match v {
            Value::Tensor(t) => Some(t.clone()),
            _ => None,
        }),
        _ => None,
    }
}

pub(super) fn holds_tensor(given: &[Value]) -> bool {
    given.iter().any(|v| tensor(v).is_some())
}

impl<'a> Machine<'a> {
    /// Follows a call whose layers are a group of this name; of calls inside one another the outermost
    /// counts.
    pub fn grouped(
        &mut self,
        name: &str,
        given: &[Value<'a>],
        call: impl FnOnce(&mut Self) -> Value<'a>,
    ) -> Value<'a> {
        let known = given.iter().find_map(tensor);
        let known = known.or_else(|| self.entered.as_ref().map(|(_, t)| t.clone()));
        let before = known.map(|t| {
            let count = t.trace.nodes.borrow().len();
            (t, count)
        });
        let out = call(self);
        if let Some(t) = tensor(&out) {
            let from = match &before {
                Some((old, count)) if old.same(&t) => *count,
                _ => 1,
            };
            self.groups += 1;
            let group: Rc<str> = name.into();
            for node in t.trace.nodes.borrow_mut().iter_mut().skip(from) {
                node.group = Some((self.groups, Rc::clone(&group)));
            }
        }
        out
    }
}
