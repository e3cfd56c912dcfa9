"""A built site asks no other host for anything, and pages that moved forward to their new place."""

from __future__ import annotations

from pathlib import Path

import docs_finish
import pytest
from docs_scan import find_links, find_requests, find_strange_links

PAGE = '<html><body><script src="https://unpkg.com/iframe-worker/shim"></script>{}</body></html>\n'


def make_site(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_shim_is_in_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make_site(tmp_path, {"a.html": PAGE.format(""), "b/c/d.html": PAGE.format("")})
    assert len(find_requests(site)) == 2
    monkeypatch.setattr(docs_finish, "moved", dict)
    docs_finish.finish(site)
    assert find_requests(site) == []
    assert 'src="assets/vendor/iframe-worker/shim.js"' in (site / "a.html").read_text("utf-8")
    deep = (site / "b" / "c" / "d.html").read_text("utf-8")
    assert 'src="../../assets/vendor/iframe-worker/shim.js"' in deep
    assert (site / "assets" / "vendor" / "iframe-worker" / "LICENSE").exists()


def test_a_page_that_moved_forwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make_site(tmp_path, {"guides/new.html": PAGE.format("")})
    monkeypatch.setattr(docs_finish, "moved", lambda: {"old/page.html": "guides/new.html#part"})
    docs_finish.finish(site)
    text = (site / "old" / "page.html").read_text("utf-8")
    assert 'content="0; url=../guides/new.html#part"' in text
    monkeypatch.setattr(docs_finish, "moved", lambda: {"x.html": "guides/none.html"})
    with pytest.raises(AssertionError, match=r"x\.html forwards to no page: guides/none\.html"):
        docs_finish.finish(site)
    monkeypatch.setattr(docs_finish, "moved", lambda: {"guides/new.html": "old/page.html"})
    with pytest.raises(AssertionError, match=r"there is a page guides/new\.html"):
        docs_finish.finish(site)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script src="//cdn.example.com/x.js"></script>'),
        ("a.html", '<img src="https://example.com/x.png" alt="x">'),
        ("a.html", '<img alt="x" srcset="https://example.com/x.png 2x">'),
        ("a.html", '<link rel="stylesheet" href="https://example.com/x.css">'),
        ("a.html", '<link rel="preconnect" href="https://example.com">'),
        ("a.html", '<iframe src="HTTPS://example.com"></iframe>'),
        ("a.html", '<p style="background: url(https://example.com/x.png)">x</p>'),
        ("a.html", "<style>@import 'https://example.com/x.css';</style>"),
        ("a.html", '<meta http-equiv="refresh" content="0; url=https://example.com">'),
        ("a.html", '<pre class="mermaid"><code>graph</code></pre>'),
        ("a.css", "@font-face { src: url(//fonts.example.com/x.woff2) }"),
        ("a.svg", '<svg><image href="https://example.com/x.png"/></svg>'),
        ("a.js", 'fetch("https://example.com/x.json")'),
    ],
)
def test_a_request_is_found(name: str, text: str, tmp_path: Path) -> None:
    (found,) = find_requests(make_site(tmp_path, {name: text}))
    assert found.startswith(name)


def test_what_asks_for_nothing(tmp_path: Path) -> None:
    html = (
        '<link rel="canonical" href="https://example.com"><a href="https://github.com/x">x</a>'
        '<a href="../b.html#c">b</a><img src="x.svg" alt="x"><code>url(https://example.com)</code>'
    )
    site = make_site(tmp_path, {"a.html": html, "a.css": "a { background: url(x.svg) }"})
    assert find_requests(site) == []
    assert find_links(site) == {"https://github.com/x": "a.html"}
    assert find_strange_links(site) == []
    (site / "b.html").write_text('<a href="https://example.com/x">x</a>', encoding="utf-8")
    (strange,) = find_strange_links(site)
    assert strange.startswith("b.html: https://example.com/x: ")
