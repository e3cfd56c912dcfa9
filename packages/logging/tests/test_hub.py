"""What components of a run tell each other."""

from collections import OrderedDict

import numpy as np
import pytest

from eng.logging import HistoryBuffer, MessageHub, MMLogger


@pytest.fixture
def hub():
    with MessageHub.isolated():
        yield MessageHub.get_instance("hub")


def test_the_latest_hub_is_there_before_any_is_made(hub):
    assert MessageHub.get_current_instance() is hub
    with MessageHub.isolated():
        assert MessageHub.get_current_instance().instance_name == "mmengine"


def test_it_can_be_made_from_data():
    hub = MessageHub(
        "data",
        log_scalars=OrderedDict(loss=HistoryBuffer([1, 2], [1, 1])),
        runtime_info=OrderedDict(task="task"),
        resumed_keys=dict(loss=True),
    )
    assert hub.get_scalar("loss").mean() == 1.5
    assert hub.get_info("task") == "task"
    assert list(hub.state_dict()["log_scalars"]) == ["loss"]
    assert list(hub.state_dict()["runtime_info"]) == []
    with pytest.raises(
        TypeError, match=r"log_scalars\['loss'\] must be a HistoryBuffer, but got 3"
    ):
        MessageHub("bad", log_scalars=dict(loss=3))
    with pytest.raises(TypeError, match="runtime_info must be a dict or None, but got list"):
        MessageHub("bad", runtime_info=[])
    with pytest.raises(KeyError, match="unknown key 'lr' in resumed_keys"):
        MessageHub("bad", resumed_keys=dict(lr=True))


@pytest.mark.parametrize(
    "value",
    [
        np.array(1.5),
        np.array([1.5]),
        np.array([[1.5]]),
        np.float16(1.5),
        np.array([1.5], np.float32),
    ],
)
def test_arrays_of_one_element_are_scalars_everywhere(hub, value):
    hub.update_scalar("a", value, count=np.array([2]))
    hub.update_scalars({"b": value, "c": {"value": value, "count": np.array(2)}})
    hub.update_scalars({"a": value})
    assert hub.get_scalar("a").data[0].tolist() == [1.5, 1.5]
    assert hub.get_scalar("a").data[1].tolist() == [2, 1]
    assert hub.get_scalar("b").current() == hub.get_scalar("c").current() == 1.5


def test_scalars_of_every_kind(hub):
    for value in (1, 1.0, np.float32(1), np.int64(1), np.array([1]), np.bool_(True)):
        hub.update_scalar("loss", value)
    hub.update_scalars({"loss": 7, "accuracy": dict(value=6, count=np.int64(3))})
    hub.update_scalars({"accuracy": dict(value=0)})
    assert hub.get_scalar("loss").data[0].tolist() == [1] * 6 + [7]
    assert hub.get_scalar("accuracy").mean() == 6 / 4
    assert hub.log_scalars["loss"] is hub.get_scalar("loss")


@pytest.mark.parametrize(
    ("value", "described"),
    [
        ("text", "got str: 'text'"),
        (None, "got NoneType"),
        (np.ones(2), r"got ndarray of shape \(2,\)"),
        ([1], "got list"),
        (1j, "got complex"),
    ],
)
def test_what_is_no_scalar_is_named_and_leaves_no_key(hub, value, described):
    with pytest.raises(TypeError, match=f"scalar 'loss': .*{described}"):
        hub.update_scalar("loss", value)
    assert "loss" not in hub.log_scalars
    with pytest.raises(TypeError, match="scalar 'loss'"):
        hub.update_scalar("loss", 1, count="two")
    with pytest.raises(KeyError, match="no scalar 'loss' is recorded, known scalars:"):
        hub.get_scalar("loss")


def test_wrong_dicts_are_named(hub):
    with pytest.raises(KeyError, match="scalar 'a': missing key 'value' in the dict, which has"):
        hub.update_scalars({"a": dict(count=1)})
    with pytest.raises(TypeError, match="log_dict must be a dict, but got list"):
        hub.update_scalars([1])
    with pytest.raises(TypeError, match="info_dict must be a dict, but got str"):
        hub.update_info_dict("iter")


def test_information(hub):
    hub.update_info_dict(dict(iter=1, meta=dict(a=[1])))
    hub.update_info("iter", 2)
    copied = hub.get_info("meta")
    copied["a"].append(2)
    assert hub.get_info("meta") == dict(a=[1])
    listing = hub.runtime_info
    listing["new"] = 1
    assert "new" not in hub.runtime_info
    assert hub.get_info("nothing", 5) == 5
    assert hub.get_info("nothing") is None
    assert hub.get_info("nothing", default=0) == 0
    hub.update_info("none", None)
    assert hub.get_info("none", 5) is None
    assert hub.pop_info("iter") == 2
    assert hub.pop_info("iter", "gone") == "gone"
    with pytest.raises(AssertionError, match="meta used to be True, but got False now"):
        hub.update_info("meta", 1, resumed=False)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda hub: hub.update_scalar("a", "text"), TypeError),
        (lambda hub: hub.update_scalar("a", np.ones(2)), TypeError),
        (lambda hub: hub.update_scalars([1]), TypeError),
        (lambda hub: hub.update_scalars({"a": {"count": 1}}), KeyError),
        (lambda hub: hub.update_info_dict("iter"), TypeError),
        (lambda hub: (hub.update_info("i", 1), hub.update_info("i", 1, False)), ValueError),
        (lambda hub: hub.load_state_dict({"log_scalars": {}}), KeyError),
        (lambda hub: MessageHub("x", resumed_keys={"lr": True}), KeyError),
        (lambda hub: MessageHub("x", log_scalars={"loss": 3}), TypeError),
        (lambda hub: MessageHub("x", runtime_info=[]), TypeError),
        (lambda hub: HistoryBuffer([1, 2], [1]), ValueError),
        (lambda hub: HistoryBuffer([1], [1], max_length=0), ValueError),
        (lambda hub: HistoryBuffer([1], [1]).mean("1"), TypeError),
        (lambda hub: HistoryBuffer([1], [1]).mean(0), ValueError),
        (lambda hub: HistoryBuffer().current(), ValueError),
        (lambda hub: HistoryBuffer([1], [1]).statistics("median"), KeyError),
    ],
)
def test_errors_of_arguments_are_assertion_errors_too(hub, call, error):
    for kind in (error, AssertionError):
        with pytest.raises(kind):
            call(hub)
        MessageHub.drop_instance("hub")
        hub = MessageHub.get_instance("hub")


@pytest.mark.parametrize(
    ("values", "counts", "wanted"),
    [
        ([[1, 2], [3, 4]], [[1, 1], [1, 1]], [1, 2, 3, 4]),
        (np.ones((3, 1)), [1, 1, 1], [1, 1, 1]),
        (5, 1, [5]),
        (np.array(5.0), np.array([1]), [5]),
        ((), [[]], []),
    ],
)
def test_a_history_is_flattened(values, counts, wanted):
    history = HistoryBuffer(values, counts)
    assert history.data[0].tolist() == wanted
    assert len(history.data[1]) == len(wanted)
    history.update(9)
    assert history.data[0].tolist() == [*wanted, 9]


def test_only_plain_information_is_saved(hub, capsys):
    class Thing:
        pass

    hub.update_info("thing", Thing())
    hub.update_info("plain", dict(a=np.float64(0.5), b=(np.arange(2), {1}), c=[True, None, "x"]))
    MMLogger.get_current_instance().reset_warnings()
    state = hub.state_dict()
    hub.state_dict()
    printed = capsys.readouterr().out
    assert printed.count("WARNING - information 'thing' is not saved: Thing is not plain") == 1
    assert state["runtime_info"] == dict(plain=dict(a=0.5, b=([0, 1], {1}), c=[True, None, "x"]))
    assert type(state["runtime_info"]["plain"]["a"]) is float
    assert list(state["resumed_keys"]) == ["plain"]


def test_the_saved_state_is_no_larger_than_what_was_recorded(hub):
    for i in range(100):
        hub.update_scalar("loss", i)
    (packed,) = hub.state_dict()["log_scalars"].values()
    assert len(packed["log_history"]) == len(packed["count_history"]) == 800


def test_states_of_older_engines_load(hub):
    """Older engines saved the very histories, some as objects with two arrays in them."""

    class Old:
        _log_history = np.array([1.0, 2.0])
        _count_history = np.array([1.0, 3.0])
        _max_length = 1000000

    hub.load_state_dict(
        dict(
            log_scalars=dict(loss=HistoryBuffer([1], [1]), lr=Old()),
            runtime_info=dict(iter=3),
            resumed_keys=dict(loss=True, lr=True, iter=True),
        )
    )
    assert hub.get_scalar("lr").mean() == 3 / 4
    hub.update_scalar("lr", 5)
    assert hub.get_scalar("lr").current() == 5
    hub.update_scalar("loss", 5, resumed=False)
    assert list(hub.state_dict()["log_scalars"]) == ["lr"]
    old = HistoryBuffer.__new__(HistoryBuffer)
    old.__setstate__(vars(Old) | {"_statistics_methods": {}})
    assert old.max() == 2


def test_another_hub_is_copied_whole(hub):
    hub.update_scalar("time", 1, resumed=False)
    hub.update_info("iter", [1])
    other = MessageHub("other")
    other.update_scalar("dropped", 1)
    other.load_state_dict(hub)
    assert list(other.log_scalars) == ["time"]
    hub.update_scalar("time", 2, resumed=False)
    assert len(other.get_scalar("time")) == 1


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ([], TypeError, "state_dict must be a dict or MessageHub, but got list"),
        (dict(log_scalars={}), KeyError, "missing key 'runtime_info'"),
        (
            dict(log_scalars=dict(a=3), runtime_info=dict(b=1), resumed_keys={}),
            TypeError,
            "saved scalar 'a' must be a history, but got int",
        ),
    ],
)
def test_wrong_states_change_nothing(hub, state, error, message):
    with pytest.raises(error, match=message):
        hub.load_state_dict(state)
    assert not hub.log_scalars
    assert not hub.runtime_info


def test_custom_statistics():
    @HistoryBuffer.register_statistics
    def spread(buffer, window_size=None, scale=1):
        values = buffer.data[0][-(window_size or 0) :]
        return scale * (values.max() - values.min())

    try:
        history = HistoryBuffer([1, 5, 3], [1, 1, 1])
        assert history.statistics("spread") == 4
        assert history.statistics("spread", 2, scale=10) == 20
        with pytest.raises(
            KeyError, match="'median', known methods: current, max, mean, min, spread"
        ):
            history.statistics("median")
    finally:
        del HistoryBuffer._statistics_methods["spread"]


def test_empty_and_uneven_histories_are_refused():
    with pytest.raises(ValueError, match="history is empty: call update first"):
        HistoryBuffer().current()
    with pytest.raises(
        ValueError, match="lengths of log_history and count_history should be equal"
    ):
        HistoryBuffer([1, 2], [1])
    with pytest.raises(ValueError, match="max_length must be at least 1"):
        HistoryBuffer(max_length=0)
    assert HistoryBuffer([1, 2, 3], [1, 1, 1], max_length=2).data[0].tolist() == [2, 3]


def test_a_loaded_state_does_not_fix_which_keys_are_saved():
    saved = MessageHub("keys-saved")
    saved.update_info("loop_stage", "train")
    saved.update_scalar("train/loss", 1.0, resumed=False)
    hub = MessageHub("keys-loaded")
    hub.load_state_dict(saved.state_dict())
    hub.update_info("loop_stage", "val", resumed=False)
    assert "loop_stage" not in hub.state_dict()["runtime_info"]
    with pytest.raises(ValueError, match="loop_stage used to be False"):
        hub.update_info("loop_stage", "val")
