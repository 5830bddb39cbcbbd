"""Writes the expected values that tests/it/report_options.rs reads: report_options.json.

    pip install numpy scikit-learn
    python generate_report_options.py            # rewrite the file
    python generate_report_options.py --check    # compare with what is committed; exit status 1 when they differ
    python generate_report_options.py --seed 7 --output FILE    # other cases, into another file

Versions are recorded in the file. Every random number is drawn from a seed and written to the file.
"""

import argparse
import json
import math
import pathlib
import platform
import sys
import warnings

import numpy as np
import sklearn
from sklearn import metrics

PATH = pathlib.Path(__file__).parent / "report_options.json"
SEED = 20261125
ZERO_DIVISIONS = {"0": 0, "1": 1, "nan": np.nan}
BETAS = {"0": 0.0, "0.5": 0.5, "2": 2.0, "inf": math.inf}


def plain(x):
    """Without NaN, which JSON has not."""
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, np.ndarray)):
        return [plain(value) for value in x]
    return None if math.isnan(x) else float(x)


def weights_of(kind, rng, n):
    if kind is None:
        return None
    if kind == "whole":
        return np.append(rng.integers(0, 4, n - 1), 1).astype(float)
    return rng.random(n) * 10.0 ** rng.integers(-3, 3, n)


def case(rng, n, n_classes, rows, weights, zero_division, error_rate, as_text):
    names = [f"c{i}" for i in range(n_classes)]
    n_used = max(1, n_classes - 1)  # the last class has no image
    truth = rng.integers(0, n_used, n)
    predicted = np.where(rng.random(n) < error_rate, (truth + rng.integers(1, max(2, n_used), n)) % n_used, truth)
    sample_weight = weights_of(weights, rng, n)
    labels = list(range(n_classes)) if rows is None else rows
    options = {"sample_weight": sample_weight, "zero_division": ZERO_DIVISIONS[zero_division]}
    if as_text:
        y_true, y_pred = np.array(names)[truth], np.array(names)[predicted]
        selection = {"labels": None if rows is None else [names[i] for i in rows]}
        chosen = selection
    else:
        y_true, y_pred = truth, predicted
        selection = {"labels": None if rows is None and n_used == n_classes else labels}
        chosen = selection | {"target_names": [names[i] for i in labels]}
    f_beta = {}
    for name, beta in BETAS.items():
        score = lambda average: metrics.fbeta_score(y_true, y_pred, beta=beta, average=average, **selection, **options)
        f_beta[name] = {
            "classes": plain(score(None)),
            "micro_avg": plain(float(score("micro"))),
            "macro_avg": plain(float(score("macro"))),
            "weighted_avg": plain(float(score("weighted"))),
        }
    report = lambda **more: metrics.classification_report(y_true, y_pred, **chosen, **options, **more)
    return {
        "class_names": names,
        "as_text": as_text,
        "true_labels": truth.tolist(),
        "predicted_labels": predicted.tolist(),
        "labels": None if rows is None else [names[i] for i in rows],
        "sample_weight": None if sample_weight is None else sample_weight.tolist(),
        "zero_division": zero_division,
        "texts": [{"digits": digits, "text": report(digits=digits)} for digits in (2, 5)],
        "output_dict": plain(report(output_dict=True)),
        "f_beta": f_beta,
        "confusion_matrix": metrics.confusion_matrix(truth, predicted, labels=range(n_classes), sample_weight=sample_weight).tolist(),
    }


def generate(seed):
    rng = np.random.default_rng(seed)
    cases = []
    for n, n_classes, rate in [(1, 2, 0.0), (9, 3, 1.0), (30, 4, 0.4), (120, 12, 0.3), (260, 140, 0.2)]:
        choices = [None, [0], [n_classes - 1], list(range(n_classes))[::-1], sorted(rng.choice(n_classes, n_classes // 2, replace=False).tolist())]
        for rows in choices:
            for weights in (None, "whole", "fraction"):
                zero_division = rng.choice(list(ZERO_DIVISIONS))
                if n_classes > 100 and (weights == "whole" or rows == choices[3]):
                    continue  # a large file, and nothing new
                cases.append(case(rng, n, n_classes, rows, weights, str(zero_division), rate, bool(rng.random() < 0.5)))
    cases.append(case(rng, 30, 4, [1, 1, 2], "fraction", "0", 0.4, False))
    return {
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "cases": cases,
    }


def dump(document):
    """JSON with a case on each line."""
    cases = ",\n".join(json.dumps(case) for case in document["cases"])
    return f'{{\n"versions": {json.dumps(document["versions"])},\n"cases": [\n{cases}\n]\n}}\n'


def differences(path, committed, fresh):
    """Floats may differ by 1e-12, everything else not at all."""
    if isinstance(committed, dict) and isinstance(fresh, dict) and list(committed) == list(fresh):
        for key in committed:
            yield from differences(f"{path}.{key}", committed[key], fresh[key])
    elif isinstance(committed, list) and isinstance(fresh, list) and len(committed) == len(fresh):
        for i, pair in enumerate(zip(committed, fresh)):
            yield from differences(f"{path}[{i}]", *pair)
    elif isinstance(committed, float) and isinstance(fresh, float):
        if abs(committed - fresh) > 1e-12:
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
    found = list(differences(PATH.name, json.loads(PATH.read_text(encoding="utf-8")), json.loads(text)))
    for difference in found[:20]:
        print(difference, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
