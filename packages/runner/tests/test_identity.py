"""Names and folders of runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from eng.logging import MessageHub, MMLogger
from eng.registry import DefaultScope
from eng.runner.identity import RunIdentity


def test_a_run_is_named_after_its_config_and_the_time(tmp_path: Path) -> None:
    identity = RunIdentity.create(str(tmp_path), None, "configs/resnet.py")
    assert re.fullmatch(r"\d{8}_\d{6}", identity.timestamp)
    assert identity.experiment_name == f"resnet_{identity.timestamp}"
    assert identity.log_dir == str(tmp_path / identity.timestamp)
    assert RunIdentity.create(str(tmp_path), None, None).experiment_name.isdigit() is False
    named = RunIdentity.create(str(tmp_path), "mine", None)
    assert named.experiment_name == f"mine_{named.timestamp}"


def test_naming_makes_no_folder_and_making_them_takes_the_name(tmp_path: Path) -> None:
    work_dir = tmp_path / "a" / "b"
    identity = RunIdentity.create(str(work_dir), None, None)
    assert not (tmp_path / "a").exists()
    identity.make_folders()
    assert Path(identity.log_dir).is_dir()
    again = RunIdentity.create(str(work_dir), None, None)
    assert again.log_dir != identity.log_dir


def test_a_relative_work_dir_and_a_home_are_made_absolute(
    tmp_path: Path, monkeypatch: object
) -> None:
    assert Path(RunIdentity.create("work", None, None).work_dir).is_absolute()
    home = RunIdentity.create("~/work", None, None).work_dir
    assert home == str(Path.home() / "work")


def test_instances_of_one_process_have_names_of_their_own(tmp_path: Path) -> None:
    first = RunIdentity.create(str(tmp_path), "same-name", None)
    MessageHub.get_instance(first.instance_name)
    second = RunIdentity.create(str(tmp_path), "same-name", None)
    assert first.instance_name == f"same-name_{first.timestamp}"
    assert second.instance_name != first.instance_name
    assert second.experiment_name == f"same-name_{second.timestamp}"


@pytest.mark.parametrize(
    ("kind", "settings"), [(MMLogger, {}), (DefaultScope, {"scope_name": "a"})]
)
def test_what_a_refused_run_has_made_is_not_used_by_the_next(
    tmp_path: Path, kind: Any, settings: dict[str, Any]
) -> None:
    refused = RunIdentity.create(str(tmp_path), "same-name", None)
    kind.get_instance(refused.instance_name, **settings)
    following = RunIdentity.create(str(tmp_path), "same-name", None)
    assert following.instance_name != refused.instance_name
