"""Small models in ONNX and QONNX, and those that packages ship."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["SHIPPED", "batch_norm", "graph", "node", "save"]

SHIPPED = {
    "resnet50": Path(str(files("onnx") / "backend" / "test" / "data" / "light" / "light_resnet50.onnx")),
    "shufflenet": Path(str(files("onnx") / "backend" / "test" / "data" / "light" / "light_shufflenet.onnx")),
    "alexnet": Path(str(files("onnx") / "backend" / "test" / "data" / "light" / "light_bvlc_alexnet.onnx")),
    "espcn": Path(str(files("qonnx") / "data" / "onnx" / "bsd300x3-espcn" / "nn_resize" / "quant_model.onnx")),
}
"""Models of the packages onnx and qonnx: classifiers without trained weights, and a quantised network with them."""

FLOAT = TensorProto.FLOAT
Part = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]


def batch_norm(name: str, x: str, y: str, channels: int, *, domain: str = "", **attributes: float) -> Part:
    """A BatchNormalization with parameters of its own, as nodes and initializers."""
    parameters = {
        "gamma": np.linspace(0.5, 1.5, channels),
        "beta": np.linspace(-1, 1, channels),
        "mean": np.linspace(-0.25, 0.25, channels),
        "var": np.linspace(1, 4, channels),
    }
    tensors = [
        numpy_helper.from_array(values.astype(np.float32), f"{name}_{kind}") for kind, values in parameters.items()
    ]
    operands = [x, *(tensor.name for tensor in tensors)]
    node = helper.make_node("BatchNormalization", operands, [y], name=name, domain=domain, **attributes)
    return [node], tensors


def graph(
    shape: Sequence[int | str],
    *parts: Part,
    opsets: Sequence[tuple[str, int]] = (("", 17),),
    output: str = "y",
) -> onnx.ModelProto:
    """A model from ``x`` to ``y``; a size that is a word is one that is not known."""
    nodes = [node for part in parts for node in part[0]]
    tensors = [tensor for part in parts for tensor in part[1]]
    ports = [helper.make_tensor_value_info("x", FLOAT, shape)], [helper.make_tensor_value_info(output, FLOAT, None)]
    made = helper.make_graph(nodes, "network", *ports, tensors)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid(*opset) for opset in opsets])
    model.ir_version = 8
    return model


def node(kind: str, x: str, y: str, **attributes: object) -> Part:
    """An operator of one input and one output."""
    return [helper.make_node(kind, [x], [y], name=kind.lower(), **attributes)], []


def save(model: onnx.ModelProto, folder: Path, name: str = "network.onnx") -> Path:
    """Write a model into a folder."""
    onnx.save(model, folder / name)
    return folder / name
