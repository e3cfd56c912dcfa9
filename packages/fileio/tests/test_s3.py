"""S3, from a moto server; some tests put a relay before it that breaks connections."""

import contextlib
import io
import json
import os
import pickle
import shutil
import socket
import threading
import tracemalloc
import uuid
from pathlib import Path

import pytest

from eng import fileio
from eng.fileio.testing import BackendConformance

MIB = 1 << 20


@pytest.fixture
def args(s3_settings):
    return dict(s3_settings)


@pytest.fixture
def root():
    return f"s3://bucket/{uuid.uuid4()}"


@pytest.fixture
def client(args):
    import boto3

    return boto3.client("s3", **args)


@pytest.fixture
def asked(monkeypatch):
    """Names of the requests that clients made."""
    from botocore.client import BaseClient

    names, call = [], BaseClient._make_api_call

    def note(self, name, params):
        names.append(name)
        return call(self, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", note)
    return names


class TestS3(BackendConformance):
    @pytest.fixture
    def backend(self, args):
        return fileio.get_file_backend("s3://bucket", backend_args=args)

    @pytest.fixture
    def root(self):
        return f"s3://bucket/conformance #?%é/{uuid.uuid4()}"


def test_the_older_name_is_a_class_of_its_own(args):
    petrel = fileio.get_file_backend(backend_args={"backend": "petrel", **args})
    assert petrel.name == fileio.PetrelBackend.__name__ == "PetrelBackend"
    assert fileio.get_file_backend("petrel://bucket/a", backend_args=args).name == "PetrelBackend"
    s3 = fileio.get_file_backend("s3://bucket/a", backend_args=args)
    assert s3.name == "S3Backend"
    assert isinstance(s3, fileio.PetrelBackend)
    assert type(pickle.loads(pickle.dumps(petrel))) is fileio.PetrelBackend


def test_both_prefixes_lead_to_the_same_object(args, root):
    fileio.put(b"one", f"{root}/a b#?%é", args)
    assert fileio.get(f"{root}/a b#?%é".replace("s3:", "petrel:"), args) == b"one"
    named = {"backend": "petrel", **args}
    assert fileio.get(Path(f"{root}/a b#?%é"), named) == b"one"


def test_errors_are_those_of_files(args, root):
    fileio.put(b"one", f"{root}/folder/file", args)
    for call in (fileio.get, fileio.remove, lambda p, a: fileio.copyfile(p, f"{p}2", a)):
        with pytest.raises(IsADirectoryError, match="folder"):
            call(f"{root}/folder", args)
        with pytest.raises(FileNotFoundError, match="none"):
            call(f"{root}/none", args)
        with pytest.raises(FileNotFoundError, match="no-such-bucket"):
            call("s3://no-such-bucket/x", args)
    for path in (f"{root}/folder/", "s3://bucket", "s3://bucket/"):
        with pytest.raises(IsADirectoryError, match="is a directory"):
            fileio.put(b"", path, args)
    with pytest.raises(FileNotFoundError, match="NoSuchBucket"):
        fileio.put(b"", "s3://no-such-bucket/x", args)
    assert not fileio.exists("s3://no-such-bucket/x", args)
    for path in ("s3://bucket/../x", "s3://bucket/a/../../x", "petrel://bucket/a/.."):
        for call in (fileio.get, fileio.isdir, lambda p, a: fileio.put(b"", p, a)):
            with pytest.raises(ValueError, match="must stay below its root"):
                call(path, args)
    with pytest.raises(ValueError, match=r"(?s)s3://no bucket/x: .*Invalid bucket name"):
        fileio.get("s3://no bucket/x", args)
    with pytest.raises(ValueError, match=r"is not a \[cluster:\]s3://bucket/key"):
        fileio.get("/local", {"backend": "s3", **args})


def test_if_absent(args, root):
    for size in (3, 40 * MIB):
        path = f"{root}/{size}"
        fileio.put(bytes(size), path, args, if_absent=True)
        with pytest.raises(FileExistsError, match=f"{size}"):
            fileio.put(b"x" * size, path, args, if_absent=True)
        assert fileio.get(path, args) == bytes(size)
        fileio.put(b"y", path, args)
        assert fileio.get(path, args) == b"y"


def test_of_many_writers_one_writes_if_absent(args, root):
    won = []

    def write(number):
        try:
            fileio.put(str(number).encode(), f"{root}/x", args, if_absent=True)
        except FileExistsError:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(number).encode() for number in won] == [fileio.get(f"{root}/x", args)]


class Short:
    """Yields less than it is asked for, like a pipe."""

    def __init__(self, data):
        self.rest = memoryview(data)

    def read(self, size):
        size = min(size, 3 * MIB + 1)
        piece, self.rest = self.rest[:size], self.rest[size:]
        return bytes(piece)


@pytest.mark.parametrize("size", [16 * MIB - 1, 16 * MIB, 16 * MIB + 1, 35 * MIB])
def test_large_objects_come_back(args, root, size, tmp_path):
    data = os.urandom(size)
    local = tmp_path / "local"
    for source in (data, memoryview(data), Short(data)):
        fileio.put(source, f"{root}/large", args)
        assert fileio.get(f"{root}/large", args) == data
    fileio.copyfile_to_local(f"{root}/large", local, args)
    assert local.read_bytes() == data
    fileio.copyfile_from_local(local, f"{root}/again", args)
    fileio.copyfile(f"{root}/again", f"{root}/copy", args)
    assert fileio.get(f"{root}/copy", args) == data


@pytest.mark.parametrize("size", [10, 17 * MIB])
def test_a_file_that_cannot_be_stored_fails_as_bytes_do(args, size, tmp_path):
    local = tmp_path / "local"
    local.write_bytes(bytes(size))
    with pytest.raises(FileNotFoundError, match=r"NoSuchBucket.*s3://no-such-bucket/x"):
        fileio.copyfile_from_local(local, "s3://no-such-bucket/x", args)
    with pytest.raises(FileNotFoundError, match=r"NoSuchBucket.*s3://no-such-bucket/x"):
        fileio.put(local.read_bytes(), "s3://no-such-bucket/x", args)


def test_an_upload_that_breaks_leaves_the_old_object(args, root, client):
    class Breaks:
        left = 3

        def read(self, size):
            self.left -= 1
            if self.left < 0:
                raise OSError("source broke")
            return bytes(size)

    fileio.put(b"old", f"{root}/x", args)
    with pytest.raises(OSError, match="source broke"):
        fileio.put(Breaks(), f"{root}/x", args)
    assert fileio.get(f"{root}/x", args) == b"old"
    assert "Uploads" not in client.list_multipart_uploads(Bucket="bucket")


def test_what_a_killed_upload_left_goes_with_the_next_one(args, root, client):
    keys = [f"{root[len('s3://bucket/') :]}/{name}" for name in ("x", "xy")]
    for key in keys:  # moto gives every upload a date long ago
        client.create_multipart_upload(Bucket="bucket", Key=key)
    fileio.put(bytes(17 * MIB), f"{root}/x", args)
    left = client.list_multipart_uploads(Bucket="bucket")["Uploads"]
    assert [upload["Key"] for upload in left] == keys[1:]
    client.abort_multipart_upload(Bucket="bucket", Key=keys[1], UploadId=left[0]["UploadId"])


def test_one_copy_of_a_large_object_is_held(args, root):
    size = 96 * MIB
    fileio.put(Short(bytes(size)), f"{root}/large", args)
    fileio.get(f"{root}/large", args)
    tracemalloc.start()
    data = fileio.get(f"{root}/large", args)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(data) == size
    assert peak < 1.3 * size


def test_uploads_stream(args, root, monkeypatch):
    from eng.fileio.backends import s3_transfer

    class Endless:
        left = 120 * MIB

        def read(self, size):
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    monkeypatch.setattr(s3_transfer, "PART", 5 * MIB)  # the smallest part that S3 takes
    fileio.put(b"warm", f"{root}/x", args)
    tracemalloc.start()
    fileio.put(Endless(), f"{root}/x", args)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80 * MIB
    assert fileio.isfile(f"{root}/x", args)


@pytest.mark.exhaustive
def test_a_tree_is_deleted_a_thousand_objects_at_a_time(args, root, client, asked):
    keys = [f"{root[len('s3://bucket/') :]}/{number}" for number in range(1203)]
    for batch in (keys[i::8] for i in range(8)):
        for key in batch:
            client.put_object(Bucket="bucket", Key=key, Body=b"")
    asked.clear()
    fileio.rmtree(root, args)
    assert asked.count("DeleteObjects") == 2
    assert "DeleteObject" not in asked
    assert not fileio.exists(root, args)


def test_what_cannot_be_deleted_is_listed(args, root, monkeypatch):
    from botocore.client import BaseClient

    for name in ("a", "b/c", "d"):
        fileio.put(b"", f"{root}/{name}", args)
    call = BaseClient._make_api_call

    def refuse(self, name, params):
        if name != "DeleteObjects":
            return call(self, name, params)
        kept = [o for o in params["Delete"]["Objects"] if o["Key"].endswith("/c")]
        params["Delete"]["Objects"] = [o for o in params["Delete"]["Objects"] if o not in kept]
        answer = call(self, name, params)
        errors = [{"Key": o["Key"], "Code": "AccessDenied", "Message": "locked"} for o in kept]
        return {**answer, "Errors": errors}

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    with pytest.raises(fileio.PartialFailureError, match=r"1 of 3 failed: .*/b/c: AccessDenied"):
        fileio.rmtree(root, args)
    assert list(fileio.list_dir_or_file(root, backend_args=args, recursive=True)) == ["b", "b/c"]


@pytest.mark.slow
def test_listing_is_lazy_and_in_pages(args, root, client, asked):
    prefix = root[len("s3://bucket/") :]
    for number in range(1100):
        client.put_object(Bucket="bucket", Key=f"{prefix}/{number:04d}", Body=b"")
    asked.clear()
    listing = fileio.list_dir_or_file(root, backend_args=args)
    pages = asked.count("ListObjectsV2")
    first = [next(listing) for _ in range(1000)]
    assert asked.count("ListObjectsV2") == pages + 1
    assert [*first, *listing] == [f"{number:04d}" for number in range(1100)]
    assert asked.count("ListObjectsV2") == pages + 2


def test_folder_markers_are_folders(args, root, client):
    client.put_object(Bucket="bucket", Key=f"{root[len('s3://bucket/') :]}/empty/", Body=b"")
    assert fileio.isdir(f"{root}/empty", args)
    assert list(fileio.list_dir_or_file(f"{root}/empty", backend_args=args)) == []
    found = list(fileio.list_dir_or_file(root, recursive=True, backend_args=args))
    assert found == ["empty"]
    fileio.rmtree(root, args)
    assert not fileio.isdir(root, args)


def test_many_objects_in_one_call(args, root):
    paths = [f"{root}/{number}" for number in range(50)]
    for path in paths:
        fileio.put(path.encode(), path, args)
    assert fileio.get_many(paths, args) == [path.encode() for path in paths]
    with pytest.raises(fileio.PartialFailureError, match=f"1 of 51 failed: {root}/none"):
        fileio.get_many([*paths, f"{root}/none"], args)


def test_presigned_urls(args, root):
    import urllib.request

    fileio.put(b"one", f"{root}/a b#", args)
    url = fileio.generate_presigned_url(f"{root}/a b#", backend_args=args)
    assert fileio.get(url) == b"one"
    to_put = fileio.generate_presigned_url(f"{root}/new", "put_object", 60, backend_args=args)
    headers = {"Content-Type": "application/octet-stream"}
    with urllib.request.urlopen(urllib.request.Request(to_put, b"two", headers, method="PUT")):
        pass
    assert fileio.get(f"{root}/new", args) == b"two"
    with pytest.raises(ValueError, match="'get_object' or 'put_object', but got 'delete_object'"):
        fileio.generate_presigned_url(root, "delete_object", backend_args=args)


class TestPathMapping:
    @pytest.mark.parametrize(
        ("mapping", "path", "mapped"),
        [
            ({"/data": "s3://bucket"}, "/data/x", "s3://bucket/x"),
            ({"data/": "s3://bucket/data/"}, "data/x/data/y", "s3://bucket/data/x/data/y"),
            ({"./data/": "s3://b1/", "data/": "s3://b2/"}, "./data/x", "s3://b1/x"),
            ({"data/": "s3://b2/", "data/coco/": "s3://b1/"}, "data/coco/x", "s3://b1/x"),
            ({"x/data": "s3://b1"}, "s3://b2/x/data/y", "s3://b2/x/data/y"),
            ({"s3://old/": "other:s3://new/"}, "s3://old/x", "other:s3://new/x"),
            ({}, "s3://b/x", "s3://b/x"),
        ],
    )
    def test_a_path_is_mapped_once(self, mapping, path, mapped):
        assert fileio.S3Backend(path_mapping=mapping)._map_path(path) == mapped

    def test_all_calls_map(self, args, root, tmp_path):
        # what it is replaced by contains what is replaced
        args = {"backend": "petrel", "path_mapping": {"bucket": f"{root}/bucket"}, **args}
        fileio.put(b"x", "bucket/tree/bucket/x", args)
        assert fileio.get(f"{root}/bucket/tree/bucket/x", args) == b"x"
        assert fileio.get("bucket/tree/bucket/x", args) == b"x"
        with pytest.raises(
            IsADirectoryError, match="directory, a file was expected: 'bucket/tree'"
        ):
            fileio.get("bucket/tree", args)
        listed = fileio.list_dir_or_file("bucket/tree", recursive=True, backend_args=args)
        assert list(listed) == ["bucket", "bucket/x"]
        assert fileio.copytree("bucket/tree", "bucket/copy", args) == "bucket/copy"
        fileio.copytree_to_local("bucket/copy", tmp_path / "down", args)
        assert (tmp_path / "down" / "bucket" / "x").read_bytes() == b"x"
        fileio.remove("bucket/copy/bucket/x", args)
        fileio.rmtree("bucket/tree", args)
        assert not fileio.isdir(f"{root}/bucket", args)


class TestClusters:
    @pytest.fixture
    def profiles(self, args, tmp_path, monkeypatch):
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        (tmp_path / "config").write_text(
            f"[profile far]\nendpoint_url = {args['endpoint_url']}\nregion = us-east-1\n"
            "[profile dead]\nendpoint_url = http://127.0.0.1:9\nregion = us-east-1\n"
        )
        (tmp_path / "credentials").write_text(
            "".join(
                f"[{n}]\naws_access_key_id = {n}\naws_secret_access_key = b\n"
                for n in ("far", "dead")
            )
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def test_each_has_its_endpoint_and_credentials(self, args, root, profiles):
        fileio.put(b"x", f"far:{root}/x")
        assert fileio.get(f"far:{root}/x") == fileio.get(f"{root}/x", args) == b"x"
        assert fileio.get(f"far:{root}/x".replace("s3:", "petrel:")) == b"x"
        url = fileio.generate_presigned_url(f"far:{root}/x")
        assert "=far" in url
        with pytest.raises(ConnectionError, match="dead:s3://"):
            fileio.get(f"dead:{root}/x", {"retries": 0})

    def test_settings_of_the_default_cluster_are_not_those_of_another(self, args, root, profiles):
        dead = {**args, "endpoint_url": "http://127.0.0.1:9", "retries": 0}
        fileio.put(b"x", f"far:{root}/x", dead)
        assert fileio.get(f"far:{root}/x", dead) == b"x"

    def test_copies_between_clusters(self, args, root, profiles):
        fileio.put(b"x", f"{root}/tree/x", args)
        fileio.copyfile(f"{root}/tree/x", f"far:{root}/y", args)
        fileio.copytree(f"{root}/tree", f"far:{root}/copy", args)
        assert fileio.get(f"{root}/y", args) == fileio.get(f"{root}/copy/x", args) == b"x"

    def test_an_unknown_one_is_told_with_the_known(self, profiles):
        with pytest.raises(
            ValueError, match=r"cluster 'none' is not a profile .*: (far, dead|dead, far)"
        ):
            fileio.get("none:s3://bucket/x")


def test_defaults_of_the_environment(args, root, monkeypatch):
    monkeypatch.setenv("ENG_FILEIO_DEFAULTS", json.dumps({"s3": args}))
    fileio.put(b"x", f"{root}/x")
    assert fileio.get(f"{root}/x") == b"x"
    assert fileio.get(f"{root}/x", {"backend": "petrel"}) == b"x"


def test_a_pickled_backend_has_its_settings(args):
    backend = fileio.S3Backend({"a": "b"}, False, timeout=3, retries=1, **args)
    copy = pickle.loads(pickle.dumps(backend))
    assert copy.path_mapping == {"a": "b"}
    assert (copy.enable_mc, copy.timeout, copy.retries) == (False, 3, 1)
    assert copy.client_settings == args


def test_settings_of_boto3_are_taken(args):
    from botocore import UNSIGNED
    from botocore.config import Config

    settings = {**args, "config": Config(signature_version=UNSIGNED, read_timeout=7)}
    client = fileio.S3Backend(timeout=3, **settings)._parse("s3://bucket/x").client
    config = client.meta.config
    assert (config.signature_version, config.read_timeout, config.connect_timeout) == (
        UNSIGNED,
        7,
        3,
    )


def test_a_forked_process_has_connections_of_its_own(args, root):
    if not hasattr(os, "fork"):
        pytest.skip("of POSIX systems")
    backend = fileio.S3Backend(**args)
    backend.put(b"x", f"{root}/x")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = int(any(backend.get(f"{root}/x") != b"x" for _ in range(20)))
        finally:
            os._exit(status)
    for _ in range(20):
        assert backend.get(f"{root}/x") == b"x"
    assert os.waitpid(child, 0)[1] == 0


def test_a_broken_endpoint_is_told(args):
    args |= {"endpoint_url": "http://127.0.0.1:9", "retries": 1}
    for call in (
        fileio.get,
        fileio.exists,
        lambda p, a: fileio.put(b"", p, a),
        lambda p, a: fileio.put(bytes(17 * MIB), p, a),
        lambda p, a: list(fileio.list_dir_or_file(p, backend_args=a)),
    ):
        with pytest.raises(
            ConnectionError, match=r"s3://bucket/x: up to 2 tries in \d+\.\d s failed"
        ):
            call("s3://bucket/x", args)


def test_no_credentials(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(PermissionError, match=r"missing credentials .*s3://bucket/x"):
        fileio.get("s3://bucket/x", {"endpoint_url": "http://127.0.0.1:9"})


class Relay:
    """Passes connections on; cuts ``cuts`` answers after ``after`` bytes of their connection."""

    def __init__(self, endpoint, cuts=0, after=0):
        self.cuts, self.after, self.port = cuts, after, int(endpoint.rpartition(":")[2])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.pump, args=(near, far), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, True), daemon=True).start()

    def pump(self, source, sink, is_answer=False):
        passed = 0
        try:
            while block := source.recv(65536):
                with self.lock:
                    is_cut = is_answer and self.cuts > 0 and passed + len(block) > self.after
                    self.cuts -= is_cut
                if is_cut:
                    sink.sendall(block[: self.after - passed])
                    break
                sink.sendall(block)
                passed += len(block)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()


@pytest.fixture
def relay(args):
    relay = Relay(args["endpoint_url"])
    yield relay
    relay.close()


@pytest.mark.parametrize("size", [MIB, 40 * MIB])
@pytest.mark.parametrize("way", ["get", "copyfile_to_local"])
def test_a_body_that_breaks_off_is_read_on(args, root, relay, size, way, tmp_path, asked):
    data = os.urandom(size)
    fileio.put(data, f"{root}/x", args)
    args |= {"endpoint_url": relay.endpoint}
    relay.after, relay.cuts = 500_000, 2
    if way == "get":
        assert fileio.get(f"{root}/x", args) == data
    else:
        fileio.copyfile_to_local(f"{root}/x", tmp_path / "x", args)
        assert (tmp_path / "x").read_bytes() == data
    assert relay.cuts == 0
    assert asked.count("GetObject") > -(-size // (16 * MIB))


def test_a_truncated_download_is_never_taken_for_whole(args, root, relay, tmp_path):
    fileio.put(os.urandom(MIB), f"{root}/x", args)
    args |= {"endpoint_url": relay.endpoint, "retries": 1}
    relay.after, relay.cuts = 500_000, 1000
    message = r"/x: 2 tries in \d+\.\d s failed: connection broken after \d+ of 1048576 bytes"
    with pytest.raises(ConnectionError, match=message):
        fileio.get(f"{root}/x", args)
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(ConnectionError, match=message):
        fileio.copyfile_to_local(f"{root}/x", tmp_path / "x", args)
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_object_that_is_replaced_while_it_is_read_is_read_anew(args, root, client, monkeypatch):
    from botocore.client import BaseClient

    old, new = bytes(40 * MIB), b"n" * (20 * MIB)
    fileio.put(old, f"{root}/x", args)
    call, replaced = BaseClient._make_api_call, threading.Event()
    lock = threading.RLock()

    def replace(self, name, params):
        with lock:
            if name == "GetObject" and "Range" in params and not replaced.is_set():
                replaced.set()
                client.put_object(Bucket=params["Bucket"], Key=params["Key"], Body=new)
        return call(self, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", replace)
    assert fileio.get(f"{root}/x", args) == new


class TestMemcachedBetween:
    """``enable_mc``."""

    @pytest.fixture
    def cached(self, args, server_list):
        return {**args, "server_list_cfg": str(server_list)}

    def test_small_objects_are_read_from_memcached(self, args, cached, root, client):
        fileio.put(b"one", f"{root}/x", cached)
        assert fileio.get(f"{root}/x", cached) == b"one"
        fileio.remove(f"{root}/x", args)  # by somebody else
        assert fileio.get(f"{root}/x".replace("s3:", "petrel:"), cached) == b"one"
        with pytest.raises(FileNotFoundError):
            fileio.get(f"{root}/x", {**cached, "enable_mc": False})

    @pytest.mark.parametrize("change", ["put", "remove", "rmtree", "copyfile"])
    def test_what_it_writes_itself_is_renewed(self, cached, root, change):
        path = f"{root}/folder/x"
        fileio.put(b"one", path, cached)
        fileio.put(b"two", f"{root}/y", cached)
        assert fileio.get(path, cached) == b"one"
        if change == "put":
            fileio.put(b"two", path, cached)
        elif change == "copyfile":
            fileio.copyfile(f"{root}/y", path, cached)
        else:
            getattr(fileio, change)(path if change == "remove" else f"{root}/folder", cached)
        if change in ("put", "copyfile"):
            assert fileio.get(path, cached) == b"two"
        else:
            with pytest.raises(FileNotFoundError):
                fileio.get(path, cached)

    def test_large_objects_are_not_kept(self, args, cached, root):
        fileio.put(bytes(2 * MIB), f"{root}/x", cached)
        assert fileio.get(f"{root}/x", cached) == bytes(2 * MIB)
        fileio.put(b"new", f"{root}/x", args)
        assert fileio.get(f"{root}/x", cached) == b"new"

    def test_a_memcached_that_fails_costs_a_warning(self, args, root, tmp_path):
        (tmp_path / "servers").write_text("127.0.0.1:9\n")
        cached = {**args, "server_list_cfg": str(tmp_path / "servers")}
        fileio.put(b"one", f"{root}/x", args)
        with pytest.warns(UserWarning, match="memcached failed, continuing without"):
            assert fileio.get(f"{root}/x", cached) == b"one"

    def test_without_servers_there_is_none(self, args):
        assert fileio.S3Backend(enable_mc=True, **args)._cache is None


def test_trees_up_and_down(args, root, tmp_path):
    for name in ("x.txt", "d/y.txt", "d/e/z.bin"):
        fileio.put(name.encode(), f"{root}/tree/{name}", args)
    found = list(fileio.list_dir_or_file(f"{root}/tree", recursive=True, backend_args=args))
    assert sorted(found) == ["d", "d/e", "d/e/z.bin", "d/y.txt", "x.txt"]
    down = str(tmp_path / "down")
    assert fileio.copytree_to_local(f"{root}/tree", down, args) == down
    assert fileio.get(f"{down}/d/e/z.bin") == b"d/e/z.bin"
    assert fileio.copytree_from_local(down, f"{root}/up", args) == f"{root}/up"
    shutil.rmtree(down)
    with pytest.raises(FileNotFoundError):
        fileio.copytree_from_local(down, f"{root}/none", args)
    with pytest.raises(FileNotFoundError):
        fileio.copytree_to_local(f"{root}/none", down, args)
    with pytest.raises(NotADirectoryError):
        fileio.copytree_to_local(f"{root}/up/x.txt", down, args)
    assert not Path(down).exists()
    assert fileio.copy_if_symlink_fails(f"{root}/up", f"{root}/link", args) is False
    assert fileio.get(f"{root}/link/d/y.txt", args) == b"d/y.txt"


def test_files_without_a_name_and_objects_of_no_bytes(args, root):
    fileio.put(io.BytesIO(), f"{root}/empty", args)
    assert fileio.get(f"{root}/empty", args) == b""
    with fileio.get_local_path(f"{root}/empty", args) as path:
        assert Path(path).read_bytes() == b""
    with pytest.raises(TypeError, match=r"/x: expected bytes"):
        fileio.put(5, f"{root}/x", args)
    assert not fileio.exists(f"{root}/x", args)
