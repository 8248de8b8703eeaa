"""The networks of torchvision, beside any build of PyTorch.

The wheel of torchvision on PyPI is built for PyTorch with CUDA. Beside one without, its library cannot be loaded, and
torchvision fails to describe two operators of it, which no classifier calls: so they are declared here.
"""

import ctypes
import importlib.util
from pathlib import Path

import torch

_place = importlib.util.find_spec("torchvision")
assert _place is not None and _place.origin is not None
try:
    ctypes.CDLL(str(Path(_place.origin).with_name("_C.so")))
except OSError:
    for _operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{_operator}", "(Tensor boxes, Tensor scores, float threshold) -> Tensor")

from torchvision.models import mobilenet_v2, resnet18  # noqa: E402 (what is above makes it possible)

__all__ = ["mobilenet_v2", "resnet18"]
