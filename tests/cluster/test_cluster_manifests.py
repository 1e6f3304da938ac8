"""What `cluster/` hands to Kubernetes, KubeRay and `ray up` is what they take, strictly."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray
import typer
import yaml
from manifests import CLUSTER, ROOT, Document, Refused, documents, ray_kind, typos, validate
from ray.scripts.scripts import start

from medray import config
from medray.cli import app

FILES = sorted(path for path in (CLUSTER / "kubernetes").rglob("*.yaml"))
VM = CLUSTER / "vm" / "cluster.yaml"


def _all(kind: str) -> list[Document]:
    return [one for path in FILES for one in documents(path.read_text()) if one["kind"] == kind]


def _named(path: Path) -> str:
    return path.relative_to(CLUSTER).as_posix()


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_a_manifest_is_valid_and_each_of_its_keys_matters(path: Path) -> None:
    for document in documents(path.read_text()):
        validate(document)
        for where, wrong in typos(document):
            try:
                validate(wrong)
            except (Refused, KeyError):  # a kind that has no name has no schema
                continue
            pytest.fail(f"{_named(path)}: {where} is misspelled, and nobody says so")


def test_what_kuberay_leaves_open_is_closed() -> None:
    (cluster,) = _all("RayCluster")
    with pytest.raises(jsonschema.ValidationError):
        ray_kind("RayCluster").validate({**cluster, "spec": {**cluster["spec"], "idleTimeoutSeconds": 1}})


def test_the_ray_up_config_is_the_one_that_ray_takes() -> None:
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    (document,) = documents(VM.read_text())
    jsonschema.validate(document, schema)
    for name in ("cluster_name", "provider", "docker", "available_node_types", "head_start_ray_commands"):
        wrong = {(f"{key}s" if key == name else key): value for key, value in document.items()}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    for part in ("docker", "auth"):
        wrong = {**document, part: {f"{key}s": value for key, value in document[part].items()}}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_ray_is_started_with_options_that_it_has() -> None:
    known = {name.removeprefix("--") for option in start.params for name in option.opts}
    (cluster,), (vm,) = _all("RayCluster"), documents(VM.read_text())
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    commands = [shlex.split(one) for key in ("head", "worker") for one in vm[f"{key}_start_ray_commands"]]
    used = {name for group in groups for name in group["rayStartParams"]}
    used |= {word[2:].partition("=")[0] for words in commands for word in words if word.startswith("--")}
    assert used
    assert used <= known


def test_the_head_takes_no_work_and_machines_come_on_demand() -> None:
    (cluster,), (vm,) = _all("RayCluster"), documents(VM.read_text())
    spec = cluster["spec"]
    assert spec["enableInTreeAutoscaling"] is True
    assert spec["autoscalerOptions"]["idleTimeoutSeconds"] > 0
    started = spec["headGroupSpec"]["rayStartParams"]
    assert (started["num-cpus"], started["num-gpus"]) == ("0", "0")
    groups = {group["groupName"]: group for group in spec["workerGroupSpecs"]}
    limits = {name: group["template"]["spec"]["containers"][0]["resources"]["limits"] for name, group in groups.items()}
    assert {name: ("nvidia.com/gpu" in limit) for name, limit in limits.items()} == {"cpu": False, "gpu": True}
    assert {(group["minReplicas"], group["maxReplicas"] > 0) for group in groups.values()} == {(0, True)}
    types = vm["available_node_types"]
    assert types[vm["head_node_type"]]["resources"] == {"CPU": 0}
    assert {name: kind.get("min_workers", 0) for name, kind in types.items()} == {"head": 0, "cpu": 0, "gpu": 0}
    assert types["gpu"]["resources"]["GPU"] == 1


def test_every_container_asks_for_the_token_and_holds_no_secret() -> None:
    (cluster,), (vm,) = _all("RayCluster"), documents(VM.read_text())
    assert cluster["spec"]["authOptions"] == {"mode": "token", "secretName": "medray-ray-token"}
    assert "ENV RAY_AUTH_MODE=token" in (CLUSTER / "Dockerfile").read_text()
    assert "--env RAY_AUTH_TOKEN_PATH=/run/secrets/ray-token" in vm["docker"]["run_options"]
    assert "medray/$name" in vm["initialization_commands"][0]
    for path in [*FILES, VM]:
        for value in _environment(documents(path.read_text())):
            assert value["name"] in ("HOME", "RAY_AUTH_MODE") or set(value) == {"name", "valueFrom"}, path
    assert not _all("Secret")


def _environment(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for inner in value:
            yield from _environment(inner)
    elif isinstance(value, dict):
        yield from value.get("env", [])
        for inner in value.values():
            yield from _environment(inner)


def test_what_a_manifest_names_is_there() -> None:
    accounts = {one["metadata"]["name"] for one in _all("ServiceAccount")}
    (cluster,), (night,), (ingress,) = _all("RayCluster"), _all("CronJob"), _all("Ingress")
    pods = [group["template"]["spec"] for group in cluster["spec"]["workerGroupSpecs"]]
    pods += [
        cluster["spec"]["headGroupSpec"]["template"]["spec"],
        night["spec"]["jobTemplate"]["spec"]["template"]["spec"],
    ]
    for pod in pods:
        assert pod["serviceAccountName"] in accounts
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for one in pod["containers"] for mount in one["volumeMounts"]} == volumes
        assert pod["securityContext"]["runAsNonRoot"] is True
    name = cluster["metadata"]["name"]
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": f"{name}-head-svc", "port": {"number": 8265}}  # as KubeRay names it
    assert ingress["spec"]["tls"][0]["hosts"] == [ingress["spec"]["rules"][0]["host"]]
    listed = documents((CLUSTER / "kubernetes" / "kustomization.yaml").read_text())[0]["resources"]
    below = {path.name for path in (CLUSTER / "kubernetes").glob("*.yaml")}
    assert set(listed) == below - {"kustomization.yaml", "nightly.yaml"}


def test_the_network_closes_what_the_token_leaves_open() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in _all("NetworkPolicy")}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    doors = {
        port["port"]: {
            place["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for place in rule["from"]
        }
        for spec in policies.values()
        for rule in spec.get("ingress", [])
        for port in rule.get("ports", [])
    }
    assert doors == {8265: {"ingress", "kuberay-system"}, 8080: {"monitoring"}}
    everywhere = [rule for spec in policies.values() for rule in spec.get("ingress", []) if "ports" not in rule]
    assert everywhere == [{"from": [{"podSelector": {"matchLabels": {"ray.io/cluster": "medray"}}}]}]
    (chosen,) = policies["submitters-and-vacuum"]["podSelector"]["matchExpressions"]
    (night,) = _all("CronJob")
    labels = night["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert labels[chosen["key"]] in chosen["values"]
    for spec in policies.values():
        for rule in spec.get("egress", []):
            for place in rule["to"]:
                if "ipBlock" in place:
                    assert place["ipBlock"]["except"] == ["169.254.0.0/16"]  # a node's own role
                    assert [port["port"] for port in rule["ports"]] == [443]


def test_one_job_one_file_and_all_alike() -> None:
    texts = {path.stem: path.read_text() for path in (CLUSTER / "kubernetes" / "jobs").glob("*.yaml")}
    assert set(texts) == set(config.JOBS)
    alike = {
        re.sub(rf"\b{name}\b", "JOB", text).replace(f"medray-{name.replace('_', '-')}-", "medray-JOB-")
        for name, text in texts.items()
    }
    assert len(alike) == 1
    for name, text in texts.items():
        (job,) = documents(text)
        words = shlex.split(job["spec"]["entrypoint"])
        assert words[-5:] == ["python", "-m", "medray.entry", name, f"/etc/medray/recipes/{name}.toml"]
        (cluster,) = _all("RayCluster")
        assert job["spec"]["clusterSelector"] == {"ray.io/cluster": cluster["metadata"]["name"]}
        assert yaml.safe_load(job["spec"]["runtimeEnvYAML"]) == {"env_vars": {"PYTHONUNBUFFERED": "1"}}
        # KubeRay takes neither with a cluster that stands.
        assert not {"backoffLimit", "ttlSecondsAfterFinished", "shutdownAfterJobFinishes"} & set(job["spec"])


def test_the_night_is_the_one_that_medray_schedule_prints() -> None:
    from typer.testing import CliRunner

    recipe = ROOT / "jobs" / "recipes" / "chest" / "nightly.toml"
    told = CliRunner().invoke(
        app,
        [
            "schedule", str(recipe), "--cron", "0 2 * * *", "--on", "kubernetes",
            "--address", "https://ray.hospital.example", "--image", "registry.example/medray:0.1.0",
        ],
    )  # fmt: skip
    assert told.exit_code == 0
    assert told.output == (CLUSTER / "kubernetes" / "nightly.yaml").read_text()
    command = _all("CronJob")[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[:2] == ["medray", "submit"]
    submit = typer.main.get_command(app).commands["submit"]  # type: ignore[attr-defined]
    given = submit.make_context("submit", command[2:]).params
    assert (given["scheduled"], given["time_zone"]) == ("0 2 * * *", "Etc/UTC")
