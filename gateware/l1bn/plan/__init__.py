"""``l1bn plan``: one unit for all normalisation layers of a network.

It needs the packages of the extra ``plan``, and for a module of PyTorch those of ``train``; they are loaded when a
network is read.
"""

from .describe import describe
from .files import initial_files, write
from .inputs import Inputs, shape_of
from .network import Layer, Network, Observed
from .proposal import Plan, Wishes, propose
from .reading import MissingPackage, read

__all__ = [
    "Inputs",
    "Layer",
    "MissingPackage",
    "Network",
    "Observed",
    "Plan",
    "Wishes",
    "describe",
    "initial_files",
    "propose",
    "read",
    "shape_of",
    "write",
]
