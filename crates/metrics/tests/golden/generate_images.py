"""Writes the expected values that tests/it/golden.rs reads about images: images.json and ssim.json.

    python generate_images.py            # rewrite both files
    python generate_images.py --check    # compare with what is committed; exit status 1 when they differ
    python generate_images.py --seed 7 --output FOLDER    # other noise, into another folder

Needs the packages of xtask/interop/requirements.txt; their versions are recorded in the files. Images are not stored but
described by a pattern and a SplitMix64 seed, which the tests evaluate too; a checksum of the pixels proves that both sides
measured the same images.
"""

import argparse
import importlib.metadata
import json
import math
import pathlib
import platform
import sys
import warnings

import numpy as np
import pytorch_msssim
import skimage
import torch
import torchmetrics
from skimage.metrics import (
    mean_squared_error, normalized_root_mse, peak_signal_noise_ratio, structural_similarity)
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as torchmetrics_ms_ssim
from torchmetrics.functional.image import structural_similarity_index_measure as torchmetrics_ssim

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1
# What --seed adds to the seeds of all noise.
offset = 0


class SplitMix64:
    """Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def unit(self):
        """In [0, 1), a multiple of 2^-53."""
        return (self.next() >> 11) * 2.0**-53

    def below(self, n):
        return self.next() % n


# --- images -----------------------------------------------------------------------------------------


def unit_pixels(pattern, shape):
    """Values in [0, 1] of a C×H×W image, from operations that IEEE 754 rounds in only one way."""
    kind = pattern["kind"]
    channels, height, width = shape
    if kind == "random":
        rng = SplitMix64(pattern["seed"])
        return np.array([rng.unit() for _ in range(math.prod(shape))]).reshape(shape)
    if kind == "smooth":
        pixels = np.empty(shape)
        for c, i, j in np.ndindex(*shape):
            pixels[c, i, j] = (i * j + c) / (height * width + channels)
        return pixels
    if kind == "checkerboard":
        pixels = np.empty(shape)
        for c, i, j in np.ndindex(*shape):
            pixels[c, i, j] = 0.75 if (i + j + c) % 2 == 0 else 0.25
        return pixels
    if kind == "constant":
        return np.full(shape, pattern["value"])
    if kind == "noisy":
        rng = SplitMix64(pattern["seed"])
        pixels = unit_pixels(pattern["base"], shape)
        for c, i, j in np.ndindex(*shape):
            noisy = pixels[c, i, j] + pattern["amplitude"] * (rng.unit() - 0.5)
            pixels[c, i, j] = min(max(noisy, 0.0), 1.0)
        return pixels
    raise ValueError(kind)


def image(pattern, shape, dtype, data_range):
    pixels = unit_pixels(pattern, shape)
    if dtype in ("u8", "u16"):
        return np.floor(pixels * data_range + 0.5).astype({"u8": np.uint8, "u16": np.uint16}[dtype])
    return (pixels * data_range).astype({"f32": np.float32, "f64": np.float64}[dtype])


def checksum(pixels):
    """The bits of every pixel as float64, each times its position (from 1), added modulo 2^64."""
    bits = pixels.astype(np.float64).ravel().view(np.uint64)
    positions = np.arange(1, bits.size + 1, dtype=np.uint64)
    return f"{int(np.sum(bits * positions, dtype=np.uint64)):016x}"


def image_metrics(truth, prediction, data_range):
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    side = min(truth.shape[1:])

    def ssim(**more):
        return float(structural_similarity(truth, prediction, data_range=data_range, channel_axis=0, **more))

    with np.errstate(divide="ignore"):
        psnr = peak_signal_noise_ratio(truth, prediction, data_range=data_range)
    return {
        "psnr": "inf" if math.isinf(psnr) else float(psnr),
        "ssim": ssim() if side >= 7 else None,
        "ssim_gaussian": ssim(**gaussian) if side >= 11 else None,
    }


# A nearly constant bright image: its variance is a difference of almost equal numbers, of which float32 keeps few
# digits. scikit-image's own float32 and float64 results differ by 6e-6 here, and by at most 4e-7 elsewhere.
ILL_CONDITIONED = {"kind": "constant", "value": 1.0}


def image_case(truth, prediction, shape, dtype, data_range):
    xs = image(truth, shape, dtype, data_range)
    ys = image(prediction, shape, dtype, data_range)
    return {
        "dtype": dtype,
        "shape": shape,
        "data_range": data_range,
        "truth": truth,
        "prediction": prediction,
        "truth_checksum": checksum(xs),
        "prediction_checksum": checksum(ys),
        # In the precision that scikit-image chooses: float32 for f32, float64 for the others.
        "native": image_metrics(xs, ys, data_range),
        "native_tolerance": 1e-12 if dtype != "f32" else 1e-5 if truth == ILL_CONDITIONED else 1e-6,
        "float64": image_metrics(xs.astype(np.float64), ys.astype(np.float64), data_range),
    }


def random(seed):
    return {"kind": "random", "seed": seed + offset}


def noisy(base, seed, amplitude):
    return {"kind": "noisy", "base": base, "seed": seed + offset, "amplitude": amplitude}


def image_cases():
    def constant(value):
        return {"kind": "constant", "value": value}

    smooth = {"kind": "smooth"}
    checkerboard = {"kind": "checkerboard"}
    pairs = [
        (random(1), random(2)),
        (smooth, noisy(smooth, 3, 0.1)),
        (random(4), noisy(random(4), 5, 0.02)),
        (random(6), random(6)),
        (smooth, smooth),
        (smooth, noisy(smooth, 7, 1e-5)),
        (constant(0.5), constant(0.5)),
        (constant(0.25), constant(0.75)),
        (constant(0.0), constant(1.0)),
        (ILL_CONDITIONED, noisy(ILL_CONDITIONED, 8, 0.01)),
        (checkerboard, smooth),
        (checkerboard, constant(0.5)),
    ]
    formats = [("u8", 255.0), ("u16", 65535.0), ("f32", 1.0), ("f64", 1.0)]
    for dtype, data_range in formats:
        for truth, prediction in pairs:
            yield image_case(truth, prediction, [1, 32, 32], dtype, data_range)
        for height, width in [(7, 7), (7, 40), (11, 11), (13, 29), (29, 13), (8, 300)]:
            pair = random(height), noisy(random(height), width, 0.3)
            yield image_case(*pair, [1, height, width], dtype, data_range)
        # More columns than one tile of the implementation holds, for both windows.
        yield image_case(smooth, noisy(smooth, 12, 0.2), [1, 15, 531], dtype, data_range)
        yield image_case(smooth, noisy(smooth, 9, 0.2), [3, 19, 23], dtype, data_range)
        yield image_case(random(10), noisy(random(10), 11, 0.5), [3, 32, 32], dtype, data_range)
        # Too small for a window: PSNR alone.
        yield image_case(random(12), random(13), [2, 3, 5], dtype, data_range)
        yield image_case(random(14), random(15), [1, 1, 1], dtype, data_range)
    for dtype in ("f32", "f64"):
        for data_range in (255.0, 65535.0, 0.125):
            pair = smooth, noisy(smooth, 16, 0.2)
            yield image_case(*pair, [1, 24, 24], dtype, data_range)


# --- conventions, settings, maps, gradients -----------------------------------------------------------


def settings_of(case):
    """The case's settings as scikit-image's arguments."""
    names = {"window_size": "win_size", "sigma": "sigma", "k1": "K1", "k2": "K2"}
    kwargs = {names[key]: value for key, value in case.items() if key in names}
    if "covariance" in case:
        kwargs["use_sample_covariance"] = case["covariance"] == "sample"
    return kwargs


def scikit_image(case, xs, ys):
    kwargs = settings_of(case)
    if case["convention"] == "scikit-image-gaussian":
        kwargs = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False} | kwargs
    result = {}
    values = []
    for x, y in zip(xs, ys):
        value, gradient, full = structural_similarity(
            x, y, data_range=case["data_range"], gradient=True, full=True, **kwargs)
        values.append(float(value))
        if len(xs) == 1 and "maps" in case:
            result |= {"map": full.astype(np.float64).ravel().tolist(), "gradient": gradient.astype(np.float64).ravel().tolist()}
    return result | {"per_channel": values, "mean": float(np.mean(values))}


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image))[None]


def torch_libraries(case, xs, ys):
    xs, ys = tensor(xs), tensor(ys)
    common = {"data_range": case["data_range"]}
    if case["convention"] == "torchmetrics":
        renamed = {"sigma": "sigma", "k1": "k1", "k2": "k2"}
        kwargs = {renamed[key]: value for key, value in case.items() if key in renamed}
        mean, full = torchmetrics_ssim(ys, xs, return_full_image=True, reduction=None, **common, **kwargs)
        result = {"mean": mean.item(), "per_channel": full.mean(dim=(2, 3))[0].tolist()}
        if "maps" in case:
            result["map"] = full.double().ravel().tolist()
        return result
    kwargs = {"win_size": case.get("window_size", 11), "win_sigma": case.get("sigma", 1.5),
              "K": (case.get("k1", 0.01), case.get("k2", 0.03))}
    per_channel = [pytorch_msssim.ssim(xs[:, c:c + 1], ys[:, c:c + 1], **common, **kwargs).item() for c in range(xs.shape[1])]
    return {"mean": pytorch_msssim.ssim(xs, ys, **common, **kwargs).item(), "per_channel": per_channel}


def ssim_case(truth, prediction, shape, dtype, data_range, convention, **settings):
    xs, ys = image(truth, shape, dtype, data_range), image(prediction, shape, dtype, data_range)
    case = {"convention": convention, "dtype": dtype, "shape": shape, "data_range": data_range,
            "truth": truth, "prediction": prediction, **settings}
    is_torch = convention in ("torchmetrics", "pytorch-msssim")
    run = torch_libraries if is_torch else scikit_image
    # PyTorch has no integer arithmetic for this: integers are compared in float64, as scikit-image converts them.
    native = xs.dtype if dtype == "f32" or not is_torch else np.float64
    case["native"] = run(case, xs.astype(native), ys.astype(native))
    if dtype == "f32":
        float64 = run(case, xs.astype(np.float64), ys.astype(np.float64))
        case["float64"] = {key: float64[key] for key in ("mean", "per_channel")}
    case["truth_checksum"], case["prediction_checksum"] = checksum(xs), checksum(ys)
    return case


SMOOTH = {"kind": "smooth"}


def ssim_cases():
    conventions = {
        "scikit-image": [{}, {"window_size": 3}, {"window_size": 11, "covariance": "population"}, {"k1": 0.05, "k2": 0.1}, {"k1": 0.0}],
        "scikit-image-gaussian": [{}, {"sigma": 0.7}, {"sigma": 2.1, "covariance": "sample"}, {"k2": 0.2}],
        "torchmetrics": [{}, {"sigma": 0.7}, {"sigma": 2.1}, {"k1": 0.02, "k2": 0.05}],
        "pytorch-msssim": [{}, {"sigma": 0.7, "window_size": 5}, {"sigma": 3.0, "window_size": 15}, {"k1": 0.05, "k2": 0.01}],
    }
    formats = [("u8", 255.0), ("u16", 65535.0), ("f32", 1.0), ("f64", 1.0), ("f64", 0.125)]
    for convention, all_settings in conventions.items():
        for dtype, data_range in formats:
            for i, settings in enumerate(all_settings):
                pair = SMOOTH, noisy(SMOOTH, 33, 0.3)
                maps = {"maps": True} if i in (0, 2) else {}
                yield ssim_case(*pair, [1, 15, 18], dtype, data_range, convention, **maps, **settings)
            yield ssim_case(random(31), noisy(random(31), 34, 0.4), [3, 21, 34], dtype, data_range, convention)
            yield ssim_case(SMOOTH, SMOOTH, [1, 17, 16], dtype, data_range, convention)
            yield ssim_case({"kind": "checkerboard"}, SMOOTH, [1, 30, 18], dtype, data_range, convention)
    # Smaller than the window: torchmetrics mirrors.
    yield ssim_case(random(31), noisy(random(31), 35, 0.2), [1, 6, 9], "f64", 1.0, "torchmetrics", maps=True)


def ms_ssim_case(shape, dtype, convention, **settings):
    truth, prediction = SMOOTH, noisy(SMOOTH, 36, 0.25)
    data_range = {"u8": 255.0}.get(dtype, 1.0)
    xs, ys = image(truth, shape, dtype, data_range), image(prediction, shape, dtype, data_range)

    def run(dtype):
        x, y = tensor(xs.astype(dtype)), tensor(ys.astype(dtype))
        if convention == "torchmetrics":
            betas = {"betas": tuple(settings["weights"])} if "weights" in settings else {}
            return torchmetrics_ms_ssim(y, x, data_range=data_range, **betas).item()
        return pytorch_msssim.ms_ssim(x, y, data_range=data_range, weights=settings.get("weights")).item()

    return {"convention": convention, "dtype": dtype, "shape": shape, "data_range": data_range, "truth": truth,
            "prediction": prediction, **settings, "native": run(np.float32 if dtype == "f32" else np.float64), "float64": run(np.float64)}


def ms_ssim_cases():
    for dtype in ("u8", "f32", "f64"):
        for convention in ("torchmetrics", "pytorch-msssim"):
            yield ms_ssim_case([1, 176, 181], dtype, convention)
            yield ms_ssim_case([2, 191, 177], dtype, convention)
            yield ms_ssim_case([1, 200, 180], dtype, convention, weights=[0.2, 0.5, 0.3])
    yield ms_ssim_case([3, 32, 32], "f64", "torchmetrics", weights=[0.4, 0.6])


def error_cases():
    """mean_squared_error and normalized_root_mse."""
    for dtype, data_range in [("u8", 255.0), ("u16", 65535.0), ("f32", 1.0), ("f64", 1.0)]:
        for shape in ([1, 1, 1], [1, 13, 29], [3, 16, 17]):
            truth, prediction = noisy(SMOOTH, 37, 0.5), random(31)
            xs, ys = image(truth, shape, dtype, data_range), image(prediction, shape, dtype, data_range)
            case = {"dtype": dtype, "shape": shape, "data_range": data_range, "truth": truth, "prediction": prediction}
            for native, x, y in [("native", xs, ys), ("float64", xs.astype(np.float64), ys.astype(np.float64))]:
                case[native] = {"mse": float(mean_squared_error(x, y))}
                for normalization in ("euclidean", "min-max", "mean"):
                    with np.errstate(divide="ignore"):
                        value = float(normalized_root_mse(x, y, normalization=normalization))
                    case[native][normalization] = value if math.isfinite(value) else None
            yield case


# --- files ------------------------------------------------------------------------------------------


def generate():
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-image": skimage.__version__,
        "torch": torch.__version__,
        "torchmetrics": torchmetrics.__version__,
        "pytorch-msssim": importlib.metadata.version("pytorch-msssim"),
    }
    return {
        "images.json": {"versions": versions, "cases": list(image_cases())},
        "ssim.json": {
            "versions": versions,
            "ssim": list(ssim_cases()),
            "ms_ssim": list(ms_ssim_cases()),
            "errors": list(error_cases()),
        },
    }


def dump(document):
    """JSON with a case on each line, so that a change shows as the cases that changed."""
    fields = []
    for key, value in document.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in value)
            fields.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            fields.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def differences(path, committed, fresh):
    """Floats may differ by 1e-12, or where PyTorch computed in float32 by 1e-6; everything else not at all.

    Single pixels of its maps may by 1e-5: torchmetrics' own differ by 1.7e-6 from one x86-64 processor to another, since PyTorch adds
    in another order there. Our tolerances, in tests/it/images.rs, know nothing of this.
    """
    is_single = path.startswith("ssim.json") and ".native" in path
    tolerance = 1e-5 if is_single and ".map[" in path else 1e-6 if is_single else 1e-12
    if isinstance(committed, dict) and isinstance(fresh, dict) and committed.keys() == fresh.keys():
        for key in committed:
            yield from differences(f"{path}.{key}", committed[key], fresh[key])
    elif isinstance(committed, list) and isinstance(fresh, list) and len(committed) == len(fresh):
        for i, pair in enumerate(zip(committed, fresh)):
            yield from differences(f"{path}[{i}]", *pair)
    elif isinstance(committed, float) and isinstance(fresh, float):
        if abs(committed - fresh) > tolerance:
            yield f"{path}: committed {committed!r}, now {fresh!r}"
    elif committed != fresh:
        yield f"{path}: committed {committed!r}, now {fresh!r}"


def check(documents):
    found = []
    for name, document in documents.items():
        committed = json.loads((HERE / name).read_text(encoding="utf-8"))
        fresh = json.loads(dump(document))
        versions = committed.pop("versions"), fresh.pop("versions")
        if versions[0] != versions[1]:
            print(f"{name}: written with {versions[0]}, checked with {versions[1]}", file=sys.stderr)
        found += differences(name, committed, fresh)
    for difference in found:
        print(difference, file=sys.stderr)
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=pathlib.Path, default=HERE)
    args = parser.parse_args()
    global offset
    offset = args.seed << 16
    # scikit-image warns of divisions by zero, which some cases are about.
    warnings.simplefilter("ignore")
    documents = generate()
    if args.check:
        return check(documents)
    for name, document in documents.items():
        (args.output / name).write_text(dump(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
