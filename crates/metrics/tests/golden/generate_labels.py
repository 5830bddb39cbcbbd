"""Writes the expected values that tests/it/labels.rs reads: labels.json.

    pip install numpy scikit-learn torch torchmetrics
    python generate_labels.py            # rewrite the file
    python generate_labels.py --check    # compare with what is committed; exit status 1 when they differ
    python generate_labels.py --seed 7 --output FILE    # other cases, into another file

Versions are recorded in the file. Every random number is drawn from a seed and written to the file.
"""

import argparse
import json
import pathlib
import platform
import sys
import warnings

import numpy as np
import sklearn
import torch
import torchmetrics
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_calibration_error

PATH = pathlib.Path(__file__).parent / "labels.json"
SEED = 20261124


def probabilities(rng, n, n_classes, sharpness):
    xs = np.exp(sharpness * rng.standard_normal((n, n_classes)))
    return xs / xs.sum(axis=1, keepdims=True)


def matrix_case(rng, n, n_classes, error_rate):
    truth = rng.integers(0, n_classes, n)
    predicted = np.where(rng.random(n) < error_rate, rng.integers(0, n_classes, n), truth)
    labels = range(n_classes)

    def finite(x):
        return float(x) if np.isfinite(x) else None

    kappa = {str(w): finite(metrics.cohen_kappa_score(truth, predicted, labels=labels, weights=w)) for w in (None, "linear", "quadratic")}
    normalized = {
        mode: metrics.confusion_matrix(truth, predicted, labels=labels, normalize=mode).tolist() for mode in ("true", "pred", "all")
    }
    return {
        "true_labels": truth.tolist(),
        "predicted_labels": predicted.tolist(),
        "n_classes": n_classes,
        "balanced_accuracy": float(metrics.balanced_accuracy_score(truth, predicted)),
        "matthews_corrcoef": float(metrics.matthews_corrcoef(truth, predicted)),
        "cohen_kappa": kappa,
        "normalized": normalized,
    }


def probability_case(rng, n, n_classes, sharpness):
    truth = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)])
    probs = probabilities(rng, n, n_classes, sharpness)
    labels = list(range(n_classes))
    top_k = {}
    if n_classes > 2:
        top_k = {str(k): float(metrics.top_k_accuracy_score(truth, probs, k=k, labels=labels)) for k in range(1, n_classes)}
    one_vs_rest = [float(metrics.roc_auc_score(truth == c, probs[:, c])) for c in labels]
    if n_classes > 2:
        assert abs(np.mean(one_vs_rest) - metrics.roc_auc_score(truth, probs, multi_class="ovr")) < 1e-12
    bins = {}
    for n_bins in (1, 10, 15):
        error = multiclass_calibration_error(torch.tensor(probs), torch.tensor(truth), n_classes, n_bins, "l1")
        bins[str(n_bins)] = float(error)
    return {
        "labels": truth.tolist(),
        "probabilities": probs.tolist(),
        "log_loss": float(metrics.log_loss(truth, probs, labels=labels)),
        "top_k_accuracy": top_k,
        "roc_auc_one_vs_rest": one_vs_rest,
        "calibration_error": bins,
    }


def ranking_case(rng, n, levels):
    is_positive = rng.random(n) < 0.4
    is_positive[:2] = [True, False]
    # Fractions with all their digits: read by a bit less, two that differ would be equal.
    scores = (rng.integers(0, levels, n) + levels // 3 * is_positive) / levels
    return {
        "is_positive": is_positive.tolist(),
        "scores": scores.tolist(),
        "roc_auc": float(metrics.roc_auc_score(is_positive, scores)),
        "average_precision": float(metrics.average_precision_score(is_positive, scores)),
    }


def generate(seed):
    rng = np.random.default_rng(seed)
    tie = np.array([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]])
    tied = [0, 1, 2]
    return {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "torchmetrics": torchmetrics.__version__,
        },
        "matrices": [
            matrix_case(rng, n, n_classes, rate)
            for n, n_classes, rate in [(1, 2, 1.0), (5, 2, 0.5), (40, 3, 0.3), (40, 3, 1.0), (200, 7, 0.2), (300, 40, 0.5), (60, 12, 0.0)]
        ],
        "probabilities": [
            probability_case(rng, n, n_classes, sharpness)
            for n, n_classes, sharpness in [(4, 2, 1.0), (60, 2, 2.0), (80, 3, 1.0), (50, 10, 3.0), (40, 5, 30.0)]
        ],
        "ties": {
            "labels": tied,
            "scores": tie.tolist(),
            "top_k_accuracy": {str(k): float(metrics.top_k_accuracy_score(tied, tie, k=k, labels=range(4))) for k in (1, 2, 3)},
        },
        "rankings": [ranking_case(rng, n, levels) for n, levels in [(2, 3), (7, 3), (50, 4), (200, 1000), (500, 2)]],
    }


def dump(document):
    """JSON with a case on each line."""
    fields = []
    for key, value in document.items():
        if isinstance(value, list):
            fields.append(f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(case) for case in value) + "\n]")
        else:
            fields.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def differences(path, committed, fresh):
    """Floats may differ by 1e-12, or by 1e-6 where torchmetrics computed in float32; everything else not at all."""
    if isinstance(committed, dict) and isinstance(fresh, dict) and committed.keys() == fresh.keys():
        for key in committed:
            yield from differences(f"{path}.{key}", committed[key], fresh[key])
    elif isinstance(committed, list) and isinstance(fresh, list) and len(committed) == len(fresh):
        for i, pair in enumerate(zip(committed, fresh)):
            yield from differences(f"{path}[{i}]", *pair)
    elif isinstance(committed, float) and isinstance(fresh, float):
        if abs(committed - fresh) > (1e-6 if "calibration_error" in path else 1e-12):
            yield f"{path}: committed {committed!r}, now {fresh!r}"
    elif committed != fresh:
        yield f"{path}: committed {committed!r}, now {fresh!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=pathlib.Path, default=PATH)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    text = dump(generate(args.seed))
    if not args.check:
        args.output.write_text(text, encoding="utf-8")
        return 0
    found = list(differences("labels.json", json.loads(PATH.read_text(encoding="utf-8")), json.loads(text)))
    for difference in found:
        print(difference, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
