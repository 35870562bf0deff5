"""What PyTorch reaches with the tutorials' networks on MNIST, in the settings of tests/accuracy.

    python accuracy_torch.py cnn-pytorch 0          # network, seed; $NABLA_DATA is the folder of the data sets

One thread. The last weights are tested, as the page tests them.
"""

import json
import sys
import time

import torch
from accuracy_data import mnist
from torch import nn


class Rows(nn.Module):
    """A digit read row by row."""

    def __init__(self, kind):
        super().__init__()
        self.layer = kind(28, 128, batch_first=True)
        self.fc = nn.Linear(128, 10)

    def forward(self, x):
        return self.fc(self.layer(x.view(-1, 28, 28))[0][:, -1])


def cnn():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


NETWORKS = {
    "cnn-pytorch": (cnn, 10),
    "lstm": (lambda: Rows(nn.LSTM), 8),
    "gru": (lambda: Rows(nn.GRU), 8),
    "rnn": (lambda: Rows(nn.RNN), 8),
}
BATCH = 64


def main():
    name, seed = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    make, epochs = NETWORKS[name]
    model = make()
    (x, y), (x_test, y_test) = ([torch.from_numpy(v) for v in mnist(part)] for part in ("train", "t10k"))
    # A tenth is set apart for validation, as the page does it.
    order = torch.randperm(len(y))[: len(y) - len(y) // 10]
    x, y = x[order], y[order]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loss_of = nn.CrossEntropyLoss()
    start = time.time()
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(len(y)).split(BATCH):
            optimizer.zero_grad()
            loss_of(model(x[rows]), y[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            out = torch.cat([model(part) for part in x_test.split(500)])
            loss, right = loss_of(out, y_test).item(), (out.argmax(1) == y_test).float().mean().item()
        print(f"epoch {epoch + 1}: loss {loss:.4f}, accuracy {right:.4f}", file=sys.stderr, flush=True)
    print(json.dumps({
        "network": name, "seed": seed, "torch": torch.__version__, "epochs": epochs,
        "seconds_per_epoch": (time.time() - start) / epochs, "loss": loss, "accuracy": right,
    }))  # fmt: skip


main()
