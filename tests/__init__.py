"""Tests of hitl; support for them lies in `tests.agents`, recorded states in `tests/corpus`."""
