//! The PyTorch script: runs on one CPU, on one GPU, and under `torchrun` on many.
use super::data::{self, Needs};
use super::file_name;
use super::helpers;
use super::lines::{Lines, num, short};
use super::net::Net;
use super::pytorch_layers as torch;
use super::pytorch_module::module;
use super::pytorch_train;
use crate::spec::*;

pub(super) fn script(net: &Net, out: &mut Lines) -> Result<(), Problem> {
    let spec = net.spec;
    let mut layers = Vec::new();
    for i in 0..spec.layers.len() {
        layers.push(torch::layer(net, i)?);
    }
    let mut needs = Needs::default();
    needs.import("import os");
    needs.import("import torch");
    needs.import("import torch.distributed as dist");
    needs.import("from torch import nn");
    needs.import("from torch.nn.parallel import DistributedDataParallel");
    needs.import("from torch.utils.data import DataLoader, DistributedSampler, TensorDataset");
    let loads = data::write(net, &mut needs, None)?;
    used(&layers, &mut needs);
    let criterion = loss(net, &mut needs)?;
    let weighted = weighted(net, &criterion, &mut needs)?;
    head(spec, out);
    needs.write(out);
    out.all(0, &["", ""]);
    constants(spec, out);
    out.part();
    module(net, &layers, "", out);
    out.part();
    out.line(0, "def load_data():");
    out.line(
        1,
        "\"\"\"The parts of the data by name: inputs and targets.\"\"\"",
    );
    for line in &loads {
        out.line(1, line);
    }
    out.part();
    steps(net, out);
    out.part();
    main(net, &criterion, weighted.as_deref(), out)?;
    out.part();
    out.all(0, &["if __name__ == \"__main__\":", "    main()"]);
    Ok(())
}

fn head(spec: &Spec, out: &mut Lines) {
    let file = file_name(spec, "py");
    let name = if spec.name.is_empty() {
        "network"
    } else {
        &spec.name
    };
    out.line(
        0,
        format!(
            "\"\"\"{} · PyTorch, from Nabla.",
            name.replace(['\\', '"'], "'")
        ),
    );
    out.line(0, "");
    out.line(0, format!("One CPU or GPU: python {file}"));
    out.line(
        0,
        format!("Several GPUs:   torchrun --nproc-per-node=gpu {file}"),
    );
    out.line(0, "\"\"\"");
    out.line(0, "");
}

fn constants(spec: &Spec, out: &mut Lines) {
    out.line(0, format!("SEED = {}", spec.seed));
    out.line(0, format!("EPOCHS = {}", spec.train.epochs));
    match spec.train.batch_size {
        Some(n) => out.line(0, format!("BATCH_SIZE = {n}  # of all processes together")),
        None => out.line(0, "BATCH_SIZE = None  # all samples at once"),
    }
    if let Some(weights) = &spec.train.class_weight {
        let list: Vec<String> = weights.iter().map(|w| num(*w)).collect();
        out.line(0, format!("CLASS_WEIGHT = [{}]", list.join(", ")));
    }
    penalties(&spec.train, out);
}

pub(super) fn penalties(t: &TrainSpec, out: &mut Lines) {
    if t.l1 != 0.0 {
        out.line(0, format!("L1 = {}", num(t.l1)));
    }
    if t.l2 != 0.0 {
        out.line(0, format!("L2 = {}", num(t.l2)));
    }
}

/// What the layers' lines need above them.
pub(super) fn used(layers: &[torch::Torch], needs: &mut Needs) {
    let all = || layers.iter().flat_map(|l| l.init.iter().chain(&l.forward));
    if all().any(|l| l.contains("math.")) {
        needs.import("import math");
    }
    if all().any(|l| l.contains("F.")) {
        needs.import("import torch.nn.functional as F");
    }
}

/// The loss as an expression.
pub(super) fn loss(net: &Net, needs: &mut Needs) -> Result<String, Problem> {
    Ok(match net.spec.train.loss {
        Loss::Mse => "nn.MSELoss()".into(),
        Loss::Mae => "nn.L1Loss()".into(),
        Loss::Huber { delta: 1.0 } => "nn.HuberLoss()".into(),
        Loss::Huber { delta } => format!("nn.HuberLoss(delta={})", num(delta)),
        Loss::CrossEntropy { from_logits: true } => "nn.CrossEntropyLoss()".into(),
        Loss::CrossEntropy { from_logits: false } if net.softmax_in_loss() => {
            "nn.CrossEntropyLoss()".into()
        }
        Loss::CrossEntropy { from_logits: false } => {
            needs.helper(&helpers::NLL);
            helpers::NLL.name.into()
        }
        Loss::BinaryCrossEntropy { from_logits: true } => "nn.BCEWithLogitsLoss()".into(),
        Loss::BinaryCrossEntropy { from_logits: false } => "nn.BCELoss()".into(),
        Loss::Perceptron => {
            needs.helper(&helpers::PERCEPTRON);
            helpers::PERCEPTRON.name.into()
        }
        Loss::Hinge => {
            needs.helper(&helpers::HINGE);
            helpers::HINGE.name.into()
        }
    })
}

/// What is trained on where classes have weights: `criterion` with them.
fn weighted(net: &Net, criterion: &str, needs: &mut Needs) -> Result<Option<String>, Problem> {
    let Some(weights) = &net.spec.train.class_weight else {
        return Ok(None);
    };
    let pytorch = net.spec.framework == Framework::Pytorch;
    let tensor = "torch.tensor(CLASS_WEIGHT, device=device)";
    Ok(Some(match criterion {
        "nn.CrossEntropyLoss()" if pytorch => format!("nn.CrossEntropyLoss(weight={tensor})"),
        "nn.BCEWithLogitsLoss()" if weights[0] == 1.0 => {
            "nn.BCEWithLogitsLoss(pos_weight=torch.tensor(CLASS_WEIGHT[1:], device=device))".into()
        }
        _ => {
            let Some(each) = criterion
                .strip_prefix("nn.")
                .and_then(|c| c.strip_suffix(')'))
            else {
                let what = "class weights with this loss";
                return Err(
                    super::unsupported(what, Framework::Pytorch).field("train.class_weight")
                );
            };
            needs.helper(&helpers::WEIGHTED);
            let comma = if each.ends_with('(') { "" } else { ", " };
            format!("weighted(nn.{each}{comma}reduction=\"none\"), {tensor})")
        }
    }))
}

/// `step_loss` and `evaluate`.
pub(super) fn steps(net: &Net, out: &mut Lines) {
    let t = &net.spec.train;
    out.line(0, "def outputs_and_loss(model, criterion, x, y):");
    match net.sampling() {
        Some((kl, _, _)) => {
            out.line(1, "output, mean, logvar = model(x)");
            let ready = shaped(net, "output");
            out.line(1, format!("loss = criterion({ready}, {})", target(net)));
            out.line(
                1,
                "kl = -0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp(), dim=1).mean()",
            );
            out.line(1, format!("loss = loss + {} * kl", num(kl)));
        }
        None => {
            out.line(1, "output = model(x)");
            out.line(
                1,
                format!(
                    "loss = criterion({}, {})",
                    shaped(net, "output"),
                    target(net)
                ),
            );
        }
    }
    out.line(1, "return output, loss");
    out.part();
    if t.l1 != 0.0 || t.l2 != 0.0 {
        out.line(0, "def penalty(model):");
        out.line(
            1,
            "weights = [p for name, p in model.named_parameters() if \"weight\" in name]",
        );
        let mut terms = Vec::new();
        if t.l1 != 0.0 {
            terms.push("L1 * sum(w.abs().sum() for w in weights)");
        }
        if t.l2 != 0.0 {
            terms.push("L2 * sum(w.square().sum() for w in weights)");
        }
        out.line(1, format!("return {}", terms.join(" + ")));
        out.part();
    }
    out.line(0, "@torch.no_grad()");
    out.line(0, "def evaluate(model, criterion, loader, device):");
    out.line(1, "model.eval()");
    out.line(1, "losses, outputs, targets = 0.0, [], []");
    out.line(1, "for x, y in loader:");
    out.line(2, "x, y = x.to(device), y.to(device)");
    out.line(2, "output, loss = outputs_and_loss(model, criterion, x, y)");
    out.line(2, "losses += loss.item() * len(x)");
    out.line(2, "outputs.append(output.cpu())");
    out.line(2, "targets.append(y.cpu())");
    out.line(1, "output, y = torch.cat(outputs), torch.cat(targets)");
    match (net.data.classes, &t.loss) {
        (Some(_), Loss::CrossEntropy { .. }) => {
            out.line(
                1,
                "accuracy = (output.argmax(dim=-1) == y).float().mean().item()",
            );
            out.line(
                1,
                "return {\"loss\": losses / len(loader.dataset), \"accuracy\": accuracy}",
            );
        }
        (Some(_), loss) => {
            let at = match loss {
                Loss::BinaryCrossEntropy { from_logits: true } | Loss::Hinge | Loss::Perceptron => {
                    "0"
                }
                _ => "0.5",
            };
            out.line(
                1,
                format!("accuracy = ((output > {at}) == (y > 0.5)).float().mean().item()"),
            );
            out.line(
                1,
                "return {\"loss\": losses / len(loader.dataset), \"accuracy\": accuracy}",
            );
        }
        (None, _) => {
            let output = shaped(net, "output");
            out.line(1, format!("mse = ({output} - y).square().mean().item()"));
            out.line(
                1,
                "r2 = 1 - mse / max((y - y.mean(dim=0)).square().mean().item(), 1e-12)",
            );
            out.line(
                1,
                "return {\"loss\": losses / len(loader.dataset), \"mse\": mse, \"r2\": r2}",
            );
        }
    }
}

/// The output in the target's shape.
fn shaped(net: &Net, output: &str) -> String {
    if net.each_step() {
        return format!("{output}.flatten(0, 1)");
    }
    let target: Vec<usize> = match (net.itself(), net.indices()) {
        (true, _) => net.input.clone(),
        (_, true) => return output.to_string(),
        (_, false) => vec![net.data.targets],
    };
    match net.output() == target {
        true => output.to_string(),
        false => format!("{output}.view_as(y)"),
    }
}

fn target(net: &Net) -> &'static str {
    if net.each_step() { "y.flatten()" } else { "y" }
}

/// What is watched at the end of an epoch: each process evaluates, so that all stop together.
fn watch(t: &TrainSpec, out: &mut Lines) {
    let plateau = match t.schedule {
        Schedule::Plateau { monitor, .. } => Some(monitor),
        _ => None,
    };
    let stop = t.early_stopping.as_ref();
    let keep = t.checkpoints.as_ref();
    let any = [stop.map(|s| s.monitor), keep.map(|k| k.monitor), plateau];
    if any.iter().flatten().any(|m| m.needs_validation()) {
        out.line(
            2,
            "validation = evaluate(net, criterion, val_loader, device)",
        );
    }
    let value = |m: Monitor| match m {
        Monitor::ValLoss => "validation[\"loss\"]",
        Monitor::ValAccuracy => "validation[\"accuracy\"]",
        Monitor::Loss => "total * world / len(parts[\"train\"])",
    };
    let better = |m: Monitor, best: &str, delta: f32| {
        let sign = if m.larger_is_better() { ">" } else { "<" };
        let by = match (delta, m.larger_is_better()) {
            (0.0, _) => String::new(),
            (d, true) => format!(" + {}", num(d)),
            (d, false) => format!(" - {}", num(d)),
        };
        format!("{best} is None or watched {sign} {best}{by}")
    };
    if let Some(m) = plateau {
        out.line(2, format!("scheduler.step({})", value(m)));
    }
    if let Some(keep) = keep {
        let save = "torch.save(net.state_dict(), f\"{epoch + 1:02d}-{watched:.4f}.pt\")";
        out.line(2, format!("watched = {}", value(keep.monitor)));
        if keep.best_only {
            out.line(2, format!("if {}:", better(keep.monitor, "best_kept", 0.0)));
            out.line(3, "best_kept = watched");
            out.all(3, &["if rank == 0:", &format!("    {save}")]);
        } else {
            out.all(2, &["if rank == 0:", &format!("    {save}")]);
        }
    }
    if let Some(stop) = stop {
        out.line(2, format!("watched = {}", value(stop.monitor)));
        out.line(
            2,
            format!("if {}:", better(stop.monitor, "best", stop.min_delta)),
        );
        out.line(3, "best, waited = watched, 0");
        if stop.restore_best {
            out.line(
                3,
                "best_state = {k: v.clone() for k, v in net.state_dict().items()}",
            );
        }
        out.line(2, "else:");
        out.line(3, "waited += 1");
        out.line(2, format!("if waited >= {}:", stop.patience));
        if stop.restore_best {
            out.line(3, "net.load_state_dict(best_state)");
        }
        out.line(3, "break");
    }
}

fn main(
    net: &Net,
    criterion: &str,
    weighted: Option<&str>,
    out: &mut Lines,
) -> Result<(), Problem> {
    let spec = net.spec;
    let t = &spec.train;
    let test = spec.data.split.test > 0.0 || data::own_test(spec);
    let validation = spec.data.split.validation > 0.0;
    out.line(0, "def main():");
    out.line(1, "torch.manual_seed(SEED)");
    out.line(
        1,
        "world, rank = int(os.environ.get(\"WORLD_SIZE\", 1)), int(os.environ.get(\"RANK\", 0))",
    );
    out.line(
        1,
        "device = torch.device(\"cuda\" if torch.cuda.is_available() else \"cpu\")",
    );
    out.line(1, "if world > 1:");
    out.line(2, "dist.init_process_group()");
    out.line(2, "if device.type == \"cuda\":");
    out.line(
        3,
        "device = torch.device(\"cuda\", int(os.environ[\"LOCAL_RANK\"]))",
    );
    out.line(3, "torch.cuda.set_device(device)");
    out.line(0, "");
    out.line(1, "data = load_data()");
    out.line(1, "parts = {name: TensorDataset(torch.tensor(x), torch.tensor(y)) for name, (x, y) in data.items()}");
    out.line(
        1,
        "batch_size = (BATCH_SIZE or len(parts[\"train\"])) // world",
    );
    let shuffle = if t.shuffle { "True" } else { "False" };
    out.line(1, format!("sampler = DistributedSampler(parts[\"train\"], shuffle={shuffle}) if world > 1 else None"));
    let shuffle = if t.shuffle {
        "sampler is None"
    } else {
        "False"
    };
    out.line(1, format!("train_loader = DataLoader(parts[\"train\"], batch_size=batch_size, shuffle={shuffle}, sampler=sampler)"));
    if validation {
        out.line(1, "val_loader = DataLoader(parts[\"val\"], batch_size=256)");
    }
    if test {
        out.line(
            1,
            "test_loader = DataLoader(parts[\"test\"], batch_size=256)",
        );
    }
    out.line(0, "");
    out.line(1, "net = Net().to(device)");
    out.line(
        1,
        "model = DistributedDataParallel(net) if world > 1 else net",
    );
    out.line(1, format!("criterion = {criterion}"));
    let trained = match weighted {
        Some(weighted) => {
            // Evaluations weigh nothing.
            out.line(1, format!("weighted_criterion = {weighted}"));
            "weighted_criterion"
        }
        None => "criterion",
    };
    out.line(
        1,
        format!(
            "optimizer = {}",
            pytorch_train::optimizer(&t.optimizer, spec.framework)?
        ),
    );
    let schedule = pytorch_train::schedule(t);
    if let Some((text, _)) = &schedule {
        out.line(1, format!("scheduler = {text}"));
    }
    out.line(0, "");
    if let Schedule::Plateau {
        monitor,
        factor,
        patience,
        least,
    } = t.schedule
    {
        let mode = if monitor.larger_is_better() {
            ", mode=\"max\""
        } else {
            ""
        };
        let (factor, least) = (num(factor), num(least));
        out.line(1, format!(
            "scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer{mode}, factor={factor}, patience={patience}, min_lr={least})"
        ));
    }
    if t.checkpoints.as_ref().is_some_and(|k| k.best_only) {
        out.line(1, "best_kept = None");
    }
    if t.early_stopping.is_some() {
        out.line(1, "best, waited = None, 0");
    }
    out.line(1, "for epoch in range(EPOCHS):");
    out.line(2, "if sampler is not None:");
    out.line(3, "sampler.set_epoch(epoch)");
    out.line(2, "model.train()");
    out.line(2, "total = 0.0");
    out.line(2, "for x, y in train_loader:");
    out.line(3, "x, y = x.to(device), y.to(device)");
    out.line(
        3,
        format!("_, loss = outputs_and_loss(model, {trained}, x, y)"),
    );
    if t.l1 != 0.0 || t.l2 != 0.0 {
        out.line(3, "loss = loss + penalty(net)");
    }
    out.line(3, "optimizer.zero_grad()");
    out.line(3, "loss.backward()");
    match t.clip {
        Clip::None => {}
        Clip::Value { max } => {
            out.line(
                3,
                format!(
                    "nn.utils.clip_grad_value_(model.parameters(), {})",
                    short(max)
                ),
            );
        }
        Clip::GlobalNorm { max } => {
            out.line(
                3,
                format!(
                    "nn.utils.clip_grad_norm_(model.parameters(), {})",
                    short(max)
                ),
            );
        }
    }
    out.line(3, "optimizer.step()");
    if let Some((_, true)) = &schedule {
        out.line(3, "scheduler.step()");
    }
    out.line(3, "total += loss.item() * len(x)");
    if let Some((_, false)) = &schedule {
        out.line(2, "scheduler.step()");
    }
    watch(t, out);
    out.line(2, "if rank == 0:");
    out.line(
        3,
        "line = f\"epoch {epoch + 1}/{EPOCHS}  loss {total * world / len(parts['train']):.6f}\"",
    );
    if validation {
        out.line(
            3,
            "for name, value in evaluate(net, criterion, val_loader, device).items():",
        );
        out.line(4, "line += f\"  val_{name} {value:.6f}\"");
    }
    out.line(3, "print(line)");
    out.line(0, "");
    out.line(1, "if rank == 0:");
    let part = if test { "test" } else { "train" };
    out.line(
        2,
        format!("for name, value in evaluate(net, criterion, {part}_loader, device).items():"),
    );
    out.line(3, format!("print(f\"{part}_{{name}} {{value:.6f}}\")"));
    out.line(1, "if world > 1:");
    out.line(2, "dist.destroy_process_group()");
    Ok(())
}
