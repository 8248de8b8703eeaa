"""The networks of the study, with the normalisation as a parameter.

Every channel has a power of two of samples when the batch has: nothing in the integers then rounds the mean.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from ..torch.norms import L1BatchNorm1d, L1BatchNorm2d

__all__ = ["LATENT", "Critic", "Discriminator", "Generator", "Norm", "Perceptron", "Residual"]

Norm = Callable[[int, int], nn.Module]
"""Makes the layer for so many channels of so many dimensions (1: vectors, 2: maps)."""


def l1_norm(channels: int, dimensions: int) -> nn.Module:
    """L1 batch normalisation in floating point: the norm of a network that is made without one."""
    layer = L1BatchNorm1d if dimensions == 1 else L1BatchNorm2d
    return layer(channels)


LATENT = 16
"""Random numbers that the generator makes a picture from."""


class Perceptron(nn.Sequential):
    """8x8 pictures; three hidden layers of 64 with a norm each, a channel has batch samples."""

    def __init__(self, norm: Norm = l1_norm) -> None:
        layers: list[nn.Module] = [nn.Flatten()]
        for _ in range(3):
            layers += [nn.Linear(64, 64), norm(64, 1), nn.ReLU()]
        super().__init__(*layers, nn.Linear(64, 10))


class _Block(nn.Module):
    """Two convolutions beside a shortcut, half the height and width, twice the channels."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
            norm(2 * channels, 2),
            nn.ReLU(),
            nn.Conv2d(2 * channels, 2 * channels, 3, padding=1),
            norm(2 * channels, 2),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(channels, 2 * channels, 1, stride=2), norm(2 * channels, 2))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.main(x) + self.shortcut(x))


class Residual(nn.Sequential):
    """16x16 pictures; a convolution and two residual blocks, seven norms, 64 to 4 samples a picture."""

    def __init__(self, norm: Norm = l1_norm) -> None:
        super().__init__(
            nn.Conv2d(1, 8, 3, stride=2, padding=1),
            norm(8, 2),
            nn.ReLU(),
            _Block(8, norm),
            _Block(16, norm),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 10),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # With the default, networks without a norm do not train at all.
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


class Generator(nn.Sequential):
    """Random numbers to 8x8 pictures; three norms, 4 to 64 samples a picture."""

    def __init__(self, norm: Norm = l1_norm) -> None:
        super().__init__(
            nn.Linear(LATENT, 32 * 4),
            nn.Unflatten(1, (32, 2, 2)),
            norm(32, 2),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(32, 32, 3, padding=1),
            norm(32, 2),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(32, 16, 3, padding=1),
            norm(16, 2),
            nn.ReLU(),
            nn.Conv2d(16, 1, 3, padding=1),
            nn.Tanh(),
        )


class Discriminator(nn.Sequential):
    """8x8 pictures to how real they look; one norm, 4 samples a picture."""

    def __init__(self, norm: Norm = l1_norm) -> None:
        super().__init__(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            norm(32, 2),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(128, 1),
        )


class Critic(nn.Module):
    """The classifier of 8x8 pictures whose 32 features the Frechet distance compares; no norm."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(128, 32),
            nn.ReLU(),
        )
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x))
        return scores
