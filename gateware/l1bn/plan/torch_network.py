"""The normalisation layers of a module of PyTorch, found by running it once.

The layers of this project are instances of PyTorch's batch norm that say their ``norm``; PyTorch's own are L2.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from ..errors import ConfigurationError
from .inputs import Inputs, scaled, shown
from .network import Layer, Network, Observed, Reals, refuse_lacking

__all__ = ["read"]

TORCHS_NORM = "l2"
"""Of PyTorch's own batch norms."""
STATE = ("weight", "bias", "running_mean", "running_var")
"""Of a batch norm: gamma, beta and the running statistics."""
FUNCTIONS = {"batch_norm", "instance_norm", "layer_norm", "group_norm", "rms_norm", "local_response_norm"}
"""Those of torch.nn.functional that normalise."""
SEED = 0
"""Of the weights of a factory that draws them, so that every run gives the same tables."""


def read(name: str, inputs: Inputs) -> Network:
    """The layers of the module that ``name``, ``module:attribute``, is or makes when it is called.

    Raises
    ------
    ConfigurationError
        If there is no such module, it does not take the inputs, or a normalisation is none that a unit computes.
    """
    torch.manual_seed(SEED)
    with contextlib.redirect_stdout(sys.stderr):  # which is for what the command says
        return _read(_made(name).eval(), name, inputs)


def _read(model: nn.Module, name: str, inputs: Inputs) -> Network:
    """The layers of a module in ``eval()``."""
    for path, module in model.named_modules():
        if not isinstance(module, _BatchNorm) and not _is_container(module):
            refuse_lacking(path or name, type(module).__name__)
    if not any(isinstance(module, _BatchNorm) for module in model.modules()):
        raise ConfigurationError("model", name, "a module with batch norms (torch.nn.BatchNorm1d, 2d, 3d, or l1bn's)")
    if not inputs.shapes:
        raise ConfigurationError("input", None, "--input N,C,H,W for a module of PyTorch, once for each of its inputs")
    batch = inputs.shapes[0][0]
    wanted = batch if inputs.batch is None else inputs.batch
    layers = [_layer(call, batch, wanted) for call in _calls(model, [torch.zeros(shape) for shape in inputs.shapes])]
    if not layers:
        raise ConfigurationError("model", name, "a module that calls its batch norms")
    if inputs.calibration is not None:
        observed = _observed(model, inputs)
        layers = [dataclasses.replace(layer, observed=seen) for layer, seen in zip(layers, observed, strict=True)]
    return Network(name, wanted, tuple(layers))


def _is_container(module: nn.Module) -> bool:
    """Whether it only holds others, as ``Conv2dNormActivation``, or computes a weight, as ``_WeightNorm``."""
    return any(True for _ in module.children()) or type(module).__name__.startswith("_")


def _made(name: str) -> nn.Module:
    """The module that a name stands for; one of the current folder, as for ``python -m``, too."""
    place, _, attribute = name.partition(":")

    def refuse(allowed: str) -> ConfigurationError:
        return ConfigurationError("model", name, allowed)

    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(place)
        for part in attribute.split("."):
            found = getattr(found, part)
        made = found if isinstance(found, nn.Module) else found()
    except (Exception, SystemExit) as error:  # of anybody's code
        raise refuse(f"a module of PyTorch or what makes one without arguments ({_told(error)})") from error
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(here)
    if not isinstance(made, nn.Module):
        raise refuse(f"a torch.nn.Module, but this is a {type(made).__name__}")
    return made


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


# -- one run ------------------------------------------------------------------------------------


class NoFunctions(TorchFunctionMode):
    """Refuses normalisations that are called as functions, but for what batch norms call themselves."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.within = 0
        self.hooks = [layer.register_forward_pre_hook(self._enter) for layer in layers]
        self.hooks += [layer.register_forward_hook(self._leave) for layer in layers]

    def _enter(self, *_: Any) -> None:
        self.within += 1

    def _leave(self, *_: Any) -> None:
        self.within -= 1

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(function, "__name__", "")
        if name in FUNCTIONS and not self.within:
            raise ConfigurationError("function", name, "batch normalisation by layers, which have a name and a state")
        return function(*args, **(kwargs or {}))


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of a batch norm."""

    name: str
    layer: Any
    x: Tensor
    y: Tensor


def _calls(model: nn.Module, inputs: Sequence[Tensor]) -> list[Call]:
    """The calls of batch norms in their order; the second one of a layer is called ``name (2)``."""
    calls: list[Call] = []
    names = {id(module): name for name, module in model.named_modules()}

    def record(layer: nn.Module, x: tuple[Tensor, ...], y: Tensor) -> None:
        name = names[id(layer)] or type(layer).__name__
        again = sum(call.layer is layer for call in calls)
        calls.append(Call(f"{name} ({again + 1})" if again else name, layer, x[0], y))

    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    functions = NoFunctions(layers)
    hooks = [*functions.hooks, *(layer.register_forward_hook(record) for layer in layers)]
    try:
        with torch.no_grad(), functions:
            model(*inputs)
    except ConfigurationError:
        raise
    except Exception as error:  # of anybody's code
        said = "; ".join(shown(tuple(given.shape)) for given in inputs)
        raise ConfigurationError("input", said, f"shapes that the module takes ({_told(error)})") from error
    finally:
        for hook in hooks:
            hook.remove()
    return calls


def _layer(call: Call, batch: int, wanted: int) -> Layer:
    layer, channels = call.layer, call.x.shape[1]
    gamma, beta, mean, spread = (_reals(getattr(layer, name, None)) for name in STATE)
    return Layer(
        name=call.name,
        channels=channels,
        count=scaled(call.x.numel() // channels, batch, wanted, call.name),
        norm=getattr(layer, "norm", TORCHS_NORM),
        epsilon=layer.eps,
        # Without affine parameters a layer has gamma 1 and beta 0.
        gamma=np.ones(channels) if gamma is None else gamma,
        beta=np.zeros(channels) if beta is None else beta,
        mean=mean,
        spread=spread,
    )


def _reals(tensor: Tensor | None) -> Reals | None:
    return None if tensor is None else tensor.detach().as_subclass(Tensor).to("cpu", torch.float64).numpy()


# -- calibration --------------------------------------------------------------------------------


def _observed(model: nn.Module, inputs: Inputs) -> list[Observed]:
    """What each layer showed in training, where its statistics are those of the batch; the model stays as it is."""
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    for layer in layers:
        layer.train()
    try:
        found: list[Observed] = []
        for batch in _batches(inputs):
            seen = [Observed.of(call.x.numpy(), call.y.numpy(), 1) for call in _calls(model, batch)]
            found = seen if not found else [before.together(new) for before, new in zip(found, seen, strict=True)]
    finally:
        model.eval()
        model.load_state_dict(state)
    return found


def _batches(inputs: Inputs) -> Iterator[list[Tensor]]:
    names = [f"input {number}" for number in range(len(inputs.shapes))]
    for batch in inputs.batches(names, inputs.shapes):
        yield [torch.from_numpy(values.astype(np.float32)) for values in batch]
