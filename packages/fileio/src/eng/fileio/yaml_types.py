"""Safe loader and dumper of YAML with the floats of YAML 1.2."""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import Any, TypeAlias

__all__ = [
    "YamlClass",
    "is_yaml_error",
    "make_safe_dumper",
    "make_safe_loader",
    "make_yaml_error",
]

#: A loader or dumper of PyYAML; those in C have no stubs.
YamlClass: TypeAlias = "type[Any]"

# Floats of the core schema of YAML 1.2 that are text for PyYAML, which implements YAML 1.1: those
# with an exponent without a sign, or without a point before it, and those like "-.5".
_FLOAT = re.compile(
    r"""^(?: [-+]? (?: \.[0-9]+ | [0-9]+ (?: \.[0-9]* )? ) [eE][-+]?[0-9]+ | [-+]\.[0-9]+ )$""",
    re.VERBOSE,
)


@cache
def make_safe_loader() -> YamlClass:
    """Return a loader that creates plain data only."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _add_plain_tags(_add_floats("SafeLoader", _limit_merges(base)))


@cache
def make_safe_dumper() -> YamlClass:
    """Return a dumper that quotes strings which :func:`make_safe_loader` would parse as floats."""
    import yaml

    return _add_floats("SafeDumper", getattr(yaml, "CSafeDumper", yaml.SafeDumper))


@cache
def make_yaml_error() -> type[ValueError]:
    """Return the class of errors of invalid YAML; made when PyYAML, which has its base, is used."""
    import yaml

    return type("InvalidYamlError", (ValueError, yaml.YAMLError), {})


def is_yaml_error(error: Exception) -> bool:
    """Return whether an error is one of invalid YAML."""
    yaml = sys.modules.get("yaml")
    return yaml is not None and isinstance(error, yaml.YAMLError)


def _add_floats(name: str, base: YamlClass) -> YamlClass:
    kind: Any = type(name, (base,), {})
    # It is checked after the others, so that integers and dates are not affected.
    kind.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    return kind


def _add_plain_tags(kind: Any) -> YamlClass:
    """Add the tags of plain data with which other dumpers of PyYAML write tuples, for instance."""
    constructors = {
        "bool": kind.construct_yaml_bool,
        "bytes": kind.construct_yaml_binary,
        "complex": lambda loader, node: complex(loader.construct_scalar(node)),
        "dict": kind.construct_yaml_map,
        "float": kind.construct_yaml_float,
        "int": kind.construct_yaml_int,
        "list": kind.construct_yaml_seq,
        "long": kind.construct_yaml_int,
        "none": kind.construct_yaml_null,
        "str": kind.construct_yaml_str,
        "tuple": lambda loader, node: tuple(loader.construct_sequence(node, deep=True)),
        "unicode": kind.construct_yaml_str,
    }
    for name, construct in constructors.items():
        kind.add_constructor(f"tag:yaml.org,2002:python/{name}", construct)
    return kind


def _limit_merges(base: YamlClass) -> YamlClass:
    """Return a loader that keeps each key of merged mappings once.

    PyYAML keeps all pairs of the mappings under ``<<``, of which the last of each key counts;
    repeatedly merged mappings would grow exponentially.
    """

    class SmallMerges(base):
        def flatten_mapping(self, node: Any) -> None:
            super().flatten_mapping(node)
            pairs: dict[object, object] = {}
            for pair in node.value:
                key = pair[0]
                is_scalar = isinstance(key.value, str)
                pairs[(key.tag, key.value) if is_scalar else id(pair)] = pair
            node.value = list(pairs.values())

    return SmallMerges
