"""Checkpoints by name, from a server on this machine and a stand-in for torchvision."""

import enum
import functools
import hashlib
import io
import json
import sys
import threading
from collections import OrderedDict
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType

import pytest
import torch
from torch import nn

from eng.checkpoint import (
    CheckpointError,
    CheckpointLoader,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
    load_checkpoint,
)


class Server:
    """Serves a folder and counts what is asked for."""

    def __init__(self, folder):
        self.folder, self.asked = folder, []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *args):
                asked.append(self.path)

        handler = functools.partial(Handler, directory=str(folder))
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"

    def add(self, name, state):
        """The address of a checkpoint, named as torchvision does: with a part of its hash."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        file = f"{name}-{hashlib.sha256(buffer.getvalue()).hexdigest()[:8]}.pth"
        (self.folder / file).write_bytes(buffer.getvalue())
        return f"{self.url}/{file}"


@pytest.fixture
def server(tmp_path, monkeypatch):
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "served"
    folder.mkdir()
    server = Server(folder)
    thread = threading.Thread(target=server.httpd.serve_forever)
    thread.start()
    yield server
    server.httpd.shutdown()
    thread.join()
    server.httpd.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder of the user's tables, and a function that writes one."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("MMENGINE_HOME", str(folder))

    def write(name, table):
        (folder / name).write_text(table if isinstance(table, str) else json.dumps(table))

    write.folder = folder
    return write


@pytest.fixture
def torchvision(tmp_path, monkeypatch):
    """A stand-in for torchvision, to which models are added, that keeps downloads of its own."""
    models = ModuleType("torchvision.models")
    models.known = {}
    models.list_models = lambda: sorted(models.known)
    models.get_model_weights = models.known.__getitem__

    def add(model, **urls):
        weights = enum.Enum(f"{model}_Weights", urls)
        weights.url = property(lambda member: member.value)
        models.known[model] = weights

    package = ModuleType("torchvision")
    package.models = models
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    return add


def weights(value):
    return OrderedDict(weight=torch.full((1, 2), float(value)), bias=torch.zeros(1))


def test_torchvision_models_are_listed(torchvision):
    torchvision("net", IMAGENET1K_V1="http://x/1", IMAGENET1K_V2="http://x/2")
    torchvision("untrained")
    assert get_torchvision_models() == {
        "net": "http://x/1",
        "net.imagenet1k_v1": "http://x/1",
        "net.imagenet1k_v2": "http://x/2",
    }


def test_torchvision_weights_load_and_are_downloaded_once(torchvision, server):
    torchvision("net", A=server.add("net", weights(1)), B=server.add("net", weights(2)))
    model = nn.Linear(2, 1)
    load_checkpoint(model, "torchvision://net", map_location="cpu", strict=True)
    assert model.weight.tolist() == [[1, 1]]
    load_checkpoint(model, "torchvision://net.b", map_location="cpu", strict=True)
    assert model.weight.tolist() == [[2, 2]]
    load_checkpoint(model, "torchvision://net.a", map_location="cpu", strict=True)
    assert model.weight.tolist() == [[1, 1]]
    assert len(server.asked) == 2


def test_modelzoo_is_an_old_name_of_torchvision(torchvision, server):
    torchvision("net", A=server.add("net", weights(3)))
    with pytest.warns(FutureWarning, match="torchvision://net"):
        assert CheckpointLoader.load_checkpoint("modelzoo://net")["weight"].tolist() == [[3, 3]]


def test_an_unknown_name_of_torchvision_is_told_with_what_is_close(torchvision):
    torchvision("resnet18", A="http://x/1")
    with pytest.raises(CheckpointError, match=r"weights 'resnet81'.*did you mean.*resnet18"):
        CheckpointLoader.load_checkpoint("torchvision://resnet81")
    with pytest.raises(CheckpointError, match=r"none of \d+ names is similar"):
        CheckpointLoader.load_checkpoint("torchvision://zzz")


def test_a_broken_download_names_its_address_and_is_not_kept(torchvision, server, tmp_path):
    url = server.add("net", weights(1))
    file = server.folder / url.rsplit("/", 1)[1]
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    torchvision("net", A=url, GONE=f"{server.url}/gone-00000000.pth")
    with pytest.raises(CheckpointError, match=f"'torchvision://net' from {url}.*hash"):
        CheckpointLoader.load_checkpoint("torchvision://net")
    with pytest.raises(CheckpointError, match=r"gone-00000000\.pth.*404"):
        CheckpointLoader.load_checkpoint("torchvision://net.gone")
    assert not list((tmp_path / "torch").rglob("*.pth"))
    file.write_bytes(whole)
    assert CheckpointLoader.load_checkpoint("torchvision://net")["weight"].tolist() == [[1, 1]]
    (kept,) = (tmp_path / "torch").rglob("*.pth")
    kept.write_bytes(whole[:100])
    with pytest.raises(CheckpointError, match=rf"cached in {kept.parent}\): "):
        CheckpointLoader.load_checkpoint("torchvision://net")


def test_without_torchvision_the_error_says_what_to_install(monkeypatch):
    # Both, since another test of this process may have imported the inner one.
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(ModuleNotFoundError, match="pip install torchvision"):
        get_torchvision_models()
    with pytest.raises(ModuleNotFoundError, match=r"'torchvision://net'.*pip install torchvision"):
        CheckpointLoader.load_checkpoint("torchvision://net")


def test_a_torchvision_that_cannot_list_is_too_old(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", ModuleType("torchvision.models"))
    with pytest.raises(ImportError, match=r"torchvision>=0\.14"):
        get_torchvision_models()


def test_tables_are_read_from_the_home_of_the_user(home, tmp_path, monkeypatch):
    home("open_mmlab.json", {"a": "http://x/a"})
    home("mmcls.json", {"b": "http://x/b"})
    home("deprecated.json", {"old": "a"})
    assert get_external_models() == {"a": "http://x/a"}
    assert get_mmcls_models() == {"b": "http://x/b"}
    assert get_deprecated_model_names() == {"old": "a"}
    monkeypatch.delenv("MMENGINE_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert get_external_models() == get_mmcls_models() == get_deprecated_model_names() == {}
    (tmp_path / "cache").mkdir()
    home.folder.rename(tmp_path / "cache" / "mmengine")
    assert get_external_models() == {"a": "http://x/a"}


def test_an_address_is_a_checkpoint(server):
    url = server.add("net", {"state_dict": weights(8)})
    model = nn.Linear(2, 1)
    load_checkpoint(model, url, strict=True)
    assert model.weight.tolist() == [[8, 8]]
    with pytest.raises(FileNotFoundError, match=r"gone\.pth': no such file"):
        CheckpointLoader.load_checkpoint(f"{server.url}/gone.pth")


@pytest.mark.parametrize("prefix", ["open-mmlab", "openmmlab"])
def test_open_mmlab_names_load(home, server, prefix):
    torch.save({"state_dict": weights(5)}, home.folder / "local.pth")
    home("open_mmlab.json", {"served": server.add("a", weights(4)), "local": "local.pth"})
    home("deprecated.json", {"old": "local"})
    model = nn.Linear(2, 1)
    load_checkpoint(model, f"{prefix}://served", strict=True)
    assert model.weight.tolist() == [[4, 4]]
    load_checkpoint(model, f"{prefix}://local", strict=True)
    assert model.weight.tolist() == [[5, 5]]
    with pytest.warns(FutureWarning, match=f"{prefix}://old is deprecated, use {prefix}://local"):
        CheckpointLoader.load_checkpoint(f"{prefix}://old")


def test_mmcls_names_load_a_backbone(home, server):
    classifier = nn.ModuleDict({"backbone": nn.BatchNorm1d(2), "head": nn.Linear(2, 1)})
    nn.init.constant_(classifier["backbone"].weight, 7)
    checkpoint = {"state_dict": classifier.state_dict(), "meta": {"epoch": 3}}
    home("mmcls.json", {"net": server.add("net", checkpoint), "bare": server.add("b", weights(6))})
    backbone = nn.BatchNorm1d(2)
    loaded = load_checkpoint(backbone, "mmcls://net", strict=True)
    assert backbone.weight.tolist() == [7, 7]
    assert loaded["meta"] == {"epoch": 3}
    assert loaded["state_dict"]._metadata == {"": {"version": 2}}
    model = nn.Linear(2, 1)
    load_checkpoint(model, "mmcls://bare", strict=True)
    assert model.weight.tolist() == [[6, 6]]


@pytest.mark.parametrize(
    ("prefix", "file"), [("open-mmlab", "open_mmlab.json"), ("mmcls", "mmcls.json")]
)
def test_unknown_names_and_missing_tables_say_where_the_table_is(home, prefix, file):
    with pytest.raises(CheckpointError) as error:
        CheckpointLoader.load_checkpoint(f"{prefix}://resnet50")
    for part in (
        f"'{prefix}://resnet50'",
        f"table {home.folder / file} does not exist",
        "MMENGINE_HOME",
    ):
        assert part in str(error.value)
    home(file, {"resnet50": "http://x/1", "vgg": "http://x/2"})
    with pytest.raises(CheckpointError) as error:
        CheckpointLoader.load_checkpoint(f"{prefix}://resnet05")
    for part in (f"'resnet05' in table {home.folder / file}", "did you mean one of ['resnet50']"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "is invalid JSON"),
        ("[1]", "must be a JSON object, not list"),
        ('{"a": 1}', "string for 'a'"),
    ],
)
def test_a_broken_table_is_named(home, content, fault):
    home("mmcls.json", content)
    with pytest.raises(CheckpointError, match=f"mmcls.json.*{fault}"):
        get_mmcls_models()
