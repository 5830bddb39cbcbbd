"""Folders of PNG files: reading one into memory with Pillow or torchvision, and making the ones that are timed.

    python folders.py FOLDER gray|rgb     10,000 files of 32×32 pixels in ten classes, written by Pillow, the same each time
"""
import os
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

SIDE = 32
CLASSES, FILES = 10, 1000


def listed(folder):
    """The files of DIR/CLASS/*.png in order, with a label each, as torchvision's ImageFolder lists them."""
    files, labels = [], []
    for label, name in enumerate(sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())):
        directory = os.path.join(folder, name)
        names = sorted(name for name in os.listdir(directory) if name.endswith(".png"))
        files += [os.path.join(directory, name) for name in names]
        labels += [label] * len(names)
    return files, labels


def read_with_pillow(files, mode, out):
    for i, file in files:
        with Image.open(file) as image:
            pixels = np.asarray(image if image.mode == mode else image.convert(mode))
        out[i] = pixels if mode == "L" else pixels.transpose(2, 0, 1)


def read_with_torchvision(files, mode, out):
    from torchvision.io import ImageReadMode, decode_image, read_file
    mode = ImageReadMode.GRAY if mode == "L" else ImageReadMode.RGB
    for i, file in files:
        pixels = decode_image(read_file(file), mode).numpy()
        out[i] = pixels[0] if out.ndim == 3 else pixels


READERS = {"pil": read_with_pillow, "torchvision": read_with_torchvision}


def read_folder(folder, mode, reader, threads):
    """Every image of the folder as 8-bit values, N×H×W or N×3×H×W, and the labels."""
    files, labels = listed(folder)
    out = np.empty((len(files), SIDE, SIDE) if mode == "L" else (len(files), 3, SIDE, SIDE), np.uint8)
    numbered = list(enumerate(files))
    if threads == 1:
        READERS[reader](numbered, mode, out)
    else:
        size = 250
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda first: READERS[reader](numbered[first:first + size], mode, out), range(0, len(files), size)))
    return out, labels


def prepare_folder(request, words):
    folder = request["folder"]
    mode = "RGB" if "rgb" in folder else "L"
    threads = next((int(word[len("threads="):]) for word in words if word.startswith("threads=")), 1)
    count = CLASSES * FILES

    def step():
        out, _ = read_folder(folder, mode, words[0], threads)
        return {"sum": int(out.sum(dtype=np.int64))}

    return step, count


def drawn(generator, channels):
    """Something like a small photograph: a smooth gradient, a few soft discs, and weak noise."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    image = np.empty((SIDE, SIDE, channels))
    for c in range(channels):
        a, b, d = generator.uniform(-2, 2, 2).tolist() + [generator.uniform(40, 200)]
        image[..., c] = d + a * x + b * y
    for _ in range(3):
        cx, cy, radius = generator.uniform(4, 28), generator.uniform(4, 28), generator.uniform(2, 7)
        share = np.clip(radius - np.hypot(x - cx, y - cy) + 0.5, 0, 1)[..., None]
        image = image * (1 - share) + share * generator.uniform(0, 255, channels)
    image += generator.normal(0, 2, image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def make(folder, kind):
    generator = np.random.default_rng(1)
    for label in range(CLASSES):
        directory = pathlib.Path(folder, f"class{label}")
        directory.mkdir(parents=True, exist_ok=True)
        for i in range(FILES):
            pixels = drawn(generator, 1 if kind == "gray" else 3)
            Image.fromarray(pixels[..., 0] if kind == "gray" else pixels).save(directory / f"image{i:04}.png")


if __name__ == "__main__":
    make(sys.argv[1], sys.argv[2])
