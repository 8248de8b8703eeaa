"""The arithmetic operators: streams in, streams out, each with its contract in its docstring."""
