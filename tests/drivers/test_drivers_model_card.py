"""What is known of a model, and that nothing goes into production of which too little is."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import story
from model_text import AUROC, CARD, complete_record, tuning_metrics
from typer.testing import CliRunner

from medray import cli
from medray.config import load_card
from medray.drivers.audit import verify
from medray.drivers.models.describe import describe
from medray.drivers.models.model_card import link_to_card, write_card
from medray.drivers.models.promote import promote, rollback
from medray.errors import ModelError, RecipeError
from medray.recipes.card import CardText
from medray.schema.audit import AUDIT
from medray.storage.commit import Outcome, commit_run
from medray.storage.descriptions import descriptions
from medray.storage.models import register, registered, save_model
from medray.storage.plans import write_plan
from medray.storage.promotions import in_production
from medray.storage.promotions import promote as put_in_force
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE
from medray.storage.uri import join

NAME = "chest"
JOB = story.job()
WORDS = CardText(intended_use="Reads <b>first</b>.", exclusions="No child.", limits="One site.", licence="CC BY 4.0.")
# as versions were registered before there were cards
BEFORE = {
    "run_id": "old", "trained_on": "2025-01-01", "code_version": "0.1", "recipe_sha256": "q" * 64,
    "tables_read": {"images": 1}, "split": {"label": "split"}, "training": {"epochs": 1}, "history": [],
    "examples": {"train": 9, "tuning": 3, "held_out": 4},
}  # fmt: skip


def add(lake: str, record: dict[str, Any]) -> tuple[int, str]:
    """The next version of the model, and its hash: no two have the same weights."""
    definition = {
        "family": "image", "family_config": {"modalities": ["CR"]}, "problem": None, "task": "binary",
        "task_config": {"kind": "binary", "label": "opacity"}, "calibration": {"temperature": [1.0]},
    }  # fmt: skip
    weights = {"w": np.array([*record["run_id"].encode()], np.float32)}
    subjects = {"train": np.arange(7), "tuning": np.array([8, 9])}
    sha256 = save_model(LAKE, lake, weights, definition, subjects)
    return register(LAKE, lake, NAME, sha256, record).version, sha256


def evaluated(lake: str, sha256: str, split: str = "held_out") -> str:
    """An evaluation of a model, committed; its run."""
    plan = write_plan(LAKE, lake, story.plan(sha256[:8], kind="evaluate", recipe={"name": "e", "split": split}))
    LAKE.replace(join(lake, "reports", plan.run_id, "metrics.json"), json.dumps(tuning_metrics()).encode())
    commit_run(LAKE, lake, plan, Outcome({}, model_sha256=sha256, report_uri="report.html"))
    return plan.run_id


def asked(*arguments: str) -> Any:
    found = CliRunner().invoke(cli.app, ["models", *arguments])
    assert found.exit_code == 0, found.output
    return found.output


def test_a_complete_card_goes_into_production_and_an_empty_one_does_not(lake: str) -> None:
    add(lake, complete_record("one"))
    add(lake, complete_record("two", declared={**CARD, "limits": " "}, tuning={}, calibration={}))
    promote(lake, NAME, 1, JOB)
    with pytest.raises(ModelError) as refused:
        promote(lake, NAME, 2, JOB)
    # the calibration stands in the model itself
    assert refused.value.found == "a model card with nothing in: metrics, limits"
    assert f"medray models describe {NAME} 2 --card FILE --lake {lake}" in refused.value.do
    assert in_production(LAKE, lake, NAME).version == 1


def test_a_version_from_before_there_were_cards_is_described_evaluated_and_promoted(lake: str) -> None:
    _, sha256 = add(lake, BEFORE)
    with pytest.raises(ModelError, match="intended_use, exclusions, metrics, limits, licence"):
        promote(lake, NAME, 1, JOB)
    assert describe(lake, NAME, 1, WORDS, JOB).number == 1
    with pytest.raises(ModelError, match=r"nothing in: metrics\."):
        promote(lake, NAME, 1, JOB)
    evaluated(lake, sha256)
    promote(lake, NAME, 1, JOB)
    assert in_production(LAKE, lake, NAME).version == 1
    assert registered(LAKE, lake, NAME, 1).card == {**BEFORE, "name": NAME, "version": 1, "model_sha256": sha256}
    shown = json.loads(asked("show", NAME, "1", "--lake", lake, "--json"))
    assert shown["data"]["splits"] == {
        "train": {"inputs": 9, "subjects": 7}, "tuning": {"inputs": 3, "subjects": 2}, "held_out": {"inputs": 4},
    }  # fmt: skip
    assert verify(snapshot(LAKE, lake)).faults == ()


def test_rollback_goes_back_to_what_was_in_production_whatever_its_card_says(lake: str) -> None:
    add(lake, BEFORE)
    _, sha256 = add(lake, complete_record("two"))
    put_in_force(LAKE, lake, NAME, 1, "before there were cards")
    promote(lake, NAME, 2, JOB)
    Path(lake, "models", "blobs", sha256, "model.json").write_text("damaged")  # why people roll back
    assert rollback(lake, NAME, JOB).version == 1
    assert in_production(LAKE, lake, NAME).version == 1


def test_who_described_and_promoted_stands_in_the_audit(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDRAY_ACTOR", "dr-who")
    add(lake, complete_record("one"))
    describe(lake, NAME, 1, WORDS, JOB)
    again = WORDS.model_copy(update={"limits": "Two sites."})
    assert describe(lake, NAME, 1, again, JOB).number == 2
    promote(lake, NAME, 1, JOB)
    assert json.loads(asked("show", NAME, "1", "--lake", lake, "--json"))["declared"] == again.model_dump()
    state = snapshot(LAKE, lake)
    told = {
        (row["event"], json.loads(row["detail"])["number"]): (row["actor"], json.loads(row["detail"]))
        for row in state.table(AUDIT).to_pylist()
        if row["event"] in ("description", "promotion")
    }
    assert told["description", 2][0] == "dr-who"
    assert told["description", 2][1]["words"] == again.model_dump()
    assert told["promotion", 1][1]["description"] == 2
    assert verify(state).faults == ()


def test_a_description_that_was_cut_off_is_finished_first(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add(lake, complete_record("one"))

    def cut_off(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("medray.drivers.models.describe.commit_run", cut_off)
        with pytest.raises(KeyboardInterrupt):
            describe(lake, NAME, 1, WORDS, JOB)
    again = WORDS.model_copy(update={"limits": "Two sites."})
    assert describe(lake, NAME, 1, again, JOB).number == 2
    assert [one.words["limits"] for one in descriptions(LAKE, lake, NAME, 1)] == ["One site.", "Two sites."]
    assert verify(snapshot(LAKE, lake)).faults == ()


def test_words_that_were_changed_by_hand_are_found(lake: str) -> None:
    add(lake, complete_record("one"))
    describe(lake, NAME, 1, WORDS, JOB)
    path = Path(lake, "models", NAME, "descriptions", "000001", "000001.json")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "words": {**document["words"], "exclusions": "Nobody."}}))
    (fault,) = verify(snapshot(LAKE, lake)).faults
    assert fault == "model chest version 1, description 1: other words than the audit has"
    path.with_name("000002.json").write_text(json.dumps({**document, "number": 2, "cause": "me"}))
    path.write_text(json.dumps(document))
    (fault,) = verify(snapshot(LAKE, lake)).faults
    assert fault == "model chest version 1, description 2: the audit does not know it"


def test_a_description_is_whole_or_refused(lake: str, tmp_path: Path) -> None:
    add(lake, complete_record("one"))
    with pytest.raises(RecipeError, match="nothing in: exclusions, licence"):
        describe(lake, NAME, 1, WORDS.model_copy(update={"exclusions": "", "licence": "-"}), JOB)
    with pytest.raises(ModelError, match="no version 2"):
        describe(lake, NAME, 2, WORDS, JOB)
    path = tmp_path / "card.toml"
    path.write_text('intended_use = "x"\nauthor = "y"\nlimits = 3\n')
    with pytest.raises(RecipeError, match=r"author.*limits|limits.*author"):
        load_card(str(path))


def test_the_page_holds_the_words_as_text_and_leads_to_its_evaluations(lake: str) -> None:
    _, sha256 = add(lake, complete_record("one"))
    assert link_to_card(snapshot(LAKE, lake), NAME, 1) is None
    run = evaluated(lake, sha256)
    describe(lake, NAME, 1, WORDS, JOB)
    page = Path(lake, "models", NAME, "cards", "000001.html")
    text = page.read_text()
    assert "Reads &lt;b&gt;first&lt;/b&gt;." in text
    assert f"{AUROC:.3f}" in text
    (link,) = re.findall(r'href="([^#"]+)"', text)
    assert (page.parent / link).resolve() == Path(lake, "reports", run, "report.html").resolve()
    from_a_run = link_to_card(snapshot(LAKE, lake), NAME, 1)
    assert (Path(lake, "reports", run) / str(from_a_run)).resolve() == page.resolve()
    assert page.read_text() == Path(write_card(lake, NAME, 1, JOB)).read_text()


@pytest.mark.parametrize("forged", [{"declared": 5}, {"declared": {"limits": 5}}, {"tuning": [1]}, {"data": "x"}])
def test_a_record_of_an_enemy_is_told_and_not_run_into(lake: str, forged: dict[str, Any]) -> None:
    add(lake, complete_record("one", **forged))
    with pytest.raises(ModelError, match="no tables of a card"):
        promote(lake, NAME, 1, JOB)


def test_a_cross_validation_stands_beside_the_tuning_split(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    measured = {
        "answer": "opacity", "metric": "auroc", "value": 0.812, "lower": 0.701, "upper": 0.903, "over_folds": 0.0352,
        "over_seeds": 0.012,
    }  # fmt: skip
    found = {"run_id": "c", "folds": 5, "seeds": [1, 2, 3], "metrics": [measured], "verdicts": ["It lies above."]}
    add(lake, complete_record("one", cross_validation=found))
    shown = asked("show", NAME, "1", "--lake", lake)
    assert re.search(r"folds +opacity +. +AUROC +0\.812 \(0\.701 to 0\.903\)", shown)
    assert "No cross-validation" not in shown
    text = Path(write_card(lake, NAME, 1, JOB)).read_text()
    for part in ("0.812", "(0.701 to 0.903)", "0.035", "0.012", "5 folds by subject, 3 seed(s).", "It lies above."):
        assert part in text
    add(lake, complete_record("two"))
    assert "No cross-validation" in asked("show", NAME, "2", "--lake", lake)


def test_models_are_listed_with_their_best_known_number(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    _, sha256 = add(lake, complete_record("one"))
    add(lake, BEFORE)
    evaluated(lake, sha256)
    promote(lake, NAME, 1, JOB)
    rows = [re.split(r"\s{2,}", line.strip()) for line in asked("list", lake).splitlines()]
    (first,) = [row for row in rows if row[:2] == [NAME, "1"]]
    assert first[2:4] == ["2026-03-01", "binary"]
    assert re.fullmatch(rf"AUROC {AUROC:.3f} \(0\.\d+ to 1\.000\)", first[4])
    assert first[5] == "held-out"
    assert first[-2:] == ["yes", "complete"]
    (second,) = [row for row in rows if row[:2] == [NAME, "2"]]
    assert second[-1] == "5 empty"


def test_a_card_and_a_comparison_fit_the_terminal(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    add(lake, complete_record("one", training={"epochs": 3}))
    add(lake, complete_record("two", training={"epochs": 5, "note": "[red]"}, trained_on=date.today().isoformat()))
    describe(lake, NAME, 2, WORDS.model_copy(update={"limits": "word " * 100 + "[red]"}), JOB)
    shown = asked("show", NAME, "2", "--lake", lake)
    beside = asked("compare", NAME, "1", "2", "--lake", lake)
    assert max(len(line) for line in (shown + beside).splitlines()) <= 100
    assert "[red]" in shown
    assert "[red]" in beside
    assert re.search(r"training\.epochs +3 +5", beside)
    assert re.search(rf"AUROC +{AUROC:.3f} \(.*\) +{AUROC:.3f} \(", beside)
    assert "not known: one of them was trained in another lake" in " ".join(beside.split())
