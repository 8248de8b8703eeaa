"""Layers of models in ONNX and QONNX: found, in their order, with their numbers, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from l1bn.errors import ConfigurationError
from l1bn.plan import Inputs, read

from .models import SHIPPED, batch_norm, graph, node, save


def described(path: Path, inputs: Inputs = Inputs()) -> list[tuple[str, int, int]]:  # noqa: B008 (it is frozen)
    return [(layer.name, layer.channels, layer.count) for layer in read(str(path), inputs).layers]


# -- what packages ship --------------------------------------------------------------------------


def test_a_residual_network_of_onnx() -> None:
    network = read(str(SHIPPED["resnet50"]), Inputs())
    assert (len(network.layers), network.batch) == (53, 1)
    assert network.counts == (49, 196, 784, 3136, 12544)
    first, second = network.layers[:2]
    assert (first.name, first.channels, first.count, first.norm) == ("n1", 64, 112 * 112, "l2")
    assert (second.channels, second.count) == (64, 56 * 56)
    assert sum(layer.channels for layer in network.layers) == 26560
    model = onnx.load(SHIPPED["resnet50"])
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert first.gamma is not None and (first.gamma == stored["gpu_0/res_conv1_bn_s_0"]).all()
    assert first.spread is not None and (first.spread == stored["gpu_0/res_conv1_bn_riv_0"]).all()


def test_parameters_that_operators_make_of_constants() -> None:
    """Of this file most are the outputs of ConstantOfShape."""
    layers = read(str(SHIPPED["shufflenet"]), Inputs(batch=4)).layers
    assert len(layers) == 49
    assert all(layer.gamma is not None and len(layer.gamma) == layer.channels for layer in layers)
    assert layers[1].gamma is not None and set(layers[1].gamma) == {np.float32(0.02)}
    assert layers[0].count == 4 * 112 * 112


def test_a_quantised_network_of_qonnx() -> None:
    """Shapes pass through its own operators, Quant, whose outputs the file says nothing of here."""
    network = read(str(SHIPPED["espcn"]), Inputs(((2, 3, 32, 32),)))
    assert [(layer.channels, layer.count) for layer in network.layers] == [(64, 2048), (64, 2048), (32, 2048)]
    assert all(layer.mean is not None and layer.mean.any() for layer in network.layers)


def test_calibration_runs_a_quantised_network(tmp_path: Path, seed: int) -> None:
    images = np.random.default_rng(seed).uniform(0, 1, (2, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "images.npz", images)
    inputs = Inputs(((1, 3, 8, 8),), calibration=tmp_path / "images.npz")
    both = [layer.observed for layer in read(str(SHIPPED["espcn"]), inputs).layers]
    alone = []
    for image in images:
        np.savez(tmp_path / "images.npz", image[None])
        alone.append([layer.observed for layer in read(str(SHIPPED["espcn"]), inputs).layers])
    for seen, first, second in zip(both, *alone, strict=True):
        assert seen is not None and first is not None and second is not None
        assert seen == first.together(second)
        assert seen.low < 0 < seen.high and 0 < seen.spread < seen.high - seen.low
    assert alone[0] != alone[1]


# -- numbers -------------------------------------------------------------------------------------


def test_what_a_layer_says(tmp_path: Path) -> None:
    path = save(graph((2, 3, 4, 5), batch_norm("one", "x", "y", 3, epsilon=0.25)), tmp_path)
    (layer,) = read(str(path), Inputs()).layers
    assert (layer.name, layer.channels, layer.count, layer.epsilon) == ("one", 3, 2 * 4 * 5, 0.25)
    for found, wanted in (
        (layer.gamma, [0.5, 1, 1.5]),
        (layer.beta, [-1, 0, 1]),
        (layer.mean, [-0.25, 0, 0.25]),
        (layer.spread, [1, 2.5, 4]),
    ):
        assert found is not None and found.tolist() == wanted


def test_calibration_sees_what_the_operator_is_given(tmp_path: Path, seed: int) -> None:
    path = save(graph((2, 3, 4), batch_norm("one", "x", "y", 3)), tmp_path)
    x = np.random.default_rng(seed).normal(3, 2, (4, 3, 4)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x)
    (layer,) = read(str(path), Inputs(calibration=tmp_path / "data.npz")).layers
    seen = layer.observed
    assert seen is not None
    spread = min(np.median(half.astype(np.float64).std(axis=(0, 2))) for half in (x[:2], x[2:]))
    assert (seen.low, seen.high, seen.spread) == (x.min(), x.max(), spread)
    r = np.sqrt(np.linspace(1, 4, 3) + 1e-5)[:, None]
    mean, gamma, beta = (np.linspace(*ends, 3)[:, None] for ends in ((-0.25, 0.25), (0.5, 1.5), (-1, 1)))
    y = (x - mean) / r * gamma + beta
    assert (seen.y_low, seen.y_high) == pytest.approx((y.min(), y.max()), rel=1e-5)


def test_a_batch_multiplies_the_samples(tmp_path: Path) -> None:
    path = save(graph(("N", 3, 4, 5), batch_norm("one", "x", "y", 3)), tmp_path)
    assert described(path) == [("one", 3, 20)]
    assert described(path, Inputs(batch=7)) == [("one", 3, 140)]
    assert described(path, Inputs(((2, 3, 8, 8),))) == [("one", 3, 128)]
    assert described(path, Inputs(((2, 3, 8, 8),), batch=6)) == [("one", 3, 384)]


def test_shapes_that_the_file_has_for_other_sizes(tmp_path: Path) -> None:
    model = graph((1, 3, 4, 4), node("Relu", "x", "h"), batch_norm("one", "h", "y", 3))
    model.graph.value_info.append(helper.make_tensor_value_info("h", onnx.TensorProto.FLOAT, (1, 3, 4, 4)))
    path = save(model, tmp_path)
    assert described(path) == [("one", 3, 16)]
    assert described(path, Inputs(((2, 3, 8, 8),))) == [("one", 3, 128)]


def test_the_order_is_that_of_the_nodes(tmp_path: Path) -> None:
    parts = [batch_norm("b", "x", "h", 2), node("Relu", "h", "i"), batch_norm("a", "i", "y", 2)]
    assert [name for name, *_ in described(save(graph((4, 2), *parts), tmp_path))] == ["b", "a"]


def test_channels_that_are_the_last_axis(tmp_path: Path) -> None:
    domain = "qonnx.custom_op.channels_last"
    part = batch_norm("one", "x", "y", 6, domain=domain)
    path = save(graph((2, 4, 5, 6), part, opsets=(("", 17), (domain, 1))), tmp_path)
    assert described(path) == [("one", 6, 40)]


def test_layers_in_functions_of_the_file(tmp_path: Path) -> None:
    function = helper.make_function(
        "local", "Block", ["a", "g", "b", "m", "v"], ["c"],
        [helper.make_node("BatchNormalization", ["a", "g", "b", "m", "v"], ["c"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    (norm,), tensors = batch_norm("one", "x", "y", 3)
    call = helper.make_node("Block", list(norm.input), ["y"], domain="local")
    model = graph((2, 3, 4), ([call], tensors), opsets=(("", 17), ("local", 1)))
    model.functions.append(function)
    assert [(channels, count) for _, channels, count in described(save(model, tmp_path))] == [(3, 8)]


def test_parameters_that_depend_on_an_input_are_not_known(tmp_path: Path) -> None:
    (norm,), tensors = batch_norm("one", "x", "y", 3)
    norm.input[1] = "gamma"
    model = graph((2, 3, 4), ([norm], tensors))
    model.graph.input.append(helper.make_tensor_value_info("gamma", onnx.TensorProto.FLOAT, (3,)))
    (layer,) = read(str(save(model, tmp_path)), Inputs()).layers
    assert layer.gamma is None and layer.beta is not None


# -- what is refused -----------------------------------------------------------------------------

LACKING = {
    "LayerNormalization": "over the features of a sample",
    "GroupNormalization": "over groups of channels",
    "InstanceNormalization": "over each channel of a sample alone",
    "LpNormalization": "by the norm of a vector",
    "MeanVarianceNormalization": "over each sample alone",
    "LRN": "by neighbouring channels",
    "SkipSimplifiedLayerNormalization": "over the features of a sample",
}


@pytest.mark.parametrize("kind", LACKING)
def test_a_normalisation_that_no_unit_computes(kind: str, tmp_path: Path) -> None:
    parts = [batch_norm("one", "x", "h", 3), node(kind, "h", "y")]
    with pytest.raises(ConfigurationError, match=rf"^{kind.lower()} = '{kind}' is not possible.*{LACKING[kind]}"):
        described(save(graph((2, 3, 4), *parts), tmp_path))


def test_a_layer_in_a_branch(tmp_path: Path) -> None:
    nodes, tensors = batch_norm("one", "x", "y", 3)
    output = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    branch = helper.make_graph(nodes, "branch", [], [output], tensors)
    condition = numpy_helper.from_array(np.array(True), "condition")
    either = helper.make_node("If", ["condition"], ["z"], then_branch=branch, else_branch=branch)
    model = graph((2, 3, 4), ([either], [condition]), output="z")
    with pytest.raises(ConfigurationError, match=r"^one = 'BatchNormalization' .* outside of If"):
        described(save(model, tmp_path))


@pytest.mark.parametrize(
    ("shape", "inputs", "words"),
    [
        ((2, 3, "H", "W"), Inputs(), "input x = '2, 3, H, W' is not possible; allowed: fixed sizes but for the batch"),
        ((2, 3, 4), Inputs(((2, 3, 4), (1, 2))), "input = '1,2' is not possible; allowed: at most one --input"),
        ((2, 3, 4), Inputs(((2, 3, 4, 5),)), "input = '2,3,4,5' is not possible; allowed: 3 sizes"),
        ((2, 3, 4), Inputs(batch=3), None),
    ],
)
def test_sizes(shape: tuple[int | str, ...], inputs: Inputs, words: str | None, tmp_path: Path) -> None:
    path = save(graph(shape, batch_norm("one", "x", "y", 3)), tmp_path)
    if words is None:
        assert described(path, inputs) == [("one", 3, 12)]
        return
    with pytest.raises(ConfigurationError) as refused:
        described(path, inputs)
    assert words in str(refused.value)


def test_a_shape_that_nothing_tells(tmp_path: Path) -> None:
    custom = [helper.make_node("Mystery", ["x"], ["h"], domain="somebody")], []
    model = graph((2, 3, 4), custom, batch_norm("one", "h", "y", 3), opsets=(("", 17), ("somebody", 1)))
    with pytest.raises(ConfigurationError, match=r"^one = 'no shape' .* a shape that follows from the inputs'"):
        described(save(model, tmp_path))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "an ONNX model with nodes"), (b"\xff" * 64, "an ONNX model ("), (b"not protobuf", "an ONNX model (")],
)
def test_files_that_are_no_model(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        described(tmp_path / "broken.onnx")
    assert words in str(refused.value)


def test_a_layer_without_all_of_its_inputs(tmp_path: Path) -> None:
    part = batch_norm("one", "x", "y", 3)
    part[0][0].input.pop()
    with pytest.raises(ConfigurationError, match=r"^one = '4 inputs' is not possible; allowed: 5"):
        described(save(graph((2, 3, 4), part), tmp_path))


def test_statistics_of_each_position(tmp_path: Path) -> None:
    part = batch_norm("one", "x", "y", 3)
    part[0][0].attribute.append(helper.make_attribute("spatial", 0))
    with pytest.raises(ConfigurationError, match=r"^one = 'spatial = 0'"):
        described(save(graph((2, 3, 4), part, opsets=(("", 8),)), tmp_path))
