"""Golden model of l1bn: NumPy and the standard library only, written from ``docs/arithmetic.md``.

The subpackages ``torch`` and ``training`` are apart and need the extra ``train``.
"""

from .contract import Contract
from .gradients import Backward
from .integer import Forward, backward, forward

__all__ = ["Backward", "Contract", "Forward", "backward", "forward"]
