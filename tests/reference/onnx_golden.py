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
    }
    record = {}
    for name, (net, x) in networks.items():
        if name == "lenet":
            net.bn1.running_mean.uniform_(-0.5, 0.5)
            net.bn1.running_var.uniform_(0.5, 1.5)
        net.eval()
        y = net(x)
        record[name] = {"x": x.flatten().tolist(), "shape": list(x.shape), "y": y.flatten().tolist()}
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
