"""Counting without carries: shift registers with feedback that run through all states but 0."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, reduce
from itertools import islice
from operator import xor

from amaranth.hdl import Cat, Value

__all__ = ["bits_for", "code_at", "codes", "following"]

# Feedback taps of the shift registers of maximal length, 2**bits - 1 states, by their bits.
TAPS = {
    **{2: (1, 0), 3: (2, 1), 4: (3, 2), 5: (4, 2), 6: (5, 4), 7: (6, 5), 8: (7, 5, 4, 3), 9: (8, 4)},
    **{10: (9, 6), 11: (10, 8), 12: (11, 10, 9, 3), 13: (12, 11, 10, 7), 14: (13, 12, 11, 1)},
    **{15: (14, 13), 16: (15, 14, 12, 3), 17: (16, 13), 18: (17, 10), 19: (18, 17, 16, 13)},
    **{20: (19, 16), 21: (20, 18)},
}


def bits_for(states: int) -> int:
    """Bits of the register that has so many states, up to ``2**21 - 1``."""
    return max(2, states.bit_length())


def codes(bits: int) -> Iterator[int]:
    """The states one after the other, all ones first; 0 is none of them."""
    code = (1 << bits) - 1
    while True:
        yield code
        feedback = reduce(xor, (code >> tap for tap in TAPS[bits])) & 1
        code = (code << 1 | feedback) & ((1 << bits) - 1)


@cache
def code_at(bits: int, index: int) -> int:
    """The state after so many steps."""
    return next(islice(codes(bits), index, None))


def following(code: Value) -> Value:
    """The next state."""
    return Cat(reduce(xor, (code[tap] for tap in TAPS[len(code)])), code)[: len(code)]
