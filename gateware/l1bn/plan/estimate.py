"""What a unit would take on a device, from what presets take there.

Multiplier blocks and memories follow from the unit. LUT, FF and clock only place and route knows: they are estimated
from the nearest preset that was measured, and LUT and FF moved from its lanes and its width to those of the unit along
the straight line through two presets that differ in little else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..config import Configuration
from ..export import presets
from ..numbers.formats import Formats
from ..primitives import ecp5, ice40
from ..units import AnyUnit
from ..units.contents import memories, multipliers

__all__ = ["Device", "Estimate", "device", "estimate"]


@dataclass(frozen=True)
class Device:
    """The blocks of a device.

    Parameters
    ----------
    name : what buffers are held against
    blocks : of its block RAM
    block_bits : of each
    memories : shapes that a block can have, ``(bits of a word, words)``, the widest first
    factor : bits of a factor of a multiplier block
    """

    name: str
    blocks: int
    block_bits: int
    memories: tuple[tuple[int, int], ...]
    factor: int

    def memory_blocks(self, words: int, width: int) -> int:
        """Blocks of a memory: side by side where one is deep enough, else rows of the narrowest ones."""
        bits, depth = next((shape for shape in self.memories if shape[1] >= words), self.memories[-1])
        return math.ceil(words / depth) * math.ceil(width / bits)

    def multiplier_blocks(self, a: int, b: int) -> int:
        """Blocks of a product of factors of so many bits."""
        return math.ceil(a / self.factor) * math.ceil(b / self.factor)


_ECP5 = Device("LFE5U-25F", 56, 18432, ecp5.SampleMemory.depths, ecp5.Multiplier.size)
_ICE40 = Device("UP5K", 30, 4096, ((16, 256), (8, 512), (4, 1024), (2, 2048)), ice40.Multiplier.size)
_MEASURED = {"portable": _ECP5, "ecp5": _ECP5, "ice40": _ICE40}
"""The device on which presets were measured that multiply as a target does."""


def device(config: Configuration) -> Device:
    """The device that a unit is planned for."""
    return _MEASURED.get(config.target, _ECP5)


@dataclass(frozen=True)
class Estimate:
    """What a unit would take.

    Parameters
    ----------
    lut, ff, mhz : estimated; ``None`` where no preset of its direction and target was measured
    dsp, bram : blocks, which follow from the unit
    nearest : the preset that was measured, if any
    unlike : in words, what is different there and costs something that no preset tells
    moved : in words, by how much LUT and FF were multiplied, and along which presets
    """

    lut: int | None
    ff: int | None
    mhz: float | None
    dsp: int
    bram: int
    device: str
    nearest: str | None = None
    unlike: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A preset with what it takes."""

    name: str
    config: Configuration
    taken: presets.Resources


def estimate(unit: AnyUnit) -> Estimate:
    """What the unit would take on the device of :func:`device`."""
    config: Configuration = unit.config
    blocks = device(config)
    dsp = sum(each["number"] * blocks.multiplier_blocks(*each["factors"]) for each in multipliers(unit))
    bram = sum(blocks.memory_blocks(each["words"], each["width"]) for each in memories(unit))
    rows = list(_rows())
    fitting = [row for row in rows if config.target in _MEASURED and _MEASURED[row.config.target] is blocks]
    near = min(
        (row for row in fitting if row.config.direction == config.direction),
        key=lambda row: _distance(row.config, config),
        default=None,
    )
    if near is None:
        return Estimate(None, None, None, dsp if config.target in _MEASURED else 0, bram, blocks.name)
    lut, ff, moved = float(near.taken.lut), float(near.taken.ff), []
    for name in ("lanes", "width"):
        before, after = getattr(near.config, name), getattr(config, name)
        if before != after:
            pair = _pair(rows, near.config, name)
            factors = [_factor(pair, name, kind, before, after) for kind in ("lut", "ff")]
            lut, ff = lut * factors[0], ff * factors[1]
            said = f"LUT x {factors[0]:.2f}, FF x {factors[1]:.2f} as from {pair[0].name} to {pair[1].name}"
            moved.append(f"{name} {before} to {after}: {said}")
    return Estimate(
        lut=round(lut),
        ff=round(ff),
        mhz=near.taken.fmax_mhz,
        dsp=dsp,
        bram=bram,
        device=blocks.name,
        nearest=near.name,
        unlike=_unlike(near.config, config),
        moved=tuple(moved),
    )


def _rows() -> Iterator[Row]:
    for name, preset in presets.PRESETS.items():
        taken = presets.resources(name)
        if taken is not None:
            yield Row(name, preset.configuration, taken)


def _distance(row: Configuration, config: Configuration) -> tuple[Any, ...]:
    """How far a measured configuration is away: what changes the structure counts before what changes a size."""
    return (
        row.norm != config.norm,
        row.traits.power != config.traits.power,
        row.form != config.form,
        row.storage != config.storage,
        Formats(row).only_powers_of_two != Formats(config).only_powers_of_two,
        row.target != config.target,
        abs(math.log2(row.lanes / config.lanes)),
        abs(row.width - config.width),
        abs(math.log2(max(row.counts) / max(config.counts))),
    )


def _unlike(row: Configuration, config: Configuration) -> tuple[str, ...]:
    """What a measured configuration has instead."""
    alike = ("norm", "form", "storage", "target")
    unlike = [f"{name} {getattr(row, name)}" for name in alike if getattr(row, name) != getattr(config, name)]
    powers = Formats(row).only_powers_of_two
    if powers != Formats(config).only_powers_of_two:
        unlike.append("counts that are powers of two" if powers else "counts that are no powers of two")
    return tuple(unlike)


def _pair(rows: Sequence[Row], near: Configuration, name: str) -> tuple[Row, Row]:
    """Two presets that differ in a parameter, of the nearest preset's norm if there are such."""
    lines = [
        (low, high)
        for low in rows
        for high in rows
        if getattr(low.config, name) < getattr(high.config, name)
        and _others(low.config, name) == _others(high.config, name)
    ]
    return min(lines, key=lambda pair: (pair[0].config.norm != near.norm, pair[0].config.direction != near.direction))


def _others(config: Configuration, name: str) -> list[Any]:
    """What has to be alike in two presets that tell what ``name`` costs."""
    alike = ("norm", "form", "direction", "storage", "target", "counts", "lanes", "width")
    return [getattr(config, other) for other in alike if other != name]


def _factor(pair: tuple[Row, Row], name: str, kind: str, before: int, after: int) -> float:
    """By how much what a unit takes changes along the line through two presets."""
    low, high = (getattr(row.config, name) for row in pair)
    least, most = (getattr(row.taken, kind) for row in pair)

    def line(value: int) -> float:
        return float(least + (most - least) * (value - low) / (high - low))

    return line(after) / line(before)
