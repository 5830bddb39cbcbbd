"""Reads event files that `juggle train` wrote with the tensorboard package, as `cargo xtask interop` does.

    python read_tensorboard.py --runs FOLDER

Every run of the folder must have, read by tensorboard's own readers:
- the scalars of `events.jsonl`, each step once and in order;
- a picture of predictions an epoch that decodes;
- a histogram of every weight an epoch: its buckets hold as many values as the tensor has, and those of the last epoch are numpy's
  for `last.safetensors`; a histogram of every parameter's gradient;
- the configuration as a text, equal to `config.toml`;
- one row of the HParams page with the values of `config.toml` and the metrics of the last epoch.
"""
import argparse
import io
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, event_accumulator, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups, metadata
from tensorboard.util import tensor_util


class Checks:
    def __init__(self):
        self.n, self.failures = 0, []

    def equal(self, what, expected, found):
        self.n += 1
        if expected != found:
            self.failures.append(f"{what}: expected {expected!r}, found {found!r}")


def read_events(run):
    events = [json.loads(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    return [e for e in events if e["kind"] == "step"], [e for e in events if e["kind"] == "epoch"]


def nearest(value):
    """The curves' points are float32; an infinite PSNR is a text in JSON."""
    return float(np.float32(float(value)))


def check_scalars(checks, name, reader, steps, epochs):
    expected = {"loss/step": [(e["step"], nearest(e["loss"])) for e in steps]}
    expected["learning_rate"] = [(e["step"], nearest(e["learning_rate"])) for e in epochs]
    for split in ["train", "val"]:
        for metric in epochs[0][split]:
            expected[f"{metric}/{split}"] = [(e["step"], nearest(e[split][metric])) for e in epochs]
    tags = set(reader.Tags()["scalars"])
    checks.equal(f"{name}: curves", sorted([*expected, "images_per_s"]), sorted(tags))
    for tag, points in expected.items():
        if tag in tags:
            checks.equal(f"{name}: {tag}", points, [(e.step, e.value) for e in reader.Scalars(tag)])
    speed = reader.Scalars("images_per_s")
    checks.equal(f"{name}: images_per_s", [e["step"] for e in epochs], [e.step for e in speed])
    checks.equal(f"{name}: images_per_s are positive", True, all(e.value > 0 for e in speed))


def check_pictures(checks, name, reader, epochs):
    pictures = reader.Images("predictions")
    checks.equal(f"{name}: pictures", [e["step"] for e in epochs], [e.step for e in pictures])
    for picture in pictures:
        image = Image.open(io.BytesIO(picture.encoded_image_string))
        image.load()
        checks.equal(f"{name}: size of a picture", (picture.width, picture.height), image.size)
        checks.equal(f"{name}: a picture is not one color", True, len(np.unique(np.asarray(image))) > 2)


def check_histograms(checks, name, reader, run, epochs):
    weights = {f"weights/{key}": value for key, value in load_file(run / "last.safetensors").items() if value.dtype == np.float32}
    running = ("running_mean", "running_var")
    gradients = {"gradients" + tag.removeprefix("weights"): v for tag, v in weights.items() if not tag.endswith(running)}
    checks.equal(f"{name}: histograms", sorted({**weights, **gradients}), sorted(reader.Tags()["histograms"]))
    for tag, values in {**weights, **gradients}.items():
        histograms = reader.Histograms(tag)
        checks.equal(f"{name}: {tag}", [e["step"] for e in epochs], [e.step for e in histograms])
        for event in histograms:
            checks.equal(f"{name}: values in {tag}", values.size, sum(event.histogram_value.bucket))
    for tag, values in weights.items():
        last = reader.Histograms(tag)[-1].histogram_value
        values = values.astype(np.float64).ravel()
        checks.equal(f"{name}: ends of {tag}", (values.min(), values.max()), (last.min, last.max))
        # The edges are those of the file; a value on one of them may be on either side of it for numpy.
        edges = np.array([last.min, *last.bucket_limit])
        if len(edges) > 2:
            counts = np.histogram(values, edges)[0]
            on_edges = np.isin(values, edges).sum()
            differences = np.abs(counts - np.array(last.bucket)).sum()
            checks.equal(f"{name}: buckets of {tag}", True, differences <= 2 * on_edges)


def check_text(checks, name, reader, run):
    events = reader.Tensors("config")
    checks.equal(f"{name}: texts of the configuration", 1, len(events))
    text = tensor_util.make_ndarray(events[0].tensor_proto).item().decode()
    config = (run / "config.toml").read_text(encoding="utf-8")
    body = text.removeprefix("```toml\n").removesuffix("```")
    # What may change when a run is resumed; the text is that of the beginning.
    first, now = tomllib.loads(body), tomllib.loads(config)
    for settings in [first, now]:
        settings["training"].pop("epochs")
        settings.pop("saving")
    checks.equal(f"{name}: text of the configuration", now, first)


def flattened(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def check_hparams(checks, runs):
    """The rows of the page as its own backend lists them."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(runs))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(runs))
    page = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    ctx, experiment_id = context.RequestContext(), "experiment"
    contents = page.hparams_metadata(ctx, experiment_id)
    experiment = page.experiment_from_metadata(ctx, experiment_id, True, contents, [])
    columns = {info.name for info in experiment.hparam_infos}
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=100, allowed_statuses=[api_pb2.STATUS_SUCCESS], include_metrics=True,
        col_params=[api_pb2.ColParams(metric=info.name) for info in experiment.metric_infos])
    handler = list_session_groups.Handler(ctx, page, experiment_id, request)
    rows = {group.sessions[0].name: group for group in handler.run().session_groups}
    names = {f"{run.name}/tensorboard" for run in run_folders(runs)}
    checks.equal("HParams page: finished runs", names, set(rows))
    for run in run_folders(runs):
        group = rows.get(f"{run.name}/tensorboard")
        if group is None:
            continue
        config = dict(flattened(tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))))
        shown = {key: value for key, value in config.items() if key in columns}
        found = {}
        for key, value in group.hparams.items():
            found[key] = getattr(value, value.WhichOneof("kind"))
        for key, value in shown.items():
            if key == "training.epochs":
                continue
            value = json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value
            checks.equal(f"{run.name}: hyper-parameter {key}", value, found.get(key))
        checks.equal(f"{run.name}: hyper-parameters", sorted(shown), sorted(found))
        metrics = {m.name.tag: (m.training_step, m.value) for m in group.sessions[0].metric_values}
        last = read_events(run)[1][-1]
        expected = {f"{key}/val": (last["step"], nearest(value)) for key, value in last["val"].items()}
        checks.equal(f"{run.name}: metrics of the HParams page", expected, metrics)


def check_records(checks, name, file):
    """All records in the order of the file: steps never fall, and none is there twice."""
    loader = event_accumulator.event_file_loader.LegacyEventFileLoader(str(file))
    steps, seen = [], set()
    for event in loader.Load():
        steps.append(event.step)
        for value in event.summary.value:
            key = (event.step, value.tag)
            checks.equal(f"{name}: {key} is there once", False, key in seen)
            seen.add(key)
    checks.equal(f"{name}: steps in order", sorted(steps), steps)


def run_folders(runs):
    return sorted(path.parent for path in runs.glob("*/config.toml"))


def check_run(checks, run):
    name = run.name
    files = list((run / "tensorboard").iterdir())
    checks.equal(f"{name}: event files", 1, len(files))
    check_records(checks, name, files[0])
    everything = {kind: 0 for kind in event_accumulator.DEFAULT_SIZE_GUIDANCE}
    reader = event_accumulator.EventAccumulator(str(files[0]), size_guidance=everything)
    reader.Reload()
    steps, epochs = read_events(run)
    check_scalars(checks, name, reader, steps, epochs)
    check_pictures(checks, name, reader, epochs)
    check_histograms(checks, name, reader, run, epochs)
    check_text(checks, name, reader, run)
    tags = set(reader.Tags()["tensors"])
    checks.equal(f"{name}: HParams records", True, {metadata.EXPERIMENT_TAG, metadata.SESSION_START_INFO_TAG} <= tags)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True)
    runs = parser.parse_args().runs
    checks = Checks()
    found = run_folders(runs)
    for run in found:
        check_run(checks, run)
    check_hparams(checks, runs)
    for failure in checks.failures:
        print(failure, file=sys.stderr)
    print(f"tensorboard: {len(found)} runs, {checks.n} comparisons, {len(checks.failures)} failed")
    return 1 if checks.failures or not found else 0


if __name__ == "__main__":
    sys.exit(main())
