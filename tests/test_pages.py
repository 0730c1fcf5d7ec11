"""Pages for people say what is there: folders, links, decisions, exit statuses."""

import re
from pathlib import Path

import pytest

from keymoot.cli import main, output
from keymoot.testing.deeds import Deeds
from keymoot.testing.network import memory
from keymoot.testing.notes import SOMETIMES
from tools import packages

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/keymoot"
DECISIONS = ROOT / "docs/decisions"
FOLDERS = sorted(page.parent for page in [*SOURCE.rglob("*/README.md"), ROOT / "demo/README.md"])
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *SOURCE.rglob("*.md"),
        ROOT / "demo/README.md",
    ]
)
WRAPPED = [page for page in PAGES if page.name != "CHANGELOG.md"]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
STATUSES = {value for name, value in vars(output).items() if name.startswith("EXIT_")}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folders_page_names_its_files(folder: Path) -> None:
    page = (folder / "README.md").read_text()
    files = {file.name for file in folder.glob("*.py") if not file.name.startswith("__")}
    parts = {inner.parent.name for inner in folder.glob("*/__init__.py")}
    assert files | parts
    assert sorted(name for name in files if f"`{name}`" not in page) == []
    assert sorted(name for name in parts if not re.search(f"`{name}[`/]", page)) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folders_page_names_no_file_that_is_gone(folder: Path) -> None:
    named = re.findall(r"`([a-z0-9_]+\.py)`", (folder / "README.md").read_text())
    there = {file.name for file in folder.rglob("*.py")}
    assert sorted(set(named) - there) == []


WALKS = sorted((ROOT / "docs/walks").glob("*.md"))


@pytest.mark.parametrize(
    "page", [ROOT / "docs/architecture.md", *WALKS], ids=lambda page: page.stem
)
def test_a_walk_leads_through_what_is_there(page: Path) -> None:
    named = set(re.findall(r"`([a-z0-9_/]+(?:\.py|/))[`:]", page.read_text()))
    assert page.stem == "architecture" or named
    assert (
        sorted(name for name in named if not any((at / name).exists() for at in (SOURCE, ROOT)))
        == []
    )


def test_links_lead_somewhere() -> None:
    dead = [
        (page.relative_to(ROOT).as_posix(), link)
        for page in PAGES
        for link in LINK.findall(page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert dead == []


def test_the_list_of_decisions_is_whole_and_in_order() -> None:
    listed = re.findall(
        r"^\| \[(\d+)\]\((\S+)\) \|", (DECISIONS / "README.md").read_text(), re.MULTILINE
    )
    pages = sorted(page.name for page in DECISIONS.glob("0*.md"))
    assert [name for _, name in listed] == pages
    assert [int(number) for number, _ in listed] == [int(name[:4]) for name in pages]
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    for name in pages:
        assert (DECISIONS / name).read_text().startswith(f"# {int(name[:4])}. "), name


@pytest.mark.parametrize("status", sorted(STATUSES))
@pytest.mark.parametrize("page", ["help", "page"])
def test_exit_statuses_are_all_told(status: int, page: str) -> None:
    text = main.HELP if page == "help" else (SOURCE / "cli/README.md").read_text()
    told = text.split("Exit status: 0 done", 1)[1]
    assert re.search(rf"[,;]\s+{status}\s+[a-z]", told)


def names_of_tests() -> set[str]:
    """Give every test's name, and every file's."""
    files = list((ROOT / "tests").rglob("test_*.py"))
    names = {file.name for file in files}
    for file in files:
        text = file.read_text()
        names |= set(re.findall(r"^\s*(?:async )?def (test_\w+)", text, re.MULTILINE))
    return names


def rows_of_tests(text: str) -> list[str]:
    """Give the last cell of each row of each table whose last column is called "test"."""
    found, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[-1] == "test":
            inside = True
        elif inside and set(line) - set("|- "):
            found.append(cells[-1])
    return found


@pytest.mark.parametrize(("page", "least"), [("clients.md", 20), ("threats.md", 70)])
def test_the_tests_that_a_page_names_are_there(page: str, least: int) -> None:
    names = names_of_tests()
    rows = rows_of_tests((ROOT / "docs" / page).read_text())
    assert len(rows) >= least
    for row in rows:
        named = re.findall(r"`(test_\w+(?:\.py)?)`", row)
        assert named, row
        assert set(named) <= names, row


def test_assumptions_are_numbered_and_the_numbers_lead_somewhere() -> None:
    page = (ROOT / "docs/threats.md").read_text()
    numbers = [int(one) for one in re.findall(r"^\* \*\*A(\d+)\.\*\*", page, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {int(one) for one in re.findall(r"\bA(\d+)\b", page)} <= set(numbers)


def test_the_drawing_of_the_packages_is_the_codes() -> None:
    assert packages.page(packages.PAGE.read_text()) == packages.PAGE.read_text(), "run: make pages"


def test_every_package_is_on_a_floor_and_arrows_go_down() -> None:
    rows = packages.floors()
    order = [one for row in rows for one in row]
    there = {file.parent.name for file in SOURCE.glob("*/__init__.py")}
    assert sorted(order) == sorted(there)
    for number, row in enumerate(rows):
        below = {one for lower in rows[number + 1 :] for one in lower}
        for one in row:
            assert packages.imports_of(SOURCE / one) <= below, one


def test_an_arrow_that_follows_from_others_is_not_drawn() -> None:
    arrows = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}
    assert packages.reduced(arrows) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_lines_of_pages_fit_a_narrow_window() -> None:
    """Words wrap at 100 characters; rows of tables, examples and single long links do not."""
    long = []
    for page in WRAPPED:
        inside = False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if line.startswith("```"):
                inside = not inside
            elif len(line) > 100 and not inside and not line.startswith(("|", "    ")):
                long.append(f"{page.relative_to(ROOT)}:{number} ({len(line)})")
    assert long == []


def test_the_page_of_simulation_has_all_that_is_done_and_has_to_happen(tmp_path: Path) -> None:
    page = (ROOT / "docs/simulation.md").read_text()
    done = re.findall(r"^\| ([a-z ]+) \| .* \| (\d+) \|$", page, re.MULTILINE)
    with memory(0, tmp_path) as world:
        weights = Deeds(world)._weights()
    assert {name: int(weight) for name, weight in done} == {
        deed.__name__.strip("_").replace("_", " "): weight for deed, weight in weights.items()
    }
    table = page[page.index("| in some run |") : page.index("## Replaying")]
    assert tuple(re.findall(r"^\| ([^|]+) \| \w", table, re.MULTILINE)) == SOMETIMES
