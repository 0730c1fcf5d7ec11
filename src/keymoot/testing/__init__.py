"""A whole network in one process, on a clock and dice of its own: see README.md."""
