"""A memory that makes use of what it leaves undefined: whoever relies on it gets garbage."""

from __future__ import annotations

import random

import pytest
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory

from l1bn.primitives.portable import SampleMemory

__all__ = ["be_strict"]


def be_strict(monkeypatch: pytest.MonkeyPatch, seed: str) -> None:
    """Make every portable memory strict.

    A word that was never written is random, and a read of the address that is written in the same cycle brings neither
    the old word nor the new one.
    """
    draw = random.Random(seed)

    def elaborate(self: SampleMemory, platform: object) -> Module:
        m = Module()
        init = [draw.getrandbits(self.width) for _ in range(self.depth)]
        m.submodules.memory = words = memory.Memory(shape=self.width, depth=self.depth, init=init)
        w_port, r_port = words.write_port(), words.read_port()
        clash, mixed, out = Signal(), Signal(self.width), Signal(self.width)
        m.d.comb += [
            w_port.en.eq(self.w_enable),
            w_port.addr.eq(self.w_address),
            w_port.data.eq(self.w_data),
            r_port.en.eq(self.r_enable),
            r_port.addr.eq(self.r_address),
            self.o_data.eq(out),
        ]
        with m.If(self.r_enable):
            m.d.sync += [clash.eq(self.w_enable & (self.w_address == self.r_address)), mixed.eq(~self.w_data)]
        with m.If(self.o_enable):
            m.d.sync += out.eq(Mux(clash, mixed, r_port.data))
        return m

    monkeypatch.setattr(SampleMemory, "elaborate", elaborate)
