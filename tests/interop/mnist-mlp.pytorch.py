"""mnist-mlp · PyTorch, from Nabla.

One CPU or GPU: python mnist_mlp.py
Several GPUs:   torchrun --nproc-per-node=gpu mnist_mlp.py
"""

import os

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def enlarge(images):
    """8×8 digits of 0…16 as 28×28 of 0…255: 20×20 by bicubic interpolation, the mass in the middle."""
    t = np.abs((np.arange(20)[:, None] + 0.5) * 0.4 - 0.5 - np.arange(8))
    near, far = ((1.5 * t - 2.5) * t) * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2
    w = np.where(t < 1, near, np.where(t < 2, far, 0)).astype(np.float32)
    boxes = np.clip(w @ images.astype(np.float32) @ w.T * (255 / 16) + 0.5, 0, 255).astype(np.uint8)
    out = np.zeros((len(images), 28, 28), np.uint8)
    for box, image in zip(boxes.astype(int), out):
        mass = max(box.sum(), 1)
        dy, dx = (14 - (2 * (box.sum(axis=a) @ np.arange(20)) + mass) // (2 * mass) for a in (1, 0))
        dy, dx = np.clip([dy, dx], 0, 8)
        image[dy : dy + 20, dx : dx + 20] = box
    return out


SEED = 1
EPOCHS = 10
BATCH_SIZE = 128  # of all processes together


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(784, 512)
        self.dropout = nn.Dropout(0.5)
        self.dense_1 = nn.Linear(512, 10)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)
        nn.init.xavier_uniform_(self.dense_1.weight)
        nn.init.zeros_(self.dense_1.bias)

    def forward(self, x):
        x = F.relu(self.dense(x))
        x = self.dropout(x)
        x = self.dense_1(x)
        return x


def load_data():
    """The parts of the data by name: inputs and targets."""
    digits = load_digits()
    x, y = enlarge(digits.images), digits.target
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, shuffle=False)
    x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.1, shuffle=False)
    x_train, x_val, x_test = x_train / 255, x_val / 255, x_test / 255
    x_train = x_train.reshape(len(x_train), -1).astype("float32")
    y_train = y_train.astype("int64")
    x_val = x_val.reshape(len(x_val), -1).astype("float32")
    y_val = y_val.astype("int64")
    x_test = x_test.reshape(len(x_test), -1).astype("float32")
    y_test = y_test.astype("int64")
    return {"train": (x_train, y_train), "val": (x_val, y_val), "test": (x_test, y_test)}


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
    accuracy = (output.argmax(dim=-1) == y).float().mean().item()
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
    val_loader = DataLoader(parts["val"], batch_size=256)
    test_loader = DataLoader(parts["test"], batch_size=256)

    net = Net().to(device)
    model = DistributedDataParallel(net) if world > 1 else net
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7)

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
            for name, value in evaluate(net, criterion, val_loader, device).items():
                line += f"  val_{name} {value:.6f}"
            print(line)

    if rank == 0:
        for name, value in evaluate(net, criterion, test_loader, device).items():
            print(f"test_{name} {value:.6f}")
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
