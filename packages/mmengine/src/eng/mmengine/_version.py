"""The version of this package, looked up in the installed metadata when it is asked for.

``importlib.metadata`` takes longer to import than some packages of eng do, which leave it out.
The same file in every package.
"""


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__package__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(str(__package__).replace(".", "-").replace("_", "-"))
    except PackageNotFoundError:
        return "0+unknown"  # a source tree that is not installed
