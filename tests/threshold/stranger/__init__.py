"""The protocols once more, from `vectors/threshold/README.md` alone: nothing of ours is imported.

Plain Python for secp256k1 and edwards25519, arkworks for BLS12-381, py-rlp for RLP.
Nothing here is constant time, and nothing here is for use.
"""
