"""The base class of datasets: annotations, metainfo, pipeline and subsets."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from eng.dataset import AnnotationError, BaseDataset, Compose, TransformError, force_full_init
from eng.fileio import dump, put_text
from eng.registry import DATASETS, TRANSFORMS

DOCUMENTED = {
    "metainfo": {"dataset_type": "test_dataset", "task_name": "test_task"},
    "data_list": [
        {
            "img_path": "test_img.jpg",
            "height": 604,
            "width": 640,
            "instances": [
                {
                    "bbox": [0, 0, 10, 20],
                    "bbox_label": 1,
                    "mask": [[0, 0], [0, 10], [10, 20], [20, 0]],
                    "extra_anns": [1, 2, 3],
                },
                {
                    "bbox": [10, 10, 110, 120],
                    "bbox_label": 2,
                    "mask": [[10, 10], [10, 110], [110, 120], [120, 10]],
                    "extra_anns": [4, 5, 6],
                },
            ],
        },
    ],
}


def write(path: Path, count: int = 10, **more: Any) -> str:
    entries = [{"img_path": f"{i}.jpg", "value": i} for i in range(count)]
    dump({"metainfo": {"from": "file"}, "data_list": entries, **more}, str(path))
    return str(path)


@pytest.fixture
def ann_file(tmp_path: Path) -> str:
    return write(tmp_path / "ann.json")


@pytest.fixture(params=[True, False], ids=["serialized", "objects"])
def serialize(request: pytest.FixtureRequest) -> bool:
    return request.param


def values(dataset: BaseDataset) -> list[int]:
    return [dataset.get_data_info(i)["value"] for i in range(len(dataset))]


# ------------------------------------------------------------------ annotations and metainfo


def test_the_documented_example(tmp_path: Path) -> None:
    class CustomDataset(BaseDataset):
        METAINFO: ClassVar = {"task_name": "custom_task", "dataset_type": "custom_type"}

    dump(DOCUMENTED, str(tmp_path / "ann.json"))
    dataset = CustomDataset(str(tmp_path / "ann.json"), metainfo={"task_name": "custom_task_name"})
    assert dataset.metainfo == {"task_name": "custom_task_name", "dataset_type": "custom_type"}
    wanted = {**DOCUMENTED["data_list"][0], "sample_idx": 0}
    assert dataset[0] == dataset.get_data_info(0) == wanted
    assert BaseDataset(str(tmp_path / "ann.json")).metainfo == DOCUMENTED["metainfo"]


def test_metainfo_is_a_copy(ann_file: str) -> None:
    given = {"classes": ["a"]}
    dataset = BaseDataset(ann_file, metainfo=given)
    given["classes"].append("b")
    dataset.metainfo["classes"].append("c")
    assert dataset.metainfo == {"classes": ["a"], "from": "file"}


def test_a_text_of_the_metainfo_may_name_a_file(ann_file: str, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    meta = {"classes": str(tmp_path / "classes.txt"), "task": "no/such/file"}
    assert BaseDataset(ann_file, metainfo=meta, lazy_init=True).metainfo == {
        "classes": ["cat", "dog"],
        "task": "no/such/file",
    }


@pytest.mark.parametrize("name", ["ann.json", "ann.yaml", "ann.pkl"])
def test_every_format(tmp_path: Path, name: str) -> None:
    assert values(BaseDataset(write(tmp_path / name, 3))) == [0, 1, 2]


def test_any_storage() -> None:
    put_text(json.dumps(DOCUMENTED), "memory://annotations/ann.json")
    dataset = BaseDataset(
        "ann.json", data_root="memory://annotations", data_prefix={"img_path": "train"}
    )
    assert dataset.get_data_info(0)["img_path"] == "memory://annotations/train/test_img.jpg"
    assert len(BaseDataset("memory://annotations/ann.json", data_root="/elsewhere")) == 1


def test_prefixes_and_the_root(tmp_path: Path) -> None:
    write(tmp_path / "ann.json")
    root = str(tmp_path)
    for prefix, wanted in (
        ({"img_path": "img"}, f"{root}/img/0.jpg"),
        ({"img_path": "/data"}, "/data/0.jpg"),
        ({"img_path": ""}, f"{root}/0.jpg"),
        ({}, "0.jpg"),
    ):
        dataset = BaseDataset("ann.json", data_root=root, data_prefix=prefix)
        assert dataset.get_data_info(0)["img_path"] == wanted
    with pytest.raises(TypeError, match=r"data_prefix\['img_path'\] must be a str, not NoneType"):
        BaseDataset("ann.json", data_root=root, data_prefix={"img_path": None})


def test_annotations_are_copies(ann_file: str, serialize: bool) -> None:
    dataset = BaseDataset(ann_file, serialize_data=serialize)
    dataset.get_data_info(1)["value"] = "changed"
    assert dataset.get_data_info(1) == {"img_path": "1.jpg", "value": 1, "sample_idx": 1}
    assert dataset.get_data_info(-1)["sample_idx"] == 9
    assert dataset.get_data_info(np.int64(2))["value"] == 2


def test_parsing_and_filtering(ann_file: str, serialize: bool) -> None:
    class Halves(BaseDataset):
        def parse_data_info(self, raw_data_info: dict) -> list[dict]:
            return [{**raw_data_info, "half": half} for half in range(2)]

        def filter_data(self) -> list[dict]:
            least = self.filter_cfg["least"]
            return [info for info in self.data_list if info["value"] >= least]

    dataset = Halves(ann_file, filter_cfg={"least": 8}, serialize_data=serialize)
    assert values(dataset) == [8, 8, 9, 9]
    assert values(Halves(ann_file, filter_cfg={"least": 8}, indices=-1)) == [9]


def test_a_full_init_of_a_subclass(ann_file: str) -> None:
    """As those write it that do something between the steps."""

    class Batched(BaseDataset):
        def __init__(self, ann_file: str) -> None:  # without that of the base class
            self.ann_file = ann_file
            self._metainfo = self._load_metainfo({"x": 1})
            self.data_root, self.data_prefix = "", {}
            self.filter_cfg = None
            self._indices = 4
            self.serialize_data = True
            self.test_mode = False
            self.max_refetch = 3
            self._join_prefix()
            self.pipeline = Compose([])

        def full_init(self) -> None:
            if self._fully_initialized:
                return
            self.data_list = self.load_data_list()
            self.data_list = self.filter_data()
            self.data_list = self._get_unserialized_subset(self._indices)
            self.data_list.reverse()
            self.data_bytes, self.data_address = self._serialize_data()
            self._fully_initialized = True

    assert values(Batched(ann_file)) == [3, 2, 1, 0]
    assert Batched(ann_file)[0]["value"] == 3


# ------------------------------------------------------------------ lazy loading


def test_annotations_are_loaded_when_needed(ann_file: str) -> None:
    loads = []

    class Counted(BaseDataset):
        def load_data_list(self) -> list:
            loads.append(1)
            return super().load_data_list()

    for use in (len, lambda d: d[0], lambda d: d.get_data_info(0), lambda d: d.get_subset(2)):
        dataset = Counted(ann_file, lazy_init=True)
        assert dataset.metainfo == {}
        assert not loads
        use(dataset)
        dataset.full_init()
        assert loads.pop() == 1
        assert not loads
        assert dataset.metainfo == {"from": "file"}
    Counted(ann_file)
    assert loads == [1]


def test_force_full_init() -> None:
    class Lazy:
        ready = False

        def full_init(self) -> None:
            self.ready = True

        @force_full_init
        def ask(self, a: int, b: int = 2) -> tuple:
            """Documented."""
            return self.ready, a + b

    lazy = Lazy()
    assert lazy.ask(1, b=3) == (True, 4)
    lazy.ready = False
    assert lazy.ask(1) == (False, 3)  # only once
    assert Lazy.ask.__doc__ == "Documented."
    with pytest.raises(AttributeError, match="int has no method full_init"):
        Lazy.ask(1, 2)


# ------------------------------------------------------------------ subsets

chosen = st.one_of(st.integers(-10, 10), st.lists(st.integers(-10, 9), max_size=12))


@given(choice=chosen)
@settings(deadline=None)
def test_a_subset_is_that_of_a_list(tmp_path_factory: Any, choice: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "subset.json"
    ann_file = str(path) if path.exists() else write(path)
    if isinstance(choice, int):
        wanted = list(range(10))[:choice] if choice >= 0 else list(range(10))[choice:]
    else:
        wanted = [range(10)[i] for i in choice]
    for serialize in (True, False):
        dataset = BaseDataset(ann_file, serialize_data=serialize)
        subset = dataset.get_subset(choice)
        assert values(subset) == wanted
        assert len(dataset) == 10
        again = subset.get_subset(range(len(subset)))
        dataset.get_subset_(choice)
        assert values(dataset) == values(again) == wanted
        assert [info["sample_idx"] for info in map(dataset.get_data_info, range(len(wanted)))] == (
            list(range(len(wanted)))
        )
        if wanted:
            assert values(BaseDataset(ann_file, indices=choice, serialize_data=serialize)) == wanted


@pytest.mark.parametrize("beyond", [10, 11, 1000, -10, -11, np.int64(99), np.int64(-99)])
def test_a_number_beyond_the_end_takes_what_is_there(
    ann_file: str, serialize: bool, beyond: int
) -> None:
    everything = list(range(10))
    dataset = BaseDataset(ann_file, serialize_data=serialize)
    assert values(dataset.get_subset(beyond)) == everything
    dataset.get_subset_(beyond)
    assert values(dataset) == everything
    assert values(BaseDataset(ann_file, indices=beyond, serialize_data=serialize)) == everything
    dataset.get_subset_(3)
    assert values(dataset.get_subset(beyond)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("indices", "error", "words"),
    [
        ([0, 10], IndexError, "index 10 in indices is out of range for 10 samples"),
        ([-11], IndexError, "-11 in indices"),
        ("5", TypeError, "an int or a sequence of ints, not str"),
        ({1: 2}, TypeError, "not dict"),
        (1.5, TypeError, "not float"),
        ([1.5], TypeError, "float"),
        (True, TypeError, "not bool"),
    ],
)
def test_bad_indices(
    ann_file: str, serialize: bool, indices: Any, error: type[Exception], words: str
) -> None:
    dataset = BaseDataset(ann_file, serialize_data=serialize)
    for call in (
        lambda: dataset.get_subset(indices),
        lambda: dataset.get_subset_(indices),
        lambda: BaseDataset(ann_file, indices=indices, serialize_data=serialize),
    ):
        with pytest.raises(error, match=words):
            call()
    assert len(dataset) == 10


def test_no_such_sample(ann_file: str, serialize: bool) -> None:
    dataset = BaseDataset(ann_file, serialize_data=serialize)
    for number in (10, -11):
        words = f"index {number} is out of range: BaseDataset has 10 samples"
        with pytest.raises(IndexError, match=words):
            dataset[number]
    assert [data["value"] for data in dataset] == list(range(10))
    with pytest.raises(TypeError):
        dataset[1.5]


def test_copies_and_pickles(ann_file: str, serialize: bool) -> None:
    dataset = BaseDataset(ann_file, serialize_data=serialize)
    for same in (copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
        assert values(same) == values(dataset)
        assert same.metainfo == dataset.metainfo


# ------------------------------------------------------------------ pipelines


class Scale:
    def __init__(self, by: int = 2) -> None:
        self.by = by

    def __call__(self, data: dict) -> dict:
        return {**data, "value": data["value"] * self.by}

    def __repr__(self) -> str:
        return f"Scale(by={self.by})"


class Picky:
    """Makes nothing of the samples below a number."""

    def __init__(self, least: int) -> None:
        self.least = least

    def __call__(self, data: dict) -> dict | None:
        return data if data["value"] >= self.least else None


def breaks(data: dict) -> dict:
    raise OSError("truncated")


@pytest.fixture
def registered() -> Any:
    TRANSFORMS.register_module(name="ScaleForTest", module=Scale)
    yield
    TRANSFORMS.module_dict.pop("ScaleForTest")


@pytest.mark.usefixtures("registered")
def test_a_pipeline_of_configs_and_functions(ann_file: str) -> None:
    dataset = DATASETS.build(
        {
            "type": "BaseDataset",
            "ann_file": ann_file,
            "pipeline": [{"type": "ScaleForTest", "by": 3}, lambda data: data["value"] + 1],
        }
    )
    assert [dataset[i] for i in range(3)] == [1, 4, 7]
    assert dataset.prepare_data(-1) == 28
    text = repr(Compose([{"type": "ScaleForTest"}, Scale(5)]))
    assert text == "Compose(\n    Scale(by=2)\n    Scale(by=5)\n)"
    assert Compose(None)(3) == 3
    assert Compose([lambda data: None, breaks])({}) is None


def test_another_sample_takes_the_place_of_none(ann_file: str) -> None:
    dataset = BaseDataset(ann_file, pipeline=[Picky(5)])
    assert all(dataset[0]["value"] >= 5 for _ in range(20))
    assert dataset[7]["value"] == 7


def test_a_pipeline_that_makes_nothing(ann_file: str) -> None:
    calls = []
    pipeline = [lambda data: calls.append(data["value"])]
    words = (
        r"the pipeline of BaseDataset returned None for sample 3 \('3.jpg'\); and for 4 other "
        r"samples \(max_refetch\)"
    )
    with pytest.raises(RuntimeError, match=words):
        BaseDataset(ann_file, pipeline=pipeline, max_refetch=4)[3]
    assert len(calls) == 5
    words = r"returned None for sample 3 \('3.jpg'\); in test_mode no other sample replaces it"
    with pytest.raises(RuntimeError, match=words):
        BaseDataset(ann_file, pipeline=pipeline, test_mode=True)[3]
    assert len(calls) == 6


def test_a_transform_that_raises(ann_file: str) -> None:
    dataset = BaseDataset(ann_file, pipeline=[Scale(), breaks])
    words = r"step 1 of the pipeline, breaks, failed on sample 4 \('4.jpg'\): OSError: truncated"
    with pytest.raises(TransformError, match=words) as caught:
        dataset[4]
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(TransformError, match=r"step 0 .*, Scale, failed on a sample of type int: "):
        Compose([Scale()])(3)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


def test_what_is_no_transform() -> None:
    with pytest.raises(TypeError, match=r"step 1 of the pipeline .* it is a int"):
        Compose([Scale(), 3])
    TRANSFORMS.register_module(name="NoneForTest", module=lambda: 5)
    try:
        with pytest.raises(TypeError, match=r"step 0 of the pipeline .* it builds a int"):
            Compose([{"type": "NoneForTest"}])
    finally:
        TRANSFORMS.module_dict.pop("NoneForTest")


# ------------------------------------------------------------------ bad annotations


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1], "must contain a dict, not list"),
        ({"data_list": []}, r"missing key 'metainfo' in .*; it has \['data_list'\]"),
        ({"metainfo": {}}, r"missing key 'data_list' in .*; it has \['metainfo'\]"),
        ({"metainfo": [], "data_list": []}, "'metainfo' of .* must be a dict, not list"),
        ({"metainfo": {}, "data_list": {}}, "'data_list' of .* must be a list, not dict"),
        (
            {"metainfo": {}, "data_list": [{"img_path": "a"}, 5]},
            "entry 1 of 'data_list' of .* must be a dict, not int",
        ),
        (
            {"metainfo": {}, "data_list": [{"img_path": "a"}, {"path": "b", "id": 1}]},
            r"entry 1 of .*: 'img_path' of data_prefix is missing in the entry, which has "
            r"\['id', 'path'\]",
        ),
        (
            {"metainfo": {}, "data_list": [{"img_path": None}]},
            "entry 0 of .*: 'img_path' of data_prefix is not a path",
        ),
    ],
)
def test_a_malformed_file(tmp_path: Path, content: Any, words: str) -> None:
    path = str(tmp_path / "ann.json")
    dump(content, path)
    with pytest.raises(AnnotationError, match=words) as caught:
        BaseDataset(path)
    assert repr(path) in str(caught.value)


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text('{"metainfo": {}, "data_list": [')
    with pytest.raises(AnnotationError, match=r"cut.json: Expecting value: line 1"):
        BaseDataset(str(path))


def test_an_entry_that_a_subclass_cannot_parse(ann_file: str) -> None:
    class Boxes(BaseDataset):
        def parse_data_info(self, raw_data_info: dict) -> Any:
            if raw_data_info["value"] < 7:
                return raw_data_info
            return raw_data_info["bbox"]

    class Wrong(BaseDataset):
        def parse_data_info(self, raw_data_info: dict) -> Any:
            return [raw_data_info, 1]

    with pytest.raises(AnnotationError, match=r"entry 7 of .*ann.json': KeyError\('bbox'\)"):
        Boxes(ann_file)
    with pytest.raises(AnnotationError, match=r"entry 0 of .* a dict or a list of dicts, not int"):
        Wrong(ann_file)


def test_no_file() -> None:
    with pytest.raises(AnnotationError, match="BaseDataset has no ann_file"):
        BaseDataset()
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        BaseDataset("nowhere.json")
    with pytest.raises(TypeError, match="metainfo must be a dict, not list"):
        BaseDataset("x", metainfo=["a"])


def test_an_empty_dataset(tmp_path: Path, ann_file: str) -> None:
    class Strict(BaseDataset):
        def filter_data(self) -> list:
            return []

    with pytest.raises(ValueError, match=r"BaseDataset has no samples: 0 in .*empty.json'"):
        BaseDataset(write(tmp_path / "empty.json", 0))
    words = r"Strict has no samples: 10 in .*, 0 after filter_data \(filter_cfg=\{'a': 1"
    with pytest.raises(ValueError, match=words):
        Strict(ann_file, filter_cfg={"a": 1})
    with pytest.raises(ValueError, match="0 after selecting indices=0"):
        BaseDataset(ann_file, indices=0)


def test_an_annotation_that_does_not_pickle() -> None:
    class Functions(BaseDataset):
        def load_data_list(self) -> list:
            return [{"f": 1}, {"f": lambda: 2}]

    with pytest.raises(
        TypeError, match=r"annotation 1 of Functions cannot be pickled: .*serialize_d"
    ):
        Functions()
    assert Functions(serialize_data=False).get_data_info(0)["f"] == 1


def test_categories_are_for_subclasses(ann_file: str) -> None:
    with pytest.raises(NotImplementedError, match="BaseDataset must implement get_cat_ids"):
        BaseDataset(ann_file).get_cat_ids(0)


def test_a_subclass_keeps_the_storage_settings_that_it_sets_first(tmp_path):
    class Images(BaseDataset):
        def __init__(self, *args, backend_args=None, **kwargs):
            self.backend_args = backend_args
            super().__init__(*args, **kwargs)

    path = tmp_path / "a.json"
    path.write_text(json.dumps({"metainfo": {}, "data_list": [{"i": 1}]}))
    dataset = Images(str(path), data_prefix={}, backend_args={"backend": "of the images"})
    assert dataset.backend_args == {"backend": "of the images"}
    local = BaseDataset(str(path), data_prefix={}, backend_args={"backend": "local"})
    assert local.backend_args == {"backend": "local"}
    with pytest.raises(ValueError, match="nowhere"):
        BaseDataset(str(path), data_prefix={}, backend_args={"backend": "nowhere"})


def test_indices_that_a_subclass_knows_reach_it():
    class Videos(BaseDataset):
        def load_data_list(self):
            return [{"frames": [1, 2, 3]}, {"frames": [4, 5]}]

        def prepare_data(self, idx):
            if not isinstance(idx, tuple):
                return super().prepare_data(idx)
            video, frame = idx
            return self.pipeline({"frame": self.get_data_info(video)["frames"][frame]})

    assert Videos()[1, 0] == {"frame": 4}
    assert Videos()[-1]["sample_idx"] == 1
    with pytest.raises(RuntimeError, match=r"returned None for sample \(0, 1\)"):
        Videos(pipeline=[lambda sample: None], test_mode=True)[0, 1]
    pairs = [(0, 2), (1, 1)]
    for workers in (0, 1):
        loader = DataLoader(Videos(), None, sampler=pairs, num_workers=workers)
        assert [sample["frame"] for sample in loader] == [3, 5]


@pytest.mark.parametrize("serialize_data", [True, False])
def test_annotations_may_be_generated(serialize_data):
    class Generated(BaseDataset):
        def load_data_list(self):
            return ({"i": i} for i in range(3))

        def filter_data(self):
            return filter(lambda info: info["i"] != 1, self.data_list)

    class InArray(BaseDataset):
        def load_data_list(self):
            return np.array([{"i": 0}, {"i": 2}])

    for kind in (Generated, InArray):
        dataset = kind(serialize_data=serialize_data)
        assert [sample["i"] for sample in dataset] == [0, 2]


def test_names_of_the_own_helpers_of_a_subclass_do_not_matter(tmp_path):
    class Own(BaseDataset):
        def parse_data_info(self, raw_data_info):
            return self._parse(raw_data_info["i"])

        def _parse(self, number):
            return {"i": self._pickle(number)}

        def _pickle(self, number):
            return number + 1

    path = tmp_path / "a.json"
    path.write_text(json.dumps({"metainfo": {}, "data_list": [{"i": 1}]}))
    assert Own(str(path))[0]["i"] == 2


def test_a_subclass_may_copy_the_metainfo_of_the_class():
    class Own(BaseDataset):
        def load_data_list(self):
            return [{}]

        @classmethod
        def _load_metainfo(cls, metainfo=None):
            return {**copy.deepcopy(cls.METAINFO), **(metainfo or {}), "own": 1}

    assert Own(metainfo={"task": 2}).metainfo == {"task": 2, "own": 1}
    assert BaseDataset.METAINFO == {}


class BrokenImageError(Exception):
    def __init__(self, path, code):
        super().__init__(f"{path} is broken")
        self.code = code


def fail(error):
    raise error


ERRORS = [
    FileNotFoundError(2, "No such file", "a.jpg"),
    KeyError("img"),
    BrokenImageError("a.jpg", 3),
    UnicodeDecodeError("utf-8", b"x", 0, 1, "invalid"),
    AssertionError("2 channels"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_of_steps_are_caught_by_their_class(error):
    with pytest.raises(type(error), match=r"step 0 of the pipeline, <lambda>, failed") as caught:
        Compose([lambda _: fail(error)])({})
    raised = caught.value
    assert isinstance(raised, TransformError)
    assert raised.__cause__ is error
    copied = pickle.loads(pickle.dumps(raised))
    assert type(copied) is type(raised)
    assert str(copied) == str(raised)
    for name in ("errno", "filename", "code"):
        assert getattr(raised, name, None) == getattr(error, name, None)
    with pytest.raises(type(error), match=r"step 0 .* step 0 .*, <lambda>, failed"):
        Compose([Compose([lambda _: fail(error)])])({})


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_of_parsing_are_caught_by_their_class(error, tmp_path):
    class Parsing(BaseDataset):
        def parse_data_info(self, raw_data_info):
            fail(error)

    path = tmp_path / "a.json"
    path.write_text(json.dumps({"metainfo": {}, "data_list": [{"i": 1}]}))
    with pytest.raises(type(error), match=r"entry 0 of 'data_list' of annotation file") as caught:
        Parsing(str(path))
    assert isinstance(caught.value, AnnotationError)
    path.write_text("{")
    with pytest.raises(json.JSONDecodeError, match="cannot read annotations from") as caught:
        Parsing(str(path))
    assert isinstance(caught.value, AnnotationError)


@pytest.mark.parametrize("error", [StopIteration(), IndexError("0"), RuntimeError("r")])
def test_no_error_of_a_step_ends_an_iteration(error):
    class One(BaseDataset):
        def load_data_list(self):
            return [{}]

    with pytest.raises(TransformError) as caught:
        list(One(pipeline=[lambda _: fail(error)]))
    assert type(caught.value) is TransformError


class Skipping(BaseDataset):
    def load_data_list(self):
        return [{"img_path": "a.jpg"}]

    def prepare_data(self, idx):
        try:
            return super().prepare_data(idx)
        except OSError as error:
            return {"skipped": error.filename}


@pytest.mark.parametrize("workers", [0, 1])
def test_a_dataset_may_skip_what_cannot_be_read(workers):
    def read(info):
        fail(FileNotFoundError(2, "No such file", info["img_path"]))

    dataset = Skipping(pipeline=[read])
    assert list(DataLoader(dataset, None, num_workers=workers)) == [{"skipped": "a.jpg"}]
    dataset = Skipping(pipeline=[lambda _: fail(KeyError("img"))])
    with pytest.raises(KeyError, match="failed on sample 0"):
        list(DataLoader(dataset, None, num_workers=workers))


class Five(BaseDataset):
    def load_data_list(self):
        return [{"i": i, "text": "x" * i} for i in range(5)]


def test_serialized_annotations_are_read_like_arrays():
    dataset = Five()
    starts = [0, *np.asarray(dataset.data_address)[:-1].tolist()]
    ends = [dataset.data_address[i].item() for i in range(len(dataset.data_address))]
    read = [
        pickle.loads(memoryview(dataset.data_bytes[start:end]))
        for start, end in zip(starts, ends, strict=True)
    ]
    assert read == Five(serialize_data=False).data_list
    assert len(dataset.data_bytes) == ends[-1]
    assert len(dataset.get_subset([])) == 0


def test_a_subclass_may_serialize_annotations_to_arrays():
    class Own(Five):
        def _serialize_data(self):
            each = [np.frombuffer(pickle.dumps(info), np.uint8) for info in self.data_list]
            return np.concatenate(each), np.cumsum([len(one) for one in each])

    dataset = Own()
    assert len(dataset) == 5
    assert [sample["i"] for sample in dataset] == [0, 1, 2, 3, 4]
    assert [sample["i"] for sample in dataset.get_subset([3, -5, 1])] == [3, 0, 1]
    assert [sample["i"] for sample in copy.deepcopy(dataset).get_subset(-2)] == [3, 4]
    with pytest.raises(IndexError, match="out of range"):
        dataset[5]
