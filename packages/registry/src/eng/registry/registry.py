"""Registries of classes and functions by name."""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from eng.utils import MODULE2PACKAGE, ArgumentTypeError, ArgumentValueError, UserError, override

from .build import build_from_cfg
from .discovery import (
    failures,
    import_advertised,
    import_object,
    import_scope,
    register_all_modules,
)
from .kinds import Kind, find_mismatch
from .part_config import PartConfig, Registered
from .precedence import NOTEBOOK, is_of_engine, is_run_again, reloaded_modules
from .scope import ROOT_SCOPE, DefaultScope, canonical

__all__ = ["NotRegisteredError", "Registry", "WrongKindError"]

if TYPE_CHECKING:
    import typing_extensions

    # A plain `Registry` builds anything. Python before 3.13 has no defaults of type variables.
    Part = typing_extensions.TypeVar("Part", default=Any)
else:
    Part = TypeVar("Part")

Callee = TypeVar("Callee", bound=Callable[..., object])

_lock = threading.RLock()


class NotRegisteredError(UserError, KeyError):
    """A name is not registered."""

    @override
    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return str(self.args[0]) if self.args else ""


class WrongKindError(NotRegisteredError, TypeError):
    """The object at a dotted path is not of the kind that a registry builds."""


class Registry(Generic[Part]):
    """A table of classes and functions by name, to build objects from configs.

    Registries form a tree: a name that is not found in one is looked up in its parent, and a name
    with a scope, ``"mmdet.ResNet"``, in the registry of that scope anywhere in the tree.

    Args:
        name: Name of the registry. The name of the root of the tree is also the name under which
            installed packages advertise modules in the entry-point group ``eng.modules``; these
            are imported when a name is not found for the first time.
        build_func: Function that builds an object from ``(cfg, registry=...)``. Default: that of
            the parent, or :func:`build_from_cfg` without a parent.
        parent: Registry to search next.
        scope: Scope of this registry. Default: the top-level package that creates it.
        locations: Modules to import before a name counts as missing here.
        kind: Kind that is required of objects that configs name by dotted path instead of
            registering them. Default: that of the parent, or any that does not run commands or
            code.

    Type checkers know the class of the objects that ``build`` returns if the registry is annotated
    with it: ``HEADS: Registry[Head] = Registry("head")``.

    Raises:
        ValueError: The parent already has a child of the same scope.

    Examples:
        >>> MODELS = Registry("models")
        >>> @MODELS.register_module()
        ... class ResNet:
        ...     def __init__(self, depth):
        ...         self.depth = depth
        >>> MODELS.build(dict(type="ResNet", depth=50)).depth
        50
    """

    def __init__(
        self,
        name: str,
        build_func: Callable[..., Part] | None = None,
        parent: Registry | None = None,
        scope: str | None = None,
        locations: Sequence[str] = (),
        kind: Kind | None = None,
    ) -> None:
        if parent is not None and not isinstance(parent, Registry):
            raise ArgumentTypeError(f"parent must be a Registry, but got {parent!r}")
        self._name = name
        self._scope = canonical(self.infer_scope() if scope is None else scope)
        self._module_dict: dict[str, Registered] = {}
        self._of_engine: dict[str, Registered] = {}
        self._children: dict[str, Registry] = {}
        self._locations = tuple(locations)
        self._imported = not self._locations and self._scope not in MODULE2PACKAGE
        self.parent = parent
        inherited_kind: Kind | None = None if parent is None else parent._kind
        self._kind: Kind | None = inherited_kind if kind is None else kind
        inherited = build_from_cfg if parent is None else parent.build_func
        self.build_func: Callable[..., Part] = build_func or inherited
        if parent is not None:
            parent._add_child(self)

    @property
    def name(self) -> str:
        """Name of the registry."""
        return self._name

    @property
    def scope(self) -> str:
        """Scope of the registry."""
        return self._scope

    @property
    def module_dict(self) -> dict[str, Any]:
        """Classes and functions registered here, by name."""
        return self._module_dict

    @property
    def children(self) -> dict[str, Registry]:
        """Registries that have this one as parent, by scope."""
        return self._children

    @property
    def root(self) -> Registry:
        """The registry at the top of the tree."""
        registry = self
        while registry.parent is not None:
            registry = registry.parent
        return registry

    def __len__(self) -> int:
        return len(self._module_dict)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    @override
    def __repr__(self) -> str:
        import_advertised(self.root.name)  # an empty table would be of no use to anybody
        rows = [("Names", "Objects")]
        rows += [(name, _locate(value)) for name, value in self._list_items().items()]
        width = max(len(name) for name, _ in rows)
        lines = [f"    {name:<{width}}  {place}" for name, place in rows]
        title = f"Registry of {self.name} in the scope {self.scope} ({len(self)} names)"
        return "\n".join([title, *lines])

    @staticmethod
    def infer_scope() -> str:
        """Return the top-level package of the calling code."""
        frame = sys._getframe(1)
        while frame is not None:
            module = frame.f_globals.get("__name__")
            # `Registry[Head]("head")` is called by a function of typing.
            if module is not None and module not in {__name__, "typing"}:
                return str(module).split(".")[0]
            if frame.f_back is None:
                break
            frame = frame.f_back
        return ROOT_SCOPE

    @staticmethod
    def split_scope_key(key: str) -> tuple[str | None, str]:
        """Split the first scope off a name.

        Examples:
            >>> Registry.split_scope_key("mmdet.ResNet")
            ('mmdet', 'ResNet')
            >>> Registry.split_scope_key("ResNet")
            (None, 'ResNet')
        """
        scope, dot, rest = key.partition(".")
        return (scope, rest) if dot else (None, key)

    @contextlib.contextmanager
    def switch_scope_and_registry(self, scope: str | None) -> Iterator[Registry]:
        """Set the default scope within a ``with`` block and yield its registry.

        Args:
            scope: The scope; ``None`` leaves the default scope unchanged.

        Yields:
            The registry of the default scope in this tree, or this one if it has none.
        """
        with DefaultScope.overwrite_default_scope(scope):
            yield self.of_default_scope()

    def of_default_scope(self) -> Registry:
        """Return the registry of the default scope in this tree, or this one."""
        current = DefaultScope.get_current_instance()
        if current is None:
            return self
        scope = canonical(current.scope_name)
        return self if scope == self._scope else self.root._search(scope) or self

    def get(self, key: str) -> Any:
        """Return the class or function registered under a name, ``None`` if there is none.

        A name without a scope is looked up here, then in the parents. A name with a scope is
        looked up in the registry of that scope, then in its parents. A full dotted path to an
        importable object, ``"torch.optim.SGD"``, returns that object.

        Before a name counts as missing, the modules advertised by installed packages are imported.

        Args:
            key: Name, with or without a scope, or full dotted path.

        Raises:
            TypeError: ``key`` is not a string.
        """
        found = self._get_registered(key)
        return found if found is not None or "." not in key else _import_path(key)

    def require(self, key: str) -> Registered:
        """Return the class or function registered under a name, to build an object with.

        Args:
            key: Name, with or without a scope, or full dotted path.

        Raises:
            NotRegisteredError: The name is not registered. The message lists the registries that
                were searched and the closest names.
            WrongKindError: The object at the dotted path is not of the kind that this registry
                builds, and is not registered in its tree.
        """
        found = self._get_registered(key)
        if found is not None:
            return found
        imported = _import_path(key) if "." in key else None
        if imported is None:
            raise _make_missing_error(self, key)
        mismatch = find_mismatch(imported, self._kind)
        if callable(imported) and (mismatch is None or _is_registered(self.root, imported)):
            return imported
        raise _make_kind_error(self, key, mismatch)

    def type_of(self, cfg: PartConfig) -> Any:
        """Return the class or function that a config is built with, by its ``type``.

        Args:
            cfg: Config. Its ``_scope_`` is the default scope for the lookup.

        Returns:
            The class or function. A ``type`` that is not a string is returned unchanged.

        Raises:
            NotRegisteredError: The type is not registered, see :meth:`require`.
            WrongKindError: The type is not of the kind that this registry builds.
        """
        wanted = cfg.get("type")
        if not isinstance(wanted, str):
            return wanted
        with self.switch_scope_and_registry(cfg.get("_scope_")) as registry:
            return registry.require(wanted)

    def import_from_location(self) -> None:
        """Import the modules of ``locations``, once.

        Without locations, ``register_all_modules`` of a library of the OpenMMLab family is called.

        Raises:
            Exception: Errors of these modules while they are imported.
        """
        if self._imported:
            return
        for location in self._locations:
            importlib.import_module(location)
        # Set before the library is called, since it may look up names itself.
        self._imported = True
        if not self._locations and self._scope in MODULE2PACKAGE:
            register_all_modules(self._scope)

    @overload
    def register_module(
        self, name: str | Sequence[str] | None = None, force: bool = False, module: None = None
    ) -> Callable[[Callee], Callee]: ...

    @overload
    def register_module(
        self, name: str | Sequence[str] | None = None, force: bool = False, *, module: Callee
    ) -> Callee: ...

    @overload
    def register_module(
        self, name: str | Sequence[str] | None, force: bool, module: Callee
    ) -> Callee: ...

    def register_module(
        self,
        name: str | Sequence[str] | None = None,
        force: bool = False,
        module: Callee | None = None,
    ) -> Callee | Callable[[Callee], Callee]:
        """Register a class or a function, as a decorator or by a plain call.

        Args:
            name: Name or names to register it under. Default: its own name.
            force: Whether to replace an existing registration. Registrations of the engine are
                replaced by those of users without it.
            module: Class or function to register. Default: a decorator is returned.

        Returns:
            ``module``, or a decorator that returns the decorated class or function.

        Raises:
            KeyError: The name is already registered outside the engine, and ``force`` is false. A
                definition in ``__main__`` is replaced with a warning by one of the same name
                there, such as that of a notebook's cell that is run again.
            TypeError: An argument has the wrong type, or ``module`` is not callable.

        Examples:
            >>> backbones = Registry("backbone")
            >>> @backbones.register_module(name="mnet")
            ... class MobileNet:
            ...     pass
        """
        if not isinstance(force, bool):
            raise TypeError(f"force must be a boolean, but got {type(force)}")
        names = _check_names(name)
        by_engine = is_of_engine(sys._getframe(1))
        if module is not None:
            return self._register(module, names, force, by_engine)

        def decorate(target: Callee) -> Callee:
            return self._register(target, names, force, by_engine)

        return decorate

    def build(self, cfg: PartConfig | Sequence[PartConfig], *args: Any, **kwargs: Any) -> Part:
        """Build an object from a config.

        Args:
            cfg: Config with the class or its name under ``type``, and the arguments of the
                constructor.
            *args: Passed to the build function.
            **kwargs: Passed to the build function.

        Raises:
            NotRegisteredError: The type is not registered.
        """
        return self.build_func(cfg, *args, **kwargs, registry=self)

    def _register_module(
        self,
        module: Registered,
        module_name: str | Sequence[str] | None = None,
        force: bool = False,
    ) -> None:
        """Register a class or a function; packages of the OpenMMLab family call it."""
        by_engine = is_of_engine(sys._getframe(1))
        self._register(module, _check_names(module_name), force, by_engine)

    def _register(
        self, module: Callee, names: list[str] | None, force: bool, by_engine: bool = False
    ) -> Callee:
        if not callable(module):
            raise TypeError(f"module must be Callable, but got {type(module)}")
        names = names or [_find_name(module)]
        with _lock:
            # Modules of the engine may be imported before or after those of users.
            if by_engine:
                names = [name for name in names if not self._is_of_user(name)]
            for name in names:
                there = self._module_dict.get(name)
                if there is None or force or by_engine is self._is_of_user(name):
                    continue
                if not is_run_again(module, there):
                    raise KeyError(
                        f"{name} is already registered in {self.name} at {_locate(there)}; "
                        "use force=True to replace it"
                    )
                warnings.warn(
                    f"{name} is defined again and replaced in the {self.scope}::{self.name} "
                    "registry",
                    stacklevel=3,
                )
            for name in names:
                self._module_dict[name] = module
                if by_engine:
                    self._of_engine[name] = module
        return module

    def _is_of_user(self, name: str) -> bool:
        there = self._module_dict.get(name)
        return there is not None and there is not self._of_engine.get(name)

    def _add_child(self, child: Registry) -> None:
        with _lock:
            if child.scope in self._children:
                if child.scope != NOTEBOOK and not reloaded_modules():
                    raise ArgumentValueError(
                        f"scope {child.scope} exists in {self.name} registry already"
                    )
                warnings.warn(
                    f"the child of {self.name} in the scope {child.scope} is defined again and "
                    "replaced, with what was registered in it",
                    stacklevel=3,
                )
            self._children[child.scope] = child

    def _get_registered(self, key: str) -> Registered | None:
        found = self._module_dict.get(key) if isinstance(key, str) else _refuse_key(key)
        return self._find(key) if found is None else found

    def _find(self, key: str) -> Registered | None:
        """Look up a name in the registries of the tree."""
        scope, rest = self.split_scope_key(key)
        if scope is None:
            return self._get_upwards(key)
        scope = canonical(scope)
        target = self if scope == self._scope else self._search(scope) or self.root._search(scope)
        if target is None:
            return None
        return target._find(rest)

    def _get_here(self, name: str) -> Registered | None:
        """Look up a plain name in this registry alone, importing modules that may register it."""
        found = self._module_dict.get(name)
        if found is None and not self._imported:
            self.import_from_location()
            found = self._module_dict.get(name)
        if found is None:
            import_advertised(self.root.name)
            found = self._module_dict.get(name)
        return found

    def _get_upwards(self, name: str) -> Registered | None:
        # Each registry imports its modules before its parent is searched, so that the result does
        # not depend on which modules happen to be imported already.
        for registry in _walk_up(self):
            found = registry._get_here(name)
            if found is not None:
                return found
        return None

    def _search(self, scope: str, load: bool = True) -> Registry | None:
        """Find the registry of a scope in the tree below."""
        if scope == self._scope:
            return self
        direct = self._children.get(scope)
        if direct is not None:
            return direct
        for child in list(self._children.values()):
            found = child._search(scope, load=False)
            if found is not None:
                return found
        if load:
            import_scope(scope)
            return self._search(scope, load=False)
        return None

    def _list_items(self) -> dict[str, Registered]:
        with _lock:
            return dict(sorted(self._module_dict.items()))


def _find_name(module: object) -> str:
    """Return the name of a class or function that is registered without one."""
    name = getattr(module, "__name__", None)
    if not isinstance(name, str):
        raise ArgumentTypeError(f"{module!r} has no __name__ to register it under: pass name=")
    return name


def _make_missing_error(registry: Registry, key: str) -> NotRegisteredError:
    """Return the error for a missing name, with the registries searched and the closest names."""
    scope, rest = Registry.split_scope_key(key)
    if scope is not None:
        first = registry.root._search(canonical(scope))
    else:
        first = registry
    looked = list(_walk_up(first)) if first is not None else []
    message = [f"{key} is not in the {registry.scope}::{registry.name} registry."]
    if looked:
        places = ", ".join(f"{each.scope}::{each.name} ({len(each)} names)" for each in looked)
        message.append(f"Searched in {places}.")
    else:
        message.append(
            f"Unknown scope {scope!r} (known: {', '.join(_list_scopes(registry.root))}), and the "
            "path cannot be imported."
        )
    near = _find_closest(registry.root, rest)
    if near:
        message.append(f"Closest names: {', '.join(near)}.")
    message += [f"{failure}." for failure in failures(registry.root.name)]
    message.append("If it is your own class, import its module, for instance with custom_imports.")
    return NotRegisteredError(" ".join(message))


def _make_kind_error(registry: Registry, key: str, mismatch: str | None) -> WrongKindError:
    kind = registry._kind
    return WrongKindError(
        f"{key} is {mismatch}. The {registry.scope}::{registry.name} registry builds "
        f"{kind.text if kind else 'registered objects'}: use one, or register this object "
        "with register_module in a module listed in custom_imports."
    )


def _is_registered(root: Registry, found: object) -> bool:
    return any(each is found for node in _walk_tree(root) for each in node._list_items().values())


def _find_closest(root: Registry, name: str) -> list[str]:
    import difflib

    candidates: dict[str, list[str]] = {}
    for registry in _walk_tree(root):
        for known in registry._list_items():
            full = known if registry is root else f"{registry.scope}.{known}"
            candidates.setdefault(known.lower(), []).append(full)
    near = difflib.get_close_matches(name.rpartition(".")[2].lower(), candidates, n=3)
    return [full for match in near for full in candidates[match]][:5]


def _walk_up(registry: Registry) -> Iterator[Registry]:
    at: Registry | None = registry
    while at is not None:
        yield at
        at = at.parent


def _walk_tree(registry: Registry) -> Iterator[Registry]:
    yield registry
    for child in list(registry.children.values()):
        yield from _walk_tree(child)


def _list_scopes(root: Registry) -> list[str]:
    return [registry.scope for registry in _walk_tree(root)]


def _check_names(name: str | Sequence[str] | None) -> list[str] | None:
    if name is None:
        return None
    names = [name] if isinstance(name, str) else name
    if not isinstance(names, Sequence) or not all(isinstance(each, str) for each in names):
        raise TypeError(
            "name must be None, an instance of str, or a sequence of str, "
            f"but got {type(name)}: {name!r}"
        )
    return list(names)


def _import_path(key: str) -> object | None:
    """Return the object at a dotted path; for an alias, that of the engine takes precedence."""
    scope, _, rest = key.partition(".")
    own = f"{canonical(scope)}.{rest}"
    found = import_object(own)
    # Modules of the alias may exist in eng-mmengine alone.
    return import_object(key) if found is None and key != own else found


def _refuse_key(key: object) -> NoReturn:
    raise TypeError(f"The key argument of `Registry.get` must be a str, got {type(key)}")


def _locate(value: object) -> str:
    name = getattr(value, "__qualname__", None)
    return f"{getattr(value, '__module__', None)}.{name}" if name else repr(value)
