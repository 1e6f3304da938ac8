"""Taking objects away for good. Only a vacuum does: nothing else deletes what a run has written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from medray.errors import StorageError
from medray.storage.store import Store
from medray.storage.uri import is_s3, object_name

_BATCH = 1000  # of S3's DeleteObjects


def remove(store: Store, root: str, uris: Sequence[str]) -> None:
    """Remove objects below `root`; one that is gone already is no failure. Folders left empty go too.

    Raises:
        StorageError: the store refused some of them; others are gone.
    """
    if is_s3(root):
        for start in range(0, len(uris), _BATCH):
            _remove_batch(store, root, uris[start : start + _BATCH])
        return
    for uri in uris:
        Path(uri).unlink(missing_ok=True)
        _prune(Path(uri).parent, Path(root))


def _remove_batch(store: Store, root: str, uris: Sequence[str]) -> None:
    bucket = object_name(root).partition("/")[0]
    keys = [{"Key": object_name(uri).partition("/")[2]} for uri in uris]
    answer = store.s3().call_s3("delete_objects", Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    if refused := answer.get("Errors"):
        raise StorageError(
            root,
            f"{len(refused)} of {len(uris)} objects that the store does not delete ({refused[0].get('Code')})",
            "credentials that may delete (only a vacuum needs them)",
            "run it with the role of the vacuum; running again continues",
        )


def _prune(folder: Path, root: Path) -> None:
    while folder != root and folder.is_relative_to(root):
        try:
            os.rmdir(folder)
        except OSError:  # not empty, or gone
            return
        folder = folder.parent
