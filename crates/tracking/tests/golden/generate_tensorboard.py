"""Writes the expected bytes that tests/it/tensorboard.rs reads: tensorboard.json.

    pip install numpy pillow tensorboard
    python generate_tensorboard.py            # rewrite the file
    python generate_tensorboard.py --check    # compare with what is committed; exit status 1 when they differ

Everything is made by the tensorboard package itself: its messages, its plugins' metadata, its histogram, its record writer.
Versions are recorded in the file.
"""

import argparse
import io
import json
import pathlib
import platform
import sys

import google.protobuf
import numpy as np
import PIL
import tensorboard
from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.histogram import summary_v2 as histogram_summary
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

HERE = pathlib.Path(__file__).parent
NAME = "tensorboard.json"
TEXT = "```toml\nkind = \"classifier\"\n```\nzwölf Bälle"

# --- histograms -------------------------------------------------------------------------------------


def values(name):
    """What tests/it/tensorboard.rs draws too, without a generator that would have to be the same in both."""
    n = np.arange(1000, dtype=np.float32)
    return {
        "quadratic residues": ((n * n) % 997) / np.float32(997) - np.float32(0.5),
        "two": np.array([-1.5, 2.25], dtype=np.float32),
        "far apart": np.array([-3e38, -1.0, 0.0, 1e-40, 1.0, 3e38], dtype=np.float32),
        "smallest numbers": np.array([0.0, 1e-45, 3e-45], dtype=np.float32),
    }[name]


def histograms():
    for name, n_buckets in [("quadratic residues", 64), ("quadratic residues", 7), ("two", 3), ("far apart", 5),
                            ("smallest numbers", 4)]:
        summary = histogram_summary.histogram_pb("x", values(name), buckets=n_buckets)
        rows = tensor_util.make_ndarray(summary.value[0].tensor)
        yield {
            "name": name,
            "n_buckets": n_buckets,
            # Bit for bit: parsers of JSON round numbers.
            "edges": np.append(rows[:, 0], rows[-1, 1]).astype("<f8").tobytes().hex(),
            "counts": rows[:, 2].astype(int).tolist(),
        }


# --- a file -----------------------------------------------------------------------------------------


def png(mode, size):
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, format="png")
    return buffer.getvalue()


def hparams(tag, **data):
    data = plugin_data_pb2.HParamsPluginData(**data)
    metadata = hparams_metadata.create_summary_metadata(data)
    # The same message with its map in the order of its keys.
    metadata.plugin_data.content = data.SerializeToString(deterministic=True)
    return summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=hparams_metadata.NULL_TENSOR)


def histo(tag, xs, n_buckets):
    rows = tensor_util.make_ndarray(histogram_summary.histogram_pb("x", xs, buckets=n_buckets).value[0].tensor)
    wide = xs.astype(np.float64)
    return summary_pb2.Summary.Value(tag=tag, histo=summary_pb2.HistogramProto(
        min=rows[0, 0], max=rows[-1, 1], num=len(xs), sum=sum(wide.tolist()), sum_squares=sum((wide * wide).tolist()),
        bucket_limit=rows[:, 1].tolist(), bucket=rows[:, 2].tolist()))


def start():
    columns = api_pb2.Experiment(
        hparam_infos=[
            api_pb2.HParamInfo(name="optimizer", type=api_pb2.DATA_TYPE_STRING),
            api_pb2.HParamInfo(name="skip", type=api_pb2.DATA_TYPE_BOOL),
            api_pb2.HParamInfo(name="lr", type=api_pb2.DATA_TYPE_FLOAT64),
        ],
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag="loss/val"), display_name="validation loss")],
    )
    session = plugin_data_pb2.SessionStartInfo(start_time_secs=1700000000.5)
    session.hparams["skip"].bool_value = False
    session.hparams["optimizer"].string_value = "adam"
    session.hparams["lr"].number_value = 0.001
    text = summary_pb2.Summary.Value(
        tag="config", metadata=text_metadata.create_summary_metadata(display_name=None, description=None),
        tensor=tensor_util.make_tensor_proto(TEXT))
    # create_summary_metadata leaves the class to the readers' migration, which gives text this one.
    text.metadata.data_class = summary_pb2.DATA_CLASS_TENSOR
    return [
        hparams("_hparams_/experiment", experiment=columns),
        hparams("_hparams_/session_start_info", session_start_info=session),
        text,
    ]


def epoch(images):
    gray = summary_pb2.Summary.Image(height=3, width=2, colorspace=1, encoded_image_string=images["L"])
    color = summary_pb2.Summary.Image(height=3, width=2, colorspace=3, encoded_image_string=images["RGB"])
    return [
        summary_pb2.Summary.Value(tag="loss/val", simple_value=0.1),
        summary_pb2.Summary.Value(tag="psnr", simple_value=float("inf")),
        summary_pb2.Summary.Value(tag="predictions", image=gray),
        summary_pb2.Summary.Value(tag="colours", image=color),
        histo("weights", values("quadratic residues"), 7),
    ]


def end():
    info = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=1700000099.25)
    return [hparams("_hparams_/session_end_info", session_end_info=info)]


def records(images):
    yield event_pb2.Event(wall_time=1700000000.5, file_version="brain.Event:2")
    summaries = [
        (0, 1700000000.5, start()),
        (1, 1700000001.0, [summary_pb2.Summary.Value(tag="loss/step", simple_value=1.5)]),
        (2**40, 1700000002.75, epoch(images)),
        (2**40, 1700000099.25, end()),
    ]
    for step, wall_time, value in summaries:
        yield event_pb2.Event(wall_time=wall_time, step=step, summary=summary_pb2.Summary(value=value))


def framed(record):
    buffer = io.BytesIO()
    RecordWriter(buffer).write(record.SerializeToString(deterministic=True))
    return buffer.getvalue()


def generate():
    images = {mode: png(mode, (2, 3)) for mode in ["L", "LA", "P", "RGB", "RGBA"]}
    return {
        "versions": {
            "python": platform.python_version(),
            "tensorboard": tensorboard.__version__,
            "protobuf": google.protobuf.__version__,
            "numpy": np.__version__,
            "pillow": PIL.__version__,
        },
        "pngs": {mode: data.hex() for mode, data in images.items()},
        "text": TEXT,
        "records": [framed(record).hex() for record in records(images)],
        "histograms": list(histograms()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    args = parser.parse_args()
    document = generate()
    path = HERE / NAME
    if not args.check:
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        return 0
    committed = json.loads(path.read_text(encoding="utf-8"))
    fresh = json.loads(json.dumps(document))
    versions = committed.pop("versions"), fresh.pop("versions")
    if versions[0] != versions[1]:
        print(f"{NAME}: written with {versions[0]}, checked with {versions[1]}", file=sys.stderr)
    different = [key for key in fresh if committed.get(key) != fresh[key]]
    for key in different:
        print(f"{NAME}: {key} differs from what is committed", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
