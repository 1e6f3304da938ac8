"""Submitting a recipe to a Ray cluster through the Ray Jobs API."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import medray
from medray.code_version import code_version
from medray.config import resolved
from medray.errors import SubmitError
from medray.recipes.recipe import Recipe

_TRIES = 9
_POLL_S, _LOST_S = 2.0, 300.0


def submission_id(recipe: Recipe, run_date: str) -> str:
    """The same recipe, code and date are the same submission, whoever submits it."""
    told = json.dumps([resolved(recipe), code_version(), run_date], sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()[:10]
    return f"medray-{recipe.job.replace('_', '-')}-{recipe.name}-{run_date}-{digest}"


def submit(
    recipe: Recipe,
    run_date: str,
    address: str,
    say: Callable[[str], None],
    deadline_s: int | None = None,
    *,
    join: bool = False,
) -> int:
    """Ship code and recipe, follow the logs, return the driver's exit code: of this submission, or 0
    where the very same run has succeeded before; 124 past the deadline.

    Args:
        deadline_s: when the driver is ended, on the cluster itself: it does not depend on who follows.
        join: follow a copy of the run that is under way, as a start that is repeated does.

    Raises:
        SubmitError: the cluster cannot be reached, refuses the token or was lost, the way to it is open
            to listeners, or the same run is under way.
    """
    _check_way(address)
    with _answered(address):
        client = _client(address)
        name, state = _standing(client, submission_id(recipe, run_date))
        if state == "SUCCEEDED":
            say("the same run has succeeded on this cluster: nothing was submitted (another night, another --run-date)")
            return 0
        if state is not None and not join:
            raise SubmitError(
                f"address {address}",
                f"the same run under way as {name}",
                "one copy of a run",
                f"follow it with `ray job logs --follow {name}`",
            )
        if state is None:
            _send(client, recipe, run_date, name, deadline_s)
        say(f"submitted as {name}" if state is None else f"under way already as {name}: following it")
        return _watched(client, name, address, say)


def _send(client: Any, recipe: Recipe, run_date: str, name: str, deadline_s: int | None) -> None:
    limit = f"timeout --kill-after=60 {deadline_s} " if deadline_s else ""
    with _package(recipe) as folder:
        client.submit_job(
            entrypoint=f"{limit}python -m medray.entry {recipe.job} recipe.json --run-date {run_date}",
            submission_id=name,
            runtime_env={"working_dir": folder, "env_vars": {"PYTHONUNBUFFERED": "1"}},
        )


@contextmanager
def _answered(address: str) -> Iterator[None]:
    """What the cluster, or what stands before it, refuses is told in our words."""
    from ray.exceptions import AuthenticationError

    try:
        yield
    except AuthenticationError as error:
        raise SubmitError(
            f"address {address}",
            "a cluster that refuses the token, or asks for one (HTTP 401 or 403)",
            "the token of this cluster",
            "set RAY_AUTH_MODE=token, and the token in RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token",
        ) from error
    except (OSError, RuntimeError) as error:
        raise SubmitError(
            f"address {address}",
            f"a cluster that does not do what is asked ({str(error).partition(chr(10))[0][:200]})",
            "a running Ray head behind the address",
            "look at the head and what stands before it, then submit again: a run under way is found",
        ) from error


def _check_way(address: str) -> None:
    """Recipes and logs cross other people's networks only under TLS and with a token."""
    parts = urlparse(address)
    host = parts.hostname or ""
    if host == "localhost" or _is_loopback(host):
        return
    if parts.scheme != "https" or os.environ.get("RAY_AUTH_MODE") != "token":
        raise SubmitError(
            f"address {address}",
            f"{parts.scheme or 'no scheme'} with RAY_AUTH_MODE={os.environ.get('RAY_AUTH_MODE', 'unset')}",
            "https and RAY_AUTH_MODE=token beyond this machine",
            "put TLS in front of the dashboard and set RAY_AUTH_MODE=token on head, workers and here",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _client(address: str) -> Any:
    logging.getLogger("ray").setLevel(logging.WARNING)
    from ray.job_submission import JobSubmissionClient

    try:
        return JobSubmissionClient(address)
    except (ConnectionError, RuntimeError) as error:
        raise SubmitError(
            f"address {address}",
            "no cluster that answers",
            "the dashboard of a running Ray head, such as http://127.0.0.1:8265",
            "check the address",
        ) from error


def _standing(client: Any, name: str) -> tuple[str, str | None]:
    """The last submission of a run and how it stands; where there is none, or it failed, a free name and
    None. A failed try leaves its name and its logs to be looked at. A night that was held (which is a failure
    to Ray) is asked for again: the lake knows what people have decided about it since."""
    jobs = {job.submission_id: job for job in client.list_jobs()}
    for attempt in range(1, _TRIES + 1):
        tried = name if attempt == 1 else f"{name}-try{attempt}"
        if tried not in jobs:
            return tried, None
        status = str(jobs[tried].status.value)
        if status not in ("FAILED", "STOPPED"):
            return tried, status
    raise SubmitError(f"run {name}", f"{_TRIES} failed tries", "a run that can succeed", "read the logs of the last")


@contextmanager
def _package(recipe: Recipe) -> Iterator[str]:
    """A folder with this very code and the resolved recipe."""
    with tempfile.TemporaryDirectory(prefix="medray-submit-") as folder:
        source = Path(medray.__file__).parent
        shutil.copytree(source, Path(folder) / "medray", ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "recipe.json").write_text(json.dumps(resolved(recipe)))
        yield folder


def _watched(client: Any, name: str, address: str, say: Callable[[str], None]) -> int:
    """Follow the logs, then wait for the end: what stands before a dashboard may close a quiet connection
    hours before. Returns the driver's exit code."""
    from aiohttp import ClientError

    try:
        asyncio.run(_follow(client, name))
    except (ClientError, RuntimeError, OSError):
        say("the logs are cut off; waiting for the run's end")
    lost_since: float | None = None
    while True:
        try:
            details = client.get_job_info(name)
        except (OSError, RuntimeError) as error:  # a dashboard that is started anew
            lost_since = lost_since or time.monotonic()
            if time.monotonic() - lost_since > _LOST_S:
                raise SubmitError(
                    f"address {address}", f"a cluster that was lost while {name} ran",
                    "an answer within five minutes", "submit again: finished parts are not repeated",
                ) from error  # fmt: skip
        else:
            lost_since = None
            if details.status.is_terminal():
                return _exit_code(details)
        time.sleep(_POLL_S)


async def _follow(client: Any, name: str) -> None:
    async for lines in client.tail_job_logs(name):
        sys.stdout.write(lines)
        sys.stdout.flush()


def _exit_code(details: Any) -> int:
    if str(details.status.value) == "SUCCEEDED":
        return 0
    return int(details.driver_exit_code or 1)
