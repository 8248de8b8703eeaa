"""The data sheet."""

from __future__ import annotations

from typing import Any


def files(package: Any) -> dict[str, str]:
    return {}
