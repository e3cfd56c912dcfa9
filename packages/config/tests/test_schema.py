"""Configs held against a schema."""

from __future__ import annotations

import enum
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest

from eng.config import Config, ConfigError, SchemaError


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclass
class Optimizer:
    type: Literal["SGD", "Adam"]
    lr: float
    betas: tuple[float, float] | None = None


@dataclass
class Job:
    optimizer: Optimizer
    epochs: int
    name: str = "job"
    mode: Mode = Mode.FAST
    root: Path = Path()
    hooks: list[Optimizer] = field(default_factory=list)
    by_name: dict[str, Optimizer] = field(default_factory=dict)
    extra: Any = None
    made: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs must be positive, not {self.epochs}")


class Database(TypedDict, total=False):
    host: str


class Service(Database):
    port: int
    tags: list[str | int]


class Whole(TypedDict):
    service: Service
    size: tuple[int, ...]


JOB = """\
optimizer:
  type: SGD
  lr: 1
  betas: [0.9, 0.99]
epochs: 3
mode: slow
root: /data
hooks:
- type: Adam
  lr: 0.5
by_name:
  a: {type: Adam, lr: 2}
"""


def read(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    return Config.fromfile(tmp_path / "c.yaml")


def test_a_dataclass_is_made(tmp_path):
    job = read(tmp_path, JOB).validate(Job)
    adam = Optimizer("Adam", 0.5)
    assert job == Job(
        optimizer=Optimizer("SGD", 1, (0.9, 0.99)),
        epochs=3,
        mode=Mode.SLOW,
        root=Path("/data"),
        hooks=[adam],
        by_name={"a": Optimizer("Adam", 2)},
    )
    assert isinstance(job.optimizer.betas, tuple)


def test_a_typed_dict_is_a_dictionary(tmp_path):
    cfg = read(tmp_path, "service: {port: 1, tags: [a, 2]}\nsize: [1, 2]\n")
    made = cfg.validate(Whole)
    assert made == dict(service=dict(port=1, tags=["a", 2]), size=(1, 2))
    assert type(made) is type(made["service"]) is dict


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lr: 1\n", "lr: 0.1x\n", "c.yaml:3: optimizer.lr: must be a float, not '0.1x'"),
        ("lr: 1\n", "lrr: 1\n", "c.yaml:3: optimizer.lrr: unknown key 'lrr'; did you mean 'lr'?"),
        ("lr: 1\n", "lrr: 1\n", "c.yaml:1: optimizer: missing key 'lr', a float"),
        ("type: SGD", "type: SDG", "c.yaml:2: optimizer.type: must be 'SGD' or 'Adam', not 'SDG'"),
        ("0.99]", "]", "c.yaml:4: optimizer.betas: must have 2 items, not 1"),
        ("0.99]", "x]", "c.yaml:4: optimizer.betas.1: must be a float, not 'x'"),
        ("[0.9, 0.99]", "x", "c.yaml:4: optimizer.betas: must be a tuple or None, not 'x'"),
        ("epochs: 3", "epochs: 2.5", "c.yaml:5: epochs: must be an int, not 2.5"),
        ("epochs: 3", "epochs: 0", "epochs must be positive, not 0"),
        ("epochs: 3", "", "missing key 'epochs', an int"),
        ("mode: slow", "mode: slo", "c.yaml:6: mode: must be 'fast' or 'slow', not 'slo'"),
        ("root: /data", "root: 3", "c.yaml:7: root: must be a Path, not 3"),
        ("  lr: 0.5", "  lr: []", "c.yaml:10: hooks.0.lr: must be a float, not a list of 0"),
        ("lr: 2", "lr: null", "c.yaml:12: by_name.a.lr: must be a float, not None"),
        (
            "a: {type: Adam, lr: 2}",
            "a: x",
            "c.yaml:12: by_name.a: must be a dict with type, lr, betas, not",
        ),
        ("epochs: 3", "epochs: 3\nmade: 2", "c.yaml:6: made: unknown key 'made'"),
    ],
)
def test_what_does_not_match_is_named_with_its_line(tmp_path, old, new, message):
    with pytest.raises(SchemaError) as caught:
        read(tmp_path, JOB.replace(old, new, 1)).validate(Job)
    problems = [each.removeprefix(f"{tmp_path}/") for each in caught.value.problems]
    assert any(each.startswith(message) for each in problems), problems
    assert isinstance(caught.value, (ConfigError, ValueError))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_all_problems_are_told_at_once(tmp_path):
    cfg = read(tmp_path, "service: {prt: 1, tags: [a, [2]]}\nsize: 3\n")
    with pytest.raises(SchemaError) as caught:
        cfg.validate(Whole)
    assert [each.removeprefix(f"{tmp_path}/") for each in caught.value.problems] == [
        "c.yaml:1: service.prt: unknown key 'prt'; did you mean 'port'?",
        "c.yaml:1: service.tags.1: must be a str or an int, not a list of 1",
        "c.yaml:1: service: missing key 'port', an int",
        "c.yaml:2: size: must be a tuple, not 3",
    ]


def test_a_value_of_code_has_no_line():
    with pytest.raises(SchemaError, match=r"^epochs: must be an int, not 'x'\nmissing key 'optim"):
        Config(dict(epochs="x")).validate(Job)


def test_a_model_of_pydantic(tmp_path):
    pydantic = pytest.importorskip("pydantic")

    class Inner(pydantic.BaseModel):
        lr: float

    class Model(pydantic.BaseModel, extra="forbid"):
        inner: Inner
        epochs: int = 1

    cfg = read(tmp_path, "inner:\n  lr: 0.5\n")
    assert cfg.validate(Model) == Model(inner=Inner(lr=0.5))
    with pytest.raises(SchemaError) as caught:
        read(tmp_path, "inner:\n  lr: x\nepoch: 3\n").validate(Model)
    problems = [each.removeprefix(f"{tmp_path}/") for each in caught.value.problems]
    assert problems[0].startswith("c.yaml:2: inner.lr: ")
    assert problems[1].startswith("c.yaml:3: epoch: ")


@pytest.mark.parametrize("schema", [int, dict, {"a": int}, None, Mode])
def test_what_is_no_schema_is_refused(schema):
    with pytest.raises(TypeError, match="schema must be a dataclass"):
        Config(dict(a=1)).validate(schema)


def test_annotations_that_cannot_be_resolved_accept_anything():
    @dataclass
    class Inner:
        size: int

    @dataclass
    class Outer:
        inner: Inner
        lr: float
        other: Unknown = None  # noqa: F821

    made = Config(dict(inner=dict(size="x"), lr=1, other=[2])).validate(Outer)
    assert made.inner == dict(size="x")
    with pytest.raises(SchemaError, match=r"^lr: must be a float, not 'x'$"):
        Config(dict(inner=1, lr="x")).validate(Outer)
