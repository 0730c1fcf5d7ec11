"""`keymoot net`: the network as its node shows it."""

from cyclopts import App

from keymoot.cli import settings
from keymoot.cli.output import fields, result, warn_simulated

app = App(name="net", help="The network itself.")


@app.command
def status(*, url: str | None = None, json: bool = False) -> None:
    """Show the network: id, height, nodes and what they run.

    Args:
        url: The Keymoot RPC.
        json: Print JSON, with a list "nodes".
    """
    network = settings.network(url)
    identity = network.identity()
    told = network.call("keymoot_network")
    nodes = [
        {
            "identityKey": node["identityKey"],
            "measurement": node["measurement"],
            "simulated": node["simulated"],
        }
        for node in told["nodes"]
    ]
    shown = {
        "network": identity.network.hex0x,
        "url": network.url,
        "chainId": identity.chain_id,
        "height": int(told["height"], 16),
        "version": told["version"],
        "development": told["development"],
        "simulated": identity.simulated,
        "nodes": nodes,
    }
    lines = fields({name: value for name, value in shown.items() if name != "nodes"})
    for at, node in enumerate(nodes):
        lines.append(f"node {at}  {node['identityKey']}  runs {str(node['measurement'])[:18]}…")
    warn_simulated(simulated=identity.simulated)
    result(shown, lines, as_json=json)
