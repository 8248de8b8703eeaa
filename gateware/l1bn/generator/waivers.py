"""What Verilator is told about generated files: which of its warnings they are not judged by.

Every Verilator from 5.006 on reads the waivers. They hold for the text between them alone, whatever stands before and
behind it in a project.
"""

from __future__ import annotations

__all__ = ["BLOCKS", "CELLS", "GENERATED", "waived"]

GENERATED = {
    # Later versions call it WIDTHEXPAND and WIDTHTRUNC, and take the old name for both.
    "WIDTH": "operands are extended and truncated by Verilog's own rules, on which expressions rely",
    "UNUSEDSIGNAL": "some bits of a sum or a product are not needed",
    "UNOPTFLAT": "bits of one vector depend on each other without any loop",
    "CASEOVERLAP": "cases are in the order of their priority",
    "CMPCONST": "the width of an operand may decide a comparison",
    "UNSIGNED": "the same",
    "VARHIDDEN": "a signal may be called as an instance above it",
    "DECLFILENAME": "a file may have another name than its module",
    "TIMESCALEMOD": "nothing here takes time, so that a project's time scale does not matter",
}
"""What generated modules are not judged by, and why."""
BLOCKS = {"PINMISSING": "instances of the family's blocks leave pins open that they do not use"}
"""Also those that instantiate blocks of a family."""
CELLS = {
    "UNUSEDPARAM": "a model has all parameters of its block",
    "UNUSEDSIGNAL": "and all pins, of which it uses those that l1bn sets",
    "DECLFILENAME": "one file has all models",
    "TIMESCALEMOD": "nothing here takes time, so that a project's time scale does not matter",
}
"""Models of such blocks."""


def waived(text: str, waivers: dict[str, str]) -> str:
    """``text`` between ``waivers``, a rule and why it does not count each, and their end."""
    lines = "".join(f"/* verilator lint_off {rule} */  // {why}\n" for rule, why in waivers.items())
    return f"/* verilator lint_save */\n{lines}\n{text.strip()}\n\n/* verilator lint_restore */\n"
