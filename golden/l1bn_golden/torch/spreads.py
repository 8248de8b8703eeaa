"""What layers show as ``running_var`` whose norm averages no variance: a tensor that cannot pass for one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Spread"]

DATA: Any = Tensor.data
ROOTS = frozenset((torch.sqrt, Tensor.sqrt, Tensor.sqrt_, torch.rsqrt, Tensor.rsqrt, Tensor.rsqrt_))
POWERS = frozenset((torch.pow, Tensor.pow, Tensor.pow_, Tensor.__pow__, Tensor.__ipow__))
NORMS = frozenset(
    (
        functional.batch_norm,
        torch.batch_norm,
        torch.native_batch_norm,
        torch.batch_norm_gather_stats_with_counts,
    )
)
# After these it is still the same quantity, and afterwards a plain tensor.
KEPT = frozenset(
    (
        *(torch.add, Tensor.add, Tensor.add_, Tensor.__add__, Tensor.__radd__, Tensor.__iadd__),
        *(
            Tensor.to,
            Tensor.type,
            Tensor.float,
            Tensor.double,
            Tensor.half,
            Tensor.bfloat16,
            Tensor.cpu,
            Tensor.cuda,
        ),
        *(torch.clone, Tensor.clone, torch.detach, Tensor.detach, DATA.__get__, Tensor.contiguous),
        *(
            torch.reshape,
            Tensor.reshape,
            Tensor.view,
            Tensor.expand,
            Tensor.__getitem__,
            torch.clamp,
            Tensor.clamp,
        ),
    )
)


class Spread(Tensor):
    """A tensor like any other, in the memory of the layer's buffer, except that it refuses to be a variance.

    ``torch.nn.utils.fuse_conv_bn_eval``, ``SyncBatchNorm`` and tools like them take ``rsqrt(running_var + eps)`` of
    every batch norm. For a norm without a variance that is another function, so it is an error here. A norm has a
    subclass of its own, which says what it averages.

    Raises
    ------
    RuntimeError
        For its root, its power of 0.5 or -0.5, and batch normalisation with it; for new ``data``, which would not
        reach the layer.
    """

    layer: str
    """Which layers have it, with an article."""
    about: str
    """What it is, with an article."""

    def __deepcopy__(self, memo: Any) -> Tensor:
        # Copies and files have a plain tensor.
        return copy.deepcopy(self.as_subclass(Tensor), memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.as_subclass(Tensor).__reduce_ex__(protocol)

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        exponents = [value for value in (*args[1:], *(kwargs or {}).values()) if isinstance(value, float)]
        if func in ROOTS or func in NORMS or (func in POWERS and exponents in ([0.5], [-0.5])):
            raise RuntimeError(
                f"running_var of {cls.layer} batch norm is {cls.about}, not a variance: in eval() y is "
                "(x - running_mean) * weight / (running_var + eps) + bias; l1bn_golden.torch.convert(layer, 'l2') "
                "makes a layer of the same function with a variance"
            )
        if func == DATA.__set__:
            raise RuntimeError("running_var.data = ... is not possible; allowed: layer.running_var = ...")
        if func in KEPT:
            return super().__torch_function__(func, types, args, kwargs or {})
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **kwargs or {})
