"""Blocks of pages are checked at their own lines, and nothing that is not known passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typecheck_users

PAGE = """\
# Title

```python
a = 1
```

```console
$ ls
```

- in a list:

  ```python title="b.py"
  b = a
  if b:
      print(b)
  ```

<!-- skip: next "needs a network" -->
```python
c = d
```
"""


def test_python_blocks_keep_their_lines_and_skipped_ones_are_left_out() -> None:
    lines = typecheck_users.python_of(PAGE).splitlines()
    found = {number: line for number, line in enumerate(lines, 1) if line}
    assert found == {4: "a = 1", 14: "b = a", 15: "if b:", 16: "    print(b)"}


@pytest.mark.parametrize(
    ("line", "is_fault"),
    [
        ('names.py:3: note: Revealed type is "builtins.int"', False),
        ('names.py:3: note: Revealed type is "dict[str, Any]"', True),
        ('names.py:3:9 - information: Type of "x" is "list[Unknown]"', True),
        ('names.py:3:9 - information: Type of "Company()" is "Company"', False),
        ('every_name.py:3: note: Revealed type is "Any"', True),
        ('every_name.py:3: note: Revealed type is "def (*args: Any) -> int"', False),
        ('every_name.py:3:9 - information: Type of "x" is "Unknown"', True),
        ("names.py:3: error: Incompatible types", True),
    ],
)
def test_what_is_not_known_is_a_fault(line: str, is_fault: bool) -> None:
    assert typecheck_users.find_faults([line]) == ([line] if is_fault else [])


@pytest.mark.exhaustive
def test_faults_of_a_page_and_of_a_name_are_reported_with_their_lines(tmp_path: Path) -> None:
    page, names = tmp_path / "page.md", tmp_path / "names.py"
    page.write_text("text\n\n```python\nx: int = 'a'\n```\n", encoding="utf-8")
    names.write_text(
        "from typing_extensions import reveal_type\n\nfrom eng.all import Config, Runer\n\n"
        "reveal_type(Config().lr)\n",
        encoding="utf-8",
    )
    script = typecheck_users.ROOT / "scripts" / "typecheck_users.py"
    done = subprocess.run(
        [sys.executable, str(script), str(page), str(names)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for words in (
        f"{page}:4: error: Incompatible types in assignment",  # of mypy
        f"{page}:4:10 - error: Type",  # of pyright
        "names.py:3: error: Module",
        'names.py:3:29 - error: "Runer" is unknown import symbol',
        'names.py:5: note: Revealed type is "Any"',
        'names.py:5:13 - information: Type of "Config().lr" is "Any"',
    ):
        assert words in done.stdout, done.stdout
