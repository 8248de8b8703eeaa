"""Golden model of l1bn: NumPy and the standard library only, written from ``docs/arithmetic.md``."""

from .contract import Contract
from .integer import Forward, forward

__all__ = ["Contract", "Forward", "forward"]
