"""Images to evaluate on that the model was made with, under other names."""

from __future__ import annotations

from medray.drivers.inputs.reading import Reading
from medray.drivers.job import Job
from medray.drivers.models.leaks import digests_of
from medray.engine.examples import Examples
from medray.planning.duplicates import learnt_before
from medray.storage.model_images import model_images
from medray.storage.models import Registered


def learnt_images(lake: str, model: Registered, split: str, reading: Reading, examples: Examples, job: Job) -> int:
    """How many prepared images are, to the last pixel, images that the model learnt from or was
    tuned with (other than in the `split` that is evaluated); a warning tells of them. 0 of records, and of
    models that are older than this.
    """
    learnt = {name: found for name, found in model_images(job.store, lake, model.sha256).items() if name != split}
    if not learnt:
        return 0
    images = digests_of(reading, examples, job.store)
    count = 0 if images is None else int(learnt_before(images, learnt).sum())
    if count:
        job.tell.warn(
            f"{count:,} images of the evaluated split are images that the model was made with, of other subjects: "
            "what is measured is better than what is true",
            event="leak",
            learnt_images=count,
        )
    return count
