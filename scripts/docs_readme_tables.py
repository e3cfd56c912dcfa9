"""The end of each package's README: its guides, and what it registers and which commands it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from docs_api_pages import GUIDES
from workspace import PACKAGES, REPOSITORY, ROOT, project, wheel_name

BEGIN = "<!-- written by scripts/docs_reference.py -->"
END = "<!-- end of what is written -->"


def render() -> dict[Path, str]:
    """The text of all READMEs, by path below the repository."""
    pages = {}
    for package in PACKAGES:
        path = Path("packages") / package / "README.md"
        text = (ROOT / path).read_text(encoding="utf-8")
        written = "\n".join([BEGIN, *_lines(package), END])
        before, _, after = text.partition(BEGIN)
        rest = after.partition(END)[2] if after else "\n"
        pages[path] = f"{before.rstrip()}\n\n{written}{rest}"
    return pages


def _lines(package: str) -> Iterator[str]:
    docs = f"{REPOSITORY}/blob/main/docs/pages"
    links = [f"[{title}]({docs}/{page}.md)" for title, page in GUIDES[package].items()]
    yield "## Guides and names\n"
    yield f"Guides: {', '.join(links)}.\n"
    points = project(package).get("entry-points", {})
    commands = sorted(points.get("eng.commands", {}))
    if commands:
        yield f"Commands: {', '.join(f'`eng {name}`' for name in commands)}.\n"
    rows = list(_rows(package))
    if rows:
        yield "\n".join(["| registry | names |", "| --- | --- |", *rows, ""])


def _rows(package: str) -> Iterator[str]:
    import eng.registry
    from eng.registry import Registry, list_registered

    for key in sorted(name for name in eng.registry.__all__ if name.isupper()):
        registry = getattr(eng.registry, key)
        if not isinstance(registry, Registry) or key == "COLLATE_FUNCTIONS":
            continue
        found = [
            each.name for each in list_registered(registry) if each.package == wheel_name(package)
        ]
        names = sorted(set(found), key=lambda name: (name.lower(), name))
        if names:
            yield f"| `{key}` | {', '.join(f'`{name}`' for name in names)} |"
