"""Running statistics: exponential moving averages of mean and spread, a channel after the other."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring

from ..beats.total import delayed_flag
from ..config import Configuration, ConfigurationError
from ..logic.sequence import sequence
from ..logic.settle import settling_cycles, settling_sum
from ..numbers.running_formats import RunningFormats
from ..primitives import primitives
from ..streams.layouts import extended, inlet, outlet
from ..streams.running_layouts import averages, measured_statistics

__all__ = ["RunningStatistics"]


STRIDE = 4
"""Places that r moves at once on the way to those of its average."""


class RunningStatistics(wiring.Component):
    """Averages of the statistics of so many channels, with a momentum that is a power of two.

    Where no mean is subtracted, the spread alone has an average. Averages are stored ``momentum_shift`` bits finer than
    they are read, and start at 0 after a reset.

    Parameters
    ----------
    config : the configuration
    channels : channels with averages of their own, 1 to 65536

    Members
    -------
    i : one access: ``channel``, ``update``, and the statistics of a forward unit. With ``update`` the averages of the
        channel move towards them, unless ``error`` says that they are worthless
    o : the averages of the channel after that, :func:`l1bn.streams.running_layouts.averages`, one item an access

    Latency: ``latency`` cycles from an access to its averages. One access in ``interval`` cycles. After a reset the
    first one waits ``depth`` cycles more, until all averages are 0.
    """

    def __init__(self, config: Configuration, channels: int):
        if not 1 <= channels <= 1 << 16:
            raise ConfigurationError("channels", channels, "1 to 65536")
        self.config, self.channels = config, channels
        self.formats = formats = RunningFormats(config)
        self.depth = 1 << max(1, (channels - 1).bit_length())
        # r is brought to the place of its average from the largest value that this has, some places a step while it is
        # far away, else one.
        self.base = formats.mantissa_width - 1 - config.width
        largest = (1 << (formats.r_exponent_shape.width - 1)) - 1
        self.moves = max(sum(divmod(places, STRIDE)) for places in range(max(1, largest - self.base) + 1))
        # Then come one sum after the other: read, round, subtract, add, read again.
        widths = (formats.stored_mean_width, formats.stored_spread_width + 1)
        self.settling = 4 * (max(map(settling_cycles, widths)) + 1)
        self.steps = max(self.moves, 3) + 1 + self.settling
        self.latency = self.steps + 1
        self.interval = self.latency + 1
        access = extended(
            data.StructLayout({"channel": range(max(2, channels)), "update": 1}),
            **{name: field.shape for name, field in measured_statistics(formats)},
        )
        super().__init__({"i": inlet(access), "o": outlet(averages(formats))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats, shift = self.formats, self.config.momentum_shift
        widths = (formats.stored_mean_width, formats.stored_spread_width)
        m.submodules.memory = memory = primitives(self.config.target).memory(sum(widths), self.depth)
        clearing = Signal(init=1)
        access = stream.Signature(self.i.payload.shape()).create()
        m.d.comb += [
            access.valid.eq(self.i.valid & ~clearing),
            self.i.ready.eq(access.ready & ~clearing),
            access.payload.eq(self.i.payload),
        ]
        run = sequence(m, access, self.o, self.steps)
        taken = access.valid & access.ready

        channel = Signal(range(self.depth))
        moves = Signal(reset_less=True)
        mean = None
        if formats.mean_width:
            mean = Signal(signed(formats.mean_width), reset_less=True)
        exponent = Signal(formats.r_exponent_shape, reset_less=True)
        # Twice the new spread: the highest place is worth 2^W, from where it moves down.
        spread = Signal(formats.running_spread_width + 1, reset_less=True)
        huge = Signal(reset_less=True)
        arriving = self.i.payload
        top = Cat(Const(0, len(spread)), arriving.r_mantissa)[-len(spread) :]
        with m.If(clearing):
            m.d.sync += [channel.eq(channel + 1), clearing.eq(~channel.all())]
        with m.Elif(run.load):
            m.d.sync += [
                channel.eq(arriving.channel),
                moves.eq(arriving.update & ~arriving.error),
                *([] if mean is None else [mean.eq(arriving.mean)]),
                spread.eq(top),
                exponent.eq(arriving.r_exponent),
                huge.eq(arriving.r_exponent <= self.base),
            ]
        with m.Elif(run.step & (exponent >= self.base + STRIDE)):
            m.d.sync += [spread.eq(spread >> STRIDE), exponent.eq(exponent - STRIDE)]
        with m.Elif(run.step & (exponent > self.base)):
            m.d.sync += [spread.eq(spread >> 1), exponent.eq(exponent - 1)]

        stored_spread = memory.o_data[widths[0] :]
        largest = 1 << (self.config.width + formats.running_fraction)
        rounded = settling_sum(m, Cat(spread[1:], Const(0, 1)), Const(0, 1), len(spread), carry=spread[0])
        new_spread = Mux(huge, largest, rounded[: len(spread) - 1])
        moved_mean: Value = Const(0, 0)
        if mean is not None:
            stored_mean = memory.o_data[: widths[0]].as_signed()
            moved_mean = self._moved(m, stored_mean, mean, moves, shift, widths[0])
        moved_spread = self._moved(m, stored_spread, new_spread, moves, shift, widths[1] + 1)[: widths[1]]
        write = Signal()
        m.d.comb += [
            write.eq(run.step & run.final & moves),
            memory.w_enable.eq(clearing | write),
            memory.w_address.eq(channel),
            memory.w_data.eq(Mux(clearing, 0, Cat(moved_mean, moved_spread))),
            memory.r_address.eq(channel),
            memory.r_enable.eq(delayed_flag(m, taken, 1)),
            memory.o_enable.eq(delayed_flag(m, taken, 2)),
            *([] if mean is None else [self.o.payload.mean.eq(self._read(m, moved_mean.as_signed(), shift))]),
            self.o.payload.spread.eq(self._read(m, moved_spread, shift)),
        ]
        return m

    def _read(self, m: Module, stored: Value, shift: int) -> Value:
        """What is read of a stored average: rounded."""
        width = len(stored) - shift + 1
        return settling_sum(m, stored >> shift, Const(0, 1), width, carry=stored[shift - 1])

    def _moved(self, m: Module, stored: Value, new: Value, moves: Value, shift: int, width: int) -> Value:
        """The stored average after it has moved towards a new value by a difference of the read ones."""
        read = self._read(m, stored, shift)
        old = Signal(signed(width))
        m.d.comb += old.eq(read.as_signed() if stored.shape().signed else read)
        difference = settling_sum(m, new, ~old, width, carry=1)
        step = difference & moves.replicate(width)
        return settling_sum(m, stored, step.as_signed(), width)
