"""The control of the operators that apply the constants of a channel to its beats."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream

from ..streams.registers import take_for_packet

__all__ = ["ApplyPipeline", "enabled_chain"]


class ApplyPipeline:
    """A pipeline that is stalled as a whole; beats with ``last`` and ``error`` go in, and come out at a skid register.

    Parameters
    ----------
    m : the module of the operator
    i : packets, with ``error``
    constants : of the channel, with ``error``; one item a packet, taken with its first beat
    skid : input of the :class:`l1bn.streams.registers.SkidRegister` behind the pipeline; its data are the caller's
    depth : enabled cycles from a beat's ``data`` to its result at ``skid``
    shortest : beats of the shortest packet

    Attributes
    ----------
    advance : enable of every register of the pipeline
    data : the ``data`` of a beat, ``ENTRY`` enabled cycles after it was taken: depth 0 of the pipeline
    """

    ENTRY = 2
    """Enabled cycles from a beat at ``i`` until the pipeline begins: so long it takes to register the constants."""

    def __init__(
        self,
        m: Module,
        i: stream.Interface,
        constants: stream.Interface,
        skid: stream.Interface,
        depth: int,
        shortest: int,
    ):
        self.m, self.shortest = m, shortest
        self.advance = skid.ready
        taken = i.valid & i.ready
        admit, first = take_for_packet(m, constants, taken, i.payload.last, self.advance)
        m.d.comb += i.ready.eq(self.advance & admit)
        self.taken_first = constants.ready
        self.first = self.along(first, 1 + depth)[1:]
        layout = i.payload.data.shape()
        self.data = layout(self.along(i.payload.data.as_value(), self.ENTRY)[-1])
        errors = self.along(i.payload.error, self.ENTRY)[-1] | self._capture(
            constants.payload.error, constants.ready
        )
        depth += self.ENTRY
        m.d.comb += [
            skid.valid.eq(self.along(taken, depth, reset_less=False)[-1]),
            skid.payload.last.eq(self.along(i.payload.last, depth)[-1]),
            skid.payload.error.eq(self.along(errors, depth - self.ENTRY)[-1]),
        ]

    def along(self, value: Value, depth: int, *, reset_less: bool = True) -> list[Value]:
        """What goes along with a beat, at each depth of the pipeline from 0 on."""
        return enabled_chain(self.m, self.advance, value, depth, reset_less=reset_less)

    def in_step(self, value: Value, depth: int) -> Value:
        """A constant of the channel as the samples at a depth of the pipeline need it.

        ``value`` follows from the payload of ``constants``. It is captured as that is taken, then as the first beat
        of its packet comes by, and again as often as the shortest packet makes necessary: until then the place it is
        captured from does not change.
        """
        value = self._capture(value, self.taken_first)
        at = 0
        while at < depth:
            at = min(at + self.shortest, depth)
            value = self._capture(value, self.advance & self.first[at - 1])
        return value

    def _capture(self, value: Value, when: Value) -> Signal:
        held = Signal(value.shape(), reset_less=True)
        with self.m.If(when):
            self.m.d.sync += held.eq(value)
        return held


def enabled_chain(
    m: Module, enable: Value, value: Value, depth: int, *, reset_less: bool = True
) -> list[Value]:
    """``value`` after 0, 1, ... ``depth`` enabled cycles."""
    chain = [value]
    for _ in range(depth):
        held = Signal(value.shape(), reset_less=reset_less)
        with m.If(enable):
            m.d.sync += held.eq(chain[-1])
        chain.append(held)
    return chain
