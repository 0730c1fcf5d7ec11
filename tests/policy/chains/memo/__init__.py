"""A chain that is none: as small as one can be, to show what a chain has to say."""
