"""One transaction: open, authenticate, charge, dispatch, commit or undo."""
