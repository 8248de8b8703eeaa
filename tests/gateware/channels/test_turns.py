"""Operators in turns: every result of one, in the order of the items, as often as was asked for."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from amaranth.hdl import Module, signed
from amaranth.lib import data, wiring

from l1bn.channels.divide import DivideByCount
from l1bn.channels.magnitude import Magnitude
from l1bn.channels.turns import (
    ALONE,
    Registered,
    Turns,
    consult_in_turns,
    held_by,
    in_turns,
    pace_of,
    registered_in_turns,
)
from l1bn.streams.layouts import inlet, outlet
from l1bn.streams.registers import ChannelRegister

from ..bench import FEW_PAUSES, exercise, shuffled

COUNTS = (12, 49)
ONE = partial(DivideByCount, 10, 3, COUNTS)
ITEMS = 40


class Consulting(wiring.Component):
    """A register, an operator in turns, and the number of the item beside its result."""

    def __init__(self, interval: int, settling: int = 0):
        self.divide = in_turns(ONE, interval, settling)
        self.settling = settling
        item = {"dividend": signed(10), "select": 1, "number": 8}
        result = {"quotient": self.divide.o.payload["quotient"].shape(), "number": 8}
        super().__init__({"i": inlet(data.StructLayout(item)), "o": outlet(data.StructLayout(result))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.divide = divide = self.divide
        m.submodules.source = source = ChannelRegister(self.i.payload.shape())
        wiring.connect(m, wiring.flipped(self.i), source.i)
        kept = consult_in_turns(m, source.o, divide, wiring.flipped(self.o), "dividing", self.settling)
        m.d.comb += [
            divide.i.payload.dividend.eq(source.o.payload.dividend),
            divide.i.payload.select.eq(source.o.payload.select),
            self.o.payload.quotient.eq(divide.o.payload.quotient),
            self.o.payload.number.eq(kept.payload.number),
        ]
        return m


def items(seed: int) -> tuple[list[int], list[int], list[int]]:
    """Dividends, selects, and the quotients, rounded half up."""
    dividends = shuffled(seed, 10, True, ITEMS)
    dividends = (dividends * ITEMS)[:ITEMS]
    selects = [index % 3 % 2 for index in range(ITEMS)]
    quotients = [
        (2 * (dividend << 3) + COUNTS[select]) // (2 * COUNTS[select])
        for dividend, select in zip(dividends, selects, strict=True)
    ]
    return dividends, selects, quotients


def average(cycles: list[int], number: int) -> float:
    """Cycles from item to item, of the last whole rounds of so many."""
    periods = np.diff(cycles)[-(ITEMS // 2 // number) * number :]
    return float(periods.mean())


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_turns(number: int, seed: int) -> None:
    dividends, selects, quotients = items(seed)
    bench = exercise(
        lambda: Turns([ONE() for _ in range(number)]),
        {"i": {"dividend": dividends, "select": selects}},
        {"o": {"quotient": quotients, "select": selects}},
        seed,
        FEW_PAUSES,
    )
    one, turns = ONE(), Turns([ONE() for _ in range(number)])
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == turns.latency == one.latency
    assert turns.interval == -(-one.interval // number)
    assert average(bench.sources["i"].accepted, number) == one.interval / number


def test_the_register_of_an_operator_that_wants_its_item_held(seed: int) -> None:
    make = partial(Magnitude, 12, 8, data.StructLayout({"tag": 3}))
    values = [abs(value) % 4096 or 1 for value in shuffled(seed, 13, True, ITEMS)]
    tags = [index % 8 for index in range(len(values))]
    shifts = [12 - value.bit_length() for value in values]
    mantissas = [(value << shift) >> 4 for value, shift in zip(values, shifts, strict=True)]
    inputs = {"i": {"value": values, "tag_tag": tags}}
    outputs = {"o": {"mantissa": mantissas, "zeros": shifts, "tag_tag": tags}}
    bench = exercise(lambda: Registered(make()), inputs, outputs, seed, FEW_PAUSES)
    one = Registered(make())
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == one.latency
    assert set(np.diff(bench.sources["i"].accepted).tolist()) == {one.interval}
    exercise(lambda: registered_in_turns(make, 6), inputs, outputs, seed, FEW_PAUSES)


@pytest.mark.parametrize("settling", [0, 2])
@pytest.mark.parametrize("interval", [ALONE, ONE().latency + 2, 17, 12, 8])
def test_the_item_is_there_with_its_answer(interval: int, settling: int, seed: int) -> None:
    dividends, selects, quotients = items(seed)
    numbers = list(range(ITEMS))
    bench = exercise(
        lambda: Consulting(interval, settling),
        {"i": {"dividend": dividends, "select": selects, "number": numbers}},
        {"o": {"quotient": quotients, "number": numbers}},
        seed,
        FEW_PAUSES,
    )
    divide = Consulting(interval, settling).divide
    latency = ChannelRegister.latency + divide.latency + settling
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == latency
    assert pace_of(divide, settling) <= max(interval, ONE().latency + settling + 2)
    number = len(divide.operators) if isinstance(divide, Turns) else 1
    assert average(bench.sinks["o"].taken, number) <= pace_of(divide, settling)


def test_as_many_as_it_takes() -> None:
    one = ONE()
    assert not isinstance(in_turns(ONE, one.latency + 2), Turns)
    assert isinstance(in_turns(ONE, one.latency + 1), Turns)
    assert isinstance(in_turns(ONE, one.latency + 2, settling=1), Turns)
    assert isinstance(in_turns(ONE, one.latency + 2, before=1), Turns)
    for number in (2, 3, 7):
        interval = -(-one.interval // number)
        assert len(in_turns(ONE, interval).operators) <= number
        assert in_turns(ONE, interval).interval <= interval
    assert (held_by(one), held_by(in_turns(ONE, 9))) == (1, len(in_turns(ONE, 9).operators) + 1)
