"""The page of the order of hooks, out of the hooks."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workspace import ROOT

PAGE = Path("docs/pages/reference/hook-order.md")
TEMPLATE = ROOT / "docs" / "templates" / "hook-order.md"
_SHARED = {"_before_epoch", "_after_epoch", "_before_iter", "_after_iter"}


def render() -> dict[Path, str]:
    """The text of the page, by its path below the repository."""
    text = TEMPLATE.read_text(encoding="utf-8")
    parts = {
        "@example": _run_example([part.split("```")[0] for part in text.split("```python\n")[1:]]),
        "@stages": "\n".join(_stages()),
        "@priorities": "\n".join(_priorities()),
        "@hooks": "\n".join(_hooks()),
    }
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return {PAGE: text}


def _run_example(blocks: list[str]) -> str:
    """What the last block of the page prints, run as the page runs it."""
    printed = io.StringIO()
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        programs = ROOT / "docs" / "programs"
        for name in ("tiny.py", "config.py"):
            (Path(folder) / name).write_text((programs / name).read_text("utf-8"), "utf-8")
        before = Path.cwd()
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            names: dict[str, object] = {}
            exec("".join(blocks[:-1]), names)
            with contextlib.redirect_stdout(printed):
                exec(blocks[-1], names)
        finally:
            os.chdir(before)
            sys.path.remove(folder)
            logging.disable(logging.NOTSET)
    return "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())


def _stages() -> Iterator[str]:
    from eng.hooks import Hook

    yield "| stage | when | arguments | method for all modes |\n| --- | --- | --- | --- |"
    for stage in Hook.stages:
        method = getattr(Hook, stage)
        when = (inspect.getdoc(method) or "").split("\n")[0]
        names = [f"`{name}`" for name in inspect.signature(method).parameters][2:]
        shared = next((name for name in _SHARED if f"{name}(" in inspect.getsource(method)), "")
        yield f"| `{stage}` | {when} | {', '.join(names)} | {f'`{shared}`' if shared else ''} |"


def _priorities() -> Iterator[str]:
    from eng.hooks import Priority

    yield "| name | value |\n| --- | --- |"
    yield from (f"| `{priority.name}` | {priority.value} |" for priority in Priority)


def _hooks() -> Iterator[str]:
    import eng.hooks
    from eng.hooks import Hook, get_priority

    found = [getattr(eng.hooks, name) for name in eng.hooks.__all__]
    hooks = [each for each in found if inspect.isclass(each) and issubclass(each, Hook)]
    yield "| hook | priority | stages |\n| --- | --- | --- |"
    for hook in sorted(hooks, key=lambda hook: (get_priority(hook.priority), hook.__name__)):
        if hook is not Hook:
            stages = ", ".join(f"`{stage}`" for stage in hook.get_triggered_stages())
            link = f"[`{hook.__name__}`][eng.hooks.{hook.__name__}]"
            yield f"| {link} | `{hook.priority}` | {stages} |"
