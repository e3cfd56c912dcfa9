"""Recording a tensor must not wait for the device; reading may, once."""

import io

import pytest

from eng.logging import HistoryBuffer, MessageHub

torch = pytest.importorskip("torch")
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


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


@pytest.mark.parametrize("device", DEVICES)
def test_the_counter_sees_synchronisations(device):
    data = torch.ones(1, device=device)
    with Synchronisations() as seen:
        data.item()
        float(data)
    assert seen.count == 2


@pytest.mark.parametrize("device", DEVICES)
def test_recording_tensors_waits_for_nothing_and_reading_for_one_copy(device):
    hub = MessageHub("synchronisation")
    losses = torch.arange(1000, dtype=torch.float32, device=device)
    with Synchronisations() as recording:
        for loss in losses:
            hub.update_scalars({"loss": loss, "half": {"value": loss.bfloat16(), "count": 2}})
    assert recording.count == 0
    with Synchronisations() as reading:
        assert hub.get_scalar("loss").mean(10) == 994.5
        assert hub.get_scalar("loss").max() == 999
    assert reading.count == (0 if device == "cpu" else 1)
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
    with pytest.raises(TypeError, match=r"one real element, not of shape \(2,\)"):
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
