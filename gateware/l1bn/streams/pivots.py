"""The memory of pivots: where the mean of a channel was the last time, for the guess of this time."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..numbers.formats import Formats, clog2
from ..primitives import primitives
from .guesses import greatest_level, guess_layout
from .layouts import channel_spread, copied, extended, inlet, outlet

__all__ = ["Pivots"]


class Pivots(wiring.Component):
    """Guesses for the channels of a layer, and the judgement of what came of them.

    The first guess for a channel is what its mean and its r were the last time. After a miss, the next one is the
    mean that the miss has found.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    o_guess : for each pass, :func:`l1bn.streams.guesses.guess_layout`
    i : what a pass found, :func:`l1bn.streams.layouts.channel_spread`, with ``again`` where it is of no use
    o : of each channel once, what is of use, and whether it was ``missed``
    judged, again : a pass was judged in this cycle, and whether it is to be done again
    flushing : what comes now is of passes that began before a pass that is done again, and dropped
    restart : the passes that are done again begin, the first of them with the channel that was missed

    Latency: ``latency``.
    """

    latency = 2

    def __init__(self, formats: Formats):
        self.formats, config = formats, formats.config
        self.channels = config.channels
        self.greatest_level = greatest_level(config.width, config.window_shift)
        self.guess = guess_layout(config.width, self.greatest_level)
        record = channel_spread(formats)
        super().__init__(
            {
                "i": inlet(extended(record, again=1)),
                "o": outlet(record),
                "o_guess": outlet(self.guess),
                "judged": Out(1),
                "again": Out(1),
                "flushing": In(1),
                "restart": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats, record = self.formats, self.i.payload
        bits = max(1, clog2(self.channels))
        memory = primitives(formats.config.target).memory(Value.cast(self.o_guess.payload).shape().width, 1 << bits)
        m.submodules.memory = memory
        written = Signal(bits)  # the channel that is judged next
        asked = Signal(bits, init=1 % self.channels)  # ... that is guessed next; after a reset one guess is there
        all_written = Signal()
        seen, looked = Signal(), Signal()
        repeated = Signal()  # the channel that is judged next was missed
        failed = Signal()  # a packet of this channel that was read before had the wrong length
        floor = record.mean >> formats.guard_bits

        def following(channel: Signal) -> Value:
            return Mux(channel == self.channels - 1, 0, channel + 1)

        def judge() -> None:
            # A record is looked at for two cycles before it goes on: until its level is known.
            takes = self.i.valid & self.i.ready
            m.d.sync += [seen.eq(self.i.valid & ~takes), looked.eq(seen & ~takes)]
            m.d.comb += [
                self.o.valid.eq(looked & ~self.flushing & ~record.again),
                self.i.ready.eq(looked & (self.o.ready | self.flushing | record.again)),
                *copied(record, self.o.payload, but=["error", "missed"]),
                self.o.payload.error.eq(record.error | failed),
                self.o.payload.missed.eq(repeated),
                self.judged.eq(takes),
                self.again.eq(takes & record.again & ~self.flushing),
            ]
            with m.If(self.again):
                m.d.sync += [repeated.eq(1), failed.eq(failed | record.error)]
            with m.If(self.o.valid & self.o.ready):
                m.d.sync += [
                    written.eq(following(written)),
                    all_written.eq(all_written | (written == self.channels - 1)),
                    repeated.eq(0),
                    failed.eq(0),
                ]

        def remember() -> None:
            # r_exponent comes from a sum; the level is found in two steps.
            exponent = Signal.like(record.r_exponent, reset_less=True)
            unlimited = self._unlimited_level(exponent)
            level = Signal.like(unlimited, reset_less=True)
            guess = Signal(self.guess, reset_less=True)
            greatest = self.greatest_level
            m.d.sync += [
                exponent.eq(record.r_exponent),
                level.eq(unlimited),
                guess.pivot.eq(floor),
                guess.level.eq(Mux(record.again | (level < 0), 0, Mux(level > greatest, greatest, level))),
                memory.w_enable.eq(self.again | (self.o.valid & self.o.ready)),
                memory.w_address.eq(written),
            ]
            m.d.comb += memory.w_data.eq(guess)

        def offer() -> None:
            known = Signal()
            # A guess is on its way: a bit walks. Whether there is one is asked a cycle before it is fetched, so that a
            # word is never fetched while it is written for the first time.
            waiting = Signal(4)
            valid = Signal(init=1)
            guess = Signal(self.guess)
            m.d.comb += [
                memory.r_enable.eq(waiting[1]),
                memory.o_enable.eq(waiting[2]),
                memory.r_address.eq(asked),
                self.o_guess.valid.eq(valid),
                self.o_guess.payload.eq(guess),
            ]
            m.d.sync += waiting.eq(Cat(self.o_guess.ready & valid, waiting[:-1]))
            with m.If(waiting[0]):
                m.d.sync += known.eq(all_written | (asked < written) | (repeated & (asked == written)))
            with m.If(waiting[-1]):
                m.d.sync += [valid.eq(1), asked.eq(following(asked))]
                m.d.sync += Value.cast(guess).eq(Mux(known, memory.o_data, 0))
            with m.Elif(self.o_guess.ready):
                m.d.sync += valid.eq(0)
            # The missed channel is asked for again; what it has found stands in its place.
            with m.If(self.restart):
                m.d.sync += [valid.eq(0), asked.eq(written), waiting.eq(1)]

        judge()
        remember()
        offer()
        return m

    def _unlimited_level(self, r_exponent: Value) -> Value:
        """The level whose half width is the greatest power of two that is no more than r * 2^-window_shift, were there
        any window of that width."""
        return self.formats.mantissa_width - self.formats.config.window_shift - r_exponent
