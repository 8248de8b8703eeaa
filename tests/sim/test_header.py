"""The C header: words and nothing else, as C99 and C++, beside any other header, and on the hardware itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from l1bn.bus.registers import RegisterMap
from l1bn.config import Configuration
from l1bn.export import Package, rdl
from l1bn.export.vectors import axi_groups, axi_words
from l1bn_sim.axi import AxiDesign
from l1bn_sim.runner import run_bench

# One of those of test_axi.py, whose model is there then.
CONFIGURATION = Configuration(width=12, lanes=2, counts=(16, 12), channels=5)
BASE = 0x40000000
RISCV = "riscv64-unknown-elf-"
needs_riscv = pytest.mark.skipif(shutil.which(RISCV + "gcc") is None, reason="no compiler for RISC-V")
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wcast-align", "-Werror")


def write_header(folder: Path, name: str) -> Package:
    """The package of a unit, whose header is written to ``folder`` as that of one called ``name``, whatever that is."""
    package = Package(CONFIGURATION, "unit")
    described = rdl.compiled(rdl.system_rdl(package.map, "unit"))
    (folder / f"{name}_regs.h").write_text(rdl.c_header(described, name))
    return package


def compile_c(folder: Path, compiler: str, *options: str) -> None:
    done = subprocess.run([compiler, *options], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def program(map: RegisterMap) -> str:
    """C that uses every register: what they read after reset, settings, tables, counters, statistics."""
    group = axi_groups(CONFIGURATION, map.table("gamma").entries)[0]
    words = {
        name: part.words
        for name, part in axi_words(Package(CONFIGURATION, "unit").unit.formats, [group]).items()
    }
    statistics, number = map.table("statistics"), len(group.channels)
    lines = []
    for register in map.registers:
        value = " | ".join(
            f"(L1BN_UNIT_{register.name}_{field.name}_RESET << L1BN_UNIT_{register.name}_{field.name}_SHIFT)".upper()
            for field in register.fields
        )
        lines.append(f"CHECK(unit->{register.name} == ({value}));")
        if register.name != "status":
            offset = f"L1BN_UNIT_{register.name}_OFFSET".upper()
            lines.append(f"CHECK(*(const volatile uint32_t *)({BASE}u + {offset}) == ({value}));")
        if register.writable:
            lines.append(
                f"unit->{register.name} = 0u;" if register.name != "channels" else "unit->channels = 1u;"
            )
    lines += [
        "unit->count_select = 0u;",
        "unit->mode |= L1BN_UNIT_MODE_AFFINE_MASK;",
        "CHECK(unit->mode == 1u);",
        f"unit->channels = {number}u;",
    ]
    for name in ("gamma", "beta"):
        for index, value in enumerate(words[name]):
            lines += [
                f"unit->{name}[{index}] = {value:#x}u;",
                f"CHECK(unit->{name}[{index}] == {value:#x}u);",
            ]
    lines += [
        "unit->control = L1BN_UNIT_CONTROL_ENABLE_MASK;",
        f"while (unit->channels_done != {number}u) {{}}",
    ]
    lines += ["while ((unit->status & L1BN_UNIT_STATUS_IDLE_MASK) == 0u) {}"]
    for index in range(number):
        lines.append(f"found = l1bn_unit_read_statistics(unit, {index}u);")
        for member in statistics.members:
            expected = words["statistics"][index * statistics.words + member.word]
            lines.append(f"CHECK(found.{member.name} == {expected:#x}u);")
            lines.append(f"CHECK(unit->statistics[{index}].{member.name} == {expected:#x}u);")
    failed = sum(channel.error for channel in group.channels)
    lines += [f"CHECK(unit->packet_errors == {failed}u);", "CHECK(unit->refused == 0u);"]
    body = "\n  ".join(lines)
    return f"""#include "unit_regs.h"
#define CHECK(what) do {{ if (!(what)) return __LINE__; }} while (0)
int drive(l1bn_unit_regs *unit);
int drive(l1bn_unit_regs *unit)
{{
  l1bn_unit_statistics_copy found;
  {body}
  return 0;
}}
"""


@pytest.mark.parametrize("name", ["unit", "double", "errno", "y0", "INT_MAX"])
@pytest.mark.parametrize("language", ["c99", "c11", "c++11", "c++20"])
def test_it_stands_beside_every_header(name: str, language: str, tmp_path: Path) -> None:
    write_header(tmp_path, name)
    write_header(tmp_path, "other")
    headers = (
        "math",
        "time",
        "signal",
        "errno",
        "stdio",
        "stdlib",
        "string",
        "limits",
        "complex",
        "sys/types",
    )
    lines = [f"#include <{header}.h>" for header in headers if not (header == "complex" and "++" in language)]
    middle = len(lines) // 2
    lines[middle:middle] = [
        f'#include "{name}_regs.h"',
        '#include "other_regs.h"',
        f'#include "{name}_regs.h"',
    ]
    suffix, compiler = ("cpp", "g++") if "++" in language else ("c", "gcc")
    (tmp_path / f"use.{suffix}").write_text("\n".join([*lines, "double_t around(double x);", ""]))
    compile_c(tmp_path, compiler, f"-std={language}", *STRICT, "-fsyntax-only", f"use.{suffix}")


def test_what_is_read_only_cannot_be_written(tmp_path: Path) -> None:
    package = write_header(tmp_path, "unit")
    places = [(register.name, register.writable) for register in package.map.registers]
    places += [(f"{table.name}[0]", table.writable) for table in package.map.tables if table.words == 1]
    places += [(f"statistics[0].{member.name}", False) for member in package.map.table("statistics").members]
    for place, writable in places:
        (tmp_path / "use.c").write_text(
            f'#include "unit_regs.h"\nvoid use(l1bn_unit_regs *unit) {{ unit->{place} = 0u; }}\n'
        )
        done = subprocess.run(
            ["gcc", "-std=c99", "-fsyntax-only", "use.c"], cwd=tmp_path, capture_output=True
        )
        assert (done.returncode == 0) == writable, place


@needs_riscv
@pytest.mark.parametrize("level", ["-O0", "-Os", "-O2", "-O3"])
def test_every_access_is_a_word(level: str, tmp_path: Path) -> None:
    package = write_header(tmp_path, "unit")
    (tmp_path / "drive.c").write_text(program(package.map))
    options = (level, "-march=rv32imac", "-mabi=ilp32", "-mstrict-align", "-ffreestanding", "-S")
    compile_c(tmp_path, RISCV + "gcc", "-std=c99", *STRICT, *options, "drive.c")
    assembly = (tmp_path / "drive.s").read_text()
    accesses = set(re.findall(r"^\t((?:c\.)?(?:l[bhw]u?|s[bhw]))\t", assembly, flags=re.MULTILINE))
    assert accesses == {"lw", "sw"}


@needs_riscv
def test_the_compiled_program_drives_the_hardware(tmp_path: Path, store: Path, seed: int) -> None:
    package = write_header(tmp_path, "unit")
    (tmp_path / "drive.c").write_text(program(package.map))
    (tmp_path / "start.S").write_text(f".globl _start\n_start: li a0, {BASE}\n call drive\n ebreak\n")
    options = (
        "-O2",
        "-march=rv32i",
        "-mabi=ilp32",
        "-ffreestanding",
        "-nostdlib",
        "-Wl,-Ttext=0,--build-id=none",
    )
    compile_c(tmp_path, RISCV + "gcc", *options, "start.S", "drive.c", "-o", "program.elf")
    compile_c(tmp_path, RISCV + "objcopy", "-O", "binary", "program.elf", "program.bin")
    parameters = {
        "configuration": CONFIGURATION.to_mapping(),
        "image": (tmp_path / "program.bin").read_bytes().hex(),
        "base": BASE,
    }
    design = AxiDesign.of_configuration(CONFIGURATION)
    outcome = run_bench(design, "bench_header", tmp_path, store=store, seed=seed, parameters=parameters)
    assert outcome.tests == 1
