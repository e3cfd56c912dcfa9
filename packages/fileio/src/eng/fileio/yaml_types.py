"""Safe loader and dumper of YAML whose floats are those of YAML 1.2."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, TypeAlias

__all__ = ["YamlClass", "make_safe_dumper", "make_safe_loader"]

#: A loader or dumper of PyYAML; those in C have no stubs.
YamlClass: TypeAlias = "type[Any]"

# The floats of the core schema of YAML 1.2 that PyYAML, which implements YAML 1.1, takes for text:
# those with an exponent that has no sign, or without a point before it, and those like "-.5".
_FLOAT = re.compile(
    r"""^(?: [-+]? (?: \.[0-9]+ | [0-9]+ (?: \.[0-9]* )? ) [eE][-+]?[0-9]+ | [-+]\.[0-9]+ )$""",
    re.VERBOSE,
)


@cache
def make_safe_loader() -> YamlClass:
    """Return a loader that makes plain data only."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _with_floats("SafeLoader", _with_small_merges(base))


@cache
def make_safe_dumper() -> YamlClass:
    """Return a dumper that quotes the text which :func:`make_safe_loader` would take for floats."""
    import yaml

    return _with_floats("SafeDumper", getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def _with_floats(name: str, base: YamlClass) -> YamlClass:
    kind: Any = type(name, (base,), {})
    # It is asked after the others, so that integers and dates stay what they were.
    kind.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    return kind


def _with_small_merges(base: YamlClass) -> YamlClass:
    """Return a loader that keeps each key of merged mappings once.

    PyYAML keeps all that mappings under ``<<`` bring, and lets the last of a key count; merged
    mappings that are merged again would grow by a factor at each level.
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
