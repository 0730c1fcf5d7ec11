"""Tests of what anyone can check."""
