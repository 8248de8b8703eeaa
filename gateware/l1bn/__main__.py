"""``python -m l1bn``: the ``l1bn`` command."""

import sys

from .command.cli import main

sys.exit(main())
