"""A worker for BuildGrid: `worker HOST:PORT NAME FOLDER [PROPERTY=VALUE...]`.

It asks for actions over the Remote Workers API, lays each one's inputs out as the Remote Execution API has them, runs
its command there, and uploads what it wrote. For tests: there is no sandbox. Prints a line for each action.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as api
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as services
from buildgrid._protos.google.bytestream import bytestream_pb2 as streams
from buildgrid._protos.google.bytestream import bytestream_pb2_grpc as stream_services
from buildgrid._protos.google.devtools.remoteworkers.v1test2 import bots_pb2, bots_pb2_grpc, worker_pb2
from buildgrid._protos.google.rpc import code_pb2, status_pb2

_CHUNK = 1 << 20
_SECONDS = 900


class Store:
    """Content by its digest, on the server; files that came from it are kept in a folder."""

    def __init__(self, channel: grpc.Channel, folder: pathlib.Path):
        self._contents = services.ContentAddressableStorageStub(channel)
        self._streams = stream_services.ByteStreamStub(channel)
        self._kept = folder
        folder.mkdir(parents=True, exist_ok=True)

    def file(self, digest: api.Digest, executable: bool) -> pathlib.Path:
        """A file that may be linked to, and must not be written to."""
        place = self._kept / f"{digest.hash}{'x' * executable}"
        if not place.exists():
            handle, name = tempfile.mkstemp(dir=self._kept)
            with os.fdopen(handle, "wb") as part:
                part.writelines(self._chunks(digest))
            os.chmod(name, 0o555 if executable else 0o444)
            os.rename(name, place)  # whole, or not there: two workers may want it
        return place

    def content(self, digest: api.Digest) -> bytes:
        """Content as a whole."""
        return b"".join(self._chunks(digest))

    def _chunks(self, digest: api.Digest) -> Iterator[bytes]:
        if digest.size_bytes:
            name = f"blobs/{digest.hash}/{digest.size_bytes}"
            for response in self._streams.Read(streams.ReadRequest(resource_name=name)):
                yield response.data

    def put(self, content: bytes) -> api.Digest:
        """Uploads content where the server has none of it."""
        digest = api.Digest(hash=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
        asked = api.FindMissingBlobsRequest(blob_digests=[digest])
        if content and self._contents.FindMissingBlobs(asked).missing_blob_digests:
            name = f"uploads/{uuid.uuid4()}/blobs/{digest.hash}/{digest.size_bytes}"
            self._streams.Write(
                streams.WriteRequest(
                    resource_name=name,
                    write_offset=start,
                    data=content[start : start + _CHUNK],
                    finish_write=start + _CHUNK >= len(content),
                )
                for start in range(0, len(content), _CHUNK)
            )
        return digest

    def folders(self, root: api.Digest) -> dict[str, api.Directory]:
        """All folders below one, by their hashes."""
        found = {}
        for response in self._contents.GetTree(api.GetTreeRequest(root_digest=root)):
            for folder in response.directories:
                found[hashlib.sha256(folder.SerializeToString()).hexdigest()] = folder
        return found

    def lay_out(self, digest: api.Digest, place: pathlib.Path, folders: dict[str, api.Directory]) -> None:
        """Makes a folder with all below it."""
        place.mkdir(parents=True, exist_ok=True)
        folder = folders[digest.hash] if digest.size_bytes else api.Directory()
        for file in folder.files:
            os.link(self.file(file.digest, file.is_executable), place / file.name)
        for link in folder.symlinks:
            (place / link.name).symlink_to(link.target)
        for below in folder.directories:
            self.lay_out(below.digest, place / below.name, folders)


def run(store: Store, action: api.Action, folder: pathlib.Path) -> api.ActionResult:
    """Runs an action in a folder; uploads its outputs, which are files."""
    command = api.Command.FromString(store.content(action.command_digest))
    store.lay_out(action.input_root_digest, folder, store.folders(action.input_root_digest))
    start = folder / command.working_directory
    outputs = list(command.output_paths) or [*command.output_files, *command.output_directories]
    for output in outputs:
        (start / output).parent.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.defpath} | {v.name: v.value for v in command.environment_variables}
    done = subprocess.run(
        list(command.arguments), cwd=start, env=environment, capture_output=True, timeout=_SECONDS, check=False
    )
    result = api.ActionResult(exit_code=done.returncode)
    result.stdout_digest.CopyFrom(store.put(done.stdout))
    result.stderr_digest.CopyFrom(store.put(done.stderr))
    for output in outputs:
        path = start / output
        if path.is_file():
            executable = os.access(path, os.X_OK)
            result.output_files.add(path=output, digest=store.put(path.read_bytes()), is_executable=executable)
        elif path.is_dir():
            below: list[api.Directory] = []
            tree = api.Tree(root=_folder(store, path, below), children=below)
            result.output_directories.add(path=output, tree_digest=store.put(tree.SerializeToString()))
    return result


def _folder(store: Store, path: pathlib.Path, below: list[api.Directory]) -> api.Directory:
    """A folder that was written, uploaded; `below` gets those in it."""
    folder = api.Directory()
    for entry in sorted(path.iterdir()):
        if entry.is_dir():
            child = _folder(store, entry, below)
            below.append(child)
            folder.directories.add(name=entry.name, digest=store.put(child.SerializeToString()))
        else:
            executable = os.access(entry, os.X_OK)
            folder.files.add(name=entry.name, digest=store.put(entry.read_bytes()), is_executable=executable)
    return folder


def work(lease: bots_pb2.Lease, store: Store, name: str, folder: pathlib.Path) -> None:
    """Does what a lease asks for, and writes into it what came of that."""
    action = api.Action()
    if lease.payload.Is(api.Digest.DESCRIPTOR):
        digest = api.Digest()
        lease.payload.Unpack(digest)
        action = api.Action.FromString(store.content(digest))
    else:
        lease.payload.Unpack(action)
    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
    try:
        result = run(store, action, place)
        result.execution_metadata.worker = name
        lease.result.Pack(result)
        lease.status.CopyFrom(status_pb2.Status(code=code_pb2.OK))
        print(name, result.exit_code, *(file.path for file in result.output_files), flush=True)
    except (OSError, subprocess.SubprocessError, grpc.RpcError) as error:
        lease.status.CopyFrom(status_pb2.Status(code=code_pb2.INTERNAL, message=repr(error)))
        print(name, repr(error), flush=True)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    lease.state = bots_pb2.COMPLETED


def main(argv: list[str]) -> None:
    """Works until it is killed."""
    address, name, folder = argv[1], argv[2], pathlib.Path(argv[3])
    properties = dict(word.split("=", 1) for word in ["OSFamily=linux", *argv[4:]])
    limits = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    channel = grpc.insecure_channel(address, limits)
    store = Store(channel, folder / "kept")
    bots = bots_pb2_grpc.BotsStub(channel)
    device = worker_pb2.Device(handle="machine")
    for key, value in properties.items():
        device.properties.add(key=key, value=value)
    session = bots_pb2.BotSession(bot_id=name, status=bots_pb2.OK, worker=worker_pb2.Worker(devices=[device]))
    session = bots.CreateBotSession(bots_pb2.CreateBotSessionRequest(bot_session=session), timeout=30)
    while True:
        for lease in session.leases:
            if lease.state in (bots_pb2.PENDING, bots_pb2.ACTIVE):
                work(lease, store, name, folder)
        asked = bots_pb2.UpdateBotSessionRequest(name=session.name, bot_session=session)
        session = bots.UpdateBotSession(asked, timeout=20)


if __name__ == "__main__":
    main(sys.argv)
