"""Primitives with domain separation; every one is a library's, none is ours."""
