"""What comes in from outside, made into packets that the rest of the unit can rely on."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from ..errors import require_packets, require_whole
from ..logic.lfsr import bits_for, code_at, following
from ..logic.table import lookup
from ..numbers.formats import clog2
from .layouts import inlet, outlet, packet, select_field, selected

__all__ = ["PacketGuard"]


class PacketGuard(wiring.Component):
    """Packets of exactly the right length from packets of any length.

    A packet that ends too early is filled up with zeros, one that goes on too long is cut and the rest of it
    dropped; both are marked. So every packet in gives one packet out, and the next one is in step.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    beats : beats of a packet, one of them selected
    sendings : packets of one channel that follow each other; the first one's ``select`` holds for all. None: as many as
        ``continues`` says

    Members
    -------
    i : packets as they come, with ``select`` where there is more than one length
    continues : where there are as many packets as it says: a packet that begins is of the channel before
    o : ``{data, last, select, number, error}``: right packets; ``number``, where a channel has several, is that of
        the packet within its
        channel, and ``error``, valid with ``last``, says that the packet had the wrong length

    Latency: 1.
    """

    latency = 1

    def __init__(self, width: int, lanes: int, beats: Sequence[int], sendings: int | None = 1):
        require_packets(width, lanes, [count * lanes for count in beats])
        asks = sendings is None
        sendings = 1 if sendings is None else sendings
        require_whole("sendings", sendings, 1, 3)
        self.width, self.beats, self.sendings = width, tuple(beats), sendings
        select_width = clog2(len(beats))
        fields = {
            "data": data.ArrayLayout(unsigned(width), lanes),
            "last": 1,
            **select_field(select_width),
            **({"number": range(sendings)} if sendings > 1 else {}),
            "error": 1,
        }
        super().__init__(
            {
                "i": inlet(packet(width, lanes, select_width)),
                "o": outlet(data.StructLayout(fields)),
                **({"continues": In(1)} if asks else {}),
            }
        )
        self.asks = asks

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, o = self.i, self.o
        first = Signal(init=1)
        before_final = Signal()
        final = Signal()
        filling = Signal()
        dropping = Signal()
        # The beats of a packet are numbered by what costs no carry; 0 numbers none.
        bits = bits_for(max(self.beats))
        ends = [code_at(bits, beats - 3) if beats > 2 else 0 for beats in self.beats]
        code = Signal(bits, init=code_at(bits, 0))  # of the next beat
        select = Signal(max(1, clog2(len(self.beats))), reset_less=True)
        number = Signal(range(self.sendings))
        advance = ~o.valid | o.ready

        opens = ~self.continues if self.asks else number == 0
        chosen = Mux(first & opens, selected(i.payload), select)

        def length_is(beats: int) -> Value:
            return lookup([length == beats for length in self.beats], chosen)

        is_final = final | (first & length_is(1))
        emit = filling | (i.valid & ~dropping)
        step = advance & emit
        m.d.comb += i.ready.eq(dropping | (advance & ~filling))

        with m.If(advance):
            m.d.sync += [
                o.valid.eq(emit),
                o.payload.data.eq(Mux(filling, 0, i.payload.data)),
                o.payload.last.eq(is_final),
                o.payload.error.eq(filling | ~i.payload.last),
            ]
            if len(self.beats) > 1:
                m.d.sync += o.payload.select.eq(chosen)
            if self.sendings > 1:
                m.d.sync += o.payload.number.eq(number)
        with m.If(step):
            m.d.sync += [
                select.eq(chosen),
                first.eq(is_final),
                code.eq(Mux(is_final, code_at(bits, 0), following(code))),
                before_final.eq(code == lookup(ends, chosen)),
                final.eq(before_final | (first & length_is(2))),
                filling.eq((filling | i.payload.last) & ~is_final),
                dropping.eq(~filling & is_final & ~i.payload.last),
            ]
            with m.If(is_final):
                m.d.sync += number.eq(Mux(number == self.sendings - 1, 0, number + 1))
        with m.If(dropping & i.valid & i.payload.last):
            m.d.sync += dropping.eq(0)
        return m
