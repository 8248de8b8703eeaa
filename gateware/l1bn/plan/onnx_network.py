"""The normalisation layers of a model in ONNX or QONNX.

QONNX is ONNX with operators of its own, such as ``Quant``, whose shapes and values the package ``qonnx`` knows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import inliner, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from ..errors import ConfigurationError
from .inputs import Inputs, scaled, shown
from .network import Layer, Network, Observed, Reals, refuse_lacking

__all__ = ["read"]

STANDARD = ("", "ai.onnx")
CHANNELS_LAST = "qonnx.custom_op.channels_last"
"""QONNX's domain of operators whose channels are the last axis."""
TORCHS_NORM = "l2"
"""What BatchNormalization is."""
EPSILON = 1e-5
"""Of a BatchNormalization that does not say."""


def read(path: Path, inputs: Inputs) -> Network:
    """The layers of the model in ``path``.

    Raises
    ------
    ConfigurationError
        If it is no ONNX model, a size is not known, a normalisation is none that a unit computes, or the inputs do not
        fit.
    """
    model = inliner.inline_local_functions(_loaded(path))
    _refuse_lacking(model.graph)
    if not _norms(model.graph):
        allowed = "a model with BatchNormalization (exporters fold it into convolutions, unless they are told not to)"
        raise ConfigurationError("model", str(path), allowed)
    batch = _fix_sizes(model.graph, inputs)
    model = _with_shapes(model)
    graph = Graph(model)
    wanted = batch if inputs.batch is None else inputs.batch
    layers = tuple(_layer(graph, node, batch, wanted) for node in _norms(model.graph))
    if inputs.calibration is not None:
        observed = _observed(model, inputs, layers)
        layers = tuple(
            dataclasses.replace(layer, observed=seen) for layer, seen in zip(layers, observed, strict=True)
        )
    return Network(path.name, wanted, layers)


def _loaded(path: Path) -> onnx.ModelProto:
    def refuse(allowed: object) -> ConfigurationError:
        return ConfigurationError("model", str(path), str(allowed))

    try:
        if not path.is_file():
            raise refuse("a file" if path.exists() else "a file that exists")
        model = onnx.load(path)
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise refuse(f"an ONNX model ({error})") from error
    except OSError as error:
        raise refuse(f"a readable file ({error.strerror})") from error
    if not model.graph.node:
        raise refuse("an ONNX model with nodes")
    return model


def _norms(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    return [node for node in graph.node if node.op_type == "BatchNormalization"]


def _ports(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """The inputs that a run has to give, unlike those that the model has a value for."""
    constants = {initializer.name for initializer in graph.initializer}
    return [port for port in graph.input if port.name not in constants]


def _refuse_lacking(graph: onnx.GraphProto, within: str = "") -> None:
    """Refuse the normalisations that no unit computes, and those that a branch or a loop may or may not call."""
    for number, node in enumerate(graph.node):
        name = node.name or f"node {number}"
        if node.op_type != "BatchNormalization":
            refuse_lacking(name, node.op_type)
        elif within:
            raise ConfigurationError(name, node.op_type, f"outside of {within}, which may call it any number of times")
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _refuse_lacking(inner, node.op_type)


# -- shapes -------------------------------------------------------------------------------------


def _fix_sizes(graph: onnx.GraphProto, inputs: Inputs) -> int:
    """Give every input of the graph a fixed size, and return the batch that the first one then has."""
    ports = _ports(graph)
    if len(inputs.shapes) > len(ports):
        allowed = f"at most one --input for each of the model's inputs, which are {len(ports)}"
        raise ConfigurationError("input", shown(inputs.shapes[-1]), allowed)
    for port, shape in zip(ports, inputs.shapes, strict=False):
        _set_shape(port, shape)
    for port in ports:
        dimensions = port.type.tensor_type.shape.dim
        if dimensions and not dimensions[0].dim_value:
            dimensions[0].dim_value = 1
        sizes = [dimension.dim_value or dimension.dim_param or "?" for dimension in dimensions]
        if not sizes or any(not isinstance(size, int) or size < 1 for size in sizes):
            said = ", ".join(map(str, sizes)) or "no shape"
            raise ConfigurationError(f"input {port.name}", said, "fixed sizes but for the batch, or --input N,C,H,W")
    if inputs.shapes:
        # What the exporter found for other sizes.
        del graph.value_info[:]
        for port in graph.output:
            port.type.tensor_type.ClearField("shape")
    return int(ports[0].type.tensor_type.shape.dim[0].dim_value) if ports else 1


def _set_shape(port: onnx.ValueInfoProto, shape: Sequence[int]) -> None:
    before = len(port.type.tensor_type.shape.dim)
    if before and before != len(shape):
        raise ConfigurationError("input", shown(shape), f"{before} sizes for the model's input {port.name}")
    port.type.tensor_type.ClearField("shape")
    for size in shape:
        port.type.tensor_type.shape.dim.add().dim_value = size


def _with_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the shape of every tensor that shape inference finds."""
    own = {node.domain for node in model.graph.node} - set(STANDARD)
    try:
        if own:
            from qonnx.core.modelwrapper import ModelWrapper
            from qonnx.custom_op.registry import is_custom_op
            from qonnx.transformation.infer_shapes import InferShapes

            if all(is_custom_op(domain) for domain in own):
                inferred: onnx.ModelProto = ModelWrapper(model).transform(InferShapes()).model
                return inferred
        return shape_inference.infer_shapes(model, data_prop=True)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # whatever an operator of qonnx's raises
        allowed = f"operators whose shapes are known ({error})"
        raise ConfigurationError("model", ", ".join(sorted(own)) or "its shapes", allowed) from error


# -- layers -------------------------------------------------------------------------------------


class Graph:
    """Shapes and constants of a graph by the names of tensors."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.opsets = {opset.domain: opset.version for opset in model.opset_import}
        self.initializers = {each.name: each for each in graph.initializer}
        self.producers = {output: node for node in graph.node for output in node.output}
        self.infos = {info.name: info for info in (*graph.input, *graph.value_info, *graph.output)}

    def shape(self, name: str) -> list[int]:
        """The sizes of a tensor, 0 for one that is not known; none where nothing is."""
        if name in self.initializers:
            return list(self.initializers[name].dims)
        if name not in self.infos:
            return []
        return [dimension.dim_value for dimension in self.infos[name].type.tensor_type.shape.dim]

    def constant(self, name: str) -> Reals | None:
        """The value of a tensor that depends on no input, as far as standard operators make it."""
        value = self._constant(name)
        return None if value is None else np.asarray(value, dtype=np.float64)

    def _constant(self, name: str) -> Any:
        if name in self.initializers:
            return numpy_helper.to_array(self.initializers[name])
        node = self.producers.get(name)
        if node is None or node.domain not in STANDARD:
            return None
        operands = {given: self._constant(given) for given in node.input if given}
        if any(value is None for value in operands.values()):
            return None
        model = ReferenceEvaluator(node, opsets=self.opsets)
        return dict(zip(node.output, model.run(None, operands), strict=True))[name]


def _layer(graph: Graph, node: onnx.NodeProto, batch: int, wanted: int) -> Layer:
    name = node.name or node.output[0]
    if len(node.input) < 5:
        raise ConfigurationError(name, f"{len(node.input)} inputs", "5: x, gamma, beta, mean and variance")
    x, *parameters = node.input[:5]
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    if attributes.get("spatial", 1) == 0:
        raise ConfigurationError(name, "spatial = 0", "statistics of a channel, not of each of its positions")
    shape = graph.shape(x)
    if len(shape) < 2 or not all(shape):
        allowed = "a shape that follows from the inputs', or --input N,C,H,W"
        raise ConfigurationError(name, shown(shape) or "no shape", allowed)
    channels = shape[_axis(node)]
    gamma, beta, mean, spread = known = [graph.constant(parameter) for parameter in parameters]
    if any(values is not None and values.shape != (channels,) for values in known):
        sizes = " or ".join(sorted({shown(values.shape) for values in known if values is not None}))
        raise ConfigurationError(name, shown(shape), f"{sizes} channels, which its parameters have, see --input")
    return Layer(
        name=name,
        channels=channels,
        count=scaled(math.prod(shape) // channels, batch, wanted, name),
        norm=TORCHS_NORM,
        epsilon=float(attributes.get("epsilon", EPSILON)),
        gamma=gamma,
        beta=beta,
        mean=mean,
        spread=spread,
    )


def _axis(node: onnx.NodeProto) -> int:
    return -1 if node.domain == CHANNELS_LAST else 1


# -- calibration --------------------------------------------------------------------------------


def _observed(model: onnx.ModelProto, inputs: Inputs, layers: Sequence[Layer]) -> list[Observed]:
    """What each layer showed, with the running statistics of the model, as it is."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    wrapped = ModelWrapper(model)
    nodes = _norms(model.graph)
    found: list[Observed | None] = [None for _ in layers]
    for feed in _feeds(model.graph, inputs):
        try:
            tensors = execute_onnx(wrapped, feed, return_full_exec_context=True)
        except Exception as error:  # of any operator
            allowed = f"inputs that the model takes ({error})"
            raise ConfigurationError("calibration", str(inputs.calibration), allowed) from error
        for number, node in enumerate(nodes):
            seen = Observed.of(tensors[node.input[0]], tensors[node.output[0]], _axis(node))
            before = found[number]
            found[number] = seen if before is None else before.together(seen)
    return [seen for seen in found if seen is not None]


def _feeds(graph: onnx.GraphProto, inputs: Inputs) -> Iterator[Mapping[str, Any]]:
    """The calibration data in batches of the model's size."""
    ports = _ports(graph)
    shapes = [[dimension.dim_value for dimension in port.type.tensor_type.shape.dim] for port in ports]
    for batch in inputs.batches([port.name for port in ports], shapes):
        yield {
            port.name: values.astype(onnx.helper.tensor_dtype_to_np_dtype(port.type.tensor_type.elem_type))
            for port, values in zip(ports, batch, strict=True)
        }
