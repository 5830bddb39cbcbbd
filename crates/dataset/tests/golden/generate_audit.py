"""Writes the expected values that tests/it/audit_numbers.rs reads: audit.json.

    pip install ImageHash numpy pillow scikit-image scipy statsmodels
    python generate_audit.py            # rewrite the file
    python generate_audit.py --check    # compare with what is committed; exit status 1 when they differ

Versions are recorded in the file.
"""

import argparse
import json
import math
import pathlib
import platform
import sys
import warnings

import imagehash
import numpy as np
import PIL
import scipy
import skimage
import statsmodels
from PIL import Image
from scipy import stats
from skimage.filters import threshold_otsu
from statsmodels.stats.multitest import multipletests

HERE = pathlib.Path(__file__).parent
BALLS = HERE / "../../../../data/balls"
NAME = "audit.json"

# --- Kolmogorov-Smirnov -----------------------------------------------------------------------------


def sample(n, step, modulus, offset):
    """Integers that look shuffled and that any program can make."""
    return [(i * step) % modulus + offset for i in range(n)]


def ks_case(a, b):
    # scipy's own choice (`auto`) goes by the larger sample, at 10,000 values.
    method = "exact" if a[0] * b[0] <= 20_000_000 else "asymp"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        test = stats.ks_2samp(sample(*a), sample(*b), method=method)
    return {"a": a, "b": b, "statistic": float(test.statistic), "p_value": float(test.pvalue)}


def ks_cases():
    sizes = [(1, 1), (1, 2), (2, 2), (3, 4), (5, 5), (8, 65), (10, 12), (24, 200), (40, 40), (80, 400), (97, 101)]
    sizes += [(200, 1200), (240, 1200), (1000, 1000), (999, 1500), (1500, 7000), (10001, 200)]
    # Asymptotic from here on.
    sizes += [(10000, 10000), (20000, 15000), (60000, 40000)]
    for n, m in sizes:
        # Without ties when the modulus is larger than the sample, with ties otherwise.
        for modulus in [100003, 7, 50]:
            for shift in [0, 1 / 50, 1 / 10, 1 / 3, 1]:
                offset = round(modulus * shift)
                try:
                    yield ks_case([n, 7919, modulus, 0], [m, 104729, modulus, offset])
                except RuntimeWarning:
                    # scipy's exact value is out of its range there.
                    continue


def holm_cases():
    for seed, n in enumerate([1, 2, 3, 10, 36]):
        p = np.random.default_rng(seed).random(n) ** 4
        p[n // 2] = p[0]
        yield {"p_values": p.tolist(), "adjusted": multipletests(p, method="holm")[1].tolist()}


# --- images -----------------------------------------------------------------------------------------


def image_case(name, pixels):
    pixels = np.asarray(pixels, dtype=np.uint8)
    image = Image.fromarray(pixels)
    return {
        "name": name,
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "pixels": pixels.tobytes().hex(),
        "phash": str(imagehash.phash(image)),
        "foreground": float(np.mean(pixels > threshold_otsu(pixels))),
    }


def clouds(height, width, seed):
    """Smooth noise with hard edges in it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    total = np.zeros((height, width))
    for _ in range(12):
        fy, fx, phase = rng.uniform(-4, 4), rng.uniform(-4, 4), rng.uniform(0, 2 * np.pi)
        total += rng.uniform(0.2, 1) * np.cos(2 * np.pi * (fy * y / height + fx * x / width) + phase)
    total += 3.0 * ((x - width * 0.6) ** 2 + (y - height * 0.3) ** 2 < (min(height, width) / 4) ** 2)
    total += rng.normal(0, 0.2, total.shape)
    low, high = total.min(), total.max()
    return np.round((total - low) / (high - low) * 255)


def image_cases():
    sizes = [(32, 32), (8, 8), (4, 5), (31, 33), (64, 64), (100, 32), (32, 100), (47, 20), (3, 40), (128, 96), (150, 200)]
    for seed, (height, width) in enumerate(sizes):
        yield image_case(f"clouds {height}x{width}", clouds(height, width, seed))


def ball_cases():
    """The committed images, by their path: nothing is resized there."""
    for path in sorted(BALLS.glob("test/*/*.png"))[::7]:
        image = Image.open(path)
        pixels = np.asarray(image)
        yield {
            "path": path.relative_to(BALLS).as_posix(),
            "phash": str(imagehash.phash(image)),
            "foreground": float(np.mean(pixels > threshold_otsu(pixels))),
        }


# --- files ------------------------------------------------------------------------------------------


def generate():
    return {
        "versions": {
            "python": platform.python_version(),
            "imagehash": imagehash.__version__,
            "numpy": np.__version__,
            "pillow": PIL.__version__,
            "scikit-image": skimage.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "ks": list(ks_cases()),
        "holm": list(holm_cases()),
        "images": list(image_cases()),
        "balls": list(ball_cases()),
    }


def dump(document):
    """JSON with a case on each line, so that a change shows as the cases that changed."""
    fields = []
    for key, value in document.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(case) for case in value)
            fields.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            fields.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def differences(path, committed, fresh):
    """Floats may differ by 1e-12 of their value, everything else not at all."""
    if isinstance(committed, dict) and isinstance(fresh, dict) and committed.keys() == fresh.keys():
        for key in committed:
            yield from differences(f"{path}.{key}", committed[key], fresh[key])
    elif isinstance(committed, list) and isinstance(fresh, list) and len(committed) == len(fresh):
        for i, pair in enumerate(zip(committed, fresh)):
            yield from differences(f"{path}[{i}]", *pair)
    elif isinstance(committed, float) and isinstance(fresh, float):
        if not math.isclose(committed, fresh, rel_tol=1e-12):
            yield f"{path}: committed {committed!r}, now {fresh!r}"
    elif committed != fresh:
        yield f"{path}: committed {committed!r}, now {fresh!r}"


def check(document):
    committed = json.loads((HERE / NAME).read_text(encoding="utf-8"))
    fresh = json.loads(dump(document))
    versions = committed.pop("versions"), fresh.pop("versions")
    if versions[0] != versions[1]:
        print(f"{NAME}: written with {versions[0]}, checked with {versions[1]}", file=sys.stderr)
    found = list(differences(NAME, committed, fresh))
    for difference in found:
        print(difference, file=sys.stderr)
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    args = parser.parse_args()
    document = generate()
    if args.check:
        return check(document)
    (HERE / NAME).write_text(dump(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
