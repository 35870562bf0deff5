"""linreg-3x2 · PyTorch, from Nabla.

One CPU or GPU: python linreg_3x2.py
Several GPUs:   torchrun --nproc-per-node=gpu linreg_3x2.py
"""

import os

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


SEED = 1
EPOCHS = 1000
BATCH_SIZE = None  # all samples at once


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        x = self.linear(x)
        return x


def load_data():
    """The parts of the data by name: inputs and targets."""
    np.random.seed(SEED)
    x = np.random.rand(100, 1)
    y = 3 * x + 2 + 0.5 * np.random.randn(100, 1)
    x_train, y_train = x, y
    x_train = x_train.astype("float32")
    y_train = y_train.reshape(len(y_train), 1).astype("float32")
    return {"train": (x_train, y_train)}


def outputs_and_loss(model, criterion, x, y):
    output = model(x)
    loss = criterion(output, y)
    return output, loss


@torch.no_grad()
def evaluate(model, criterion, loader, device):
    model.eval()
    losses, outputs, targets = 0.0, [], []
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        output, loss = outputs_and_loss(model, criterion, x, y)
        losses += loss.item() * len(x)
        outputs.append(output.cpu())
        targets.append(y.cpu())
    output, y = torch.cat(outputs), torch.cat(targets)
    mse = (output - y).square().mean().item()
    r2 = 1 - mse / max((y - y.mean(dim=0)).square().mean().item(), 1e-12)
    return {"loss": losses / len(loader.dataset), "mse": mse, "r2": r2}


def main():
    torch.manual_seed(SEED)
    world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if world > 1:
        dist.init_process_group()
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(device)

    data = load_data()
    parts = {name: TensorDataset(torch.tensor(x), torch.tensor(y)) for name, (x, y) in data.items()}
    batch_size = (BATCH_SIZE or len(parts["train"])) // world
    sampler = DistributedSampler(parts["train"], shuffle=False) if world > 1 else None
    train_loader = DataLoader(parts["train"], batch_size=batch_size, shuffle=False, sampler=sampler)

    net = Net().to(device)
    model = DistributedDataParallel(net) if world > 1 else net
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    for epoch in range(EPOCHS):
        if sampler is not None:
            sampler.set_epoch(epoch)
        model.train()
        total = 0.0
        for x, y in train_loader:
            x, y = x.to(device), y.to(device)
            _, loss = outputs_and_loss(model, criterion, x, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        if rank == 0:
            line = f"epoch {epoch + 1}/{EPOCHS}  loss {total * world / len(parts['train']):.6f}"
            print(line)

    if rank == 0:
        for name, value in evaluate(net, criterion, train_loader, device).items():
            print(f"train_{name} {value:.6f}")
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
