"""Benchmarks: ours beside its peers, measured in one run on one machine. `bench/run` is the entrance."""
