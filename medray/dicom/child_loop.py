"""What runs in the decoder child, and the messages by which both sides talk.

A message is one JSON header, with at most one anonymous memory file (memfd) that holds the bytes:
they are neither cut into pieces nor copied through a pipe, and vanish with their last reader.
The child knows neither pydicom nor Ray; it imports the decoder that a request names.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import resource
import signal
import socket
import sys
from importlib import import_module
from typing import Any

import numpy as np

from medray.contracts import Array
from medray.errors import Unusable

HEADER_BYTES = 4096
Header = dict[str, Any]


def send(channel: socket.socket, header: Header, content: memoryview | None = None) -> None:
    """Send one message; `content` is flat."""
    packed = json.dumps(header).encode()
    if content is None:
        channel.sendall(packed)
        return
    file = os.memfd_create("frame")
    try:
        while content:
            content = content[os.write(file, content) :]
        socket.send_fds(channel, [packed], [file])
    finally:
        os.close(file)


def receive(channel: socket.socket) -> tuple[Header, mmap.mmap | None]:
    """The next message; its content is a private, writable map, None when there is none.

    Raises:
        EOFError: the other side is gone. TimeoutError: it did not answer in the channel's time.
    """
    packed, files, _, _ = socket.recv_fds(channel, HEADER_BYTES, 1)
    try:
        if not packed:
            raise EOFError
        filled = [file for file in files if os.fstat(file).st_size]
        return json.loads(packed), mmap.mmap(filled[0], 0, flags=mmap.MAP_PRIVATE) if filled else None
    finally:
        for file in files:
            os.close(file)


def main() -> None:
    """Serve the channel whose descriptor is the first argument, until the parent is gone."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, and ends this process with it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        send(channel, {"ready": True})
        while True:
            try:
                request, content = receive(channel)
            except EOFError:
                return
            _answer(channel, request, bytes(content or b""))


def _die_with_parent() -> None:
    """Have the kernel send SIGIO, which kills, once the parent's end of standard input is closed.

    It kills a decoder that hangs, too. The usual PR_SET_PDEATHSIG would already come at the end of
    the thread that started this process.
    """
    fcntl.fcntl(sys.stdin, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sys.stdin, fcntl.F_SETFL, os.O_ASYNC)


def _answer(channel: socket.socket, request: Header, content: bytes) -> None:
    try:
        frame = _decoded(request, content)
    except MemoryError:
        send(channel, {"out_of_memory": True})
    except Unusable as error:
        send(channel, {"reason": error.reason, "detail": error.detail})
    except Exception as error:  # its text may quote the input
        send(channel, {"reason": "decode_failed", "detail": type(error).__name__})
    else:
        flat = frame.reshape(-1).view(np.uint8).data
        send(channel, {"shape": frame.shape, "dtype": frame.dtype.str}, flat)


def _decoded(request: Header, content: bytes) -> Array:
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"], most))
    function = getattr(import_module(request["module"]), request["function"])
    return np.ascontiguousarray(function(content, *request["arguments"]))


if __name__ == "__main__":
    main()
