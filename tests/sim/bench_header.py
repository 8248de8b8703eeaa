"""cocotb bench: a compiled program drives the AXI top, each of its loads and stores as it leaves the processor.

Parameters: ``configuration``, ``image`` (hexadecimal), ``base`` of the registers.
"""

from __future__ import annotations

import cocotb
from cocotbext.axi import AxiResp
from riscv import execute

from l1bn_sim.bench import parameters
from l1bn_sim.bench_axi import LONGEST, Bench


@cocotb.test(timeout_time=LONGEST, timeout_unit="us")
async def a_program_drives_the_unit(dut):
    """It configures the unit, gets channels normalised, reads what the unit found, and returns 0."""
    bench = await Bench.start(dut, rate=0.0)
    base = parameters()["base"]
    group = bench.groups[0]
    control = bench.map.register("control").offset
    stored = set()

    async def load(address, size):
        answer, word = await bench.read(address - base)
        assert (answer, size) == (AxiResp.OKAY, 4), hex(address)
        return word

    async def store(address, value, size):
        answer = await bench.write(address - base, value, strobes=size)
        assert (answer, size) == (AxiResp.OKAY, 4), hex(address)
        stored.add(address - base)
        if address - base == control and value:
            bench.send(group)
            cocotb.start_soon(bench.expect(group))

    line = await execute(bytes.fromhex(parameters()["image"]), load, store)
    assert line == 0, f"line {line} of the program"
    assert stored >= {register.offset for register in bench.map.registers if register.writable}
    assert bench.sink.empty()
