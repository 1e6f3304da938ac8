"""Some volumes, on a worker: each assembled and written as one NIfTI-1 file."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medray.dicom.volume import Volume
from medray.drivers.volumes.read import VolumeKey, read_volume, volume_row
from medray.errors import Unusable
from medray.storage.chunk_file import Facts
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # from LPS


@dataclass(frozen=True)
class NiftiChunk:
    volumes: tuple[VolumeKey, ...]


@dataclass(frozen=True)
class NiftiWork:
    """Writes the files of volumes. A file that stands is not written again."""

    store: Store
    lake: str
    target: str
    fill: float

    def __call__(self, chunk: NiftiChunk) -> Facts:
        """How many were `written`, `known` and `unusable`, and the reasons of these."""
        counts: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for key in chunk.volumes:
            uri = join(self.target, f"{key.series}-{key.index}-v{key.version}.nii.gz")
            with told(self.target):
                stands = self.store.exists(uri)
            if stands:
                counts["known"] += 1
                continue
            try:
                volume = read_volume(self.store, self.lake, volume_row(self.store, self.lake, key), self.fill)
            except Unusable as error:
                counts["unusable"] += 1
                reasons[error.reason] += 1
                continue
            with told(self.target):
                self._write(uri, volume)
            counts["written"] += 1
        return {"counts": dict(counts), "reasons": dict(reasons)}

    def _write(self, uri: str, volume: Volume) -> None:
        spooled = self.store.spool(uri)
        try:
            write_nifti(spooled, volume)
            self.store.publish(spooled, uri)
        finally:
            Path(spooled).unlink(missing_ok=True)


def write_nifti(path: str, volume: Volume) -> None:
    """A volume as gzipped NIfTI-1; the same volume gives the same bytes."""
    from nibabel.fileholders import FileHolder
    from nibabel.nifti1 import Nifti1Image

    affine = _RAS @ volume.affine
    image = Nifti1Image(volume.values.T, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 1, file, mtime=0) as stream:
        image.to_file_map({"image": FileHolder(fileobj=stream)})
