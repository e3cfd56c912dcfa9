"""Run the examples of Markdown pages and docstrings, each page and package in a process of its own.

The blocks of a page run in order, in one namespace and a fresh folder:

- `python` runs; with `title="train.py"` it is written to that file first, with
  `title="train.py, continued"` to its end. Where it registers something, the file is imported
  instead, and where it inherits, read as a config;
- `text` after it is what it printed, where `...` stands for anything;
- `console` runs its lines after `$ ` with bash; the others are found in the output, in order. Of
  `pip install`, only the names and extras of eng-* are checked;
- `bash` is checked by ShellCheck, and written to the file of its title, but not run;
- `toml`, `yaml` and `json` are parsed.

A line `--8<-- "docs/programs/x.py"` of a block is that file. `<!-- skip: next "reason" -->` before
a block leaves it out, `<!-- skip: next if(not cuda, reason="needs a GPU") -->` where that holds for
names of the page; another language is an error.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import json
import logging
import multiprocessing
import os
import pkgutil
import re
import select
import shlex
import signal
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any
from unittest import SkipTest

import yaml
from packaging.requirements import Requirement
from sybil import Document, Example, Lexeme, Region
from sybil.parsers.markdown import SkipParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer
from workspace import PACKAGES, ROOT, project, tomllib, wheel_name

from eng.config import Config

#: Imported once, by the server that all processes are forked from. Optimizers import torch._dynamo.
PRELOADED = [
    "torch._dynamo",
    "eng.runner.runner",
    "packaging.requirements",
    "sybil.parsers.markdown",
]


@dataclass
class Ran:
    """An example that ran, or was skipped for a reason."""

    where: str
    skipped: str = ""


def run_page(page: Path, folder: Path) -> list[Ran]:
    """Run the blocks of a Markdown page in a folder.

    Returns:
        All blocks of the page.

    Raises:
        AssertionError: If one fails; it has its traceback, with the line of the page.
    """
    return in_new_process(_run_page, page, folder)


def run_docstrings(package: str, folder: Path) -> list[Ran]:
    """Run the examples in the docstrings of all modules of a package.

    Returns:
        All lines of examples, skipped ones too.

    Raises:
        AssertionError: If one fails or prints something else; it says which.
    """
    return in_new_process(_run_docstrings, package, folder)


def count_fences(page: Path) -> int:
    """The number of blocks of a page, by its lines alone."""
    marks = re.findall(r"^[ \t]*(?:`{3,}|~{3,})", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(marks) % 2 == 0, f"{page}: a block is not closed"
    return len(marks) // 2


def in_new_process(function: Callable[..., list[Ran]], what: Any, folder: Path) -> list[Ran]:
    """Call a function in a process that has nothing of this one but torch and eng imported."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(PRELOADED)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(function, what, folder, sender))
    process.start()
    sender.close()
    try:
        ran, failure = receiver.recv()
    except EOFError:
        process.join()
        ran, failure = [], f"{what}: its process ended with {process.exitcode}"
    finally:  # a time limit or Ctrl-C, too
        receiver.close()
        _kill(process)
    process.join()
    assert not failure, failure
    return list(ran)


def _kill(process: BaseProcess) -> None:
    """End a process and those that it started."""
    if hasattr(os, "killpg") and process.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _work(function: Callable[..., list[Ran]], what: Any, folder: Path, sender: Connection) -> None:
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
        Thread(target=_end_with_reader, args=(sender.fileno(),), daemon=True).start()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by a job in the background
    multiprocessing.set_start_method(None, force=True)  # that of a script, not the one used here
    os.chdir(folder)
    sys.path.insert(0, str(folder))  # as a script that lies there
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    try:
        sender.send((function(what), ""))
    except BaseException:
        sender.send(([], traceback.format_exc()))


def _end_with_reader(descriptor: int) -> None:
    """End this process and those that it started once nobody waits for its result."""
    waiting = select.poll()
    waiting.register(descriptor, 0)  # errors are always reported
    waiting.poll()
    os.killpg(0, signal.SIGKILL)


def _run_page(page: Path) -> list[Ran]:
    # The namespace is that of a script, so that what it defines can be pickled.
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    document = Document.parse(str(page), _Blocks(), SkipParser())
    document.namespace = main.__dict__
    ran = []
    for example in document.examples():
        if "language" not in example.region.lexemes:  # a comment that skips
            action, reason = example.parsed
            assert reason or action == "end", f"{_place(example)}: skips without a reason"
        try:
            example.evaluate()
        except SkipTest as reason:
            ran.append(Ran(_place(example), str(reason)))
        else:
            ran += [Ran(_place(example))] if "language" in example.region.lexemes else []
    return ran


class _Blocks:
    """A parser of Sybil for the fences of a page, whatever follows their language."""

    _lexer = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[\w-]*)(?P<attributes>[^\n]*)\n"))
    _printed: str | None = None

    def __call__(self, document: Document) -> Iterable[Region]:
        run = {
            "python": self._python,
            "console": self._console,
            "text": self._text,
            "bash": self._bash,
            "toml": lambda example: _parse(tomllib.loads, example),
            "yaml": lambda example: _parse(yaml.safe_load, example),
            "json": lambda example: _parse(json.loads, example),
        }
        for region in self._lexer(document):
            region.parsed = _with_included_files(region.lexemes["source"])
            region.evaluator = run.get(region.lexemes["language"], _refuse)
            yield region

    def _python(self, example: Example) -> None:
        if path := _write_titled(example):
            if re.search(r"^(_base_ = |with read_base\(\))", example.parsed, re.MULTILINE):
                Config.fromfile(path)
                return
            if re.search(r"^@\w+\.register_module", example.parsed, re.MULTILINE):
                name = ".".join(path.with_suffix("").parts)
                if _continues(example) and name in sys.modules:
                    exec(example.parsed, vars(sys.modules[name]))
                else:
                    sys.modules.pop(name, None)
                    importlib.invalidate_caches()
                    importlib.import_module(name)
                names = vars(sys.modules[name]).items()
                example.namespace.update({k: v for k, v in names if not k.startswith("__")})
                return
        padding = "\n" * (example.line + example.parsed.line_offset)  # the lines of the page
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(padding + example.parsed, example.path, "exec"), example.namespace)
        self._printed = printed.getvalue()

    def _bash(self, example: Example) -> None:
        _write_titled(example)
        done = subprocess.run(
            ["shellcheck", "--norc", "--shell=bash", "-"],
            input=example.parsed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{_place(example)}: ShellCheck says\n{done.stdout}"

    def _text(self, example: Example) -> None:
        assert self._printed is not None, f"{_place(example)}: follows no block of Python"
        if not matches(example.parsed.strip(), self._printed.strip()):
            raise AssertionError(f"{_place(example)}: the block before printed\n{self._printed}")

    def _console(self, example: Example) -> None:
        lines = example.parsed.splitlines()
        commands = [line[2:] for line in lines if line.startswith("$ ")]
        installs = [command for command in commands if command.startswith("pip install ")]
        for command in installs:
            _check_install(command, _place(example))
        script = "\n".join(command for command in commands if command not in installs)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{_place(example)}: ended with an error\n{done.stdout}"
        shown = [line for line in lines if line.strip() and not line.startswith("$ ")]
        if not _finds([piece for line in shown for piece in line.split("...")], done.stdout):
            raise AssertionError(f"{_place(example)}: the commands printed\n{done.stdout}")


def _with_included_files(source: Lexeme) -> Lexeme:
    """Put the files that a block includes in place of the lines that name them."""

    def read(line: re.Match[str]) -> str:
        text = (ROOT / line["path"]).read_text(encoding="utf-8").rstrip("\n")
        return textwrap.indent(text, line["indent"])

    text = re.sub(r'^(?P<indent> *)--8<-- "(?P<path>[^"]+)"$', read, source, flags=re.MULTILINE)
    return Lexeme(text, offset=source.offset, line_offset=source.line_offset)


def _write_titled(example: Example) -> Path | None:
    """Write a block with a title to the file of that name, or to its end."""
    title = re.search(r'title="([^",]+)', example.region.lexemes["attributes"])
    if title is None:
        return None
    path = Path(title[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") + "\n\n" if _continues(example) else ""
    path.write_text(before + example.parsed, encoding="utf-8")
    return path


def _continues(example: Example) -> bool:
    return ', continued"' in example.region.lexemes["attributes"]


def _refuse(example: Example) -> None:
    language = example.region.lexemes["language"]
    raise AssertionError(
        f"{_place(example)}: nothing runs a block of language {language!r}; "
        'put <!-- skip: next "reason" --> before it'
    )


def _parse(parse: Callable[[str], Any], example: Example) -> None:
    try:
        parse(example.parsed)
    except (ValueError, yaml.YAMLError) as error:
        raise AssertionError(f"{_place(example)}: {error}") from error


def _place(example: Example) -> str:
    return f"{example.path}:{example.line}"


def matches(pattern: str, text: str) -> bool:
    """Whether the pieces between `...` are the text; unlike a regex, in linear time."""
    first, *pieces = pattern.split("...")
    if not pieces:
        return text == pattern
    last = pieces.pop()
    between = text[len(first) : len(text) - len(last)]
    is_long_enough = len(text) >= len(first) + len(last)
    return (
        is_long_enough
        and text.startswith(first)
        and text.endswith(last)
        and _finds(pieces, between)
    )


def _finds(pieces: Iterable[str], text: str) -> bool:
    """Whether the pieces are found in a text, one after the other."""
    start = 0
    for piece in pieces:
        found = text.find(piece, start)
        if found < 0:
            return False
        start = found + len(piece)
    return True


def _check_install(command: str, where: str) -> None:
    folders = {wheel_name(package): package for package in PACKAGES}
    words = shlex.split(command, comments=True)[2:]
    for word in (word for word in words if not word.startswith("-")):
        requirement = Requirement(word)
        if requirement.name.startswith("eng-"):
            assert requirement.name in folders, f"{where}: there is no wheel {requirement.name}"
            extras = project(folders[requirement.name])["optional-dependencies"]
            missing = requirement.extras - set(extras)
            assert not missing, f"{where}: {requirement.name} has no extras {sorted(missing)}"


def _run_docstrings(package: str) -> list[Ran]:
    logging.disable()  # log lines are not what an example prints
    root = importlib.import_module(f"eng.{package}")
    names = [module.name for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    ran: list[Ran] = []
    said = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    for name in [root.__name__, *(name for name in names if not name.endswith("__main__"))]:
        for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name)):
            for example in test.examples:
                is_skipped = example.options.get(doctest.SKIP, False)
                ran.append(Ran(test.name, "doctest: +SKIP" if is_skipped else ""))
            runner.run(test, out=said.write)
    assert not said.getvalue(), said.getvalue()
    return ran
