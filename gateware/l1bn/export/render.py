"""Templates of the exported files."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2

__all__ = ["render"]


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("l1bn.export"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["hex"] = lambda value, digits=1: f"{value:0{digits}x}"
    return environment


def render(template: str, **values: Any) -> str:
    """The text of ``template`` with these values."""
    return _environment().get_template(template).render(**values)
