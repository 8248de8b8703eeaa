"""What layers begin with: integers in the unit's formats, the same in the C array and in the words for a memory."""

from __future__ import annotations

import dataclasses
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from l1bn import Configuration, unit
from l1bn.errors import ConfigurationError
from l1bn.numbers.formats import half_up
from l1bn.plan import Layer, Network, Plan, Wishes, propose, write
from l1bn.plan.initial import initial, table_formats, translated

from ..commands import contents


def layer(channels: int, seed: int, **more: Any) -> Layer:
    """A layer of L2 with random numbers."""
    rng = np.random.default_rng([seed, channels])
    known = {
        "gamma": rng.normal(1, 0.5, channels),
        "beta": rng.normal(0, 2, channels),
        "mean": rng.normal(0, 3, channels),
        "spread": rng.uniform(0, 4, channels),
    }
    return Layer(f'*/ layer "{channels}" ü\n', channels, 8 * channels, "l2", 1e-3, **{**known, **more})


def plan(*layers: Layer, **typed: Any) -> Plan:
    return propose(Network('a "network" */', 2, layers), typed, Wishes())


# -- integers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [Configuration(), Configuration(norm="l2", counts=(12,)), Configuration(norm="rms")])
def test_the_formats_are_those_of_the_streams(config: Configuration) -> None:
    """Of ``i_affine`` of the unit, and of ``i_averages`` of an inference unit."""
    inference = unit(dataclasses.replace(config, direction="inference"))
    shapes = {
        name: field.shape
        for port in (inference.i_affine, inference.i_averages)
        for name, field in port.payload.shape()
    }
    found = {format.name: (format.width, format.signed) for format in table_formats(config)}
    assert found == {name: (shape.width, shape.signed) for name, shape in shapes.items()}


def test_rounding_is_half_up_and_exact(seed: int) -> None:
    config = Configuration(gamma_width=32, gamma_fraction=3, beta_width=8, beta_fraction=4)
    ties = np.array([0.0625, -0.0625, 0.1875, -0.1875, 0.0, 1 / 3, 2.0**27 + 0.0625, 2.0**28 - 0.125])
    made = layer(8, seed, gamma=ties, mean=None, spread=None)
    gamma, beta = initial(made, config).tables
    assert gamma.values == tuple(half_up(Fraction(value) * 8) for value in ties)
    assert (gamma.error, gamma.saturated) == (0.5, 0)
    assert beta.values == tuple(min(max(half_up(Fraction(value) * 16), -128), 127) for value in made.beta)


def test_what_does_not_fit_is_saturated_and_counted(seed: int) -> None:
    config = Configuration(beta_width=8, beta_fraction=4)
    made = layer(5, seed, beta=np.array([7.93, 7.97, -8, -8.1, 1e300]), mean=np.full(5, 1e308))
    _, beta, mean, _ = initial(made, config).tables
    assert mean.saturated == 5
    assert (beta.values, beta.saturated) == ((127, 127, -128, -128, 127), 3)
    assert beta.error == 127 - 16 * 7.93


def test_the_spread_is_r() -> None:
    """The average of r, with the unit's epsilon, below a root where the norm has one."""
    spread = np.array([0.0, 1.0, 3.0])
    for norm, r in (("l2", np.sqrt(spread + 0.25)), ("l1", spread + 0.25)):
        config = Configuration(norm=norm, epsilon=0.25)
        made = Layer("layer", 3, 1024, norm, 1e-5, None, None, None, spread)
        (table,) = initial(made, config).tables
        assert np.array(table.values) / 2.0**table.format.fraction == pytest.approx(r, abs=2.0**-20)


def test_translation_keeps_y_of_averages(seed: int) -> None:
    """gamma / r of the running statistics is what it was; where no mean is subtracted, beta takes it."""
    made = layer(6, seed)
    assert made.gamma is not None and made.beta is not None and made.mean is not None and made.spread is not None
    x = np.linspace(-2, 2, 6)
    y = made.gamma * (x - made.mean) / np.sqrt(made.spread + made.epsilon) + made.beta
    for norm, power in (("l1", 1), ("range", 1), ("rms", 2), ("mean-absolute", 1)):
        new = translated(made, norm)
        assert new.gamma is not None and new.beta is not None and new.mean is not None and new.spread is not None
        r = (new.spread + new.epsilon) ** (1 / power)
        assert new.gamma * (x - new.mean) / r + new.beta == pytest.approx(y)
    assert translated(made, "l2") is made


# -- files ---------------------------------------------------------------------------------------

PRINT = r"""
#include <inttypes.h>
#include <stdio.h>
#include "unit_initial.h"
#define ALL(table) \
    for (i = 0; layer->table && i < layer->channels; i++) \
        printf("%s %d " #table " %" PRId64 "\n", layer->name, n, (int64_t)layer->table[i]);
int main(void) {
    for (int n = 0; n < L1BN_UNIT_LAYERS; n++) {
        const struct l1bn_unit_layer *layer = &l1bn_unit_layers[n];
        uint32_t i;
        printf("%s %d size %d %d %d\n", layer->name, n, (int)layer->channels, (int)layer->count, (int)layer->select);
        ALL(gamma)
        ALL(beta)
        ALL(mean)
        ALL(spread)
    }
    return 0;
}
"""


def compiled(folder: Path, program: str) -> str:
    """What a program says that is linked with the tables, all warnings on."""
    (folder / "main.c").write_text(program)
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Iinitial", "main.c"]
    subprocess.run([*command, "initial/unit_initial.c", "-o", "main"], cwd=folder, check=True)
    return subprocess.run(["./main"], cwd=folder, check=True, capture_output=True, text=True).stdout


def words(path: Path, width: int, signed: bool) -> list[int]:
    """The integers of a file for $readmemh."""
    read = [int(line, 16) for line in path.read_text().splitlines() if not line.startswith("//")]
    return [word - (word >> (width - 1) << width) if signed else word for word in read]


def test_c_and_words_have_the_same_integers(tmp_path: Path, seed: int) -> None:
    found = plan(layer(4, seed), layer(2, seed, mean=None, spread=None), width=8)
    write(found, name="unit", folder=tmp_path)
    lines = []
    for number, each in enumerate(found.initial):
        name, count = f'*/ layer "{each.layer.channels}" ??', each.layer.count
        lines.append(f"{name} {number} size {each.layer.channels} {count} {found.config.counts.index(count)}")
        for table in each.tables:
            format = table.format
            lines += [f"{name} {number} {format.name} {value}" for value in table.values]
            path = tmp_path / "initial" / f"unit_{number + 1:03d}_{format.name}.hex"
            assert tuple(words(path, format.width, format.signed)) == table.values
    assert compiled(tmp_path, PRINT).splitlines() == lines
    assert len([line for line in lines if " mean " in line]) == 4


def test_integers_that_no_type_holds_are_words(tmp_path: Path, seed: int) -> None:
    found = plan(layer(3, seed), width=32, guard_bits=50)
    mean = found.initial[0].tables[2]
    assert mean.format.width == 82 and min(mean.values) < 0
    write(found, name="unit", folder=tmp_path)
    program = r"""
        #include <stdio.h>
        #include "unit_initial.h"
        int main(void) {
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++) printf("%08x\n", (unsigned)l1bn_unit_layers[0].mean[i][j]);
            return 0;
        }"""
    read = [int(line, 16) for line in compiled(tmp_path, program).split()]
    values = [sum(word << (32 * place) for place, word in enumerate(read[at : at + 3])) for at in (0, 3, 6)]
    assert values == [value % (1 << 96) for value in mean.values]


def test_files_are_whole_or_not_there(tmp_path: Path, seed: int) -> None:
    write(plan(layer(4, seed), layer(2, seed)), name="unit", folder=tmp_path)
    before = contents(tmp_path)
    assert len(before) == 3 + 2 * 4
    with pytest.raises(ConfigurationError, match=r"unit\.toml' is not possible; .* that does not exist yet"):
        write(plan(layer(4, seed)), name="unit", folder=tmp_path)
    with pytest.raises(ConfigurationError, match=r"^name = "):
        write(plan(layer(4, seed)), name="a/b", folder=tmp_path)
    assert contents(tmp_path) == before
    (tmp_path / "initial" / "unit_notes.hex").touch()
    write(plan(layer(4, seed)), name="unit", folder=tmp_path, force=True)
    found = {*contents(tmp_path)}
    assert found == {"unit.toml", *(f"initial/unit_{name}" for name in (
        "initial.c", "initial.h", "001_gamma.hex", "001_beta.hex", "001_mean.hex", "001_spread.hex", "notes.hex"
    ))}  # fmt: skip
