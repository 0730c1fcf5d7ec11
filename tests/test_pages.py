"""Pages for people say what is there: folders, links, decisions, exit statuses."""

import re
from pathlib import Path

import pytest

from keymoot.cli import main, output

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/keymoot"
DECISIONS = ROOT / "docs/decisions"
FOLDERS = sorted(page.parent for page in SOURCE.glob("*/README.md"))
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *SOURCE.rglob("*.md"),
    ]
)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
STATUSES = {value for name, value in vars(output).items() if name.startswith("EXIT_")}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folders_page_names_its_files(folder: Path) -> None:
    page = (folder / "README.md").read_text()
    files = {file.name for file in folder.glob("*.py") if not file.name.startswith("__")}
    assert files
    assert sorted(name for name in files if f"`{name}`" not in page) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folders_page_names_no_file_that_is_gone(folder: Path) -> None:
    named = re.findall(r"`([a-z0-9_]+\.py)`", (folder / "README.md").read_text())
    there = {file.name for file in folder.rglob("*.py")}
    assert sorted(set(named) - there) == []


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
    assert re.search(rf"[,;]\s+{status} [a-z]", told)


def test_the_table_of_a_clients_inputs_names_tests_that_there_are() -> None:
    page = (ROOT / "docs/clients.md").read_text()
    files = [file for file in (ROOT / "tests").rglob("test_*.py")]
    names = {file.name for file in files}
    names |= {
        name
        for file in files
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    table = page[page.index("## Every input") : page.index("## What is the node's word")]
    rows = [line.rsplit("|", 2) for line in table.splitlines() if line.startswith("| ")][2:]
    assert rows
    for row in rows:
        named = re.findall(r"`(test_\w+(?:\.py)?)`", row[1])
        assert named, row
        assert set(named) <= names, row
