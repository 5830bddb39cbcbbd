"""What `juggle tune classifier` does, with Optuna and PyTorch: the same space, parts, pruner and number of trials.

    search.py --data FOLDER --storage FILE --epochs N --parts K --threads N

Every line on standard input is a number: trials are run until the study has so many, then a line of JSON is printed. Several processes
may share the study. Three networks a trial are trained epoch by epoch in turns, each judged on the clips of its part; the mean is
reported and pruned by. Images are decoded once and kept in memory, augmented a batch at a time.
"""
import argparse
import copy
import json
import pathlib
import random
import sys
import time
import warnings

import numpy as np
import optuna
import torch
from optuna.trial import TrialState
from PIL import Image
from torch import nn
from torch.nn import functional as F

from networks import classifier

EVALUATION_BATCH_SIZE = 256
STUDY = "classifier"
AUGMENTS = ["none", "hflip,vflip", "hflip,vflip,transpose", "hflip,vflip,transpose,shift=2,gain=0.2,zoom=0.1"]


def read(folder, n_parts):
    """All images, their labels, and the part of each: clips are kept whole."""
    pixels, labels, parts = [], [], []
    for label, name in enumerate(sorted(entry.name for entry in folder.iterdir())):
        files = sorted((folder / name).glob("*.png"))
        clips = sorted({file.name.split("_")[0] for file in files})
        random.Random(label).shuffle(clips)
        part_of = {clip: i % n_parts for i, clip in enumerate(clips)}
        for file in files:
            pixels.append(np.asarray(Image.open(file)))
            labels.append(label)
            parts.append(part_of[file.name.split("_")[0]])
    images = torch.from_numpy(np.stack(pixels)).unsqueeze(1).float().div(255)
    return images, torch.tensor(labels), torch.tensor(parts)


def flipped(xs, change):
    chosen = torch.rand(len(xs), 1, 1, 1) < 0.5
    return torch.where(chosen, change(xs), xs)


def augmented(xs, how):
    if how == "none":
        return xs
    xs = flipped(flipped(xs, lambda xs: xs.flip(3)), lambda xs: xs.flip(2))
    if "transpose" in how:
        xs = flipped(xs, lambda xs: xs.transpose(2, 3))
    if "zoom" in how:
        n, size = len(xs), xs.shape[-1]
        theta = torch.zeros(n, 2, 3)
        theta[:, 0, 0] = theta[:, 1, 1] = 1 / (1 + (torch.rand(n) * 2 - 1) * 0.1)
        theta[:, :, 2] = torch.randint(-2, 3, (n, 2)) * (2 / size)
        xs = F.grid_sample(xs, F.affine_grid(theta, xs.shape, align_corners=False), align_corners=False)
        xs = (xs * (1 + (torch.rand(n, 1, 1, 1) * 2 - 1) * 0.2)).clamp(0, 1)
    return xs


class Training:
    """One network of a trial."""

    def __init__(self, params, data, part, epochs, seed):
        torch.manual_seed(seed)
        images, labels, parts = data
        self.params, self.epochs = params, epochs
        self.train = images[parts != part], labels[parts != part]
        self.val = images[parts == part], labels[parts == part]
        self.net = classifier(params["batch_norm"]).to(memory_format=torch.channels_last)
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[params["optimizer"]]
        self.optimizer = kind(self.net.parameters(), lr=params["learning_rate"], weight_decay=params["weight_decay"], fused=True)
        self.schedule = None
        if params["schedule"] == "cosine":
            n_steps = epochs * -(-len(self.train[1]) // params["batch_size"])
            self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, n_steps)
        self.average = copy.deepcopy(self.net) if params["ema"] > 0 else None
        self.loss = nn.CrossEntropyLoss(label_smoothing=params["label_smoothing"])

    def epoch(self):
        images, labels = self.train
        self.net.train()
        for chosen in torch.randperm(len(labels)).split(self.params["batch_size"]):
            xs = augmented(images[chosen], self.params["augment"]).contiguous(memory_format=torch.channels_last)
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(self.net(xs), labels[chosen]).backward()
            self.optimizer.step()
            if self.schedule:
                self.schedule.step()
            if self.average:
                self.follow()
        return self.evaluate(self.average or self.net)

    @torch.no_grad()
    def follow(self):
        decay = self.params["ema"]
        torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), 1 - decay)
        for mine, its in zip(self.average.buffers(), self.net.buffers()):
            mine.copy_(its)

    def evaluate(self, net):
        net.eval()
        images, labels = self.val
        total = 0.0
        with torch.inference_mode():
            for xs, ys in zip(images.split(EVALUATION_BATCH_SIZE), labels.split(EVALUATION_BATCH_SIZE)):
                total += F.cross_entropy(net(xs.contiguous(memory_format=torch.channels_last)), ys, reduction="sum").item()
        return total / len(labels)


def suggest(trial):
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
        "optimizer": trial.suggest_categorical("optimizer", ["adam", "adamw"]),
        "batch_norm": trial.suggest_categorical("batch_norm", [False, True]),
        "batch_size": trial.suggest_categorical("batch_size", [16, 32, 64, 128]),
        "schedule": trial.suggest_categorical("schedule", ["constant", "cosine"]),
        "label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.2),
        "ema": trial.suggest_categorical("ema", [0.0, 0.9, 0.98]),
        "augment": trial.suggest_categorical("augment", AUGMENTS),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--storage", required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--parts", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    data = read(args.data / "train", args.parts)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(args.storage))
    study = optuna.create_study(
        storage=storage, study_name=STUDY, load_if_exists=True,
        sampler=optuna.samplers.TPESampler(multivariate=True, constant_liar=True, n_startup_trials=10, seed=args.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2),
    )
    spent = {"seconds": 0.0, "training_s": 0.0, "epochs": 0}

    def objective(trial):
        params, began = suggest(trial), time.perf_counter()
        trainings = [Training(params, data, part, args.epochs, part) for part in range(args.parts)]
        spent["training_s"] += time.perf_counter() - began
        for epoch in range(args.epochs):
            began = time.perf_counter()
            value = sum(training.epoch() for training in trainings) / args.parts
            spent["training_s"] += time.perf_counter() - began
            spent["epochs"] += args.parts
            trial.report(value, epoch)
            if epoch + 1 < args.epochs and trial.should_prune():
                raise optuna.TrialPruned
        return value

    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        while sum(t.state != TrialState.FAIL for t in study.get_trials(deepcopy=False)) < int(line):
            study.optimize(objective, n_trials=1)
        spent["seconds"] += time.perf_counter() - began
        trials = study.get_trials(deepcopy=False)
        best = min((t.value for t in trials if t.state == TrialState.COMPLETE), default=None)
        versions = {"optuna": optuna.__version__, "torch": torch.__version__}
        print(json.dumps({**spent, **versions, "trials": len(trials), "best": best, "pruned": sum(t.state == TrialState.PRUNED for t in trials)}), flush=True)


if __name__ == "__main__":
    main()
