"""The documented API, held against what is installed. What was finished once stays finished.

`data/documented_api.json` lists every documented name of the first generation of this API;
`data/later_api.json` the names that later generations export and that libraries use or expect.
There a signature is that of the first generation, where it has one, with what later ones add as
keywords. `data/finished.json` and `data/later_finished.json` record how many names and members of
each module hold. After finishing more of them, raise the records:

    .venv/bin/python tests/test_documented_api.py
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent / "data"
GENERATIONS = {"documented_api.json": "finished.json", "later_api.json": "later_finished.json"}
#: A default that the documentation shows by its repr, such as `<class 'str'>`.
SHOWN = re.compile(r"<[^<>]*(?:<[^<>]*>[^<>]*)*>")


def load(generation: str) -> dict[str, list[dict[str, Any]]]:
    """Documented names of each module, such as `eng.config`."""
    modules: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in json.loads((DATA / generation).read_text(encoding="utf-8")):
        modules[item["module"]].append(item)
    return dict(modules)


def survey(module: str, items: list[dict[str, Any]]) -> tuple[dict[str, int], list[str]]:
    """How many names and members of a module hold, and what is wrong with the others."""
    held = {"names": 0, "members": 0}
    wrong: list[str] = []
    for item in items:
        where = f"{module}.{item['name']}"
        try:
            value = getattr(importlib.import_module(module), item["name"])
        except (ImportError, AttributeError) as error:
            wrong.append(f"{where}: {error}")
            continue
        faults = name_faults(item, value)
        held["names"] += not faults
        wrong += [f"{where}: {fault}" for fault in faults]
        for member in item["members"]:
            faults = member_faults(member, value)
            held["members"] += not faults
            wrong += [f"{where}.{member['name']}: {fault}" for fault in faults]
    return held, wrong


def name_faults(item: dict[str, Any], value: Any) -> list[str]:
    if item["kind"] == "attribute":
        return []
    faults = [] if item["kind"] != "class" or inspect.isclass(value) else ["is no class"]
    return faults + signature_faults(item["signature"], value)


def member_faults(member: dict[str, Any], owner: Any) -> list[str]:
    try:
        found = inspect.getattr_static(owner, member["name"])
    except AttributeError:
        return ["is missing"]
    if "property" in member["kind"]:
        return ["is no property"] if callable(found) else []
    return signature_faults(member["signature"], getattr(owner, member["name"]), method=True)


def signature_faults(documented: str, value: Any, method: bool = False) -> list[str]:
    """Every documented parameter is accepted by its name, in its order, with its default.

    More parameters may follow. `*args` or `**kwargs` accept what they do not name.
    """
    if documented in ("", "()"):
        return []
    try:
        have = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):  # written in C, without a signature to look at
        return []
    if method and have and have[0].name in ("self", "cls"):
        have = have[1:]
    by_name = {p.name: p for p in have}
    swallows = any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in have)
    faults, positional = [], []
    for name, default in parameters(documented):
        parameter = by_name.get(name)
        if parameter is None:
            if not swallows:
                faults.append(f"parameter {name} is missing")
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY:
            positional.append(name)
        faults += default_faults(parameter, default)
    order = [p.name for p in have if p.name in positional]
    if order != positional:
        faults.append(f"its order is {order}, documented {positional}")
    return faults


def parameters(documented: str) -> list[tuple[str, ast.expr | None]]:
    """Names and defaults of a signature as it is documented, without `*args` and `**kwargs`."""
    text = SHOWN.sub("_shown", documented)
    function = ast.parse(f"def f{text}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    missing: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    defaults = [*missing, *arguments.defaults, *arguments.kw_defaults]
    names = [argument.arg for argument in (*plain, *arguments.kwonlyargs)]
    return list(zip(names, defaults, strict=True))


def default_faults(parameter: inspect.Parameter, documented: ast.expr | None) -> list[str]:
    if documented is None:
        return []
    if parameter.default is parameter.empty:
        return [f"parameter {parameter.name} has no default, documented {ast.unparse(documented)}"]
    try:
        value = ast.literal_eval(documented)
    except ValueError:  # a name or an object: that there is a default must do
        return []
    if parameter.default == value:
        return []
    # A mutable default may be written as one that cannot be changed by accident.
    if isinstance(value, (list, dict)) and parameter.default in (None, (), tuple(value)):
        return []
    return [f"parameter {parameter.name} defaults to {parameter.default!r}, documented {value!r}"]


MODULES = {generation: load(generation) for generation in GENERATIONS}


def _recorded(generation: str) -> dict[str, dict[str, int]]:
    return json.loads((DATA / GENERATIONS[generation]).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("generation", "names", "members"),
    [("documented_api.json", 269, 439), ("later_api.json", 345, 1083)],
)
def test_record_names_every_module(generation: str, names: int, members: int) -> None:
    modules = MODULES[generation]
    assert set(_recorded(generation)) == set(modules)
    assert sum(len(items) for items in modules.values()) == names
    assert sum(len(i["members"]) for items in modules.values() for i in items) == members


@pytest.mark.parametrize(
    ("generation", "module"), [(each, module) for each in GENERATIONS for module in MODULES[each]]
)
def test_documented_api(generation: str, module: str) -> None:
    held, wrong = survey(module, MODULES[generation][module])
    record = _recorded(generation)[module]
    lost = {kind: n - held[kind] for kind, n in record.items() if held[kind] < n}
    assert not lost, f"{module} lost {lost} of the documented API:\n" + "\n".join(wrong)
    assert held == record, (
        f"{module} holds more of the documented API than recorded: {held}, recorded {record}. "
        "Raise the record: .venv/bin/python tests/test_documented_api.py"
    )


def _documented(a, b=1, *args, c: str = "x", **kwargs):  # type: ignore[no-untyped-def]
    """What the checks below hold signatures against."""


@pytest.mark.parametrize(
    ("signature", "fault"),
    [
        ("(a, b=1, c='x')", None),
        ("(a, b=<class 'int'>)", None),
        ("(a, b=1, unknown=None)", None),  # taken by **kwargs
        ("(a, b=2)", "defaults to 1"),
        ("(a=None)", "has no default"),
        ("(b, a)", "order"),
    ],
)
def test_comparison(signature: str, fault: str | None) -> None:
    faults = signature_faults(signature, _documented)
    assert bool(faults) == (fault is not None)
    assert fault is None or fault in faults[0]


def test_comparison_misses_parameters() -> None:
    assert signature_faults("(x, y)", lambda x: x) == ["parameter y is missing"]


def main() -> None:
    """Raise the records to what holds now; refuse where one would fall."""
    for generation, name in GENERATIONS.items():
        before = _recorded(generation) if (DATA / name).exists() else {}
        record = {}
        for module, items in sorted(MODULES[generation].items()):
            record[module], wrong = survey(module, items)
            if any(record[module][kind] < n for kind, n in before.get(module, {}).items()):
                sys.exit(f"{module} lost some of the documented API:\n" + "\n".join(wrong))
        (DATA / name).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        for kind in ("names", "members"):
            print(f"{generation}: {sum(each[kind] for each in record.values())} {kind}")


if __name__ == "__main__":
    main()
