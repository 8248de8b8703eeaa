"""The AXI4-Lite side of a register file: every handshake is a register, one access at a time each way."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .registers import WORD

__all__ = ["OKAY", "SLVERR", "AxiLitePort", "axi_lite_members"]

OKAY, SLVERR = 0b00, 0b10
"""Answers of AXI4-Lite."""


def axi_lite_members(address_width: int) -> dict[str, wiring.Member]:
    """The signals of a subordinate without their prefix. ``awprot`` and ``arprot`` are taken and ignored."""
    return {
        "awaddr": In(address_width),
        "awprot": In(3),
        "awvalid": In(1),
        "awready": Out(1),
        "wdata": In(WORD),
        "wstrb": In(WORD // 8),
        "wvalid": In(1),
        "wready": Out(1),
        "bresp": Out(2),
        "bvalid": Out(1),
        "bready": In(1),
        "araddr": In(address_width),
        "arprot": In(3),
        "arvalid": In(1),
        "arready": Out(1),
        "rdata": Out(WORD),
        "rresp": Out(2),
        "rvalid": Out(1),
        "rready": In(1),
    }


class AxiLitePort(wiring.Component):
    """Turns the five channels of AXI4-Lite into one write and one read at a time.

    Parameters
    ----------
    address_width : bits of a byte address; the two lowest are ignored

    Members
    -------
    bus : the signals of :func:`axi_lite_members`
    w_request, w_address, w_data, w_strobe : a write, from when address and data are both there until ``w_done``
    w_done, w_refused : ends the write in this cycle, and whether it was refused
    r_request, r_address : a read, until ``r_done``
    r_done, r_refused, r_data : ends the read in this cycle, with its data and whether it was refused

    A refused access is answered SLVERR; a refused read reads 0.
    """

    def __init__(self, address_width: int):
        self.address_width = address_width
        super().__init__(
            {
                "bus": Out(wiring.Signature(axi_lite_members(address_width))),
                "w_request": Out(1),
                "w_address": Out(address_width),
                "w_data": Out(WORD),
                "w_strobe": Out(WORD // 8),
                "w_done": In(1),
                "w_refused": In(1),
                "r_request": Out(1),
                "r_address": Out(address_width),
                "r_done": In(1),
                "r_refused": In(1),
                "r_data": In(WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._write(m)
        self._read(m)
        return m

    def _write(self, m: Module) -> None:
        bus = self.bus
        has_address, has_data = Signal(), Signal()
        address, data, strobe = (
            Signal(signal.shape(), reset_less=True, name=name)
            for name, signal in (("w_address", bus.awaddr), ("w_data", bus.wdata), ("w_strobe", bus.wstrb))
        )
        awready, wready = Signal(), Signal()
        answer, valid = Signal(2, reset_less=True), Signal()
        m.d.comb += [
            bus.awready.eq(awready),
            bus.wready.eq(wready),
            bus.bvalid.eq(valid),
            bus.bresp.eq(answer),
            self.w_request.eq(has_address & has_data & ~valid),
            self.w_address.eq(address),
            self.w_data.eq(data),
            self.w_strobe.eq(strobe),
        ]
        # Ready is low in reset, rises after it, and falls with the transfer until the write has been answered.
        with m.If(~has_address & ~awready):
            m.d.sync += awready.eq(1)
        with m.Elif(bus.awvalid & awready):
            m.d.sync += [awready.eq(0), has_address.eq(1), address.eq(bus.awaddr)]
        with m.If(~has_data & ~wready):
            m.d.sync += wready.eq(1)
        with m.Elif(bus.wvalid & wready):
            m.d.sync += [wready.eq(0), has_data.eq(1), data.eq(bus.wdata), strobe.eq(bus.wstrb)]
        with m.If(self.w_request & self.w_done):
            m.d.sync += [valid.eq(1), answer.eq(Mux(self.w_refused, SLVERR, OKAY))]
        with m.If(valid & bus.bready):
            m.d.sync += [valid.eq(0), has_address.eq(0), has_data.eq(0)]

    def _read(self, m: Module) -> None:
        bus = self.bus
        asked, ready, valid = Signal(), Signal(), Signal()
        address = Signal(self.address_width, reset_less=True, name="r_address")
        data, answer = Signal(WORD, reset_less=True, name="r_data"), Signal(2, reset_less=True)
        m.d.comb += [
            bus.arready.eq(ready),
            bus.rvalid.eq(valid),
            bus.rdata.eq(data),
            bus.rresp.eq(answer),
            self.r_request.eq(asked & ~valid),
            self.r_address.eq(address),
        ]
        with m.If(~asked & ~ready):
            m.d.sync += ready.eq(1)
        with m.Elif(bus.arvalid & ready):
            m.d.sync += [ready.eq(0), asked.eq(1), address.eq(bus.araddr)]
        with m.If(self.r_request & self.r_done):
            m.d.sync += [valid.eq(1), answer.eq(Mux(self.r_refused, SLVERR, OKAY)), data.eq(self.r_data)]
        with m.If(valid & bus.rready):
            m.d.sync += [valid.eq(0), asked.eq(0)]
