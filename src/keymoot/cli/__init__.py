"""Commands a person types."""

import gc

# Imports make no garbage worth looking for, and looking takes a tenth of a command's start.
gc.disable()
