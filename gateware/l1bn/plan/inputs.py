"""What a network is fed: the shapes of its inputs, the batch, calibration data."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, require_whole

__all__ = ["Inputs", "scaled", "shape_of", "shown"]

LARGEST = 1 << 20
"""Of a size and of a batch."""
Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Inputs:
    """What a network is fed.

    Parameters
    ----------
    shapes : of its inputs in their order, each with the batch in front; fewer where the network itself says them
    batch : that counts are for; ``None`` for that of the first input
    calibration : a .npz file with an array for each input, any number of batches in front
    """

    shapes: tuple[tuple[int, ...], ...] = ()
    batch: int | None = None
    calibration: Path | None = None

    def __post_init__(self) -> None:
        if self.batch is not None:
            require_whole("batch", self.batch, 1, LARGEST)

    def batches(self, names: Sequence[str], shapes: Sequence[Sequence[int]]) -> Iterator[list[Array]]:
        """The calibration data, an array for each input, in batches of these shapes.

        An array is found by the name of its input, or else by its place in the file.

        Raises :exc:`ConfigurationError` for a file without such arrays.
        """
        arrays = self._arrays(names)
        for name, array, shape in zip(names, arrays, shapes, strict=True):
            if array.ndim != len(shape) or list(array.shape[1:]) != list(shape[1:]) or array.dtype.kind not in "fiub":
                allowed = f"numbers of shape N,{shown(shape[1:])} for {name}, in batches of {shape[0]}"
                raise self._refused(f"{name} of {array.dtype} and shape {shown(array.shape)}", allowed)
            if not len(array) or len(array) % shape[0] or len(array) // shape[0] != len(arrays[0]) // shapes[0][0]:
                allowed = f"whole batches of {shape[0]}, as many for each input"
                raise self._refused(f"{len(array)} samples for {name}", allowed)
            if not np.isfinite(array).all():
                raise self._refused(f"{name}", "finite numbers")
        for number in range(len(arrays[0]) // shapes[0][0]):
            yield [
                array[number * shape[0] : (number + 1) * shape[0]] for array, shape in zip(arrays, shapes, strict=True)
            ]

    def _arrays(self, names: Sequence[str]) -> list[Array]:
        path = self.calibration
        try:
            stored = np.load(str(path), allow_pickle=False)
            if not isinstance(stored, np.lib.npyio.NpzFile):
                raise ValueError("an array alone")
            with stored:
                found = {name: stored[name] for name in stored.files}
        except OSError as error:
            raise self._refused(str(path), f"a readable file ({error.strerror or error})") from error
        except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
            raise self._refused(str(path), f"a .npz file of arrays ({error})") from error
        if all(name in found for name in names):
            return [found[name] for name in names]
        if len(found) != len(names):
            allowed = f"an array for each input, {', '.join(names)}"
            raise self._refused(", ".join(found) or "no array", allowed)
        return list(found.values())

    def _refused(self, value: str, allowed: str) -> ConfigurationError:
        return ConfigurationError("calibration", value, allowed)


def shape_of(text: str) -> tuple[int, ...]:
    """The sizes in ``1,3,224,224``; raises :exc:`ConfigurationError` for what are none."""
    sizes = [size.strip() for size in text.split(",")]
    if not all(re.fullmatch("[0-9]{1,7}", size) and 1 <= int(size) <= LARGEST for size in sizes):
        raise ConfigurationError("input", text, f"sizes from 1 to {LARGEST} with commas, as 1,3,224,224")
    return tuple(int(size) for size in sizes)


def shown(shape: Sequence[int]) -> str:
    """A shape in a message."""
    return ",".join(map(str, shape))


def scaled(count: int, batch: int, wanted: int, name: str) -> int:
    """Samples of a channel in a batch of ``wanted``, if there are ``count`` in one of ``batch``.

    Raises :exc:`ConfigurationError` where that is no whole number.
    """
    if count * wanted % batch:
        allowed = f"a batch that the {count} samples of {name} in a batch of {batch} are in proportion to"
        raise ConfigurationError("batch", wanted, allowed)
    return count * wanted // batch
