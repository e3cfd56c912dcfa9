"""Modules: where they are found, and how they are imported."""

import subprocess
import sys
from textwrap import dedent

from eng.utils import add_module_folders, import_modules_from_strings


def run_in_a_process(program):
    command = [sys.executable, "-c", dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_modules_of_a_folder_are_found_and_shadow_none(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = [*sys.path]
    (tmp_path / "a_module_of_a_folder.py").write_text("value = 3\n")
    (tmp_path / "json.py").write_text("raise RuntimeError\n")
    add_module_folders(tmp_path, str(tmp_path / "more" / ".."), before[-1])
    assert sys.path == [*before, str(tmp_path.resolve())]
    found, json = import_modules_from_strings(["a_module_of_a_folder", "json"])
    assert (found.value, json.loads("1")) == (3, 1)


def test_no_garbage_is_collected_while_importing():
    found = run_in_a_process(
        """
        import gc, json, weakref
        from eng.utils import importing

        class Node:
            pass

        def make_garbage():
            node = Node()
            node.itself = node
            return weakref.ref(node)

        earlier = make_garbage()
        with importing():
            inside = gc.isenabled(), earlier() is None
            kept = Node()
        frozen = gc.get_freeze_count()
        later = make_garbage()
        with importing():
            pass
        again = gc.get_freeze_count()
        gc.collect()
        try:
            with importing():
                raise ImportError
        except ImportError:
            after_error = gc.isenabled()
        gc.disable()
        with importing():
            pass
        print(json.dumps([inside, frozen > 0, again == frozen, later() is None, after_error]))
        print(gc.isenabled())
        """
    )
    assert found == ["[[false, true], true, true, true, true]", "False"]
