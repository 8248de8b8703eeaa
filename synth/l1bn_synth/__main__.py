"""``python -m l1bn_synth``."""

import sys

try:
    from .cli import main
except KeyboardInterrupt:  # loading everything takes a moment
    print("l1bn_synth: interrupted", file=sys.stderr)
    sys.exit(130)

main()
