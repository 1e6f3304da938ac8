from __future__ import annotations

from medray.ops.of_last import of_last


def test_the_same_object_is_asked_once_and_its_equal_again() -> None:
    asked: list[list[int]] = []

    @of_last
    def total(numbers: list[int]) -> int:
        asked.append(numbers)
        return sum(numbers)

    first, equal = [1, 2], [1, 2]
    assert [total(first), total(first), total(equal), total([4]), total(first)] == [3, 3, 3, 4, 3]
    assert asked == [[1, 2], [1, 2], [4], [1, 2]]
