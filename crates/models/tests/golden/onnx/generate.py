"""Builds a small model with every kind of layer by the `onnx` package: the golden file of `src/onnx/tests.rs`.

    python generate.py           writes every-layer.onnx beside this script
    python generate.py --check   builds it again and compares with the committed one, exit 1 on a difference

Needs onnx and numpy (versions: xtask/interop/requirements.txt). Names, attributes and their order are those that our writer
is to give; what this file pins is where each of them stands in the protocol buffer. Value i of a tensor is i / 8, plus 1 in
the running variance.
"""
import argparse
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
FILE = HERE / "every-layer.onnx"


def tensor(name, *shape, first=0.0):
    values = first + np.arange(np.prod(shape)).reshape(shape) / 8
    return numpy_helper.from_array(values.astype(np.float32), name)


def value(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])


def build():
    nodes = [
        helper.make_node("Conv", ["images", "conv.weight", "conv.bias"], ["conv/output"], "conv",
                         kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["conv/output", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"],
                         ["norm/output"], "norm", epsilon=1e-5, momentum=0.9),
        helper.make_node("Relu", ["norm/output"], ["relu/output"], "relu"),
        helper.make_node("MaxPool", ["relu/output"], ["pool/output"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Resize", ["pool/output", "", "up/scales"], ["up/output"], "up", mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        helper.make_node("Concat", ["up/output", "relu/output"], ["both/output"], "both", axis=1),
        helper.make_node("Flatten", ["both/output"], ["flat/output"], "flat", axis=1),
        helper.make_node("Gemm", ["flat/output", "linear.weight", "linear.bias"], ["logits"], "linear", transB=1),
    ]
    for node in nodes:  # make_node sorts them
        order = {"Conv": ["kernel_shape", "strides", "pads"],
                 "Resize": ["mode", "coordinate_transformation_mode", "nearest_mode"]}.get(node.op_type)
        if order:
            attributes = sorted(node.attribute, key=lambda attribute: order.index(attribute.name))
            del node.attribute[:]
            node.attribute.extend(attributes)
    initializers = [
        tensor("conv.weight", 2, 1, 3, 3),
        tensor("conv.bias", 2),
        tensor("norm.weight", 2),
        tensor("norm.bias", 2),
        tensor("norm.running_mean", 2),
        tensor("norm.running_var", 2, first=1.0),
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "up/scales"),
        tensor("linear.weight", 3, 32),
        tensor("linear.bias", 3),
    ]
    inside = [
        value("conv/output", 2, 4, 2),
        value("norm/output", 2, 4, 2),
        value("relu/output", 2, 4, 2),
        value("pool/output", 2, 2, 1),
        value("up/output", 2, 4, 2),
        value("both/output", 4, 4, 2),
        value("flat/output", 32),
    ]
    graph = helper.make_graph(nodes, "every layer", [value("images", 1, 8, 4)], [value("logits", 3)], initializers, value_info=inside)
    model = helper.make_model(graph, producer_name="juggle", producer_version="1.2.3", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"classes": '["a","b","é"]'})
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    model = build()
    if not parser.parse_args().check:
        onnx.save(model, FILE)
    elif onnx.load(FILE) != model:
        sys.exit(f"{FILE.name} differs from what onnx {onnx.__version__} builds")
    print(f"{FILE.name}: as built by onnx {onnx.__version__}")


if __name__ == "__main__":
    main()
