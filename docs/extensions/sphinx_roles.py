"""Let griffe read eng: its docstrings, its private base classes, its names from other packages."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from griffe import Alias, Attribute, Class, Docstring, Extension, Function, Module, Object

_BUILTINS = {*dir(builtins), *sys.stdlib_module_names}
_ROLE = re.compile(r":(?:py:)?(?:class|func|meth|mod|attr|data|exc|obj):`(?P<target>[^`]+)`")


class SphinxRoles(Extension):
    """Turn each role such as ``:class:`X``` into a cross reference, before pages are rendered."""

    def on_package(self, *, pkg: Module, **kwargs: Any) -> None:
        """Prepare all packages of eng, once they are read."""
        if pkg.path != "eng":
            return
        objects = list(_walk(pkg))
        for module in pkg.modules.values():
            _show_functions_named_as_modules(module)
            _keep_own_exports(module)
        homes = _Homes(pkg)
        for obj in objects:
            if isinstance(obj, Attribute):
                _read_comment(obj)
            if obj.docstring is not None:
                text = _ROLE.sub(lambda role: homes.refer(obj, role["target"]), obj.docstring.value)  # noqa: B023
                obj.docstring.value = re.sub(r"::$", ":", text, flags=re.MULTILINE)


def _keep_own_exports(module: Module) -> None:
    """Document a name in the package that defines it, not where it is exported again."""
    names = [str(name) for name in module.exports or []]
    members = {name: module.members.get(name) for name in names}
    module.exports = [
        name
        for name, member in members.items()
        if member is not None and defined_at(member).startswith(f"{module.path}.")
    ]


def defined_at(member: Object | Alias) -> str:
    """The path of an object, behind all aliases, also where another library has it."""
    while isinstance(member, Alias):
        try:
            member = member.modules_collection.get_member(member.target_path)
        except Exception:  # griffe has no common base for what may be wrong with an alias
            return member.target_path
    return member.path


def _show_functions_named_as_modules(module: Module) -> None:
    """Let ``eng.cli.main`` be the function that is exported, not the module it is in."""
    for name in map(str, module.exports or []):
        member = module.members.get(name)
        found = None if member is None else _final(member)
        if isinstance(found, Module) and name in found.members:
            module.members[name] = Alias(name, found.members[name], parent=module)


def _read_comment(attribute: Attribute) -> None:
    """Take the comment of ``#:`` above an attribute for its docstring."""
    path = attribute.filepath
    if attribute.docstring is not None or attribute.lineno is None or not isinstance(path, Path):
        return
    lines = attribute.lines_collection[path][: attribute.lineno - 1]
    comment = list(takewhile(lambda line: line.startswith("#:"), map(str.strip, reversed(lines))))
    if comment:
        text = "\n".join(line[2:].strip() for line in reversed(comment))
        attribute.docstring = Docstring(
            text, lineno=attribute.lineno - len(comment), parent=attribute
        )


class _Homes:
    """The public path of each documented class, by the path of the module that defines it."""

    def __init__(self, pkg: Module) -> None:
        exported = [
            (f"{module.path}.{name}", _final(module.members[str(name)]))
            for module in pkg.modules.values()
            for name in module.exports or []
            if str(name) in module.members
        ]
        self._homes = {obj.path: path for path, obj in exported if obj is not None}
        public = [obj for _, obj in exported if isinstance(obj, Class)]
        for cls in public:
            self._adopt_members(cls)

    def refer(self, obj: Object, target: str) -> str:
        """The cross reference for a role in the docstring of an object."""
        path = target.lstrip("~").removesuffix("()")
        shown = path.rpartition(".")[2] if target.startswith("~") else path
        known = self._find(obj, path) or (path if "." in path or path in _BUILTINS else None)
        return f"[`{shown}`][{known or f'unknown {path}'}]"  # else a heading might answer

    def _adopt_members(self, cls: Class) -> None:
        """Document what a class inherits from classes of eng that no page describes."""
        for base in cls.mro():
            if not base.path.startswith("eng.") or base.path in self._homes:
                continue
            for name, member in base.members.items():
                if name not in cls.members and member.is_public and member.has_docstring:
                    cls.members[name] = Alias(name, member, parent=cls)
        for base in cls.mro():
            self._homes.setdefault(base.path, self._homes[cls.path])

    def _find(self, obj: Object, path: str) -> str | None:
        head, *rest = path.split(".")
        scope: Object | None = obj
        while scope is not None:
            if head in scope.all_members:
                return self._member(scope, [head, *rest])
            if isinstance(scope, Class) and _describes(scope, head):
                return self._homes.get(scope.path)
            scope = scope.parent
        return None

    def _member(self, scope: Object, names: list[str]) -> str | None:
        found: Object | None = scope
        for name in names:
            if found is None or name not in found.all_members:
                return None
            owner, found = found, _final(found.all_members[name])
        if found is None or not isinstance(owner, Class):
            return None if found is None else self._homes.get(found.path, found.path)
        home = self._homes.get(owner.path, owner.path)
        is_shown = isinstance(found, Function) or found.has_docstring
        return f"{home}.{names[-1]}" if is_shown else home


def _describes(cls: Class, name: str) -> bool:
    """Whether the docstring of a class has a line for an attribute, which any method may set."""
    text = "" if cls.docstring is None else cls.docstring.value
    return re.search(rf"^ +{re.escape(name)}\b.*: ", text, re.MULTILINE) is not None


def _final(member: Object | Alias) -> Object | None:
    """The object behind an alias; None outside of eng."""
    try:
        return member.final_target if isinstance(member, Alias) else member
    except Exception:  # as above
        return None


def _walk(obj: Object) -> Iterator[Object]:
    yield obj
    for member in obj.members.values():
        if isinstance(member, Module | Class | Function | Attribute):
            yield from _walk(member)
