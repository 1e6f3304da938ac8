"""A real S3 server for tests: SeaweedFS on loopback, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import s3fs

READY_S = 30.0
GRPC_OFFSET = 10_000  # SeaweedFS listens there too, for each of its parts

# The lake's identity may use no bucket of the linkage table, and the other way round.
IDENTITIES = {
    "admin": ("Admin", "Read", "Write", "List", "Tagging"),
    "lake": tuple(f"{action}:lake-*" for action in ("Read", "Write", "List", "Tagging")),
    "linkage": tuple(f"{action}:linkage-*" for action in ("Read", "Write", "List", "Tagging")),
    "partly": ("List:partly*", "Read:partly/a/open-*"),
    "anonymous": ("Read:public-*", "List:public-*"),  # what SeaweedFS calls a request that nobody signed
}


def secret(identity: str) -> str:
    return f"{identity}-secret"


def environment(port: int) -> dict[str, str]:
    """What a job finds in its environment: the lake's credentials and the linkage table's."""
    own = {"ENDPOINT_URL": f"http://127.0.0.1:{port}", "REGION": "us-east-1"}
    variables: dict[str, str] = {}
    for prefix, identity in (("AWS_", "lake"), ("MEDRAY_LINKAGE_AWS_", "linkage")):
        keys = {"ACCESS_KEY_ID": identity, "SECRET_ACCESS_KEY": secret(identity)}
        variables |= {prefix + name: value for name, value in (own | keys).items()}
    return variables


def admin(port: int) -> s3fs.S3FileSystem:
    """A client that may make buckets."""
    return s3fs.S3FileSystem(
        key="admin", secret=secret("admin"), endpoint_url=f"http://127.0.0.1:{port}", use_listings_cache=False
    )


def free_ports(count: int) -> list[int]:
    """Ports that are free now, with their gRPC twins."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1]) - GRPC_OFFSET
            if port > 1024 and port not in found and _is_free(port):
                found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def weed() -> str | None:
    """The server's program, of the test extra."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


@contextmanager
def serving(program: str, folder: Path, port: int) -> Iterator[None]:
    """The server for the time of the block; its log is `weed.log` in the folder.

    Raises:
        RuntimeError: it did not start.
    """
    log = folder / "weed.log"
    # Without our AWS variables: SeaweedFS makes an administrator of what it finds there.
    clean = {name: value for name, value in os.environ.items() if "AWS_" not in name}
    clean["WEED_MASTER_VOLUME_GROWTH_COPY_1"] = "1"  # a bucket takes one volume, not seven
    command = _command(program, folder, port)
    with log.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream, env=clean) as server:
        try:
            _wait(server, port, log)
            yield
        finally:
            server.kill()  # its orderly end takes 10 s, and nothing here outlives it


def _command(program: str, folder: Path, port: int) -> list[str]:
    master, volume, filer = free_ports(3)
    data, identities = folder / "data", folder / "s3.json"
    data.mkdir()
    rows = [
        {"name": name, "credentials": _credentials(name), "actions": list(actions)}
        for name, actions in IDENTITIES.items()
    ]
    identities.write_text(json.dumps({"identities": rows}))
    os.chmod(identities, 0o600)
    return [
        program, "-logtostderr=true", "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", "-s3", f"-s3.port={port}",
        "-s3.port.iceberg=0", "-s3.port.lance=0",  # both have fixed ports: two servers would not start
        f"-s3.config={identities}", "-master.volumeSizeLimitMB=256", "-volume.max=100",
    ]  # fmt: skip


def _credentials(name: str) -> list[dict[str, str]]:
    return [] if name == "anonymous" else [{"accessKey": name, "secretKey": secret(name)}]


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return once a bucket can be made: the S3 door opens before the rooms behind it."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and server.poll() is None:
        if _answers(port):
            try:
                admin(port).mkdir("lake-ready")
                admin(port).pipe_file("lake-ready/probe", b"1")
            except OSError:
                time.sleep(0.2)
                continue
            return
        time.sleep(0.1)
    raise RuntimeError(f"SeaweedFS did not start (exit code {server.poll()}): {log.read_text(errors='replace')[-500:]}")


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/status", timeout=1):
            return True
    except HTTPError:
        return True
    except (URLError, OSError):
        return False
