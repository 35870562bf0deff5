//! Early stopping as loops spell it out: a count of epochs without a gain that ends the loop.
use super::machine::Machine;
use super::value::Scope;
use ruff_python_ast::{BoolOp, CmpOp, Expr, Operator, Stmt, StmtIf};
use ruff_text_size::{Ranged, TextRange};
use serde_json::{Value as Json, json};

/// All statements of a body, those inside conditions included.
fn all<'a>(body: &'a [Stmt], out: &mut Vec<&'a Stmt>) {
    for s in body {
        out.push(s);
        if let Stmt::If(i) = s {
            all(&i.body, out);
            for clause in &i.elif_else_clauses {
                all(&clause.body, out);
            }
        }
    }
}

fn flat(body: &[Stmt]) -> Vec<&Stmt> {
    let mut out = Vec::new();
    all(body, &mut out);
    out
}

fn name(e: &Expr) -> Option<&str> {
    match e {
        Expr::Name(n) => Some(n.id.as_str()),
        _ => None,
    }
}

fn counts(s: &Stmt, counter: &str) -> bool {
    matches!(s, Stmt::AugAssign(a) if a.op == Operator::Add && name(&a.target) == Some(counter))
}

impl<'a> Machine<'a> {
    /// What a loop over epochs watches, or None where nothing ends it.
    pub fn stopping(&mut self, body: &'a [Stmt], scope: &Scope<'a>) -> Option<Json> {
        let flat = flat(body);
        let ifs = || {
            flat.iter().filter_map(|s| match s {
                Stmt::If(i) => Some(i),
                _ => None,
            })
        };
        let mut ends = None;
        for i in ifs().filter(|i| i.body.iter().any(|s| matches!(s, Stmt::Break(_)))) {
            let Expr::Compare(c) = &*i.test else { continue };
            let (Some(counter), [op], [bound]) = (name(&c.left), &c.ops[..], &c.comparators[..])
            else {
                continue;
            };
            let bound = self.expr(bound, scope).int();
            let patience = match (op, bound) {
                (CmpOp::GtE | CmpOp::Eq, Some(n)) => n,
                (CmpOp::Gt, Some(n)) => n + 1,
                _ => continue,
            };
            if patience > 0 && flat.iter().any(|s| counts(s, counter)) {
                ends = Some((i, counter, patience));
            }
        }
        let (end, counter, patience) = ends?;
        // The condition for a gain: in its else the count goes up.
        let gain = ifs().find(|i| {
            let mut other = i.elif_else_clauses.iter();
            other.any(|c| c.test.is_none() && c.body.iter().any(|s| counts(s, counter)))
        })?;
        let (watched, larger, delta) = self.gain(gain, scope)?;
        let source = self.source;
        let written = |at: TextRange| source.get(at.to_std_range()).unwrap_or_default();
        let text = |e: &Expr| written(e.range()).to_lowercase();
        let made = flat.iter().rev().find_map(|s| match s {
            Stmt::Assign(a) if a.targets.len() == 1 && name(&a.targets[0]) == name(watched) => {
                Some(text(&a.value))
            }
            _ => None,
        });
        let told = format!("{} {}", text(watched), made.unwrap_or_default());
        let accuracy = told.contains("acc");
        if accuracy != larger {
            return None;
        }
        let monitor = match (accuracy, told.contains("val")) {
            (true, true) => "val_accuracy",
            (false, true) => "val_loss",
            (false, false) => "loss",
            (true, false) => return None,
        };
        let restores = |s: &Stmt| written(s.range()).contains("load_state_dict(");
        Some(json!({
            "monitor": monitor,
            "patience": patience,
            "min_delta": delta as f32,
            "restore_best": end.body.iter().any(restores),
        }))
    }

    /// `watched < best - delta`, perhaps after `best is None or`: what is watched, whether larger is
    /// better, and by how much it must be.
    fn gain(&mut self, i: &'a StmtIf, scope: &Scope<'a>) -> Option<(&'a Expr, bool, f64)> {
        let test = match &*i.test {
            Expr::BoolOp(b) if b.op == BoolOp::Or => b.values.last()?,
            other => other,
        };
        let Expr::Compare(c) = test else { return None };
        let ([op], [best]) = (&c.ops[..], &c.comparators[..]) else {
            return None;
        };
        let larger = match op {
            CmpOp::Lt | CmpOp::LtE => false,
            CmpOp::Gt | CmpOp::GtE => true,
            _ => return None,
        };
        let delta = match best {
            Expr::BinOp(b) if matches!(b.op, Operator::Sub | Operator::Add) => {
                self.expr(&b.right, scope).number().unwrap_or(0.0)
            }
            _ => 0.0,
        };
        Some((&c.left, larger, delta))
    }
}
