"""Turning the batch norms of a model into those of one norm, in place.

A layer stays the object that it is and changes its class, as the lazy modules of PyTorch do when they have seen their
first input. So whatever holds it or hangs on it stays valid: its names, hooks, parameters in an optimiser,
``requires_grad``, devices, types, further attributes.

For Gaussian samples the mean absolute deviation is c = sqrt(2/pi) of the standard deviation. A layer of L2 with gamma,
running variance v and eps becomes one of L1 with

    gamma' = c * gamma,    eps' = c * sqrt(eps),    running deviation = c * (sqrt(v + eps) - sqrt(eps))

In ``eval()`` gamma' / (running deviation + eps') = gamma / sqrt(v + eps): the same y. In training y is the same for
Gaussian samples of much or of no variance, and at most a factor of sqrt(2) smaller between, where the variance is eps.
Every other pair of norms goes the same way: by r of such samples and by the power of it that is averaged. Where the new
norm subtracts no mean, the bias takes what the running mean did to y,

    beta' = beta - gamma * running mean / r,    running mean' = 0

which keeps y in ``eval()``; in training y is another one for samples whose mean is not 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.ao.nn.intrinsic.modules.fused import _FusedModule
from torch.nn.modules import batchnorm
from torch.nn.modules.lazy import LazyModuleMixin

from ..backend import BackendFactory, GoldenBackend
from ..contract import Contract
from ..norms import norm_of
from .floating import computation_dtype, root
from .modules import BatchNorm
from .norms import LAYERS

__all__ = ["convert"]

TORCHS = "l2"
"""The norm of PyTorch's own layers."""

FAMILIES: tuple[tuple[type[nn.Module], dict[str, type[BatchNorm]]], ...] = tuple(
    (torchs, {norm: layer for (norm, of_channel), layer in LAYERS.items() if of_channel == dimensions})
    for dimensions, torchs in enumerate((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), start=1)
)
BECOMES: dict[type[nn.Module], dict[str, type[BatchNorm]]] = {
    kind: layers for torchs, layers in FAMILIES for kind in (torchs, *layers.values())
}


def convert(
    module: nn.Module,
    norm: str,
    formats: Contract | None = None,
    backend: BackendFactory = GoldenBackend,
) -> nn.Module:
    """``module`` itself, with every batch norm in it, or it itself, turned into one of ``norm``.

    Layers are changed in place, those of torch.nn (BatchNorm1d, 2d, 3d) and those of this package: what an optimiser or
    a hook holds remains. In ``eval()`` y is what it was, up to rounding and, with ``formats``, the integers. For L1
    ``weight``, ``eps`` and ``running_var`` are translated as for Gaussian samples (see
    :mod:`l1bn_golden.torch.conversion`); a layer without ``weight`` gets a frozen one. Other norms (InstanceNorm,
    GroupNorm, ...) and what calls :func:`torch.nn.functional.batch_norm` itself stay as they are.

    Raises
    ------
    ValueError
        With the name of a batch norm that cannot become one of ``norm`` with the same function; nothing changes then.
        These are SyncBatchNorm, a lazy one before its first input, one of a fused, scripted or exported module, a
        subclass, one with a ``forward`` of its own, one with a weight that is computed (parametrisation, weight norm,
        pruning) or that another module uses too. Also for an unknown norm and for ``formats`` of the other one.
    """
    if norm_of(norm).gradient is None:
        raise ValueError(f"norm = {norm!r} has no layers; allowed: {' or '.join(dict(FAMILIES)[nn.BatchNorm1d])}")
    if formats is not None and formats.norm != norm:
        raise ValueError(f"formats.norm = {formats.norm!r} is not possible; allowed: {norm}")
    layers = dict(_batch_norms(module))
    for name, layer in layers.items():
        reason = _obstacle(module, layer, norm, formats)
        if reason is not None:
            where = f"module {name!r}" if name else "the module"
            raise ValueError(f"{where}, a {_kind(layer)}, cannot become a batch norm of {norm}: {reason}")
    done: set[int] = set()
    for layer in layers.values():
        _become(module, layer, norm, done)
        layer.compute_in(formats, backend)
    return module


def _kind(layer: Any) -> str:
    return str(layer.original_name) if isinstance(layer, torch.jit.ScriptModule) else type(layer).__name__


def _batch_norms(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """Each batch norm once, with its first name, and the modules that have one in them but as no module."""
    for name, layer in module.named_modules():
        scripted = isinstance(layer, torch.jit.ScriptModule) and "BatchNorm" in layer.original_name
        fused = isinstance(layer, _FusedModule) and any(
            isinstance(child, batchnorm._BatchNorm) for child in layer.modules()
        )
        traced = isinstance(layer, fx.GraphModule) and any(
            node.op == "call_function" and "batch_norm" in str(node.target) for node in layer.graph.nodes
        )
        if isinstance(layer, batchnorm._BatchNorm) or scripted or fused or traced:
            yield name, layer


def _norm(layer: Any) -> str:
    return layer.norm if isinstance(layer, BatchNorm) else TORCHS


def _obstacle(module: nn.Module, layer: Any, norm: str, formats: Contract | None) -> str | None:
    """Why ``layer``, one within ``module``, cannot become one of ``norm``."""
    if isinstance(layer, torch.jit.ScriptModule):
        return "it is compiled; convert the model before"
    if isinstance(layer, fx.GraphModule):
        return "it is a graph that calls batch normalisation as a function; convert the model before"
    if isinstance(layer, _FusedModule):
        return "what it is fused with reads its variance; convert the model before"
    if isinstance(layer, nn.SyncBatchNorm):
        return "it averages over several processes, and no layer here does"
    if isinstance(layer, LazyModuleMixin):
        return "it has no shape yet; run the model once before"
    if type(layer) not in BECOMES:
        return (
            f"what a subclass adds would be lost; allowed: {', '.join(kind.__name__ for kind, _ in FAMILIES)}"
        )
    if "forward" in layer.__dict__:
        return "it has a forward of its own"
    if layer.eps < 0:
        return f"eps = {layer.eps!r} is not possible; allowed: 0 or more"
    if formats is not None:
        try:
            formats.replace(epsilon=_translated_eps(layer, norm))
        except ValueError as error:
            return str(error)
    if _norm(layer) == norm:
        return None
    return _tied(module, layer, norm) or (_bias_tied(module, layer) if _loses_mean(layer, norm) else None)


def _tied(module: nn.Module, layer: Any, norm: str) -> str | None:
    """Why the weight of ``layer`` cannot be scaled."""
    if "weight" not in layer._parameters:
        return "its weight is computed from others (weight norm, pruning)"
    weight = layer.weight
    for name, other in module.named_modules():
        for kind, parameter in other._parameters.items():
            alike = type(other) in BECOMES and kind == "weight" and _norm(other) != norm
            if parameter is weight and weight is not None and not alike:
                return f"its weight has to be scaled and is also {_path(name, kind)}"
    return None


def _loses_mean(layer: Any, norm: str) -> bool:
    """Whether ``layer`` has a running mean that a layer of ``norm`` would not subtract."""
    mean = layer._buffers["running_mean"]
    return mean is not None and not norm_of(norm).centred and bool(mean.any())


def _bias_tied(module: nn.Module, layer: Any) -> str | None:
    """Why the bias of ``layer`` cannot take the running mean."""
    if "bias" not in layer._parameters:
        return "its bias is computed from others"
    for name, other in module.named_modules():
        for kind, parameter in other._parameters.items():
            itself = other is layer and kind == "bias"
            if parameter is layer.bias and parameter is not None and not itself:
                return f"its bias has to take the running mean and is also {_path(name, kind)}"
    return None


def _path(module: str, parameter: str) -> str:
    return ".".join(filter(None, (module, parameter)))


def _translated_eps(layer: Any, norm: str) -> float:
    eps: float = layer.eps
    if _norm(layer) == norm:
        return eps
    return float(_translated(eps, _norm(layer), norm, math.sqrt))


def _translated(spread: Any, old: str, new: str, root: Callable[[Any], Any]) -> Any:
    """What one norm averages as what another one does, for Gaussian samples: a number or a tensor with its root."""
    of_old, of_new = norm_of(old), norm_of(new)
    r = root(spread) if of_old.power == 2 else spread
    return (r * of_new.gaussian_spread / of_old.gaussian_spread) ** of_new.power


@torch.no_grad()
def _become(module: nn.Module, layer: Any, norm: str, done: set[int]) -> None:
    """Change class and state of ``layer``. ``done`` has the tensors translated before: layers may share them."""
    if _norm(layer) != norm:
        if _loses_mean(layer, norm):
            _move_mean(module, layer)
        eps, spread = _translated_eps(layer, norm), layer._buffers["running_var"]
        if spread is not None and id(spread) not in done:
            wide = spread.to(computation_dtype(spread.dtype)) + layer.eps
            spread.copy_(_translated(wide, _norm(layer), norm, torch.sqrt) - eps)
            done.add(id(spread))
        factor = norm_of(norm).gaussian_spread / norm_of(_norm(layer)).gaussian_spread
        if layer.weight is None:
            layer.weight = nn.Parameter(_like(module, layer).fill_(factor), requires_grad=False)
            layer.affine = True
        elif id(layer.weight) not in done:
            layer.weight.mul_(factor)
            done.add(id(layer.weight))
        layer.eps = eps
    layer.__class__ = BECOMES[type(layer)][norm]


def _move_mean(module: nn.Module, layer: Any) -> None:
    """Let the bias do to y what the running mean does."""
    mean, spread = layer._buffers["running_mean"], layer._buffers["running_var"]
    wide = spread.to(computation_dtype(spread.dtype)) + layer.eps
    moved = mean / root(wide, norm_of(_norm(layer)))
    if layer.weight is not None:
        moved = moved * layer.weight
    if layer.bias is None:
        layer.bias = nn.Parameter(_like(module, layer).zero_(), requires_grad=False)
        layer.affine = True
    layer.bias.sub_(moved)
    mean.zero_()


def _like(module: nn.Module, layer: Any) -> Tensor:
    """A vector of the layer's type and device, or, if it has no tensors, of the model's."""
    tensors = (*layer.buffers(), *layer.parameters(), *module.parameters(), torch.empty(0))
    like = next(tensor for tensor in tensors if tensor.is_floating_point())
    return torch.empty(layer.num_features, dtype=like.dtype, device=like.device)
