"""Small networks as PyTorch itself writes them as ONNX, by both of its exporters, with an input and what
it gives: tests/interop/onnx/*.onnx and golden.json. Needs torch, onnx and onnxscript.
"""

import json
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(__file__).parent.parent / "interop" / "onnx"


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(3)
        self.conv2 = nn.Conv2d(3, 4, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(4, 10)

    def forward(self, x):
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        x = self.pool(nn.functional.gelu(self.conv2(x)))
        return self.fc1(x.view(x.size(0), -1))


class Sine(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 4, batch_first=True)
        self.fc = nn.Linear(4, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 4)
        self.fc2 = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)
        self.out = nn.Linear(8, 10)

    def forward(self, x):
        a = nn.functional.silu(self.fc1(x))
        b = self.norm(a + nn.functional.leaky_relu(self.fc2(a), 0.2))
        return torch.softmax(self.out(torch.cat([a, b], dim=1)), dim=1)


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 3)
        self.gru = nn.GRU(3, 2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(4, 1)

    def forward(self, x):
        _, h = self.gru(self.embedding(x))
        return torch.sigmoid(self.fc(torch.cat([h[0], h[1]], dim=1)))


class Text(nn.Module):
    """Convolutions over words, which PyTorch wants with the channels first."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 4)
        self.conv1 = nn.Conv1d(4, 6, 3, padding=1)
        self.conv2 = nn.Conv1d(6, 5, 3)
        self.pool = nn.MaxPool1d(2)
        self.fc = nn.Linear(5, 1)

    def forward(self, x):
        x = self.embedding(x).transpose(1, 2)
        x = self.pool(torch.relu(self.conv1(x)))
        x = torch.relu(self.conv2(x)).max(dim=2).values
        return torch.sigmoid(self.fc(x))


class Stacked(nn.Module):
    """Two layers of LSTM, both ways; the last state of the upper one."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 3, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.fc = nn.Linear(6, 1)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.fc(torch.cat([h[-2], h[-1]], dim=1))


class Steps(nn.Module):
    """All steps of two layers of GRU and of an LSTM."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 3, num_layers=2, batch_first=True)
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.each = nn.Linear(4, 2)
        self.fc = nn.Linear(50, 1)

    def forward(self, x):
        x, _ = self.gru(x)
        x, _ = self.lstm(x)
        return self.fc(torch.tanh(self.each(x)).flatten(1))


class Simple(nn.Module):
    """A simple recurrent layer, which the newer exporter writes out step by step."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(1, 3, nonlinearity="relu", batch_first=True)
        self.fc = nn.Linear(3, 1)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])


class Encoder(nn.Module):
    """A transformer's encoder layer over words, either way of normalising."""

    def __init__(self, norm_first):
        super().__init__()
        self.embedding = nn.Embedding(30, 8)
        self.positions = nn.Parameter(torch.randn(1, 6, 8) * 0.1)
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=norm_first, activation="gelu")
        self.fc = nn.Linear(8, 1)

    def forward(self, x):
        x = self.layer(self.embedding(x) + self.positions)
        return torch.sigmoid(self.fc(x.mean(dim=1)))


class Attention(nn.Module):
    """Self-attention by the module itself, each step hiding later ones."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 6)
        self.attention = nn.MultiheadAttention(6, 3, batch_first=True)
        self.norm = nn.LayerNorm(6)
        self.fc = nn.Linear(36, 1)

    def forward(self, x):
        x = self.embedding(x)
        mask = nn.Transformer.generate_square_subsequent_mask(6)
        y, _ = self.attention(x, x, x, attn_mask=mask, need_weights=False)
        return torch.sigmoid(self.fc(self.norm(x + y).flatten(1)))


def vgg():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(),
        nn.Linear(24, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 10),
    )  # fmt: skip


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.block1 = Block(4, 4, 1)
        self.block2 = Block(4, 6, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(6, 10)

    def forward(self, x):
        x = self.pool(self.block2(self.block1(self.stem(x))))
        return self.fc(torch.flatten(x, 1))


class Forks(nn.Module):
    """Values that several read, as they are and scaled: the input, a layer, a normalisation and an attention."""

    def __init__(self):
        super().__init__()
        self.mean, self.std = nn.Buffer(torch.rand(64)), nn.Buffer(torch.rand(64) + 0.5)
        self.one, self.two, self.three = nn.Linear(64, 8), nn.Linear(64, 8), nn.Linear(64, 8)
        self.four = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(8)
        self.register_buffer("shift", torch.rand(8))
        self.attention = nn.MultiheadAttention(4, 1, batch_first=True)
        self.out = nn.Linear(48, 10)

    def forward(self, x):
        a = self.one((x - self.mean) / self.std)
        b = self.two(x)
        c = self.three(x * 0.25)
        y = self.norm(a + b * 2 + torch.tanh(b) + c)
        z = self.four((y * self.shift).view(-1, 2, 4))
        z, _ = self.attention(z, z, z, need_weights=False)
        return self.out(torch.cat([a, c * 3 - 1, torch.relu(c), y, y + self.shift, (z + 1).flatten(1)], dim=1))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 10))


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(1)
    networks = {
        "mlp": (mlp(), torch.rand(2, 8, 8)),
        "lenet": (LeNet(), torch.rand(2, 1, 8, 8)),
        "sine": (Sine(), torch.rand(2, 25, 1)),
        "residual": (Residual(), torch.rand(2, 64)),
        "words": (Words(), torch.randint(0, 20, (2, 6))),
        "text": (Text(), torch.randint(0, 30, (2, 12))),
        "stacked": (Stacked(), torch.rand(2, 25, 1)),
        "steps": (Steps(), torch.rand(2, 25, 1)),
        "simple": (Simple(), torch.rand(2, 25, 1)),
        "encoder": (Encoder(False), torch.randint(0, 30, (2, 6))),
        "encoder_first": (Encoder(True), torch.randint(0, 30, (2, 6))),
        "attention": (Attention(), torch.randint(0, 30, (2, 6))),
        "vgg": (vgg(), torch.rand(2, 3, 32, 32)),
        "resnet": (ResNet(), torch.rand(2, 3, 32, 32)),
    }
    with torch.random.fork_rng():  # those before stay what they are
        networks["forks"] = (Forks(), torch.rand(2, 64))
    record = {}
    for name, (net, x) in networks.items():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 1.5)
        net.eval()
        if x.is_floating_point():
            x = (x * 1000).round() / 1000  # short in writing
        y = net(x)
        flat = [round(v, 3) for v in x.flatten().tolist()]
        record[name] = {"x": flat, "shape": list(x.shape), "y": y.flatten().tolist()}
        for kind, dynamo in (("legacy", False), ("dynamo", True)):
            path = FOLDER / f"{name}.{kind}.onnx"
            how = {"dynamic_shapes": ({0: "batch"},)} if dynamo else {"dynamic_axes": {"input": {0: "batch"}}}
            try:
                torch.onnx.export(
                    net, (x,), str(path), dynamo=dynamo, input_names=["input"], external_data=False, **how
                )
            except Exception as e:  # what an exporter itself cannot do is no test of the reader
                print(f"{path.name}: {type(e).__name__}: {str(e)[:300]}")
                continue
            if dynamo:
                plain(path)
            print(path.name, path.stat().st_size)
    text = json.dumps(record, indent=None)
    (FOLDER / "golden.json").write_text(text + "\n")


def plain(path):
    """Without what the exporter notes of its own work, which is larger than the network."""
    import onnx

    model = onnx.load(path)
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.ClearField("doc_string")
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    onnx.save(model, path)


if __name__ == "__main__":
    main()
