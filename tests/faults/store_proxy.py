"""An HTTP door in front of an S3 server through which requests fail as they do on a bad day.

Which request fails, and how, follows from a seed and a rate. Requests are passed on as they came, `Host` too,
which their signatures hold; bodies in chunks stay in chunks. Each request has a connection of its own.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

KINDS = (
    "500",  # InternalError; the server has seen nothing
    "503",  # SlowDown
    "reset",  # the connection is cut before the server has seen anything
    "cut",  # the server has done it; the answer breaks off in the middle with a reset
    "dropped",  # the server has done it; no answer
    "truncated",  # the answer ends early, in an orderly way
    "delayed",
    "expired",  # 403 ExpiredToken
    "stale",  # a listing as it was when it was first asked for
)
_DELAY_S = 0.5
_CODES = {"500": (500, "InternalError"), "503": (503, "SlowDown"), "expired": (403, "ExpiredToken")}
_LINGER = struct.pack("ii", 1, 0)


@dataclass
class Faults:
    """What goes wrong.

    Attributes:
        kinds, rate, seed: each request fails with this probability, in one of these ways.
        done: how often each was done.
        script: what happens to the next requests, before chance has its way.
    """

    kinds: tuple[str, ...]
    rate: float
    seed: int

    def __post_init__(self) -> None:
        self.done: Counter[str] = Counter()
        self._draw = random.Random(f"{self.kinds} {self.rate} {self.seed}")
        self.script: list[str | None] = []

    def next(self) -> str | None:
        if self.script:
            return self.script.pop(0)
        if self._draw.random() >= self.rate:
            return None
        kind = self._draw.choice(self.kinds)
        self.done[kind] += 1
        return kind


@dataclass(frozen=True)
class _Message:
    """A request or an answer: its first line, header lines and body as they came."""

    head: bytes
    body: bytes

    @property
    def words(self) -> list[str]:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")

    def header(self, name: str) -> str:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.decode("latin-1").partition(":")
            if key.lower() == name:
                return value.strip()
        return ""


@contextmanager
def proxied(server_port: int, faults: Faults) -> Iterator[int]:
    """The door's port for the time of the block."""
    loop = asyncio.new_event_loop()
    door = _Door(server_port, faults)
    server = loop.run_until_complete(asyncio.start_server(door.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class _Door:
    def __init__(self, port: int, faults: Faults) -> None:
        self._port, self._faults = port, faults
        self._lists: dict[str, _Message] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await _request(reader, writer)
            kind = self._faults.next()
            if kind in _CODES:
                writer.write(_refusal(*_CODES[kind], request))
            elif kind == "reset":
                _reset(writer)
            else:
                await _send(writer, await self._answer(request, kind), kind)
            await writer.drain()
        with suppress(OSError):
            writer.close()

    async def _answer(self, request: _Message, kind: str | None) -> _Message:
        if kind == "delayed":
            await asyncio.sleep(_DELAY_S)
        method, target = request.words[:2]
        lists = method == "GET" and "list-type=" in target
        if kind == "stale" and target in self._lists:
            return self._lists[target]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(_alone(request.head) + request.body)
        answer = await _read(reader, bodyless=method == "HEAD")
        writer.close()
        if lists:
            self._lists.setdefault(target, answer)
        return answer


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Message:
    head = await reader.readuntil(b"\r\n\r\n")
    if b"100-continue" in head.lower():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return _Message(head, await _body(reader, _Message(head, b""), None))


async def _read(reader: asyncio.StreamReader, bodyless: bool) -> _Message:
    head = await reader.readuntil(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head = await reader.readuntil(b"\r\n\r\n")
    found = _Message(head, b"")
    if bodyless or found.words[1] in ("204", "304"):
        return found
    return _Message(head, await _body(reader, found, -1))


async def _body(reader: asyncio.StreamReader, of: _Message, otherwise: int | None) -> bytes:
    """The body as it came; where nothing tells its length, all up to the end, or none."""
    if of.header("transfer-encoding").lower() == "chunked":
        body = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            body += line + await reader.readexactly(int(line.split(b";")[0], 16) + 2)
            if int(line.split(b";")[0], 16) == 0:
                return body
    if length := of.header("content-length"):
        return await reader.readexactly(int(length))
    return await reader.read(otherwise) if otherwise is not None else b""


def _alone(head: bytes) -> bytes:
    """The head for a connection that ends after it; nobody waits for a "100 Continue" any more."""
    lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith((b"connection:", b"expect:"))]
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n"


async def _send(writer: asyncio.StreamWriter, answer: _Message, kind: str | None) -> None:
    whole = b"" if kind == "dropped" else _alone(answer.head) + answer.body
    if kind in ("cut", "truncated"):
        whole = whole[: len(whole) - max(1, len(answer.body) // 2)]
    writer.write(whole)
    await writer.drain()
    if kind in ("cut", "dropped"):
        _reset(writer)


def _refusal(status: int, code: str, request: _Message) -> bytes:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    head = f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + (b"" if request.words[0] == "HEAD" else text)


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    writer.transport.abort()
