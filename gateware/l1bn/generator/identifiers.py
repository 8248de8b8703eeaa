"""Names that a unit can bear in every file that is made of it."""

from __future__ import annotations

import re

from ..config import ConfigurationError
from . import reserved

__all__ = ["check_module_name"]

LENGTH_MAX = 64
WORDS = {
    "is no reserved word of Verilog or SystemVerilog": set(reserved.VERILOG.split()),
    "is no reserved word of SystemRDL": set(reserved.SYSTEM_RDL.split()),
    "is no reserved word of C++ or of Verilator": set(reserved.CPP.split()),
}
"""What is allowed, and the words that are not."""
WORDS_IN_ANY_CASE = {
    "is no reserved word of VHDL, in any case of letters": set(reserved.VHDL.lower().split()),
    "no block of an FPGA has": set(reserved.BLOCKS.lower().split()),
    "a file can have on every system": set(reserved.FILES.lower().split()),
}


def check_module_name(name: object) -> str:
    """Return ``name`` when a module, its files and what is made of them can bear it.

    Raises :exc:`ConfigurationError` for a name that is no identifier of Verilog and VHDL, is reserved in a language
    that it is written in, is that of a block, or is too long.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z](_?[A-Za-z0-9])*", name):
        raise ConfigurationError(
            "name", name, "a letter, then letters, digits and single underscores, none at the end"
        )
    for allowed, words in WORDS.items():
        if name in words:
            raise ConfigurationError("name", name, f"a name that {allowed}")
    for allowed, words in WORDS_IN_ANY_CASE.items():
        if name.lower() in words:
            raise ConfigurationError("name", name, f"a name that {allowed}")
    if len(name) > LENGTH_MAX:
        raise ConfigurationError("name", name, f"at most {LENGTH_MAX} characters")
    return name
