"""Every component has a bench or a proof of its own, or is named as one that is tested through what it is part of."""

from __future__ import annotations

import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path

from amaranth.lib import wiring

import l1bn

TESTS = Path(__file__).parents[1]
PAGE = Path(__file__).parents[2] / "docs" / "verification.md"
LIST = re.compile(r"^Tested through what they are part of:(.*?)\.$", re.MULTILINE | re.DOTALL)


def components() -> set[str]:
    """The names of all components of the package."""
    found = set()
    for module in pkgutil.walk_packages(l1bn.__path__, "l1bn."):
        if not module.name.endswith("__main__"):
            for name, thing in inspect.getmembers(import_module(module.name), inspect.isclass):
                ours = thing.__module__.startswith("l1bn.")
                if ours and issubclass(thing, wiring.Component) and "elaborate" in vars(thing):
                    found.add(name)
    return found


def in_tests() -> str:
    """The text of all benches and specifications."""
    files = [path for room in ("gateware", "formal", "sim") for path in (TESTS / room).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path != Path(__file__))


def test_components_without_a_bench_are_named() -> None:
    (listed,) = LIST.findall(PAGE.read_text(encoding="utf-8"))
    named = set(re.findall(r"`(\w+)`", listed))
    text = in_tests()
    alone = {name for name in components() if not re.search(rf"\b{name}\b", text)}
    assert named == alone
