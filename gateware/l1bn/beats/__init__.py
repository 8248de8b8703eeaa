"""Operators that take a beat a cycle."""
