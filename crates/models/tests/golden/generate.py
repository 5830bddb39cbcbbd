"""One training step of each network in PyTorch float64: the golden values of `tests/it/golden.rs`.

    python generate.py           writes the .safetensors files beside this script
    python generate.py --check   computes them again and compares with the committed ones, exit 1 on a difference

Needs torch, numpy and safetensors; the versions are recorded in each file's metadata. Weights, images and targets are
drawn from SplitMix64 and rounded to float32, so that both sides begin with the same values; everything after is float64.
A file holds (float32, rounded from float64 at the end): `inputs`, `targets`, `before/NAME` (the state), `gradient/NAME`,
`after/NAME` (the state after the step, running statistics included), `loss`, `outputs` (training mode, before the step),
`evaluation` (evaluation mode, after the step), `gradient_norm` where gradients are clipped (`gradient/NAME` is before). A convolution's bias in front of a batch norm has a true gradient of zero;
PyTorch's rounding noise there is stored as it is, and the test asserts our exact zero instead.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1


def splitmix(seed, n):
    """n floats in [0, 1) with 24 bits, so that float32 holds them exactly."""
    out, state = np.empty(n), seed
    for i in range(n):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        out[i] = ((z ^ (z >> 31)) >> 40) / float(1 << 24)
    return out


def f32(values):
    """Rounded to float32, kept as float64."""
    return torch.from_numpy(np.asarray(values).astype(np.float32).astype(np.float64))


def classifier(in_channels, size, n_classes, batch_norm):
    layers, channels = [], in_channels
    for block in [(16, 32), (16, 16)]:
        for width in block:
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU())
            channels = width
        layers.append(nn.MaxPool2d(2))
    side = size // 2 // 2
    layers += [nn.Flatten(), nn.Linear(16 * side * side, 64), nn.ReLU(), nn.Linear(64, n_classes)]
    return nn.Sequential(*layers)


def block(channels, width, batch_norm):
    layers = []
    for _ in range(2):
        layers.append(nn.Conv2d(channels, width, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.ReLU())
        channels = width
    return nn.Sequential(*layers)


class Autoencoder(nn.Module):
    """The module of docs/models.md."""

    def __init__(self, input_frames=4, channels=1, widths=(16, 32, 64), skip=True, batch_norm=False):
        super().__init__()
        self.skip, self.depth = skip, len(widths) - 1
        xs = input_frames * channels
        for level, width in enumerate(widths[:-1], 1):
            setattr(self, f"encoder{level}", block(xs, width, batch_norm))
            xs = width
        self.bottleneck = block(xs, widths[-1], batch_norm)
        xs = widths[-1]
        for level in range(self.depth, 0, -1):
            width = widths[level - 1]
            setattr(self, f"decoder{level}", block(xs + (width if skip else 0), width, batch_norm))
            xs = width
        self.head = nn.Conv2d(xs, channels, 1)

    def forward(self, xs):
        skips = []
        for level in range(1, self.depth + 1):
            xs = getattr(self, f"encoder{level}")(xs)
            skips.append(xs)
            xs = nn.functional.max_pool2d(xs, 2)
        xs = self.bottleneck(xs)
        for level in range(self.depth, 0, -1):
            xs = nn.functional.interpolate(xs, scale_factor=2, mode="nearest")
            if self.skip:
                xs = torch.cat([xs, skips[level - 1]], dim=1)
            xs = getattr(self, f"decoder{level}")(xs)
        return self.head(xs)


def strided():
    """Strides with and without a row left over, kernels smaller and larger than the stride."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(12, 6, 1, stride=2), nn.ReLU(),
        nn.Conv2d(6, 5, 2, stride=3, padding=2), nn.Flatten(), nn.Linear(20, 4))


# Each case: the module, the inputs' shape, the optimiser, the loss. Odd sizes leave a row and a column out of a pooling.
CASES = {
    "cnn": dict(net=lambda: classifier(1, 10, 3, False), shape=(5, 1, 10, 10), classes=3, adam=dict(lr=1e-3)),
    "cnn-rgb-smoothing-adamw": dict(net=lambda: classifier(3, 8, 4, False), shape=(3, 3, 8, 8), classes=4, smoothing=0.05,
                                    adamw=dict(lr=1e-3, weight_decay=0.01)),
    "cnn-batch-norm": dict(net=lambda: classifier(1, 9, 3, True), shape=(5, 1, 9, 9), classes=3,
                           adam=dict(lr=1e-3, weight_decay=1e-3)),
    "autoencoder": dict(net=lambda: Autoencoder(), shape=(2, 4, 8, 8), adam=dict(lr=1e-3, weight_decay=5e-5)),
    "autoencoder-batch-norm": dict(net=lambda: Autoencoder(2, 1, (8, 16, 24), True, True), shape=(3, 2, 8, 8),
                                   sgd=dict(lr=1e-2, momentum=0.9)),
    "autoencoder-no-skip": dict(net=lambda: Autoencoder(2, 1, (8, 16, 24), False, False), shape=(2, 2, 8, 8),
                                adam=dict(lr=5e-4)),
    "strided": dict(net=strided, shape=(3, 3, 19, 16), classes=4, adam=dict(lr=1e-3)),
    "tight-clip": dict(net=lambda: classifier(1, 9, 3, True), shape=(5, 1, 9, 9), classes=3, clip=0.05,
                       sgd=dict(lr=1e-1, momentum=0.9, weight_decay=1e-3)),
}


def initialise(net, seed):
    """Uniform weights of PyTorch's scale; batch norm away from the identity so that nothing cancels."""
    with torch.no_grad():
        for i, (name, tensor) in enumerate(net.state_dict().items()):
            if name.endswith("num_batches_tracked"):
                continue
            unit = splitmix(seed * 1000 + i, tensor.numel()).reshape(tensor.shape)
            if tensor.dim() > 1:
                bound = 1 / np.sqrt(tensor[0].numel())
                values = (2 * unit - 1) * bound
            elif name.endswith("running_var"):
                values = 0.5 + unit
            else:
                values = unit - 0.5 + (1.0 if f"{name[:-7]}.running_mean" in net.state_dict() and name.endswith(".weight") else 0.0)
            tensor.copy_(f32(values))


def step(name, case):
    torch.manual_seed(0)
    net = case["net"]().double()
    seed = sorted(CASES).index(name) + 1
    initialise(net, seed)
    n = case["shape"][0]
    inputs = f32(splitmix(seed * 77, int(np.prod(case["shape"]))).reshape(case["shape"]))
    out = {"inputs": inputs}
    if "classes" in case:
        targets = torch.tensor([(seed + 2 * i) % case["classes"] for i in range(n)])
        loss_function = nn.CrossEntropyLoss(label_smoothing=case.get("smoothing", 0.0))
    else:
        shape = (n, 1, *case["shape"][2:])
        targets = f32(splitmix(seed * 78, int(np.prod(shape))).reshape(shape))
        loss_function = nn.MSELoss()
    out["targets"] = targets
    out |= {f"before/{k}": v.clone() for k, v in net.state_dict().items()}
    kind = next(k for k in ("adam", "adamw", "sgd") if k in case)
    optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[kind](
        net.parameters(), **case[kind])
    net.train()
    outputs = net(inputs)
    loss = loss_function(outputs, targets)
    loss.backward()
    out |= {f"gradient/{k}": p.grad.clone() for k, p in net.named_parameters()}
    if "clip" in case:
        out["gradient_norm"] = nn.utils.clip_grad_norm_(net.parameters(), case["clip"]).reshape(1)
    optimizer.step()
    out |= {f"after/{k}": v.clone() for k, v in net.state_dict().items()}
    net.eval()
    with torch.no_grad():
        out |= {"loss": loss.detach().reshape(1), "outputs": outputs.detach(), "evaluation": net(inputs)}
    return {k: (v if v.dtype == torch.int64 else v.to(torch.float32)).contiguous() for k, v in out.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed files")
    check, bad = parser.parse_args().check, 0
    for name, case in CASES.items():
        tensors, path = step(name, case), HERE / f"{name}.safetensors"
        if not check:
            options = {k: case[k] for k in ("adam", "adamw", "sgd", "smoothing", "clip") if k in case}
            versions = {"python": sys.version.split()[0], "torch": torch.__version__, "numpy": np.__version__,
                        "safetensors": safetensors.__version__}
            save_file(tensors, path, {"options": json.dumps(options), "versions": json.dumps(versions)})
            continue
        committed = load_file(path)
        assert committed.keys() == tensors.keys(), name
        for key, tensor in tensors.items():
            # float64 inside, so that a float32 file may differ in its last bit at most; rounding noise counts as zero.
            if not torch.allclose(tensor.double(), committed[key].double(), rtol=2e-7, atol=1e-12):
                print(f"{name}: {key} differs by {(tensor - committed[key]).abs().max()}")
                bad += 1
    print("golden values: " + ("differ" if bad else "equal" if check else "written"))
    sys.exit(1 if bad else 0)


main()
