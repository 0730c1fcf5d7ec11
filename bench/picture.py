"""Draw how costs grow, from build/bench.json to docs/growth.svg: `python -m bench.picture`."""

import json
import math
import sys
from dataclasses import dataclass
from html import escape

from bench.__main__ import OUT
from bench.network import NODES, WALLETS
from bench.threshold import SIZES

PICTURE = OUT.parent.parent / "docs" / "growth.svg"
WIDTH, HEIGHT, LEFT, TOP, PANEL = 900, 330, 60, 50, 300
COLOURS = ("#1f6f8b", "#c8553d", "#6a994e", "#7a5195")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel: its name, and its points."""

    name: str
    points: list[tuple[float, float]]


def main() -> int:
    if not OUT.exists():
        print(f"{OUT} is missing: run `make bench` first", file=sys.stderr)
        return 1
    found = {row["name"]: row["value"] for row in json.loads(OUT.read_text())}
    signing = "sign_transaction p50 with"
    by_wallets = [(count, found[f"{signing} {count:,} wallets"]) for count in WALLETS]
    by_nodes = [(n, found[f"{signing} {n} enclaves on this machine"]) for n in NODES]
    mine = [(n, found[f"n={n}: presignature, per party on average"]) for n in SIZES]
    spec = [(n, found[f"n={n}: the same in the spec's prototype"]) for n in SIZES]
    share = [(n, found[f"n={n}: FROST Ed25519 share"]) for n in SIZES]
    derived = [(n, found[f"n={n}: derived key at the requester"]) for n in SIZES]
    panels = [
        panel(
            0,
            "A signature from end to end, by wallets on the ledger",
            "wallets",
            [Line("p50, one requester", by_wallets)],
            logarithmic=True,
        ),
        panel(
            1,
            "By enclaves: per party, and end to end on two cores",
            "enclaves",
            [
                Line("presignature", mine),
                Line("… a plain prototype", spec),
                Line("FROST share", share),
                Line("derived key at the requester", derived),
                Line("end to end ÷ 10", [(n, value / 10) for n, value in by_nodes]),
            ],
        ),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    )
    PICTURE.write_text("\n".join([head, *panels, "</svg>\n"]))
    print(f"written to docs/{PICTURE.name}")
    return 0


def panel(
    place: int, title: str, axis: str, lines: list[Line], *, logarithmic: bool = False
) -> str:
    """Draw one panel with its axes from zero."""
    left, bottom = LEFT + place * (PANEL + 2 * LEFT), TOP + 200
    xs = sorted({x for line in lines for x, _ in line.points})
    top = max(y for line in lines for _, y in line.points) * 1.1
    scale = math.log10 if logarithmic else float

    def across(x: float) -> float:
        first, last = scale(xs[0]), scale(xs[-1])
        return left + PANEL * (scale(x) - first) / (last - first)

    def down(y: float) -> float:
        return bottom - 200 * y / top

    parts = [f'<text x="{left}" y="{TOP - 22}" font-weight="bold">{escape(title)}</text>']
    for step in range(5):
        y = top * step / 4
        parts.append(
            f'<line x1="{left}" x2="{left + PANEL}" y1="{down(y):.1f}" y2="{down(y):.1f}" '
            'stroke="#ddd"/>'
            f'<text x="{left - 6}" y="{down(y) + 4:.1f}" text-anchor="end">{y:.3g}</text>'
        )
    parts += [
        f'<text x="{across(x):.1f}" y="{bottom + 16}" text-anchor="middle">{x:,}</text>' for x in xs
    ]
    parts.append(f'<text x="{left - 6}" y="{TOP - 6}" text-anchor="end">ms</text>')
    parts.append(
        f'<text x="{left + PANEL / 2}" y="{bottom + 32}" text-anchor="middle">{axis}</text>'
    )
    for at, line in enumerate(lines):
        colour = (*COLOURS, "#444")[at]
        dashed = ' stroke-dasharray="4 3"' if line.name.startswith("…") else ""
        points = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in line.points)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'
        )
        parts += [
            f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3" fill="{colour}"/>'
            for x, y in line.points
        ]
        column, row = at % 2, at // 2
        x, y = left + column * 160, bottom + 48 + row * 15
        parts.append(
            f'<text x="{x}" y="{y}" fill="{colour}" font-size="11">— {escape(line.name)}</text>'
        )
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
