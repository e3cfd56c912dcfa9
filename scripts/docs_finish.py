"""Finish a built site: what it would fetch from elsewhere, and pages that moved."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from workspace import ROOT

VENDOR = ROOT / "docs" / "vendor" / "iframe-worker"
MOVED = ROOT / "docs" / "moved.txt"
#: Where the theme names the shim that lets search work without a server.
REMOTE_SHIM = "https://unpkg.com/iframe-worker/shim"
LOCAL_SHIM = "assets/vendor/iframe-worker/shim.js"
FORWARD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>Moved</title>
<meta http-equiv="refresh" content="0; url={target}">
</head>
<body><a href="{target}">This page has moved.</a></body>
</html>
"""


def finish(site: Path) -> None:
    """Put the vendored file in place of the remote one, and write the pages that forward."""
    shutil.copytree(VENDOR, (site / LOCAL_SHIM).parent, dirs_exist_ok=True)
    for page in site.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        local = os.path.relpath(site / LOCAL_SHIM, page.parent).replace(os.sep, "/")
        page.write_text(html.replace(REMOTE_SHIM, local), encoding="utf-8")
    for old, new in moved().items():
        _forward(site, old, new)


def moved() -> dict[str, str]:
    """New places of pages that moved, by their old ones."""
    lines = MOVED.read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def _forward(site: Path, old: str, new: str) -> None:
    assert not (site / old).exists(), f"{MOVED}: there is a page {old}"
    assert (site / new.partition("#")[0]).exists(), f"{MOVED}: {old} forwards to no page: {new}"
    target = os.path.relpath(site / new, (site / old).parent).replace(os.sep, "/")
    (site / old).parent.mkdir(parents=True, exist_ok=True)
    (site / old).write_text(FORWARD.format(target=target), encoding="utf-8")
