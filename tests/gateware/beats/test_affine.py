"""The affine operator against the golden model: constants of real channels, and any that the formats hold."""

from __future__ import annotations

import random
from functools import partial
from itertools import cycle

import numpy as np
import pytest

from l1bn.beats.affine import Affine
from l1bn.numbers.formats import Formats
from l1bn_golden.integer import affine, bias, forward
from l1bn_vectors.packets import packets

from ..bench import exercise, shuffled
from ..contracts import CONFIGURATIONS, contract
from ..edge_channels import channels


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_affine(name: str, seed: int) -> None:
    configuration = CONFIGURATIONS[name]
    golden = contract(configuration)
    draw = random.Random(seed)
    rows = channels(seed, golden.width, golden.counts)
    gammas = shuffled(seed, golden.gamma_width, True, len(rows))
    betas = shuffled(seed, golden.beta_width, True, len(rows))
    negatives, shifts, offsets, scales, outputs = [], [], [], [], []
    for index, (row, gamma, beta, count) in enumerate(
        zip(rows, gammas, betas, cycle(golden.counts), strict=False)
    ):
        real = forward(golden, row[None], gamma, beta, count)
        k, t, mean, negative = int(real.scale[0]), int(real.shift[0]), real.mean[0], bool(real.negative[0])
        if index % 2:
            k = draw.getrandbits(golden.scale_width)
            t = draw.randint(golden.SHIFT_MIN, golden.SHIFT_MAX) + golden.F - 1
        constant = bias(golden, k, negative, mean)
        outputs.append(affine(golden, row[None], [mean], [k], [t], [negative], [beta])[0])
        scales.append(k)
        shifts.append(t)
        negatives.append(negative)
        offsets.append(constant if negative else ~constant)
    beats = packets(rows, golden.lanes)
    formats = Formats(configuration)
    errors = np.array([draw.random() < 0.3 for _ in beats["last"]])
    doubtful = np.array([draw.random() < 0.3 for _ in rows])
    beats_of = [len(row) // golden.lanes for row in rows]
    constants = {"scale": scales, "negative": negatives, "shift": shifts, "offset": offsets, "beta": betas}
    make = partial(Affine, formats.scale, golden.lanes, min(formats.beats), configuration.target)
    bench = exercise(
        make,
        {"i": {**beats, "error": errors}, "i_scale": {**constants, "error": doubtful}},
        {"o": {**packets(outputs, golden.lanes), "error": errors | np.repeat(doubtful, beats_of)}},
        seed,
    )
    accepted, taken = np.array(bench.sources["i"].accepted), np.array(bench.sinks["o"].taken)
    assert set(taken - accepted) == {make().latency}
    # The constants of the next packet need two cycles, which packets of one or two beats do not hide.
    short = [end for end, length in zip(np.cumsum(beats_of)[:-1] - 1, beats_of, strict=False) if length < 3]
    assert set(np.delete(np.diff(accepted), short)) <= {1}
