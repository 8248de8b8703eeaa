"""A unit may be built only to ask it something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
from pathlib import Path
from l1bn import Configuration, unit, write
from l1bn.config import PARAMETERS

for direction in PARAMETERS["direction"].choices:
    for other in ({}, {"norm": "l2"}, {"norm": "l2", "form": "two-pass"}, {"storage": "outside"},
                  {"counts": (48, 64), "lanes": 4}, *({"target": t} for t in PARAMETERS["target"].choices)):
        built = unit(Configuration(direction=direction, **other))
        built.latency(max(built.config.counts)), built.cycles_per_channel(max(built.config.counts))
write(Configuration(width=4, counts=(8,)), folder=Path("."))
"""


def test_a_unit_that_is_only_asked_leaves_no_warning(tmp_path: Path) -> None:
    """Amaranth warns of components without use as soon as any other one becomes hardware."""
    done = subprocess.run([sys.executable, "-W", "always", "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
