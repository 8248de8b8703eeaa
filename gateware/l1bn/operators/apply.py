"""The control of the operators that apply the constants of a channel to its beats."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream

__all__ = ["ApplyPipeline", "enabled_chain"]


class ApplyPipeline:
    """A pipeline that is stalled as a whole; beats with ``last`` and ``error`` go in, and come out at a skid register.

    Parameters
    ----------
    m : the module of the operator
    i : packets, with ``error``
    constants : of the channel; one item a packet, taken with its final beat
    skid : input of the :class:`l1bn.streams.SkidRegister` behind the pipeline; its data are the caller's
    depth : enabled cycles from a beat at ``i`` to its result at ``skid``
    shortest : beats of the shortest packet

    Attributes
    ----------
    advance : enable of every register of the pipeline
    """

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
        m.d.comb += [
            i.ready.eq(self.advance & constants.valid),
            constants.ready.eq(taken & i.payload.last),
        ]
        fresh = Signal(init=1)
        with m.If(taken):
            m.d.sync += fresh.eq(i.payload.last)
        self.first = self.along(taken & fresh, depth)
        m.d.comb += [
            skid.valid.eq(self.along(taken, depth, reset_less=False)[-1]),
            skid.payload.last.eq(self.along(i.payload.last, depth)[-1]),
            skid.payload.error.eq(self.along(i.payload.error, depth)[-1]),
        ]

    def along(self, value: Value, depth: int, *, reset_less: bool = True) -> list[Value]:
        """What goes along with a beat, at each depth of the pipeline from 0 on."""
        return enabled_chain(self.m, self.advance, value, depth, reset_less=reset_less)

    def in_step(self, value: Value, depth: int) -> Value:
        """A constant of the channel as the samples at a depth of the pipeline need it.

        It is captured as the first beat of its packet comes by, and again as often as the shortest packet
        makes necessary: until then the place it is captured from does not change.
        """
        at = 0
        while at < depth:
            at = min(at + self.shortest, depth)
            held = Signal(value.shape(), reset_less=True)
            with self.m.If(self.advance & self.first[at - 1]):
                self.m.d.sync += held.eq(value)
            value = held
        return value


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
