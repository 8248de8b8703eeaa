"""The units of l1bn as functions on NumPy arrays, computed by the Verilog that is generated for them.

::

    config = Configuration(norm="l1", width=8, lanes=4, counts=(1024,))
    with ForwardHardware(config) as normalise:
        result = normalise(x, gamma, beta)      # the values of l1bn_golden.forward(contract, x, gamma, beta)
        print(result.y, result.mean, result.cycles)

:class:`BackwardHardware` is to :func:`l1bn_golden.backward` what :class:`ForwardHardware` is to
:func:`l1bn_golden.forward`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from l1bn import unit
from l1bn.config import Configuration, ConfigurationError
from l1bn.generator import generate
from l1bn.numbers.backward_formats import BackwardFormats
from l1bn.numbers.formats import Formats
from l1bn.streams.backward_layouts import received_statistics
from l1bn.streams.layouts import fields
from l1bn_golden.extra import Extra
from l1bn_vectors.packets import packets
from l1bn_vectors.payloads import Columns, Field

from .design import Design
from .hardware import STORE, Closable, Hardware, HardwareError, Rates, Run
from .hardware_words import integers

__all__ = ["BackwardHardware", "BackwardResult", "ForwardHardware", "ForwardResult", "HardwareUnit"]

SLACK = 4096
"""Cycles without a transfer, beyond the latency of a channel, that mean a unit hangs."""

Integers = NDArray[Any]


@dataclass(frozen=True)
class ForwardResult(Extra):
    """What :class:`ForwardHardware` gives: the attributes of :class:`l1bn_golden.Forward`, ``spread`` aside.

    ``y`` has the shape (channels, n), the statistics (channels,); ``mean`` is 0 where none is subtracted. ``extra`` has
    the norm's own by name, which are attributes too. ``cycles`` are the clock cycles that it took.
    """

    y: Integers
    mean: Integers
    r_mantissa: Integers
    r_exponent: Integers
    scale: Integers
    shift: Integers
    negative: Integers
    extra: Mapping[str, Integers]
    cycles: int


@dataclass(frozen=True)
class BackwardResult:
    """What :class:`BackwardHardware` gives: dx of shape (channels, n), dgamma and dbeta of shape (channels,).

    Types and units are those of :class:`l1bn_golden.Backward`. ``cycles`` are the clock cycles that it took.
    """

    dx: Integers
    dgamma: Integers
    dbeta: Integers
    cycles: int


class HardwareUnit(Closable):
    """What the units have in common: packets of samples in beats, and the life of a model.

    Parameters
    ----------
    config : the configuration; its direction is that of the class
    store : folder of the built libraries; made when missing
    idle, stall : share of the cycles, 0 to 0.9, in which the sources hold back and the sinks are not ready, for
        all streams or by name; results do not depend on them
    seed : seed of the pauses

    Attributes
    ----------
    config : the configuration
    component : the unit in Amaranth, which knows its latency and its cycles per channel
    hardware : the model, see :class:`l1bn_sim.hardware.Hardware`
    cycles : clock cycles of all calls

    Raises
    ------
    ConfigurationError
        The configuration has another direction.
    ToolchainError, BuildError
        See :func:`l1bn_sim.hardware_library.build`.
    """

    direction: str

    def __init__(
        self,
        config: Configuration,
        *,
        store: Path = STORE,
        idle: Rates = 0.0,
        stall: Rates = 0.0,
        seed: int = 0,
    ):
        if config.direction != self.direction:
            raise ConfigurationError("direction", config.direction, self.direction)
        self.config = config
        self.component: Any = unit(config)
        name = generate.default_name(config)
        design = Design.of_unit(self.component, name)
        patience = SLACK + max(self.component.latency(count) for count in config.counts)
        self.hardware = Hardware(design, store=store, patience=patience, seed=seed)
        self.cycles = 0
        self._idle, self._stall = idle, stall

    def close(self) -> None:
        """Give the model's memory back."""
        self.hardware.close()

    def _field(self, stream: str, name: str) -> Field:
        fields = self.hardware.streams[stream].payload.fields
        return next(field for field in fields if field.name == name)

    def _samples(self, name: str, values: ArrayLike, stream: str) -> Integers:
        """``values`` as integers of shape (channels, n), n one of the counts, that fit the packets of a stream."""
        field = self._field(stream, "data")
        samples = integers(name, values, field.width, field.signed)
        counts = self.config.counts
        if samples.ndim != 2 or samples.shape[1] not in counts:
            allowed = " or ".join(f"(channels, {count})" for count in counts)
            raise ValueError(f"{name} of shape {samples.shape} is not possible; allowed: {allowed}")
        return samples

    def _per_channel(self, name: str, values: ArrayLike, stream: str, channels: int) -> Integers:
        """An integer a channel from one a channel, or one for all, that fits the stream's field of that name."""
        field = self._field(stream, name)
        column = integers(name, values, field.width, field.signed)
        if column.shape not in ((), (channels,)):
            raise ValueError(
                f"{name} of shape {column.shape} is not possible; allowed: one, or one for each of {channels} channels"
            )
        return np.broadcast_to(column, channels)

    def _packets(self, samples: Integers, times: int, selects: bool) -> Columns:
        """The beats of a packet for each row, ``times`` times in a row; it ``selects`` its count if it can."""
        columns: Columns = packets(samples, self.config.lanes, times)
        if selects and len(self.config.counts) > 1:
            select = self.config.counts.index(samples.shape[1])
            columns["select"] = np.full(len(columns["last"]), select, np.uint8)
        return columns

    def _rows(self, stream: str, columns: Columns, shape: tuple[int, ...]) -> Integers:
        """The samples of the packets on an output stream; every one must have ended in its final beat."""
        channels, count = shape
        beats = count // self.config.lanes
        last = columns["last"].reshape(channels, beats)
        if not (last[:, -1].all() and last.sum() == channels):
            raise HardwareError(
                f"{self.hardware.design.name}: {stream} ends packets elsewhere than in beat {beats}"
            )
        self._require_no_error(stream, columns["error"].reshape(channels, beats)[:, -1])
        return columns["data"].reshape(shape)

    def _require_no_error(self, stream: str, flags: Integers) -> None:
        if flags.any():
            raise HardwareError(
                f"{self.hardware.design.name}: {stream} flags an error in channel {int(np.argmax(flags))}"
            )

    def _run(self, send: dict[str, Columns], take: dict[str, int]) -> Run:
        run = self.hardware.run(send, take, idle=self._idle, stall=self._stall)
        if run.offered:
            self.hardware.reset()
            raise HardwareError(
                f"{self.hardware.design.name}: more items than expected on {', '.join(run.offered)}"
            )
        self.cycles += run.cycles
        return run


class ForwardHardware(HardwareUnit):
    """The forward unit of a configuration; call it with x, gamma and beta."""

    direction = "forward"

    def __call__(self, x: ArrayLike, gamma: ArrayLike, beta: ArrayLike) -> ForwardResult:
        """Normalise every row of x.

        Parameters
        ----------
        x : integers of shape (channels, n), n one of ``config.counts``, within ``config.width`` bits
        gamma, beta : an integer per channel, or one for all, within their formats

        Raises
        ------
        ValueError
            A type, a shape or a value that does not fit; the hardware has not moved.
        HardwareError
            The unit hangs, breaks the protocol of a stream or flags an error.
        """
        config = self.config
        samples = self._samples("x", x, "i")
        channels, count = samples.shape
        gammas = self._per_channel("gamma", gamma, "i_affine", channels)
        betas = self._per_channel("beta", beta, "i_affine", channels)
        times = config.sendings
        packets = self._packets(samples, times, selects=True)
        run = self._run(
            {"i": packets, "i_affine": {"gamma": gammas, "beta": betas}},
            {"o": channels * count // config.lanes, "o_stats": channels},
        )
        statistics = run.columns["o_stats"]
        self._require_no_error("o_stats", statistics["error"])
        return ForwardResult(
            y=self._rows("o", run.columns["o"], samples.shape),
            mean=statistics.get("mean", np.zeros(channels, np.int64)).astype(object),
            r_mantissa=statistics["r_mantissa"],
            r_exponent=statistics["r_exponent"],
            scale=statistics["scale"],
            shift=statistics["shift"],
            negative=statistics["negative"].astype(bool),
            extra={name: statistics[name] for name in config.traits.statistics(Formats(config))},
            cycles=run.cycles,
        )


class BackwardHardware(HardwareUnit):
    """The backward unit of a configuration; call it with x, dy, gamma and the statistics of x."""

    direction = "backward"

    def __call__(self, x: ArrayLike, dy: ArrayLike, gamma: ArrayLike, statistics: Any) -> BackwardResult:
        """The gradients of every row.

        Parameters
        ----------
        x, dy : integers of shape (channels, n), n one of ``config.counts``, within ``config.width`` and
            ``config.dy_width`` bits
        gamma : an integer per channel, or one for all
        statistics : of each channel, as a forward unit gives them: an object with ``mean``, ``r_mantissa``,
            ``r_exponent`` and the norm's own

        Raises
        ------
        ValueError
            A type, a shape or a value that does not fit; the hardware has not moved.
        HardwareError
            The unit hangs, breaks the protocol of a stream or flags an error, as it does for an r that no channel
            has.
        """
        config = self.config
        samples = self._samples("x", x, "i_x")
        gradients = self._samples("dy", dy, "i_dy")
        if gradients.shape != samples.shape:
            raise ValueError(
                f"dy of shape {gradients.shape} is not possible; allowed: {samples.shape}, that of x"
            )
        channels, count = samples.shape
        names = [name for name in fields(received_statistics(BackwardFormats(config))) if name != "error"]
        given: Columns = {name: np.asarray(getattr(statistics, name)) for name in names}
        for name, column in given.items():
            if column.shape != (channels,):
                raise ValueError(f"{name} of shape {column.shape} is not possible; allowed: ({channels},)")
        times = config.sendings
        run = self._run(
            {
                "i_x": self._packets(samples, times, selects=True),
                "i_dy": self._packets(gradients, times, selects=False),
                "i_stats": {**given, "error": np.zeros(channels, np.uint8)},
                "i_gamma": {"gamma": self._per_channel("gamma", gamma, "i_gamma", channels)},
            },
            {"o": channels * count // config.lanes, "o_gradients": channels},
        )
        sums = run.columns["o_gradients"]
        self._require_no_error("o_gradients", sums["error"])
        return BackwardResult(
            dx=self._rows("o", run.columns["o"], samples.shape),
            dgamma=sums["dgamma"].astype(object),
            dbeta=sums["dbeta"].astype(object),
            cycles=run.cycles,
        )
