"""The page of every config key, out of signatures and docstrings of the Runner and its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import fill
from typing import Any

import docs_api_pages
import griffe
from docs_commands import page_title
from workspace import ROOT, tomllib

PAGE = Path("docs/pages/reference/config-keys.md")
KEYS = ROOT / "docs" / "config-keys.toml"
#: What the Runner gives to its loops, and what no config gives.
NOT_KEYS = {"runner", "dataloader", "evaluator", "**kwargs", "image", "name", "optimizer"}


def render() -> dict[Path, str]:
    """The text of the page, by its path below the repository."""
    given = _given()
    runner = _parameters("eng.runner.Runner")
    sections = [
        "\n".join([f"## {group}\n", *(_section(key, about, runner) for key, about in keys.items())])
        for group, keys in given["groups"].items()
    ]
    return {PAGE: "\n".join([given["head"], *sections])}


def _section(key: str, about: dict[str, Any], runner: dict[str, Any]) -> str:
    default = about.get("default") or _default(runner[key].default)
    text = about.get("about") or _prose(runner[key].description)
    lines = [f"### `{key}`\n", fill(f"{text}", 118, break_on_hyphens=False), ""]
    lines += [f"Type: {about['type']}. Default: {default}.\n"]
    if about["example"]:
        lines += [f"```python\n{about['example'].strip()}\n```\n"]
    for part in about.get("parts", []):
        lines += [_table(part)]
    pages = [f"[{page_title(page)}](../{page}.md)" for page in about["guides"]]
    return "\n".join([*lines, "More: " + ",\n".join(pages) + ".\n"])


def _table(part: str) -> str:
    if part in _given()["tables"]:
        return str(_given()["tables"][part])
    if part == "randomness":
        return _rows(_parameters("eng.runner.Runner.set_randomness"))
    if part == "default hooks":
        return "\n".join(_default_hooks())
    return f"Keys of [`{part}`][{part}]:\n\n" + _rows(_parameters(part))


def _default_hooks() -> Iterator[str]:
    from eng.runner.hook_list import DEFAULT_HOOKS

    yield "| name | hook | |\n| --- | --- | --- |"
    for name, config in DEFAULT_HOOKS.items():
        hook = f"eng.hooks.{config['type']}"
        docstring = docs_api_pages.load()[hook.removeprefix("eng.")].docstring
        line = " ".join(docstring.value.split("\n\n")[0].split()) if docstring else ""
        yield f"| `{name}` | [`{config['type']}`][{hook}] | {line} |"
    yield ""
    for name in ("logger", "checkpoint"):
        hook = f"eng.hooks.{DEFAULT_HOOKS[name]['type']}"
        yield f"Keys of [`{name}`][{hook}]:\n\n{_rows(_parameters(hook))}"


def _rows(parameters: dict[str, Any]) -> str:
    rows = ["| key | default | meaning |", "| --- | --- | --- |"]
    for name, parameter in parameters.items():
        if name not in NOT_KEYS:
            meaning = _prose(parameter.description).replace("|", "\\|")
            rows.append(f"| `{name}` | {_default(parameter.default)} | {meaning} |")
    return "\n".join([*rows, ""])


def _default(default: Any) -> str:
    if default is None:
        return "required"
    return f"`{default}`"


def _prose(text: str) -> str:
    text = re.sub(
        r"\s*Defaults to (None|True|False|-?[\d.]+|``[^`]*``)\.(?=\s|$)", "", " ".join(text.split())
    )
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def _parameters(path: str) -> dict[str, Any]:
    found = docs_api_pages.load()[path.removeprefix("eng.")]
    target = found.final_target if found.is_alias else found
    assert target.docstring is not None, path
    sections = target.docstring.parse("google", warnings=False)
    return {
        parameter.name: parameter
        for section in sections
        if section.kind is griffe.DocstringSectionKind.parameters
        for parameter in section.value
    }


@cache
def _given() -> dict[str, Any]:
    return tomllib.loads(KEYS.read_text(encoding="utf-8"))
