"""Measure what the design promises: `make bench` prints a table and writes build/bench.json."""
