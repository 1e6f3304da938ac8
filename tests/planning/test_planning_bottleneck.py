"""A training that waits for its data is told so, with the knob that helps."""

from __future__ import annotations

from medray.planning.bottleneck import advice


def epochs(**figures: float) -> list[dict[str, float]]:
    return [{"wait_share": 0.9, "read_share": 0.9, "gpu_busy": 0.1}, figures, figures]


def test_a_busy_device_is_left_alone() -> None:
    assert advice(epochs(wait_share=0.02, read_share=0.5, gpu_busy=0.97), gpu=True, read_ahead=2) == []
    assert advice(epochs(wait_share=0.3, read_share=0.1), gpu=False, read_ahead=2) == []


def test_slow_reading_is_told() -> None:
    (told,) = advice(epochs(wait_share=0.34, read_share=0.3, gpu_busy=0.6), gpu=True, read_ahead=2)
    assert told.startswith("Ingest is the bottleneck: 34% of the time")
    assert "local disk" in told


def test_slow_making_names_the_setting_and_its_value() -> None:
    (told,) = advice(epochs(wait_share=0.34, read_share=0.1, gpu_busy=0.6), gpu=True, read_ahead=5)
    assert "read_ahead (now 5)" in told
    (told,) = advice(epochs(wait_share=0.6, read_share=0.1), gpu=False, read_ahead=5)
    assert "workers" in told
    assert "read_ahead" not in told  # a CPU does not read ahead


def test_a_gpu_that_is_idle_beside_waiting_batches_has_too_little_to_do() -> None:
    (told,) = advice(epochs(wait_share=0.01, read_share=0.0, gpu_busy=0.4), gpu=True, read_ahead=2)
    assert "idle 60%" in told
    assert "batch_size" in told


def test_a_single_epoch_counts() -> None:
    assert advice(epochs()[:1], gpu=True, read_ahead=2)
