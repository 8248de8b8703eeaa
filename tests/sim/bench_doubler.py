"""cocotb bench of the doubler."""

from __future__ import annotations

import cocotb
import numpy as np

from l1bn_sim.bench import Bench, parameters

BEATS = 200


@cocotb.test()
@cocotb.parametrize((("idle", "stall"), [(0.0, 0.0), (0.4, 0.4)]))
async def doubles(dut, idle, stall):
    bench = await Bench.start(dut, idle=idle, stall=stall, patience=256)
    draw = np.random.default_rng(cocotb.RANDOM_SEED)
    data = draw.integers(-128, 128, (BEATS, 4))
    last = np.arange(BEATS) % 10 == 9
    bench.send("i_fault", value=[parameters()["fault"]])
    bench.send("i", data=data, last=last)
    bench.expect("o", data=2 * data, last=last)
    await bench.finish()
    if not idle and not stall:
        accepted, taken = bench.sources["i"].accepted, bench.sinks["o"].taken
        assert taken[0] - accepted[0] == parameters()["latency"]
        assert taken == list(range(taken[0], taken[0] + BEATS)), "not one beat a cycle"
