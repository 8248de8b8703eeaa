"""The one way from a component to what Yosys reads, and from there to Verilog: what is measured is what is shipped.

Amaranth gives every memory initial contents, a constant of all its bits: a long text and many seconds for a
large one, and a promise that no memory of standard cells keeps. The memories of l1bn are written before they are read
(:class:`l1bn.primitives.portable.SampleMemory`), so here they have none.
"""

from __future__ import annotations

import contextlib
import gc
import re
from abc import abstractmethod
from collections.abc import Hashable, Iterator

from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil as amaranth_rtlil
from amaranth.hdl import ClockSignal, Const, Instance, Module, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from . import caches

__all__ = ["SHARED", "Shared", "Written", "convert", "run_yosys", "undefined_memory", "verilog"]

MEMORY = "$mem_v2"
"""The cell of Yosys that is a memory with its ports."""

SHARED = "shared_"
"""What the names of shared modules begin with, after that of the top."""

INTERNAL = "-remove generator -remove top -remove src -remove amaranth.hierarchy -remove amaranth.decoding"
"""Attributes that mean nothing outside of Amaranth."""

SCRIPT = f"""
proc -nomux -norom
memory_collect
attrmap {INTERNAL}
attrmap -modattr {INTERNAL}
write_verilog -norename
"""


class Written:
    """The platform of hardware that is written out as module ``name``; where it is not the platform, Python simulates.

    Attributes
    ----------
    shared : the components that are modules of their own, by the names of these
    """

    def __init__(self, name: str):
        self.name = name
        self.shared: dict[str, Shared] = {}
        self._names: dict[tuple[str, Hashable], str] = {}

    def instance(self, component: Shared) -> Instance:
        """An instance of the module that ``component`` shares with its like."""
        kind = component.kind, component.parameters
        if kind not in self._names:
            number = sum(word == component.kind for word, _ in self._names)
            module = f"{self.name}.{SHARED}{component.kind}{f'_{number}' if number else ''}"
            self._names[kind], self.shared[module] = module, component
        module = self._names[kind]
        directions = {In: "i", Out: "o"}
        connected = [
            (directions[member.flow], name, getattr(component, name))
            for name, member in component.signature.members.items()
        ]
        return Instance(module, *connected, i_clk=ClockSignal(), i_rst=ResetSignal())


class Shared(wiring.Component):
    """A component in the domain ``sync`` that is written out as one module, however many of its kind there are.

    A unit of 64 lanes has hundreds of multipliers: the text, and what every tool does with it, would grow with them.
    """

    @property
    @abstractmethod
    def kind(self) -> str:
        """A word for it, which its module is called after."""

    @property
    @abstractmethod
    def parameters(self) -> Hashable:
        """All that its hardware depends on: with equal ones two of a kind are the same hardware."""

    @abstractmethod
    def body(self) -> Module:
        """The hardware."""

    def elaborate(self, platform: object) -> Module | Instance:
        return platform.instance(self) if isinstance(platform, Written) else self.body()


def convert(component: wiring.Component, name: str) -> str:
    """The RTLIL of ``component`` as top module ``name``; shared modules are called ``name.shared_...``."""
    platform = Written(name)
    with _no_collection():
        text = amaranth_rtlil.convert(component, name=name, platform=platform, emit_src=False)
        written: set[str] = set()
        while left := platform.shared.keys() - written:  # they may have others inside
            module = min(left)
            written.add(module)
            shared = platform.shared[module]
            ports = [getattr(shared, port) for port in shared.signature.members]
            body = amaranth_rtlil.convert(
                shared.body(), name=module, platform=platform, ports=ports, emit_src=False
            )
            text += body.replace("attribute \\top 1\n", "")
    # An instance has the name of a module, and its parameters have no undefined bits; the cell of Yosys has both.
    text = text.replace(f"cell \\{MEMORY} ", f"cell {MEMORY} ")
    return re.sub(r'"undefined (\d+)"$', r"\1'x", text, flags=re.MULTILINE)


def undefined_memory(
    name: str,
    *,
    depth: int,
    write: tuple[Value, Value, Value],
    read: tuple[Value, Value, Value],
) -> Instance:
    """A memory with a port to write and a port to read, both at the clock edge, that holds nothing at first.

    For a component that is elaborated for :class:`Written`.

    Parameters
    ----------
    name : of the memory
    depth : words
    write : enable, address, data
    read : enable, address, and the signal that the word goes to
    """
    w_enable, w_address, w_data = write
    r_enable, r_address, r_data = read
    width = len(w_data)
    no, yes, undefined = Const(0, 1), Const(1, 1), f"undefined {width}"
    return Instance(
        MEMORY,
        a_no_rw_check=1,
        p_MEMID=f"\\{name}",
        p_SIZE=depth,
        p_OFFSET=0,
        p_ABITS=len(w_address),
        p_WIDTH=width,
        p_INIT="undefined 1",
        **{f"p_{port}_PORTS": 1 for port in ("RD", "WR")},
        **{f"p_{port}_{fact}": yes for port in ("RD", "WR") for fact in ("CLK_ENABLE", "CLK_POLARITY")},
        **{f"p_{port}_WIDE_CONTINUATION": no for port in ("RD", "WR")},
        **{f"p_RD_{fact}": undefined for fact in ("INIT_VALUE", "ARST_VALUE", "SRST_VALUE")},
        **{f"p_RD_{fact}": no for fact in ("COLLISION_X_MASK", "TRANSPARENCY_MASK", "CE_OVER_SRST")},
        p_WR_PRIORITY_MASK=no,
        **{f"i_{port}_CLK": ClockSignal() for port in ("RD", "WR")},
        **{f"i_RD_{reset}": no for reset in ("ARST", "SRST")},
        i_WR_EN=w_enable.replicate(width),
        i_WR_ADDR=w_address,
        i_WR_DATA=w_data,
        i_RD_EN=r_enable,
        i_RD_ADDR=r_address,
        o_RD_DATA=r_data,
    )


def verilog(component: wiring.Component, name: str) -> str:
    """The Verilog of ``component`` as top module ``name``, its hierarchy kept."""
    return run_yosys(convert(component, name), SCRIPT)


def run_yosys(text: str, script: str) -> str:
    """What the Yosys that is pinned with Amaranth prints when it runs ``script`` on the RTLIL ``text``.

    Raises :exc:`amaranth.back.verilog.YosysError` if it fails.
    """
    with caches.within(AMARANTH_USE_YOSYS="builtin"):
        yosys = find_yosys(lambda version: version >= (0, 40))
        return str(
            yosys.run(["-q", "-"], f"read_rtlil <<rtlil\n{text}\nrtlil\n{script}", ignore_warnings=True)
        )


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """No search for unreachable cycles: of a netlist, all of which is in use, it takes half of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
