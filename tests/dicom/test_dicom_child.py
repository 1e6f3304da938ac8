"""The decoder child: what kills it costs one frame, and nothing of it is left behind."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import imagecodecs
import numpy as np
import pytest

from medray.dicom import child
from medray.dicom.child import Decoder, Limits, limits_of
from medray.dicom.codecs import jpeg2000, jpeg_lossless, rle
from medray.dicom.pixels import frame_arrays
from medray.errors import MedrayError, Unusable

LIMITS = Limits(memory_bytes=2 << 30, cpu_seconds=30, seconds=30)
COLOUR = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
# A mutated 8 x 8 colour image, at which jpegsof3 reads beyond its memory.
CRASHES_JPEGSOF3 = bytes.fromhex(
    "ffd8ffee000e41646f626500640000000000ffc30011080072be0803521100471100421100ffc400170000030100000000000000"
    "00000000000000010408ffda000c03520047004200010000cff9ff003fd23a4748e91d23a4748ca5d23a4748e91d23a4748ca5d2"
    "3a4748e91d23a4748ca5d23a4748e91d23a4748ca5d23a4748e91d23a4748ca5d23a4748e91d23a4748ca5d23a4748e91d23a474"
    "8fffd9"
)
DECODERS = """
import os, signal, sys, time
import numpy as np
from medray.errors import Unusable

calls = 0

def echo(content):
    return np.frombuffer(content, np.uint8)

def double(content, shape, dtype):
    return np.frombuffer(content, dtype).reshape(shape) * 2

def crash(content):
    os.kill(os.getpid(), signal.SIGSEGV)

def crash_if_used(content):
    global calls
    calls += 1
    return crash(content) if calls > 1 else echo(content)

def leave(content):
    os._exit(3)

def hang(content):
    time.sleep(600)

def spin(content):
    while True:
        pass

def swallow(content, size):
    return np.ones(size, np.uint8)

def fail(content):
    raise ValueError(content)

def refuse(content):
    raise Unusable("truncated", "3 bytes")

def chatter(content):
    os.write(1, b"CAN NOT CONVERT")
    os.write(2, b"CAN NOT CONVERT")
    return echo(content)

def process(content):
    return np.array([os.getpid()])

def known(content):
    return np.frombuffer(" ".join([*os.environ, *sys.modules]).encode(), np.uint8)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Python finds `strange_decoders`."""
    made = tmp_path_factory.mktemp("decoders")
    (made / "strange_decoders.py").write_text(DECODERS)
    return made


@pytest.fixture
def strange(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module("strange_decoders")


@pytest.fixture
def decoder(strange: ModuleType) -> Iterator[Decoder]:
    made = Decoder()
    yield made
    made.end()


ENDS = [
    ("crash", (), "decoder_died (signal 11)"),
    ("leave", (), "decoder_died (exit 3)"),
    ("hang", (), "decoder_died (no answer in 0.5 s)"),
    ("spin", (), "decoder_died (more than 1 s of CPU)"),
    ("swallow", (3 << 30,), "decoder_died (more than 2048 MiB of memory)"),
]


@pytest.mark.parametrize(("name", "arguments", "told"), ENDS, ids=[end[0] for end in ENDS])
def test_what_kills_the_child_costs_one_frame(
    decoder: Decoder, strange: ModuleType, name: str, arguments: tuple[int, ...], told: str
) -> None:
    limits = {"hang": Limits(2 << 30, 30, 0.5), "spin": Limits(2 << 30, 1, 30)}.get(name, LIMITS)
    before = decoder.decode(strange.process, b"x", limits=LIMITS)
    with pytest.raises(Unusable) as caught:
        decoder.decode(getattr(strange, name), b"x", *arguments, limits=limits)
    assert str(caught.value) == told
    assert decoder.decode(strange.echo, b"next", limits=LIMITS).tobytes() == b"next"
    assert decoder.decode(strange.process, b"x", limits=LIMITS) != before


@pytest.mark.parametrize(("name", "told"), [("fail", "decode_failed (ValueError)"), ("refuse", "truncated (3 bytes)")])
def test_an_exception_becomes_a_reason_and_the_child_lives(
    decoder: Decoder, strange: ModuleType, name: str, told: str
) -> None:
    before = decoder.decode(strange.process, b"x", limits=LIMITS)
    with pytest.raises(Unusable) as caught:
        decoder.decode(getattr(strange, name), b"a name", limits=LIMITS)
    assert str(caught.value) == told
    assert decoder.decode(strange.process, b"x", limits=LIMITS) == before


def test_a_frame_is_not_blamed_for_the_damage_of_an_earlier_one(decoder: Decoder, strange: ModuleType) -> None:
    decoder.decode(strange.crash_if_used, b"first", limits=LIMITS)
    assert decoder.decode(strange.crash_if_used, b"second", limits=LIMITS).tobytes() == b"second"


@pytest.mark.parametrize(("shape", "dtype"), [((2, 3), ">u2"), ((1500, 1000, 3), "<u2"), ((0, 4), "|u1")])
def test_arrays_arrive_as_they_left(decoder: Decoder, strange: ModuleType, shape: tuple[int, ...], dtype: str) -> None:
    frame = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    back = decoder.decode(strange.double, frame.tobytes(), shape, dtype, limits=LIMITS)  # type: ignore[arg-type]
    np.testing.assert_array_equal(back, frame * 2)
    assert back.dtype == (frame * 2).dtype
    assert back.flags.writeable


def test_an_interrupted_answer_is_not_the_next_frames(
    decoder: Decoder, strange: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder.decode(strange.echo, b"started", limits=LIMITS)

    def interrupted(channel: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(child, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            decoder.decode(strange.echo, b"lost", limits=LIMITS)
    assert decoder.decode(strange.echo, b"mine", limits=LIMITS).tobytes() == b"mine"


def test_what_decoders_print_goes_nowhere(
    decoder: Decoder, strange: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    decoder.decode(strange.chatter, b"x", limits=LIMITS)
    assert capfd.readouterr() == ("", "")


def test_the_child_knows_no_secret_and_no_engine(
    decoder: Decoder, strange: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    known = decoder.decode(strange.known, b"x", limits=LIMITS).tobytes().decode().split()
    assert not {"AWS_SECRET_ACCESS_KEY", "ray", "torch", "pydicom"} & set(known)
    assert "medray.errors" in known


def test_a_machine_that_starts_no_child_is_nobodys_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_decoder", Decoder())
    monkeypatch.setattr("medray.dicom.decoding.decode_apart", child._decoder.decode)
    for executable in ("/nowhere/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", executable)
        with pytest.raises(MedrayError, match="does not start"):
            list(frame_arrays(colour_row(encoded(COLOUR), COLOUR.shape)))


def test_limits_grow_with_the_frame() -> None:
    assert limits_of(0) == Limits(memory_bytes=2**31, cpu_seconds=10, seconds=60)
    assert limits_of(4_000_000) == Limits(memory_bytes=2**31 + 128_000_000, cpu_seconds=14, seconds=64)


def encoded(colour: Any) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(colour, lossless=True, colorspace="RGB", outcolorspace="RGB"))


def colour_row(stream: bytes, shape: tuple[int, ...]) -> dict[str, Any]:
    """A row of `images` with one frame of colour JPEG lossless."""
    return {
        "TransferSyntaxUID": "1.2.840.10008.1.2.4.70", "Rows": shape[0], "Columns": shape[1], "NumberOfFrames": 1,
        "SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0, "BitsAllocated": 8,
        "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0, "palette": None, "frames": stream,
        "frame_codec": "received", "frame_offsets": [0, len(stream)],
    }  # fmt: skip


def test_a_stream_that_crashes_a_real_decoder() -> None:
    with pytest.raises(Unusable, match=r"decoder_died \(signal 11\)"):
        list(frame_arrays(colour_row(CRASHES_JPEGSOF3, (114, 48648, 3))))
    (after,) = frame_arrays(colour_row(encoded(COLOUR), COLOUR.shape))
    np.testing.assert_array_equal(after, COLOUR)


def test_run_lengths_that_expand_without_end_are_refused() -> None:
    bomb = np.array([1, 64, *[0] * 14], "<u4").tobytes() + bytes([129, 7]) * 1000
    with pytest.raises(imagecodecs.PackbitsError):
        rle.decode(bomb, 2, 2, 1, 1)
    padded = np.array([1, 64, *[0] * 14], "<u4").tobytes() + bytes([129, 7])
    assert rle.decode(padded, 2, 2, 1, 1).tolist() == [[7, 7], [7, 7]]


# Without a `__main__` guard: whoever imported this script again would write a second line.
SCRIPT = """
import os, sys
folder, how = sys.argv[1:]
sys.path.insert(0, folder)
print("script", flush=True)
import strange_decoders
from medray.dicom.child import Limits, decode_apart
limits = Limits(2 << 30, 600, 600)
print(int(decode_apart(strange_decoders.process, b"x", limits=limits)[0]), flush=True)
if how == "hang":
    decode_apart(strange_decoders.hang, b"x", limits=limits)
if how == "fork":
    forked = os.fork()
    print(int(decode_apart(strange_decoders.process, b"x", limits=limits)[0]), flush=True)
    if forked:
        os.waitpid(forked, 0)
"""


@pytest.fixture
def script(folder: Path) -> list[str]:
    path = folder / "script.py"
    path.write_text(SCRIPT)
    return [sys.executable, "-W", "error", str(path), str(folder)]


def alive(process: int) -> bool:
    """Is it there, and not a zombie?"""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
    except OSError:
        return False


def gone(process: int) -> bool:
    end = time.monotonic() + 10
    while alive(process) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(process)


def test_the_child_ends_with_its_parent(script: list[str]) -> None:
    told = subprocess.run([*script, "end"], capture_output=True, text=True, check=True)
    first, number = told.stdout.split()
    assert (first, told.stderr) == ("script", "")
    assert gone(int(number))


def test_a_hanging_child_ends_with_a_killed_parent(script: list[str]) -> None:
    with subprocess.Popen([*script, "hang"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "script\n"
        number = int(parent.stdout.readline())
        time.sleep(0.2)
        assert alive(number)
        parent.kill()
    assert gone(number)


def test_a_forked_process_gets_a_child_of_its_own(script: list[str]) -> None:
    told = subprocess.run([*script, "fork"], capture_output=True, text=True, check=True)
    first, number, *numbers = told.stdout.split()
    assert (first, told.stderr) == ("script", "")
    assert len(numbers) == 2
    assert number in numbers  # the parent keeps its child
    assert len(set(numbers)) == 2
    assert all(gone(int(one)) for one in numbers)


@pytest.mark.ray
def test_a_ray_task_outlives_its_decoder(ray_session: dict[str, float], folder: Path) -> None:
    import ray

    whole = colour_row(encoded(COLOUR), COLOUR.shape)

    def work() -> tuple[int, int, list[Any]]:
        from medray.dicom.child import _decoder, decode_apart

        sys.path.append(str(folder))
        _decoder.end()  # one that an earlier task of this worker has started does not know the folder
        strange = importlib.import_module("strange_decoders")
        answers: list[Any] = [next(frame_arrays(whole))]
        try:
            decode_apart(strange.crash, b"", limits=Limits(4 << 30, 60, 60))
        except Unusable as error:
            answers.append(str(error))
        answers.append(next(frame_arrays(whole)))
        assert _decoder._child
        return os.getpid(), _decoder._child.process.pid, answers

    task = ray.remote(max_retries=0)(work)
    worker, decoder, (first, second, third) = ray.get(task.remote())
    np.testing.assert_array_equal(first, COLOUR)
    assert second == "decoder_died (signal 11)"
    np.testing.assert_array_equal(third, COLOUR)
    assert alive(decoder)
    os.kill(worker, signal.SIGKILL)
    assert gone(decoder)


MUTATED: dict[str, tuple[Callable[..., Any], tuple[int, ...], bytes]] = {
    "jpeg_lossless": (jpeg_lossless.decode, (3,), encoded(COLOUR)),
    "jpeg2000": (jpeg2000.decode, (), bytes(imagecodecs.jpeg2k_encode(COLOUR, codecformat="J2K", level=0))),
}


@pytest.mark.slow
@pytest.mark.parametrize("codec", MUTATED)
def test_no_mutation_reaches_the_parent(codec: str, decoder: Decoder) -> None:
    function, arguments, stream = MUTATED[codec]
    whole = decoder.decode(function, stream, *arguments, limits=LIMITS)
    random, end, seen = np.random.default_rng(7), time.monotonic() + 20, dict[str, int]()
    while time.monotonic() < end:
        mutant = np.frombuffer(stream, np.uint8).copy()
        places = random.integers(2, len(stream), random.integers(1, 4))
        mutant[places] = random.integers(0, 256, len(places))
        try:
            decoder.decode(function, mutant.tobytes(), *arguments, limits=Limits(2 << 30, 2, 2))
            told = "decoded"
        except Unusable as error:
            told = str(error)
        seen[told] = seen.get(told, 0) + 1
    print(codec, seen)
    assert sum(seen.values()) > 1000
    np.testing.assert_array_equal(decoder.decode(function, stream, *arguments, limits=LIMITS), whole)
