"""Layers of modules of PyTorch: found as they are called, with their numbers, or refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from l1bn.errors import ConfigurationError
from l1bn.plan import Inputs, Network, propose, read
from l1bn.plan.initial import translated
from l1bn.plan.proposal import Wishes
from l1bn_golden.torch import L1BatchNorm1d, RMSBatchNorm1d, convert
from l1bn_golden.torch.norms import LAYERS
from l1bn_golden.training import models

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules of this folder have names, as those of a user's current one."""
    monkeypatch.chdir(HERE)


def network(shape: tuple[int, ...], *layers: nn.Module, inputs: Inputs | None = None) -> Network:
    """The network of a module that is made of ``layers``."""
    Made.layers = layers
    return read(f"{__name__}:Made", Inputs((shape,)) if inputs is None else inputs)


class Made(nn.Sequential):
    """Takes no arguments, as what a user names."""

    layers: tuple[nn.Module, ...] = ()

    def __init__(self) -> None:
        super().__init__(*self.layers)


# -- real networks -------------------------------------------------------------------------------


def test_a_residual_network() -> None:
    found = read("vision:resnet18", Inputs(((1, 3, 96, 96),), batch=2))
    assert (len(found.layers), found.batch) == (20, 2)
    assert found.counts == (18, 72, 288, 1152, 4608)
    assert [(layer.name, layer.channels, layer.count) for layer in found.layers[:2]] == [
        ("bn1", 64, 2 * 48 * 48),
        ("layer1.0.bn1", 64, 2 * 24 * 24),
    ]
    assert sum(layer.channels for layer in found.layers) == 4800
    # The one of a shortcut comes behind those that it goes around: as called, not as declared.
    names = [layer.name for layer in found.layers]
    assert names.index("layer2.0.downsample.1") == names.index("layer2.0.bn2") + 1


def test_a_mobile_network() -> None:
    found = read("vision:mobilenet_v2", Inputs(((1, 3, 96, 96),)))
    assert len(found.layers) == 52 and found.counts == (9, 36, 144, 576, 2304)
    assert propose(found, {}, Wishes()).config.channels == 1280
    with pytest.raises(ConfigurationError, match=r"at most .* with 1 lanes; they divide every count, and so 9$"):
        propose(found, {}, Wishes(samples_per_second=1e9))


@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [
        ("Perceptron", (64, 1, 8, 8), (64,)),
        ("Residual", (64, 1, 16, 16), (256, 1024, 4096)),
        ("Generator", (64, models.LATENT), (256, 1024, 4096)),
        ("Discriminator", (64, 1, 8, 8), (256,)),
    ],
)
def test_the_networks_of_the_study(name: str, shape: tuple[int, ...], counts: tuple[int, ...]) -> None:
    found = read(f"l1bn_golden.training.models:{name}", Inputs((shape,)))
    assert found.counts == counts
    assert {layer.norm for layer in found.layers} == {"l1"}


def test_one_of_the_study_has_none() -> None:
    with pytest.raises(ConfigurationError, match=r"^model = 'l1bn_golden.training.models:Critic' .* with batch norms"):
        read("l1bn_golden.training.models:Critic", Inputs(((1, 1, 8, 8),)))


# -- numbers -------------------------------------------------------------------------------------


def test_what_a_layer_says() -> None:
    layer = nn.BatchNorm1d(3, eps=0.25)
    state = {"weight": [1, 2, 3], "bias": [-1, 0, 1], "running_mean": [4, 5, 6], "running_var": [7, 8, 9]}
    layer.load_state_dict({name: torch.tensor(values) for name, values in state.items()}, strict=False)
    (found,) = network((2, 3, 5), layer).layers
    assert (found.name, found.channels, found.count, found.norm, found.epsilon) == ("0", 3, 10, "l2", 0.25)
    for values, wanted in zip((found.gamma, found.beta, found.mean, found.spread), state.values(), strict=True):
        assert values is not None and values.tolist() == wanted


def test_layers_without_parameters_or_averages() -> None:
    (found,) = network((4, 3), nn.BatchNorm1d(3, affine=False, track_running_stats=False)).layers
    assert found.gamma is not None and found.beta is not None
    assert (found.gamma.tolist(), found.beta.tolist()) == ([1, 1, 1], [0, 0, 0])
    assert found.mean is None and found.spread is None


def test_a_layer_that_is_called_twice() -> None:
    layer = nn.BatchNorm1d(3)
    assert [found.name for found in network((4, 3), layer, nn.ReLU(), layer).layers] == ["0", "0 (2)"]


@pytest.mark.parametrize("norm", sorted({norm for norm, _ in LAYERS}))
def test_layers_of_every_norm(norm: str) -> None:
    found = network((4, 3, 5, 6), LAYERS[norm, 2](3)).layers
    assert [(layer.norm, layer.count) for layer in found] == [(norm, 120)]


@pytest.mark.parametrize("norm", sorted({norm for norm, _ in LAYERS}))
@pytest.mark.parametrize("old", ["l2", "l1", "rms"])
def test_translation_is_that_of_the_layers(old: str, norm: str) -> None:
    """Written a second time: ``convert`` changes the layers of PyTorch."""
    layer = LAYERS[old, 1](3, eps=0.125)
    state = {"weight": [1.5, -2, 3], "bias": [-1, 0, 1], "running_mean": [4, 5, 6], "running_var": [7, 8, 0.5]}
    if old == "rms":
        state["running_mean"] = [0, 0, 0]
    layer.load_state_dict({name: torch.tensor(values) for name, values in state.items()}, strict=False)
    (made,) = network((4, 3), layer).layers
    wanted = convert(layer, norm)
    found = translated(made, norm)
    assert found.epsilon == pytest.approx(wanted.eps)
    pairs = (
        (found.gamma, wanted.weight), (found.beta, wanted.bias),
        (found.mean, wanted.running_mean), (found.spread, wanted.running_var),
    )  # fmt: skip
    for values, tensor in pairs:
        assert values == pytest.approx(tensor.detach().as_subclass(Tensor).numpy(), rel=1e-5, abs=1e-6)


def test_calibration_normalises_by_the_batch(tmp_path: Path, seed: int) -> None:
    """As in training; the running statistics, which differ, stay as they are."""
    x = np.random.default_rng(seed).normal(3, 2, (8, 3)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x)
    layers = [nn.BatchNorm1d(3), nn.Dropout(0.5)]
    (found,) = network((4, 3), *layers, inputs=Inputs(((4, 3),), calibration=tmp_path / "data.npz")).layers
    seen = found.observed
    assert seen is not None and (seen.low, seen.high) == (x.min(), x.max())
    y = [(half - half.mean(0)) / np.sqrt(half.var(0) + 1e-5) for half in (x[:4], x[4:])]
    assert (seen.y_low, seen.y_high) == pytest.approx((np.min(y), np.max(y)), rel=1e-4)
    assert layers[0].running_mean is not None and not layers[0].running_mean.any()
    assert layers[0].num_batches_tracked == 0 and not layers[0].training


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (nn.LayerNorm(3), (4, 3), "1 = 'LayerNorm' is not possible; allowed: batch normalisation"),
        (nn.GroupNorm(1, 3), (4, 3), "1 = 'GroupNorm' is not possible"),
        (nn.InstanceNorm1d(3), (4, 3, 5), "1 = 'InstanceNorm1d' is not possible"),
        (nn.RMSNorm(3), (4, 3), "1 = 'RMSNorm' is not possible"),
        (nn.LocalResponseNorm(2), (4, 3, 5), "1 = 'LocalResponseNorm' is not possible"),
        (nn.Linear(7, 3), (4, 3), "input = '4,3' is not possible; allowed: shapes that the module takes (RuntimeError"),
    ],
)
def test_a_layer_that_no_unit_computes(layer: nn.Module, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        network(shape, L1BatchNorm1d(3), layer)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.to.be:found", "(ModuleNotFoundError: No module named 'nowhere')"),
        ("torch.nn:Nothing", "(AttributeError: "),
        ("torch.nn:BatchNorm1d", "(TypeError: "),
        ("torch.nn:Sequential", "a module with batch norms"),
        ("sys:exit", "(SystemExit: )"),
        ("collections:Counter", "a torch.nn.Module, but this is a Counter"),
    ],
)
def test_names_that_are_no_module(name: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(name, Inputs(((1, 2),)))
    assert words in str(refused.value) and str(refused.value).startswith(f"model = '{name}' is not possible; allowed: ")


def test_a_module_needs_an_input() -> None:
    with pytest.raises(ConfigurationError, match=r"^input = None is not possible; allowed: --input N,C,H,W"):
        network((4, 3), RMSBatchNorm1d(3), inputs=Inputs())


class Talking(nn.BatchNorm1d):
    """Prints, as anybody's code may."""

    def __init__(self) -> None:
        super().__init__(3)
        print("made")


def test_what_a_module_prints_is_no_output(capsys: pytest.CaptureFixture[str]) -> None:
    read(f"{__name__}:Talking", Inputs(((4, 3),)))
    assert capsys.readouterr() == ("", "made\n")


class Unused(nn.Module):
    """Has a batch norm and calls none."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_a_batch_norm_that_is_not_called() -> None:
    with pytest.raises(ConfigurationError, match="a module that calls its batch norms"):
        network((4, 3), Unused())


class Function(nn.Module):
    """Calls a normalisation of torch.nn.functional."""

    def __init__(self, name: str, *arguments: Any) -> None:
        super().__init__()
        self.name, self.arguments = name, arguments

    def forward(self, x: Tensor) -> Tensor:
        return getattr(nn.functional, self.name)(x, *self.arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("batch_norm", (torch.zeros(3), torch.ones(3))),
        ("layer_norm", ((3,),)),
        ("group_norm", (1,)),
        ("rms_norm", ((3,),)),
    ],
)
@pytest.mark.parametrize("layer", [nn.BatchNorm1d(3), L1BatchNorm1d(3)])
def test_a_normalisation_that_is_a_function(layer: nn.Module, name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigurationError, match=rf"^function = '{name}' is not possible"):
        network((4, 3), layer, Function(name, *arguments))
    assert len(network((4, 3), layer, Function("relu")).layers) == 1
