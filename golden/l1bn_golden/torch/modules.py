"""Drop-in modules for torch.nn.BatchNorm1d and torch.nn.BatchNorm2d."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from ..backend import Backend, BackendFactory, GoldenBackend
from ..contract import Contract
from .fixed import HardwareNormalisation, infer
from .floating import Normalisation, along_channels, require_finite, spread_to_r

__all__ = ["L1BatchNorm1d", "L1BatchNorm2d", "L2BatchNorm1d", "L2BatchNorm2d", "convert"]


class _BatchNorm(_NormBase):
    """Batch normalisation with one of the norms.

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats, device, dtype, bias : as of torch.nn.BatchNorm2d.
        With the L1 norm eps is added to the mean absolute deviation, so it is in units of x.
    formats : ``None`` for floating point. A :class:`~l1bn_golden.Contract` of the same norm for the hardware's
        integers: its widths and fractions count; n takes the place of its ``counts`` in training, eps that of
        its ``epsilon``. See :mod:`l1bn_golden.torch.fixed` for how tensors become integers.
    backend : makes who computes with the integers of a contract; by default the golden model. See
        ``docs/hardware_in_the_loop.md``.

    State: ``weight``, ``bias``, ``running_mean``, ``running_var``, ``num_batches_tracked``. With the L2 norm
    ``running_var`` averages the unbiased variance, as in torch. With the L1 norm it averages what takes the
    variance's place there, **the mean absolute deviation** (divided by n, without eps, in units of x): a state
    of torch.nn.BatchNorm2d loads, but means something else. :func:`convert` translates one.

    Raises
    ------
    ValueError
        For an input of the wrong shape, with one value per channel in training, or not finite; for a gradient
        that is not finite; for an argument out of range.
    """

    norm: str

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
        formats: Contract | None = None,
        backend: BackendFactory = GoldenBackend,
    ) -> None:
        if isinstance(num_features, bool) or not isinstance(num_features, int) or num_features < 1:
            raise ValueError(f"num_features = {num_features!r} is not possible; allowed: 1 or more")
        if not math.isfinite(eps) or eps < 0:
            raise ValueError(f"eps = {eps!r} is not possible; allowed: a number from 0 up")
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(
                f"momentum = {momentum!r} is not possible; allowed: None or a number from 0 to 1"
            )
        if formats is not None and formats.norm != self.norm:
            raise ValueError(f"formats.norm = {formats.norm!r} is not possible; allowed: {self.norm}")
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype, bias=bias
        )
        self.formats = None if formats is None else formats.replace(epsilon=eps)
        self.backend = backend
        self._made: dict[int, tuple[Contract, Backend]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Copies and files make their own backends: one may be a process or a library.
        return self.__dict__ | {"_made": {}}

    def extra_repr(self) -> str:
        text: str = super().extra_repr()
        return text if self.formats is None else f"{text}, width={self.formats.width}"

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        if input.shape[1] != self.num_features:
            raise ValueError(f"expected {self.num_features} channels (got {input.shape[1]})")
        if not input.is_floating_point():
            raise ValueError(f"expected floating point input (got {input.dtype})")
        require_finite("input", input)
        if not self.training and self.running_mean is not None:
            return self._infer(input)
        if input.numel() <= input.shape[1]:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got input size {input.shape}"
            )
        if self.formats is None:
            y, mean, spread = Normalisation.apply(input, self.weight, self.bias, self.norm, self.eps)
        else:
            unit = self._unit(input.numel() // input.shape[1])
            y, mean, spread = HardwareNormalisation.apply(input, self.weight, self.bias, *unit)
        if self.training and self.track_running_stats:
            self._track(mean, spread, input.numel() // input.shape[1])
        return y

    def _unit(self, count: int) -> tuple[Contract, Backend]:
        """The contract for channels of ``count`` samples and its backend, made once."""
        assert self.formats is not None
        if count not in self._made:
            contract = self.formats.replace(counts=(count,))
            self._made[count] = contract, self.backend(contract)
        return self._made[count]

    @torch.no_grad()
    def _track(self, mean: Tensor, spread: Tensor, count: int) -> None:
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None and self.running_var is not None
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        unbiased = spread * count / (count - 1) if self.norm == "l2" else spread
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), share)

    def _infer(self, x: Tensor) -> Tensor:
        assert self.running_mean is not None and self.running_var is not None
        r = spread_to_r(self.norm, self.running_var, self.eps)
        rate = 1 / r if self.weight is None else self.weight / r
        y = (x - along_channels(self.running_mean, x)) * along_channels(rate, x)
        if self.bias is not None:
            y = y + along_channels(self.bias, x)
        if self.formats is None:
            return y
        exact = infer(self.formats, x, self.weight, self.bias, self.running_mean, self.running_var)
        return y + (exact - y).detach()


class _BatchNorm1d(_BatchNorm):
    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class _BatchNorm2d(_BatchNorm):
    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class L1BatchNorm1d(_BatchNorm1d):
    __doc__ = _BatchNorm.__doc__
    norm = "l1"


class L1BatchNorm2d(_BatchNorm2d):
    __doc__ = _BatchNorm.__doc__
    norm = "l1"


class L2BatchNorm1d(_BatchNorm1d):
    __doc__ = _BatchNorm.__doc__
    norm = "l2"


class L2BatchNorm2d(_BatchNorm2d):
    __doc__ = _BatchNorm.__doc__
    norm = "l2"


LAYERS: dict[tuple[str, type[nn.Module]], type[_BatchNorm]] = {
    ("l1", nn.BatchNorm1d): L1BatchNorm1d,
    ("l1", nn.BatchNorm2d): L1BatchNorm2d,
    ("l2", nn.BatchNorm1d): L2BatchNorm1d,
    ("l2", nn.BatchNorm2d): L2BatchNorm2d,
}


def convert(
    module: nn.Module,
    norm: str,
    formats: Contract | None = None,
    backend: BackendFactory = GoldenBackend,
) -> nn.Module:
    """``module`` with every torch.nn.BatchNorm1d and BatchNorm2d inside replaced by the one of ``norm``.

    Parameters and statistics move along. For L1 they are translated as for Gaussian samples, where
    the mean absolute deviation is sqrt(2/pi) of the standard deviation: ``weight`` and ``running_var`` change so
    that y is the same up to eps. The given module itself is changed unless it is such a layer.
    """
    if norm not in {name for name, _ in LAYERS}:
        raise ValueError(f"norm = {norm!r} is not possible; allowed: l1 or l2")
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        layer = LAYERS[norm, nn.BatchNorm1d if isinstance(module, nn.BatchNorm1d) else nn.BatchNorm2d]
        return _converted(module, layer, formats, backend)
    for name, child in module.named_children():
        setattr(module, name, convert(child, norm, formats, backend))
    return module


@torch.no_grad()
def _converted(
    old: nn.BatchNorm1d | nn.BatchNorm2d,
    layer: type[_BatchNorm],
    formats: Contract | None,
    backend: BackendFactory,
) -> nn.Module:
    new = layer(
        old.num_features,
        old.eps,
        old.momentum,
        old.affine,
        old.track_running_stats,
        bias=old.bias is not None,
        formats=formats,
        backend=backend,
    )
    tensor = old.weight if old.affine else old.running_mean
    if tensor is not None:
        new.to(tensor.device, tensor.dtype)
    new.load_state_dict(old.state_dict())
    if new.norm == "l1":
        ratio = math.sqrt(2 / math.pi)
        if new.running_var is not None:
            new.running_var.sqrt_().mul_(ratio)
        if new.weight is not None:
            new.weight.mul_(ratio)
    return new.train(old.training)
