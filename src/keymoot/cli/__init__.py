"""Commands a person types."""

import gc

# Imports and help make no garbage worth looking for, and looking takes a fifth of that time.
gc.disable()
