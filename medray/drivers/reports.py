"""Where the report of a run lies."""

from __future__ import annotations

from medray.drivers.job import Job
from medray.storage.failures import told
from medray.storage.plans import Plan
from medray.storage.uri import join

PAGE = "report.html"


def report_folder(lake: str, run_id: str) -> str:
    """The folder of a run's reports."""
    return join(lake, "reports", run_id)


def report_page(run_id: str) -> str:
    """Where the page of a run lies from that of another."""
    return f"../{run_id}/{PAGE}"


def lineage_of(plan: Plan, **more: str) -> dict[str, str]:
    """What a report is explained by: run, code, recipe and the tables read; `more` after the run."""
    return {
        "Run": plan.run_id,
        **more,
        "Code": plan.code_version,
        "Recipe SHA-256": plan.recipe_sha256,
        "Table versions read": ", ".join(f"{name} {version}" for name, version in sorted(plan.tables_read.items())),
    }


def write_report(job: Job, lake: str, run_id: str, page: str) -> str:
    """Write the page of a run; returns where. A repeated attempt replaces it."""
    uri = join(report_folder(lake, run_id), PAGE)
    with told(lake):
        job.store.replace(uri, page.encode())
    return uri
