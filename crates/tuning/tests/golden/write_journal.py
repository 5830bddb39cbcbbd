"""Writes a journal with all kinds of records by the installed Optuna, and what Optuna reads from it.

    pip install optuna==VERSION
    python write_journal.py FOLDER    # FOLDER/VERSION.log and FOLDER/VERSION.json

The committed files are from 3.6.2, 4.5.0 and 5.0.0. Times and worker names in them differ from run to run.
"""

import json
import math
import pathlib
import sys
import warnings

import optuna
from optuna.trial import TrialState

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def storage_of(path):
    if hasattr(optuna.storages, "journal"):
        backend = optuna.storages.journal.JournalFileBackend(str(path))
    else:
        backend = optuna.storages.JournalFileStorage(str(path))
    return optuna.storages.JournalStorage(backend)


def objective(trial):
    x = trial.suggest_float("x", -5, 5)
    rate = trial.suggest_float("rate", 1e-5, 0.1, log=True)
    part = trial.suggest_float("part", 0, 1, step=0.25)
    n = trial.suggest_int("n", 2, 20, step=3)
    width = trial.suggest_int("width", 1, 100, log=True)
    kind = trial.suggest_categorical("kind", ["ä", 1, True, 0.5, None])
    trial.set_user_attr("note", {"deep": [1, "zwei", None], "nan": "NaN"})
    trial.report(math.nan if trial.number == 1 else x, 0)
    trial.report(math.inf if trial.number == 2 else x, 3)
    if trial.number == 3:
        raise optuna.TrialPruned
    if trial.number == 4:
        raise ValueError
    if trial.number == 5:
        return -math.inf
    return x * x + rate + part + n + width + (kind is None)


def number(x):
    return x if math.isfinite(x) else str(x).replace("nan", "NaN")


def summary(storage):
    studies = []
    for record in storage.get_all_studies():
        trials = [
            {
                "number": t.number,
                "state": t.state.name,
                "values": [number(v) for v in t.values or []],
                "params": dict(sorted(t.params.items())),
                "intermediate": {str(k): number(v) for k, v in t.intermediate_values.items()},
                "user_attrs": t.user_attrs,
                "system_attrs": t.system_attrs,
                "has_started": t.datetime_start is not None,
                "has_completed": t.datetime_complete is not None,
            }
            for t in storage.get_all_trials(record._study_id)
        ]
        directions = [d.name.lower() for d in record.directions]
        studies.append({"name": record.study_name, "directions": directions, "user_attrs": record.user_attrs, "trials": trials})
    return studies


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{optuna.__version__}.log"
    path.unlink(missing_ok=True)
    storage = storage_of(path)
    gone = optuna.create_study(storage=storage, study_name="gone")
    gone.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    study = optuna.create_study(storage=storage, study_name="first", sampler=optuna.samplers.RandomSampler(seed=1))
    study.set_user_attr("who", "python")
    optuna.delete_study(storage=storage, study_name="gone")
    study.optimize(objective, n_trials=6, catch=(ValueError,))
    study.enqueue_trial({"x": 0.5}, user_attrs={"memo": "queued"})
    study.ask()
    study.enqueue_trial({"x": 0.75})
    study.add_trial(
        optuna.create_trial(
            state=TrialState.COMPLETE, value=1.5, params={"x": 0.25}, distributions={"x": optuna.distributions.FloatDistribution(-5, 5)}, intermediate_values={0: 2.0}
        )
    )
    running = study.ask()
    running.suggest_float("x", -5, 5)
    two = optuna.create_study(storage=storage, study_name="two goals", directions=["minimize", "maximize"])
    two.optimize(lambda trial: (trial.suggest_float("y", 0, 1), 2.0), n_trials=2)
    text = json.dumps(summary(storage_of(path)), indent=1)
    (folder / f"{optuna.__version__}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
