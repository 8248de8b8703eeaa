"""The AXI4-Lite port between a manager and a register file that both take their time."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import pytest

from l1bn.bus.axi_lite import OKAY, SLVERR, AxiLitePort

from ..bench import run_testbench

ADDRESS_WIDTH = 9
ACCESSES = 150
"""Of each kind."""
PATIENCE = 200


class Offer:
    """A manager's side of a channel: what is offered stays until it is taken."""

    def __init__(self, name: str, fields: dict[str, int], draw: random.Random):
        self.name, self.fields, self.draw = name, fields, draw
        self.offered: dict[str, int] | None = None
        self.sent: list[dict[str, int]] = []
        self.taken = 0

    def drive(self, ctx: Any, bus: Any, begins: bool) -> None:
        values = {field: self.draw.getrandbits(width) for field, width in self.fields.items()}
        if self.offered is None and begins and len(self.sent) < ACCESSES:
            self.offered = values
            self.sent.append(values)
        ctx.set(getattr(bus, f"{self.name}valid"), self.offered is not None)
        for field, value in (self.offered or values).items():
            ctx.set(getattr(bus, field), value)

    def follow(self, ctx: Any, bus: Any) -> bool:
        """Whether it is taken in this cycle."""
        taken = self.offered is not None and bool(ctx.get(getattr(bus, f"{self.name}ready")))
        if taken:
            self.offered = None
            self.taken += 1
        return taken


class Side:
    """Requests of one direction: they come in the order of the manager, last until they are done, and are answered."""

    def __init__(self, offers: list[Offer]):
        self.offers = offers
        self.due = 0  # accesses whose parts have all been taken
        self.done = 0
        self.answers: deque[tuple[int, ...]] = deque()
        self.answered = 0
        self.standing: tuple[int, ...] | None = None

    @property
    def request(self) -> dict[str, int]:
        return {field: value for offer in self.offers for field, value in offer.sent[self.done].items()}

    def check_answer(self, valid: bool, answer: tuple[int, ...], ready: bool) -> None:
        """The answer of an access follows it in the next cycle and stands until it is taken."""
        assert valid == bool(self.answers)
        if valid:
            assert answer == self.answers[0]
            if ready:
                self.answers.popleft()
                self.answered += 1

    def follow(self, ctx: Any, bus: Any) -> None:
        for offer in self.offers:
            offer.follow(ctx, bus)
            assert offer.taken <= self.answered + 1, f"{offer.name} taken before the last access was answered"
        self.due = min(offer.taken for offer in self.offers)


@pytest.mark.parametrize("rates", [(1.0, 1.0, 1.0), (0.3, 0.3, 0.3), (0.9, 0.2, 0.9), (0.2, 0.9, 0.2)])
def test_accesses_in_any_order(rates: tuple[float, float, float], seed: int) -> None:
    """Address and data of a write come in any order; a read and a write do not wait for each other."""
    offer_rate, done_rate, ready_rate = rates
    port = AxiLitePort(ADDRESS_WIDTH)
    draw = random.Random(f"{seed}/{rates}")
    writes = Side(
        [Offer("aw", {"awaddr": ADDRESS_WIDTH, "awprot": 3}, draw), Offer("w", {"wdata": 32, "wstrb": 4}, draw)]
    )
    reads = Side([Offer("ar", {"araddr": ADDRESS_WIDTH, "arprot": 3}, draw)])
    moved = 0
    firsts = set()

    def cycle(ctx: Any) -> None:
        bus = port.bus
        for offer in (*writes.offers, *reads.offers):
            offer.drive(ctx, bus, draw.random() < offer_rate)
        ready = {name: draw.random() < ready_rate for name in "br"}
        done = {name: draw.random() < done_rate for name in "wr"}
        refused = {name: draw.random() < 0.3 for name in "wr"}
        data = draw.getrandbits(32)
        for name in "br":
            ctx.set(getattr(bus, f"{name}ready"), ready[name])
        for name in "wr":
            ctx.set(getattr(port, f"{name}_done"), done[name])
            ctx.set(getattr(port, f"{name}_refused"), refused[name])
        ctx.set(port.r_data, data)

        writes.check_answer(bool(ctx.get(bus.bvalid)), (ctx.get(bus.bresp),), ready["b"])
        reads.check_answer(bool(ctx.get(bus.rvalid)), (ctx.get(bus.rresp), ctx.get(bus.rdata)), ready["r"])
        for name, side in (("w", writes), ("r", reads)):
            asks = bool(ctx.get(getattr(port, f"{name}_request")))
            assert asks == (side.due > side.done), f"{name}: requested from when all of it is there until it is done"
            if asks:
                request = side.request
                assert ctx.get(getattr(port, f"{name}_address")) == request["awaddr" if name == "w" else "araddr"]
                if name == "w":
                    assert ctx.get(port.w_data) == request["wdata"]
                    assert ctx.get(port.w_strobe) == request["wstrb"]
                if done[name]:
                    side.done += 1
                    response = SLVERR if refused[name] else OKAY
                    side.answers.append((response,) if name == "w" else (response, data))
            side.follow(ctx, bus)
        address, words = (offer.taken for offer in writes.offers)
        firsts.add((address > words) - (address < words))

    async def testbench(ctx: Any) -> None:
        nonlocal moved
        for bus_ready in (port.bus.awready, port.bus.wready, port.bus.arready):
            assert not ctx.get(bus_ready), "ready before the first edge after a reset"
        idle = 0
        while min(writes.answered, reads.answered) < ACCESSES:
            cycle(ctx)
            await ctx.tick()
            now = writes.answered + reads.answered
            idle, moved = (0, now) if now > moved else (idle + 1, moved)
            assert idle < PATIENCE, "nothing is answered any more"

    run_testbench(port, testbench)
    assert firsts >= ({-1, 0, 1} if offer_rate < 0.5 else {0}), "address first, data first, both at once"
