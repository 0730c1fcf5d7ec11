"""Solidity's contract ABI: the types, and values to bytes and back, in their one canonical form.

Follows the Contract ABI Specification, strict mode, and adds what canonical means there: what
is dynamic lies behind its heads in their order, without a gap, and nothing is read twice. So
reading is linear in the bytes, whoever wrote them. Nothing is remembered between calls.

In reading order: `kinds` (types), `decode`, `encode`.
"""
