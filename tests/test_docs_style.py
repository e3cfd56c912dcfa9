"""The style of pages is checked by line."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from docs_style import check, split_page
from workspace import ROOT

GUIDE = """\
# A guide

It is short. A list has items:

- one that ends without a full stop
- and a `simply` in code, which is no word

```python title="x.py"
x = "just"
```

## How it behaves

=== "Python"

    ```python
    print(x)
    ```

    ```text
    just
    ```

## Variations

| a table | LONG |
| --- | --- |

## When it goes wrong

## See also
""".replace("LONG", "wide " * 30)


def problems(folder: Path, text: str, name: str = "guides/a.md") -> list[str]:
    page = folder / "docs" / "pages" / name
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    return [problem.removeprefix(f"{page}:") for problem in check(page)]


def test_a_guide_that_is_right(tmp_path: Path) -> None:
    assert problems(tmp_path, GUIDE) == []
    assert [fence.language for fence in split_page(GUIDE).fences] == ["python", "python", "text"]


LONG = " ".join(["word"] * 20)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("It is short.", "It simply is short.", "3: banned: 'simply'"),
        ("It is short.", "Note that it is short.", "3: banned: 'Note that'"),
        ("It is short.", f"{LONG}\n{LONG}.", "3: sentence of 40 words, at most 30"),
        ("- and a", f"- {LONG}\n  {LONG} a", "6: sentence of 48 words"),
        ("It is short.", "x" * 121, "3: line of 139 characters, at most 120"),
        ("It is short.", "![](x.svg)", "3: a picture without alt text"),
        ('```python title="x.py"', "```", "8: a block without a language"),
        ("print(x)", "print x", "17: not Python: "),
        ("# A guide", "\n# A guide", "1: a page begins with its title"),
        ("## See also", "# See also", "a page has one title"),
        ("## See also", "## And more", "1: its parts are ["),
        ("## How it behaves", "## See also", "1: its parts are ["),
        ('```python title="x.py"\nx = "just"\n```\n', "", "9: the answer, a block of code, comes"),
    ],
)
def test_what_is_wrong(old: str, new: str, problem: str, tmp_path: Path) -> None:
    assert old in GUIDE
    found = problems(tmp_path, GUIDE.replace(old, new, 1))
    assert any(problem in each for each in found), found


def test_two_sentences_of_a_line_are_two(tmp_path: Path) -> None:
    text = f"# A page\n\n{LONG}. {LONG}: `a.b.c(d. e)` {LONG[:40]}!\n\n{LONG}\n\n{LONG}\n"
    assert problems(tmp_path, text.replace(" word", "\nword"), "why/a.md") == []


def test_other_kinds_have_no_parts(tmp_path: Path) -> None:
    assert problems(tmp_path, "# Why\n\nSo.\n", "why/a.md") == []


def test_names_of_files_are_imported(tmp_path: Path) -> None:
    # A reader saves a block with a title, and runs the others in one interpreter.
    for page in (ROOT / "docs" / "pages").glob("*/*.md"):
        (tmp_path / f"{page.parent.name}-{page.stem}.py").write_text(session_of(page), "utf-8")
    command = ["-m", "ruff", "check", "--isolated", "--select", "F821", "--output-format=concise"]
    done = subprocess.run(
        [sys.executable, *command, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def session_of(page: Path) -> str:
    """The blocks of Python of a page that are no files, on their lines."""
    text = page.read_text("utf-8")
    fences = (
        r"^(?P<skip><!-- skip: .*\n)?(?P<in> *)```python(?P<title>.*)\n(?P<code>(.*\n)*?)(?P=in)```"
    )
    lines = [""] * text.count("\n")
    for block in re.finditer(fences, text, re.MULTILINE):
        if not block["skip"] and "title=" not in block["title"]:
            start = text.count("\n", 0, block.start("code"))
            code = textwrap.dedent(block["code"]).splitlines()
            lines[start : start + len(code)] = code
    return "\n".join(lines)
