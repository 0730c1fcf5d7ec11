"""Adapters, with stand-ins for the packages that they adapt to."""
