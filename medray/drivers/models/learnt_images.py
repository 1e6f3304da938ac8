"""Images to evaluate on that the model was made with, under other names."""

from __future__ import annotations

from medray.contracts import Array
from medray.drivers.job import Job
from medray.planning.duplicates import learnt_before
from medray.storage.model_images import model_images
from medray.storage.models import Registered


def learnt_images(lake: str, model: Registered, split: str, images: Array | None, job: Job) -> int:
    """How many prepared images are, to the last pixel, images that the model learnt from or was
    tuned with (other than in the `split` that is evaluated); a warning tells of them. 0 of records, and of
    models that are older than this.

    Args:
        images: int64 digests (`leaks.digests_of`).
    """
    if images is None:
        return 0
    learnt = {name: found for name, found in model_images(job.store, lake, model.sha256).items() if name != split}
    count = int(learnt_before(images, learnt).sum())
    if count:
        job.tell.warn(
            f"{count:,} images of the evaluated split are images that the model was made with, of other subjects: "
            "what is measured is better than what is true",
            event="leak",
            learnt_images=count,
        )
    return count
