"""Writes tpe.json: the best value after 100 trials of Optuna's TPE on three functions, for fifty seeds.

    pip install optuna==5.0.0
    python generate_tpe.py            # rewrite the file (minutes)
    python generate_tpe.py --check    # two seeds of each against what is committed; exit status 1 when they differ
    python generate_tpe.py --seeds 200 --output FILE    # more seeds, for JUGGLE_TPE_GOLDEN=FILE cargo test benchmark

The functions are those of tests/it/benchmark.rs.
"""

import argparse
import json
import math
import pathlib
import platform
import sys
import warnings

import numpy as np
import optuna

PATH = pathlib.Path(__file__).parent / "tpe.json"
N_SEEDS, N_TRIALS = 50, 100

A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991], [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]


def branin(trial):
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    return (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann6(trial):
    xs = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    return -sum(
        alpha * math.exp(-sum(a * (x - 1e-4 * p) ** 2 for a, p, x in zip(row, centre, xs)))
        for alpha, row, centre in zip([1.0, 1.2, 3.0, 3.2], A, P)
    )


def mixed(trial):
    """What a search for a network looks like: a rate on a log scale, an int, a choice, and a value that only one choice has."""
    rate = trial.suggest_float("rate", 1e-5, 1.0, log=True)
    width = trial.suggest_int("width", 4, 512, log=True)
    dropout = trial.suggest_float("dropout", 0.0, 0.5, step=0.05)
    kind = trial.suggest_categorical("kind", ["adam", "sgd", "none"])
    loss = (math.log10(rate) + 2.5) ** 2 + 0.5 * (math.log2(width) - 6) ** 2 + 4 * (dropout - 0.2) ** 2
    if kind == "sgd":
        return loss + 2 * (trial.suggest_float("momentum", 0.0, 1.0) - 0.9) ** 2
    return loss + {"adam": 0.3, "none": 2.0}[kind]


FUNCTIONS = {"branin": branin, "hartmann6": hartmann6, "mixed": mixed}


def best(function, multivariate, seed):
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=multivariate)
    study = optuna.create_study(sampler=sampler)
    study.optimize(FUNCTIONS[function], n_trials=N_TRIALS)
    return study.best_value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    parser.add_argument("--output", type=pathlib.Path, default=PATH)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    cases = [(function, multivariate) for function in FUNCTIONS for multivariate in (False, True)]
    if args.check:
        committed = json.loads(PATH.read_text(encoding="utf-8"))
        different = False
        for (function, multivariate), case in zip(cases, committed["cases"]):
            for seed in (0, N_SEEDS - 1):
                now, then = best(function, multivariate, seed), case["best_values"][seed]
                if not math.isclose(now, then, rel_tol=1e-6):
                    print(f"{function}, multivariate {multivariate}, seed {seed}: committed {then!r}, now {now!r}", file=sys.stderr)
                    different = True
        return 1 if different else 0
    versions = {"python": platform.python_version(), "optuna": optuna.__version__, "numpy": np.__version__}
    lines = []
    for function, multivariate in cases:
        values = [best(function, multivariate, seed) for seed in range(args.seeds)]
        lines.append(json.dumps({"function": function, "multivariate": multivariate, "best_values": values}))
    text = f'{{\n"versions": {json.dumps(versions)},\n"n_trials": {N_TRIALS},\n"cases": [\n' + ",\n".join(lines) + "\n]\n}\n"
    args.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
