"""Batch normalisation in the hardware's integers, with floating-point tensors outside.

How a tensor becomes integers: x and dy are block floating point, one power of two for the whole tensor, chosen
anew for each tensor as the largest one with which no element saturates. gamma, beta and y have the fixed formats
of the contract. The unit reads x as if it had ``x_fraction`` fraction bits. It may, because the norm does not
depend on the scale of x; only epsilon does, and counts in units of the scaled x. dx is scaled back by what
x and dy were scaled; a channel of dy whose dx would saturate gets a smaller power of two of its own. In inference
neither an element of x nor a stored mean or spread saturates. Everything is rounded half up, as in the hardware, and
y, gamma and beta saturate.

A channel with a NaN or an infinity, in x, in dy, in a parameter or in what is stored, is NaN as a whole and takes
no part in the choice of the power of two.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.jit._trace import is_tracing

from ..backend import BackendFactory
from ..contract import Contract
from .backends import backends_of
from .floating import track
from .operators import Infer, Normalise, contract_text, infer, normalise

__all__ = ["Arithmetic"]


class Arithmetic:
    """The integers of a layer: what a contract says and what a backend computes.

    Parameters
    ----------
    contract : the formats; the layer's eps takes the place of its epsilon and, in training, n that of its counts
    factory : makes a backend of a contract. Copies of this object share it and make backends of their own,
        unless the factory can be imported by its name: then its backends are those of the process.
    """

    def __init__(self, contract: Contract, factory: BackendFactory) -> None:
        self.contract = contract
        self.backends = backends_of(factory)
        self._text = contract_text(contract)
        self._key = self.backends.key

    @property
    def factory(self) -> BackendFactory:
        """Makes the backends."""
        return self.backends.factory

    def __deepcopy__(self, memo: dict[int, Any]) -> Arithmetic:
        return Arithmetic(self.contract, self.backends.factory)

    def __reduce__(self) -> tuple[Any, ...]:
        return Arithmetic, (self.contract, self.backends.factory)

    def batch_norm(
        self,
        x: Tensor,
        running_mean: Tensor | None,
        running_spread: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        training: bool,
        momentum: float | Tensor,
        eps: float,
    ) -> Tensor:
        """:func:`torch.nn.functional.batch_norm` in integers.

        Parameters
        ----------
        x : (batch, channels, ...), float16, bfloat16, float32 or float64
        running_mean, running_spread : (channels,), or both ``None``; moved in place by ``momentum`` if ``training``.
            The spread is the mean absolute deviation (L1) or the variance (L2).
        weight, bias : (channels,), or ``None`` for 1 and 0
        training : normalise with the statistics of x, or with the running ones
        eps : in units of x as the unit reads it (L1), or of its square (L2)

        Returns
        -------
        y of the shape, type, memory format and device of x.

        Raises
        ------
        ValueError
            For a number of samples a channel, in training, or an eps that the contract does not allow.
        """
        traced, centred = _traced(), self.contract.traits.centred
        if not training:
            assert running_mean is not None and running_spread is not None
            # A norm without a mean does not read the running one.
            mean = running_mean if centred else torch.zeros_like(running_mean)
            state = (x, weight, bias, mean, running_spread, eps, self._text)
            y, _ = infer(*state) if traced else Infer.apply(*state)
            return y
        arguments = (x, weight, bias, eps, self._text, self._key)
        y, mean, spread, *_ = normalise(*arguments) if traced else Normalise.apply(*arguments)
        if running_mean is not None and running_spread is not None and (is_tracing() or x.numel()):
            averages = [(running_mean, mean)] if centred else []
            track([*averages, (running_spread, spread)], momentum)
        return y


def _traced() -> bool:
    """Whether a tracer listens that records operators: it has no word for an autograd function, or not for all."""
    return is_tracing() or torch.compiler.is_compiling()
