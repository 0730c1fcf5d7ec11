"""Tests, at the same path as the code that they hold to its word."""
