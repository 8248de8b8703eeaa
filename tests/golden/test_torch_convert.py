"""Conversion of models: the same function afterwards, the same objects, or an error that names the module."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

from l1bn_golden import Contract
from l1bn_golden.norms import NORMS
from l1bn_golden.torch import (
    LAYERS,
    L1BatchNorm1d,
    L1BatchNorm2d,
    L1BatchNorm3d,
    L2BatchNorm2d,
    MeanAbsoluteBatchNorm1d,
    convert,
)

# The tests run on all cores already.
torch.set_num_threads(1)



@pytest.fixture(autouse=True)
def seeded(seed: int) -> None:
    torch.manual_seed(seed)


def trained(layer: nn.Module, low: float = 1e-12, high: float = 1e3) -> nn.Module:
    """Parameters and statistics at random, variances over many decades."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-2, 2)
        if layer.running_mean is not None:
            layer.running_mean.normal_()
            layer.running_var.copy_(
                torch.logspace(*torch.tensor([low, high]).log10(), layer.num_features, dtype=torch.float64)
            )
    return layer.eval()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("eps", [1e-5, 1e-3, 1e-12, 0.5, 0.0])
@pytest.mark.parametrize("norm", NORMS)
def test_y_in_eval_is_what_it_was(norm: str, eps: float, dtype: torch.dtype) -> None:
    """Also where eps is most of r: a running variance of 1e-8 once gave outputs 28 times larger."""
    for arguments in ({}, {"affine": False}, {"bias": False}):
        for kind, shape in (
            (nn.BatchNorm1d, (9, 40)),
            (nn.BatchNorm2d, (3, 40, 2, 2)),
            (nn.BatchNorm3d, (3, 40, 2, 2, 1)),
        ):
            layer = trained(kind(40, eps=eps, dtype=dtype, **arguments))
            x = torch.randn(shape, dtype=dtype)
            expected = layer(x).detach()
            there = convert(copy.deepcopy(layer), norm)
            back = convert(copy.deepcopy(there), "l2")
            unit = torch.finfo(dtype).eps * 64
            for other in (there, back):
                torch.testing.assert_close(
                    other(x), expected, rtol=unit, atol=unit * float(expected.abs().max())
                )
                assert other.running_var.dtype == dtype


@pytest.mark.parametrize("variance", [1e-12, 1e-8, 1e-5, 1.0, 1e4])
def test_y_in_training_is_about_what_it_was(variance: float) -> None:
    x = torch.randn(4096, 3, dtype=torch.float64) * variance**0.5
    for arguments in (
        {},
        {"affine": False},
        {"track_running_stats": False},
        {"affine": False, "track_running_stats": False},
    ):
        layer = nn.BatchNorm1d(3, **arguments).double()
        model = nn.Sequential(nn.Linear(1, 1).double(), layer)
        expected = layer(x)
        convert(model, "l1")
        ratio = (layer(x) / expected).median()
        assert 0.69 < ratio < 1.05 and (variance == 1e-5 or ratio > 0.9)


def test_a_mean_that_is_no_longer_subtracted_is_in_the_bias() -> None:
    """The bias of a layer without one is made; one that also belongs to another module cannot take it."""
    layer = trained(nn.BatchNorm1d(3, affine=False))
    x = torch.randn(5, 3)
    expected = layer(x)
    torch.testing.assert_close(convert(layer, "rms")(x), expected)
    assert layer.running_mean.tolist() == [0, 0, 0] and not layer.bias.requires_grad
    shared = nn.Sequential(trained(nn.BatchNorm1d(3)), nn.BatchNorm1d(3))
    shared[1].bias = shared[0].bias
    with pytest.raises(ValueError, match=r"'0'.*its bias has to take the running mean and is also 1\.bias"):
        convert(shared, "mean-absolute")
    assert type(shared[0]) is nn.BatchNorm1d
    shared[0].running_mean.zero_()
    assert type(convert(shared, "mean-absolute")[0]) is MeanAbsoluteBatchNorm1d


@pytest.mark.parametrize("norm", [norm.name for norm in NORMS.values() if not norm.centred])
def test_a_state_with_a_mean_does_not_load_without_one(norm: str) -> None:
    state = trained(nn.BatchNorm1d(3)).state_dict()
    with pytest.raises(RuntimeError, match=f"running_mean is not 0, and a batch norm of {norm} subtracts no mean"):
        LAYERS[norm, 1](3).load_state_dict(state)
    state["running_mean"].zero_()
    LAYERS[norm, 1](3).load_state_dict(state)


def test_the_module_stays_the_object_that_it_is() -> None:
    """Hooks, parameters in an optimiser, what is frozen, further attributes, mode, shared layers."""
    layer = nn.BatchNorm2d(3, momentum=None)
    layer.weight.requires_grad_(False)
    layer.note = "mine"
    calls: list[str] = []
    layer.register_forward_hook(lambda *_: calls.append("forward"))
    layer.register_forward_pre_hook(lambda *_: calls.append("before"))
    layer.register_full_backward_hook(lambda *_: calls.append("backward"))
    layer.register_state_dict_post_hook(lambda *_: calls.append("state"))
    model = nn.ModuleDict({"a": nn.Sequential(layer, nn.Conv2d(3, 3, 1)), "b": nn.ModuleList([layer])})
    model["b"].eval()
    outside = [layer]
    before = list(model.parameters())
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    assert convert(model, "l1") is model
    assert type(layer) is L1BatchNorm2d
    assert model["a"][0] is model["b"][0] is outside[0] is layer
    assert [p is q for p, q in zip(before, model.parameters(), strict=True)] == [True] * 4
    assert not layer.weight.requires_grad and layer.bias.requires_grad
    assert not layer.training and layer.note == "mine" and layer.momentum is None
    # The weight is scaled once, not once for each name.
    torch.testing.assert_close(layer.weight, torch.full((3,), (2 / torch.pi) ** 0.5))
    layer(torch.randn(4, 3, 2, 2).requires_grad_()).sum().backward()
    model.state_dict()
    assert calls == ["before", "forward", "backward", "state", "state"]
    bias = layer.bias.clone()
    optimiser.step()
    assert not torch.equal(layer.bias, bias)


def test_converting_twice_or_to_other_formats() -> None:
    model = nn.Sequential(trained(nn.BatchNorm2d(3)))
    x = torch.randn(2, 3, 4, 4)
    expected = model(x)
    formats = Contract(norm="l1", width=16, y_fraction=10)
    convert(model, "l1")
    state = copy.deepcopy(model.state_dict())
    convert(model, "l1")
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    convert(model, "l1", formats)
    assert model[0].formats == formats
    convert(model, "l2")
    assert type(model[0]) is L2BatchNorm2d and model[0].formats is None
    torch.testing.assert_close(model(x), expected, rtol=1e-5, atol=1e-4)


def test_layers_that_share_a_weight() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm1d(3))
    model[1].weight = model[0].weight
    model.eval()
    x = torch.randn(5, 3)
    expected = model(x)
    convert(model, "l1")
    assert model[1].weight is model[0].weight
    torch.testing.assert_close(model(x), expected)


def test_meta_and_the_layer_itself() -> None:
    layer = nn.BatchNorm3d(3, device="meta", affine=False)
    assert convert(layer, "l1") is layer and type(layer) is L1BatchNorm3d
    assert layer.weight.is_meta and not layer.weight.requires_grad


def test_a_symbolic_trace_is_converted() -> None:
    """There the layers are modules still."""
    model = nn.Sequential(nn.Conv2d(3, 3, 1), trained(nn.BatchNorm2d(3))).eval()
    x = torch.randn(2, 3, 4, 4)
    graph = torch.fx.symbolic_trace(model)
    torch.testing.assert_close(convert(graph, "l1")(x), model(x), rtol=1e-5, atol=1e-4)
    assert type(graph.get_submodule("1")) is L1BatchNorm2d


def test_other_norms_stay() -> None:
    model = nn.Sequential(
        nn.InstanceNorm2d(3, affine=True), nn.GroupNorm(1, 3), nn.LayerNorm(3), nn.LazyInstanceNorm2d()
    )
    kinds = [type(layer) for layer in model]
    convert(model, "l1")
    assert [type(layer) for layer in model] == kinds


class WithReLU(nn.BatchNorm2d):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).relu()


class Frozen(nn.BatchNorm2d):
    def train(self, mode: bool = True) -> Frozen:
        return super().train(False)


class Halved(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight / 2


def own_forward(model: nn.Module) -> nn.Module:
    layer = model[2]
    layer.forward = types.MethodType(lambda self, x: x, layer)
    return model


def tied(model: nn.Module) -> nn.Module:
    model[3] = nn.PReLU(3)
    model[3].weight = model[2].weight
    return model


def changed(function: Callable[[nn.Module], Any]) -> Callable[[nn.Module], nn.Module]:
    def change(model: nn.Module) -> nn.Module:
        function(model[2])
        return model

    return change


def placed(make: Callable[[], nn.Module]) -> Callable[[nn.Module], nn.Module]:
    def change(model: nn.Module) -> nn.Module:
        model[2] = make()
        return model

    return change


def fused() -> nn.Module:
    return torch.ao.nn.intrinsic.ConvBn2d(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))


def trained_for_quantisation() -> nn.Module:
    pair = torch.ao.nn.intrinsic.ConvBn2d(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    pair.qconfig = torch.ao.quantization.get_default_qat_qconfig("fbgemm")
    return torch.ao.nn.intrinsic.qat.ConvBn2d.from_float(pair)


def exported() -> nn.Module:
    return torch.export.export(nn.Sequential(nn.BatchNorm2d(3)), (torch.rand(2, 3, 2, 2),)).module()


REFUSED: dict[str, tuple[Callable[[nn.Module], nn.Module], str]] = {
    "subclass": (placed(lambda: WithReLU(3)), "what a subclass adds would be lost"),
    "frozen subclass": (placed(lambda: Frozen(3)), "what a subclass adds would be lost"),
    "quantised": (placed(lambda: torch.ao.nn.quantized.BatchNorm2d(3)), "what a subclass adds would be lost"),
    "subclass of ours": (
        placed(lambda: types.new_class("Mine", (L1BatchNorm2d,))(3)),
        "what a subclass adds would be lost",
    ),
    "several processes": (placed(lambda: nn.SyncBatchNorm(3)), "it averages over several processes"),
    "lazy": (placed(nn.LazyBatchNorm2d), "it has no shape yet"),
    "scripted": (placed(lambda: torch.jit.script(nn.BatchNorm2d(3))), "it is compiled"),
    "own forward": (own_forward, "it has a forward of its own"),
    "tied": (tied, "its weight has to be scaled and is also 3.weight"),
    "parametrised": (
        changed(lambda layer: parametrize.register_parametrization(layer, "weight", Halved())),
        "what a subclass adds would be lost",
    ),
    "pruned": (changed(lambda layer: prune.l1_unstructured(layer, "weight", 1)), "its weight is computed"),
    "fused": (placed(fused), "what it is fused with reads its variance"),
    "fused for training": (placed(trained_for_quantisation), "what it is fused with reads its variance"),
    "exported": (placed(exported), "it is a graph that calls batch normalisation as a function"),
    "negative eps": (placed(lambda: nn.BatchNorm2d(3, eps=-1.0)), "eps = -1.0 is not possible"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_converted_is_named_and_nothing_changes(case: str) -> None:
    change, reason = REFUSED[case]
    model = change(nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Identity()))
    kinds = [type(layer) for layer in model.modules()]
    weight = model[0].weight.clone()
    with pytest.raises(ValueError, match="module '2.*', a .*cannot become a batch norm of l1: .*" + reason):
        convert(model, "l1")
    assert [type(layer) for layer in model.modules()] == kinds
    assert torch.equal(model[0].weight, weight)


def test_bad_arguments() -> None:
    for norm, formats, message in (
        ("l3", None, "norm = 'l3' is not possible; allowed: l1, l2, range, rms or mean-absolute"),
        ("l1", Contract(norm="l2", width=8), "formats.norm = 'l2' is not possible; allowed: l1"),
    ):
        with pytest.raises(ValueError, match=message):
            convert(nn.BatchNorm1d(3), norm, formats)
    with pytest.raises(ValueError, match="the module, a SyncBatchNorm, cannot become"):
        convert(nn.SyncBatchNorm(3), "l1")


def fusing_tools() -> Iterator[Callable[[nn.Module], nn.Module]]:
    yield lambda model: torch.nn.utils.fuse_conv_bn_eval(model[0], model[1])
    yield lambda model: torch.ao.quantization.fuse_modules(model, [["0", "1"]])
    yield torch.fx.experimental.optimization.fuse
    yield lambda model: nn.SyncBatchNorm.convert_sync_batchnorm(model).eval()


def test_tools_that_read_a_variance_are_right_or_raise() -> None:
    import torch.fx.experimental.optimization

    x = torch.randn(2, 3, 4, 4)
    raised = 0
    for tool in fusing_tools():
        model = nn.Sequential(nn.Conv2d(3, 3, 1), trained(L1BatchNorm2d(3), 0.1, 10)).eval()
        expected = model(x)
        try:
            found = tool(copy.deepcopy(model))(x)
        except (RuntimeError, AssertionError) as error:
            assert "L1" in str(error)
            raised += 1
        else:
            torch.testing.assert_close(found, expected)
        # The way that the message names.
        layer = convert(copy.deepcopy(model[1]), "l2")
        fused = torch.nn.utils.fuse_conv_bn_eval(model[0], layer)
        torch.testing.assert_close(fused(x), expected)
    assert raised == 3
    linear, flat = nn.Linear(3, 3).eval(), L1BatchNorm1d(3).eval()
    with pytest.raises(RuntimeError, match="mean absolute deviation, not a variance"):
        torch.nn.utils.fusion.fuse_linear_bn_eval(linear, flat)


def test_weight_norm_stays_with_l2() -> None:
    """Nothing has to be scaled there."""
    layer = prune.l1_unstructured(trained(nn.BatchNorm2d(3)), "weight", 1)
    x = torch.randn(2, 3, 4, 4)
    expected = layer(x)
    torch.testing.assert_close(convert(layer, "l2")(x), expected)
    conv = parametrizations.weight_norm(nn.Conv2d(3, 3, 1))
    model = nn.Sequential(conv, trained(nn.BatchNorm2d(3))).eval()
    expected = model(x)
    torch.testing.assert_close(convert(model, "l1")(x), expected, rtol=1e-5, atol=1e-4)
