"""Normalisation in integers as operators of PyTorch: what a tracer, a compiler or a transform sees.

Importing this module registers them, which is all that a saved graph needs in order to be loaded. Every
argument but the tensors is text: a contract as :func:`contract_text` writes it, and the key of a backend
(:mod:`.backends`). The computation itself happens in NumPy on the processor; results are on the device of x.

``l1bn::normalise``
    ``(x, weight, bias, epsilon, contract, backend) -> (y, mean, spread, samples, statistics)``. The spread is what
    running statistics average: the mean absolute deviation (L1), or the unbiased variance (L2). The last two are for
    the backward pass: x in integers, and what :class:`Statistics` holds.
``l1bn::normalise_backward``
    ``(dy, samples, statistics, epsilon, contract, backend) -> (dx, dgamma, dbeta)``.
``l1bn::infer``
    ``(x, weight, bias, running_mean, running_spread, epsilon, contract) -> (y, r)``,
    r as the unit has it, in units of x.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .. import reference
from ..contract import Contract
from ..data import quantize
from ..extra import Extra
from ..norms import STATISTICS, norm_of
from ..rounding import half_up
from ..running import Running, inference
from ..samples import Integers
from .backends import find_backends
from .blocks import (
    Flags,
    Reals,
    block_exponent,
    finite_rows,
    in_format,
    parameters,
    rows_of,
    tensor_of_rows,
    vector,
    vector_of,
)
from .floating import computation_dtype

__all__ = ["Infer", "Normalise", "Statistics", "contract_text", "infer", "normalise", "normalise_backward"]


def contract_text(contract: Contract) -> str:
    """A contract as the operators take it: JSON."""
    return json.dumps(dataclasses.asdict(contract), sort_keys=True)


@lru_cache(maxsize=1024)
def _contract(text: str) -> Contract:
    return Contract.from_parameters(json.loads(text))


def _replaced(contract: Contract, **changes: Any) -> Contract:
    try:
        return contract.replace(**changes)
    except ValueError as error:
        raise ValueError(f"{contract.traits.title}BatchNorm in integers: {error}") from None


@lru_cache(maxsize=1024)
def _training_contract(text: str, epsilon: float, count: int) -> Contract:
    return _replaced(_contract(text), counts=(count,), epsilon=epsilon)


@lru_cache(maxsize=1024)
def _inference_contract(text: str, epsilon: float) -> Contract:
    """r has as many fraction bits as its mantissa has bits, unless the contract says how many."""
    contract = _replaced(_contract(text), epsilon=epsilon)
    if contract.running_fraction is not None:
        return contract
    return contract.replace(running_fraction=contract.T)


@dataclass(frozen=True)
class Statistics(Extra):
    """What the backward pass takes of each channel beside its samples: integers of shape (channels,).

    ``mean``, ``r_mantissa``, ``r_exponent`` and ``extra`` are as :class:`~l1bn_golden.integer.Forward` has them,
    ``gamma`` is the parameter in its format, x was taken times 2 ** ``exponent``, and what is not ``finite`` is NaN.
    """

    mean: Integers
    r_mantissa: Integers
    r_exponent: Integers
    extra: Mapping[str, Integers]
    gamma: Integers
    exponent: Integers
    finite: Flags

    # The mean has more than 64 bits in the widest formats.
    WORDS = 3
    COLUMNS = WORDS + 5 + len(STATISTICS)

    def table(self, like: Tensor) -> Tensor:
        """(channels, COLUMNS), int64, on the device of ``like``; 0 for statistics of other norms."""
        means = b"".join(int(mean).to_bytes(8 * self.WORDS, "little", signed=True) for mean in self.mean)
        none = np.zeros(len(self.gamma))
        extra = [self.extra.get(name, none) for name in STATISTICS]
        columns = (self.r_mantissa, self.r_exponent, *extra, self.gamma, self.exponent, self.finite)
        rest = np.stack([np.asarray(column).astype(np.int64) for column in columns], axis=1)
        table = np.concatenate([np.frombuffer(means, "<i8").reshape(-1, self.WORDS), rest], axis=1)
        return torch.from_numpy(table).to(like.device)

    @classmethod
    def of_table(cls, table: Tensor, norm: str) -> Statistics:
        """What :meth:`table` wrote."""
        array = table.cpu().numpy()
        words = array[:, : cls.WORDS].astype("<i8")
        means = [int.from_bytes(row.tobytes(), "little", signed=True) for row in words]
        r_mantissa, r_exponent, *extra, gamma, exponent, finite = array[:, cls.WORDS :].T
        by_name = dict(zip(STATISTICS, extra, strict=True))
        return cls(
            mean=np.array(means, dtype=object),
            r_mantissa=r_mantissa,
            r_exponent=r_exponent,
            extra={name: by_name[name] for name in norm_of(norm).statistics},
            gamma=gamma,
            exponent=exponent,
            finite=finite.astype(bool),
        )


# -- training -------------------------------------------------------------------------------------


@torch.library.custom_op(
    "l1bn::normalise",
    mutates_args=(),
    schema="(Tensor x, Tensor? weight, Tensor? bias, float epsilon, str contract, str backend)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
)
def normalise(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, epsilon: float, contract: str, backend: str
) -> tuple[Tensor, ...]:
    channels = x.shape[1]
    if x.numel() == 0:
        table = x.new_zeros((channels, Statistics.COLUMNS), dtype=torch.int64)
        none = vector(np.full(channels, np.nan), x)
        nothing = torch.empty_like(x, dtype=_samples_type(contract))
        return torch.empty_like(x), none, none.clone(), nothing, table
    unit = _training_contract(contract, epsilon, x.numel() // channels)
    rows, seen = finite_rows(rows_of(x))
    gamma, beta, finite = _affine(unit, weight, bias, channels)
    exponent = block_exponent(rows, unit.width)
    samples = quantize(rows, unit.width, exponent)
    result = find_backends(backend)[unit].forward(samples, gamma, beta)
    y = in_format(result.y, unit.y_width, unit.y_fraction, x.dtype)
    y[~(seen & finite)] = np.nan
    means = np.ldexp(np.asarray(result.mean).astype(np.float64), -unit.G - exponent)
    spreads = _spread(unit, samples, result, exponent)
    statistics = Statistics(
        mean=result.mean,
        r_mantissa=result.r_mantissa,
        r_exponent=result.r_exponent,
        extra={name: getattr(result, name) for name in unit.traits.statistics},
        gamma=gamma,
        exponent=np.full(channels, exponent),
        finite=seen & finite,
    )
    return (
        tensor_of_rows(y, x, x.dtype),
        vector(np.where(seen, means, np.nan), x),
        vector(np.where(seen, spreads, np.nan), x),
        tensor_of_rows(samples, x, _samples_type(contract)),
        statistics.table(x),
    )


@normalise.register_fake
def _(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, epsilon: float, contract: str, backend: str
) -> tuple[Tensor, ...]:
    channels = x.shape[1]
    return (
        torch.empty_like(x),
        x.new_empty(channels, dtype=computation_dtype(x.dtype)),
        x.new_empty(channels, dtype=computation_dtype(x.dtype)),
        torch.empty_like(x, dtype=_samples_type(contract)),
        x.new_empty((channels, Statistics.COLUMNS), dtype=torch.int64),
    )


@torch.library.custom_op(
    "l1bn::normalise_backward",
    mutates_args=(),
    schema="(Tensor dy, Tensor samples, Tensor statistics, float epsilon, str contract, str backend)"
    " -> (Tensor, Tensor, Tensor)",
)
def normalise_backward(
    dy: Tensor, samples: Tensor, statistics: Tensor, epsilon: float, contract: str, backend: str
) -> tuple[Tensor, ...]:
    channels = dy.shape[1]
    if dy.numel() == 0:
        none = vector(np.zeros(channels), dy)
        return torch.empty_like(samples, dtype=dy.dtype), none, none.clone()
    unit = _training_contract(contract, epsilon, dy.numel() // channels)
    given = Statistics.of_table(statistics, unit.norm)
    rows, seen = finite_rows(rows_of(dy))
    x = rows_of(samples)
    exponents = _gradient_exponents(unit, x, rows, given.gamma)
    gradient = quantize(np.ldexp(rows, exponents[:, None]), unit.dy_width, 0)
    result = find_backends(backend)[unit].backward(x, gradient, given.gamma, given)
    # What the unit took x and dy for, times what they are.
    scale = given.exponent - exponents - (unit.x_fraction - unit.dy_fraction + unit.dx_fraction)
    finite = seen & given.finite
    with np.errstate(over="ignore", under="ignore"):
        dx = np.ldexp(np.asarray(result.dx).astype(np.float64), scale[:, None])
        dgamma, dbeta = (
            np.where(finite, np.ldexp(np.asarray(sums).astype(np.float64), -exponents), np.nan)
            for sums in (result.dgamma, result.dbeta)
        )
    dx[~finite] = np.nan
    return tensor_of_rows(dx, samples, dy.dtype), vector(dgamma, dy), vector(dbeta, dy)


@normalise_backward.register_fake
def _(
    dy: Tensor, samples: Tensor, statistics: Tensor, epsilon: float, contract: str, backend: str
) -> tuple[Tensor, ...]:
    channels = dy.shape[1]
    return (
        torch.empty_like(samples, dtype=dy.dtype),
        dy.new_empty(channels, dtype=computation_dtype(dy.dtype)),
        dy.new_empty(channels, dtype=computation_dtype(dy.dtype)),
    )


def _samples_type(contract: str) -> torch.dtype:
    return torch.int16 if _contract(contract).width <= 16 else torch.int32


def _affine(
    contract: Contract, weight: Tensor | None, bias: Tensor | None, channels: int
) -> tuple[Integers, Integers, Flags]:
    gamma, finite = parameters(weight, 1.0, channels, contract.gamma_width, contract.gamma_fraction)
    beta, finite_beta = parameters(bias, 0.0, channels, contract.beta_width, contract.beta_fraction)
    return gamma, beta, finite & finite_beta


def _spread(contract: Contract, samples: Integers, result: Any, exponent: int) -> Reals:
    """What running statistics average, in units of the tensor, from the r of the hardware, which contains eps."""
    r = np.ldexp(result.r_mantissa.astype(np.float64), -result.r_exponent.astype(np.int64))
    (count,) = contract.counts
    norm = contract.traits
    spread = np.maximum(r**norm.power - float(contract.effective_epsilon(count)), 0) * norm.unbiased(count)
    # The unit gives a channel without spread one unit of spread, for a reciprocal that it then multiplies by 0.
    spread[~norm.varies(samples)[:, 0]] = 0
    # Beyond the ends of float64 there is infinity and 0, as in any other arithmetic of PyTorch.
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(spread, -norm.power * exponent)


def _gradient_exponents(contract: Contract, x: Integers, dy: Reals, gamma: Integers) -> npt.NDArray[np.int64]:
    """The power of two that each channel of dy is taken times.

    It is that of the whole tensor. A channel whose dx would saturate, as the formula in floating point tells, gets
    a smaller one, down to where its largest dy is one or two LSB.
    """
    c = contract
    exponent = block_exponent(dy, c.dy_width)
    expected = reference.backward(
        c.norm,
        np.ldexp(x.astype(np.float64), -c.x_fraction),
        np.ldexp(gamma.astype(np.float64), -c.gamma_fraction),
        np.ldexp(dy, exponent - c.dy_fraction),
        c.epsilon,
    )
    # A sixteenth of the range is left to the rounding of dy.
    limit = math.ldexp(15 / 16, c.dx_width - 1 - c.dx_fraction)
    _, excess = np.frexp(np.abs(expected.dx).max(axis=1) / limit)
    _, bits = np.frexp(np.ldexp(np.abs(dy).max(axis=1), exponent))
    lowered: npt.NDArray[np.int64] = exponent - np.clip(excess, 0, np.maximum(bits - 1, 0)).astype(np.int64)
    return lowered


# -- inference ------------------------------------------------------------------------------------


@torch.library.custom_op(
    "l1bn::infer",
    mutates_args=(),
    schema="(Tensor x, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_spread,"
    " float epsilon, str contract) -> (Tensor, Tensor)",
)
def infer(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor,
    running_spread: Tensor,
    epsilon: float,
    contract: str,
) -> tuple[Tensor, ...]:
    channels = x.shape[1]
    unit = _inference_contract(contract, epsilon)
    rows, seen = finite_rows(rows_of(x))
    gamma, beta, finite = _affine(unit, weight, bias, channels)
    averages = np.stack([vector_of(running_mean), vector_of(running_spread)], axis=1)
    averages, known = finite_rows(averages)
    means, spreads = averages.T
    deviations = np.abs(spreads) ** (1 / unit.traits.power)
    exponent = block_exponent(np.concatenate([rows.ravel(), means, deviations]), unit.width)
    r, valid = _r(unit, spreads, exponent)
    # As the unit stores its averages: with momentum_shift more bits than it reads.
    running = Running(
        _rounded(means, exponent + unit.G) << unit.momentum_shift,
        _rounded(r, unit.Gr) << unit.momentum_shift,
    )
    result = inference(unit, quantize(rows, unit.width, exponent), running, gamma, beta)
    y = in_format(result.y, unit.y_width, unit.y_fraction, x.dtype)
    y[~(seen & finite & known & valid)] = np.nan
    used = np.ldexp(result.r_mantissa.astype(np.float64), -result.r_exponent - exponent)
    return tensor_of_rows(y, x, x.dtype), vector(np.where(known & valid, used, np.nan), x)


@infer.register_fake
def _(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor,
    running_spread: Tensor,
    epsilon: float,
    contract: str,
) -> tuple[Tensor, ...]:
    return torch.empty_like(x), x.new_empty(x.shape[1], dtype=computation_dtype(x.dtype))


def _r(contract: Contract, spreads: Reals, exponent: int) -> tuple[Reals, Flags]:
    """r in LSB of x from stored spreads, and where it is one: 0 elsewhere."""
    power = contract.traits.power
    r = np.ldexp(spreads, power * exponent) + math.ldexp(contract.epsilon, power * contract.x_fraction)
    valid = r >= 0
    return np.where(valid, r, 0.0) ** (1 / power), valid


def _rounded(values: Reals, fraction: int) -> Integers:
    """Python integers: the values with ``fraction`` fraction bits, half up."""
    ratios = (value.as_integer_ratio() for value in np.ldexp(values, fraction).tolist())
    return np.array([half_up(*ratio) for ratio in ratios], dtype=object)


# -- differentiation and transforms ---------------------------------------------------------------


def _loop(operator: Callable[..., tuple[Tensor, ...]]) -> Callable[..., Any]:
    """The rule for ``torch.vmap``: each item is a tensor of its own, with its own power of two."""

    def rule(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[Any, Any]:
        results = []
        for item in range(info.batch_size):
            taken = (
                value.select(dim, item) if isinstance(value, Tensor) and dim is not None else value
                for value, dim in zip(args, in_dims, strict=True)
            )
            results.append(operator(*taken))
        columns = tuple(torch.stack(column) for column in zip(*results, strict=True))
        return columns, (0,) * len(columns)

    return rule


for _operator in (normalise, normalise_backward, infer):
    _operator.register_vmap(_loop(_operator))


class _Reverse(torch.autograd.Function):
    """A function that has no derivative in forward mode."""

    generate_vmap_rule = True

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:
        raise NotImplementedError(
            "batch normalisation in integers has no derivative in forward mode; allowed: reverse mode"
            " (backward, grad, vjp, jacrev), or a layer in floating point (formats = None)"
        )


class _NormaliseBackward(_Reverse):
    """The gradients, which have none of their own."""

    @staticmethod
    def forward(*args: Any) -> Any:
        return normalise_backward(*args)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise NotImplementedError(
            "batch normalisation in integers has no second derivative in training: its gradient is rounded to"
            " integers; allowed: a layer in floating point (formats = None), or one in eval()"
        )


class Normalise(_Reverse):
    """``l1bn::normalise`` with its gradient, which passes through every rounding and through the saturation of y."""

    @staticmethod
    def forward(*args: Any) -> Any:
        return normalise(*args)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        _, weight, bias, ctx.epsilon, ctx.contract, ctx.backend = inputs
        ctx.weight_type = None if weight is None else weight.dtype
        ctx.bias_type = None if bias is None else bias.dtype
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*output[3:])

    @staticmethod
    def backward(ctx: Any, dy: Tensor, *_: Any) -> Any:
        samples, statistics = ctx.saved_tensors
        dx, dgamma, dbeta = _NormaliseBackward.apply(
            dy, samples, statistics, ctx.epsilon, ctx.contract, ctx.backend
        )
        _, of_weight, of_bias, *_ = ctx.needs_input_grad
        dweight = dgamma.to(ctx.weight_type) if of_weight else None
        dbias = dbeta.to(ctx.bias_type) if of_bias else None
        return dx, dweight, dbias, None, None, None


class Infer(_Reverse):
    """``l1bn::infer`` with the gradient of the affine map that it rounds: y = weight * (x - mean) / r + bias.

    Mean and r are constants. The map is differentiated in floating point, as often as one likes.
    """

    @staticmethod
    def forward(*args: Any) -> Any:
        return infer(*args)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, weight, bias, mean, *_ = inputs
        ctx.bias_type = None if bias is None else bias.dtype
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(x, weight, mean, output[1])

    @staticmethod
    def backward(ctx: Any, dy: Tensor, *_: Any) -> Any:
        x, weight, mean, r = ctx.saved_tensors
        gradient, kind = dy.to(r.dtype), (1, -1, *[1] * (x.dim() - 2))
        others = [0, *range(2, x.dim())]
        rate = (1 / r).reshape(kind)
        slope = rate if weight is None else weight.to(r.dtype).reshape(kind) * rate
        needed = ctx.needs_input_grad
        dx = None
        if needed[0]:
            # In the memory format of x, whatever that of dy is.
            dx = (torch.ones_like(x, dtype=r.dtype) * slope * gradient).to(x.dtype)
        dweight = dbias = None
        if needed[1]:
            centred = x.to(r.dtype) - mean.to(r.dtype).reshape(kind)
            dweight = (gradient * centred * rate).sum(others).to(weight.dtype)
        if needed[2]:
            dbias = gradient.sum(others).to(ctx.bias_type)
        return dx, dweight, dbias, None, None, None, None


# A tracer that has no word for an autograd function records the bare operator; its gradient is the same.
normalise.register_autograd(Normalise.backward, setup_context=Normalise.setup_context)
normalise_backward.register_autograd(
    _NormaliseBackward.backward, setup_context=_NormaliseBackward.setup_context
)
infer.register_autograd(Infer.backward, setup_context=Infer.setup_context)
