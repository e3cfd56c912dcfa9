"""The ``eng`` command: finding sub-commands, help, versions, errors in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from types import MappingProxyType

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cli_workers import SAY, advertise

from eng.cli import Command, __main__, find_commands, main
from eng.cli.completion import COMPLETION
from eng.utils import UserError

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
        (["fail", "colour"], "eng: use --out\n"),
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
        for debugged in ([*argv, "--debug"], ["--debug", *argv]):
            with pytest.raises(Exception, match=r"."):
                main(debugged)


def test_other_failures_keep_their_traceback(site: Path) -> None:
    with pytest.raises(RuntimeError, match="size of tensor"):
        main(["fail", "bug"])


def test_interrupted(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fail", "stop"]) == 130
    assert main(["fail", "stop with words"]) == 130
    told = capsys.readouterr().err
    assert told == "\neng: interrupted\n\neng: interrupted; go on with --resume\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_code_for_completion(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    pytest.importorskip("argcomplete")
    COMPLETION.run(Namespace(shell=shell))
    assert "_ARGCOMPLETE" in capsys.readouterr().out


def test_completion_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "argcomplete.shell_integration", None)
    with pytest.raises(UserError, match=r"pip install 'eng-cli\[completion\]'"):
        COMPLETION.run(Namespace(shell="bash"))


def test_completions_import_no_torch(site: Path, tmp_path: Path) -> None:
    pytest.importorskip("argcomplete")
    found = complete("eng sa", tmp_path)
    assert found == ["say"]
    assert {"--debug", "--help"} <= set(complete("eng say --", tmp_path))


def complete(line: str, folder: Path) -> list[str]:
    """Complete a line as bash does, which reads the completions from a file here."""
    file = folder / "completions"
    env = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(file),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    code = (
        "import os; end = os._exit; imported = lambda: 'torch' in sys.modules; "
        "os._exit = lambda status: end(3 if imported() else status); "
        "from eng.cli import main; main()"
    )
    run(code=code, env=env)
    return [each.strip() for each in file.read_text().split("\n")]


def test_the_module_is_the_command(site: Path, tmp_path: Path) -> None:
    """A file in the current directory shadows no library, with either."""
    (tmp_path / "colorsys.py").write_text("print('shadowed')")
    (tmp_path / "not_installed_anywhere.py").write_text("import colorsys\nX = 1")
    paths = os.pathsep.join(str(Path(each).absolute()) for each in [HERE, *filter(None, sys.path)])
    found = subprocess.run(
        [sys.executable, "-m", __main__.__package__ or "", "broken"],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 2
    assert "cannot be imported from not_installed_anywhere:X" in found.stderr


def test_of_two_commands_of_one_name_one_is_used(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    advertise(site, "others-tools", "[eng.commands]\nsay = elsewhere:SAY\n")
    chosen = find_commands()["say"].value
    told = capsys.readouterr().err
    assert told.startswith("eng: duplicate command 'say': ")
    assert f"using {chosen}," in told


def run(
    *argv: str,
    code: str = "from eng.cli import main; sys.exit(main())",
    env: Mapping[str, str] = MappingProxyType({}),
) -> str:
    paths = os.pathsep.join(str(Path(each).absolute()) for each in [HERE, *filter(None, sys.path)])
    command = [sys.executable, "-c", f"import sys; {code}", *argv]
    env = {**os.environ, "PYTHONPATH": paths, **env}
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
    paths = os.pathsep.join(str(Path(each).absolute()) for each in [HERE, *filter(None, sys.path)])
    code = "import sys; from eng.cli import main; sys.exit(main())"
    shell = f"{sys.executable} -c '{code}' say {'word ' * 20000} 2>&1 | head -c 4"
    env = {**os.environ, "PYTHONPATH": paths}
    found = subprocess.run(["bash", "-c", shell], env=env, capture_output=True, text=True)
    assert found.stdout == "word"
    assert found.stderr == ""


def test_output_of_any_encoding_takes_any_text(site: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eng.cli", "say", "ü", "\udcff"],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": f"{site}{os.pathsep}{HERE}"},
    )
    assert (done.stdout, done.stderr) == (b"\\xfc \xff\n", b"")
    assert done.returncode == 2


@pytest.mark.parametrize("given", [["--help"], ["--version"], ["say", "word"]])
def test_a_closed_pipe_ends_any_output_without_a_traceback(site: Path, given: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as head does once it has its lines
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "eng.cli", *given],
            check=False,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{HERE}"},
        )
    assert (done.returncode, done.stderr) == (1, "")
