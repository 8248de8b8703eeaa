"""The derived constants: by hand, and against the generator's own formats, which share no code with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from l1bn.config import Configuration
from l1bn.numbers.backward_formats import BackwardFormats
from l1bn.numbers.formats import Formats
from l1bn_golden import Contract
from l1bn_golden.norms import NORMS, norm_of


def test_default_l1_by_hand() -> None:
    contract = Contract()
    assert (contract.x_fraction, contract.y_fraction, contract.beta_fraction) == (12, 12, 12)
    assert (contract.y_width, contract.beta_width, contract.gamma_fraction) == (16, 16, 13)
    # gamma 2**14 over epsilon 1e-5 * 2**12: log2 is 18.6, less than the 14 + 10 of r >= 1/n.
    assert (contract.L, contract.K_bits, contract.G, contract.T) == (10, 19, 10, 24)
    assert (contract.SHIFT_MAX, contract.SHIFT_MIN, contract.F) == (20, 17 - 19, 3)
    assert (contract.w, contract.f) == (16 + 10 + 10, 0)
    # The root of epsilon bounds r of L2: 14 - log2(sqrt(1e-5) * 2**12) = 10.3.
    assert Contract(norm="l2").K_bits == 11
    assert Contract(epsilon=0).K_bits == 15 + 12 - 13 + 10
    # 1e-5 * 2**12 * 2**20 = 42949.67296: with 6 fraction bits 0.069 of 2**-6 is missing, less than the
    # 43973.67 * 2**-24 that r may move by; with 5 bits 0.465 of 2**-5.
    assert (contract.h, contract.E(1024)) == (6, 2748779)
    # For L2 1e-5 * 2**24 * 2**20 moves r by less as a whole number.
    assert (Contract(norm="l2").h, Contract(norm="l2").E(1024)) == (0, 175921860)


def test_other_counts_by_hand() -> None:
    contract = Contract(counts=(48, 100), width=8, scale_width=16)
    assert (contract.L, contract.K_bits) == (7, 15 + 4 - 13 + 7)
    # 7 + max(8, 13 - 7) + 8, and 16 + 6.
    assert (contract.G, contract.T) == (23, 22)
    # odd parts 3 and 25: 5 bits; 22 + 7 - 23 = 6.
    assert contract.f == 6
    assert contract.w == 8 + 7 + 23
    l2 = contract.replace(norm="l2")
    assert (l2.w, l2.f) == (2 * (8 + 7), 6)
    # 1e-5 * 2**8 * 100**2 = 25.6, with 14 fraction bits.
    assert (l2.h, l2.E(100)) == (14, 419430)


def test_backward_by_hand() -> None:
    contract = Contract()
    assert (contract.dy_width, contract.dy_fraction, contract.dx_width, contract.dx_fraction) == (
        16,
        12,
        16,
        12,
    )
    # As forward: dx takes the place of y, dy that of x.
    assert (contract.Kd_bits, contract.SHIFTd_MAX, contract.SHIFTd_MIN) == (19, 20, 17 - 19)
    # 16 + 9, and 10 less for the sum of 1024.
    assert (contract.Gm, contract.Gh) == (25, 15)
    assert (contract.gradient_width, contract.H_width) == (26, 42)
    assert (contract.a_width, contract.m0_width) == (16 + 25 + 1, 16 + 25 + 2)
    # 2**(19 + 15) over epsilon 1e-5 * 2**12: log2 is 38.6, more than the 34 + 4.6 that it is.
    assert (contract.Kx_bits, contract.SHIFTx_MAX, contract.SHIFTx_MIN) == (39, 20, 17 - 39)
    # 0 to 35 leading zeros in w = 36 bits; p = 10, G = 10, T = 24.
    assert contract.r_exponents == range(10 + 10 + 24 - 36, 10 + 10 + 24)

    other = Contract(width=8, dy_width=10, dx_width=6, dx_fraction=5, counts=(48, 100), epsilon=0.0)
    assert (other.dy_fraction, other.Kd_exponent) == (6, 4 + 5 - 6 - 13)
    assert (other.Kd_bits, other.Gm, other.Gh) == (15 - 10 + 7, 6 + 9, 15 - 5)
    assert other.Kx_bits == 12 + 9 + 7
    assert Contract(dx_width=8).dx_fraction == 7
    assert Contract(dx_width=4, counts=(1 << 20,), x_fraction=0, dx_fraction=0, dy_fraction=15).Gh == 1


def test_running_formats() -> None:
    assert (Contract().momentum_shift, Contract().Gr) == (3, 10)
    assert Contract(running_fraction=4).Gr == 4
    assert Contract().replace(counts=(64,)).Gr == 6


def test_epsilon_zero_is_zero() -> None:
    for norm in NORMS:
        contract = Contract(norm=norm, epsilon=0)
        assert (contract.h, contract.E(1024), contract.effective_epsilon(1024)) == (0, 0, 0)


def test_small_gamma_range_needs_no_scale_bits() -> None:
    contract = Contract(width=8, y_fraction=0, gamma_width=8, gamma_fraction=7, counts=(2,), y_width=4)
    assert contract.K_bits == 1
    assert contract.replace(counts=(2,), gamma_width=2, gamma_fraction=1).K_bits == 1
    assert Contract(width=4, scale_width=24, gamma_width=2, y_fraction=0, counts=(2,)).SHIFT_MIN == 8


def test_user_guard_bits() -> None:
    assert Contract(guard_bits=3).G == 3
    own = Contract(guard_bits=0, counts=(100,))
    # 20 bits for epsilon leave the division less to add.
    assert (own.h, own.f) == (20, own.T + 7 - 20)


@pytest.mark.parametrize("norm", NORMS)
def test_equal_to_the_generators_formats(norm: str, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def whole(low: int, high: int) -> int:
        return int(rng.integers(low, high, endpoint=True))

    for _ in range(300):
        y_width, beta_width, gamma_width = whole(4, 32), whole(2, 32), whole(2, 32)
        y_fraction, dy_width, dx_width = whole(0, y_width - 1), whole(4, 32), whole(4, 32)
        parameters: dict[str, Any] = {
            "norm": norm,
            "width": whole(4, 32),
            "counts": tuple({2 ** whole(1, 20) if whole(0, 1) else whole(2, 1 << 20) for _ in range(2)}),
            "guard_bits": whole(0, 64) if whole(0, 3) == 0 and norm_of(norm).centred else None,
            "scale_width": whole(8, 24),
            "y_width": y_width,
            "y_fraction": y_fraction,
            "gamma_width": gamma_width,
            "gamma_fraction": whole(0, gamma_width - 1) if whole(0, 1) else None,
            "beta_width": beta_width,
            "beta_fraction": whole(0, min(beta_width - 1, y_fraction)) if whole(0, 1) else None,
            "dy_width": dy_width,
            "dy_fraction": whole(0, dy_width - 1) if whole(0, 1) else None,
            "dx_width": dx_width,
            "dx_fraction": whole(0, dx_width - 1) if whole(0, 1) else None,
            "epsilon": float(rng.choice([0.0, 1e-12, 1e-5, 1e-3, 1.0])),
            "momentum_shift": whole(1, 15),
            "running_fraction": whole(0, 64) if whole(0, 1) else None,
        }
        config = Configuration(**parameters)
        contract, formats = Contract.from_parameters(config.to_mapping()), Formats(config)
        defaults = Contract.from_parameters({**parameters, "form": config.form})
        assert defaults == contract, "the defaults differ"
        lsb = 2 ** (contract.x_fraction * norm_of(norm).power)
        ours: tuple[object, ...] = (
            contract.G,
            contract.T,
            contract.K_bits,
            contract.SHIFT_MIN,
            contract.SHIFT_MAX,
            contract.F,
            contract.f,
            contract.h,
            tuple(contract.E(count) for count in contract.counts),
            tuple(contract.effective_epsilon(count) for count in contract.counts),
        )
        theirs: tuple[object, ...] = (
            formats.guard_bits,
            formats.mantissa_width,
            formats.scale_bits,
            formats.scale.shift_min,
            formats.scale.shift_max,
            formats.scale.scale_fraction,
            formats.odd_fraction,
            formats.epsilon_fraction,
            formats.epsilons,
            tuple(formats.effective_epsilon(index) * lsb for index in range(len(contract.counts))),
        )
        assert ours == theirs, parameters
        backward = BackwardFormats(config)
        ours = (
            contract.r_exponents,
            contract.Kd_bits,
            contract.SHIFTd_MIN,
            contract.SHIFTd_MAX,
            contract.Gm,
            contract.Gh,
            contract.gradient_width,
            contract.H_width,
            contract.a_width,
            (contract.Kx_bits, contract.SHIFTx_MIN, contract.SHIFTx_MAX),
        )
        theirs = (
            backward.r_exponents,
            backward.apply.scale_bits,
            backward.apply.shift_min,
            backward.apply.shift_max,
            backward.mean_fraction,
            backward.projection_fraction,
            backward.gradient_width,
            backward.projection_width,
            backward.projection_mean_width,
            (backward.slope.scale_bits, backward.slope.shift_min, backward.slope.shift_max),
        )
        assert ours == theirs, parameters


def test_from_parameters_takes_what_a_configuration_holds() -> None:
    contract = Contract.from_parameters(
        {
            "norm": "l2",
            "form": "two-pass",
            "direction": "forward",
            "storage": "outside",
            "lanes": 4,
            "count": 64,
        }
    )
    assert (contract.norm, contract.counts) == ("l2", (64,))
    assert Contract.from_parameters({"counts": [16, 32], "guard_bits": None}).counts == (16, 32)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"norm": "l3"}, "norm = 'l3' is not possible; allowed: l1, l2, range, rms or mean-absolute"),
        ({"width": 3}, "width = 3 is not possible; allowed: a whole number from 4 to 32"),
        ({"width": 33}, "width = 33"),
        ({"width": True}, "width = True"),
        ({"width": 16.0}, "width = 16.0"),
        ({"x_fraction": 16}, "x_fraction = 16"),
        ({"x_fraction": -2}, "x_fraction = -2"),
        ({"counts": []}, "counts = "),
        ({"counts": [1]}, "count = 1 "),
        ({"counts": [1 << 21]}, "count = 2097152"),
        ({"count": 4, "counts": [4]}, "count = 4 is not possible; allowed: count or counts"),
        ({"guard_bits": 65}, "guard_bits = 65"),
        ({"scale_width": 25}, "scale_width = 25"),
        ({"y_fraction": 16}, "y_fraction = 16"),
        ({"gamma_width": 1}, "gamma_width = 1"),
        ({"beta_fraction": 13}, "beta_fraction = 13 is not possible; allowed: a whole number from 0 to 12"),
        ({"epsilon": float("nan")}, "epsilon = nan"),
        ({"epsilon": 1.5}, "epsilon = 1.5"),
        ({"dy_width": 33}, "dy_width = 33"),
        (
            {"dy_width": 8, "dy_fraction": 8},
            "dy_fraction = 8 is not possible; allowed: a whole number from 0 to 7",
        ),
        ({"dx_width": 3}, "dx_width = 3"),
        ({"dx_fraction": 16}, "dx_fraction = 16"),
        ({"momentum_shift": 0}, "momentum_shift = 0 is not possible; allowed: a whole number from 1 to 15"),
        ({"running_fraction": 65}, "running_fraction = 65"),
        ({"eps": 1}, "eps = 1 is not possible; allowed: norm, "),
    ],
)
def test_bad_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        Contract.from_parameters(parameters)
    assert "\n" not in str(caught.value)


def test_count_of_another_contract() -> None:
    with pytest.raises(ValueError, match="count = 5 is not possible; allowed: 4 or 8"):
        Contract(counts=(4, 8)).check_count(5)
