//! Methods of modules, and what modules hold.
use super::calls::{Args, member};
use super::machine::Machine;
use super::value::*;

impl<'a> Machine<'a> {
    /// Methods of modules, the library's and the script's.
    pub fn module_method(
        &mut self,
        this: &Value<'a>,
        name: &str,
        args: Args<'a>,
        line: usize,
    ) -> Value<'a> {
        match name {
            "to" | "cuda" | "cpu" | "train" | "eval" | "float" | "double" | "half"
            | "requires_grad_" => this.clone(),
            "parameters" => Value::list(vec![Value::Param(None, "weight")]),
            "named_parameters" => Value::list(vec![Value::tuple(vec![
                Value::str("weight"),
                Value::Param(None, "weight"),
            ])]),
            "apply" => {
                if let Some(f) = args.list.first().cloned() {
                    for part in parts(this, 0) {
                        self.call(
                            &f,
                            Args {
                                list: vec![part],
                                named: vec![],
                                ..Args::default()
                            },
                            line,
                        );
                    }
                }
                this.clone()
            }
            "modules" | "children" => Value::list(parts(this, 0)),
            "add_module" | "register_module" => {
                if let (Some(name), Some(v), Value::Object(o)) = (
                    args.list.first().and_then(Value::text),
                    args.list.get(1),
                    this,
                ) {
                    put(&mut o.fields.borrow_mut(), name, v.clone());
                }
                Value::None
            }
            "forward" => match this {
                Value::Object(_) => Value::Unknown,
                _ => self.call(this, args, line),
            },
            "compile" | "fit" | "evaluate" | "predict" | "summary" | "build" => match this {
                Value::Object(o) => self.keras_object(o, name, &args, line),
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }
}

/// Modules inside a value.
fn parts<'a>(v: &Value<'a>, depth: usize) -> Vec<Value<'a>> {
    if depth > 8 {
        return Vec::new();
    }
    let mut out = Vec::new();
    let fields = match v {
        Value::Object(o) => o.fields.borrow().clone(),
        Value::Lib(l) => l.parts.borrow().clone(),
        _ => Vec::new(),
    };
    for (_, part) in fields {
        if matches!(part, Value::Lib(_) | Value::Object(_)) && out.len() < 1000 {
            out.push(part.clone());
            out.extend(parts(&part, depth + 1));
        }
    }
    out
}

/// `forward` of a script's own model, for a script that never calls it.
pub(super) fn has_forward(v: &Value) -> bool {
    match v {
        Value::Object(o) => member(&o.class, "forward")
            .or_else(|| member(&o.class, "call"))
            .is_some(),
        _ => false,
    }
}
