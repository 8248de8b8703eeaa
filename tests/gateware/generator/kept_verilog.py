"""Hashes of the Verilog of many configurations: a change of structure shows with them that no bit moves.

As a program (``make same``) it compares all of them with those that are kept, or keeps new ones (``STORE=1``).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from l1bn import Configuration, unit, verilog
from l1bn.export.presets import PRESETS

STORE = Path(__file__).with_suffix(".txt")
DRAWN = 216
"""Configurations beside the presets."""
SEED = 20261126
DIRECTIONS = ("forward", "forward", "backward", "inference", "training")
FORMS = ({"norm": "l1"}, {"norm": "l2", "form": "one-pass"}, {"norm": "l2", "form": "two-pass"})


@dataclass(frozen=True)
class Hashes:
    """SHA-256 of a unit's Verilog without its comments, as it is and with every name replaced by its place."""

    exact: str
    nameless: str

    def difference(self, kept: Hashes) -> str | None:
        """What differs from ``kept``, in words."""
        if self == kept:
            return None
        return "names only" if self.nameless == kept.nameless else "hardware"


def hashes(parameters: dict[str, Any]) -> Hashes:
    built = unit(Configuration.from_mapping(parameters))
    text = re.sub(r"^ *//.*\n", "", verilog(built, "top"), flags=re.MULTILINE)
    return Hashes(_sha(text), _sha(_nameless(text)))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _nameless(text: str) -> str:
    """The text with the first name of each module called 0, the next other one 1 and so on."""
    places: dict[str, int] = {}
    return re.sub(
        r"\\\S+ |\b[A-Za-z_][\w$]*", lambda match: f"{places.setdefault(match[0], len(places))} ", text
    )


def configurations() -> Iterator[dict[str, Any]]:
    """The parameters of every preset, then drawn ones: each direction, norm and form in turn, all else by chance."""
    for name in PRESETS:
        yield PRESETS[name].configuration.to_mapping()
    chance = random.Random(SEED)
    for number in range(DRAWN):
        yield _drawn(chance, DIRECTIONS[number % len(DIRECTIONS)], FORMS[number % len(FORMS)])


def _drawn(chance: random.Random, direction: str, form: dict[str, str]) -> dict[str, Any]:
    width = chance.choice((4, 6, 8, 8, 12, 16, 16, 24, 32))
    lanes = chance.choice((1, 1, 2, 4, 8))
    beats = [1 << chance.randint(2, 10), chance.randint(2, 300), chance.choice((49, 75, 196, 768))]
    counts = {lanes * count for count in chance.sample(beats, chance.choice((1, 1, 1, 2, 3)))}
    values: dict[str, Any] = {
        **form,
        "direction": direction,
        "width": width,
        "lanes": lanes,
        "counts": sorted(counts),
        "scale_width": chance.choice((8, 12, 18, 18, 24)),
        "gamma_width": chance.choice((2, 8, 16, 16, 32)),
        "epsilon": chance.choice((0.0, 1e-5, 1e-5, 1e-3, 1.0)),
        "storage": chance.choice(("inside", "inside", "outside")),
        "target": chance.choice(("portable", "portable", "logic", "ecp5", "ecp5-logic", "ice40")),
        "channels": chance.choice((1, 3, 64)),
        "momentum_shift": chance.choice((1, 3, 15)),
    }
    for name, choices in {
        "x_fraction": (0, width // 2, width - 1),
        "y_width": (4, 8, 16, 32),
        "dy_width": (4, 8, 16, 32),
        "dx_width": (4, 8, 16, 32),
        "guard_bits": (0, 5, 20),
        "running_fraction": (0, 9),
    }.items():
        if chance.random() < 0.3:
            values[name] = chance.choice(choices)
    return values


def kept() -> dict[str, Hashes]:
    """The stored hashes by the parameters as JSON."""
    lines = STORE.read_text(encoding="utf-8").splitlines()
    rows = (line.split(" ", 2) for line in lines)
    return {parameters: Hashes(exact, nameless) for exact, nameless, parameters in rows}


def key(parameters: dict[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", action="store_true", help="keep the hashes instead of comparing them")
    store = parser.parse_args().store
    drawn = list(configurations())
    with concurrent.futures.ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = dict(
            zip(map(key, drawn), track(pool.map(hashes, drawn), "Verilog", total=len(drawn)), strict=True)
        )
    if store:
        rows = (f"{item.exact} {item.nameless} {name}\n" for name, item in found.items())
        STORE.write_text("".join(rows), encoding="utf-8")
        return 0
    before = kept()
    if found.keys() != before.keys():
        print("the configurations are others than those that are kept: make same STORE=1", file=sys.stderr)
        return 2
    moved = {name: word for name, item in found.items() if (word := item.difference(before[name]))}
    for name, word in moved.items():
        print(f"{word}: {name}")
    print(f"{len(found) - len(moved)} of {len(found)} units are as they were")
    return int(bool(moved))


if __name__ == "__main__":
    raise SystemExit(main())
