//! The network as classes of PyTorch: one of its own for each group.
use super::groups::{self, Row};
use super::lines::Lines;
use super::net::{From, Net};
use super::pytorch_layers as torch;
use crate::spec::LayerKind;

/// The network as a class, with a class for each of its groups; `arguments`: those of its constructor, which
/// a network with groups in parts has none of.
pub(super) fn module(net: &Net, layers: &[torch::Torch], arguments: &str, out: &mut Lines) {
    let returned = returned(net);
    let rows = match arguments {
        "" => groups::rows(
            net,
            |i| !layers[i].forward.is_empty(),
            &returned,
            &groups::outside(net),
        ),
        _ => groups::without(net),
    };
    for row in &rows {
        let Row::Group(group) = row else { continue };
        out.line(
            0,
            format!("class {}(nn.Module):", groups::class_name(&group.name)),
        );
        out.line(1, "def __init__(self):");
        out.line(2, "super().__init__()");
        let inner: Vec<Row> = group.range.clone().map(Row::Layer).collect();
        attributes(net, layers, &inner, out);
        out.line(0, "");
        let names = |all: &[From]| joined(all.iter().map(|f| net.variable(*f)));
        out.line(1, format!("def forward(self, {}):", names(&group.inputs)));
        calls(net, layers, &inner, out);
        out.line(2, format!("return {}", names(&group.outputs)));
        out.part();
    }
    out.line(0, "class Net(nn.Module):");
    match arguments {
        "" => out.line(1, "def __init__(self):"),
        more => out.line(1, format!("def __init__(self, {more}):")),
    }
    out.line(2, "super().__init__()");
    attributes(net, layers, &rows, out);
    out.line(0, "");
    out.line(1, "def forward(self, x):");
    let running = net.running();
    if running != "x" && net.variable(From::Layer(0)) != running && net.is_chain() {
        out.line(2, format!("{running} = x"));
    }
    calls(net, layers, &rows, out);
    let returned = joined(returned.iter().map(|f| net.variable(*f)));
    out.line(2, format!("return {returned}"));
}

fn joined<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Lines of `__init__`: the modules, then what gives them other initial values.
fn attributes(net: &Net, layers: &[torch::Torch], rows: &[Row], out: &mut Lines) {
    for row in rows {
        match row {
            Row::Layer(i) => {
                if let Some(module) = &layers[*i].module {
                    let line = format!("self.{} = {module}", net.names[*i]);
                    out.layer_line(2, &net.spec.layers[*i].id, line);
                }
            }
            Row::Group(group) => {
                let class = groups::class_name(&group.name);
                out.line(2, format!("self.{} = {class}()", group.name));
            }
        }
    }
    for row in rows {
        let Row::Layer(i) = row else { continue };
        for line in &layers[*i].init {
            out.layer_line(2, &net.spec.layers[*i].id, line);
        }
    }
}

/// Lines of `forward`.
fn calls(net: &Net, layers: &[torch::Torch], rows: &[Row], out: &mut Lines) {
    for row in rows {
        match row {
            Row::Layer(i) => {
                for line in &layers[*i].forward {
                    out.layer_line(2, &net.spec.layers[*i].id, line);
                }
            }
            Row::Group(group) => {
                let names = |all: &[From]| joined(all.iter().map(|f| net.variable(*f)));
                let (to, from) = (names(&group.outputs), names(&group.inputs));
                out.line(2, format!("{to} = self.{}({from})", group.name));
            }
        }
    }
}

/// What the network gives: its output, and what the loss of a variational code reads.
fn returned(net: &Net) -> Vec<From> {
    let n = net.spec.layers.len();
    let dropped = (net.softmax_in_loss() || net.step_in_loss())
        && matches!(net.last().kind, LayerKind::Activation { .. });
    let last = match dropped {
        true => net.inputs(n - 1)[0],
        false => From::Layer(n - 1),
    };
    match net.sampling() {
        Some((_, mean, logvar)) => vec![last, mean, logvar],
        None => vec![last],
    }
}
