"""logreg-blobs · PyTorch, from Nabla.

One CPU or GPU: python logreg_blobs.py
Several GPUs:   torchrun --nproc-per-node=gpu logreg_blobs.py
"""

import os

import numpy as np
import torch
import torch.distributed as dist
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


SEED = 1
EPOCHS = 100
BATCH_SIZE = 16  # of all processes together


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        x = self.linear(x)
        x = self.sigmoid(x)
        return x


def load_data():
    """The parts of the data by name: inputs and targets."""
    x, y = make_blobs(n_samples=200, centers=2, cluster_std=1.5, random_state=SEED)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=SEED)
    x_train = x_train.astype("float32")
    y_train = y_train.reshape(len(y_train), 1).astype("float32")
    x_test = x_test.astype("float32")
    y_test = y_test.reshape(len(y_test), 1).astype("float32")
    return {"train": (x_train, y_train), "test": (x_test, y_test)}


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
    accuracy = ((output > 0.5) == (y > 0.5)).float().mean().item()
    return {"loss": losses / len(loader.dataset), "accuracy": accuracy}


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
    sampler = DistributedSampler(parts["train"], shuffle=True) if world > 1 else None
    train_loader = DataLoader(parts["train"], batch_size=batch_size, shuffle=sampler is None, sampler=sampler)
    test_loader = DataLoader(parts["test"], batch_size=256)

    net = Net().to(device)
    model = DistributedDataParallel(net) if world > 1 else net
    criterion = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

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
        for name, value in evaluate(net, criterion, test_loader, device).items():
            print(f"test_{name} {value:.6f}")
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
