"""Formats: every width and constant that follows from a configuration."""
