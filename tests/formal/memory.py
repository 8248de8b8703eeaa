"""A memory that does what the contract of :class:`SampleMemory` says, and nothing that it leaves open."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Mux, Signal

from l1bn.primitives.portable import SampleMemory

__all__ = ["ContractMemory"]


class ContractMemory(SampleMemory):
    """Any memory with the ports and the contract of :class:`SampleMemory`.

    Parameters
    ----------
    width, depth : as there

    Attributes
    ----------
    rows : its words
    fetched, out : its two registers
    undefined : what a read gives that hits the word being written
    """

    def __init__(self, width: int, depth: int):
        super().__init__(width, depth)
        self.rows = [Signal(width, name=f"row_{index}") for index in range(depth)]
        self.fetched = Signal(width)
        self.out = Signal(width)
        self.undefined = Signal(width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = Array(self.rows)
        hit = self.w_enable & (self.w_address == self.r_address)
        with m.If(self.w_enable):
            m.d.sync += rows[self.w_address].eq(self.w_data)
        with m.If(self.r_enable):
            m.d.sync += self.fetched.eq(Mux(hit, self.undefined, rows[self.r_address]))
        with m.If(self.o_enable):
            m.d.sync += self.out.eq(self.fetched)
        m.d.comb += self.o_data.eq(self.out)
        return m
