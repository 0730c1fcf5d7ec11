"""Key generation: the roots are made, once."""
