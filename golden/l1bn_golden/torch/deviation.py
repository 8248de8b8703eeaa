"""What the layers of the L1 norm show as ``running_var``: a mean absolute deviation that cannot pass for a variance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["MeanAbsoluteDeviation"]

# What takes a variance: the roots of one, and batch normalisation with one. Folding a layer into a convolution and
# converting it to SyncBatchNorm end in one of these.
ROOTS = (torch.sqrt, Tensor.sqrt, Tensor.sqrt_, torch.rsqrt, Tensor.rsqrt, Tensor.rsqrt_)
NORMS = (
    functional.batch_norm,
    torch.batch_norm,
    torch.native_batch_norm,
    torch.batch_norm_gather_stats_with_counts,
)
POWERS = (torch.pow, Tensor.pow, Tensor.pow_, Tensor.__pow__)
VARIANCES = frozenset((*ROOTS, *NORMS))


class MeanAbsoluteDeviation(Tensor):
    """A tensor like any other, with the memory of the layer's buffer, except that it refuses to be a variance.

    ``torch.nn.utils.fuse_conv_bn_eval`` and tools like it take ``rsqrt(running_var + eps)`` of every batch norm.
    For the L1 norm that is another function, so it is an error here.

    Raises
    ------
    TypeError
        For the root of it, a power of 0.5 or -0.5, and batch normalisation with it.
    """

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in VARIANCES or (func in POWERS and args[1] in (0.5, -0.5)):
            raise TypeError(
                "running_var of an L1 batch norm is a mean absolute deviation, not a variance: in eval() the layer is "
                "weight / (running_var + eps) * (x - running_mean) + bias"
            )
        return super().__torch_function__(func, types, args, kwargs or {})
