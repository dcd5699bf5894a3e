"""Benchmarks: commands that print ratios to the SDK and fail below a gate; no timed unit tests."""
