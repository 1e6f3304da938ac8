"""`volumes`: one stack of slices of a series, in order, with its geometry. No pixels: they stand in `images` once.

Lengths are mm in the patient's coordinates of PS3.3 C.7.6.2.1.1: x to the Left, y to Posterior, z to
the head (LPS). An assembled array is indexed [k, j, i] = [slice, row, column].
"""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

SLICES = pa.list_(
    pa.struct(
        [
            pa.field("SOPInstanceUID", pa.string(), nullable=False),
            pa.field("input_version", pa.int32(), nullable=False),
            pa.field("frame_index", pa.int32(), nullable=False),  # of the instance, from 0
            pa.field("position_mm", pa.float64()),  # along the normal; null where the slice says no place
        ]
    )
)

# The checks of the Imaging Data Commons' table `volume_geometry_index`, by their names, on the slices of
# the row as they were received; null where a slice has no place in space.
FLAGS = (
    "regularly_spaced_3d_volume",
    "single_orientation",
    "orthogonal_orientation",
    "unique_slice_positions",
    "consistent_in_plane_row",
    "consistent_in_plane_col",
    "consistent_pixel_spacing",
    "consistent_image_dimensions",
    "uniform_slice_spacing",
)

VOLUMES = TableContract(
    name="volumes",
    version=1,
    schema=pa.schema(
        [
            pa.field("subject_id", pa.int64(), nullable=False),
            pa.field("StudyInstanceUID", pa.string(), nullable=False),
            pa.field("SeriesInstanceUID", pa.string(), nullable=False),
            pa.field("volume_index", pa.int32(), nullable=False),  # of the series, from 0
            pa.field("input_version", pa.int32(), nullable=False),  # of the series: all of its rows have one
            pa.field("status", pa.string(), nullable=False),  # volume, rejected
            pa.field("reason", pa.string()),  # schema.reasons.REASONS, of what is rejected
            # what assembly does: none, slices (onto a regular grid), shear (tilt), slices+shear
            pa.field("resample", pa.string()),
            pa.field("Modality", pa.string()),
            pa.field("FrameOfReferenceUID", pa.string()),
            pa.field("slices", SLICES, nullable=False),  # by position; rejected: as far as it is known
            pa.field("slice_count", pa.int32(), nullable=False),
            pa.field("Rows", pa.int32()),
            pa.field("Columns", pa.int32()),
            # of the array that assembly makes; null with what is rejected without a grid
            pa.field("shape", pa.list_(pa.int32())),  # slices, rows, columns
            pa.field("spacing_mm", pa.list_(pa.float64())),  # between slices, rows, columns
            # 3 x 3, row by row; its columns are the directions of growing i (along a row), j and k
            pa.field("direction", pa.list_(pa.float64())),
            pa.field("origin_mm", pa.list_(pa.float64())),  # x, y, z of the centre of voxel [0, 0, 0]
            pa.field("affine", pa.list_(pa.float64())),  # 4 x 4, row by row: (i, j, k, 1) -> (x, y, z, 1)
            *(pa.field(name, pa.bool_()) for name in FLAGS),
            pa.field("obliquity_degrees", pa.float64()),  # normal to the nearest axis of the patient
            pa.field("tilt_degrees", pa.float64()),  # normal to the line of the slices' origins
            pa.field("shear", pa.list_(pa.float64())),  # that line: mm along rows, along columns, a mm of normal
            pa.field("spacing_deviation_mm", pa.float64()),  # greatest, of a distance from the mean distance
            pa.field("missing_slices", pa.int32()),
            pa.field("duplicate_slices", pa.int32(), nullable=False),  # left out: another one stands there
            pa.field("policy_hash", pa.string(), nullable=False),  # of the recipe's policies
            pa.field("image_files", pa.list_(pa.string()), nullable=False),  # of `images`, that hold the series
            pa.field("run_id", pa.string(), nullable=False),
        ]
    ),
    key=("SeriesInstanceUID", "volume_index", "input_version"),
    statistics=("subject_id", "StudyInstanceUID", "SeriesInstanceUID", "volume_index", "input_version"),
)
