"""An S3 server that keeps to IAM policies: a proxy that asks the policies of `cluster/iam` about each request
before it reaches SeaweedFS, and answers 403 as Amazon does where they say no."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

IAM = Path(__file__).resolve().parents[1] / "cluster" / "iam"
_DENIED = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'


def statements(*names: str) -> list[dict[str, Any]]:
    """The statements of some policies together."""
    return [one for name in names for one in json.loads((IAM / f"{name}.json").read_text())["Statement"]]


def allows(policy: Sequence[dict[str, Any]], action: str, resource: str, prefix: str | None = None) -> bool:
    """Whether IAM lets a role with these statements do this: some statement allows it and none denies it.

    Args:
        prefix: what a listing asks for; absent from any other request.
    """
    fitting = [
        one
        for one in policy
        if any(_like(action, name) for name in one["Action"])
        and any(_like(resource, name) for name in one["Resource"])
        and _condition(one.get("Condition", {}), prefix)
    ]
    return bool(fitting) and all(one["Effect"] == "Allow" for one in fitting)


def _condition(condition: dict[str, Any], prefix: str | None) -> bool:
    for operator, keys in condition.items():
        for key, values in keys.items():
            if (operator, key) != ("StringLike", "s3:prefix"):
                raise NotImplementedError(f"{operator} {key}")
            if prefix is None or not any(_like(prefix, value) for value in values):
                return False  # a key that a request lacks fits nothing
    return True


def _like(text: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL) is not None


def needs(method: str, target: str, headers: Any, body: bytes) -> list[tuple[str, str, str | None]]:
    """What Amazon asks of a request: (action, resource, prefix)."""
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    place = f"arn:aws:s3:::{bucket}"
    if not key:
        if method == "POST" and "delete" in query:
            keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
            return [("s3:DeleteObject", f"{place}/{unquote(one)}", None) for one in keys]
        if method in ("GET", "HEAD"):
            action = "s3:GetBucketLocation" if "location" in query else "s3:ListBucket"
            return [(action, place, query.get("prefix", [None])[0])]
        return [("s3:CreateBucket" if method == "PUT" else f"s3:{method}Bucket", place, None)]
    if method == "DELETE":
        action = "s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject"
    else:
        action = "s3:GetObject" if method in ("GET", "HEAD") else "s3:PutObject"
    found: list[tuple[str, str, str | None]] = [(action, f"{place}/{key}", None)]
    if source := headers.get("x-amz-copy-source"):
        found.append(("s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/')}", None))
    return found


@dataclass
class Police:
    """A proxy at work. `refused` and `asked` are what it saw: (action, resource)."""

    port: int
    refused: list[tuple[str, str]] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)


class _Server(ThreadingHTTPServer):
    def __init__(self, upstream: int, policy: Sequence[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.policy, self.police = upstream, policy, Police(self.server_port)


@contextmanager
def policed(upstream: int, policy: Sequence[dict[str, Any]]) -> Iterator[Police]:
    """A proxy on loopback before an S3 server on loopback."""
    with _Server(upstream, policy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.police
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _do(self) -> None:
        body = self._body()
        wanted = needs(self.command, self.path, self.headers, body)
        self.server.police.asked.update((action, resource) for action, resource, _ in wanted)
        refused = [
            (action, resource)
            for action, resource, at in wanted
            if not allows(self.server.policy, action, resource, at)
        ]
        self.server.police.refused += refused
        if refused:
            self._answer(403, {"Content-Type": "application/xml"}, _DENIED)
            return
        status, headers, data = self._forward(body)
        bucket = wanted[0][1].partition("/")[0]
        if status == 404 and wanted[0][0] == "s3:GetObject" and not allows(self.server.policy, "s3:ListBucket", bucket):
            status, data = 403, _DENIED  # who may not list is not told that nothing is there
        self._answer(status, headers, data)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _do  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        try:
            link.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():  # the Host that was signed among them
                if name.lower() not in ("transfer-encoding", "content-length", "expect", "connection"):
                    link.putheader(name, value)
            link.putheader("Content-Length", str(len(body)))
            link.endheaders(body)
            answer = link.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            link.close()

    def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = next((value for name, value in headers.items() if name.lower() == "content-length"), None)
        head = self.command == "HEAD"
        self.send_header(
            "Content-Length", length if head and length and status < 400 else str(0 if head else len(data))
        )
        self.end_headers()
        if not head:
            self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass
