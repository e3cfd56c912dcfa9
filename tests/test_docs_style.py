"""The style of pages is checked by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_style import check, split_page

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
