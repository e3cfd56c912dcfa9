"""Check the style of pages of the documentation.

usage: python scripts/docs_style.py [PAGE ...]

Without pages, all of them. Lines have at most 120 characters and sentences 30 words; some words
are banned; each block has a language; guides and recipes have their parts, in order, and the
answer before the first.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workspace import ROOT

PAGES = ROOT / "docs" / "pages"
LONGEST_LINE = 120
LONGEST_SENTENCE = 30
BANNED = re.compile(r"\b(simply|just|easily|powerful|note that)\b", re.IGNORECASE)
PARTS = ["How it behaves", "Variations", "When it goes wrong", "See also"]
_FENCE = re.compile(r"^(?P<indent>[ \t]*(?:[-*+] )?[ \t]*)(?P<marks>`{3,}|~{3,})(?P<info>.*)$")
#: Pages that quote or list what others wrote.
QUOTES = {"reference/changelogs.md", "reference/errors.md"}


@dataclass
class Fence:
    """A block of code."""

    line: int
    language: str
    source: str


@dataclass
class Split:
    """The prose of a page by line number, and its blocks."""

    prose: dict[int, str]
    fences: list[Fence]


def check(page: Path) -> list[str]:
    """What is wrong with the style of a page, each with its line."""
    text = page.read_text(encoding="utf-8")
    split = split_page(text)
    name = page.as_posix().rpartition("docs/pages/")[2]
    quotes = name in QUOTES or name.startswith("reference/api/")
    found = [*_check_pictures(split), *_check_fences(split), *_check_structure(name, split)]
    if not quotes:
        found += [*_check_lines(split), *_check_words(split), *_check_sentences(split)]
    return [f"{page}:{line}: {problem}" for line, problem in sorted(found)]


def split_page(text: str) -> Split:
    """Part the prose of a page from its blocks."""
    split = Split({}, [])
    open_fence: re.Match[str] | None = None
    begin, source = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if open_fence is None and fence:
            open_fence, begin, source = fence, number, []
        elif open_fence is None:
            split.prose[number] = line
        elif fence and not fence["info"].strip() and fence["marks"].startswith(open_fence["marks"]):
            language = open_fence["info"].split()[0] if open_fence["info"].strip() else ""
            split.fences.append(Fence(begin, language, textwrap.dedent("\n".join(source))))
            open_fence = None
        else:
            source.append(line)
    return split


def _check_lines(split: Split) -> Iterator[tuple[int, str]]:
    for number, line in split.prose.items():
        is_table = line.lstrip().startswith("|")
        if len(line) > LONGEST_LINE and not is_table and "://" not in line:
            yield number, f"line of {len(line)} characters, at most {LONGEST_LINE}"


def _check_pictures(split: Split) -> Iterator[tuple[int, str]]:
    for number, line in split.prose.items():
        if re.search(r"!\[\s*\]\(", line) or ("<img" in line and 'alt="' not in line):
            yield number, "a picture without alt text"


def _check_fences(split: Split) -> Iterator[tuple[int, str]]:
    for fence in split.fences:
        if not fence.language:
            yield fence.line, "a block without a language"
        if fence.language == "python" and "--8<--" not in fence.source:
            try:
                ast.parse(fence.source)
            except SyntaxError as error:
                yield fence.line + (error.lineno or 0), f"not Python: {error.msg}"


def _check_structure(name: str, split: Split) -> Iterator[tuple[int, str]]:
    headings = [(n, line) for n, line in split.prose.items() if re.match(r"#+ ", line)]
    if not headings or headings[0][0] != 1 or not headings[0][1].startswith("# "):
        yield 1, "a page begins with its title: # Title"
    titles = [line for _, line in headings if line.startswith("# ")]
    if len(titles) > 1:
        yield headings[-1][0], "a page has one title"
    if not name.startswith(("guides/", "recipes/")):
        return
    seconds = [(number, line[3:].strip()) for number, line in headings if line.startswith("## ")]
    found = [title for _, title in seconds if title in PARTS]
    if found != PARTS:
        yield 1, f"its parts are {found}, but a page of this kind has {PARTS}, in this order"
    first = seconds[0][0] if seconds else 1
    if not any(fence.line < first for fence in split.fences):
        yield first, "the answer, a block of code, comes before the first ##"


def _check_words(split: Split) -> Iterator[tuple[int, str]]:
    for number, line in split.prose.items():
        for word in BANNED.findall(_without_code(line)):
            yield number, f"banned: {word!r}"


def _check_sentences(split: Split) -> Iterator[tuple[int, str]]:
    for number, paragraph in _paragraphs(split):
        for sentence in re.split(r"(?<=[.!?])[)*_\"”]*\s+|:\s*$", _without_code(paragraph)):
            words = re.findall(r"[^\W_][\w'.-]*", sentence)
            if len(words) > LONGEST_SENTENCE:
                begin = " ".join(sentence.split()[:6])
                yield (
                    number,
                    f"sentence of {len(words)} words, at most {LONGEST_SENTENCE}: {begin} …",
                )


def _paragraphs(split: Split) -> Iterator[tuple[int, str]]:
    """Paragraphs and items of lists, with the line that each begins on."""
    begin, lines, last = 0, list[str](), 0
    for number, line in split.prose.items():
        starts = not line.strip() or number != last + 1 or re.match(r"\s*([-*+]|\d+\.|:) ", line)
        if starts and lines:
            yield begin, " ".join(lines)
            lines = []
        last = number
        if re.match(r"\s*(#|\||!!!|\?\?\?|===|<|:::|\*\[|\[\^)", line) or not line.strip():
            continue
        begin = begin if lines else number
        lines.append(re.sub(r"^\s*([-*+]|\d+\.|:) +", "", line).strip())
    if lines:
        yield begin, " ".join(lines)


def _without_code(text: str) -> str:
    """The text with each piece of code as one word, and links as their text."""
    text = re.sub(r"(`+).+?\1", "code", text)
    text = re.sub(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text)
    return re.sub(r"<!--.*?-->|\{[^}]*\}", "", text)


def main() -> None:
    """Check the pages that are named, or all."""
    pages = [Path(name).resolve() for name in sys.argv[1:]] or sorted(PAGES.rglob("*.md"))
    problems = [problem for page in pages for problem in check(page)]
    print("\n".join(problems) or f"{len(pages)} pages")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
