"""What a norm has to say for itself. Everything else asks a :class:`Norm`, and compares no names.

The symbols are those of ``docs/arithmetic.md``. A norm that leaves a question open cannot be made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from amaranth.hdl import Shape
from amaranth.lib import data

if TYPE_CHECKING:  # the configuration asks which norms there are
    from ..numbers.backward_formats import BackwardFormats
    from ..numbers.formats import Formats

__all__ = ["ErrorTerms", "GradientFacts", "GuessingSpread", "Norm", "Spread", "Statistic", "Width"]


class Spread(Protocol):
    """A component that finds r of each channel: what a lane adds up, and how a channel is finished.

    It has the members

    - ``i``: packets of one pass over the samples, the first one or, if ``after_mean``, the second one,
    - ``i_mean``: :func:`l1bn.streams.layouts.channel_mean` of each channel,
    - ``o``: :func:`l1bn.streams.layouts.spread_result` of each channel,

    all in the order of the channels.
    """

    after_mean: bool
    held: int
    """The most channels that have given their mean and not yet left."""

    i: Any
    i_mean: Any
    o: Any

    def latency(self, mean_latency: int) -> int:
        """Cycles from the final beat of its pass until ``o`` is valid.

        The mean comes ``mean_latency`` cycles after the final beat of the first pass.
        """

    def interval(self, mean_latency: int) -> int:
        """Cycles that a channel keeps the slowest of its steps busy."""


class GuessingSpread(Spread, Protocol):
    """A spread that guesses the mean: it has ``guesses`` = True as well, a stream of guesses, and may have to be asked
    again.

    - ``i_guess``: :func:`l1bn.streams.guesses.guess_layout` of each pass,
    - ``o`` has ``again`` beside the rest: the guess was so bad that what comes out is of no use.

    ``listed``, an argument of its closed forms, is what the longest list of suspects holds.
    """

    guesses: bool
    i_guess: Any

    def latency(self, mean_latency: int, listed: int = 0) -> int: ...

    def interval(self, mean_latency: int, listed: int = 0) -> int: ...


@dataclass(frozen=True)
class GradientFacts:
    """How a norm makes dx of dy, and the numbers that this needs.

    Parameters
    ----------
    build : the component. It has the members

        - ``i``: :func:`l1bn.streams.backward_layouts.scaled_record` of each channel,
        - ``i_beats``: packets of the second pass, the layout ``stored``, with ``error``,
        - ``o``: packets of dx with ``error``,

        all in the order of the channels, and the closed forms

        - ``latency``: cycles from a channel at ``i`` until its first beat at ``i_beats`` is taken,
        - ``interval``: cycles that a channel keeps the slowest of its steps busy,
        - ``apply_latency``: cycles from a beat at ``i_beats`` to its dx at ``o``
    stored : what waits of a beat for the second pass
    sides : the component that finds the side of each x, of the formats and the sendings of a channel; it has the
        members of :class:`l1bn.streams.paired_packets.Sides`. A channel whose samples all are on none does not vary:
        its dx is 0
    averaged : whether dx takes dy * xhat by its mean; else by its sum, which is wider by the bits that number the
        samples
    subtracts : whether anything is subtracted from a dy before it is scaled: its mean or a
    mean_spare : bits by which m0, the mean that is subtracted from every dy, may leave the range of dy
    subtracted_spare : bits by which all that is subtracted from a dy may leave it, those of a sum not counted
    offset_spare : the same of the offset of the scale, which has a bit to spare in any case
    kept : fraction bits that the scaled dy keeps: one for a rounding, more where something is added to it
    """

    build: Callable[[BackwardFormats], Any]
    stored: Callable[[BackwardFormats], data.StructLayout]
    sides: Callable[[BackwardFormats, int], Any]
    averaged: bool
    subtracts: bool
    mean_spare: int
    subtracted_spare: int
    offset_spare: int
    kept: int


class Statistic(NamedTuple):
    """A statistic that only this norm has: a field of the streams of statistics."""

    shape: Shape
    about: str


class Width(NamedTuple):
    """A derived width that only this norm has: bits, symbol in ``docs/arithmetic.md``, what it is."""

    bits: int
    symbol: str
    about: str


class ErrorTerms(NamedTuple):
    """What the spread and the mean add to the bound on the error of y; ``docs/arithmetic.md``, section Error.

    Parameters
    ----------
    halves : bound of the relative error of r in units of 2^-(T-1)
    mean : what the rounding of the mean moves y by, in units of its last place
    """

    halves: int
    mean: Fraction

    def words(self) -> list[str]:
        """The terms as a formula, for data sheets; d is the distance of y from beta."""
        whole, odd = divmod(self.halves, 2)
        theta = f"d*{self.halves}*2^-(mantissa_width-1)" if odd else f"d*{whole}*2^-(mantissa_width-2)"
        words = [theta.replace("*1*", "*")]
        if self.mean:
            words.append(f"2^-{self.mean.denominator.bit_length() - 1}")
        return words


class Norm(ABC):
    """One norm: what r is, how hardware finds it, and every number in which it differs from others."""

    # -- words --------------------------------------------------------------------------------

    @property
    @abstractmethod
    def name(self) -> str:
        """As a configuration has it."""

    @property
    @abstractmethod
    def title(self) -> str:
        """As texts and plots call it."""

    @property
    @abstractmethod
    def about(self) -> str:
        """What r is, and in brackets its name: for the help."""

    @property
    @abstractmethod
    def epsilon_about(self) -> str:
        """What epsilon is added to."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """r without epsilon, for block diagrams and data sheets."""

    @property
    @abstractmethod
    def colour(self) -> str:
        """Of its lines and bars in plots."""

    # -- parts --------------------------------------------------------------------------------

    @property
    @abstractmethod
    def centred(self) -> bool:
        """Whether the mean is subtracted. Where not, nothing that finds, tells or subtracts one is generated."""

    @property
    @abstractmethod
    def forms(self) -> Mapping[str, type[Any]]:
        """The :class:`Spread` of each form, the form that is meant without being named first."""

    @property
    @abstractmethod
    def gradient(self) -> GradientFacts | None:
        """``None`` for a norm that only goes forward: its configurations refuse to train."""

    @abstractmethod
    def statistics(self, formats: Formats) -> dict[str, Statistic]:
        """The statistics beside mean and r, in the order of their fields."""

    # -- numbers ------------------------------------------------------------------------------

    @property
    @abstractmethod
    def power(self) -> int:
        """p with r^p = spread + epsilon: 1, or 2 where r is a root."""

    @abstractmethod
    def spread_width(self, formats: Formats) -> int:
        """Unsigned width of the largest spread with epsilon's whole part, a multiple of ``power``."""

    @abstractmethod
    def epsilon_unit(self, formats: Formats, count: int) -> int:
        """What an epsilon of 1 is in units of the spread of a channel of ``count`` samples."""

    @abstractmethod
    def least_spread(self, formats: Formats, count: int) -> int:
        """The least spread that is not 0, in its own units."""

    @abstractmethod
    def reciprocal_bits(self, formats: Formats) -> int:
        """The smallest b with 1 / r <= 2^b for every r in units of x that is not 0, whatever epsilon is."""

    @abstractmethod
    def odd_fraction(self, formats: Formats) -> int:
        """f: fraction bits gained by the division by the odd part of the count; not asked where all counts are powers
        of two."""

    @abstractmethod
    def r_exponents(self, formats: Formats) -> range:
        """The values of the exponent of r, which is r_mantissa * 2^-r_exponent units of x."""

    @abstractmethod
    def error_terms(self, formats: Formats) -> ErrorTerms:
        """What bounds the error of r and of the mean."""

    @abstractmethod
    def widths(self, formats: Formats) -> dict[str, Width]:
        """Derived widths that only this norm has, for explanations and manifests."""

    # -- an example ---------------------------------------------------------------------------

    @property
    @abstractmethod
    def symbol(self) -> str:
        """Of the spread with epsilon, in examples."""

    @abstractmethod
    def example(self, formats: Formats, x: Sequence[int], mean: int) -> list[tuple[str, str]]:
        """The steps from a channel of the first count to r by hand: formulas and their values.

        ``mean`` is mu, or 0 where none is subtracted; the epsilon of the first count is ``formats.epsilons[0]``.
        """
