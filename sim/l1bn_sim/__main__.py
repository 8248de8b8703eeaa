"""``python -m l1bn_sim``."""

import sys

from .cli import main

if __name__ == "__main__":  # the processes that do the jobs import this module as well
    sys.exit(main())
