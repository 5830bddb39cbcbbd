"""Times scikit-image, scikit-learn and torchmetrics for `cargo xtask bench`: requests on stdin, one JSON answer a line on stdout.

    {"prepare": {"key": "a", "work": "ssim-f32"}}
    {"run": {"key": "a", "seconds": 0.5}}
    {"drop": {}}

The answer to prepare has the metric's value, rounded, as "sum": the other side must have the same.
`crates/metrics/examples/measure.rs` draws the same images and labels. The number of threads is the first argument; only torchmetrics knows more than one.
"""
import gc
import json
import os
import sys
import time
from importlib.metadata import version

# Libraries that print to stdout must not break the protocol.
ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import accuracy_score, classification_report
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

UHD = (2160, 3840)
N_SMALL = 2000
N_LABELS = 10_000_000
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def noise(n, stream):
    """Values in [0, 1) without a pattern."""
    mixed = (np.arange(n, dtype=np.uint64) + np.uint64(stream << 40)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed ^ (mixed >> np.uint64(29))) >> np.uint64(40)).astype(np.float64) / (1 << 24)


def pair(shape, dtype):
    """Noise, and a mixture of it with other noise."""
    n = int(np.prod(shape))
    first = noise(n, 0)
    images = first, (first + noise(n, 1)) / 2
    if dtype == np.uint8:
        images = [image * 256 for image in images]
    return [image.astype(dtype).reshape(shape) for image in images]


def of_pair(metric, shape, dtype, **options):
    xs, ys = pair(shape, dtype)
    return lambda: metric(xs, ys, data_range=255 if dtype == np.uint8 else 1.0, **options)


def of_tensors(metric):
    xs, ys = (torch.from_numpy(image)[None, None] for image in pair(UHD, np.float32))
    return lambda: metric(ys, xs, data_range=1.0).item()


def batch():
    xs, ys = pair((N_SMALL, 32, 32), np.float32)
    return lambda: np.mean([structural_similarity(x, y, data_range=1.0) for x, y in zip(xs, ys)])


def report(n_classes):
    truth = (noise(N_LABELS, 0) * n_classes).astype(np.int64)
    predicted = np.where(noise(N_LABELS, 1) < 0.8, truth, (noise(N_LABELS, 2) * n_classes).astype(np.int64))
    value = accuracy_score(truth, predicted)

    def work():
        classification_report(truth, predicted)
        return value

    return work


WORKS = {
    "psnr-f32": lambda: of_pair(peak_signal_noise_ratio, UHD, np.float32),
    "psnr-u8": lambda: of_pair(peak_signal_noise_ratio, UHD, np.uint8),
    "ssim-f32": lambda: of_pair(structural_similarity, UHD, np.float32),
    "ssim-u8": lambda: of_pair(structural_similarity, UHD, np.uint8),
    "ssim-gaussian": lambda: of_pair(structural_similarity, UHD, np.float32, **GAUSSIAN),
    "ssim-rgb": lambda: of_pair(structural_similarity, (512, 512, 3), np.uint8, channel_axis=2),
    "ssim-torchmetrics": lambda: of_tensors(structural_similarity_index_measure),
    "ms-ssim": lambda: of_tensors(multiscale_structural_similarity_index_measure),
    "ssim-batch": batch,
    "report-3": lambda: report(3),
    "report-1000": lambda: report(1000),
}


def answer(request, works):
    (kind, request), = request.items()
    if kind == "prepare":
        work = WORKS[request["work"]]()
        value = work()
        works[request["key"]] = work
        gc.collect()
        return {"sum": round(float(value) * 1e4)}
    if kind == "run":
        work = works[request["key"]]
        count, started = 0, time.perf_counter()
        while True:
            work()
            count += 1
            elapsed = time.perf_counter() - started
            if elapsed >= request["seconds"]:
                return {"seconds": elapsed, "count": count}
    works.clear()
    gc.collect()
    return {}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    names = ["scikit-image", "scikit-learn", "torchmetrics", "numpy"]
    print(json.dumps({name: version(name) for name in names}), file=ANSWERS)
    works = {}
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), works)
        except Exception as error:
            first = str(error).strip().splitlines() or [""]
            reply = {"error": f"{type(error).__name__}: {first[0]}"}
        print(json.dumps(reply), file=ANSWERS)


if __name__ == "__main__":
    main()
