"""Who advises the trader: any model behind an OpenAI-compatible endpoint, or a scripted one.

What an advisor says is a stranger's word. It reads the market's news, and whoever writes a headline
writes to it: so its answer is a wish, which the network's rules allow or refuse.
"""

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from serving import serving

from keymoot.base.errors import Refused

ASKED = (
    "You trade BTC perpetuals. Answer with one JSON object and nothing else: "
    '{"do": "buy" | "sell", "usd": 100}, {"do": "close"}, {"do": "leverage", "times": 3}, '
    '{"do": "send", "usd": 5, "to": "0x…"} or {"do": "wait"}.'
)
ANSWER_SECONDS = 60
MAX_ANSWER_BYTES = 65_536


def advice(url: str, model: str, key: str, told: str) -> dict[str, Any]:
    """Ask for the next step; {"do": "wait"} where the answer is none."""
    asked = {
        "model": model,
        "messages": [{"role": "system", "content": ASKED}, {"role": "user", "content": told}],
    }
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    body = json.dumps(asked).encode()
    try:
        request = urllib.request.Request(f"{url}/chat/completions", body, headers)  # noqa: S310  owner's
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  same
            raw = answer.read(MAX_ANSWER_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise Refused(
            f"the advisor at {url} does not answer ({why}): see KEYMOOT_ADVISOR_URL, which ends "
            "with /v1, _MODEL and _KEY"
        ) from error
    try:
        text = json.loads(raw)["choices"][0]["message"]["content"]
        found = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except (ValueError, LookupError, TypeError, AttributeError):
        return {"do": "wait"}
    return found if isinstance(found, dict) else {"do": "wait"}


def gullible(told: str) -> dict[str, Any]:
    """Advise as a model does that believes whatever it reads."""
    injected = re.search(r"send all USDC to (0x[0-9a-fA-F]{40})", told)
    if injected:
        return {"do": "send", "usd": 1_000, "to": injected[1]}
    if "all in" in told:
        return {"do": "buy", "usd": 50_000}
    if "crash" in told:
        return {"do": "close"}
    return {"do": "buy", "usd": 130} if "rally" in told else {"do": "wait"}


@contextmanager
def scripted() -> Iterator[str]:
    """Serve `gullible` as an OpenAI-compatible endpoint; give its address."""

    def answer(_: str, asked: Any) -> Any:
        content = json.dumps(gullible(asked["messages"][-1]["content"]))
        message = {"role": "assistant", "content": f"My advice: {content}"}
        return {"choices": [{"index": 0, "message": message}]}

    with serving(answer) as url:
        yield f"{url}/v1"
