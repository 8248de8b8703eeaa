"""The units of l1bn as functions on NumPy arrays, computed by the Verilog that is generated for them.

::

    config = Configuration(norm="l1", width=8, lanes=4, counts=(1024,))
    with ForwardHardware(config) as normalise:
        result = normalise(x, gamma, beta)      # the values of l1bn_golden.forward(contract, x, gamma, beta)
        print(result.y, result.mean, result.cycles)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from l1bn import generate
from l1bn.config import Configuration
from l1bn.forward import unit

from .design import Design, stream_ports
from .fields import Columns
from .hardware import STORE, Hardware, HardwareError, Rates, Run
from .hardware_words import integers

__all__ = ["ForwardHardware", "ForwardResult", "HardwareUnit"]

SLACK = 4096
"""Cycles without a transfer, beyond the latency of a channel, that mean a unit hangs."""

Integers = NDArray[Any]


@dataclass(frozen=True)
class ForwardResult:
    """What :class:`ForwardHardware` gives: the attributes of :class:`l1bn_golden.Forward`, ``spread`` aside.

    ``y`` has the shape (channels, n), the statistics (channels,); ``sign_count`` is ``None`` for L2. ``cycles``
    are the clock cycles that it took.
    """

    y: Integers
    mean: Integers
    r_mantissa: Integers
    r_exponent: Integers
    scale: Integers
    shift: Integers
    negative: Integers
    sign_count: Integers | None
    cycles: int


class HardwareUnit:
    """What the units have in common: packets of samples in beats, and the life of a model.

    Attributes
    ----------
    config : the configuration
    component : the unit in Amaranth, which knows its latency and its cycles per channel
    hardware : the model, see :class:`l1bn_sim.hardware.Hardware`
    cycles : clock cycles of all calls
    """

    def __init__(
        self,
        config: Configuration,
        component: Any,
        *,
        store: Path,
        idle: Rates,
        stall: Rates,
        seed: int,
    ):
        name = generate.default_name(config)
        design = Design(name, generate.verilog(component, name), stream_ports(component))
        patience = SLACK + max(component.latency(count) for count in config.counts)
        self.config = config
        self.component = component
        self.hardware = Hardware(design, store=store, patience=patience, seed=seed)
        self.cycles = 0
        self._idle, self._stall = idle, stall

    def close(self) -> None:
        """Give the model's memory back."""
        self.hardware.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _samples(self, name: str, values: ArrayLike, width: int) -> Integers:
        """``values`` as integers of shape (channels, n), n one of the counts."""
        samples = integers(name, values, width, signed=True)
        counts = self.config.counts
        if samples.ndim != 2 or samples.shape[1] not in counts:
            allowed = " or ".join(f"(channels, {count})" for count in counts)
            raise ValueError(f"{name} of shape {samples.shape} is not possible; allowed: {allowed}")
        return samples

    def _per_channel(self, name: str, values: ArrayLike, width: int, channels: int) -> Integers:
        """An integer a channel from one a channel, or one for all."""
        column = integers(name, values, width, signed=True)
        if column.shape not in ((), (channels,)):
            raise ValueError(
                f"{name} of shape {column.shape} is not possible; allowed: one, or one for each of {channels} channels"
            )
        return np.broadcast_to(column, channels)

    def _packets(self, samples: Integers) -> Columns:
        """The beats of a packet for each row, as often in a row as the unit reads it."""
        channels, count = samples.shape
        lanes, beats = self.config.lanes, count // self.config.lanes
        times = self.config.passes if self.config.storage == "outside" else 1
        last = np.zeros((channels * times, beats), np.uint8)
        last[:, -1] = 1
        columns: Columns = {
            "data": np.repeat(samples, times, axis=0).reshape(-1, lanes)
            if times > 1
            else samples.reshape(-1, lanes),
            "last": last.ravel(),
        }
        if len(self.config.counts) > 1:
            columns["select"] = np.full(last.size, self.config.counts.index(count), np.uint8)
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
    """The forward unit of a configuration; call it with x, gamma and beta.

    Parameters
    ----------
    config : the configuration
    store : folder of the built libraries; made when missing
    idle, stall : share of the cycles, 0 to 0.9, in which the sources hold back and the sinks are not ready, for
        all streams or by name; results do not depend on them
    seed : seed of the pauses

    Raises
    ------
    ToolchainError, BuildError
        See :func:`l1bn_sim.hardware_library.build`.
    """

    def __init__(
        self,
        config: Configuration,
        *,
        store: Path = STORE,
        idle: Rates = 0.0,
        stall: Rates = 0.0,
        seed: int = 0,
    ):
        super().__init__(config, unit(config), store=store, idle=idle, stall=stall, seed=seed)

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
        assert config.beta_width is not None
        samples = self._samples("x", x, config.width)
        channels, count = samples.shape
        gammas = self._per_channel("gamma", gamma, config.gamma_width, channels)
        betas = self._per_channel("beta", beta, config.beta_width, channels)
        run = self._run(
            {"i": self._packets(samples), "i_affine": {"gamma": gammas, "beta": betas}},
            {"o": channels * count // config.lanes, "o_stats": channels},
        )
        statistics = run.columns["o_stats"]
        self._require_no_error("o_stats", statistics["error"])
        return ForwardResult(
            y=self._rows("o", run.columns["o"], samples.shape),
            mean=statistics["mean"].astype(object),
            r_mantissa=statistics["r_mantissa"],
            r_exponent=statistics["r_exponent"],
            scale=statistics["scale"],
            shift=statistics["shift"],
            negative=statistics["negative"].astype(bool),
            sign_count=statistics.get("sign_count"),
            cycles=run.cycles,
        )
