"""`juggle tune` and Optuna on one study: in turns in a journal, and at once through the storage proxy, with a killed process.
`cargo xtask interop --only tuning` calls this.

    command.py --juggle PROGRAM --data FOLDER --python 3.6.2=PATH --python 4.5.0=PATH --python 5.0.0=PATH

It runs under the newest of the Pythons.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import optuna
from optuna.trial import TrialState

from check import HERE, NO_POSTGRESQL, SERVER, VERSIONS, free_port, postgresql, wait_for
from worker import storage_of

# A worker in Python of a study that juggle began: it draws from the same distribution and makes up the value.
WORKER = """
import math, sys, time, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
import optuna
from worker import storage_of
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name=sys.argv[3], storage=storage_of(sys.argv[2]))
for _ in range(int(sys.argv[4])):
    trial = study.ask()
    rate = trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
    time.sleep(float(sys.argv[5]))
    trial.report(9.0, 0)
    study.tell(trial, 9.0 + abs(math.log10(rate)))
    print(trial.number, flush=True)
"""


class Command:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder

    def line(self, name, storage, trials, more=()):
        return [
            self.args.juggle, "tune", "classifier", "--data", self.args.data, "--study", name, "--storage", storage, "--trials", str(trials),
            "--out", str(self.folder / name), "--only", "learning_rate=1e-4..1e-2:log", "--epochs", "2", "--folds", "2", "--pruner", "none",
            "--winner-seeds", "0", "--threads", "1", *more,
        ]

    def tune(self, name, storage, trials):
        subprocess.run(self.line(name, storage, trials), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, name, storage, trials):
        return subprocess.Popen(self.line(name, storage, trials), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def show(self, name, storage):
        line = [self.args.juggle, "tune", "--show", name, "--storage", storage, "--json"]
        return json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def python(self, version, name, storage, trials, pause=0.0):
        program = dict(pair.split("=", 1) for pair in self.args.python)[version]
        line = [program, "-c", WORKER, str(HERE), storage, name, str(trials), str(pause)]
        return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def of_optuna(storage, name):
    return storage.get_all_trials(storage.get_study_id_from_name(name))


def same(shown, trials):
    """What `juggle tune --show` says and what Optuna reads."""
    assert [t["number"] for t in shown["trials"]] == [t.number for t in trials]
    for ours, theirs in zip(shown["trials"], trials):
        assert (ours["state"], ours["value"], ours["params"]) == (theirs.state.name, theirs.value, theirs.params), (ours, theirs)
        assert dict(ours["intermediate"]) == theirs.intermediate_values, (ours, theirs)


def check_turns(command):
    name, storage = "turns", f"journal:{command.folder}/turns.log"
    n_trials = 2
    command.tune(name, storage, n_trials)
    for version in VERSIONS:
        worker = command.python(version, name, storage, 1)
        out, _ = worker.communicate()
        assert worker.returncode == 0 and out.split() == [str(n_trials)], (version, out)
        n_trials += 2
        command.tune(name, storage, n_trials)
    trials = of_optuna(storage_of(storage), name)
    same(command.show(name, storage), trials)
    assert len(trials) == n_trials and all(t.state == TrialState.COMPLETE for t in trials)
    trained = [t for t in trials if "juggle:parts" in t.user_attrs]
    assert len(trained) == n_trials - len(VERSIONS) and all(len(t.intermediate_values) == 2 for t in trained)
    for trial in trained:
        parts = trial.user_attrs["juggle:parts"]
        assert abs(trial.value - sum(parts) / len(parts)) < 1e-12, trial
    print(f"command in turns: {n_trials} trials by `juggle tune` and Optuna {', '.join(VERSIONS)}, read alike")


def check_proxy(command, url, database_name):
    name, port = f"proxy-{database_name.split()[0]}", free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVER, url, str(port)], stderr=subprocess.DEVNULL)
    processes = []
    try:
        wait_for(port, server)
        storage, n_trials = f"grpc://127.0.0.1:{port}", 16
        # The study is there before the others come: databases refuse the second of two who make it.
        command.tune(name, storage, 1)
        processes = [command.start(name, storage, n_trials) for _ in range(3)]
        processes += [command.python(version, name, storage, 2, 0.3) for version in VERSIONS[1:]]
        victim = processes[0]
        database = optuna.storages.RDBStorage(url)

        def is_at_work():
            trials = of_optuna(database, name)
            of_victim = [t for t in trials if t.system_attrs.get("juggle:worker", {}).get("pid") == victim.pid]
            return any(t.state == TrialState.RUNNING and t.params and t.intermediate_values for t in of_victim)

        began = time.monotonic()
        while not is_at_work():
            assert victim.poll() is None and time.monotonic() - began < 120, "the process that is to be killed never worked"
            time.sleep(0.02)
        victim.kill()
        victim.wait()
        for process in processes[1:]:
            process.communicate()
            assert process.returncode == 0, process.args
        # Whoever comes next takes up what the dead one left, if the others had ended before.
        command.tune(name, storage, n_trials)
        trials = of_optuna(database, name)
        states = {state.name: sum(t.state == state for t in trials) for state in TrialState}
        assert states["RUNNING"] == states["WAITING"] == 0 and states["FAIL"] == 1, states
        assert states["COMPLETE"] >= n_trials, states
        (failed,) = [t for t in trials if t.state == TrialState.FAIL]
        (again,) = [t for t in trials if t.system_attrs.get("failed_trial") == failed.number]
        assert again.params == failed.params and again.state == TrialState.COMPLETE
        same(command.show(name, storage), trials)
        print(f"command by proxy before {database_name}: 3 processes of `juggle tune`, one killed, and 2 of Optuna: {states['COMPLETE']} trials, the killed one's taken up again")
    finally:
        for process in [*processes, server]:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--juggle", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--python", action="append", required=True, metavar="VERSION=PATH")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="juggle-tune-") as folder:
        command = Command(args, pathlib.Path(folder))
        check_turns(command)
        sys.stdout.flush()
        check_proxy(command, f"sqlite:///{folder}/proxy.db", "SQLite")
        with postgresql() as found:
            if found is None:
                print(f"command by proxy before PostgreSQL: {NO_POSTGRESQL}")
            else:
                check_proxy(command, found[0], f"PostgreSQL {found[1]}")


if __name__ == "__main__":
    main()
