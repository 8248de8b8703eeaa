"""L1-norm batch normalisation in hardware: generator, operators and units.

The programming interface::

    from pathlib import Path
    from l1bn import Configuration, unit, write

    config = Configuration(norm="l1", width=16, lanes=4, counts=(1024,))
    print(unit(config).latency(1024))
    write(config, name="normaliser", folder=Path("out"))
"""

__version__ = "0.1.0"

from .config import Configuration, ConfigurationError
from .generator.generate import verilog, write
from .units import unit

__all__ = ["Configuration", "ConfigurationError", "__version__", "unit", "verilog", "write"]
