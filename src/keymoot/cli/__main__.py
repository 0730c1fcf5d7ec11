"""`python -m keymoot.cli`: the same as `keymoot`."""

from keymoot.cli.main import main

main()
