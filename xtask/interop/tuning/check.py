"""Studies shared between juggle-tuning and Optuna, and workers that die. `cargo xtask interop --only tuning` calls this.

    check.py --worker PROGRAM --python 3.6.2=PATH --python 4.5.0=PATH --python 5.0.0=PATH [--kills 100] [--only CHECK]

It runs under the newest of the Pythons. Every check prints a line with what was counted; the first that fails ends it.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings

import optuna
from optuna.trial import TrialState

import worker as python_worker

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
HERE = pathlib.Path(__file__).parent
STUDY = "shared"
VERSIONS = ("3.6.2", "4.5.0", "5.0.0")
# What any version reads of a journal, as JSON.
READ = """
import json, sys, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
from worker import storage_of
storage = storage_of("journal:" + sys.argv[2])
study_id = storage.get_study_id_from_name(sys.argv[3])
print(json.dumps([
    [t.number, t.state.name, t.values, t.params, sorted(t.intermediate_values.items()), t.user_attrs,
     t.datetime_start and t.datetime_start.timestamp(), t.datetime_complete and t.datetime_complete.timestamp()]
    for t in storage.get_all_trials(study_id)
]))
"""


class Peers:
    def __init__(self, args):
        self.rust = args.worker
        self.python = dict(pair.split("=", 1) for pair in args.python)
        self.kills = args.kills

    def start(self, who, address, n_trials, seed, milliseconds=0):
        program = [self.rust] if who == "rust" else [self.python[who], str(HERE / "worker.py")]
        command = program + [address, STUDY, str(n_trials), str(seed), str(milliseconds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def finish(self, who, address, n_trials, seed):
        process = self.start(who, address, n_trials, seed)
        out, _ = process.communicate()
        assert process.returncode == 0, f"{who} ended with {process.returncode}"
        return [int(line) for line in out.split()]

    def read(self, version, path):
        command = [self.python[version], "-c", READ, str(HERE), str(path), STUDY]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def read_rust(self, path):
        command = [self.rust, f"journal:{path}", STUDY, "show", "0"]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return [json.loads(line) for line in out.splitlines()]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    for _ in range(600):
        assert process.poll() is None, f"the server ended with {process.returncode}"
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens on port {port}")


def same(peers, path):
    """All versions and we read the same from a journal; what, is returned."""
    readings = [peers.read(version, path) for version in VERSIONS]
    for version, reading in zip(VERSIONS, readings):
        assert reading == readings[0], f"{version} reads something else than {VERSIONS[0]}"
    ours = peers.read_rust(path)
    assert len(ours) == len(readings[0])
    for trial, (number, state, values, params, intermediate, attrs, *_) in zip(ours, readings[0]):
        assert (trial["number"], trial["state"], trial["params"], trial["user_attrs"]) == (number, state, params, attrs), trial
        assert trial["values"] == (values or []), trial
        assert [[int(k), v] for k, v in trial["intermediate"].items()] == intermediate, trial
    return readings[0]


def check_turns(peers, folder):
    """Each side begins a journal, and the others continue it in turns."""
    for first in ("rust", *VERSIONS):
        path = folder / f"turns-{first}.log"
        order = [first, "rust", *VERSIONS, "rust"]
        # TPE has begun to learn after ten trials, so each side's sampler reads the other's.
        numbers = [n for i, who in enumerate(order) for n in peers.finish(who, f"journal:{path}", 6, i)]
        assert numbers == list(range(6 * len(order))), numbers
        trials = same(peers, path)
        assert all(t[1] == "COMPLETE" and len(t[4]) == 3 for t in trials)
        spread = max(t[6] for t in trials) - min(t[6] for t in trials)
        assert spread < 3600, f"start times are {spread} s apart: a time zone was lost"
        print(f"turns: {first} began, {len(order)} turns, {len(trials)} trials, read alike by {', '.join(VERSIONS)} and us")


def share(peers, address, pythons, read_trials):
    """Four workers of each kind at once; every trial is there once and was told by the one who ran it."""
    n_each = 12
    kinds = ["rust"] * 4 + pythons
    # The study is there before, since two who create it at once is another matter: databases refuse the second.
    peers.finish("rust", address, 0, 0)
    started = time.monotonic()
    workers = [(kind, peers.start(kind, address, n_each, seed, 15)) for seed, kind in enumerate(kinds)]
    told = {}
    try:
        for kind, process in workers:
            out, _ = process.communicate()
            assert process.returncode == 0, f"{kind} ended with {process.returncode}"
            for number in map(int, out.split()):
                assert number not in told, f"trial {number} was run twice"
                told[number] = "rust" if kind == "rust" else "python"
    finally:
        for _, process in workers:
            process.kill()
            process.wait()
    n_trials = n_each * len(kinds)
    assert sorted(told) == list(range(n_trials)), "a trial is lost"
    trials = read_trials()
    assert [t.number for t in trials] == list(range(n_trials))
    for trial in trials:
        assert trial.state == TrialState.COMPLETE and len(trial.intermediate_values) == 3, trial
        assert trial.user_attrs["worker"] == told[trial.number], trial
    return f"8 workers, 4 Rust and 4 Python ({', '.join(pythons)}), {n_trials} trials, none lost, none doubled, {time.monotonic() - started:.0f} s"


def check_journal(peers, folder):
    for kind, address in [("journal", f"journal:{folder}/link.log"), ("journal with the open lock", f"journal-open:30:{folder}/open.log")]:
        pythons = ["3.6.2", "4.5.0", "5.0.0", "5.0.0"]
        line = share(peers, address, pythons, lambda: trials_of(python_worker.storage_of(address)))
        if kind == "journal":
            same(peers, address.split(":", 1)[1])
        print(f"shared {kind}: {line}")


def trials_of(storage):
    return storage.get_all_trials(storage.get_study_id_from_name(STUDY))


SERVER = "import optuna, sys; optuna.storages.run_grpc_proxy_server(optuna.storages.RDBStorage(sys.argv[1]), host='127.0.0.1', port=int(sys.argv[2]))"


def share_by_proxy(peers, url):
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVER, url, str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        address = f"grpc://127.0.0.1:{port}"
        line = share(peers, address, ["4.5.0", "4.5.0", "5.0.0", "5.0.0"], lambda: trials_of(optuna.storages.RDBStorage(url)))
        # A worker that is killed: the next one fails its trial and runs it again with the same values.
        victim = peers.start("rust", address, 1, 0, 60_000)
        while not (running := [t for t in trials_of(optuna.storages.RDBStorage(url)) if t.state == TrialState.RUNNING and len(t.params) >= 3]):
            time.sleep(0.1)
        victim.kill()
        victim.wait()
        again = peers.finish("rust", address, 1, 0)
        trials = trials_of(optuna.storages.RDBStorage(url))
        assert trials[running[0].number].state == TrialState.FAIL
        assert trials[again[0]].params == trials[running[0].number].params and trials[again[0]].state == TrialState.COMPLETE
        assert trials[again[0]].system_attrs["failed_trial"] == running[0].number
        return f"{line}; a killed worker's trial was failed and run again"
    finally:
        server.terminate()
        server.wait()


def check_sqlite(peers, folder):
    print(f"shared proxy before SQLite: {share_by_proxy(peers, f'sqlite:///{folder}/study.db')}")


@contextlib.contextmanager
def postgresql():
    """A server of its own, by its address and version; None where PostgreSQL is not installed."""
    programs = {}
    for name in ("initdb", "postgres"):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        programs[name] = str(found[-1]) if found else shutil.which(name)
    if not all(programs.values()):
        yield None
        return
    # PostgreSQL refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    data = pathlib.Path(tempfile.mkdtemp(prefix="juggle-postgresql-"))
    if user:
        shutil.chown(data, "postgres")
    port = free_port()
    try:
        made = user + [programs["initdb"], "--pgdata", str(data / "db"), "--username", "juggle", "--auth", "trust"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=data)
        options = ["-D", str(data / "db"), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(data)]
        server = subprocess.Popen(user + [programs["postgres"], *options], stderr=subprocess.DEVNULL, cwd=data)
        try:
            wait_for(port, server)
            time.sleep(1)
            version = subprocess.run([programs["postgres"], "--version"], check=True, capture_output=True, text=True).stdout.split()[2]
            yield f"postgresql+psycopg2://juggle@127.0.0.1:{port}/postgres", version
        finally:
            # The process that was started is `runuser`, which keeps signals to itself.
            pid = (data / "db" / "postmaster.pid").read_text().split()[0]
            os.kill(int(pid), signal.SIGINT)
            server.wait()
    finally:
        shutil.rmtree(data, ignore_errors=True)


NO_POSTGRESQL = "NOT RUN, no PostgreSQL here (Debian: apt-get install postgresql)"


def check_postgresql(peers, folder):
    with postgresql() as found:
        if found is None:
            print(f"shared proxy before PostgreSQL: {NO_POSTGRESQL}")
            return
        url, version = found
        print(f"shared proxy before PostgreSQL {version}: {share_by_proxy(peers, url)}")


def check_dashboard(peers, folder):
    path = folder / "dashboard.log"
    peers.finish("rust", f"journal:{path}", 12, 0)
    port = free_port()
    program = pathlib.Path(sys.executable).parent / "optuna-dashboard"
    command = [sys.executable, str(program), str(path), "--storage-class", "JournalFileStorage", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, server)

        def get(place):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{place}", timeout=60) as answer:
                return json.load(answer)

        (summary,) = get("/api/studies")["study_summaries"]
        assert summary["study_name"] == STUDY, summary
        detail = get(f"/api/studies/{summary['study_id']}?after=0")
        assert [t["number"] for t in detail["trials"]] == list(range(12)), detail
        assert all(t["state"] == "Complete" and len(t["intermediate_values"]) == 3 for t in detail["trials"])
        print("dashboard: optuna-dashboard shows the study and its 12 trials")
    finally:
        server.terminate()
        server.wait()


def check_crash(peers, folder):
    """Workers are killed at random; Optuna reads the journal after every kill, and no finished trial changes."""
    path = folder / "crash.log"
    # A worker that is killed with the lock holds the others up for the grace period; Optuna's 30 seconds would make hours.
    address = f"journal-open:3:{path}"
    rng = random.Random(20261125)
    finished, told, seed, started = {}, set(), 0, time.monotonic()
    workers = []

    def start():
        nonlocal seed
        seed += 1
        process = peers.start("rust", address, 100_000, seed, 20)
        os.set_blocking(process.stdout.fileno(), False)
        workers.append([process, ""])

    def hear(entry):
        try:
            entry[1] += entry[0].stdout.read() or ""
        except (BlockingIOError, TypeError):
            pass
        whole, _, entry[1] = entry[1].rpartition("\n")
        for line in whole.split():
            assert int(line) not in told, f"trial {line} was told twice"
            told.add(int(line))

    try:
        for _ in range(4):
            start()
        kills = 0
        while kills < peers.kills:
            # Between two kills a trial ends, or all would wait for locks that the dead hold.
            n_told, patience = len(told), time.monotonic() + 60
            while len(told) == n_told:
                assert time.monotonic() < patience, f"no trial ends after kill {kills}"
                time.sleep(0.01)
                for entry in workers:
                    hear(entry)
            time.sleep(rng.uniform(0.0, 0.1))
            victim = workers.pop(rng.randrange(len(workers)))
            assert victim[0].poll() is None, f"a worker ended with {victim[0].returncode}"
            victim[0].kill()
            victim[0].wait()
            hear(victim)
            kills += 1
            for entry in workers:
                hear(entry)
            trials = trials_of(python_worker.storage_of(f"journal:{path}")) if told else []
            now = {t.number: (t.state, t.values, t.params, t.user_attrs) for t in trials if t.state.is_finished()}
            for number, content in finished.items():
                assert now.get(number) == content, f"trial {number} changed after kill {kills}: {content}, now {now.get(number)}"
            for number in told:
                assert now.get(number, [None])[0] == TrialState.COMPLETE, f"trial {number} was told and is not complete after kill {kills}"
            finished = now
            start()
    finally:
        for process, _ in workers:
            process.kill()
            process.wait()
    # The next worker clears up what all of them left, and every version reads the file.
    peers.finish("rust", address, 1, 0)
    trials = same(peers, path)
    states = {state: sum(t[1] == state for t in trials) for state in ("COMPLETE", "FAIL", "RUNNING", "WAITING")}
    assert states["RUNNING"] == 0, states
    print(
        f"crash: {kills} kills, read by Optuna after each, {len(told)} trials told and complete, {len(trials)} trials in all "
        f"({', '.join(f'{n} {state}' for state, n in states.items())}), {time.monotonic() - started:.0f} s"
    )


CHECKS = {
    "turns": check_turns,
    "journal": check_journal,
    "sqlite": check_sqlite,
    "postgresql": check_postgresql,
    "dashboard": check_dashboard,
    "crash": check_crash,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--python", action="append", required=True, metavar="VERSION=PATH")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--only", choices=CHECKS, action="append")
    args = parser.parse_args()
    peers = Peers(args)
    assert set(peers.python) == set(VERSIONS), peers.python
    with tempfile.TemporaryDirectory(prefix="juggle-tuning-") as folder:
        for name, check in CHECKS.items():
            if not args.only or name in args.only:
                check(peers, pathlib.Path(folder))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
