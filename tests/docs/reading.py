"""Reading documents: their tables, links and commands, and which variables the code reads."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.ro.md")
DOCUMENTS = [ROOT / name for name in (*READMES, "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)

# Where variables are read, and by which calls; PYTHONWARNINGS is Python's own.
READERS = ("config", "local", "access/management/commands")
ENVIRONMENTS = {"environ", "ENV", "environment"}
SECRETS = {"_required", "_secret", "secret"}
FOREIGN = {"PYTHONWARNINGS"}


def between(text: str, mark: str) -> str:
    """What stands between <!-- mark --> and <!-- /mark -->."""
    found = re.search(rf"<!-- {mark} -->\n(.*?)\n<!-- /{mark} -->", text, re.DOTALL)
    assert found, f"there are no marks <!-- {mark} --> … <!-- /{mark} -->"
    return found[1]


def table(text: str) -> list[list[str]]:
    """The rows of a Markdown table, without its head, as cells."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    return rows[2:]


def links(text: str) -> list[str]:
    """Where its links point to."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


def shell_lines(text: str) -> list[str]:
    """The commands in its shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = (re.sub(r"\s+#.*", "", line).strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


def inline_commands(text: str) -> list[str]:
    """Commands in running text: `bin/…`, `manage.py …`, `celery …`, `gunicorn …`, `docker/…`."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return re.findall(r"`((?:bin/|docker/|bench/run|manage\.py |celery -A |gunicorn )[^`…]*)`", prose)


def variables_read() -> set[str]:
    """The names of the environment variables that the code reads, CRON_* excepted."""
    nodes = [node for tree in _trees() for node in ast.walk(tree)]
    return {name for node in nodes for name in (*_asked_of_environment(node), *_asked_by(node, SECRETS))} - FOREIGN


def required_variables() -> set[str]:
    """Those without which nothing starts; each may also come as NAME_FILE."""
    return {name for tree in _trees() for node in ast.walk(tree) for name in _asked_by(node, {"_required"})}


def _trees() -> Iterator[ast.Module]:
    for folder in READERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(file.read_text())


def _asked_of_environment(node: ast.AST) -> list[str]:
    match node:
        case ast.Call(func=ast.Attribute(value=asked, attr="get" | "pop"), args=[key, *_]):
            pass
        case ast.Subscript(value=asked, slice=key, ctx=ast.Load()) | ast.Compare(left=key, comparators=[asked]):
            pass
        case _:
            return []
    return _names(key) if _name(asked) in ENVIRONMENTS else []


def _asked_by(node: ast.AST, functions: set[str]) -> list[str]:
    if isinstance(node, ast.Call) and _name(node.func) in functions:
        return [name for argument in node.args for name in _names(argument)]
    return []


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _names(node: ast.AST) -> list[str]:
    is_name = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isupper()
    return [node.value] if is_name else []
