"""The page of config keys has every key that the Runner reads."""

from __future__ import annotations

import inspect
import re

from docs_coverage import find_missing_keys, runner_keys
from workspace import ROOT

PAGE = ROOT / "docs" / "pages" / "reference" / "config-keys.md"


def test_every_argument_of_the_runner_is_there() -> None:
    from eng.runner import Runner

    assert list(runner_keys()) == list(inspect.signature(Runner).parameters)
    assert find_missing_keys() == []


def test_every_other_key_that_the_runner_reads_is_there() -> None:
    sources = (ROOT / "packages" / "runner" / "src").rglob("*.py")
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    read = set(re.findall(r'(?:runner|self)\.cfg\.get\("(\w+)"', text))
    read |= set(re.findall(r'for key in \("(\w+)", "(\w+)"\):\n +if cfg\.get\(key\)', text)[0])
    assert {"nan_loss", "compile", "activation_checkpointing"} <= read
    headings = set(re.findall(r"^### `(\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert read <= headings
