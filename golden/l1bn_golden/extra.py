"""Statistics that only some norms have, as attributes."""

from __future__ import annotations

from collections.abc import Mapping

from .norms import STATISTICS
from .samples import Integers

__all__ = ["Extra"]


class Extra:
    """Something with ``extra``, the norm's own statistics by name, that also has each of them as an attribute.

    One that only another norm has is ``None``.
    """

    extra: Mapping[str, Integers]

    def __getattr__(self, name: str) -> Integers | None:
        if name not in STATISTICS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self.extra.get(name)
