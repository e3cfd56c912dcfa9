"""Open a built site in headless Chromium, from its folder and from a server, and search it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAGES = [
    "index.html",
    "guides/configs.html",
    "recipes/resume-exactly.html",
    "reference/api/runner.html",
]
WORD = "resume"


class NoBrowserError(RuntimeError):
    """Chromium or playwright is not installed."""


def browse(site: Path) -> list[str]:
    """Open some pages of a site, and search.

    Returns:
        What went wrong: errors of the console, requests to other hosts, a search without hits.

    Raises:
        NoBrowserError: If there is no Chromium.
    """
    with _chromium() as browser, _server(site) as address:
        return [
            problem
            for base in (site.resolve().as_uri(), address)
            for page in PAGES
            for problem in _open(browser, base, page)
        ]


def _open(browser: Any, base: str, name: str) -> list[str]:
    problems: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: said.type == "error" and problems.append(said.text))
    page.on(
        "request",
        lambda request: (
            request.url.startswith((base, "data:", "blob:", "about:"))
            or problems.append(f"asked for {request.url}")
        ),
    )
    page.goto(f"{base}/{name}")
    try:
        page.wait_for_selector(".md-search__input", state="attached", timeout=10_000)
        if not page.locator(".md-search__input").is_visible():
            page.locator("label[for=__search]").first.click()
        page.locator(".md-search__input").fill(WORD)
        page.wait_for_selector(".md-search-result__item a", timeout=20_000)
        if WORD not in page.locator(".md-search-result__list").inner_text().lower():
            problems.append(f"the hits for {WORD!r} do not have the word")
    except Exception as error:  # of playwright, which is imported late
        problems.append(f"no hit for {WORD!r}: {error}")
    page.close()
    return [f"{base}/{name}: {problem}" for problem in problems]


@contextmanager
def _chromium() -> Iterator[Any]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise NoBrowserError(str(error)) from error
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    with sync_playwright() as session:
        try:
            browser = session.chromium.launch(
                executable_path=next(filter(None, found), None), args=["--no-sandbox"]
            )
        except Error as error:
            raise NoBrowserError(str(error)) from error
        yield browser
        browser.close()


@contextmanager
def _server(site: Path) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over a browser that closed its page before it was answered."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing of each request."""
