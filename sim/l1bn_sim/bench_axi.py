"""cocotb bench of a forward unit behind AXI, with the managers and monitors of cocotbext-axi.

Parameters: ``configuration``.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from l1bn import __version__
from l1bn.bus.register_map import forward_map
from l1bn.bus.registers import Register, RegisterMap
from l1bn.config import Configuration
from l1bn.export.vectors import AxiGroup, axi_groups, axi_words
from l1bn.numbers.formats import Formats

from .bench import parameters
from .pauses import pauses

RATE = 0.35
"""Share of the cycles in which each side of each channel pauses."""


LONGEST = 1000
"""Microseconds, 100 cycles each, after which a test hangs."""


class Bench:
    """The unit with everything that AXI connects to it.

    Parameters
    ----------
    dut : handle of the top
    rate : share of the cycles in which each side of each channel pauses
    """

    def __init__(self, dut: Any, rate: float):
        self.dut = dut
        self.config = Configuration.from_mapping(parameters()["configuration"])
        self.formats = Formats(self.config)
        self.map: RegisterMap = forward_map(self.formats, self.config.channels, __version__, 0)
        for name in ("s_axis", "m_axis", "s_axi"):
            logging.getLogger(f"cocotb.{dut._name}.{name}").setLevel(logging.WARNING)
        options = {"clock": dut.aclk, "reset": dut.aresetn, "reset_active_level": False}
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), **options)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), **options)
        self.manager = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), **options)
        write, read = self.manager.write_if, self.manager.read_if
        paused = [self.source, self.sink, write.aw_channel, write.w_channel, write.b_channel]
        for index, side in enumerate([*paused, read.ar_channel, read.r_channel]):
            schedule: Iterator[bool] | None = pauses(rate, f"{cocotb.RANDOM_SEED}/{index}")
            if schedule is not None:
                side.set_pause_generator(schedule)

    @classmethod
    async def start(cls, dut: Any, rate: float = RATE) -> Bench:
        """Start the clock and reset the unit."""
        bench = cls(dut, rate)
        Clock(dut.aclk, 10, unit="ns").start()
        dut.aresetn.value = 0
        await ClockCycles(dut.aclk, 3)
        dut.aresetn.value = 1
        await RisingEdge(dut.aclk)
        return bench

    @cached_property
    def groups(self) -> list[AxiGroup]:
        return axi_groups(self.config, self.map.table("gamma").entries)

    async def write(self, address: int, value: int, strobes: int = 4) -> AxiResp:
        """Write the lowest ``strobes`` bytes of a word."""
        data = (value & 0xFFFFFFFF).to_bytes(4, "little")[:strobes]
        return (await self.manager.write(address, data)).resp

    async def read(self, address: int) -> tuple[AxiResp, int]:
        """The answer to a read of a word, and the word."""
        answer = await self.manager.read(address, 4)
        return answer.resp, int.from_bytes(answer.data, "little")

    async def set(self, name: str, value: int) -> None:
        """Write a register, which has to be accepted."""
        assert await self.write(self.map.register(name).offset, value) == AxiResp.OKAY, name

    async def get(self, name: str) -> int:
        """Read a register."""
        answer, value = await self.read(self.map.register(name).offset)
        assert answer == AxiResp.OKAY, name
        return value

    async def configure(self, group: AxiGroup) -> None:
        """Set all that decides what a group of channels becomes."""
        await self.set("count_select", group.select)
        await self.set("mode", int(group.affine))
        await self.set("channels", len(group.channels))
        for index, channel in enumerate(group.channels):
            for name, value in (("gamma", channel.gamma), ("beta", channel.beta)):
                table = self.map.table(name)
                assert await self.write(table.offset + table.stride * index, value) == AxiResp.OKAY

    def send(self, group: AxiGroup) -> None:
        """Queue the packets of a group."""
        words = axi_words(self.formats, [group])["s"].words
        width = len(self.dut.s_axis_tdata)
        for data in packets(words, width):
            for _ in range(self.config.sendings):
                self.source.send_nowait(AxiStreamFrame(b"".join(data)))

    async def expect(self, group: AxiGroup) -> None:
        """Take the packets of a group, and compare data, length and error."""
        words = axi_words(self.formats, [group])["m"].words
        width = len(self.dut.m_axis_tdata)
        errors = [channel.error for channel in group.channels]
        for expected, error in zip(packets(words, width), errors, strict=True):
            frame = await self.sink.recv(compact=False)
            assert bytes(frame.tdata) == b"".join(expected)
            users = list(frame.tuser)
            assert any(users[-(width // 8) :]) == error, "tuser in the final beat"
            assert not any(users[: -(width // 8)]), "tuser before the final beat"

    async def statistics(self, group: AxiGroup, sequence: int) -> None:
        """Read the statistics of a group, whose first channel is number ``sequence``, and compare them."""
        table = self.map.table("statistics")
        expected = axi_words(self.formats, [group])["statistics"].words
        flags = len(table.members) - 1
        for index, word in enumerate(expected):
            if index % table.words == flags:
                word = (word + ((sequence - 1) << 16)) & 0xFFFFFFFF
            assert await self.read(table.offset + 4 * index) == (AxiResp.OKAY, word), f"word {index}"


def packets(words: list[int], width: int) -> Iterator[list[bytes]]:
    """The beats of each packet; the bit above ``width`` ends it."""
    beats: list[bytes] = []
    for word in words:
        beats.append((word & ((1 << width) - 1)).to_bytes(width // 8, "little"))
        if word >> width & 1:
            yield beats
            beats = []


@cocotb.test(timeout_time=LONGEST, timeout_unit="us")
async def channels_and_statistics(dut: Any) -> None:
    """Every group of channels comes out bit for bit, with its errors and its statistics, and is counted."""
    bench = await Bench.start(dut)
    done = failed = 0
    for group in bench.groups:
        await bench.configure(group)
        bench.send(group)
        await bench.expect(group)
        await bench.statistics(group, done + 1)
        done += len(group.channels)
        failed += sum(channel.error for channel in group.channels)
    assert await bench.get("channels_done") == done
    assert await bench.get("packet_errors") == failed
    assert await bench.get("refused") == 0
    assert await bench.get("status") == 0b10
    assert bench.sink.empty()


@cocotb.test(timeout_time=LONGEST, timeout_unit="us")
async def settings_do_not_touch_a_channel(dut: Any) -> None:
    """Software that writes all the time while channels pass changes none of them."""
    bench = await Bench.start(dut)
    draw = random.Random(cocotb.RANDOM_SEED)
    group = bench.groups[0]
    idle = [register for register in bench.map.registers if register.access == "idle"]
    places = [register.offset for register in idle] + [
        bench.map.table(name).offset for name in ("gamma", "beta")
    ]
    await bench.configure(group)
    bench.send(group)
    while not await bench.get("status") & 1:
        pass
    taker = cocotb.start_soon(bench.expect(group))
    refused = 0
    while refused < 40 and not taker.done():
        # The last channel may have left before a write arrives, which then is accepted.
        answer = await bench.write(draw.choice(places), 0 if draw.random() < 0.5 else 1)
        if await bench.get("status") & 1:
            assert answer == AxiResp.SLVERR
            refused += 1
    await taker
    assert refused, "no write met a channel in flight"
    assert await bench.get("refused") >= refused


@cocotb.test(timeout_time=LONGEST, timeout_unit="us")
async def misuse_is_answered(dut: Any) -> None:
    """Every word of the address space that is no register, and every kind of write that is none, is refused."""
    bench = await Bench.start(dut)
    known = {register.offset: register for register in bench.map.registers}
    for offset in range(0, 0x100, 4):
        register: Register | None = known.get(offset)
        answer, value = await bench.read(offset)
        if register is None:
            assert (answer, value) == (AxiResp.SLVERR, 0), hex(offset)
            assert await bench.write(offset, 0) == AxiResp.SLVERR, hex(offset)
            continue
        assert answer == AxiResp.OKAY, register.name
        if register.access in ("constant", "status"):
            assert await bench.write(offset, value) == AxiResp.SLVERR, register.name
        assert await bench.write(offset, 1, strobes=2) == AxiResp.SLVERR, register.name
    gamma = bench.map.table("gamma")
    assert await bench.write(gamma.offset, 1) == AxiResp.OKAY
    assert await bench.write(gamma.offset, 0, strobes=1) == AxiResp.SLVERR
    assert await bench.read(gamma.offset) == (AxiResp.OKAY, 1)
    for beyond in range(gamma.offset + 4 * gamma.entries, gamma.offset + gamma.size, 4):
        assert await bench.read(beyond) == (AxiResp.SLVERR, 0), hex(beyond)
    statistics = bench.map.table("statistics")
    assert await bench.write(statistics.offset, 0) == AxiResp.SLVERR
    entries = gamma.entries
    for name, value in (("channels", 0), ("channels", entries + 1), ("channel_index", entries)):
        assert await bench.write(bench.map.register(name).offset, value) == AxiResp.SLVERR, name
    assert await bench.get("channels") == entries


@cocotb.test(timeout_time=LONGEST, timeout_unit="us")
async def stops_between_channels(dut: Any) -> None:
    """Without ``enable`` no channel begins, and one under way is finished; plain mode needs no software."""
    bench = await Bench.start(dut, rate=0.0)
    plain = bench.groups[-1]
    bench.send(plain)
    await bench.expect(plain)
    await bench.set("control", 0)
    bench.send(plain)
    await ClockCycles(dut.aclk, 200)
    assert await bench.get("status") == 0b10
    assert bench.sink.empty()
    await bench.set("control", 1)
    await bench.expect(plain)
