"""Hardware as a function: a unit of one register and its defects, the forward units, and what does not fit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from doubler import LANES, Doubler, Fault

from l1bn.config import Configuration
from l1bn.units import unit
from l1bn_golden import Contract, forward
from l1bn_sim import hardware_library, toolchain
from l1bn_sim.compile import BuildError
from l1bn_sim.design import Design
from l1bn_sim.hardware import Hardware, HardwareError
from l1bn_sim.hardware_units import ForwardHardware
from l1bn_vectors.edges import channels

STATISTICS = ("mean", "r_mantissa", "r_exponent", "scale", "shift", "negative", "sign_count")


@pytest.fixture(scope="module")
def doubler() -> Design:
    return Design.of(Doubler(), "doubler")


@pytest.fixture
def model(doubler, libraries):
    with Hardware(doubler, store=libraries, patience=256) as hardware:
        yield hardware


def packets(seed: int, beats: int = 200) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {"data": draw.integers(-128, 128, (beats, LANES)), "last": draw.integers(0, 2, beats)}


def cause(model: Hardware, fault: Fault) -> None:
    model.run({"i_fault": {"value": [fault]}}, {})


def test_one_beat_a_cycle(model, seed):
    sent = packets(seed)
    run = model.run({"i": sent}, {"o": 200})
    assert np.array_equal(run.columns["o"]["data"], 2 * sent["data"])
    assert np.array_equal(run.columns["o"]["last"], sent["last"])
    assert run.first["o"] - run.first["i"] == Doubler.latency
    assert run.cycles == 200 + Doubler.latency == model.cycle
    assert not run.offered


@pytest.mark.parametrize(("idle", "stall"), [(0.5, 0.0), (0.0, 0.5), (0.3, {"o": 0.8}), (0.9, 0.9)])
def test_pauses_take_their_share_and_change_nothing(model, seed, idle, stall):
    sent = packets(seed, 20_000)
    run = model.run({"i": sent}, {"o": 20_000}, idle=idle, stall=stall)
    assert np.array_equal(run.columns["o"]["data"], 2 * sent["data"])
    share = max(idle, stall["o"] if isinstance(stall, dict) else stall)
    assert 20_000 / (1 - share) * 0.9 < run.cycles < 20_000 / (1 - share) * (1.9 if idle == stall else 1.5)


def test_pauses_repeat_with_their_seed(doubler, libraries, seed):
    cycles = []
    for pauses in (1, 1, 2):
        with Hardware(doubler, store=libraries, seed=pauses) as hardware:
            cycles.append(hardware.run({"i": packets(seed)}, {"o": 200}, idle=0.4, stall=0.4).cycles)
    assert cycles[0] == cycles[1] != cycles[2]


def test_a_run_goes_on_where_the_last_one_ended(model, seed):
    sent = packets(seed, 3)
    held = model.run({"i": {name: column[:1] for name, column in sent.items()}}, {})
    assert held.offered == ("o",)
    run = model.run({"i": {name: column[1:] for name, column in sent.items()}}, {"o": 3})
    assert np.array_equal(run.columns["o"]["data"], 2 * sent["data"])


def test_models_have_their_own_state(doubler, libraries, seed):
    with Hardware(doubler, store=libraries) as first, Hardware(doubler, store=libraries) as second:
        cause(first, Fault.WRONG_VALUE)
        sent = packets(seed)
        wrong = first.run({"i": sent}, {"o": 200}).columns["o"]["data"] != 2 * sent["data"]
        assert wrong.sum() == 1
        assert np.array_equal(second.run({"i": sent}, {"o": 200}).columns["o"]["data"], 2 * sent["data"])


@pytest.mark.parametrize(
    ("fault", "stall", "message"),
    [
        (
            Fault.LOST_BEAT,
            0.0,
            "no transfer in 256 cycles; i: 200 of 200 sent, i_fault: 0 of 0 sent, o: 199 of 200 taken, none offered",
        ),
        (Fault.PAYLOAD_CHANGES, 0.5, "the payload changed before the transfer; "),
        (Fault.LOST_BEAT, 0.9, "valid was withdrawn before the transfer; "),
        (
            Fault.RUNS_AWAY,
            0.0,
            "no transfer in 256 cycles; i: 39 of 200 sent and one that is not accepted, i_fault: 0 of 0 sent, "
            "o: 200 of 200 taken, one offered",
        ),
        (Fault.HANGS, 0.0, "no transfer in 256 cycles; i: 39 of 200 sent and one that is not accepted"),
    ],
)
def test_a_defect_is_an_error_and_the_next_run_is_right(model, seed, fault, stall, message):
    sent = packets(seed)
    cause(model, fault)
    with pytest.raises(HardwareError) as error:
        model.run({"i": sent}, {"o": 200}, stall=stall)
    assert str(error.value).startswith(f"doubler: {message}"), error.value
    run = model.run({"i": sent}, {"o": 200})
    assert np.array_equal(run.columns["o"]["data"], 2 * sent["data"])


@pytest.mark.parametrize(
    ("send", "take", "rates", "message"),
    [
        ({"x": {}}, {}, {}, "stream 'x' is not possible; allowed: i, i_fault"),
        ({}, {"i": 1}, {}, "stream 'i' is not possible; allowed: o"),
        ({}, {"o": -1}, {}, "o = -1 items is not possible; allowed: 0 or more"),
        (
            {"i_fault": {"value": [8]}},
            {},
            {},
            "stream i_fault: value = 8 is not possible; allowed: 0 to 7 (3 bits)",
        ),
        ({}, {}, {"idle": 0.95}, "rate = 0.95 is not possible; allowed: 0 to 0.9"),
        ({}, {}, {"stall": {"o": -1}}, "rate = -1 is not possible; allowed: 0 to 0.9"),
        ({}, {}, {"stall": {"p": 0.5}}, "stream 'p' is not possible; allowed: o"),
    ],
)
def test_what_does_not_fit_is_named_and_moves_nothing(model, send, take, rates, message):
    with pytest.raises(ValueError) as error:
        model.run(send, take, **rates)
    assert str(error.value) == message
    assert model.cycle == 0


def test_a_closed_model_says_so(doubler, libraries):
    hardware = Hardware(doubler, store=libraries)
    hardware.close()
    hardware.close()
    with pytest.raises(HardwareError, match="doubler: closed"):
        hardware.run({}, {})


def test_a_library_is_built_once(doubler, libraries, monkeypatch):
    first = hardware_library.build(doubler, libraries)
    monkeypatch.setattr(hardware_library, "call", lambda *_: pytest.fail("built again"))
    assert hardware_library.build(doubler, libraries) == first


def test_a_failed_build_leaves_nothing(tmp_path):
    with pytest.raises(BuildError, match=r"verilator failed:[\s\S]*syntax error"):
        hardware_library.build(Design("top", "module top(input clk; endmodule", ()), tmp_path)
    assert not list(tmp_path.iterdir())


def test_missing_tools_are_named(doubler, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(toolchain.ToolchainError, match="missing: perl, make, g"):
        Hardware(doubler, store=tmp_path)


SAMPLE = [
    ({"norm": "l1", "width": 16, "lanes": 1, "count": 256}, {}),
    ({"norm": "l1", "width": 8, "lanes": 4, "counts": [64, 36]}, {"idle": 0.4, "stall": 0.4}),
    ({"norm": "l1", "width": 12, "lanes": 2, "count": 48, "storage": "outside"}, {"stall": {"o_stats": 0.8}}),
    ({"norm": "l2", "form": "one-pass", "width": 16, "lanes": 2, "count": 64}, {"idle": {"i": 0.5}}),
]


@pytest.mark.parametrize(("parameters", "rates"), SAMPLE, ids=str)
def test_forward_units_are_the_golden_model(parameters, rates, libraries, seed):
    config = Configuration.from_mapping(parameters)
    contract = Contract.from_parameters(config.to_mapping())
    draw = np.random.default_rng(seed)
    with ForwardHardware(config, store=libraries, **rates) as normalise:
        for count in config.counts:
            x = np.array(list(channels(draw, config.width, count).values()))
            gamma = draw.integers(-(1 << 15), 1 << 15, len(x))
            beta = draw.integers(-(1 << config.beta_width - 1), 1 << config.beta_width - 1, len(x))
            result, expected = normalise(x, gamma, beta), forward(contract, x, gamma, beta)
            assert np.array_equal(result.y, expected.y)
            for name in STATISTICS:
                found, right = getattr(result, name), getattr(expected, name)
                assert (found is None and right is None) or found.tolist() == right.tolist(), name


def test_cycles_are_those_that_the_unit_predicts(libraries, seed):
    config = Configuration.from_mapping(SAMPLE[0][0])
    device = unit(config)
    with ForwardHardware(config, store=libraries) as normalise:
        one, ten = (normalise(np.zeros((channels, 256), int), 1, 0).cycles for channels in (1, 10))
    # The statistics leave before the final beat of y, in whose cycle the run ends.
    assert one == device.latency(256) + 256
    assert ten - one == 9 * device.cycles_per_channel(256)
    assert normalise.cycles == one + ten


@pytest.fixture(scope="module")
def normalise(libraries):
    with ForwardHardware(Configuration.from_mapping(SAMPLE[1][0]), store=libraries) as hardware:
        yield hardware


def test_no_channel_and_one_gamma_for_all(normalise):
    assert normalise(np.zeros((0, 64), int), 1, 0).y.shape == (0, 64)
    assert normalise(np.full((3, 64), 5, np.int8), 1, 7).y.tolist() == [[7] * 64] * 3


@pytest.mark.parametrize(
    ("x", "gamma", "message"),
    [
        (np.zeros((2, 64)), 1, "x of type float64 is not possible; allowed: integers"),
        (
            np.zeros((2, 63), int),
            1,
            "x of shape (2, 63) is not possible; allowed: (channels, 64) or (channels, 36)",
        ),
        (np.zeros(64, int), 1, "x of shape (64,) is not possible; allowed: (channels, 64) or (channels, 36)"),
        (np.full((1, 64), 128), 1, "x = 128 is not possible; allowed: -128 to 127 (8 bits)"),
        (np.zeros((2, 64), int), 1.5, "gamma of type float64 is not possible; allowed: integers"),
        (
            np.zeros((2, 64), int),
            [1, 2, 3],
            "gamma of shape (3,) is not possible; allowed: one, or one for each of 2 channels",
        ),
        (
            np.zeros((2, 64), int),
            1 << 15,
            "gamma = 32768 is not possible; allowed: -32768 to 32767 (16 bits)",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_named(normalise, x, gamma, message):
    before = normalise.hardware.cycle
    with pytest.raises(ValueError) as error:
        normalise(x, gamma, 0)
    assert str(error.value) == message
    assert normalise.hardware.cycle == before


INTERRUPTED = """
import sys
from pathlib import Path
from doubler import Doubler
from l1bn_sim import hardware_library
from l1bn_sim.design import Design

def interrupt(*_):
    raise KeyboardInterrupt

hardware_library.make_model = interrupt
try:
    hardware_library.build(Design.of(Doubler(), "doubler"), Path(sys.argv[1]))
except KeyboardInterrupt:
    print(list(Path(sys.argv[1]).iterdir()))
"""


def test_an_interrupted_build_leaves_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_every_target_computes_the_same(tmp_path: Path) -> None:
    contract = Contract(norm="l1", width=20, counts=(8,))
    x = np.random.default_rng(3).integers(-(1 << 19), 1 << 19, (12, 8))
    expected = forward(contract, x, 9000, -7).y
    for target in ("logic", "ecp5", "ice40"):
        config = Configuration(norm="l1", width=20, lanes=2, counts=(8,), target=target)
        with ForwardHardware(config, store=tmp_path) as normalise:
            assert (normalise(x, 9000, -7).y == expected).all(), target
