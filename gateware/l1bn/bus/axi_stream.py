"""Samples on AXI4-Stream: lanes on byte boundaries, tlast at the end of a packet, tuser as its error.

There is no tkeep: the samples of a channel are a multiple of the lanes, so every byte of every beat counts, which is
what AXI4-Stream says of a stream without tkeep.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["lane_bits", "lanes_of", "manager_members", "subordinate_members", "tdata_of"]

BYTE = 8


def lane_bits(width: int) -> int:
    """Bits that a sample of ``width`` bits takes in tdata: 8, 16 or 32."""
    return max(BYTE, 1 << (width - 1).bit_length())


def subordinate_members(width: int, lanes: int) -> dict[str, wiring.Member]:
    """The signals of a stream that comes in, without their prefix."""
    return {
        "tdata": In(lanes * lane_bits(width)),
        "tlast": In(1),
        "tvalid": In(1),
        "tready": Out(1),
    }


def manager_members(width: int, lanes: int) -> dict[str, wiring.Member]:
    """The signals of a stream that goes out, without their prefix; ``tuser`` is the error."""
    return {
        "tdata": Out(lanes * lane_bits(width)),
        "tlast": Out(1),
        "tuser": Out(1),
        "tvalid": Out(1),
        "tready": In(1),
    }


def lanes_of(tdata: Value, width: int, lanes: int) -> Value:
    """The samples in tdata, side by side; bits of a lane above its sample are ignored."""
    step = lane_bits(width)
    return Cat(tdata[lane * step : lane * step + width] for lane in range(lanes))


def tdata_of(samples: Value, width: int, lanes: int) -> Value:
    """tdata with the samples, each extended with its sign to the bits of its lane."""
    spare = lane_bits(width) - width
    parts: list[Value] = []
    for lane in range(lanes):
        sample = samples[lane * width : (lane + 1) * width]
        parts += [sample, sample[-1].replicate(spare) if spare else Const(0, 0)]
    return Cat(parts)
