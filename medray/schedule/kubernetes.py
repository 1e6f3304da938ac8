"""A night on Kubernetes: a CronJob that submits the run, and the ConfigMap that carries its recipe.

What the cluster has to hold already is made by `cluster/kubernetes`: the service account, the Secret with
the cluster's token. The run itself happens on the Ray cluster; the pod only submits and follows it.
"""

from __future__ import annotations

from typing import Any

import yaml

from medray.errors import RecipeError
from medray.schedule.order import DEADLINE_S, FINAL_CODES, LATEST_START_S, Order

ACCOUNT = "medray-submit"
TOKEN = {"name": "medray-ray-token", "key": "auth_token"}  # the key is the one that KubeRay reads
_FOLDER, _RECIPE = "/etc/medray", "recipe.toml"
_GRACE_S = 900  # the submitter outlives its run's own deadline, so that it can tell how the run ended
_CONFIG_MAP_BYTES = 1_000_000


def cron_job(order: Order, image: str) -> list[dict[str, Any]]:
    """The ConfigMap and the CronJob, as `kubectl apply` takes them.

    Raises:
        RecipeError: no https address or no image is named, or the recipe is too large for a ConfigMap.
    """
    for option, value in (("--address", order.address), ("--image", image)):
        if not value:
            raise RecipeError(option, "nothing", "a value, with --on kubernetes", f"name it: {option} ...")
    if not order.address.startswith("https://"):
        raise RecipeError("--address", order.address, "https://...", "name the ingress before the dashboard")
    if len(order.text.encode()) > _CONFIG_MAP_BYTES:
        raise RecipeError(f"recipe {order.path}", "more than 1 MB", "what a ConfigMap holds", "shorten the recipe")
    metadata = {"name": order.name, "labels": {"app.kubernetes.io/name": "medray", "medray/recipe": order.name}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {_RECIPE: order.text}}
    spec = {
        "schedule": order.schedule.cron.text,
        "timeZone": order.schedule.zone.key,
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": LATEST_START_S,
        "successfulJobsHistoryLimit": 7,
        "failedJobsHistoryLimit": 30,
        "jobTemplate": {"spec": _job(order, image)},
    }
    return [config, {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}]


def as_yaml(documents: list[dict[str, Any]], remarks: list[str]) -> str:
    """The documents as a text for `kubectl apply -f -`, the remarks before them."""
    notes = "".join(f"# {line}\n" for line in remarks)
    return notes + "---\n".join(_Texts.dump(one) for one in documents)


def _job(order: Order, image: str) -> dict[str, Any]:
    final = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(FINAL_CODES)}}
    moved = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    return {
        "activeDeadlineSeconds": DEADLINE_S + _GRACE_S,
        "backoffLimit": 2,
        "podFailurePolicy": {"rules": [final, moved]},
        "template": {
            "metadata": {"labels": {"app.kubernetes.io/name": "medray-submit"}},
            "spec": {
                "serviceAccountName": ACCOUNT,
                "automountServiceAccountToken": False,
                "restartPolicy": "Never",
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 1000,
                    "runAsGroup": 1000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [_container(order, image)],
                "volumes": [{"name": "recipe", "configMap": {"name": order.name}}, {"name": "tmp", "emptyDir": {}}],
            },
        },
    }


def _container(order: Order, image: str) -> dict[str, Any]:
    command = ["medray", "submit", f"{_FOLDER}/{_RECIPE}", "--address", order.address]
    return {
        "name": "submit",
        "image": image,
        "command": [*command, *order.timing(), "--deadline-s", str(DEADLINE_S)],
        "env": [
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - a folder of the pod's own
            {"name": "RAY_AUTH_MODE", "value": "token"},
            {"name": "RAY_AUTH_TOKEN", "valueFrom": {"secretKeyRef": TOKEN}},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "recipe", "mountPath": _FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        ],
    }


class _Texts(yaml.SafeDumper):  # type: ignore[misc]  # yaml has no types
    """Texts of several lines stay readable; what is used twice is written twice."""

    @classmethod
    def dump(cls, document: dict[str, Any]) -> str:
        return str(yaml.dump(document, Dumper=cls, sort_keys=False, width=120, allow_unicode=True))

    def ignore_aliases(self, *_: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Texts.add_representer(str, _text)
