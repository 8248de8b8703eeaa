"""The blocks of Lattice iCE40 UltraPlus; its block RAM has no output register, so the portable memory serves."""

from __future__ import annotations

from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal, Value

from .blocks import BlockMultiplier
from .portable import SampleMemory

__all__ = ["Multiplier", "SampleMemory"]


class Multiplier(BlockMultiplier):
    """:class:`l1bn.primitives.portable.Multiplier` on SB_MAC16 blocks with input, pipeline and output registers."""

    size = 16

    def block(self, m: Module, a: Value, b: Value, product: Signal) -> None:
        factors = [Signal(16), Signal(16)]
        m.d.comb += [wide.eq(narrow) for wide, narrow in zip(factors, (a, b), strict=True)]
        low = Const(0, 1)
        result = Signal(32)
        m.submodules += Instance(
            "SB_MAC16",
            p_A_SIGNED=Const(a.shape().signed, 1),
            p_B_SIGNED=Const(b.shape().signed, 1),
            p_A_REG=Const(1, 1),
            p_B_REG=Const(1, 1),
            p_TOP_8x8_MULT_REG=Const(1, 1),
            p_BOT_8x8_MULT_REG=Const(1, 1),
            p_PIPELINE_16x16_MULT_REG1=Const(1, 1),
            p_PIPELINE_16x16_MULT_REG2=Const(1, 1),
            p_TOPOUTPUT_SELECT=Const(3, 2),
            p_BOTOUTPUT_SELECT=Const(3, 2),
            i_CLK=ClockSignal(),
            i_CE=self.enable,
            i_A=factors[0],
            i_B=factors[1],
            i_C=Const(0, 16),
            i_D=Const(0, 16),
            **{
                f"i_{pin}": low
                for pin in (
                    *("AHOLD", "BHOLD", "CHOLD", "DHOLD", "IRSTTOP", "IRSTBOT", "ORSTTOP", "ORSTBOT"),
                    *("OLOADTOP", "OLOADBOT", "ADDSUBTOP", "ADDSUBBOT", "OHOLDTOP", "OHOLDBOT"),
                    *("CI", "ACCUMCI", "SIGNEXTIN"),
                )
            },
            o_O=result,
        )
        m.d.comb += product.eq(result)
