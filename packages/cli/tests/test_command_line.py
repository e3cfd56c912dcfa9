"""The ``eng`` command: finding sub-commands, help, versions, errors in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cli_workers import SAY, advertise

from eng.cli import Command, find_commands, main

HERE = Path(__file__).parent


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, one of which brings commands."""
    folder = tmp_path / "site"
    folder.mkdir()
    advertise(folder)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_commands_are_found_by_entry_point(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {"say", "fail"} <= set(find_commands())
    assert find_commands()["say"].load() is SAY
    assert isinstance(SAY, Command)
    assert main(["say", "a", "b"]) == 2
    assert main(["say"]) == 0
    assert capsys.readouterr() == ("a b\n\n", "")


def test_help(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    text = re.sub(r" +", " ", text)  # columns are as wide as the longest name
    assert " say say words\n" in text
    assert " broken (the command broken of the package someones-tools cannot be imported" in text
    assert "(the command wrong of the package someones-tools must be an eng.cli.Command" in text
    assert main([]) == 2
    assert "say words" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["say", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: eng say")
    assert "Say words." in text


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["sya"], "eng: unknown command 'sya'; did you mean 'say'?\n"),
        (["--verbos"], "eng: unknown option --verbos; options follow a command: "),
        (["fail", "user"], "eng: model: is missing\n"),
        (["fail", "file"], "eng: a/b.pth: No such file or directory\n"),
        (["fail", "syntax"], "eng: c.py, line 3: '(' was never closed\n"),
        (["fail", "note"], "eng: no argument 'lrr' (while SGD was built)\n"),
        (["broken"], "eng: the command broken of the package someones-tools cannot be imported "),
        (["wrong"], "eng: the command wrong of the package someones-tools must be an "),
    ],
)
def test_what_the_person_can_mend_is_one_line(
    site: Path, capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert main(argv) == 2
    told = capsys.readouterr().err
    assert told.startswith(message)
    assert told.count("\n") == 1
    if argv[0] in ("fail", "broken"):
        with pytest.raises(Exception, match=r"."):
            main([*argv, "--debug"])


def test_other_failures_keep_their_traceback(site: Path) -> None:
    with pytest.raises(RuntimeError, match="size of tensor"):
        main(["fail", "bug"])


def test_interrupted(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fail", "stop"]) == 130
    assert main(["fail", "stop with words"]) == 130
    told = capsys.readouterr().err
    assert told == "\neng: interrupted\n\neng: interrupted; go on with --resume\n"


def test_of_two_commands_of_one_name_one_is_used(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    advertise(site, "others-tools", "[eng.commands]\nsay = elsewhere:SAY\n")
    chosen = find_commands()["say"].value
    told = capsys.readouterr().err
    assert told.startswith("eng: duplicate command 'say': ")
    assert f"using {chosen}," in told


def run(*argv: str, code: str = "from eng.cli import main; sys.exit(main())") -> str:
    paths = os.pathsep.join([str(HERE), *filter(None, sys.path)])
    command = [sys.executable, "-c", f"import sys; {code}", *argv]
    env = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_versions_come_without_importing(site: Path) -> None:
    code = "from eng.cli import main; main(); print('torch' in sys.modules)"
    lines = run("--version", code=code).splitlines()
    assert lines[-1] == "False"
    installed = any(found.metadata["Name"] == "eng-cli" for found in distributions())
    assert any(line.startswith("eng-cli ") for line in lines) is installed
    assert any(line.startswith("Python 3.") for line in lines)
    assert any(line.startswith("torch ") for line in lines)


def test_help_imports_no_torch(site: Path) -> None:
    code = "from eng.cli import main; main(); print('torch' in sys.modules)"
    assert run("--help", code=code).splitlines()[-1] == "False"


def test_a_reader_that_has_enough_is_no_error(site: Path) -> None:
    paths = os.pathsep.join([str(HERE), *filter(None, sys.path)])
    code = "import sys; from eng.cli import main; sys.exit(main())"
    shell = f"{sys.executable} -c '{code}' say {'word ' * 20000} 2>&1 | head -c 4"
    env = {**os.environ, "PYTHONPATH": paths}
    found = subprocess.run(["bash", "-c", shell], env=env, capture_output=True, text=True)
    assert found.stdout == "word"
    assert found.stderr == ""
