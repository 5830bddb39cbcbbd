"""Writes the expected values that the tests of juggle-tuning read: parzen.json, pruners.json, importance.json, suggestions.json.

    pip install optuna==5.0.0
    python generate.py            # rewrite the files
    python generate.py --check    # compare with what is committed; exit status 1 when they differ

Versions are recorded in the files. Every random number is drawn from a seed and written to the file.
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
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.samplers._tpe import parzen_estimator
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights
from optuna.samplers._tpe._truncnorm import ppf
from optuna.trial import TrialState

import generate_tpe

FOLDER = pathlib.Path(__file__).parent
SEED = 20261125

DISTRIBUTIONS = {
    "float": FloatDistribution(-2.0, 3.0),
    "log": FloatDistribution(1e-5, 0.1, log=True),
    "step": FloatDistribution(0.0, 1.0, step=0.05),
    "int": IntDistribution(1, 1000, step=3),
    "log int": IntDistribution(1, 5000, log=True),
    "choice": CategoricalDistribution(["a", "b", "c"]),
}


def draw(rng, distribution, n):
    """Internal values; those of ints and steps do not repeat, since Optuna's order of equals is not defined."""
    if isinstance(distribution, CategoricalDistribution):
        return rng.integers(0, len(distribution.choices), n).astype(float)
    if distribution.log and isinstance(distribution, FloatDistribution):
        return np.exp(rng.uniform(math.log(distribution.low), math.log(distribution.high), n))
    if distribution.step is None:
        return rng.uniform(distribution.low, distribution.high, n)
    steps = round((distribution.high - distribution.low) / distribution.step) + 1
    return distribution.low + rng.choice(steps, n, replace=n > steps) * float(distribution.step)


def parzen():
    rng = np.random.default_rng(SEED)
    cases = []
    spaces = [[name] for name in DISTRIBUTIONS] + [["float", "log int", "choice"], list(DISTRIBUTIONS)]
    for names in spaces:
        for n, prior_weight, magic_clip in [(0, 1.0, True), (1, 1.0, True), (2, 1.0, True), (9, 0.3, True), (20, 1.0, False), (60, 1.0, True)]:
            if n > 20 and "step" in names:
                continue
            space = {name: DISTRIBUTIONS[name] for name in names}
            observations = {name: draw(rng, d, n) for name, d in space.items()}
            parameters = _ParzenEstimatorParameters(
                prior_weight=prior_weight, consider_magic_clip=magic_clip, consider_endpoints=False, weights=default_weights, multivariate=True
            )
            estimator = _ParzenEstimator(observations, space, parameters)
            rows = {name: draw(rng, d, 5) for name, d in space.items()}
            cases.append(
                {
                    "distributions": [distribution_to_json(d) for d in space.values()],
                    "prior_weight": prior_weight,
                    "magic_clip": magic_clip,
                    "observations": np.array(list(observations.values())).T.tolist(),
                    "rows": np.array(list(rows.values())).T.tolist(),
                    "log_densities": estimator.log_pdf(rows).tolist(),
                }
            )
    quantiles = []
    for a, b in [(-1.0, 2.0), (-30.0, -25.0), (3.0, 9.0), (-8.0, 8.0), (20.0, 21.0), (-0.01, 0.01)]:
        for q in [1e-9, 0.01, 0.3, 0.5, 0.9, 0.999]:
            quantiles.append([q, a, b, float(ppf(np.array([q]), a, b)[0])])
    return {"cases": cases, "quantiles": quantiles}


def pruner_of(settings):
    settings = dict(settings)
    return getattr(optuna.pruners, settings.pop("name"))(**settings)


PRUNERS = [
    {"name": "MedianPruner"},
    {"name": "MedianPruner", "n_startup_trials": 2, "n_warmup_steps": 3, "interval_steps": 2, "n_min_trials": 3},
    {"name": "PercentilePruner", "percentile": 25.0, "n_startup_trials": 1},
    {"name": "PercentilePruner", "percentile": 80.0, "n_startup_trials": 0, "interval_steps": 3},
    {"name": "SuccessiveHalvingPruner"},
    {"name": "SuccessiveHalvingPruner", "min_resource": 1, "reduction_factor": 2},
    {"name": "SuccessiveHalvingPruner", "min_resource": 2, "reduction_factor": 3, "min_early_stopping_rate": 1, "bootstrap_count": 2},
    {"name": "HyperbandPruner"},
    {"name": "HyperbandPruner", "min_resource": 1, "max_resource": 12, "reduction_factor": 2},
    {"name": "HyperbandPruner", "min_resource": 2, "max_resource": 30, "reduction_factor": 3, "bootstrap_count": 1},
]


def history(rng, settings, direction, holes):
    """Forty trials, up to five at a time; the events in the order in which they happened, with Optuna's decisions."""
    name = f"study {settings['name']} {direction}"
    study = optuna.create_study(study_name=name, direction=direction, pruner=pruner_of(settings))
    events, running, started = [], [], 0
    while started < 40 or running:
        if started < 40 and len(running) < 5 and (not running or rng.random() < 0.4):
            trial = study.ask()
            running.append({"trial": trial, "step": 0, "quality": rng.normal()})
            events.append(["begin", trial.number])
            started += 1
            continue
        at = rng.integers(len(running))
        worker = running[at]
        trial = worker["trial"]
        if worker["step"] >= 14:
            value = round(worker["quality"], 4)
            study.tell(trial, value)
            events.append(["complete", trial.number, value])
            del running[at]
            continue
        value = round(worker["quality"] + 2.0 / (worker["step"] + 1) + 0.3 * rng.normal(), 4)
        if holes and rng.random() < 0.03:
            value = math.nan
        if not (holes and rng.random() < 0.1):
            trial.report(value, worker["step"])
            pruned = bool(trial.should_prune())
            events.append(["report", trial.number, worker["step"], "nan" if math.isnan(value) else value, pruned])
            if pruned:
                study.tell(trial, state=TrialState.PRUNED)
                events.append(["prune", trial.number])
                del running[at]
                continue
        worker["step"] += 1
    return {"study_name": name, "direction": direction, "pruner": settings, "events": events}


def pruners():
    rng = np.random.default_rng(SEED)
    cases = [history(rng, settings, direction, holes) for settings in PRUNERS for direction in ("minimize", "maximize") for holes in (False, True)]
    return {"cases": cases}


def importance():
    cases = []
    for seed, direction, target, region in [(0, "minimize", 0.1, 1.0), (1, "maximize", 0.1, 1.0), (2, "minimize", 0.2, 0.6), (3, "minimize", 0.1, 1.0)]:
        study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed=seed))

        def objective(trial):
            x = trial.suggest_float("x", -3.0, 3.0)
            rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
            step = trial.suggest_float("step", 0.0, 1.0, step=0.25)
            width = trial.suggest_int("width", 8, 512, log=True)
            depth = trial.suggest_int("depth", 1, 6)
            kind = trial.suggest_categorical("kind", ["a", "b", "c"])
            trial.suggest_int("single", 4, 4)
            value = x * x + (math.log10(rate) + 3) ** 2 + 0.2 * step + 0.01 * depth + 0.1 * math.log(width)
            if kind == "a":
                value += trial.suggest_float("extra", 0.0, 2.0)
            elif kind == "b":
                # The same name over another range: a regime of its own.
                value += trial.suggest_float("extra", 0.0, 4.0)
            if trial.number % 17 == 5:
                raise optuna.TrialPruned
            if trial.number % 23 == 7:
                return math.inf
            return value if direction == "minimize" else -value

        study.optimize(objective, n_trials=15 if seed == 3 else 150)
        distributions = sorted({distribution_to_json(d) for t in study.trials for d in t.distributions.values()})
        evaluator = PedAnovaImportanceEvaluator(target_quantile=target, region_quantile=region)
        cases.append(
            {
                "direction": direction,
                "target_quantile": target,
                "region_quantile": region,
                "distributions": distributions,
                "trials": [
                    {
                        "state": t.state.name,
                        "value": None if t.value is None else ("inf" if math.isinf(t.value) else t.value),
                        "params": {k: [d.to_internal_repr(t.params[k]), distributions.index(distribution_to_json(d))] for k, d in t.distributions.items()},
                    }
                    for t in study.trials
                ],
                "importances": get_param_importances(study, evaluator=evaluator),
            }
        )
    return {"cases": cases}


class StableNumpy:
    """numpy whose argsort keeps the order of equals. The default's depends on the processor's vector instructions."""

    def __getattr__(self, name):
        return getattr(np, name)

    def argsort(self, values):
        return np.argsort(values, kind="stable")


def described(values):
    points = sorted(set(np.quantile(values, np.linspace(0.05, 0.95, 10), method="inverted_cdf").tolist()))
    return {
        "n": len(values),
        "mean": float(np.mean(values)),
        "deviation": float(np.std(values)),
        "shares_up_to": [[point, float(np.mean(np.array(values) <= point + 1e-9))] for point in points],
    }


def suggestions():
    """What TPE suggests next after a history, a thousand times: the mean, the deviation and some shares of each parameter's internal value."""
    parzen_estimator.np = StableNumpy()
    cases = []
    for function, n_trials in [("hartmann6", 60), ("mixed", 12), ("mixed", 30), ("mixed", 100)]:
        for multivariate in (False, True):
            sampler = optuna.samplers.TPESampler(seed=3, multivariate=multivariate)
            study = optuna.create_study(sampler=sampler)
            objective = generate_tpe.FUNCTIONS[function]

            def sometimes_pruned(trial):
                value = objective(trial)
                trial.report(value, trial.number % 4)
                if trial.number % 9 == 8:
                    raise optuna.TrialPruned
                return value

            study.optimize(sometimes_pruned, n_trials=n_trials)
            trials = [t for t in study.trials]
            drawn = {}
            for _ in range(1000):
                trial = study.ask()
                objective(trial)
                for name, distribution in trial.distributions.items():
                    internal = distribution.to_internal_repr(trial.params[name])
                    drawn.setdefault(name, []).append(math.log(internal) if getattr(distribution, "log", False) else internal)
                study.tell(trial, state=TrialState.FAIL)
            cases.append(
                {
                    "function": function,
                    "multivariate": multivariate,
                    "trials": [
                        {
                            "state": t.state.name,
                            "value": t.value,
                            "step": t.last_step,
                            "params": {k: d.to_internal_repr(t.params[k]) for k, d in t.distributions.items()},
                        }
                        for t in trials
                    ],
                    "drawn": {k: described(v) for k, v in sorted(drawn.items())},
                }
            )
    return {"cases": cases}


def dump(values):
    versions = {"python": platform.python_version(), "optuna": optuna.__version__, "numpy": np.__version__}
    fields = [f'"versions": {json.dumps(versions)}']
    for key, value in values.items():
        fields.append(f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(case) for case in value) + "\n]")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def differences(path, committed, fresh):
    """Floats may differ by 1e-9 of themselves; everything else not at all."""
    if isinstance(committed, dict) and isinstance(fresh, dict) and committed.keys() == fresh.keys():
        for key in committed:
            yield from differences(f"{path}.{key}", committed[key], fresh[key])
    elif isinstance(committed, list) and isinstance(fresh, list) and len(committed) == len(fresh):
        for i, pair in enumerate(zip(committed, fresh)):
            yield from differences(f"{path}[{i}]", *pair)
    elif isinstance(committed, float) and isinstance(fresh, float):
        if not math.isclose(committed, fresh, rel_tol=1e-9, abs_tol=1e-12):
            yield f"{path}: committed {committed!r}, now {fresh!r}"
    elif committed != fresh:
        yield f"{path}: committed {committed!r}, now {fresh!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing them")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    found = []
    for name, make in [("parzen.json", parzen), ("pruners.json", pruners), ("importance.json", importance), ("suggestions.json", suggestions)]:
        path, text = FOLDER / name, dump(make())
        if args.check:
            found += differences(name, json.loads(path.read_text(encoding="utf-8")), json.loads(text))
        else:
            path.write_text(text, encoding="utf-8")
    for difference in found:
        print(difference, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
