"""The example of ``docs/golden.md`` runs, and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "golden.md"


def test_example(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(
        r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S
    )
    assert found
    exec(compile(found[1], str(PAGE), "exec"), {})
    assert capsys.readouterr().out == found[2]
