"""Agents that resume the recorded states, one module per folder of `tests/corpus`."""
