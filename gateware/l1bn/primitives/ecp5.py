"""The blocks of Lattice ECP5 with the registers inside them, which no tool infers."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .blocks import BlockMultiplier
from .portable import SampleMemory as PortableMemory

__all__ = ["Multiplier", "SampleMemory"]


class Multiplier(BlockMultiplier):
    """:class:`l1bn.primitives.portable.Multiplier` on MULT18X18D blocks with input, pipeline and output registers.

    One more register beside the block spares what follows the way from its fixed place.
    """

    size = 18
    block_latency = 4

    def block(self, m: Module, a: Value, b: Value, product: Signal) -> None:
        registers: dict[str, Any] = {}
        for register in ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT"):
            registers[f"p_REG_{register}_CLK"] = "CLK0"
            registers[f"p_REG_{register}_CE"] = "CE0"
            registers[f"p_REG_{register}_RST"] = "RST0"
        result = Signal(36)
        m.submodules += Instance(
            "MULT18X18D",
            **registers,
            p_MULT_BYPASS="DISABLED",
            p_RESETMODE="SYNC",
            p_GSR="DISABLED",
            i_CLK0=ClockSignal(),
            i_CE0=self.enable,
            i_RST0=Const(0, 1),
            i_SIGNEDA=Const(a.shape().signed, 1),
            i_SIGNEDB=Const(b.shape().signed, 1),
            i_SOURCEA=Const(0, 1),
            i_SOURCEB=Const(0, 1),
            **pins("i_A", extended(m, a, 18)),
            **pins("i_B", extended(m, b, 18)),
            **pins("o_P", result),
        )
        near = Signal(len(product), reset_less=True)
        with m.If(self.enable):
            m.d.sync += near.eq(result)
        m.d.comb += product.eq(near)


class SampleMemory(wiring.Component):
    """:class:`l1bn.primitives.portable.SampleMemory` on DP16KD blocks with their output register.

    A word wider than a block is spread over several; a memory deeper than the narrowest block is left to the tools.
    """

    # Words of a block by their width; 36 bits use both ports' pins for one port.
    depths = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))

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
        fitting = [width for width, words in self.depths if words >= self.depth]
        if not fitting:
            m.submodules.memory = memory = PortableMemory(self.width, self.depth)
            wiring.connect(m, wiring.flipped(self), memory)
            return m
        size = fitting[0]
        for offset in range(0, self.width, size):
            bits = min(size, self.width - offset)
            data = Signal(bits)
            self.block(m, size, self.w_data[offset : offset + bits], data)
            m.d.comb += self.o_data[offset : offset + bits].eq(data)
        return m

    def block(self, m: Module, size: int, written: Value, read: Signal) -> None:
        """One block, ``size`` bits a word, written on port A and read on port B."""
        skipped = {36: 5, 18: 4, 9: 3, 4: 2, 2: 1, 1: 0}[size]  # address bits that number bits of a word
        # In words of two bytes or more the lowest address bits are the write enables of the bytes.
        enables = Const((1 << (size // 9)) - 1, skipped) if size >= 18 else Const(0, skipped)
        word = extended(m, written, 36)
        result = Signal(36)
        m.submodules += Instance(
            "DP16KD",
            p_DATA_WIDTH_A=size,
            p_DATA_WIDTH_B=size,
            p_REGMODE_A="OUTREG" if size == 36 else "NOREG",
            p_REGMODE_B="OUTREG",
            p_RESETMODE="SYNC",
            p_ASYNC_RESET_RELEASE="SYNC",
            p_CSDECODE_A="0b000",
            p_CSDECODE_B="0b000",
            p_WRITEMODE_A="NORMAL",
            p_WRITEMODE_B="NORMAL",
            p_GSR="DISABLED",
            i_CLKA=ClockSignal(),
            i_CEA=self.w_enable,
            i_WEA=Const(1, 1),
            i_OCEA=self.o_enable if size == 36 else Const(1, 1),
            i_RSTA=Const(0, 1),
            **pins("i_ADA", extended(m, Cat(enables, self.w_address), 14)),
            **pins("i_DIA", word[:18]),
            **(pins("i_DIB", word[18:]) if size == 36 else {}),
            i_CLKB=ClockSignal(),
            i_CEB=self.r_enable,
            i_WEB=Const(0, 1),
            i_OCEB=self.o_enable,
            i_RSTB=Const(0, 1),
            **pins("i_ADB", extended(m, Cat(Const(0, skipped), self.r_address), 14)),
            **(
                {**pins("o_DOA", result[:18]), **pins("o_DOB", result[18:])}
                if size == 36
                else pins("o_DOB", result[:18])
            ),
            **{f"i_CS{port}{bit}": Const(0, 1) for port in "AB" for bit in range(3)},
        )
        m.d.comb += read.eq(result)


def extended(m: Module, value: Value, width: int) -> Signal:
    """A number in exactly ``width`` bits, its sign kept."""
    wide = Signal(width)
    m.d.comb += wide.eq(value)
    return wide


def pins(name: str, value: Value) -> dict[str, Value]:
    """The ports of a vector whose bits are numbered pins."""
    return {f"{name}{bit}": value[bit] for bit in range(len(value))}
