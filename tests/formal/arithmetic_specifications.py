"""What roots and divisions have to do, said by multiplying back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.data import View

from l1bn.channels.divide import DivideByConstant, DivideByCount
from l1bn.channels.multiply import SequentialMultiplier
from l1bn.channels.quotient import IterativeDivider, PipelinedDivider
from l1bn.channels.root import IterativeSquareRoot, PipelinedSquareRoot
from l1bn.logic.lfsr import bits_for, codes

from .prover import Claims, Specification

__all__ = [
    "DivideByConstantSpecification",
    "DivideByCountSpecification",
    "HoldSpecification",
    "IterativeDividerSpecification",
    "IterativeRootSpecification",
    "MultiplySpecification",
    "PipelinedDividerSpecification",
    "PipelinedRootSpecification",
]


def is_root(root: Value, radicand: Value) -> Value:
    """The root is the largest integer whose square is not above the radicand: (root + 1)^2 is root^2 + 2 root + 1."""
    rest = radicand - root * root
    return (rest >= 0) & (rest <= 2 * root)


def is_quotient(quotient: Value, dividend: Value, fraction: int, count: int) -> Value:
    """The quotient is ``dividend * 2**fraction / count``, rounded half up: the exact one less than half above it,
    and at most half below it.
    """
    rest = dividend.shift_left(fraction + 1) - count * (2 * quotient - 1)
    return (rest >= 0) & (rest < 2 * count)


def is_division(result: View, operands: View, bits: int) -> Value:
    """Quotient times divisor plus remainder is the dividend, the remainder less than the divisor; or the quotient does
    not fit ``bits``.
    """
    dividend, divisor = operands.dividend, operands.divisor
    product = result.quotient * divisor + result.remainder
    too_much = dividend >= divisor.shift_left(bits)
    return Mux(result.overflow, too_much, ~too_much & (product == dividend) & (result.remainder < divisor))


# -- operators that take one item at a time -----------------------------------------------------


class SequentialSpecification(Specification):
    """An operator that takes an item, steps through it, and keeps the result until it is taken, exactly on time.

    Parameters
    ----------
    component : states its ``latency``
    control : where the handshake is, as names of submodules
    steps, cycles : of a run, see :func:`l1bn.logic.sequence.sequence`
    """

    def __init__(self, component: wiring.Component, control: Sequence[str], steps: int, cycles: int):
        super().__init__(component)
        self.component, self.control, self.steps, self.cycles = component, control, steps, cycles
        self.item = Signal(len(Value.cast(component.i.payload)))

    def specify(self, m: Module, claims: Claims) -> None:
        i, o, latency = self.component.i, self.component.o, self.component.latency
        arriving, result = Value.cast(i.payload), Value.cast(o.payload)
        busy = Signal()
        age = Signal(range(latency + 1))  # cycles since the item was taken
        enters, leaves = i.valid & i.ready, o.valid & o.ready
        with m.If(enters):
            m.d.sync += [busy.eq(1), age.eq(1), self.item.eq(arriving)]
        with m.Elif(leaves):
            m.d.sync += [busy.eq(0), age.eq(0)]
        with m.Elif(busy & (age != latency)):
            m.d.sync += age.eq(age + 1)
        claims.always(i.ready == ~busy)
        claims.always(o.valid == (busy & (age == latency)))
        claims.always(self.is_right(self.item, result), when=o.valid)
        offered = Signal()
        before = Signal.like(result)
        m.d.sync += [offered.eq(o.valid & ~o.ready), before.eq(result)]
        claims.always(result == before, when=offered)
        claims.possible(leaves & self.item.any())

        # Where a run is follows from its age alone.
        assert latency == self.steps * self.cycles + 1
        walking = busy & (age != latency)
        claims.always((age != 0) == busy)
        claims.always(age <= latency)

        def register(name: str) -> Signal:
            return self.device.register(*self.control, name)

        table = range(1, latency)
        # An index into what an array gives indexes each item: all of them need the same width.
        nowhere = Const(0, self.cycles)
        places = (Const(1 << ((at - 1) % self.cycles), self.cycles) for at in table)
        walk = Array([nowhere, *places, nowhere])[age]
        numbered = list(islice(codes(bits_for(self.steps)), self.steps))
        number = [(at - 1) // self.cycles for at in table]
        code = Array([Const(0), *(Const(numbered[step]) for step in number), Const(0)])[age]
        left = Array([Const(0), *(Const(self.steps - step) for step in number), Const(0)])[age]
        claims.always(register("idle") == ~busy)
        claims.always(register("walk") == walk)
        claims.always(register("move") == (~busy | walk[-1]))
        claims.always((register("code") == code) & (register("final") == (left == 1)), when=walking)
        claims.always(register("before_final") == (left == 2), when=walking)

    def is_right(self, item: Signal, result: Value) -> Value:
        """Whether it is the result of the item."""
        raise NotImplementedError


class DigitSpecification(Specification):
    """An operator that finds its result digit by digit, exactly on time, and keeps it until it is taken.

    Parameters
    ----------
    component : states its ``latency``
    digits, cycles : of a run, see :func:`l1bn.logic.digit_control.digits`
    """

    def __init__(self, component: wiring.Component, digits: int, cycles: int):
        super().__init__(component)
        self.component, self.digits, self.cycles = component, digits, cycles
        self.item = Signal(len(Value.cast(component.i.payload)))

    def specify(self, m: Module, claims: Claims) -> None:
        i, o, latency = self.component.i, self.component.o, self.component.latency
        arriving, result = Value.cast(i.payload), Value.cast(o.payload)
        age = Signal(range(latency + 1))  # cycles since the item was taken; 0 where there is none
        enters, leaves = i.valid & i.ready, o.valid & o.ready
        with m.If(enters):
            m.d.sync += [age.eq(1), self.item.eq(arriving)]
        with m.Elif(leaves):
            m.d.sync += age.eq(0)
        with m.Elif((age != 0) & (age != latency)):
            m.d.sync += age.eq(age + 1)
        claims.always(i.ready == ((age == 0) | leaves))
        claims.always(o.valid == (age == latency))
        claims.always(self.is_right(self.item, result), when=o.valid)
        offered = Signal()
        before = Signal.like(result)
        m.d.sync += [offered.eq(o.valid & ~o.ready), before.eq(result)]
        claims.always(result == before, when=offered)
        claims.possible(leaves & enters & self.item.any())

        # Where a run is follows from its age alone.
        assert latency == self.digits * self.cycles + 1
        claims.always(age <= latency)
        running = (age != 0) & (age != latency)
        table = range(1, latency)
        found = Array([Const(0), *(Const((at - 1) // self.cycles) for at in table), Const(0)])[age]
        claims.always(self.device.register("busy") == running)
        claims.always(self.device.register("found") == found, when=running)
        claims.always(self.device.register("final") == (found == self.digits - 1), when=running)
        if self.cycles > 1:
            walk = Array([Const(0), *(Const(1 << ((at - 1) % self.cycles)) for at in table), Const(0)])[age]
            claims.always(self.device.register("walk") == walk)

    def is_right(self, item: Signal, result: Value) -> Value:
        """Whether it is the result of the item."""
        raise NotImplementedError


class IterativeRootSpecification(DigitSpecification):
    """:class:`IterativeSquareRoot`, for every radicand."""

    def __init__(self, width: int, cycles: int = 1):
        root = IterativeSquareRoot(width, cycles)
        super().__init__(root, root.root_width, cycles)

    def is_right(self, item: Signal, result: Value) -> Value:
        return is_root(result, item)


class IterativeDividerSpecification(DigitSpecification):
    """:class:`IterativeDivider`, for all operands."""

    def __init__(
        self, dividend_width: int, divisor_width: int, quotient_width: int, complement: bool, ahead: int
    ):
        self.bits = quotient_width
        divider = IterativeDivider(dividend_width, divisor_width, quotient_width, complement, ahead)
        super().__init__(divider, quotient_width, 1)

    def is_right(self, item: Signal, result: Value) -> Value:
        return is_division(self.component.o.payload, self.component.i.payload.shape()(item), self.bits)


class MultiplySpecification(SequentialSpecification):
    """:class:`SequentialMultiplier`, for all operands."""

    def __init__(self, a_shape: Any, b_shape: Any, c_shape: Any):
        multiplier = SequentialMultiplier(a_shape, b_shape, c_shape)
        super().__init__(multiplier, (), multiplier.bits + 1, multiplier.cycles)

    def is_right(self, item: Signal, result: Value) -> Value:
        operands = self.component.i.payload.shape()(item)
        return result.as_signed() == operands.a * operands.b + operands.c


class DivideByCountSpecification(SequentialSpecification):
    """:class:`DivideByCount`, for every dividend and each of the counts."""

    def __init__(self, width: int, fraction: int, counts: Sequence[int]):
        divide = DivideByCount(width, fraction, counts)
        super().__init__(divide, ("multiplier",), divide.multiplier.bits + 1, divide.multiplier.cycles)
        self.fraction, self.counts = fraction, tuple(counts)

    def specify(self, m: Module, claims: Claims) -> None:
        super().specify(m, claims)
        if len(self.counts) > 1:
            claims.given(self.component.i.payload.select < len(self.counts))

    def is_right(self, item: Signal, result: Value) -> Value:
        operand = self.component.i.payload.shape()(item)
        found = self.component.o.payload
        if len(self.counts) == 1:
            return is_quotient(found.quotient, operand.dividend, self.fraction, self.counts[0])
        right = Const(0, 1)
        for select, count in enumerate(self.counts):
            of_count = is_quotient(found.quotient, operand.dividend, self.fraction, count)
            right = right | ((operand.select == select) & (found.select == select) & of_count)
        return right


# -- pipelines ----------------------------------------------------------------------------------


class HoldSpecification(Specification):
    """A pipeline that is not ready changes none of its registers.

    So whatever happens to it happens without the cycles in which it is not ready, too: the proofs of pipelines look
    at runs that have none.

    Parameters
    ----------
    component : the pipeline
    ready : whether it is
    """

    def __init__(self, component: wiring.Component, ready: Value):
        super().__init__(component)
        self.ready = ready

    def specify(self, m: Module, claims: Claims) -> None:
        held = Signal()
        m.d.sync += held.eq(~self.ready)
        for register in self.device.registers():
            before = Signal.like(register, name=f"before_{register.name}")
            m.d.sync += before.eq(register)
            claims.always(register == before, when=held)
        claims.possible(held & self.ready)


class PipelineSpecification(Specification):
    """A pipeline that gives the result of every item, ``latency`` cycles later, in runs in which it is always ready.

    Parameters
    ----------
    component : states its ``latency``
    """

    def __init__(self, component: wiring.Component):
        super().__init__(component)
        self.component = component

    def specify(self, m: Module, claims: Claims) -> None:
        i, o = self.component.i, self.component.o
        claims.given(i.ready)
        valid: Value = i.valid
        item: Value = i.payload
        for stage in range(self.component.latency):
            later_valid = Signal(name=f"valid_{stage}")
            later = Signal(i.payload.shape(), name=f"item_{stage}")
            m.d.sync += [later_valid.eq(valid), later.eq(item)]
            valid, item = later_valid, later
        claims.always(o.valid == valid)
        claims.always(self.is_right(item, o.payload), when=o.valid)
        claims.possible(o.valid & Value.cast(item).any())

    def is_right(self, item: Value, result: Value) -> Value:
        """Whether it is the result of the item."""
        raise NotImplementedError


class PipelinedRootSpecification(PipelineSpecification):
    """:class:`PipelinedSquareRoot`, for every radicand."""

    def __init__(self, width: int):
        super().__init__(PipelinedSquareRoot(width))

    def is_right(self, item: Value, result: Value) -> Value:
        return is_root(result, item)


class PipelinedDividerSpecification(PipelineSpecification):
    """:class:`PipelinedDivider`, for all operands."""

    def __init__(self, dividend_width: int, divisor_width: int, quotient_width: int, stages: int):
        self.bits = quotient_width
        super().__init__(PipelinedDivider(dividend_width, divisor_width, quotient_width, stages))

    def is_right(self, item: Value, result: Value) -> Value:
        return is_division(result, item, self.bits)


class DivideByConstantSpecification(PipelineSpecification):
    """:class:`DivideByConstant`, for every dividend."""

    def __init__(self, width: int, fraction: int, count: int):
        super().__init__(DivideByConstant(width, fraction, count))
        self.fraction, self.count = fraction, count

    def is_right(self, item: Value, result: Value) -> Value:
        return is_quotient(result, item, self.fraction, self.count)
