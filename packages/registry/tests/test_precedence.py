"""What people register takes the place of what the engine has under the same name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from eng.registry import Registry

REGISTER = "@registry.register_module({})\nclass Thing:\n    where = __name__\n"


def register_in(module: str, registry: Registry, arguments: str = "") -> None:
    """Register a class `Thing` by the code of a module of that name."""
    exec(REGISTER.format(arguments), {"__name__": module, "registry": registry})


def where(registry: Registry, name: str = "Thing") -> Any:
    return registry.get(name).where


@pytest.mark.parametrize("order", [("eng.hooks.thing", "people"), ("people", "eng.hooks.thing")])
def test_people_win_whoever_comes_first(order: tuple[str, str]) -> None:
    registry = Registry("precedence", scope="eng")
    for module in order:
        register_in(module, registry)
    assert where(registry) == "people"
    assert len(registry) == 1


def test_only_a_package_of_the_namespace_is_the_engine() -> None:
    registry = Registry("precedence", scope="eng")
    register_in("england.hooks", registry)
    with pytest.raises(KeyError, match="already registered"):
        register_in("people", registry)


def test_people_still_collide_with_people_and_the_engine_with_itself() -> None:
    registry = Registry("precedence", scope="eng")
    register_in("eng.hooks", registry)
    with pytest.raises(KeyError, match="already registered"):
        register_in("eng.other", registry)
    register_in("people", registry)
    with pytest.raises(KeyError, match=r"already registered in precedence at people\.Thing"):
        register_in("others", registry)
    register_in("others", registry, "force=True")
    assert where(registry) == "others"


def test_the_engine_does_not_force_its_own_on_people() -> None:
    registry = Registry("precedence", scope="eng")
    register_in("people", registry)
    register_in("eng.hooks", registry, "force=True")
    assert where(registry) == "people"


def test_each_of_several_names_is_looked_at() -> None:
    registry = Registry("precedence", scope="eng")
    register_in("people", registry, "name='Mine'")
    register_in("eng.hooks", registry, "name=['Mine', 'Yours']")
    assert (where(registry, "Mine"), where(registry, "Yours")) == ("people", "eng.hooks")


def test_registering_by_a_call_or_by_the_older_method_counts_as_well() -> None:
    registry = Registry("precedence", scope="eng")
    register_in("eng.hooks", registry)
    registry.register_module(module=dict, name="Thing")
    assert registry.get("Thing") is dict

    registry = Registry("precedence", scope="eng")
    register_in("eng.hooks", registry)
    registry._register_module(list, "Thing")
    assert registry.get("Thing") is list


def test_what_was_taken_out_by_hand_leaves_the_name_free() -> None:
    registry = Registry("precedence", scope="eng")
    register_in("people", registry)
    registry.module_dict.pop("Thing")
    register_in("eng.hooks", registry)
    assert where(registry) == "eng.hooks"


def test_a_cell_that_is_run_again_replaces_its_class() -> None:
    registry = Registry("precedence", scope="eng")
    register_in("__main__", registry)
    first = registry.get("Thing")
    with pytest.warns(UserWarning, match=r"Thing is defined again .* eng::precedence registry"):
        register_in("__main__", registry)
    assert registry.get("Thing") is not first
    with pytest.warns(UserWarning, match="defined again"):
        register_in("__main__", registry, "name=['Thing', 'Other']")
    assert registry.get("Other") is registry.get("Thing")


def test_another_class_of_a_notebook_is_no_cell_run_again() -> None:
    registry = Registry("precedence", scope="eng")
    register_in("__main__", registry)
    code = "@registry.register_module(name='Thing')\nclass Different:\n    pass\n"
    with pytest.raises(KeyError, match="already registered"):
        exec(code, {"__name__": "__main__", "registry": registry})
    with pytest.raises(KeyError, match="already registered"):
        register_in("people", registry)


def test_a_registry_of_a_cell_that_is_run_again_is_replaced() -> None:
    root = Registry("precedence", scope="eng")
    code = "from eng.registry import Registry\nOWN = Registry('precedence', parent=root)\n"
    names: dict[str, Any] = {"__name__": "__main__", "root": root}
    exec(code, names)
    with pytest.warns(UserWarning, match="scope __main__ is defined again"):
        exec(code, names)
    assert root.children["__main__"] is names["OWN"]


def test_a_module_that_is_reloaded_replaces_what_it_registers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "reloaded_parts", None)
    del sys.modules["reloaded_parts"]
    text = """
from eng.registry import Registry
ROOT = globals().get("ROOT") or Registry("precedence", scope="eng")
OWN = Registry("precedence", parent=ROOT, scope="reloaded")

@ROOT.register_module()
class Part:
    depth = 1
"""
    path = tmp_path / "reloaded_parts.py"
    path.write_text(text)
    parts = importlib.import_module("reloaded_parts")
    path.write_text(text.replace("depth = 1", "depth = 20"))
    with (
        pytest.warns(UserWarning, match="Part is defined again and replaced"),
        pytest.warns(UserWarning, match="scope reloaded is defined again"),
    ):
        importlib.reload(parts)
    assert parts.ROOT.get("Part") is parts.Part
    assert parts.Part.depth == 20
    assert parts.ROOT.children["reloaded"] is parts.OWN
    with pytest.raises(KeyError, match="already registered"):  # twice in one module
        exec(text.split('scope="reloaded")')[1], vars(parts))
    path.write_text(f"{text}\n@ROOT.register_module(name='Part')\nclass Other:\n    pass\n")
    with (
        pytest.warns(UserWarning, match="again"),
        pytest.raises(KeyError, match="already registered"),
    ):
        importlib.reload(parts)
