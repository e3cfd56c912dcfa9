"""List what is registered, and explain single names, as ``eng list`` does."""

from __future__ import annotations

import contextlib
import difflib
import inspect
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eng.registry import NotRegisteredError, RegisteredName, Registry, list_registered
from eng.utils import UserError, add_module_folders, import_modules_from_strings

from .listed_parts import KINDS, ListedPart, load_function

__all__ = ["print_listing"]

#: Shorter words for registries than their names.
_SHORT = {
    "schedulers": "param-schedulers",
    "samplers": "data-samplers",
    "backends": "visbackends",
    "evaluators": "evaluator",
}


def print_listing(args: Namespace) -> None:
    """Print names by kind, those of one kind, or what one of them is.

    Args:
        args: Parsed arguments of the command.

    Raises:
        UserError: If the kind or the name is unknown.
    """
    if args.modules:
        add_module_folders(Path.cwd())
    import_modules_from_strings(args.modules)
    registries, others = _find_registries(), dict(KINDS)
    if args.kind is not None:
        kind = _SHORT.get(args.kind, args.kind)
        if kind not in registries and kind not in others:
            raise UserError(_describe_unknown(args.kind, [*registries, *others]))
        registries = {name: each for name, each in registries.items() if name == kind}
        others = {name: each for name, each in others.items() if name == kind}
    if args.why is not None:
        print("\n".join(_explain(args.why, registries, others)))
        return
    found: dict[str, Sequence[RegisteredName | ListedPart]] = {
        **{kind: list_registered(each) for kind, each in registries.items()},
        **{kind: list_parts() for kind, list_parts in others.items()},
    }
    if args.kind is not None:
        print("\n".join(line for each in found.values() for line in _format_names(each)))
    else:
        width = max(map(len, found))
        print("\n".join(f"{kind:<{width}}  {len(each):>4}" for kind, each in found.items()))


def _find_registries() -> dict[str, Registry]:
    """Find the root registries of the engine, by the words of the command line."""
    import eng.registry

    names = [name for name in eng.registry.__all__ if name.isupper()]
    found = {name.lower().replace("_", "-"): getattr(eng.registry, name) for name in names}
    return {kind: each for kind, each in found.items() if isinstance(each, Registry)}


def _describe_unknown(kind: str, registries: Iterable[str]) -> str:
    known = sorted({*registries, *_SHORT})
    near = difflib.get_close_matches(kind, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown kind {kind!r}; {hint}known kinds: {', '.join(known)}"


def _format_names(found: Sequence[RegisteredName | ListedPart]) -> list[str]:
    if not found:
        return ["nothing is registered"]
    name, package = (max(len(getattr(e, part)) for e in found) for part in ("name", "package"))
    lines = [f"{e.name:<{name}}  {e.package:<{package}}  {e.summary}" for e in found]
    return [line.rstrip() for line in lines]


def _explain(
    name: str,
    registries: Mapping[str, Registry],
    others: Mapping[str, Callable[[], list[ListedPart]]],
) -> list[str]:
    parts = {kind: list_parts() for kind, list_parts in others.items()}
    lines = [
        line
        for kind, each in parts.items()
        for part in each
        if part.name == name
        for line in _explain_part(part, kind)
    ]
    missing: list[NotRegisteredError] = []
    found: dict[str, Any] = {}
    for kind, registry in registries.items():
        try:
            found[kind] = registry.require(name)
        except NotRegisteredError as error:
            missing.append(error)
    for owner, target in _find_owners(found, registries).items():
        lines += [f"{name}{owner}: {target.__module__}.{getattr(target, '__qualname__', name)}"]
        lines += _locate(target)
    if not lines:
        if len(missing) == 1:
            raise missing[0]
        near = {part.name: kind for kind, each in parts.items() for part in each}
        near |= {
            entry.name: kind
            for kind, registry in registries.items()
            for entry in list_registered(registry)
        }
        close = difflib.get_close_matches(name, near, n=3)
        hint = f"; closest names: {', '.join(f'{c} ({near[c]})' for c in close)}" if close else ""
        raise UserError(f"{name!r} is not registered in any registry{hint}")
    return lines


def _find_owners(found: Mapping[str, Any], registries: Mapping[str, Registry]) -> dict[str, Any]:
    """Leave out registries that merely import a path, as each of them can."""
    everywhere = {f" of {kind}": target for kind, target in found.items()}
    if len(found) < 2 or len({id(target) for target in found.values()}) > 1:
        return everywhere
    target = next(iter(found.values()))
    owned = [kind for kind in found if target in registries[kind].module_dict.values()]
    return {f" of {kind}": target for kind in owned} or {"": target}


def _explain_part(part: ListedPart, kind: str) -> list[str]:
    lines = [f"{part.name} of {kind}: {part.source or 'in the config of a run'} ({part.package})"]
    if kind == "functions":
        return [*lines, *_locate(load_function(part.source))]
    more = [f"  eng {part.name} --help shows its arguments"] if kind == "commands" else []
    return [*lines, f"  {part.summary}", *more]


def _locate(target: object) -> list[str]:
    lines = []
    plain: Any = inspect.unwrap(target) if callable(target) else target
    with contextlib.suppress(TypeError, OSError):  # written in C, or typed at a prompt
        place = f"{inspect.getsourcefile(plain)}:{inspect.getsourcelines(plain)[1]}"
        lines.append(f"  defined in {place}")
    with contextlib.suppress(TypeError, ValueError):  # written in C
        arguments = inspect.signature(plain).parameters.values()
        names = [each.replace(annotation=inspect.Parameter.empty) for each in arguments]
        lines.append(f"  arguments: {inspect.Signature(names)}")
    summary = (inspect.getdoc(plain) or "").partition("\n")[0]
    return [*lines, f"  {summary}"] if summary else lines
