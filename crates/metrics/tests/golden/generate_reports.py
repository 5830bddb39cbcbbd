"""Writes the expected values that tests/it/golden.rs reads: reports.json.

    pip install numpy scikit-learn
    python generate_reports.py            # rewrite the file
    python generate_reports.py --check    # compare with what is committed; exit status 1 when they differ

Versions are recorded in the file.
"""

import argparse
import json
import pathlib
import platform
import sys
import warnings

import numpy as np
import sklearn
from sklearn.metrics import classification_report, confusion_matrix

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1


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


# --- reports ----------------------------------------------------------------------------------------


def noisy_labels(rng, n, n_classes, error_rate):
    truth = [rng.below(n_classes) for _ in range(n)]
    predicted = [rng.below(n_classes) if rng.unit() < error_rate else t for t in truth]
    return truth, predicted


def report_case(name, truth, predicted, all_digits=(2,), **kwargs):
    def run(**more):
        return classification_report(truth, predicted, **kwargs, **more)

    output_dict = run(output_dict=True)
    case = {
        "name": name,
        "true_labels": truth,
        "predicted_labels": predicted,
        "texts": [{"digits": digits, "text": run(digits=digits)} for digits in all_digits],
        "accuracy": float(np.mean(np.array(truth) == np.array(predicted))),
        # As a string, so that the order of keys and the last digit of every number are compared.
        "output_dict": json.dumps(output_dict, ensure_ascii=False, separators=(",", ":")),
    }
    if "target_names" in kwargs:
        n_classes = len(kwargs["target_names"])
        case["class_names"] = kwargs["target_names"]
        if n_classes <= 30:
            matrix = confusion_matrix(truth, predicted, labels=range(n_classes))
            case["confusion_matrix"] = matrix.tolist()
    return case


def index_cases():
    """Class indices and names: labels=range(n_classes). Without a right prediction, support prints as a float."""
    rng = SplitMix64(20)
    digits = (0, 1, 2, 3, 4, 5)

    def case(name, truth, predicted, names, all_digits=digits):
        return report_case(name, truth, predicted, all_digits, labels=range(len(names)), target_names=names)

    names = ["class 0", "class 1", "class 2"]
    yield case("documentation example", [0, 1, 2, 2, 2], [0, 0, 2, 2, 1], names, (*digits, 17))
    sizes = [(2, 50, 0.3), (3, 200, 0.2), (3, 65, 0.9), (7, 100, 0.5), (8, 100, 0.5), (9, 100, 0.5)]
    for n_classes, n, error_rate in sizes:
        names = [str(i + 1) for i in range(n_classes)]
        labels = noisy_labels(rng, n, n_classes, error_rate)
        yield case(f"{n_classes} classes, {n} labels", *labels, names)
    for n_classes, n in [(10, 1000), (30, 500), (150, 700), (301, 900)]:
        names = [f"class {i}" for i in range(n_classes)]
        labels = noisy_labels(rng, n, n_classes, 0.4)
        yield case(f"{n_classes} classes, {n} labels", *labels, names, (2,) if n_classes > 30 else digits)
    for repeat in range(40):
        n_classes = 2 + rng.below(20)
        labels = noisy_labels(rng, 1 + rng.below(64), n_classes, rng.unit())
        yield case(f"fuzz {repeat}", *labels, [str(i) for i in range(n_classes)], (2, 4))
    yield case("all right", [0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2], ["one", "two", "three"])
    yield case("all wrong", [0, 1, 2, 0, 1, 2], [1, 2, 0, 2, 0, 1], ["one", "two", "three"])
    yield case("a class never predicted", [0, 1, 2, 2], [0, 1, 1, 0], ["one", "two", "three"])
    yield case("a class never true", [0, 1, 1, 0], [0, 1, 2, 2], ["one", "two", "three"])
    yield case("a class neither true nor predicted", [0, 2, 2, 0], [0, 2, 0, 0], ["one", "two", "three"])
    yield case("the last class without a label", [0, 1, 1, 0], [0, 1, 0, 0], ["one", "two", "three"])
    yield case("single class", [0, 0, 0], [0, 0, 0], ["only"])
    yield case("single label", [1], [0], ["a", "b"])
    truth, predicted = [0] * 65 + [1] * 68 + [2] * 67, [0] * 68 + [1] * 90 + [2] * 42
    yield case("sorted labels", truth, predicted, ["1", "2", "3"])
    yield case("ties of rounding", [0] * 8 + [1] * 8, [0] * 1 + [1] * 7 + [1] * 3 + [0] * 5, ["eighths", "more"])
    yield case("halves", [0, 0, 1, 1], [0, 1, 1, 0], ["a", "b"])
    yield case("long names", [0, 1, 1], [0, 1, 0], ["a name of more than twelve characters", "b"])
    yield case("twelve and thirteen characters", [0, 1, 1], [0, 1, 0], ["a" * 12, "b" * 13])
    names = ["Würfel", "球球球球球球球球球球球球球球", "e\u0301toile 🎱"]
    yield case("non-ASCII names", [0, 1, 2, 2], [0, 1, 2, 0], names)
    yield case("empty name", [0, 1, 1], [0, 1, 0], ["", "b"])
    yield case("names with quotes and spaces", [0, 1, 1], [0, 1, 0], [' "a\\b"\t', "b\nc"])
    yield case("repeated names", [0, 1, 2, 2], [0, 1, 2, 0], ["same", "other", "same"])
    yield case("a class called macro avg", [0, 1, 2, 2], [0, 1, 2, 0], ["macro avg", "other", "weighted avg"])
    yield case("a class called accuracy", [0, 1, 2, 2], [0, 1, 2, 0], ["accuracy", "one", "two"])


def text_cases():
    """Labels as text: classes are the labels that occur."""
    rng = SplitMix64(21)
    animals = ["cat", "dog", "bird", "Ant", "ant", "Zebra", "éléphant", "球", "🐙", "10", "9", ""]
    truth, predicted = noisy_labels(rng, 120, len(animals), 0.3)
    yield report_case("text", [animals[t] for t in truth], [animals[p] for p in predicted])
    yield report_case("two words", ["yes", "no", "no"], ["yes", "yes", "no"])
    yield report_case("one word", ["yes", "yes"], ["yes", "yes"])
    yield report_case("no label in common", ["a", "b"], ["c", "d"])
    yield report_case("numbers among words", ["1", "2", "ten", "10"], ["1", "10", "ten", "2"])
    yield report_case("not integers", ["1.5", "10.5", "9.5"], ["1.5", "9.5", "9.5"])
    yield report_case("spaces are kept", ["a", " a", "a "], ["a", "a", " a"])
    yield report_case("beyond the basic plane", ["\uffff", "\U00010000", "\ue000"], ["\uffff", "\uffff", "\ue000"])


def integer_cases():
    """Labels that Python reads as integers, and the tests as text."""
    rng = SplitMix64(22)
    truth, predicted = noisy_labels(rng, 150, 12, 0.3)
    yield report_case("integers", truth, predicted)
    yield report_case("sparse integers", [3 * t - 5 for t in truth], [3 * p - 5 for p in predicted])
    yield report_case("long integers", [-(2**63), 2**63 - 1, 0], [0, 2**63 - 1, 0])


# --- files ------------------------------------------------------------------------------------------


def generate():
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }
    return {
        "reports.json": {
            "versions": versions,
            "index": list(index_cases()),
            "text": list(text_cases()),
            "integer": list(integer_cases()),
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
    """Floats may differ by 1e-12, everything else not at all."""
    if isinstance(committed, dict) and isinstance(fresh, dict) and committed.keys() == fresh.keys():
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
    args = parser.parse_args()
    # scikit-learn warns of every division by zero, which is what half of the cases are about.
    warnings.simplefilter("ignore")
    documents = generate()
    if args.check:
        return check(documents)
    for name, document in documents.items():
        (HERE / name).write_text(dump(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
