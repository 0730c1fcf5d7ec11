"""Transcripts of the threshold protocols, published in `vectors/threshold`.

`python -m tests.threshold.transcripts` writes them; nothing in them is drawn.
"""
