"""The metadata of every wheel: what an index shows, and requirements that fit together."""

from __future__ import annotations

from itertools import combinations

import pytest
from packaging.requirements import Requirement
from workspace import ENGINE, PACKAGES, PYTHONS, REPOSITORY, ROOT, TORCH_FREE, project, wheel_name

PROJECTS = {package: project(package) for package in PACKAGES}
FOLDER_OF = {wheel_name(package): package for package in PACKAGES}


def requirements(package: str) -> list[Requirement]:
    """All requirements of a package, those of its extras included."""
    extras = PROJECTS[package]["optional-dependencies"].values()
    lines = [*PROJECTS[package]["dependencies"], *(line for extra in extras for line in extra)]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("package", PACKAGES)
def test_an_index_can_show_it(package: str) -> None:
    shown = PROJECTS[package]
    assert shown["name"] == wheel_name(package)
    assert shown["description"]
    assert shown["authors"] == [{"name": "The eng authors"}]
    assert shown["license"] == "Apache-2.0"
    assert shown["urls"] == {
        "Homepage": REPOSITORY,
        "Source": f"{REPOSITORY}/tree/main/packages/{package}",
        "Changelog": f"{REPOSITORY}/blob/main/packages/{package}/CHANGELOG.md",
        "Issues": f"{REPOSITORY}/issues",
    }
    for name in ("README.md", "CHANGELOG.md", "LICENSE"):
        assert (ROOT / "packages" / package / name).is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_classifiers(package: str) -> None:
    shown = PROJECTS[package]
    head = "Programming Language :: Python :: 3."
    pythons = [c.rpartition(" ")[2] for c in shown["classifiers"] if c.startswith(head)]
    assert pythons == PYTHONS
    assert shown["requires-python"] == f">={PYTHONS[0]}"
    systems = [c.partition(" :: ")[2] for c in shown["classifiers"] if c.startswith("Operating")]
    assert systems == ["OS Independent" if package in TORCH_FREE else "POSIX :: Linux"]
    assert "Typing :: Typed" in shown["classifiers"]
    assert (ROOT / "packages" / package / "src" / "eng" / package / "py.typed").is_file()


def test_each_package_has_keywords_of_its_own() -> None:
    for one, other in combinations(PACKAGES, 2):
        assert set(PROJECTS[one]["keywords"]) != set(PROJECTS[other]["keywords"]), (one, other)
    for package in PACKAGES:
        keywords = PROJECTS[package]["keywords"]
        assert len(set(keywords)) == len(keywords) >= 4, package
        assert package not in TORCH_FREE or "pytorch" not in keywords


@pytest.mark.parametrize("package", PACKAGES)
def test_requirements_accept_the_packages_beside_them(package: str) -> None:
    for requirement in requirements(package):
        if folder := FOLDER_OF.get(requirement.name):
            version = PROJECTS[folder]["version"]
            assert requirement.specifier.contains(version, prereleases=True), str(requirement)
            assert requirement.extras <= set(PROJECTS[folder]["optional-dependencies"])
            assert [s.operator for s in requirement.specifier] == ["~="], str(requirement)


def test_all_takes_one_range_of_every_package_and_forwards_every_extra() -> None:
    ours = PROJECTS["all"]["optional-dependencies"]
    ranges = {r.name: r.specifier for r in map(Requirement, PROJECTS["all"]["dependencies"])}
    for package in ENGINE:
        for extra in set(PROJECTS[package]["optional-dependencies"]) - {"test"}:
            forwarded = [Requirement(line) for line in ours.get(extra, ())]
            (mine,) = [r for r in forwarded if r.name == wheel_name(package)] or [None]
            assert mine is not None, f"eng-all[{extra}] should bring {wheel_name(package)}[{extra}]"
            assert mine.extras == {extra}
            assert mine.specifier == ranges[mine.name]


@pytest.mark.parametrize("library", ["torch", "numpy"])
def test_packages_agree_on_the_oldest_version_of_a_library(library: str) -> None:
    floors = {
        package: str(line.specifier)
        for package in PACKAGES
        for line in map(Requirement, PROJECTS[package]["dependencies"])
        if line.name == library
    }
    assert len(floors) > 1
    assert len(set(floors.values())) == 1, floors
