"""The vocabulary that every floor shares: bytes, units, canonical encodings, errors."""
