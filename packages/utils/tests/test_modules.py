"""Folders in which modules are found."""

import sys

from eng.utils import add_module_folders, import_modules_from_strings


def test_modules_of_a_folder_are_found_and_shadow_none(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = [*sys.path]
    (tmp_path / "a_module_of_a_folder.py").write_text("value = 3\n")
    (tmp_path / "json.py").write_text("raise RuntimeError\n")
    add_module_folders(tmp_path, str(tmp_path / "more" / ".."), before[-1])
    assert sys.path == [*before, str(tmp_path.resolve())]
    found, json = import_modules_from_strings(["a_module_of_a_folder", "json"])
    assert (found.value, json.loads("1")) == (3, 1)
