#!/usr/bin/env python3
"""Checks ONNX files of ours with the `onnx` package and runs them in onnxruntime.

Called by `cargo xtask interop`, which writes both folders:

    check_onnx.py --networks DIR --runs DIR --balls DIR --frames DIR --tutorial FILE

- NAME.onnx of a test's network beside NAME.safetensors with `images` and the `outputs` of our engine;
- RUN/model.onnx of `juggle export` beside what `juggle predict` and `juggle evaluate` say of the run.

Every model must pass onnx.checker with full_check, and strict shape inference must arrive at the shapes that the file states
itself. The outputs of a whole batch, and of its first image alone, must equal ours within 1e-5, absolute or relative to a
value above 1: both sides compute in float32 with sums in different orders. Last, the Python of the tutorial is run.
"""
import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import shape_inference
from PIL import Image
from safetensors.numpy import load_file

TOLERANCE = 1e-5
INPUT_FRAMES = 4
# Half a level of a PNG's 255, and what float32 adds.
HALF_A_LEVEL = 0.5 / 255 + TOLERANCE

n_failed = 0


def report(what, ok, detail):
    global n_failed
    n_failed += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {what}: {detail}")


def read_png(path):
    with Image.open(path) as image:
        return np.asarray(image, dtype=np.float32) / np.float32(255)


def sizes(value):
    """The batch axis, which has no size, and the others; inference gives it a new name behind every Resize."""
    batch, *rest = value.type.tensor_type.shape.dim
    return [not batch.HasField("dim_value"), *(dim.dim_value for dim in rest)]


def check_file(path):
    """Passes the file through onnx's own checks and gives a session."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    stated = {value.name: sizes(value) for value in [*model.graph.value_info, *model.graph.output]}
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for dim in bare.graph.output[0].type.tensor_type.shape.dim:
        dim.Clear()
    inferred = shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    found = {value.name: sizes(value) for value in [*inferred.graph.value_info, *inferred.graph.output]}
    report(f"{path.name}: shapes", found == stated, f"{len(found)} inferred as stated, opset {model.opset_import[0].version}")
    report(f"{path.name}: a name each", len({node.name for node in model.graph.node}) == len(model.graph.node), "")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # unread layers are no news
    return model, onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(session, images):
    (value,) = session.get_inputs()
    (outputs,) = session.run(None, {value.name: np.ascontiguousarray(images, dtype=np.float32)})
    return outputs


def compare(what, ours, theirs, tolerance=TOLERANCE):
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        return report(what, False, f"shapes {ours.shape} and {theirs.shape}")
    difference = float(np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(ours))))
    report(what, difference <= tolerance, f"largest difference {difference:.2e}, allowed {tolerance:.1e}")


def check_networks(folder):
    files = sorted(folder.glob("*.onnx"))
    assert len(files) >= 9, "a file for each network of the tests"
    for file in files:
        _, session = check_file(file)
        expected = load_file(file.with_suffix(".safetensors"))
        compare(f"{file.stem}: outputs", expected["outputs"], run(session, expected["images"]))
        compare(f"{file.stem}: one image", expected["outputs"][:1], run(session, expected["images"][:1]))


def metadata(model):
    return {entry.key: entry.value for entry in model.metadata_props}


def check_classifier(folder):
    model, session = check_file(folder / "model.onnx")
    entries = metadata(model)
    report(f"{folder.name}: classes", json.loads(entries["classes"]) == ["1", "2", "3"], entries["classes"])
    predictions = json.loads((folder / "predictions.json").read_text(encoding="utf-8"))
    images = np.stack([read_png(row["file"]) for row in predictions])[:, None]
    compare(f"{folder.name}: logits of {len(images)} PNG files", [row["logits"] for row in predictions], run(session, images))


def check_autoencoder(folder, frames):
    model, session = check_file(folder / "model.onnx")
    entries = metadata(model)
    report(f"{folder.name}: frames", entries["input_frames"] == str(INPUT_FRAMES), entries["input_frames"])
    clip = sorted(frames.glob("val/*"))[0]
    window = np.stack([read_png(file) for file in sorted(clip.glob("*.png"))[:INPUT_FRAMES]])
    predicted = sorted((folder / "next").glob("prediction_*.png"))
    assert len(predicted) == 5, "the frames that the roll-out was asked for"
    for file in predicted:
        frame = run(session, window[None])[0].clip(0, 1)
        compare(f"{folder.name}: {file.name}", read_png(file)[None], frame, HALF_A_LEVEL)
        window = np.concatenate([window[1:], frame])
    inputs, targets = [], []
    for clip in sorted(frames.glob("val/*")):
        images = np.stack([read_png(file) for file in sorted(clip.glob("*.png"))])
        for first in range(len(images) - INPUT_FRAMES):
            inputs.append(images[first : first + INPUT_FRAMES])
            targets.append(images[first + INPUT_FRAMES])
    loss = np.mean((run(session, np.stack(inputs))[:, 0].astype(np.float64) - np.stack(targets)) ** 2)
    evaluation = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert evaluation["n"] == len(targets), "the same windows"
    compare(f"{folder.name}: loss of {len(targets)} windows", evaluation["loss"], loss)


def check_tutorial(file, model, image):
    """Runs the tutorial's Python on a model and an image of ours in place of its own."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", file.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names = {"shapes.onnx": str(model), "new.png": str(image)}
    for name, ours in names.items():
        assert f'"{name}"' in code, f"the tutorial's Python opens {name}"
        code = code.replace(f'"{name}"', repr(ours))
    exec(compile(code, str(file), "exec"), {})
    report("tutorial", True, "its Python runs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for path in ("networks", "runs", "balls", "frames", "tutorial"):
        parser.add_argument(f"--{path}", type=Path, required=True)
    arguments = parser.parse_args()
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    check_networks(arguments.networks)
    models = sorted(arguments.runs.glob("*/model.onnx"))
    assert len(models) == 5, "a model for each run"
    for model in models:
        if model.parent.name.startswith("classifier"):
            check_classifier(model.parent)
        else:
            check_autoencoder(model.parent, arguments.frames)
    image = sorted(arguments.balls.glob("test/*/*.png"))[0]
    check_tutorial(arguments.tutorial, arguments.runs / "classifier" / "model.onnx", image)
    if n_failed:
        sys.exit(f"{n_failed} checks failed")


if __name__ == "__main__":
    main()
