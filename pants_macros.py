# ruff: noqa: F821 - targets are names that Pants gives
"""Targets that every package has, for its three BUILD files.

Pants reads this before all of them, as ``build_file_prelude_globs`` of pants.toml says. Sources and
tests have files of their own, since their folders are roots of imports.
"""


def eng_package(folder, also=()):
    """The wheel and the sdist of ``packages/<folder>``, for its BUILD.

    Args:
        folder: Name of the folder.
        also: Targets that the wheel holds beside the modules of the package.
    """
    python_requirements(name="requirements", source="pyproject.toml")
    resources(name="metadata", sources=["pyproject.toml", "README.md", "LICENSE"])
    python_distribution(
        name="dist",
        dependencies=[
            ":metadata",
            f"packages/{folder}/src",
            f"packages/{folder}/src:typed",
            *also,
        ],
        generate_setup=False,
        wheel=True,
        sdist=True,
        provides=python_artifact(name="eng-" + folder.replace("_", "-")),
    )


def eng_sources(packages=()):
    """The sources of a package, for ``src/BUILD``.

    Args:
        packages: Folders of packages that are imported by name at run time, unseen by Pants.
    """
    python_sources(
        sources=["eng/**/*.py", "eng/**/*.pyi"],
        dependencies=[f"packages/{package}/src" for package in packages],
    )
    resources(name="typed", sources=["eng/**/py.typed", "eng/**/*.txt", "eng/**/assets/*"])


def eng_tests(exclude=()):
    """The tests of a package with what they need, for ``tests/BUILD``.

    Args:
        exclude: Test files that need what the package does not, and run elsewhere.
    """
    python_tests(
        sources=["**/test_*.py", *(f"!**/{name}" for name in exclude)],
        dependencies=[":utilities"],  # also the programs that tests start by their paths
    )
    python_test_utils(name="utilities", sources=["**/*.py", "!**/test_*.py"])
    files(name="data", sources=["data/**/*"])
