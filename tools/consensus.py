"""Refuse, in what every replica executes, whatever differs between machines or Pythons.

Receipts, records and state are hashed. A text of `json`'s that 3.13 words otherwise than 3.12,
a digit that a newer Unicode knows, the order of a set: each makes two replicas differ, and the
ledger a fork. The rules are below, one function each; a line that is right all the same says
so: `# consensus: the reason`.

    python -m tools.consensus [FOLDER]

Exit status 1 where something was found.
"""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ["base", "crypto", "store", "policy", "contracts", "committee", "runtime"]
PACKAGES += ["threshold", "attest"]

OUTSIDE = {
    "policy/lint/": "warns people; no replica runs it",
    "base/unix_socket.py": "listens, for daemons and nodes; no replica runs it",
    "contracts/framework/solidity.py": "writes interface files; no replica runs it",
}
"""Files and folders of these packages that no replica executes, and why."""

ALLOWED = re.compile(r"# consensus: \S+")

MODULES = {
    "json": "its messages differ: parse with base.strict_json",
    "datetime": "its calendar writes as the platform does: policy.moment",
    "calendar": "as datetime",
    "zoneinfo": "as datetime",
    "unicodedata": "its tables change with every Python",
    "locale": "differs between machines",
    "platform": "differs between machines",
    "sys": "differs between machines",
    "pprint": "writes as repr does",
    "reprlib": "writes as repr does",
    "textwrap": "knows Unicode's white space",
    "string": "its formatter takes any format",
    "decimal": "integers only",
    "statistics": "integers only",
    "pickle": "not canonical",
    "traceback": "differs between Pythons",
    "uuid": "randomness",
    "gc": "differs between machines",
    "weakref": "differs between machines",
}

INTEGERS = frozenset({"comb", "gcd", "isqrt", "lcm", "prod"})
"""What `math` has about integers."""

FUNCTIONS = {
    "repr": "words of Python's: base.shown or policy.shown",
    "ascii": "words of Python's: base.shown or policy.shown",
    "float": "integers only",
    "complex": "integers only",
    "round": "integers only",
    "hash": "differs between processes",
    "id": "differs between processes",
    "eval": "runs text",
    "exec": "runs text",
    "vars": "knows the code, not the ledger",
    "dir": "knows the code, not the ledger",
    "print": "below the engine nobody prints",
    "open": "below the engine there is no disk",
    "input": "below the engine there is no person",
}

TABLES = frozenset(
    {
        *("isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha", "isidentifier", "isspace"),
        *("isprintable", "islower", "isupper", "istitle", "lower", "upper", "title", "casefold"),
        *("capitalize", "swapcase", "splitlines", "expandtabs"),
    }
)
"""Methods of text that ask Unicode's tables, which change with every Python."""

WHITE_SPACE = frozenset({"strip", "lstrip", "rstrip", "split", "rsplit"})
"""Methods that mean Unicode's white space where they are told nothing else."""

CLASSES = re.compile(r"\\[dDwWsSbB]")
"""Classes of a pattern that mean Unicode's, but for bytes and with re.ASCII."""

ANY_ORDER = frozenset({"sorted", "len", "sum", "min", "max", "any", "all", "set", "frozenset"})
"""What gives the same in whatever order."""

UNTOLD = re.compile(r"(Any|object|Json|list|dict|tuple|set|frozenset|bytes|bytearray|Mapping)\b")
"""Annotations of what Python would write with `repr`, in part or whole."""


def findings(source: str) -> Iterator[tuple[int, str]]:
    """Give the line and the words of whatever a module may not do."""
    tree = ast.parse(source)
    lines = source.splitlines()
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    own = _own_names(tree)
    for node in ast.walk(tree):
        for why in _wrong(node, parents, own):
            line = getattr(node, "lineno", 0)
            end = getattr(node, "end_lineno", line)
            if not any(ALLOWED.search(lines[at - 1]) for at in range(line, end + 1)):
                yield line, why


def _wrong(node: ast.AST, parents: dict[ast.AST, ast.AST], own: frozenset[str]) -> Iterator[str]:
    yield from _imports(node)
    yield from _numbers(node)
    yield from _calls(node)
    yield from _patterns(node)
    yield from _texts(node, parents)
    yield from _orders(node, parents)
    if isinstance(node, ast.ExceptHandler):
        yield from _others_words(node, own)


def _imports(node: ast.AST) -> Iterator[str]:
    names = []
    if isinstance(node, ast.Import):
        names = [one.name for one in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module]
    for name in names:
        top = name.split(".", maxsplit=1)[0]
        if top in MODULES:
            yield f"import of {name}: {MODULES[top]}"
        if top == "math":
            given = {one.name for one in node.names} if isinstance(node, ast.ImportFrom) else {""}
            if not given <= INTEGERS:
                yield "of math only what is about integers"


def _numbers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
        yield f"{node.value}: integers only"
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
        yield "true division gives a float: use //"


def _calls(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    called = node.func
    if isinstance(called, ast.Name) and called.id in FUNCTIONS:
        yield f"{called.id}(): {FUNCTIONS[called.id]}"
    if isinstance(called, ast.Attribute):
        if called.attr in TABLES:
            yield f".{called.attr}() asks Unicode's tables: name the characters (base.digits)"
        if called.attr in WHITE_SPACE and not node.args:
            yield f".{called.attr}() means Unicode's white space: name the characters"
    reads = isinstance(called, ast.Name) and called.id == "int" and node.args
    if reads and not isinstance(node.args[0], ast.Constant):
        yield "int() reads other scripts' digits, spaces and _: use base.digits, or say why not"


def _patterns(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    if not isinstance(node.func.value, ast.Name) or node.func.value.id != "re":
        return
    flags = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    if flags & {"I", "IGNORECASE"} and not flags & {"A", "ASCII"}:
        yield "a pattern without case asks Unicode's tables: add re.ASCII"
    for part in node.args:
        for text in ast.walk(part):
            value = text.value if isinstance(text, ast.Constant) else None
            if isinstance(value, str) and CLASSES.search(value) and not flags & {"A", "ASCII"}:
                yield f"{CLASSES.search(value)[0]} means Unicode's class: write [0-9] and the like"  # type: ignore[index]


def _texts(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[str]:
    if isinstance(node, ast.FormattedValue):
        if node.conversion in (ord("r"), ord("a")):
            yield f"!{chr(node.conversion)}: words of Python's: base.shown or policy.shown"
        yield from _untold(node.value, parents)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str":
        for one in node.args:
            yield from _untold(one, parents)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        left = node.left.value if isinstance(node.left, ast.Constant) else None
        if isinstance(left, str):
            yield "% on text: use an f-string of checked values"
    if isinstance(node, ast.Attribute) and node.attr in ("__name__", "__qualname__"):
        called = node.value.func if isinstance(node.value, ast.Call) else None
        if getattr(called, "id", "") == "type":
            yield "the name of a class that we may not own: use a word of ours"


def _untold(value: ast.expr, parents: dict[ast.AST, ast.AST]) -> Iterator[str]:
    """Find a name that is written as text and annotated as something that has no one form."""
    if isinstance(value, (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.SetComp)):
        yield "a container as text: policy.shown, or words of ours"
    if not isinstance(value, ast.Name):
        return
    place: ast.AST | None = value
    while place is not None and not isinstance(place, (ast.FunctionDef, ast.Lambda)):
        place = parents.get(place)
    if not isinstance(place, ast.FunctionDef):
        return
    known = {one.arg: one.annotation for one in _parameters(place)}
    for one in ast.walk(place):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            known[one.target.id] = one.annotation
    annotation = known.get(value.id)
    if annotation is not None and UNTOLD.match(ast.unparse(annotation).strip("'\"")):
        kind = ast.unparse(annotation)
        yield f"{value.id} is {kind}: as text it is Python's words: base.shown or policy.shown"


def _parameters(function: ast.FunctionDef) -> list[ast.arg]:
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def _orders(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[str]:
    if not isinstance(node, (ast.For, ast.comprehension)) or not _is_set(node.iter):
        return
    place = parents.get(node)
    if isinstance(place, (ast.SetComp, ast.DictComp)):
        return
    around = parents.get(place) if place is not None else None
    called = around.func if isinstance(around, ast.Call) else None
    if (
        isinstance(place, (ast.GeneratorExp, ast.ListComp))
        and getattr(called, "id", "") in ANY_ORDER
    ):
        return
    yield "a set has no order: sort it"


def _is_set(value: ast.expr) -> bool:
    if isinstance(value, (ast.Set, ast.SetComp)):
        return True
    if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.BitOr, ast.BitAnd, ast.Sub)):
        return _is_set(value.left) or _is_set(value.right) or _is_keys(value.left)
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") in ("set", "frozenset")


def _is_keys(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and getattr(value.func, "attr", "") == "keys"


def _others_words(handler: ast.ExceptHandler, own: frozenset[str]) -> Iterator[str]:
    """An error of others may be named as a cause, and nothing more."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    if handler.name is None or all(isinstance(c, ast.Name) and c.id in own for c in caught):
        return
    causes = {one.cause for one in ast.walk(handler) if isinstance(one, ast.Raise)}
    for one in ast.walk(handler):
        if isinstance(one, ast.Name) and one.id == handler.name and one not in causes:
            yield f"{handler.name} may be another's error: its words and its class are not ours"


def _own_names(tree: ast.Module) -> frozenset[str]:
    """Give the names of classes that are ours: imported from keymoot, or made here."""
    found = {one.name for one in ast.walk(tree) if isinstance(one, ast.ClassDef)}
    for one in ast.walk(tree):
        if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("keymoot."):
            found |= {each.asname or each.name for each in one.names}
    return frozenset(found) - set(dir(builtins))


def check(folder: Path) -> list[str]:
    """Give a line for everything that is found in the consensus packages of `folder`."""
    found = []
    for package in PACKAGES:
        for path in sorted((folder / package).rglob("*.py")):
            if path.relative_to(folder).as_posix().startswith(tuple(OUTSIDE)):
                continue
            for line, why in sorted(findings(path.read_text())):
                found.append(f"{path}:{line}: {why}")
    return found


def main() -> int:
    """Print what is found; 1 where there is something."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "src/keymoot")
    found = check(folder)
    print("\n".join(found) or "Nothing in consensus depends on the machine or its Python.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
