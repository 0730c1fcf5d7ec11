"""A whole network in one process, on a clock and randomness of its own."""
