"""Keymoot: a committee of enclaves keeps the keys of autonomous agents.

This package is the client and, with the extra `node`, the server. Each folder
beside this file is one floor of the house; imports run down the page only.
"""
