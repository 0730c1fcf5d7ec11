"""`python -m keymoot.enclave`: started by the node, not by people."""

import sys

from keymoot.enclave.process import main

sys.exit(main())
