"""The shipped test benches: plain Verilog, and the words they send and expect as files for ``$readmemh``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.lib import wiring

from ..bus.axi_stream import lane_bits
from ..bus.registers import RegisterMap
from ..numbers.formats import Formats
from .render import render
from .vectors import Words, axi_groups, axi_words, channels, native_words

__all__ = ["axi_bench", "native_bench"]


LONG = 200_000
"""Beats of a round above which there is one round only, the one with pauses everywhere."""


@dataclass(frozen=True, kw_only=True)
class Port(Words):
    """A stream in the test bench, with its words."""

    name: str

    @property
    def upper(self) -> str:
        return self.name.upper()


def native_bench(unit: wiring.Component, name: str) -> dict[str, str]:
    """The test bench of a unit with its streams, by the name of the file."""
    words = native_words(unit)
    ports = [Port(name=stream, **vars(part)) for stream, part in words.items()]
    files = _hex(name, words)
    files[f"{name}_tb.v"] = render(
        "native_tb.v.jinja",
        name=name,
        inputs=[port for port in ports if port.name.startswith("i")],
        outputs=[port for port in ports if port.name.startswith("o")],
        channels=len(channels(unit.config)),
        first_round=first_round(
            max(len(part.words) * part.times for part in words.values()),
            remembers=unit.config.direction == "training" or unit.config.guesses,
        ),
        patience=patience(unit),
    )
    return files


def axi_bench(unit: wiring.Component, map: RegisterMap, name: str) -> dict[str, str]:
    """The test bench of a forward unit behind AXI, by the name of the file."""
    formats: Formats = unit.formats
    config = formats.config
    groups = axi_groups(config, map.table("gamma").entries)
    words = axi_words(formats, groups)
    files = _hex(f"{name}_axi", words)
    files[f"{name}_axi_tb.v"] = render(
        "axi_tb.v.jinja",
        name=name,
        map=map,
        words={key: len(part.words) for key, part in words.items()},
        group_bits=words["groups"].width,
        groups=len(groups),
        channels=sum(len(group.channels) for group in groups),
        failed=sum(channel.error for group in groups for channel in group.channels),
        times=config.sendings,
        first_round=first_round(len(words["s"].words) * config.sendings),
        s_bits=config.lanes * lane_bits(config.width),
        m_bits=config.lanes * lane_bits(config.y_width),
        counts=len(config.counts),
        entries=map.table("gamma").entries,
        stats_words=map.table("statistics").words,
        flags=len(map.table("statistics").members) - 1,
        patience=patience(unit),
    )
    return files


def patience(unit: wiring.Component) -> int:
    """Cycles without any transfer after which a unit hangs: no step takes that long, whatever the pauses."""
    units = [unit, unit.backward] if unit.config.direction == "training" else [unit]
    cleared = unit.config.channels if unit.config.direction == "training" else 0
    return 1000 + cleared + 4 * sum(max(map(part.latency, unit.config.counts)) for part in units)


def first_round(beats: int, *, remembers: bool = False) -> int:
    """The round that a test bench begins with, of those its head describes.

    It is the last one for a unit that ``remembers`` a round in the next, where the same words give others.
    """
    return 2 if remembers or beats > LONG else 0


def _hex(name: str, words: Mapping[str, Words]) -> dict[str, str]:
    """Files for ``$readmemh``, one word a line."""
    files = {}
    for key, part in words.items():
        digits = -(-part.width // 4)
        files[f"{name}_{key}.hex"] = "".join(f"{word:0{digits}x}\n" for word in part.words)
    return files
