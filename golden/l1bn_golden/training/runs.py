"""One training run: what it is given, and what comes out of it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..backend import BackendFactory, GoldenBackend
from ..contract import Contract
from ..provenance import provenance
from ..torch import LAYERS
from .data import Pictures, digits, mnist
from .models import LATENT, Critic, Discriminator, Generator, Norm, Perceptron, Residual
from .observe import Observer

__all__ = ["TASKS", "Settings", "execute"]

TASKS = ("mlp", "cnn", "gan")

RATES = {"mlp": 0.05, "cnn": 0.05, "gan": 0.002}
"""Learning rates: stochastic gradient descent with momentum 0.9, falling to 0 as a cosine; the GAN has Adam."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a run depends on.

    Parameters
    ----------
    task : ``"mlp"``, ``"cnn"`` or ``"gan"``
    norm : ``"none"``, or the name of one of :data:`~l1bn_golden.norms.NORMS`
    width : bits of x in the norms, ``None`` for float32
    y_width : bits of y, ``None`` for those of x
    y_integer_bits : bits of y before the point, without the sign: 2 let it reach from -4 to 4
    gradient_width : bits of dy and dx, ``None`` for those of x
    scale_width : magnitude bits of the scale in the norms
    images : pictures for training; a multiple of ``batch``
    """

    task: str
    norm: str
    seed: int
    epochs: int
    images: int
    width: int | None = None
    y_width: int | None = None
    y_integer_bits: int = 2
    gradient_width: int | None = None
    scale_width: int = 18
    batch: int = 64

    @property
    def key(self) -> str:
        """A name for the run's result that no other settings have, nor other code or packages."""
        text = json.dumps({"origin": provenance(execute).digest} | dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def contract(self) -> Contract | None:
        """The formats of the norms; what is no field is as it is by default."""
        if self.width is None or self.norm == "none":
            return None
        y_width = self.width if self.y_width is None else self.y_width
        return Contract(
            norm=self.norm,
            width=self.width,
            y_width=y_width,
            y_fraction=y_width - 1 - self.y_integer_bits,
            dy_width=self.width if self.gradient_width is None else self.gradient_width,
            scale_width=self.scale_width,
        )


def execute(settings: Settings, backend: BackendFactory = GoldenBackend) -> dict[str, Any]:
    """Train, and return JSON-able results: per-epoch lists and, in integers, shares of events.

    ``accuracy`` in per cent on the test pictures and ``loss`` on the training pictures for the classifiers,
    ``distance`` for the GAN. ``failed`` says so if a loss is not finite; the lists then end there. ``backend``
    computes with the integers, by default the golden model.
    """
    torch.manual_seed(settings.seed)
    observer = Observer(backend)
    contract = settings.contract()

    def norm(channels: int, dimensions: int) -> nn.Module:
        if settings.norm == "none":
            return nn.Identity()
        return LAYERS[settings.norm, dimensions](channels, formats=contract, backend=observer)

    train = _train_gan if settings.task == "gan" else _train_classifier
    results: dict[str, Any] = {}
    try:
        for values in train(settings, norm):
            for name, value in values.items():
                results.setdefault(name, []).append(value)
    except FloatingPointError as error:
        results["failed"] = str(error)
    return results | {"shares": observer.shares()}


def _finite(loss: Tensor) -> None:
    """:exc:`FloatingPointError` if a loss is none."""
    if not math.isfinite(loss.item()):
        raise FloatingPointError(f"the loss is {loss.item()}")


def _batches(count: int, size: int) -> Iterator[Tensor]:
    """Random batches of equal size, every picture once."""
    order = torch.randperm(count)
    return iter(order[: count - count % size].split(size))


def _train_classifier(settings: Settings, norm: Norm) -> Iterator[dict[str, float]]:
    pictures = digits() if settings.task == "mlp" else mnist()
    model = Perceptron(norm) if settings.task == "mlp" else Residual(norm)
    steps = settings.epochs * (settings.images // settings.batch)
    optimiser = torch.optim.SGD(model.parameters(), RATES[settings.task], momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(settings.epochs):
        model.train()
        losses = []
        for batch in _batches(settings.images, settings.batch):
            loss = functional.cross_entropy(model(pictures.train[batch]), pictures.train_labels[batch])
            _finite(loss)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        yield {"accuracy": _accuracy(model, pictures), "loss": float(np.mean(losses))}


@torch.no_grad()
def _accuracy(model: nn.Module, pictures: Pictures) -> float:
    model.eval()
    right = 0
    for x, labels in zip(pictures.test.split(256), pictures.test_labels.split(256), strict=True):
        right += int((model(x).argmax(1) == labels).sum())
    return 100 * right / len(pictures.test)


def _train_gan(settings: Settings, norm: Norm) -> Iterator[dict[str, float]]:
    pictures = digits().train
    generator, discriminator = Generator(norm), Discriminator(norm)
    rate = RATES[settings.task]
    of_generator = torch.optim.Adam(generator.parameters(), rate, betas=(0.5, 0.999))
    of_discriminator = torch.optim.Adam(discriminator.parameters(), rate, betas=(0.5, 0.999))
    for _ in range(settings.epochs):
        generator.train()
        for batch in _batches(settings.images, settings.batch):
            fake = generator(torch.randn(settings.batch, LATENT))
            real_scores, fake_scores = discriminator(pictures[batch]), discriminator(fake.detach())
            loss = functional.softplus(-real_scores).mean() + functional.softplus(fake_scores).mean()
            _finite(loss)
            of_discriminator.zero_grad()
            loss.backward()
            of_discriminator.step()
            loss = functional.softplus(-discriminator(fake)).mean()
            _finite(loss)
            of_generator.zero_grad()
            loss.backward()
            of_generator.step()
        yield {"distance": _distance(generator)}


@torch.no_grad()
def _distance(generator: nn.Module) -> float:
    """Between 2,048 generated pictures, the same random numbers every time, and the test pictures."""
    generator.eval()
    source = torch.Generator().manual_seed(0)
    fake = torch.cat([generator(torch.randn(256, LATENT, generator=source)) for _ in range(8)])
    critic, real = _critic()
    return frechet(real, critic.features(fake).double().numpy())


@cache
def _critic() -> tuple[Critic, np.ndarray]:
    """A classifier of the digits, trained the same way every time, and its features of the test pictures."""
    pictures = digits()
    with torch.enable_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        critic = Critic()
        optimiser = torch.optim.Adam(critic.parameters(), 0.005)
        for _ in range(10):
            for batch in _batches(len(pictures.train), 64):
                optimiser.zero_grad()
                functional.cross_entropy(
                    critic(pictures.train[batch]), pictures.train_labels[batch]
                ).backward()
                optimiser.step()
    critic.eval()
    with torch.no_grad():
        return critic, critic.features(pictures.test).double().numpy()


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """The Frechet distance of the Gaussians that have the means and covariances of two sets of features.

    ``|ma - mb|^2 + tr(A + B - 2 (A B)^(1/2))``; the trace of the root is the sum of the roots of the
    eigenvalues of AB, which are those of a positive semidefinite matrix.
    """
    covariances = [np.cov(features, rowvar=False) for features in (a, b)]
    roots = np.sqrt(np.maximum(np.linalg.eigvals(covariances[0] @ covariances[1]).real, 0))
    means = a.mean(0) - b.mean(0)
    return float(means @ means + np.trace(covariances[0] + covariances[1]) - 2 * roots.sum())
