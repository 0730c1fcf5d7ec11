"""Resharing: an epoch ends, the roots are shared anew, their public keys stay."""
