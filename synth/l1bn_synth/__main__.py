"""``python -m l1bn_synth``."""

from .cli import main

main()
