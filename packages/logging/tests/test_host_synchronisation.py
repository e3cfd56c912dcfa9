"""Recording a tensor must not wait for the device; reading may, once."""

import io

import pytest

from eng.logging import HistoryBuffer, MessageHub

torch = pytest.importorskip("torch")
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


class Synchronisations(TorchDispatchMode):
    """Counts the operations that make the host wait for the device."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket is torch.ops.aten._local_scalar_dense:
            self.count += 1
        elif isinstance(result, torch.Tensor) and result.device.type == "cpu":
            sources = [a for a in args if isinstance(a, torch.Tensor)]
            self.count += any(source.device.type != "cpu" for source in sources)
        return result


@needs_gpu
def test_the_counter_sees_synchronisations():
    data = torch.ones(1, device="cuda")
    with Synchronisations() as seen:
        data.item()
        float(data)
    assert seen.count == 2


def test_tensors_of_a_device_are_recorded_without_their_values():
    hub = MessageHub("without values")
    for _ in range(1000):
        hub.update_scalar("loss", torch.ones((), device="meta"))  # which has none to read
    assert len(hub.get_scalar("loss")) == 1000


def test_a_tensor_of_the_host_is_recorded_as_its_value():
    hub = MessageHub("values")
    for number in range(1000):
        loss = torch.tensor([number], dtype=torch.bfloat16 if number % 2 else torch.float32)
        hub.update_scalars({"loss": loss, "half": {"value": loss, "count": 2}})
    expected = [
        float(torch.tensor(number).bfloat16() if number % 2 else number) for number in range(1000)
    ]
    assert hub.get_scalar("loss").data[0].tolist() == expected
    assert hub.get_scalar("half").mean(10) == sum(expected[-10:]) / 20


@needs_gpu
def test_recording_tensors_waits_for_nothing_and_reading_for_one_copy():
    hub = MessageHub("synchronisation")
    losses = torch.arange(1000, dtype=torch.float32, device="cuda")
    with Synchronisations() as recording:
        for loss in losses:
            hub.update_scalars({"loss": loss, "half": {"value": loss.bfloat16(), "count": 2}})
    assert recording.count == 0
    with Synchronisations() as reading:
        assert hub.get_scalar("loss").mean(10) == 994.5
        assert hub.get_scalar("loss").max() == 999
    assert reading.count == 1
    assert hub.get_scalar("half").min() == 0


def test_a_tensor_is_recorded_as_it_is_at_that_time():
    history = HistoryBuffer(max_length=3)
    value = torch.zeros(1, requires_grad=True)
    for _ in range(700):
        with torch.no_grad():
            value += 1
        history.update(value)
        history.update(-1.0)
    assert history.data[0].tolist() == [-1, 700, -1]
    with pytest.raises(TypeError, match=r"one real element, but got shape \(2,\)"):
        history.update(torch.ones(2))
    assert len(history) == 3


def test_the_state_is_plain_data_for_torch():
    hub = MessageHub("plain")
    hub.update_scalar("loss", torch.tensor(0.5), count=4)
    hub.update_info("seed", 3)
    hub.update_info("weights", torch.ones(2))
    file = io.BytesIO()
    torch.save(hub.state_dict(), file)
    file.seek(0)
    other = MessageHub("plain again")
    other.load_state_dict(torch.load(file, weights_only=True))
    assert other.get_scalar("loss").mean() == 0.125
    assert other.get_info("seed") == 3
    assert other.get_info("weights").tolist() == [1, 1]


def test_tensors_that_were_dropped_unread_leave_nothing_to_read():
    history = HistoryBuffer(max_length=2)
    for value in range(300):
        history.update(torch.tensor(float(value)))
    for value in (1.5, 2.5):
        history.update(value)
    for value in range(200):
        history.update(float(value))
    assert (history.mean(), history.current(), len(history)) == (198.5, 199, 2)
