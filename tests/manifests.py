"""Strict checks of what `cluster/` and `medray schedule` hand to Kubernetes, KubeRay and Ray: an unknown field
is an error, also where a schema would let it pass."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
CLUSTER = ROOT / "cluster"
KUBERNETES = "1.34"
# Maps whose keys are the writer's own.
FREE = {"labels", "annotations", "matchLabels", "data", "rayStartParams", "requests", "limits", "clusterSelector"}
_DATA = Path(os.environ.get("MEDRAY_TEST_DATA", ROOT.parent / "shared" / "data"))
_SCHEMAS = _DATA.parent / "schemas" / "kuberay-1.7.0"

Document = dict[str, Any]
# It reads its schemas anew at each check.
kubernetes_validate.utils.schema_contents = cache(kubernetes_validate.utils.schema_contents)


class Refused(Exception):
    """A document does not validate."""


class _Loader(yaml.SafeLoader):
    """YAML whose maps have each key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(names) == len(set(names)), f"{node.start_mark}: a key stands twice"
        return super().construct_mapping(node, deep)


def documents(text: str) -> list[Document]:
    """The YAML documents of a text."""
    return [one for one in yaml.load_all(text, _Loader) if one]


def validate(document: Document) -> None:
    """Raises:
    Refused: the document has an unknown field, a missing one, or a value of another type.
    """
    if document["apiVersion"] == "ray.io/v1":
        _of_ray(document)
    elif document["kind"] == "Kustomization":
        unknown = set(document) - {"apiVersion", "kind", "namespace", "resources"}
        if unknown:
            raise Refused(f"unknown fields {unknown}")
    else:
        _of_kubernetes(document)


def typos(document: Document) -> Iterator[tuple[str, Document]]:
    """Copies of a document with one key misspelled each, and where."""
    for path in _keys(document, ()):
        wrong = copy.deepcopy(document)
        place = wrong
        for step in path[:-1]:
            place = place[step]
        place[f"{path[-1]}s"] = place.pop(path[-1])
        yield ".".join(map(str, path)), wrong


def _keys(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not path or path[-1] not in FREE:
                yield (*path, key)
            yield from _keys(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _keys(inner, (*path, number))


def _of_kubernetes(document: Document) -> None:
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        raise Refused(getattr(error, "message", str(error))) from error


def _of_ray(document: Document) -> None:
    for metadata in _metadata(document):
        _of_kubernetes({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    error = jsonschema.exceptions.best_match(ray_kind(document.get("kind", "")).iter_errors(document))
    if error is not None:
        raise Refused(f"{error.json_path}: {error.message}")


def _metadata(value: Any) -> Iterator[Document]:
    """What KubeRay's schemas leave open: the metadata of the document and of its pods."""
    if isinstance(value, dict):
        if isinstance(value.get("metadata"), dict):
            yield value["metadata"]
        for inner in value.values():
            yield from _metadata(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _metadata(inner)


@cache
def ray_kind(kind: str) -> jsonschema.Draft202012Validator:
    """The strict schema of a kind of KubeRay 1.7."""
    if not _SCHEMAS.is_dir():
        pytest.skip("no schemas/kuberay-1.7.0 beside $MEDRAY_TEST_DATA")
    path = _SCHEMAS / f"{kind.lower()}s.v1.schema.json"
    if not path.exists():
        raise Refused(f"no kind {kind} of ray.io/v1")
    schema = _closed(json.loads(path.read_text()))
    return jsonschema.Draft202012Validator({**schema, "required": ["apiVersion", "kind", "metadata", "spec"]})


def _closed(schema: Any) -> Any:
    """The schema with no room for what it does not name."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    open_on_purpose = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and not open_on_purpose:
        closed["additionalProperties"] = False
    return closed
