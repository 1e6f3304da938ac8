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


def submission_id(recipe: Recipe, run_date: str) -> str:
    """The same recipe, code and date are the same submission, whoever submits it."""
    told = json.dumps([resolved(recipe), code_version(), run_date], sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()[:10]
    return f"medray-{recipe.job.replace('_', '-')}-{recipe.name}-{run_date}-{digest}"


def submit(recipe: Recipe, run_date: str, address: str, say: Callable[[str], None]) -> int:
    """Ship code and recipe, follow the logs, return the driver's exit code (0 when the very same
    run has succeeded before).

    Raises:
        SubmitError: the cluster cannot be reached, the way to it is open to listeners, or the same
            run is under way.
    """
    _check_way(address)
    client = _client(address)
    name = _free_name(client, submission_id(recipe, run_date), address)
    if name is None:
        say("the same run has succeeded on this cluster: nothing was submitted (another night has another --run-date)")
        return 0
    with _package(recipe) as folder:
        client.submit_job(
            entrypoint=f"python -m medray.entry {recipe.job} recipe.json --run-date {run_date}",
            submission_id=name,
            runtime_env={"working_dir": folder, "env_vars": {"PYTHONUNBUFFERED": "1"}},
        )
    say(f"submitted as {name}")
    asyncio.run(_follow(client, name))
    return _exit_code(client, name)


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
    from ray.exceptions import RayError
    from ray.job_submission import JobSubmissionClient

    try:
        return JobSubmissionClient(address)
    except (ConnectionError, RuntimeError, RayError) as error:
        refused = type(error).__name__ == "AuthenticationError"
        found = "a cluster that refuses the token" if refused else "no cluster that answers"
        raise SubmitError(
            f"address {address}",
            found,
            "the dashboard of a running Ray head, such as http://127.0.0.1:8265",
            "check the address; where the head asks for a token, set RAY_AUTH_MODE=token and have ~/.ray/auth_token",
        ) from error


def _free_name(client: Any, name: str, address: str) -> str | None:
    """A name for the submission; None when the run has succeeded. A failed try leaves its name and
    its logs to be looked at."""
    statuses = {job.submission_id: str(job.status.value) for job in client.list_jobs()}
    for attempt in range(1, _TRIES + 1):
        tried = name if attempt == 1 else f"{name}-try{attempt}"
        status = statuses.get(tried)
        if status is None:
            return tried
        if status == "SUCCEEDED":
            return None
        if status in ("PENDING", "RUNNING"):
            raise SubmitError(
                f"address {address}",
                f"the same run under way as {tried}",
                "one copy of a run",
                f"follow it with `ray job logs --follow {tried}`",
            )
    raise SubmitError(
        f"address {address}",
        f"{_TRIES} failed tries of {name}",
        "a run that can succeed",
        "read the logs of the last try",
    )


@contextmanager
def _package(recipe: Recipe) -> Iterator[str]:
    """A folder with this very code and the resolved recipe."""
    with tempfile.TemporaryDirectory(prefix="medray-submit-") as folder:
        source = Path(medray.__file__).parent
        shutil.copytree(source, Path(folder) / "medray", ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "recipe.json").write_text(json.dumps(resolved(recipe)))
        yield folder


async def _follow(client: Any, name: str) -> None:
    async for lines in client.tail_job_logs(name):
        sys.stdout.write(lines)
        sys.stdout.flush()


def _exit_code(client: Any, name: str) -> int:
    details = client.get_job_info(name)
    if str(details.status.value) == "SUCCEEDED":
        return 0
    code = details.driver_exit_code
    return int(code) if code else 1
