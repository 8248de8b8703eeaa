from __future__ import annotations

import random
from itertools import islice

import numpy as np
import pytest

from l1bn_sim.digits import FILTERS, feature_maps
from l1bn_sim.pauses import pauses
from l1bn_vectors.edges import channels, integers
from l1bn_vectors.packets import expected_packets, packets


def test_no_pauses_at_rate_zero():
    assert pauses(0, 1) is None


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_pauses_have_their_rate_and_repeat_with_the_seed(rate, seed):
    first, again, other = (list(islice(pauses(rate, s), 20_000)) for s in (seed, seed, seed + 1))
    assert first == again != other
    assert abs(sum(first) / len(first) - rate) < 0.05
    assert max(len(run) for run in "".join(map(str, map(int, first))).split("0")) >= 5


@pytest.mark.parametrize("rate", [-0.1, 0.95])
def test_impossible_rate(rate):
    with pytest.raises(ValueError, match=f"rate = {rate}"):
        pauses(rate, 1)


@pytest.mark.parametrize(("width", "signed"), [(1, False), (2, True), (18, True), (70, False)])
def test_integers_hold_the_edges_and_stay_inside(width, signed, seed):
    values = integers(random.Random(seed), width, signed, 200)
    low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    assert min(values) == low and max(values) == high
    assert len(values) == 200


@pytest.mark.parametrize(("width", "count"), [(4, 2), (4, 64), (16, 48), (32, 4)])
def test_channels_fit(width, count, seed):
    for name, samples in channels(np.random.default_rng(seed), width, count).items():
        assert samples.shape == (count,), name
        assert -(1 << (width - 1)) <= samples.min() and samples.max() < 1 << (width - 1), name


def test_packets_mark_the_end_of_every_row():
    columns = packets(np.arange(12).reshape(2, 6), 2)
    assert columns["data"].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    assert columns["last"].tolist() == [False, False, True, False, False, True]


def test_packets_of_several_lengths_go_out_several_times():
    columns = packets([np.arange(2), np.arange(4)], 2, times=2)
    assert columns["data"].tolist() == [[0, 1], [0, 1], [0, 1], [2, 3], [0, 1], [2, 3]]
    assert columns["last"].tolist() == [True, True, False, True, False, True]
    assert packets([], 2)["data"].shape == (0, 2)


def test_an_error_means_something_with_the_final_beat_only():
    errors = expected_packets([np.arange(4), np.arange(2)], 2, [True, False])["error"]
    assert errors.mask.tolist() == [True, False, False] and errors.compressed().tolist() == [True, False]


@pytest.mark.parametrize("length", [0, 3])
def test_a_packet_is_a_whole_number_of_beats(length):
    with pytest.raises(ValueError, match=f"{length} samples are no whole number of beats of 2"):
        packets([np.arange(length)], 2)


def test_feature_maps_are_the_same_everywhere():
    maps = feature_maps(16, 12, 1024, 20)
    assert maps.shape == (20, 1024)
    # The first filter on the first row of the first digit, by hand; one unit of its sum is 128 LSB.
    assert maps[0, :8].tolist() == [128 * total for total in (0, 23, 41, 5, 0, 0, 0, 0)]
    assert maps[:3].sum(axis=1).tolist() == [1546112, 962944, 1278848]


def test_feature_maps_are_skewed_and_have_ties():
    for row in feature_maps(8, 4, 256, len(FILTERS)):
        assert row.min() == 0 and np.mean(row) > np.median(row)


def test_feature_maps_saturate_and_go_round():
    assert feature_maps(4, 3, 64, 8).max() == 7
    long = feature_maps(8, 4, 1797 * 64 + 64, 1)[0]
    assert (long[:64] == long[-64:]).all()
