"""Draw the packages and what they import, into docs/architecture.md.

    python -m tools.packages

The floors are import-linter's (pyproject.toml), the arrows are the code's own imports. An arrow
that a longer way says already is left out of the drawing and stands in the table.
"""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "keymoot"
PAGE = ROOT / "docs" / "architecture.md"

BEGIN = "<!-- written by `make pages`: from here -->"
END = "<!-- written by `make pages`: to here -->"


def floors() -> list[list[str]]:
    """Give the packages of each floor, from the top."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = rules["contracts"][0]["layers"]
    return [[one.strip().removeprefix("keymoot.") for one in row.split("|")] for row in layers]


def imports_of(package: Path) -> set[str]:
    """Give the other packages that any file of a package imports, wherever in it."""
    found: set[str] = set()
    for file in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [f"{node.module}.{one.name}" for one in node.names]
            elif isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            else:
                continue
            parts = [name.split(".") for name in names]
            found |= {one[1] for one in parts if one[0] == SOURCE.name and len(one) > 1}
    return {one for one in found if (SOURCE / one).is_dir()} - {package.name}


def reduced(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out what follows from the rest; there are no circles."""
    below: dict[str, set[str]] = {}

    def all_below(one: str) -> set[str]:
        if one not in below:
            below[one] = set()
            for other in arrows[one]:
                below[one] |= {other} | all_below(other)
        return below[one]

    return {
        one: {to for to in some if not any(to in all_below(by) for by in some - {to})}
        for one, some in arrows.items()
    }


def says(package: str) -> str:
    """Give the first line of a package's docstring."""
    text = ast.get_docstring(ast.parse((SOURCE / package / "__init__.py").read_text()))
    return (text or "").splitlines()[0].rstrip(".")


def drawing() -> str:
    """Give the generated part of the page."""
    rows = floors()
    order = [one for row in rows for one in row]
    arrows = {one: imports_of(SOURCE / one) for one in order}
    lines = ["```mermaid", "flowchart TD"]
    for number, row in enumerate(rows):
        lines.append(f'  subgraph floor{number} [" "]')
        lines += [f"    {one}" for one in row]
        lines.append("  end")
    for one, some in reduced(arrows).items():
        lines += [f"  {one} --> {other}" for other in order if other in some]
    lines += ["```", "", "| package | | imports |", "| --- | --- | --- |"]
    for one in order:
        link = f"[`{one}`](../src/keymoot/{one}/README.md)"
        below = ", ".join(other for other in order if other in arrows[one])
        lines.append(f"| {link} | {says(one)} | {below} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """Give a page with its generated part written anew."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{drawing()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
