#!/usr/bin/env python3
"""Loads what `juggle train` wrote into PyTorch, and compares what both compute from the PNG files.

Called by `cargo xtask interop`, which trains and evaluates the runs named in CASES:

    load_state_dict.py --runs DIR --balls DIR --frames DIR

For each run, `last.safetensors` must load with strict=True into the module below, which is written
with nothing but torch.nn. Then, in evaluation mode:
- classifier: every logit of the test images against `predictions.json` (`juggle predict --json`),
  loss and accuracy against `evaluation.json` (`juggle evaluate --json`);
- the lines of the README that load a classifier, run as they stand, give the same logits;
- autoencoder: loss (linear output) and mean PSNR and SSIM (output clamped to [0, 1]) of the
  validation windows against `evaluation.json`.
"""
import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import nn

CASES = {
    "classifier": dict(batch_norm=False),
    "classifier-batch-norm": dict(batch_norm=True),
    "autoencoder": dict(batch_norm=False, skip=True),
    "autoencoder-batch-norm": dict(batch_norm=True, skip=True),
    "autoencoder-no-skip": dict(batch_norm=False, skip=False),
}
INPUT_FRAMES = 4
README = Path(__file__).parents[2] / "README.md"

# Both sides compute in float32 with sums in different orders.
TOLERANCE = {"logit": 1e-5, "loss": 1e-5, "accuracy": 0.0, "psnr_db": 1e-3, "ssim": 1e-5}


def convolution(in_channels, out_channels, batch_norm):
    """A 3×3 convolution that keeps the size, its batch norm if any, and a ReLU."""
    layers = [nn.Conv2d(in_channels, out_channels, 3, padding=1)]
    if batch_norm:
        layers.append(nn.BatchNorm2d(out_channels))
    return layers + [nn.ReLU()]


def classifier(batch_norm, n_classes=3, in_channels=1):
    return nn.Sequential(
        *convolution(in_channels, 16, batch_norm),
        *convolution(16, 32, batch_norm),
        nn.MaxPool2d(2),
        *convolution(32, 16, batch_norm),
        *convolution(16, 16, batch_norm),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1024, 64),
        nn.ReLU(),
        nn.Linear(64, n_classes),
    )


class Autoencoder(nn.Module):
    def __init__(self, batch_norm, skip, in_channels=INPUT_FRAMES, out_channels=1, widths=(16, 32, 64)):
        super().__init__()

        def block(n_in, n_out):
            return nn.Sequential(*convolution(n_in, n_out, batch_norm), *convolution(n_out, n_out, batch_norm))

        self.skip = skip
        self.levels = len(widths) - 1
        for i in range(self.levels):
            self.add_module(f"encoder{i + 1}", block(widths[i - 1] if i else in_channels, widths[i]))
        self.bottleneck = block(widths[-2], widths[-1])
        for i in reversed(range(self.levels)):
            n_in = widths[i + 1] + (widths[i] if skip else 0)
            self.add_module(f"decoder{i + 1}", block(n_in, widths[i]))
        self.head = nn.Conv2d(widths[0], out_channels, 1)
        self.pool = nn.MaxPool2d(2)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, xs):
        skips = []
        for i in range(self.levels):
            xs = getattr(self, f"encoder{i + 1}")(xs)
            skips.append(xs)
            xs = self.pool(xs)
        xs = self.bottleneck(xs)
        for i in reversed(range(self.levels)):
            xs = self.upsample(xs)
            if self.skip:
                xs = torch.cat([xs, skips[i]], dim=1)
            xs = getattr(self, f"decoder{i + 1}")(xs)
        return self.head(xs)


def read_png(path):
    with Image.open(path) as image:
        return np.asarray(image, dtype=np.float32) / np.float32(255)


class Checks:
    """Counts and prints comparisons; one that fails is printed and the rest still run."""

    def __init__(self):
        self.n_failed = 0

    def close(self, what, kind, ours, theirs):
        difference = float(np.max(np.abs(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64))))
        ok = difference <= TOLERANCE[kind]
        self.n_failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {what}: largest difference {difference:.2e}, allowed {TOLERANCE[kind]:.0e}")


def load(run, module):
    state = load_file(run / "last.safetensors")
    module.load_state_dict(state, strict=True)
    print(f"ok   {run.name}: {len(state)} tensors loaded with strict=True")
    return module.eval()


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def load_as_the_readme_does(run):
    """Runs the README's five lines with the path of this run; after one epoch the best weights are the last."""
    text = README.read_text(encoding="utf-8")
    block = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "load_state_dict" in block)
    assert len(block.splitlines()) == 5 and block.count("runs/classifier-1") == 1, block
    names = {}
    exec(block.replace("runs/classifier-1", str(run)), names)
    return names["net"].eval()


def check_classifier(checks, run, options, balls):
    module = load(run, classifier(**options))
    predictions = read_json(run / "predictions.json")
    files = [Path(row["file"]) for row in predictions]
    assert len(files) == len(list(balls.glob("test/*/*.png"))), "a prediction for every test image"
    xs = torch.from_numpy(np.stack([read_png(file) for file in files]))[:, None]
    labels = torch.tensor([int(file.parent.name) - 1 for file in files])
    with torch.no_grad():
        logits = module(xs)
    checks.close(f"{run.name}: logits", "logit", [row["logits"] for row in predictions], logits.numpy())
    if not options["batch_norm"]:
        with torch.no_grad():
            readme = load_as_the_readme_does(run)(xs).numpy()
        checks.close(f"{run.name}: logits of the README's lines", "logit", [row["logits"] for row in predictions], readme)
    evaluation = read_json(run / "evaluation.json")
    loss = nn.functional.cross_entropy(logits.double(), labels).item()
    accuracy = (logits.argmax(dim=1) == labels).double().mean().item()
    checks.close(f"{run.name}: test loss", "loss", evaluation["loss"], loss)
    checks.close(f"{run.name}: test accuracy", "accuracy", evaluation["accuracy"], accuracy)


def check_autoencoder(checks, run, options, frames):
    module = load(run, Autoencoder(**options))
    inputs, targets = [], []
    for clip in sorted(frames.glob("val/*")):
        images = np.stack([read_png(file) for file in sorted(clip.glob("*.png"))])
        for first in range(len(images) - INPUT_FRAMES):
            inputs.append(images[first : first + INPUT_FRAMES])
            targets.append(images[first + INPUT_FRAMES])
    inputs, targets = np.stack(inputs), np.stack(targets)
    with torch.no_grad():
        outputs = module(torch.from_numpy(inputs))[:, 0].numpy()
    evaluation = read_json(run / "evaluation.json")
    assert evaluation["n"] == len(targets), "the same windows"
    loss = np.mean((outputs.astype(np.float64) - targets) ** 2)
    checks.close(f"{run.name}: validation loss", "loss", evaluation["loss"], loss)
    outputs, last = outputs.clip(0, 1), inputs[:, -1]
    pairs = {
        "prediction": (targets, outputs),
        "prediction_vs_last_frame": (last, outputs),
        "last_frame": (targets, last),
    }
    metrics = {
        "psnr_db": lambda a, b: peak_signal_noise_ratio(a, b, data_range=1.0),
        "ssim": lambda a, b: structural_similarity(a, b, data_range=1.0),
    }
    for metric, function in metrics.items():
        for name, (truth, other) in pairs.items():
            mean = np.mean([function(a, b) for a, b in zip(truth, other)])
            checks.close(f"{run.name}: {metric} {name}", metric, evaluation[metric][name], mean)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for folder in ("runs", "balls", "frames"):
        parser.add_argument(f"--{folder}", type=Path, required=True)
    arguments = parser.parse_args()
    checks = Checks()
    for name, options in CASES.items():
        if "skip" in options:
            check_autoencoder(checks, arguments.runs / name, options, arguments.frames)
        else:
            check_classifier(checks, arguments.runs / name, options, arguments.balls)
    if checks.n_failed:
        sys.exit(f"{checks.n_failed} comparisons failed")


if __name__ == "__main__":
    main()
