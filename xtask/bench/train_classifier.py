"""What `juggle train classifier` does, in PyTorch: the same epochs from the same folder, the same evaluations and files.

Reads train/CLASS/*.png and val/CLASS/*.png, trains the classifier with Adam at batch size 32, evaluates the validation images
after every epoch, keeps the last and the best weights, evaluates the training images at the end, and prints a line of JSON.
As juggle does, it decodes every image once and keeps it in memory; a DataLoader that opens files again each epoch is slower.
"""
import argparse
import json
import pathlib
import time

import numpy as np
import torch
from PIL import Image
from torch import nn

from networks import classifier

BATCH_SIZE, EVALUATION_BATCH_SIZE = 32, 256


def read(folder, words):
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    files = [(file, label) for label, name in enumerate(classes) for file in sorted((folder / name).glob("*.png"))]
    pixels = np.stack([np.asarray(Image.open(file)) for file, _ in files])
    images = torch.from_numpy(pixels).unsqueeze(1).float().div(255)
    if "channels_last" in words:
        images = images.contiguous(memory_format=torch.channels_last)
    return images, torch.tensor([label for _, label in files])


def evaluate(net, images, labels):
    net.eval()
    loss, correct = 0.0, 0
    with torch.inference_mode():
        for xs, ys in zip(images.split(EVALUATION_BATCH_SIZE), labels.split(EVALUATION_BATCH_SIZE)):
            logits = net(xs)
            loss += nn.functional.cross_entropy(logits, ys, reduction="sum").item()
            correct += (logits.argmax(1) == ys).sum().item()
    net.train()
    return {"loss": loss / len(labels), "accuracy": correct / len(labels)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--config", default="eager", help="eager or compile, and channels_last")
    arguments = parser.parse_args()
    words = arguments.config.split()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    arguments.run.mkdir(parents=True, exist_ok=True)

    images, labels = read(arguments.data / "train", words)
    val_images, val_labels = read(arguments.data / "val", words)
    net = classifier()
    if "channels_last" in words:
        net = net.to(memory_format=torch.channels_last)
    call = torch.compile(net) if "compile" in words else net
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    criterion = nn.CrossEntropyLoss()
    started, best, events = time.perf_counter(), float("inf"), []
    for epoch in range(1, arguments.epochs + 1):
        total, correct = 0.0, 0
        for chosen in torch.randperm(len(labels)).split(BATCH_SIZE):
            xs, ys = images[chosen], labels[chosen]
            optimizer.zero_grad(set_to_none=True)
            logits = call(xs)
            loss = criterion(logits, ys)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(ys)
            correct += (logits.detach().argmax(1) == ys).sum().item()
        train = {"loss": total / len(labels), "accuracy": correct / len(labels)}
        val = evaluate(call, val_images, val_labels)
        if val["loss"] < best:
            best = val["loss"]
            torch.save(net.state_dict(), arguments.run / "best.pt")
        torch.save(net.state_dict(), arguments.run / "last.pt")
        events.append({"epoch": epoch, "train": train, "val": val})
    result = {"train": evaluate(call, images, labels), "val": events[-1]["val"], "loop_s": time.perf_counter() - started}
    (arguments.run / "events.json").write_text(json.dumps(events))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
