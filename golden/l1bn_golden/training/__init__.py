"""Small networks trained on real pictures with the hardware's arithmetic: ``python -m l1bn_golden.training``."""
