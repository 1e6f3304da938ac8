"""Arguments that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Lake = Annotated[str, typer.Option(help="folder or s3://bucket/prefix of the lake")]
LakeArgument = Annotated[str, typer.Argument(metavar="LAKE", help="folder or s3://bucket/prefix of the lake")]
