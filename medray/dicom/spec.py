"""The `dicom` source, assembled."""

from __future__ import annotations

from medray.contracts import Source
from medray.dicom.show import show
from medray.dicom.source import read

SOURCE = Source(name="dicom", tables=("images",), read=read, show=show)
