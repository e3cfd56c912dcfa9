"""What is wrong with an example of a page fails, with its line, and nothing is passed over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from doc_examples import Ran, count_fences, run_page


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_blocks_share_a_namespace_a_folder_and_the_output(tmp_path: Path) -> None:
    path = page(
        tmp_path,
        """\
# A page

```python title="lib/answer.py"
answer = 42
```

- in a list:

  ```python
  import lib.answer
  from multiprocessing import Pool

  def double(x):
      return 2 * x

  with Pool(1) as pool:
      print(pool.map(double, [lib.answer.answer]), answer)
  print(object())
  ```

```text
[84] 42
<object ... at 0x...>
```

```console
$ cat lib/answer.py  # what was written
answer = ...
$ echo It ends.
It ends.
$ pip install "eng-all[wandb]"
```

```toml
answer = 42
```

<!-- skip: next "nobody has it" -->
```console
$ no-such-program
```
""",
    )
    ran = run_page(path, tmp_path)
    assert [Path(each.where).name for each in ran] == [
        "page.md:3", "page.md:9", "page.md:21", "page.md:26", "page.md:34", "page.md:39"
    ]  # fmt: skip
    assert [each.skipped for each in ran] == ["", "", "", "", "", "nobody has it"]
    assert len(ran) == count_fences(path)


def test_blocks_of_tabs_and_boxes_run(tmp_path: Path) -> None:
    path = page(
        tmp_path,
        """\
=== "Python"

    ```python hl_lines="1 2" title="sub/part.py" linenums="1"
    def answer():

        return 42
    ```

    !!! note "A box in a tab"

        ```python
        print(answer())
        ```

        ```text
        42
        ```

=== "A program"

    ```python
    if True:
        --8<-- "docs/programs/tiny.py"
    print(Net.__name__)
    ```

<!-- skip: next if(answer() == 42, reason="needs another answer") -->
```python
raise SystemExit
```

<!-- skip: next if(answer() == 41, reason="needs another answer") -->
```python
from sub.part import answer
```
""",
    )
    ran = run_page(path, tmp_path)
    assert [each.skipped for each in ran] == ["", "", "", "", "needs another answer", ""]
    assert len(ran) == count_fences(path)
    assert (tmp_path / "sub" / "part.py").read_text("utf-8").startswith("def answer():\n\n    ")


def test_a_block_continues_a_file(tmp_path: Path) -> None:
    path = page(
        tmp_path,
        """\
```python title="parts_of_page.py"
from eng.registry import MODELS

@MODELS.register_module()
class First: ...
```

```python title="parts_of_page.py, continued"
@MODELS.register_module()
class Second(First): ...
```

```python
import parts_of_page

print(parts_of_page.Second is MODELS.get("Second") is Second, Second.__module__)
```

```text
True parts_of_page
```
""",
    )
    assert len(run_page(path, tmp_path)) == count_fences(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n```python\nx = 1\nassert x == 2\n```\n", r'page.md", line 4, in <module>'),
        ("```python\nprint(1)\n```\n```text\n2\n```\n", "page.md:4: the block before printed"),
        ("```text\n2\n```\n", "page.md:1: follows no block of Python"),
        ("```console\n$ echo 1\n2\n```\n", "page.md:1: the commands printed"),
        ("```python\nprint('aba')\n```\n```text\nab...ba\n```\n", "the block before printed"),
        ("```console\n$ echo 1 2\n2 ...1\n```\n", "page.md:1: the commands printed"),
        ("```console\n$ false\n$ true\n```\n", "page.md:1: ended with an error"),
        ("```console\n$ pip install eng-al\n```\n", "page.md:1: there is no wheel eng-al"),
        (
            "```console\n$ pip install eng-vis[nothing]\n```\n",
            r"eng-vis has no extras \['nothing'\]",
        ),
        ("```ini\na = 1\n```\n", "page.md:1: nothing runs a block of language 'ini'"),
        ("```toml\na: 1\n```\n", "page.md:1: Expected '=' after a key"),
        ("```yaml\na: [1\n```\n", "page.md:1: while parsing a flow sequence"),
        ("```json\n{a: 1}\n```\n", "page.md:1: Expecting property name"),
        ("```\na: 1\n```\n", "page.md:1: nothing runs a block of language ''"),
        ('```python\n--8<-- "docs/programs/none.py"\n```\n', "No such file or directory"),
        ("<!-- skip: next -->\n```python\n```\n", "page.md:1: skips without a reason"),
        ("```python\nimport os\nos._exit(3)\n```\n", "page.md: its process ended with 3"),
    ],
)
def test_what_is_wrong(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=message):
        run_page(page(tmp_path, text), tmp_path)


def ends(group: int) -> bool:
    """Whether a group of processes ends within a minute."""
    for _ in range(1200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has no process groups")
def test_what_a_page_started_ends_with_it(tmp_path: Path) -> None:
    text = "```python\nimport subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)\n```\n"
    path = page(tmp_path, text + "```text\n...\n```\n```console\n$ echo $PPID > pid\n```\n")
    assert len(run_page(path, tmp_path)) == 3
    assert ends(int((tmp_path / "pid").read_text("utf-8")))


@pytest.mark.docs
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has no process groups")
def test_a_page_ends_with_who_runs_it(tmp_path: Path) -> None:
    text = "```console\n$ echo $PPID > pid; mv pid begun; sleep 600\n```\n"
    code = (
        f"from doc_examples import run_page; from pathlib import Path\n"
        f"if __name__ == '__main__': run_page(Path({str(page(tmp_path, text))!r}), Path('.'))\n"
    )
    (tmp_path / "runs.py").write_text(code, encoding="utf-8")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    runs = subprocess.Popen([sys.executable, "runs.py"], cwd=tmp_path, env=env)
    begun = tmp_path / "begun"
    while not begun.exists():
        time.sleep(0.05)
    runs.kill()
    runs.wait()
    assert ends(int(begun.read_text("utf-8")))


def test_nothing_is_left_of_a_page(tmp_path: Path) -> None:
    text = "```python\nimport os\nos.environ['LEFT'] = left = 'x'\n```\n"
    assert run_page(page(tmp_path, text), tmp_path) == [Ran(f"{tmp_path / 'page.md'}:1")]
    text = "```python\nimport os\nassert 'LEFT' not in os.environ\nleft\n```\n"
    with pytest.raises(AssertionError, match="name 'left' is not defined"):
        run_page(page(tmp_path, text), tmp_path)
