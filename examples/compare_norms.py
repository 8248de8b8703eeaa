"""What the norms cost in time and memory at one configuration, before any synthesis.

Run it with ``.venv/bin/python examples/compare_norms.py``.
"""

from __future__ import annotations

from l1bn import Configuration, unit

COUNT = 1024
FORMS = (("l1", "two-pass"), ("l2", "two-pass"), ("l2", "one-pass"))

print(f"{COUNT} samples of 16 bits a channel")
print("norm form      lanes  latency  cycles/channel  reads  buffered samples")
for norm, form in FORMS:
    for lanes in (1, 4, 16):
        config = Configuration(norm=norm, form=form, width=16, lanes=lanes, counts=(COUNT,))
        normaliser = unit(config)
        buffered = sum(buffer.depth for buffer in normaliser.storage.buffers) * lanes
        print(
            f"{norm:4} {form:9} {lanes:5} {normaliser.latency(COUNT):8}"
            f" {normaliser.cycles_per_channel(COUNT):15} {config.passes:6} {buffered:17}"
        )
