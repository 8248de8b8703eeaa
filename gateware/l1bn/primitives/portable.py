"""Portable descriptions of the primitives: plain registers and memories that any tool understands."""

from __future__ import annotations

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..logic.rtlil import Written, undefined_memory

__all__ = ["Multiplier", "SampleMemory"]


class Multiplier(wiring.Component):
    """Registered product of two numbers, each signed or unsigned.

    Parameters
    ----------
    a_shape, b_shape : shapes of the factors

    Members
    -------
    a, b : the factors
    enable : every register holds while 0
    product : ``a * b``, exact; three enabled cycles later (input, product and output register)
    """

    latency = 3

    def __init__(self, a_shape: Shape, b_shape: Shape):
        self.a_shape, self.b_shape = a_shape, b_shape
        self.product_shape = (Signal(a_shape) * Signal(b_shape)).shape()
        super().__init__(
            {"a": In(a_shape), "b": In(b_shape), "enable": In(1), "product": Out(self.product_shape)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a = Signal(self.a_shape, reset_less=True)
        b = Signal(self.b_shape, reset_less=True)
        product = Signal(self.product_shape, reset_less=True)
        out = Signal(self.product_shape, reset_less=True)
        with m.If(self.enable):
            m.d.sync += [a.eq(self.a), b.eq(self.b), product.eq(a * b), out.eq(product)]
        m.d.comb += self.product.eq(out)
        return m


class SampleMemory(wiring.Component):
    """Simple dual-port memory with an output register, as block RAMs have it.

    Parameters
    ----------
    width : bits of a word
    depth : words, a power of two

    Members
    -------
    w_enable, w_address, w_data : a word is written at the clock edge
    r_enable, r_address : the word at the address is fetched; the fetched word holds while ``r_enable`` is 0
    o_enable, o_data : the fetched word moves to ``o_data``, which holds while ``o_enable`` is 0

    What a read gives is undefined where nothing was written before, and for an address that is written in the same
    cycle.
    """

    def __init__(self, width: int, depth: int):
        self.width, self.depth = width, depth
        address = (depth - 1).bit_length()
        super().__init__(
            {
                "w_enable": In(1),
                "w_address": In(address),
                "w_data": In(width),
                "r_enable": In(1),
                "r_address": In(address),
                "o_enable": In(1),
                "o_data": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fetched = Signal(self.width)
        write = (self.w_enable, self.w_address, self.w_data)
        read = (self.r_enable, self.r_address, fetched)
        if isinstance(platform, Written):
            m.submodules.memory = undefined_memory("memory", depth=self.depth, write=write, read=read)
        else:
            m.submodules.memory = words = memory.Memory(shape=self.width, depth=self.depth, init=[])
            w_port, r_port = words.write_port(), words.read_port()
            m.d.comb += [
                *(
                    port.eq(value)
                    for port, value in zip((w_port.en, w_port.addr, w_port.data), write, strict=True)
                ),
                *(port.eq(value) for port, value in zip((r_port.en, r_port.addr), read, strict=False)),
                fetched.eq(r_port.data),
            ]
        out = Signal(self.width, reset_less=True)
        m.d.comb += self.o_data.eq(out)
        with m.If(self.o_enable):
            m.d.sync += out.eq(fetched)
        return m
