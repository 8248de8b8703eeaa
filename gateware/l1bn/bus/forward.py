"""A forward unit behind AXI4-Stream and AXI4-Lite."""

from __future__ import annotations

from amaranth.hdl import ClockDomain, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..numbers.formats import Formats
from ..streams.layouts import packet
from ..streams.registers import SkidRegister
from .axi_lite import AxiLitePort, axi_lite_members
from .axi_stream import lanes_of, manager_members, subordinate_members, tdata_of
from .control import ForwardControl
from .registers import RegisterMap

__all__ = ["AxiForward", "AxiTop"]


class AxiForward(wiring.Component):
    """A forward unit with its samples on AXI4-Stream and its registers on AXI4-Lite.

    Parameters
    ----------
    unit : a :class:`l1bn.units.forward.BatchNorm`, or anything with its ports that keeps the rules of streams
    formats : its derived formats
    map : its registers and tables, :func:`l1bn.bus.register_map.forward_map`

    Members
    -------
    s_axis : packets of x, as :mod:`l1bn.bus.axi_stream` has them; ``tready`` is a register
    m_axis : packets of y; ``tuser``, 0 but in the beat with ``tlast``, says that a packet of the channel was too short
        or too long
    s_axi : the registers, see :class:`l1bn.bus.control.ForwardControl`

    Latency: ``latency`` cycles more than the unit.
    """

    latency = SkidRegister.latency

    def __init__(self, unit: wiring.Component, formats: Formats, map: RegisterMap):
        self.unit, self.formats, self.map = unit, formats, map
        config = formats.config
        super().__init__(
            {
                "s_axis": Out(wiring.Signature(subordinate_members(config.width, config.lanes))),
                "m_axis": Out(wiring.Signature(manager_members(config.y_width, config.lanes))),
                "s_axi": Out(wiring.Signature(axi_lite_members(map.address_width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = self.unit
        m.submodules.port = port = AxiLitePort(self.map.address_width)
        m.submodules.control = control = ForwardControl(self.formats, self.map)
        wiring.connect(m, wiring.flipped(self.s_axi), port.bus)
        for name in ("w_request", "w_address", "w_data", "w_strobe", "r_request", "r_address"):
            m.d.comb += getattr(control, name).eq(getattr(port, name))
        for name in ("w_done", "w_refused", "r_done", "r_refused", "r_data"):
            m.d.comb += getattr(port, name).eq(getattr(control, name))
        wiring.connect(m, control.o_affine, unit.i_affine)
        wiring.connect(m, unit.o_stats, control.i_stats)
        self._samples_in(m, unit, control)
        self._samples_out(m, unit, control)
        return m

    def _samples_in(self, m: Module, unit: wiring.Component, control: ForwardControl) -> None:
        """Let a channel begin when it may; then nothing but the unit holds it up."""
        config = self.formats.config
        m.submodules.inlet = inlet = SkidRegister(packet(config.width, config.lanes))
        s_axis, x = self.s_axis, inlet.o.payload
        packets = config.sendings
        inside = Signal()  # the packet that comes in has begun
        number = Signal(range(packets))  # of that packet within its channel
        opens, moves, allowed = Signal(), Signal(), Signal()
        offered = Signal()  # and not taken yet: the offer stands, whatever software says meanwhile
        m.d.comb += [
            inlet.i.valid.eq(s_axis.tvalid),
            Value.cast(inlet.i.payload.data).eq(lanes_of(s_axis.tdata, config.width, config.lanes)),
            inlet.i.payload.last.eq(s_axis.tlast),
            s_axis.tready.eq(inlet.i.ready),
            opens.eq(~inside & (number == 0)),
            allowed.eq(~opens | control.enable | offered),
            unit.i.valid.eq(inlet.o.valid & allowed),
            inlet.o.ready.eq(unit.i.ready & allowed),
            unit.i.payload.data.eq(x.data),
            unit.i.payload.last.eq(x.last),
            moves.eq(unit.i.valid & unit.i.ready),
            control.begin.eq(moves & opens),
            control.in_packet.eq(unit.i.valid | inside | (number != 0)),
        ]
        m.d.sync += offered.eq(unit.i.valid & ~unit.i.ready)
        if self.formats.select_width:
            m.d.comb += unit.i.payload.select.eq(control.select)
        with m.If(moves):
            m.d.sync += inside.eq(~x.last)
            with m.If(x.last):
                m.d.sync += number.eq(Mux(number == packets - 1, 0, number + 1))

    def _samples_out(self, m: Module, unit: wiring.Component, control: ForwardControl) -> None:
        config = self.formats.config
        m_axis, y = self.m_axis, unit.o.payload
        m.d.comb += [
            m_axis.tvalid.eq(unit.o.valid),
            m_axis.tdata.eq(tdata_of(Value.cast(y.data), config.y_width, config.lanes)),
            m_axis.tlast.eq(y.last),
            m_axis.tuser.eq(y.last & y.error),
            unit.o.ready.eq(m_axis.tready),
            control.end.eq(unit.o.valid & m_axis.tready & y.last),
            control.failed.eq(y.error),
        ]


class AxiTop(wiring.Component):
    """The ports of :class:`AxiForward` under the names of AXI, with its clock and its reset.

    Members
    -------
    aclk : the one clock, rising edge
    aresetn : synchronous reset, active low
    """

    def __init__(self, forward: AxiForward):
        self.forward = forward
        ports = {}
        for name, member in forward.signature.members.items():
            for role, signal in member.signature.members.items():
                ports[f"{name}_{role}"] = signal
        super().__init__({"aclk": In(1), "aresetn": In(1), **ports})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = sync = ClockDomain()
        m.submodules.forward = forward = self.forward
        m.d.comb += [sync.clk.eq(self.aclk), sync.rst.eq(~self.aresetn)]
        for path, member, signal in forward.signature.flatten(forward):
            port = getattr(self, "_".join(map(str, path)))
            m.d.comb += signal.eq(port) if member.flow == In else port.eq(signal)
        return m
