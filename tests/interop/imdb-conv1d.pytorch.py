"""imdb-conv1d · PyTorch, from Nabla.

One CPU or GPU: python imdb_conv1d.py
Several GPUs:   torchrun --nproc-per-node=gpu imdb_conv1d.py
"""

import os

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from keras.datasets import imdb
from keras.utils import pad_sequences
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


SEED = 1
EPOCHS = 20
BATCH_SIZE = 128  # of all processes together


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10000, 64)
        self.conv1d = nn.Conv1d(64, 32, 7, padding="same")
        self.max_pooling1d = nn.MaxPool1d(4)
        self.conv1d_1 = nn.Conv1d(32, 32, 7, padding="same")
        self.dense = nn.Linear(32, 1)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        nn.init.xavier_uniform_(self.conv1d.weight)
        nn.init.zeros_(self.conv1d.bias)
        nn.init.xavier_uniform_(self.conv1d_1.weight)
        nn.init.zeros_(self.conv1d_1.bias)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, x):
        x = self.embedding(x.long())
        x = F.relu(self.conv1d(x.transpose(1, 2))).transpose(1, 2)
        x = self.max_pooling1d(x.transpose(1, 2)).transpose(1, 2)
        x = F.relu(self.conv1d_1(x.transpose(1, 2))).transpose(1, 2)
        global_average_pooling1d = x.mean(dim=1)
        x = torch.sigmoid(self.dense(global_average_pooling1d))
        return x


def load_data():
    """The parts of the data by name: inputs and targets."""
    # The page's generated reviews stand in for IMDB's.
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10000)
    x_train = pad_sequences(x_train, maxlen=500, padding="pre", truncating="pre")
    x_test = pad_sequences(x_test, maxlen=500, padding="pre", truncating="pre")
    x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.1, shuffle=False)
    x_train = x_train.astype("float32")
    y_train = y_train.reshape(len(y_train), 1).astype("float32")
    x_val = x_val.astype("float32")
    y_val = y_val.reshape(len(y_val), 1).astype("float32")
    x_test = x_test.astype("float32")
    y_test = y_test.reshape(len(y_test), 1).astype("float32")
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
    val_loader = DataLoader(parts["val"], batch_size=256)
    test_loader = DataLoader(parts["test"], batch_size=256)

    net = Net().to(device)
    model = DistributedDataParallel(net) if world > 1 else net
    criterion = nn.BCELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7)

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
