"""What `keymoot app init` writes: an app that builds, and says hello until it is told more."""

from typing import Final

from keymoot.image.manifest import FILE

FILES: Final = {
    FILE: """\
# What your agent is. `keymoot app build` makes one file of it, the same on every machine, and
# measures it; the network serves only instances that measured so.
name = "{name}"
version = "0.1.0"
description = "Says which account it has."

# What is started, in the folder of the unpacked bundle.
command = ["python3", "agent.py"]

# What is in the bundle: * is a part of a name, ** any folders. Everybody can read a bundle.
include = ["agent.py"]

# A file of the bundle that pins what has to be installed, by hash:
# requirements = "requirements.txt"

# Names of variables that only live instances get, from the network. The values never stand here.
# secrets = ["OPENAI_API_KEY"]

[resources]
memory_mib = 512
cpus = 1
""",
    "agent.py": '''\
"""An agent that has no key: it asks the socket that stands beside it."""

import json
import os
import socket
import sys
import time


def ask(method, path, body=None):
    """Ask the daemon; the socket is the whole of the credential."""
    if "KEYMOOT_SOCKET" not in os.environ:
        raise OSError("KEYMOOT_SOCKET is not set: start me with `keymoot agent run`")
    text = "" if body is None else json.dumps(body)
    with socket.socket(socket.AF_UNIX) as way:
        way.connect(os.environ["KEYMOOT_SOCKET"])
        way.sendall(
            f"{{method}} {{path}} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n"
            f"Content-Type: application/json\\r\\nContent-Length: {{len(text)}}\\r\\n\\r\\n"
            f"{{text}}".encode()
        )
        answer = b"".join(iter(lambda: way.recv(65_536), b""))
    head, _, content = answer.partition(b"\\r\\n\\r\\n")
    status = head[9:12].decode() or "nothing"
    if status != "200":
        raise OSError(f"the daemon answers {{status}}: {{content.decode()}}")
    return content.decode()


def main():
    print("I am", ask("GET", "/rofl/v1/app/id"), flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"error: {{error}} (I run beside a daemon: `keymoot agent run`)")
''',
}
"""By name; `{{name}}` is the app's. Braces of the files' own are doubled."""


def starter_files(name: str) -> dict[str, bytes]:
    return {path: text.format(name=name).encode() for path, text in FILES.items()}
