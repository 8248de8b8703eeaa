"""What the AXI side of a forward unit has to do, with any unit behind it that keeps the rules of streams."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring

from l1bn.bus.forward import AxiForward
from l1bn.bus.register_map import forward_map
from l1bn.config import Configuration
from l1bn.units import unit as unit_of

from .prover import Claims, Specification

__all__ = ["AxiSpecification"]


class AnyUnit(wiring.Component):
    """The ports of a unit, with outputs that the solver chooses anew in every cycle.

    Attributes
    ----------
    choices : what it chooses
    """

    def __init__(self, unit: wiring.Component):
        super().__init__(unit.signature)
        self.outputs = [
            Value.cast(value)
            for _, member, value in self.signature.flatten(self)
            if member.flow == wiring.Out
        ]
        self.choices = [
            Signal(len(output), name=f"choice_{index}") for index, output in enumerate(self.outputs)
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [output.eq(choice) for output, choice in zip(self.outputs, self.choices, strict=True)]
        return m


class AxiSpecification(Specification):
    """:class:`AxiForward`: offers stand until they are taken, and software changes nothing of a channel in flight.

    Parameters
    ----------
    config : of the unit
    channels : entries of the tables
    """

    def __init__(self, config: Configuration, channels: int):
        unit = unit_of(config)
        self.unit = AnyUnit(unit)
        self.axi = AxiForward(self.unit, unit.formats, forward_map(unit.formats, channels, "0.1.0", 0))
        self.packets = config.sendings
        super().__init__(self.axi)
        self.free += self.unit.choices

    def specify(self, m: Module, claims: Claims) -> None:
        axi, unit = self.axi, self.unit
        for stream in (unit.o, unit.o_stats):
            claims.given(self.stands(m, stream.valid, stream.ready, stream.payload))
        # Every item of i_affine is taken before its channel can leave, and so are its statistics.
        register = self.device.register
        in_flight, waiting = register("control", "in_flight"), register("control", "waiting")
        claims.given(~(unit.o.valid & unit.o.payload.last) | (in_flight > waiting))

        for stream in (unit.i, unit.i_affine):
            claims.always(self.stands(m, stream.valid, stream.ready, stream.payload))
        m_axis, bus = axi.m_axis, axi.s_axi
        samples = (m_axis.tdata, m_axis.tlast, m_axis.tuser)
        claims.always(self.stands(m, m_axis.tvalid, m_axis.tready, *samples))
        claims.always(self.stands(m, bus.bvalid, bus.bready, bus.bresp))
        claims.always(self.stands(m, bus.rvalid, bus.rready, bus.rdata, bus.rresp))
        claims.possible(m_axis.tvalid & m_axis.tuser)
        claims.possible(bus.bvalid & (bus.bresp == 0))
        claims.possible(bus.bvalid & (bus.bresp == 2))
        claims.possible(bus.rvalid & (bus.rresp == 2))

        # What a channel in flight depends on stays as it is.
        held = Signal()
        settings = [register("control", name) for name in ("affine", "channels", "select")]
        m.d.sync += held.eq((in_flight != 0) | unit.i.valid)
        for setting in settings:
            before = Signal.like(setting)
            m.d.sync += before.eq(setting)
            claims.always(setting == before, when=held)
        claims.possible(held & bus.bvalid & (bus.bresp == 2))
        claims.always(in_flight >= waiting)

        # What the control holds, for the induction.
        offering, steps = register("control", "offering"), register("control", "steps")
        claims.always(~(offering & steps.any()) & ~steps.all())
        claims.always((offering | steps.any()) <= (waiting != 0))
        begins = ~register("inside")
        if self.packets > 1:
            begins &= register("number") == 0
        claims.always(~in_flight.all(), when=register("offered") & begins)
        claims.always(unit.i.valid, when=register("offered"))

    def stands(self, m: Module, valid: Value, ready: Value, *payload: Value) -> Value:
        """An offer of the last cycle that was not taken is there again."""
        offered = Signal()
        m.d.sync += offered.eq(valid & ~ready)
        same = valid
        for part in payload:
            before = Signal(len(Value.cast(part)))
            m.d.sync += before.eq(Value.cast(part))
            same = same & (Value.cast(part) == before)
        return ~offered | same
