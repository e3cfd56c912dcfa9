"""What people register takes the place of what the engine has under the same name."""

from __future__ import annotations

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
