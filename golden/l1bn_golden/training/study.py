"""Which runs a study consists of, and their execution: resumable, in processes of their own."""

from __future__ import annotations

import dataclasses
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..kept import Kept
from ..norms import norm_of
from .runs import Settings, execute

__all__ = ["PRESETS", "STUDIED", "Preset", "Variant", "run_all"]

STUDIED = ("l2", "l1")
"""The norms that the study trains with, the one that the others are compared with first."""

WIDTHS = (16, 12, 10, 8, 6, 4)


@dataclass(frozen=True)
class Variant:
    """One row of the study: a norm and its arithmetic. The fields are those of ``Settings``."""

    norm: str
    width: int | None = None
    y_width: int | None = None
    y_integer_bits: int = 2
    gradient_width: int | None = None
    scale_width: int = 18

    @property
    def plain(self) -> bool:
        """Whether x, y, dy and dx have one width, and everything else is as it is by default."""
        return self == Variant(self.norm, self.width)

    @property
    def label(self) -> str:
        if self.norm == "none":
            return "no norm"
        name = f"{norm_of(self.norm).title}BN"
        if self.width is None:
            return f"{name} float32"
        parts = [f"{name} {self.width} bits"]
        if self.y_width is not None:
            parts.append(f"y {self.y_width}")
        if self.y_integer_bits != 2:
            parts.append(f"y to ±{1 << self.y_integer_bits}")
        if self.gradient_width is not None:
            parts.append(f"gradients {self.gradient_width}")
        if self.scale_width != 18:
            parts.append(f"scale {self.scale_width}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Preset:
    """Variants of each task, with the epochs and pictures of a run."""

    variants: dict[str, tuple[Variant, ...]]
    epochs: dict[str, int]
    images: dict[str, int]
    seeds: int

    def settings(self) -> list[Settings]:
        """All runs, seed by seed, so that an interrupted study has all variants of the first seeds."""
        return [
            self.setting(task, variant, seed)
            for seed in range(self.seeds)
            for task, variants in self.variants.items()
            for variant in variants
        ]

    def setting(self, task: str, variant: Variant, seed: int) -> Settings:
        return Settings(
            task=task,
            seed=seed,
            epochs=self.epochs[task],
            images=self.images[task],
            **dataclasses.asdict(variant),
        )


def _variants(widths: Sequence[int]) -> tuple[Variant, ...]:
    floating = (Variant("none"), *(Variant(norm) for norm in STUDIED))
    return floating + tuple(Variant(norm, width) for width in widths for norm in STUDIED)


_CAUSES = tuple(
    Variant("l1", **fields)
    for fields in (
        {"width": 4, "y_width": 16, "gradient_width": 16},
        {"width": 16, "y_width": 4, "gradient_width": 16},
        {"width": 4, "gradient_width": 16},
        {"width": 16, "gradient_width": 4},
        {"width": 6, "gradient_width": 16},
        {"width": 16, "gradient_width": 6},
        {"width": 16, "scale_width": 8},
        {"width": 16, "y_integer_bits": 3},
        {"width": 8, "y_integer_bits": 3},
    )
)
"""One thing changed at a time, to see which of them costs the accuracy."""

PRESETS = {
    "quick": Preset(
        variants={task: _variants((16, 8, 4)) for task in ("mlp", "cnn", "gan")},
        epochs={"mlp": 4, "cnn": 2, "gan": 3},
        images={"mlp": 1408, "cnn": 2560, "gan": 1408},
        seeds=2,
    ),
    "full": Preset(
        variants={
            "mlp": _variants(WIDTHS) + _CAUSES,
            "cnn": _variants(WIDTHS) + _CAUSES,
            "gan": _variants(WIDTHS),
        },
        epochs={"mlp": 8, "cnn": 4, "gan": 8},
        images={"mlp": 1408, "cnn": 2560, "gan": 1408},
        seeds=5,
    ),
}


def run_all(
    settings: Sequence[Settings], folder: Path, jobs: int, finished: Callable[[], None]
) -> dict[str, dict[str, Any]]:
    """The results of all runs by key; those that ``folder`` holds are read, the others executed and kept there.

    ``finished`` is called once for each run. Whatever stops this, the results of finished runs stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = Kept(folder, lambda message: print(f"l1bn_golden.training: {message}", file=sys.stderr))
    results: dict[str, dict[str, Any]] = {}
    missing = []
    for setting in settings:
        kept = store.get(setting.key)
        if kept is None:
            missing.append(setting)
        else:
            results[setting.key] = kept["result"]
            finished()
    for setting, result in _execute(missing, jobs):
        store.put(setting.key, {"settings": dataclasses.asdict(setting), "result": result})
        results[setting.key] = result
        finished()
    return results


def _execute(settings: Sequence[Settings], jobs: int) -> Iterator[tuple[Settings, dict[str, Any]]]:
    if not settings:
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(settings)), context, _prepare_process)
    try:
        futures = {pool.submit(execute, setting): setting for setting in settings}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    pool.shutdown()


def _prepare_process() -> None:
    # Ctrl-C reaches the whole group of processes; the first one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
