"""A worker of a shared study, the twin of crates/tuning/examples/worker.rs in Python.

    worker.py ADDRESS STUDY TRIALS SEED MILLISECONDS

ADDRESS is journal:PATH, journal-open:SECONDS:PATH (the other lock, its grace period) or grpc://HOST:PORT. The number of each trial is printed when it is safe.
"""

import math
import os
import sys
import time
import warnings

import optuna

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def storage_of(address):
    if address.startswith("grpc://"):
        host, port = address.removeprefix("grpc://").split(":")
        return optuna.storages.GrpcStorageProxy(host=host, port=int(port))
    kind, path = address.split(":", 1)
    # The names before 4.0 are the only ones that 3.6 has.
    module = optuna.storages.journal if hasattr(optuna.storages, "journal") else optuna.storages
    backend = getattr(module, "JournalFileBackend", None) or module.JournalFileStorage
    lock = None
    if kind == "journal-open":
        seconds, path = path.split(":", 1)
        # 3.6 waits for a lock for ever.
        grace = {} if optuna.__version__.startswith("3.") else {"grace_period": int(seconds)}
        lock = module.JournalFileOpenLock(path, **grace)
    return optuna.storages.JournalStorage(backend(path, lock_obj=lock))


def objective(trial, seconds):
    x = trial.suggest_float("x", -5.0, 5.0)
    k = trial.suggest_int("k", 1, 64, log=True)
    kind = trial.suggest_categorical("kind", ["plain", "bent"])
    bend = trial.suggest_float("bend", 0.001, 1.0, log=True) if kind == "bent" else 0.0
    loss = (x - 1) ** 2 + math.log2(k) / 10 + bend
    for step in range(3):
        time.sleep(seconds / 3)
        trial.report(loss + 1 / (step + 1), step)
    trial.set_user_attr("worker", "python")
    trial.set_user_attr("pid", os.getpid())
    return loss


def main(address, name, n_trials, seed, milliseconds):
    sampler = optuna.samplers.TPESampler(seed=int(seed))
    study = optuna.create_study(storage=storage_of(address), study_name=name, sampler=sampler, load_if_exists=True)
    for _ in range(int(n_trials)):
        trial = study.ask()
        study.tell(trial, objective(trial, int(milliseconds) / 1000))
        print(trial.number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
