"""perceptron-and · PyTorch, from Nabla.

One CPU or GPU: python perceptron_and.py
Several GPUs:   torchrun --nproc-per-node=gpu perceptron_and.py
"""

import os

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def perceptron_loss(output, target):
    """(ŷ − y)·z with ŷ = step(z): its gradient is the perceptron's rule."""
    return (((output > 0).float() - target) * output).mean()


SEED = 1
EPOCHS = 50
BATCH_SIZE = 1  # of all processes together


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.neuron = nn.Linear(2, 1)
        nn.init.zeros_(self.neuron.weight)
        nn.init.zeros_(self.neuron.bias)

    def forward(self, x):
        x = self.neuron(x)
        return x


def load_data():
    """The parts of the data by name: inputs and targets."""
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([0, 0, 0, 1])
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
    accuracy = ((output > 0) == (y > 0.5)).float().mean().item()
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

    net = Net().to(device)
    model = DistributedDataParallel(net) if world > 1 else net
    criterion = perceptron_loss
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

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
