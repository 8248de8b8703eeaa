"""The exported AXI top in co-simulation with cocotbext-axi, under random idle cycles and back-pressure."""

from __future__ import annotations

from pathlib import Path

import pytest

from l1bn.config import Configuration
from l1bn_sim.axi import AxiDesign
from l1bn_sim.runner import run_bench

CASES = {
    "l1-counts": Configuration(width=12, lanes=2, counts=(16, 12), channels=5),
    "l2-replayed": Configuration(
        norm="l2", width=8, y_width=10, lanes=4, counts=(16,), storage="outside", channels=3
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_axi(case: str, tmp_path: Path, store: Path, seed: int) -> None:
    config = CASES[case]
    design = AxiDesign.of_configuration(config)
    parameters = {"configuration": config.to_mapping()}
    outcome = run_bench(design, "l1bn_sim.bench_axi", tmp_path, store=store, seed=seed, parameters=parameters)
    assert outcome.tests == 4
