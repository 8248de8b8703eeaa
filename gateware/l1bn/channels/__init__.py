"""Operators that work once a channel."""
