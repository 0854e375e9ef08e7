"""Whether a command that a document names could be run: its program, subcommand, target and options exist."""

import re
import shlex
import subprocess
import sys
from functools import cache
from importlib import import_module
from itertools import dropwhile, groupby
from warnings import catch_warnings, simplefilter

import uvicorn
from celery.bin.celery import celery
from django.core.management import get_commands, load_command_class
from django_typer.management import CommandNode, TyperCommand, get_command
from gunicorn.config import Config as GunicornConfig

from tests.docs.reading import ROOT

# Programs of others; of docker there is no more than its name to check here.
FOREIGN = {"curl", "docker", "pip", "uv", "openssl"}
ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
WITH_SUBCOMMANDS = ("alerts", "backup", "cron", "token")


def problem(command: str) -> str:
    """What is wrong with a command line; empty when nothing is."""
    words = shlex.split(re.sub(r"<[^>]*>|\$\([^)]*\)", "VALUE", command))
    for is_joint, part in groupby(words, key="&&".__eq__):
        own = list(dropwhile(ASSIGNMENT.fullmatch, part))
        if own and not is_joint and (found := _problem(own)):
            return f"{command}: {found}"
    return ""


def _problem(words: list[str]) -> str:
    if "manage.py" in words:
        return _of_manage(words[words.index("manage.py") + 1 :])
    program, rest = words[0], words[1:]
    if program == "sh":
        return problem(rest[rest.index("-c") + 1])
    if program == "celery":
        return _of_celery(rest)
    if program == "gunicorn":
        return _of_gunicorn(rest)
    if program == "uvicorn":
        return _of_uvicorn(rest)
    if program in FOREIGN or program.startswith(".venv/bin/"):
        return ""
    if "/" in program:
        file = ROOT / program
        return "" if file.is_file() and file.stat().st_mode & 0o111 else "there is no such program"
    return "nothing knows this program"


def _of_manage(words: list[str]) -> str:
    name, rest = words[0], words[1:]
    if name not in get_commands():
        return f"manage.py has no command {name!r}"
    if name in WITH_SUBCOMMANDS:
        return _of_subcommand(name, *rest) if rest else ""
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)  # django-typer speaks to typer in an old way
        command = load_command_class(get_commands()[name], name)
        if isinstance(command, TyperCommand):
            return _unknown(rest, _options(command.command_tree))
        parser = command.create_parser("manage.py", name)
    return _unknown(rest, set(parser._option_string_actions))


def _of_subcommand(name: str, subcommand: str, *words: str) -> str:
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)
        try:
            known = get_command(name, TyperCommand).get_subcommand(subcommand)
        except LookupError as missing:
            return str(missing)
    return _unknown(list(words), _options(known))


def _options(node: CommandNode) -> set[str]:
    return {name for option in node.click_command.params for name in option.opts}


def _of_celery(words: list[str]) -> str:
    common = {name for option in celery.params for name in option.opts}
    at = words.index("-A")
    if not hasattr(import_module(words[at + 1]), "celery_app"):
        return f"{words[at + 1]} holds no Celery app"
    before, name, rest = words[:at], words[at + 2], words[at + 3 :]
    if name == "flower":
        return _of_flower(rest)
    if name not in celery.commands:
        return f"celery has no command {name!r}"
    own = {name for option in celery.commands[name].params for name in option.opts}
    return _unknown(before, common) or _unknown(rest, own)


def _of_flower(words: list[str]) -> str:
    import_module("flower.command")
    options = import_module("tornado.options").options
    return _unknown(words, {f"--{name}" for name in options._options})


def _of_gunicorn(words: list[str]) -> str:
    parsed = GunicornConfig().parser().parse_args(words)
    return "" if _can_be_called(*parsed.args[0].split(":")) else f"{parsed.args[0]} cannot be called"


def _of_uvicorn(words: list[str]) -> str:
    options = {name for option in uvicorn.main.params for name in (*option.opts, *option.secondary_opts)}
    return _unknown(words, options) or ("" if _can_be_called(*words[0].split(":")) else f"{words[0]} cannot be called")


@cache
def _can_be_called(module: str, name: str) -> bool:
    """Whether there is such an application; asked of another process, as importing one changes the process."""
    code = f"from {module} import {name}; assert callable({name})"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode == 0


def _unknown(words: list[str], known: set[str]) -> str:
    strange = [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]
    return f"unknown options {strange}" if strange else ""
