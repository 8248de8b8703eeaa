"""A short run of a unit as a timing diagram of its streams: ``python -m l1bn_sim.waves``.

Cycles in which nothing happens are left out of the picture, where a mark and the numbers of the cycles show it. The
same run is written as VCD, for a viewer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from amaranth.hdl import Value
from amaranth.sim import Simulator

from l1bn.command.options import option, value
from l1bn.config import Configuration, ConfigurationError
from l1bn.export.drawings import SPACE, Row, timing
from l1bn.units.forward import BatchNorm
from l1bn_golden.data import gaussian
from l1bn_vectors.packets import packets
from l1bn_vectors.payloads import StreamPort
from l1bn_vectors.shapes import stream_ports

from .commands import exit_code
from .write import write_text

__all__ = ["Trace", "columns_of", "main", "picture", "record", "stimulus"]

CHANNELS = 2
MOST = 64
"""Most samples in a channel: more is no picture."""
STALLED = 4
"""The sink of y takes so many beats, and makes the next one wait."""
PATIENCE = 20000
SHOWN = {
    "i": ("data", "last"),
    "i_affine": ("gamma", "beta"),
    "o": ("data", "last"),
    "o_stats": ("mean", "scale"),
}
"""Fields of each stream that the picture shows."""

Offer = tuple[bool, bool, int]
"""valid, ready and payload of a stream in a cycle."""


@dataclass(frozen=True)
class Trace:
    """What each stream did in each cycle."""

    ports: tuple[StreamPort, ...]
    cycles: list[dict[str, Offer]]

    def moved(self, name: str) -> dict[str, Any]:
        """The items that moved on a stream, a column a field."""
        (port,) = (port for port in self.ports if port.name == name)
        offers = [cycle[name] for cycle in self.cycles]
        return port.payload.unpack([word for valid, ready, word in offers if valid and ready])


def stimulus(config: Configuration) -> tuple[Any, list[int], list[int]]:
    """Samples of shape (channels, count), gamma and beta: gamma 1 and -1/2, beta 0 and 1."""
    x = gaussian(np.random.default_rng(5), (CHANNELS, config.counts[0]), config.width, 0.3, 0.1)
    one = 1 << int(config.gamma_fraction or 0)
    limit = (1 << (config.beta_width or 2) - 1) - 1
    return (
        x.astype(np.int64),
        [min(one, (1 << config.gamma_width - 1) - 1), -(one // 2)],
        [0, min(1 << int(config.beta_fraction or 0), limit)],
    )


def record(component: BatchNorm, vcd: Path | None = None) -> Trace:
    """Simulate a unit for two channels until all of y has left, and note every cycle.

    Sources offer everything at once; the sink of y stalls one beat of each channel. Raises :exc:`RuntimeError` if
    the unit hangs.
    """
    config = component.config
    x, gamma, beta = stimulus(config)
    ports = stream_ports(component)
    payloads = {port.name: port.payload for port in ports}
    waiting = {
        "i": payloads["i"].pack(**packets(x, config.lanes, config.sendings)),
        "i_affine": payloads["i_affine"].pack(gamma=gamma, beta=beta),
    }
    expected = CHANNELS * config.counts[0] // config.lanes
    cycles: list[dict[str, Offer]] = []

    async def bench(ctx: Any) -> None:
        ctx.set(component.o_stats.ready, 1)
        taken, stalled = 0, False
        while taken < expected:
            if len(cycles) > PATIENCE:
                raise RuntimeError("the unit hangs")
            for name, words in waiting.items():
                stream = getattr(component, name)
                offering = bool(words and cycles)  # an idle cycle first
                ctx.set(stream.valid, offering)
                ctx.set(Value.cast(stream.payload), words[0] if offering else 0)
            stall = taken % (expected // CHANNELS) == STALLED and not stalled
            ctx.set(component.o.ready, not stall)
            now: dict[str, Offer] = {}
            for name in payloads:
                stream = getattr(component, name)
                valid, ready = bool(ctx.get(stream.valid)), bool(ctx.get(stream.ready))
                now[name] = valid, ready, ctx.get(Value.cast(stream.payload))
                if valid and ready and name in waiting:
                    waiting[name].pop(0)
            cycles.append(now)
            if now["o"][0]:
                taken, stalled = taken + (not stall), stall
            await ctx.tick()

    simulator = Simulator(component)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    if vcd is None:
        simulator.run()
    else:
        with simulator.write_vcd(str(vcd)):
            simulator.run()
    return Trace(ports, cycles)


def picture(trace: Trace, title: str) -> str:
    """The trace as SVG."""
    columns = columns_of(trace.cycles)
    clock = "".join("|" if column is None else "P" for column in columns)
    numbers = [str(column) for column in columns if column is not None]
    rows = [Row("clk", clock), Row("cycle", clock.replace("P", "="), numbers)]
    for port in trace.ports:
        rows += [SPACE, *_rows(trace, port, columns)]
    return timing(rows, title)


def columns_of(cycles: Sequence[dict[str, Offer]]) -> list[int | None]:
    """The cycles that the picture shows; ``None`` stands for two or more in which nothing happens."""
    quiet = [False, *(_is_quiet(before, now) for before, now in pairwise(cycles)), False]
    columns: list[int | None] = []
    for cycle in range(len(cycles)):
        if not (quiet[cycle] and (quiet[cycle + 1] or quiet[cycle - 1])):
            columns.append(cycle)
        elif columns[-1] is not None:
            columns.append(None)
    return columns


def _is_quiet(before: dict[str, Offer], now: dict[str, Offer]) -> bool:
    """Whether no item moves or is offered anew, and no flag changes."""
    return all(
        not (valid and ready) and (valid, ready) == before[name][:2]
        for name, (valid, ready, _) in now.items()
    )


def _rows(trace: Trace, port: StreamPort, columns: Sequence[int | None]) -> list[Row]:
    offers = [cycle[port.name] for cycle in trace.cycles]
    values = port.payload.unpack([word for _, _, word in offers])
    rows: list[Row] = []
    for name in SHOWN[port.name]:
        wave, labels = "", []
        for column in columns:
            if column is None:
                wave += "|"
                continue
            valid = offers[column][0]
            held = column > 0 and offers[column - 1][0] and not offers[column - 1][1]
            if valid and not held:
                labels.append(" ".join(map(str, np.atleast_1d(values[name][column]).tolist())))
            wave += "x" if not valid else "." if held else "="
        rows.append(Row(f"{port.name}.{name}", wave, labels))
    for index, name in enumerate(("valid", "ready")):
        levels = [None if column is None else bool(offers[column][index]) for column in columns]
        rows.append(Row(f"{port.name}.{name}", _levels(levels)))
    return rows


def _levels(levels: Sequence[bool | None]) -> str:
    """A flag as a wave, in which a level that stays is a dot."""
    wave, before = "", None
    for level in levels:
        wave += "|" if level is None else "." if level == before else str(int(level))
        before = before if level is None else level
    return wave


UNIT = [
    *map(option, ("norm", "form", "storage")),
    option("width", default="8"),
    option("lanes"),
    option("counts", default=f"8; here one, up to {MOST}"),
]
"""The options that say which unit to draw."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, params=[*UNIT])
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/waves"),
    show_default=True,
    help="Folder of the picture and the VCD file.",
)
def command(output: Path, **typed: str | tuple[str, ...] | None) -> int:
    """Draw two channels on their way through a small unit."""
    given = {name: value(name, text) for name, text in typed.items() if text}
    config = Configuration.from_mapping({"width": 8, "counts": [8], **given})
    if len(config.counts) > 1:
        raise ConfigurationError("count", ",".join(map(str, config.counts)), "one count, so that it is a picture")
    (count,) = config.counts
    if count > MOST:
        raise ConfigurationError("count", count, f"a whole number from 2 to {MOST}, so that it is a picture")
    name = "-".join([config.norm, str(config.form), config.storage, f"w{config.width}", f"n{count}"])
    output.mkdir(parents=True, exist_ok=True)
    vcd, svg = output / f"{name}.vcd", output / f"{name}.svg"
    trace = record(BatchNorm(config), vcd)
    title = (
        f"{config.norm.upper()} batch normalisation: two channels of {count} samples of {config.width} bits"
    )
    write_text(svg, picture(trace, title))
    for path in (svg, vcd):
        click.echo(path)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 2 for bad input, or 130 for Ctrl-C."""
    return exit_code(
        lambda: command.main(arguments, prog_name="python -m l1bn_sim.waves", standalone_mode=False)
    )


if __name__ == "__main__":
    sys.exit(main())
