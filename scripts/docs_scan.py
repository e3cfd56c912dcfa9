"""Find what a built site asks other hosts for, and where its links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

#: Hosts that a reader may be sent to.
LINKED_HOSTS = {
    "arxiv.org",
    "docs.python.org",
    "docs.pytorch.org",
    "github.com",
    "matplotlib.org",
    "numpy.org",
    "packaging.python.org",
    "pytorch.org",
}
_LOADS = {
    *(("script", "src"), ("img", "src"), ("img", "srcset"), ("iframe", "src"), ("embed", "src")),
    *(("source", "src"), ("source", "srcset"), ("video", "src"), ("video", "poster")),
    *(("audio", "src"), ("track", "src"), ("object", "data"), ("form", "action"), ("use", "href")),
    *(("use", "xlink:href"), ("image", "href"), ("image", "xlink:href"), ("input", "src")),
}
#: A `link` of these kinds is fetched by nobody.
_LINKS_ONLY = {"canonical", "next", "prev", "author", "license", "alternate", "edit"}
#: What the scripts of the theme would load, and only for a page that has one of these classes.
_ON_DEMAND = re.compile(r'class="[^"]*\b(mermaid|arithmatex|md-source)\b')
_REMOTE = re.compile(r"\s*(https?:)?//", re.IGNORECASE)


def find_requests(site: Path) -> list[str]:
    """Each place of a site where a browser would ask another host for something."""
    found: list[str] = []
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if path.suffix in (".html", ".svg"):
            text = path.read_text(encoding="utf-8")
            found += [f"{name}:{line}: {what}" for line, what in _read(text).loads]
            if match := _ON_DEMAND.search(text):
                found.append(f"{name}: the class {match[1]}, for which the theme fetches a program")
        elif path.suffix == ".css":
            found += [f"{name}: {url}" for url in _loads_of_css(path.read_text(encoding="utf-8"))]
        elif path.suffix == ".js" and not name.startswith("assets/javascripts/"):
            text = path.read_text(encoding="utf-8")
            if re.search(r"\b(fetch|XMLHttpRequest|import)\s*\(\s*[\"'`]https?://", text):
                found.append(f"{name}: a script that fetches")
    return found


def find_links(site: Path) -> dict[str, str]:
    """A page of each address outside of a site that its pages link to."""
    links: dict[str, str] = {}
    for path in sorted(site.rglob("*.html")):
        for url in _read(path.read_text(encoding="utf-8")).links:
            links.setdefault(url, path.relative_to(site).as_posix())
    return links


def find_strange_links(site: Path) -> list[str]:
    """Links to hosts that are not allowed."""
    return [
        f"{page}: {url}: its host is not in LINKED_HOSTS of scripts/docs_scan.py"
        for url, page in find_links(site).items()
        if urlsplit(url).hostname not in LINKED_HOSTS
    ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loads: list[tuple[int, str]] = []
        self.links: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        line = self.getpos()[0]
        self._in_style = tag == "style"
        for name, value in values.items():
            if (tag, name) in _LOADS and _REMOTE.match(value):
                self.loads.append((line, f"<{tag} {name}={value!r}>"))
            if name == "style":
                self.loads += [(line, url) for url in _loads_of_css(value)]
        kinds = set(values.get("rel", "").split())
        if tag == "link" and not kinds & _LINKS_ONLY and _REMOTE.match(values.get("href", "")):
            self.loads.append((line, f"<link rel={values.get('rel')!r} href={values['href']!r}>"))
        if tag == "meta" and "url=http" in values.get("content", "").replace(" ", ""):
            self.loads.append((line, f"<meta content={values['content']!r}>"))
        if tag == "a" and _REMOTE.match(values.get("href", "")):
            self.links.append(values["href"])

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.loads += [(self.getpos()[0], url) for url in _loads_of_css(data)]

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def _loads_of_css(text: str) -> Iterator[str]:
    for url in re.findall(r"url\(\s*[\"']?([^)\"']+)|@import\s+[\"']([^\"']+)", text):
        address = "".join(url)
        if _REMOTE.match(address):
            yield f"url({address})"
