"""Pages of the API: one for each package, which the builder fills from docstrings."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import fill
from typing import Any

import griffe
from workspace import ENGINE, PACKAGES, ROOT, project, wheel_name

FOLDER = Path("docs/pages/reference/api")
#: Titles and pages of the guides to a package, below docs/pages.
GUIDES = {
    "utils": {"Utilities": "guides/utilities"},
    "cli": {"The eng command": "reference/eng-command"},
    "registry": {"Names and registries": "guides/registries"},
    "fileio": {"Files and storage": "guides/files-and-storage"},
    "config": {"Configs": "guides/configs"},
    "logging": {"Logs": "guides/logs"},
    "device": {"Install": "start/install", "Train faster": "recipes/train-faster"},
    "dist": {"Several processes": "guides/several-processes"},
    "dl_utils": {"Utilities": "guides/utilities"},
    "structures": {"Data elements": "guides/data-elements"},
    "checkpoint": {
        "Fine-tune and load other weights": "recipes/fine-tune",
        "Resume exactly": "recipes/resume-exactly",
    },
    "dataset": {"Datasets": "guides/datasets", "Transforms": "guides/transforms"},
    "evaluator": {"Metrics": "guides/metrics"},
    "optim": {
        "Optimizers and parameter groups": "guides/optimizers",
        "Schedules": "guides/schedules",
    },
    "model": {"Models": "guides/models", "Initialise weights": "guides/initialise-weights"},
    "analysis": {"Fit into memory": "recipes/fit-into-memory", "Utilities": "guides/utilities"},
    "vis": {"Curves and pictures": "guides/curves-and-pictures"},
    "hooks": {"Hooks": "guides/hooks", "Hook order": "reference/hook-order"},
    "runner": {
        "Loops and intervals": "guides/loops-and-intervals",
        "Every config key": "reference/config-keys",
    },
    "hub": {"Use modules of other libraries": "recipes/other-libraries"},
    "infer": {"Predict with a trained model": "recipes/predict"},
    "all": {"Install": "start/install"},
    "mmengine": {"From MMEngine in ten minutes": "moving/from-mmengine"},
}


def render() -> dict[Path, str]:
    """The text of all pages, by path below the repository."""
    return {FOLDER / f"{package}.md": _page(package) for package in PACKAGES}


def _page(package: str) -> str:
    about = project(package)
    head = [
        f"# eng.{package} {{ #eng.{package} }}",
        "",
        fill(
            f"{about['description'].rstrip('.')}. {_needs(package)}",
            118,
            break_on_hyphens=False,
            break_long_words=False,
        ),
        "",
        "```console",
        f"$ pip install {wheel_name(package)}",
        "```",
        "",
        "Guides:\n" + ",\n".join(f"[{t}](../../{p}.md)" for t, p in GUIDES[package].items()) + ".",
        "",
    ]
    if package == "all":
        return "\n".join([*head, *_names_of_all(), ""])
    elsewhere = list(_exported_again(package))
    tail = ["", "## Also importable from here", "", "| name | documented as |", "| --- | --- |"]
    rows = [f"| `{name}` | [`{target}`][{target}] |" for name, target in elsewhere]
    return "\n".join([*head, f"::: eng.{package}", *(tail + rows if rows else []), ""])


def _needs(package: str) -> str:
    needed = [
        line.split(">")[0].split("~")[0].split("[")[0] for line in project(package)["dependencies"]
    ]
    extras = [
        extra for extra in project(package).get("optional-dependencies", {}) if extra != "test"
    ]
    bring = f" Extras: {', '.join(f'`{extra}`' for extra in extras)}." if extras else ""
    if package == "all":
        return f"It needs every package below it.{bring}"
    return (f"It needs {', '.join(needed)}." if needed else "It needs nothing else.") + bring


def _exported_again(package: str) -> Iterator[tuple[str, str]]:
    """Names of `__all__` that another package or library defines, and where they are documented."""
    module = load()[package]
    for name in sorted(map(str, _exports()[package])):
        if name not in map(str, module.exports or []):
            target = _extension().defined_at(module.members[name])
            yield name, _public().get(target, target)


def _names_of_all() -> Iterator[str]:
    yield from ("| name | package | |", "| --- | --- | --- |")
    homes: dict[str, str] = {}
    for package in ENGINE:
        for name in map(str, _exports()[package]):
            homes.setdefault(name, package)
    for name, package in sorted(homes.items(), key=lambda item: (item[0].lower(), item[0])):
        target = dict(_exported_again(package)).get(name, f"eng.{package}.{name}")
        line = _first_line(target)
        yield f"| [`{name}`][{target}] | [eng.{package}]({package}.md) | {line} |"


def _first_line(path: str) -> str:
    try:
        docstring = load()[path.removeprefix("eng.")].docstring
    except KeyError:  # of another library
        return ""
    text = docstring.value.split("\n\n")[0] if docstring else ""
    return " ".join(text.replace("|", "\\|").split())


@cache
def _exports() -> dict[str, list[str]]:
    from eng.all.exports import EXPORTS

    return {**{package: list(names) for package, names in EXPORTS.items()}, "mmengine": []}


@cache
def _public() -> dict[str, str]:
    """Public paths of names by the paths of the modules that define them."""
    return {
        _extension().defined_at(member): f"eng.{package}.{name}"
        for package in reversed(ENGINE)
        for name, member in load()[package].members.items()
        if name in map(str, load()[package].exports or [])
    }


@cache
def _extension() -> Any:
    sys.path.insert(0, str(ROOT / "docs" / "extensions"))
    return importlib.import_module("sphinx_roles")


@cache
def load() -> griffe.Module:
    """All packages as the builder reads them."""
    return griffe.load(
        "eng",
        search_paths=sorted((ROOT / "packages").glob("*/src")),
        extensions=griffe.load_extensions(str(ROOT / "docs/extensions/sphinx_roles.py")),
        docstring_parser="google",
        try_relative_path=False,
    )
