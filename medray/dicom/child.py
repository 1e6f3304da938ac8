"""A process that may die: native decoders run there, one frame at a time.

Every process that decodes has one such child: started at its first frame, replaced when it died,
ended with it. A program started anew inherits no lock and imports nobody's script, which
`multiprocessing` would do; its environment holds none of the parent's secrets.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from threading import Lock

from medray.contracts import Array
from medray.dicom.child_loop import Header, receive, send
from medray.errors import MedrayError, Unusable

START_SECONDS = 120.0


@dataclass(frozen=True)
class Limits:
    """What one frame may take: address space of the whole child, its CPU time, and wall time, which a busy
    machine may stretch."""

    memory_bytes: int
    cpu_seconds: int
    seconds: float


def limits_of(samples: int) -> Limits:
    """The limits of a frame of so many samples (pixels x colours), far above an honest one's need:
    OpenJPEG, the hungriest and slowest decoder, takes 7 bytes and 0.1 microseconds a sample."""
    return Limits((2 << 30) + 32 * samples, cpu_seconds=10 + samples // 10**6, seconds=60 + samples / 1e6)


class _DiedError(Exception):
    """The child gave no answer; the text says how it ended."""


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    channel: socket.socket
    used: bool = False

    def ask(self, request: Header, content: bytes, seconds: float) -> tuple[Header, Array]:
        self.channel.settimeout(seconds)
        send(self.channel, request, content)
        answer = receive(self.channel)
        self.used = True
        return answer

    def end(self) -> int:
        """The exit status: -N when signal N ended it."""
        self.process.kill()
        status = self.process.wait()
        self.release()
        return status

    def release(self) -> None:
        """Close this process's ends; the kernel ends the child when nobody holds them."""
        self.channel.close()
        if self.process.stdin:
            self.process.stdin.close()


class Decoder:
    """The child of this process and its replacements."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._child: _Child | None = None

    def decode(self, function: Callable[..., Array], content: bytes, *arguments: str | int, limits: Limits) -> Array:
        """`function(content, *arguments)`, computed in the child.

        The frame at which a used child died gets a second chance in a fresh one: an earlier frame
        may have done the damage.

        Args:
            function: of a module that the child can import too.

        Raises:
            Unusable: decoder_died when it crashed, hung or ran out of memory; else the reason that
                it gave itself, decode_failed for any other exception. MedrayError: no child starts.
        """
        request = {"module": function.__module__, "function": function.__name__, "arguments": arguments}
        with self._lock:
            if self._child and self._child.used:
                with suppress(_DiedError):
                    return self._decode(request, content, limits)
            try:
                return self._decode(request, content, limits)
            except _DiedError as how:
                raise Unusable("decoder_died", str(how)) from None

    def _decode(self, request: Header, content: bytes, limits: Limits) -> Array:
        header, frame = self._answer({**request, **asdict(limits)}, content, limits)
        if "out_of_memory" in header:
            self.end()
            raise _DiedError(f"more than {limits.memory_bytes >> 20} MiB of memory")
        if "reason" in header:
            raise Unusable(header["reason"], header["detail"])
        return frame.view(header["dtype"]).reshape(header["shape"])

    def _answer(self, request: Header, content: bytes, limits: Limits) -> tuple[Header, Array]:
        self._child = self._child or _start()
        try:
            return self._child.ask(request, content, limits.seconds)
        except TimeoutError:
            self.end()
            raise _DiedError(f"no answer in {limits.seconds:g} s") from None
        except (EOFError, ConnectionError):
            status = self.end()
            if status == -signal.SIGXCPU:
                raise _DiedError(f"more than {limits.cpu_seconds} s of CPU") from None
            raise _DiedError(f"signal {-status}" if status < 0 else f"exit {status}") from None
        except BaseException:  # an interrupt: the answer still to come would be the next frame's
            self.end()
            raise

    def end(self) -> int:
        """End the child, if there is one; its exit status."""
        child, self._child = self._child, None
        return child.end() if child else 0

    def forget(self) -> None:
        """Leave the child to the process that this one was forked from."""
        if self._child:
            self._child.process.returncode = 0  # not ours to wait for
            self._child.release()
        self._child, self._lock = None, Lock()  # another thread may have held the old lock


def _start() -> _Child:
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            child = _Child(_process(theirs), ours)
    except OSError as error:
        ours.close()
        raise _not_started(type(error).__name__) from None
    ours.settimeout(START_SECONDS)
    try:
        receive(ours)
    except (OSError, EOFError):
        raise _not_started(f"exit status {child.end()}") from None
    return child


def _process(channel: socket.socket) -> subprocess.Popen[bytes]:
    """A Python that finds the modules that this one finds. What decoders print goes nowhere."""
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
    return subprocess.Popen(  # noqa: S603 - nothing in it comes from an input
        [sys.executable, "-P", "-m", "medray.dicom.child_loop", str(channel.fileno())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={**kept, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
        pass_fds=(channel.fileno(),),
    )


def _not_started(found: str) -> MedrayError:
    return MedrayError(
        where="decoder child",
        found=f"a process that does not start ({found})",
        allowed="one more Python process beside each worker",
        do="look for limits on processes and memory, then run again",
    )


_decoder = Decoder()
os.register_at_fork(after_in_child=_decoder.forget)

decode_apart = _decoder.decode
