"""L1-norm batch normalisation in hardware: generator, operators and units.

The names below are the whole of the programming interface that other packages need::

    from l1bn import Configuration, unit, write

    config = Configuration(norm="l1", width=16, lanes=4, counts=(1024,))
    write(config, name="l1_batch_norm", folder=Path("out"))
"""

from .config import Configuration, ConfigurationError

__all__ = ["Configuration", "ConfigurationError", "__version__"]

__version__ = "0.1.0"
