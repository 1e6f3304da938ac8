"""Networks over irregular events: by hand, on a dozen events."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from medray.nn.event_network import AdditiveNetwork, SummaryNetwork
from medray.nn.event_summaries import CHANNELS, NAMES, summaries, window_summaries
from medray.nn.event_transformer import EventTransformer
from medray.nn.events import Events, unpack
from medray.nn.gru_d import GruD, carried, grid, since_last
from medray.nn.members import Members

HOURS = 12.0


def tokens(*rows: list[tuple[float, ...]]) -> torch.Tensor:
    """Rows of (code, hours, value, has_value, static), padded at the end."""
    most = max(map(len, rows))
    return torch.tensor([[*row, *[(0.0,) * 5] * (most - len(row))] for row in rows])


def events(*rows: list[tuple[float, ...]]) -> Events:
    return unpack(tokens(*rows))


def timed(code: int, hours: float, value: float) -> tuple[float, ...]:
    return (code, hours, value, 1, 0)


ROW = [(2.0, HOURS, 7.0, 1, 1), timed(1, 11.0, 1.0), timed(1, 10.5, 3.0), (1.0, 5.0, 0.0, 0, 0), timed(1, 2.0, 8.0)]


def test_columns_of_padding_alone_are_left_out() -> None:
    padded = torch.cat([tokens(ROW, ROW[:2]), torch.zeros(2, 9, 5)], dim=1)
    assert unpack(padded).code.tolist() == [[2, 1, 1, 1, 1], [2, 1, 0, 0, 0]]
    assert unpack(torch.zeros(2, 9, 5)).code.shape == (2, 0)


def test_events_fall_into_the_step_of_their_time() -> None:
    mean, values, count = grid(events(ROW, [timed(2, 0.0, 5.0), timed(2, 99.0, 6.0)]), 2, HOURS, 4)
    assert mean[0].tolist() == [[2.0, 7.0], [0.0, 0.0], [0.0, 0.0], [8.0, 0.0]]
    assert values[0].tolist() == [[2.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    assert count[0].tolist() == [[2.0, 1.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    assert mean[1, :, 1].tolist() == [6.0, 0.0, 0.0, 5.0]


def test_time_since_the_last_value_and_the_value_carried() -> None:
    seen = torch.tensor([0.0, 1.0, 0.0, 0.0, 1.0, 1.0]).view(1, 6, 1)
    assert since_last(seen).flatten().tolist() == [0, 1, 1, 2, 3, 1]
    values = torch.tensor([0.0, 4.0, 0.0, 0.0, 5.0, 6.0]).view(1, 6, 1)
    assert carried(values, seen).flatten().tolist() == [0, 4, 4, 4, 5, 6]


def test_statistics_of_a_code_over_the_window() -> None:
    statistics, values, happened = summaries(events(ROW), 2, HOURS)
    found = dict(zip(NAMES, statistics[0, 0].tolist(), strict=True))
    assert (found["mean"], found["min"], found["max"]) == (4.0, 1.0, 8.0)
    assert (found["first"], found["last"]) == (1.0, 8.0)
    assert found["std"] == pytest.approx(math.sqrt(26 / 3))
    centred = [-11 + 47 / 6, -10.5 + 47 / 6, -2 + 47 / 6]
    slope = sum(t * v for t, v in zip(centred, (-3, -1, 4), strict=True)) / (sum(t * t for t in centred) + 1)
    assert found["slope"] == pytest.approx(slope)
    assert values.tolist() == [[3.0, 1.0]]
    assert happened.tolist() == [[4.0, 1.0]]


def test_newer_hours_and_first_codes_only_but_static_facts_always() -> None:
    statistics, values, happened = summaries(events(ROW), 2, 6.0)
    assert statistics[0, :, NAMES.index("mean")].tolist() == [8.0, 7.0]
    assert (values.tolist(), happened.tolist()) == ([[1.0, 1.0]], [[2.0, 1.0]])
    assert summaries(events(ROW), 1, HOURS)[1].tolist() == [[3.0]]


def test_unseen_codes_have_zeros_without_nan() -> None:
    statistics, values, happened = summaries(events(ROW, [timed(2, 1.0, 3.0)]), 3, HOURS)
    assert not statistics[0, 2].any()
    assert not statistics[1, 0].any()
    assert (values[1].tolist(), happened[1].tolist()) == ([0.0, 1.0, 0.0], [0.0, 1.0, 0.0])


def test_summaries_of_newer_windows_are_about_as_large_as_normal_scores() -> None:
    found = window_summaries(events(ROW), 2, HOURS, 3)
    assert found.shape == (1, 2, 3, len(CHANNELS))
    for at, since in enumerate((12.0, 6.0, 3.0)):
        statistics, values, happened = summaries(events(ROW), 2, since)
        size = torch.tensor([{"slope": 3.0, "std": 2.0}.get(name, 1.0) for name in NAMES])
        torch.testing.assert_close(found[:, :, at, :-2], statistics * size)
        torch.testing.assert_close(found[:, :, at, -2], torch.log1p(happened) / 2)
        assert torch.equal(found[:, :, at, -1], (values > 0).float())


@pytest.mark.parametrize("kept", [[], [0], [1]])
def test_dense_summaries_lose_features_before_each_layer(kept: list[int]) -> None:
    network = SummaryNetwork(codes=2, hours=HOURS, width=4, outputs=1, dropout=1.0)
    drops = [part for part in network.modules() if isinstance(part, nn.Dropout)]
    for at in kept:
        drops[at].p = 0.0
    given = tokens(ROW, [timed(1, 2.0, -1.0)])
    assert network.train()(given).unique().numel() == 1
    assert network.eval()(given).unique().numel() == 2


def additive(noise: float = 0.0) -> AdditiveNetwork:
    return AdditiveNetwork(codes=2, hours=HOURS, outputs=1, noise=noise)


def slopes(network: AdditiveNetwork) -> torch.Tensor:
    """The weights of one output: (codes, windows, pieces)."""
    return network.weight.data.view(2, 2, -1)


def test_a_broken_line_for_each_summary() -> None:
    network = additive()
    slopes(network)[0, 0, :5] = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])  # of the mean of code 1 over the window
    given = [[timed(1, 1.0, value)] for value in (-9.0, -2.0, 0.0, 9.0)] + [[timed(2, 1.0, 9.0)]]
    assert network(tokens(*given)).flatten().tolist() == pytest.approx([0.0, 0.5, 4.5, 15.0, 0.0])


def test_a_code_without_value_says_so_and_how_often_it_happened() -> None:
    network = additive()
    slopes(network)[1, 1, -6:] = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 10.0])  # of code 2 in the newer half
    counted = 2.5 + math.log(2.0) / 2  # one event stands so far above 0 events, which is in the middle of the knots
    given: list[list[tuple[float, ...]]] = [[timed(2, 1.0, 0.0)], [(2.0, 1.0, 0.0, 0, 0)], [timed(2, 7.0, 0.0)]]
    assert network(tokens(*given)).flatten().tolist() == pytest.approx([10.0 + counted, counted, 2.5])


def test_noise_of_the_pieces_is_seen_in_training_alone() -> None:
    torch.manual_seed(0)
    network, given = additive(noise=2.0), tokens(*[ROW] * 4000)
    assert not network.train()(given).any()  # all weights are 0
    network.weight.data[0, :9] = 0.5
    drawn = network(given) - network.eval()(given)
    assert drawn.std().item() == pytest.approx(2.0 * 0.5 * 3.0, rel=0.05)
    assert drawn.mean().item() == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize("make", [additive, lambda: SummaryNetwork(2, HOURS, 4, 1, 0.5)])
def test_no_event_at_all_has_a_summary_too(make: type[nn.Module]) -> None:
    logits = make().train()(torch.zeros(3, 4, 5))
    logits.sum().backward()
    assert torch.isfinite(logits).all()


def gru_d() -> GruD:
    torch.manual_seed(0)
    return GruD(codes=2, hours=HOURS, steps=4, width=6, dropout=0.5).eval()


def transformer() -> EventTransformer:
    torch.manual_seed(0)
    return EventTransformer(codes=2, hours=HOURS, width=8, layers=2, heads=2, dropout=0.5).eval()


@pytest.mark.parametrize("make", [gru_d, transformer])
def test_neither_order_nor_padding_nor_neighbours_matter(make: type[nn.Module]) -> None:
    network, alone = make(), make()(events(ROW))
    torch.testing.assert_close(network(events(ROW[::-1])), alone)
    torch.testing.assert_close(network(events(ROW, ROW * 3))[:1], alone)
    assert not torch.allclose(network(events(ROW[1:])), alone)


@pytest.mark.parametrize("make", [gru_d, transformer])
def test_no_event_at_all_is_an_answer_too(make: type[nn.Module]) -> None:
    assert torch.isfinite(make()(unpack(torch.zeros(3, 4, 5)))).all()


@pytest.mark.parametrize("make", [gru_d, transformer])
def test_the_time_of_an_event_matters(make: type[nn.Module]) -> None:
    network = make()
    assert not torch.allclose(network(events([timed(1, 10.0, 2.0)])), network(events([timed(1, 1.0, 2.0)])))


def test_old_values_fade_to_the_mean_at_the_learned_rate() -> None:
    network = gru_d()
    seen: list[torch.Tensor] = []
    network.gates.register_forward_hook(lambda module, given, out: seen.append(given[0]))
    with torch.no_grad():
        network.input_decay.copy_(torch.tensor([0.25, 0.0]))
        network(events([timed(1, 11.0, 2.0), timed(2, 11.0, 4.0)]))
    inputs = seen[0][0]
    assert inputs[:, 0].tolist() == pytest.approx([2.0, *(2.0 * math.exp(-0.25 * h) for h in (3.0, 6.0, 9.0))])
    assert inputs[:, 1].tolist() == [4.0] * 4
    assert inputs[:, 2].tolist() == pytest.approx([math.log(2.0), 0.0, 0.0, 0.0])


class _Marked(nn.Module):
    def __init__(self, mark: float) -> None:
        super().__init__()
        self.mark = mark

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs + self.mark


def test_members_learn_apart_and_answer_together() -> None:
    network, zeros = Members([_Marked(1.0), _Marked(10.0), _Marked(100.0)]), torch.zeros(5, 1)
    assert network.train()(zeros).flatten().tolist() == [1.0, 10.0, 100.0, 1.0, 10.0]
    assert network.eval()(zeros).flatten().tolist() == [37.0] * 5


def test_a_batch_too_small_to_share_teaches_all_members() -> None:
    assert Members([_Marked(1.0), _Marked(3.0)]).train()(torch.zeros(1, 1)).tolist() == [[2.0]]
