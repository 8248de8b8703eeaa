"""What batch normalisation layers have in common: the interface of torch.nn.BatchNorm1d, 2d and 3d."""

from __future__ import annotations

from typing import Any

from torch import Tensor, fx
from torch.nn.modules import batchnorm

from ..backend import BackendFactory, GoldenBackend
from ..contract import Contract
from ..norms import norm_of
from . import fixed
from .floating import batch_norm, check
from .spreads import Spread

__all__ = ["BatchNorm", "SpreadBatchNorm"]


class BatchNorm(batchnorm._BatchNorm):
    """Batch normalisation with one of the norms, in floating point or in the hardware's integers.

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats, device, dtype, bias : as of torch.nn.BatchNorm2d.
        eps is added to the spread: in units of x, or of its square where r is a root (L2).
    formats : ``None`` for floating point. A :class:`~l1bn_golden.Contract` of the same norm for the hardware's
        integers: its widths and fractions count; n takes the place of its ``counts`` in training, eps that of
        its ``epsilon``. See :mod:`l1bn_golden.torch.fixed` for how tensors become integers.
    backend : makes who computes with the integers of a contract; by default the golden model. See
        ``docs/hardware_in_the_loop.md``.

    State: ``weight``, ``bias``, ``running_mean``, ``running_var``, ``num_batches_tracked``. With the L2 norm
    ``running_var`` averages the unbiased variance, as in torch. With another norm it averages what takes the
    variance's place there, without eps: **the mean absolute deviation** (L1: divided by n, in units of x), **the
    range** (Range: in units of x), **the mean square** (RMS), **the mean of abs x** (MeanAbsolute: in units of x). A
    state of torch.nn.BatchNorm2d loads, but means something else. :func:`~l1bn_golden.torch.convert` translates one,
    and what reads ``running_var`` for a variance meets a :class:`~l1bn_golden.torch.spreads.Spread`. RMS and
    MeanAbsolute subtract no mean: their ``running_mean`` stays 0, and a state with another one does not load.

    Raises
    ------
    ValueError, RuntimeError, NotImplementedError
        Where torch's layer does: a wrong number of dimensions or channels, one value per channel in training,
        an eps that is not positive in training, types that do not fit together, integers.
    ValueError
        For ``formats`` of another norm.
    """

    norm: str
    dimensions: tuple[int, ...]

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
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype, bias=bias
        )
        self.compute_in(formats, backend)

    def compute_in(self, formats: Contract | None, backend: BackendFactory = GoldenBackend) -> None:
        """Compute in these formats from now on, in floating point for ``None``. ``ValueError`` for another norm."""
        if formats is not None and formats.norm != self.norm:
            raise ValueError(f"formats.norm = {formats.norm!r} is not possible; allowed: {self.norm}")
        self.arithmetic = None if formats is None else fixed.Arithmetic(formats, backend)

    @property
    def formats(self) -> Contract | None:
        """The formats that the layer computes in, ``None`` for floating point; :meth:`compute_in` changes them."""
        return None if self.arithmetic is None else self.arithmetic.contract

    @property
    def backend(self) -> BackendFactory | None:
        """Makes who computes with the integers; ``None`` for floating point."""
        return None if self.arithmetic is None else self.arithmetic.factory

    def extra_repr(self) -> str:
        text: str = super().extra_repr()
        return text if self.formats is None else f"{text}, width={self.formats.width}"

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.dimensions:
            allowed = " or ".join(f"{dimension}D" for dimension in self.dimensions)
            raise ValueError(f"expected {allowed} input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        if isinstance(input, fx.Proxy):
            return self._node(input)
        if self.arithmetic is None:
            return self._floating(input)
        return self.arithmetic.batch_norm(*self._arguments(input))

    def _floating(self, input: Tensor) -> Tensor:
        """y in floating point."""
        raise NotImplementedError

    def _arguments(self, input: Tensor) -> tuple[Any, ...]:
        """What :func:`torch.nn.functional.batch_norm` takes, checked, of a batch that is counted."""
        self._check_input_dim(input)
        momentum = self._count_batch()
        running = self._buffers["running_mean"], self._buffers["running_var"]
        use_batch = self.training or (running[0] is None and running[1] is None)
        if self.training and not self.track_running_stats:
            running = None, None
        check(input, running, (self.weight, self.bias), use_batch, self.eps)
        return input, *running, self.weight, self.bias, use_batch, momentum, self.eps

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        mean = state_dict.get(f"{prefix}running_mean")
        if mean is not None and not norm_of(self.norm).centred and bool(mean.any()):
            *_, errors = args
            errors.append(
                f"{prefix}running_mean is not 0, and a batch norm of {self.norm} subtracts no mean; "
                "load into a layer that does and use l1bn_golden.torch.convert"
            )

    def _node(self, input: Any) -> Any:
        """The layer as one node of a symbolic trace, as those of torch are."""
        name = input.tracer.path_of_module(self)
        if not name:
            raise fx.proxy.TraceError(
                "a batch norm alone cannot be traced; allowed: a module that contains it"
            )
        return input.tracer.create_proxy("call_module", name, (input,), {})

    def _count_batch(self) -> float | Tensor:
        """Count a batch in training, and by how much the running statistics move towards it."""
        count = self.num_batches_tracked
        if count is not None and self.training and self.track_running_stats:
            count.add_(1)
            if self.momentum is None:
                return 1 / count
        return 0.0 if self.momentum is None else self.momentum


class SpreadBatchNorm(BatchNorm):
    """Batch normalisation with a norm that torch does not have, by operations of torch.

    A subclass says what the spread is and what ``running_var`` is shown as, which for a variance is ``None``.
    """

    kept: type[Spread] | None = None

    @staticmethod
    def spread(centred: Tensor) -> Tensor:
        """The spread of each channel of samples without their centre, shaped to broadcast over them."""
        raise NotImplementedError

    def _floating(self, input: Tensor) -> Tensor:
        return batch_norm(*self._arguments(input), norm=norm_of(self.norm), spread=self.spread)

    @property
    def running_var(self) -> Tensor | None:  # type: ignore[override]
        """The running spread of each channel, in units of x to the norm's power."""
        # torch.nn.Module registers and sets buffers of any name that is no attribute yet.
        if "running_var" not in self._buffers:
            raise AttributeError("running_var")
        values = self._buffers["running_var"]
        # Tensors that already are of another class are those of a trace.
        return values.as_subclass(self.kept) if self.kept and type(values) is Tensor else values

    def __setattr__(self, name: str, value: Any) -> None:
        # The buffer itself is a plain tensor.
        super().__setattr__(name, value.as_subclass(Tensor) if isinstance(value, Spread) else value)
