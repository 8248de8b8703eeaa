"""L1 in one pass over the samples: the mean is guessed, and what the guess got wrong is repaired.

``docs/arithmetic.md``, section 'L1 in one pass'. No result of a unit depends on any of this: a hit gives the integers
D and sum s of two passes, and a miss is done again. What does depend on it is how often a channel is read and how
long its repair takes, which co-simulation compares cycle by cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .channel import divide_by_count
from .samples import Integers

if TYPE_CHECKING:
    from .contract import Contract

__all__ = ["Attempt", "Guess", "Pivots", "Visit", "attempt", "greatest_level", "is_inside", "level_of", "repair"]


@dataclass(frozen=True)
class Guess:
    """What a pass starts from: the pivot p, and the level w of its window."""

    pivot: int = 0
    level: int = 0


@dataclass(frozen=True)
class Attempt:
    """What a pass over a channel finds, with e = x - p - 1.

    ``excess`` is the sum of the e that are not negative, ``above`` the number of them (the x > p), ``equal`` the number
    of x = p, ``suspects`` the e inside the window but for -1, in a list for each lane, in the order of the beats.
    """

    guess: Guess
    excess: int
    above: int
    equal: int
    suspects: tuple[tuple[int, ...], ...]

    @property
    def longest(self) -> int:
        """Entries of the longest list."""
        return max(map(len, self.suspects))


def greatest_level(width: int, share: int) -> int:
    """The widest window, of samples of ``width`` bits: no r is greater than 2^(width-1)."""
    return max(1, width - 1 - share)


def level_of(contract: Contract, r_mantissa: int, r_exponent: int, share: int) -> int:
    """The level whose half width 2^(w-1) is the greatest power of two that is no more than r * 2^-share; 0: none."""
    exponent = int(r_mantissa).bit_length() - 1 - int(r_exponent)
    return max(0, min(exponent - share + 1, greatest_level(contract.width, share)))


def is_inside(excess: int, level: int) -> bool:
    """Whether e is inside the window: -2^(w-1) <= e < 2^(w-1), and for w = 0: e = -1."""
    return excess == -1 if level == 0 else -(1 << (level - 1)) <= excess < 1 << (level - 1)


def attempt(x: Integers, guess: Guess, lanes: int = 1) -> Attempt:
    """One pass over the samples of a channel, ``lanes`` at a time; the lists of suspects as long as it takes."""
    excess = x.astype(np.int64) - guess.pivot - 1
    positive = excess >= 0
    half = 1 << (guess.level - 1) if guess.level else 0
    listed = (excess >= -half) & (excess < half) & (excess != -1)
    return Attempt(
        guess,
        int(excess[positive].sum()),
        int(np.count_nonzero(positive)),
        int(np.count_nonzero(excess == -1)),
        tuple(tuple(excess[lane::lanes][listed[lane::lanes]].tolist()) for lane in range(lanes)),
    )


def repair(found: Attempt, total: int, mu: int, count: int, guard_bits: int) -> tuple[int, int]:
    """``(D, sum s)`` of a hit: S = ``total`` of ``count`` samples, and its mean mu with G = ``guard_bits``."""
    G = guard_bits
    delta = mu - (found.guess.pivot << G)
    whole = (mu >> G) - found.guess.pivot - 1  # e of the mean's floor
    exact = mu & ((1 << G) - 1) == 0
    excess, above, equal = found.excess, found.above, 0
    sums = excess + above
    if whole == -1 and exact:
        equal = found.equal
    if whole < -1:
        above += found.equal
    for e in (e for lane in found.suspects for e in lane):
        if 0 <= e <= whole:
            sums -= e + 1
            above -= 1
        elif whole < e < -1:
            sums += e + 1
            above += 1
        if e == whole and exact:
            equal += 1
    deviation = 2 * ((sums << G) - delta * above) - ((total << G) - count * mu)
    return deviation, 2 * above + equal - count


@dataclass(frozen=True)
class Visit:
    """How a channel was read: whether the guess was a hit, the suspects of its first pass, its longest list.

    A list counts no more than it holds.
    """

    hit: bool
    suspects: int
    longest: int


class Pivots:
    """The memory of pivots: one guess for each channel of a layer, of the last time that the channel came.

    The guess for a channel is made when the channel before it begins, or begins again.

    Parameters
    ----------
    contract : the formats of the unit, with its channels, window and lists
    """

    def __init__(self, contract: Contract):
        self.contract = contract
        self.memory = [Guess()] * contract.channels
        self.next = 0
        self._last: tuple[int, Guess] | None = None

    def visit(self, x: Integers, r_mantissa: int, r_exponent: int) -> Visit:
        """The next channel passes, whose samples are x and whose spread is r; its place is renewed."""
        contract = self.contract
        guess = self.memory[self.next]
        if self._last is not None:
            place, found = self._last
            self.memory[place] = found
        mu = divide_by_count(int(x.sum(dtype=np.int64)), contract.G, len(x))
        floor = mu >> contract.G
        tried = attempt(x, guess, contract.lanes)
        depth = contract.suspects
        hit = is_inside(floor - guess.pivot - 1, guess.level) and tried.longest <= depth
        if not hit:
            self.memory[self.next] = Guess(floor, 0)
        self._last = self.next, Guess(floor, level_of(contract, r_mantissa, r_exponent, contract.window_shift))
        self.next = (self.next + 1) % len(self.memory)
        listed = [min(len(suspects), depth) for suspects in tried.suspects]
        return Visit(hit, sum(listed), max(listed))
