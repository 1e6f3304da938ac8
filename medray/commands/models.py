"""`medray models`: the models of a lake, what is known of each, and which one scores at night."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from medray.commands.options import Lake, LakeArgument
from medray.entry import stopped_by_contract, today
from medray.narration import Narrator

Name = Annotated[str, typer.Argument(help="a model's name")]
Version = Annotated[int, typer.Argument(help="one of its versions")]
Json = Annotated[bool, typer.Option("--json", help="for machines")]

models = typer.Typer(no_args_is_help=True, help="The models of a lake: known, compared, put into production.")


@models.command("list")
def list_models(lake: LakeArgument, as_json: Json = False) -> None:
    """Every version of every model: how good it is, whether it is in production, whether its card is complete."""
    from medray.commands.model_views import shelf_view
    from medray.drivers.job import Job
    from medray.drivers.models.shelf import every_card
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        cards = every_card(normalise(lake), Job(today(), tell))
        if as_json:
            print(json.dumps(cards, indent=1))
        else:
            tell.console.print(shelf_view(cards), soft_wrap=False)


@models.command()
def show(name: Name, version: Version, lake: Lake, as_json: Json = False) -> None:
    """The model card of a version: what it is for, what it was made of, how good it is, what it cannot do."""
    from medray.commands.model_views import card_view
    from medray.drivers.job import Job
    from medray.drivers.models.shelf import card
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        found = card(normalise(lake), name, version, Job(today(), tell))
        if as_json:
            print(json.dumps(found, indent=1))
        else:
            tell.console.print(card_view(found), soft_wrap=False)


@models.command()
def compare(name: Name, first: Version, second: Version, lake: Lake, as_json: Json = False) -> None:
    """Two versions side by side: recipes, data, metrics with intervals."""
    from medray.commands.model_views import comparison_view
    from medray.drivers.job import Job
    from medray.drivers.models.shelf import comparison
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        found = comparison(normalise(lake), name, first, second, Job(today(), tell))
        if as_json:
            print(json.dumps(found, indent=1))
        else:
            tell.console.print(comparison_view(found), soft_wrap=False)


@models.command()
def describe(
    name: Name,
    version: Version,
    lake: Lake,
    card: Annotated[Path, typer.Option(help="a TOML file: intended_use, exclusions, limits, licence")],
) -> None:
    """Set what people say of a version; its weights stay as they are. Who said it stands in `audit`."""
    from medray.config import load_card
    from medray.drivers.job import Job
    from medray.drivers.models.describe import describe as describe_version
    from medray.drivers.models.model_card import card_page
    from medray.storage.uri import join, normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        words, place = load_card(str(card)), normalise(lake)
        made = describe_version(place, name, version, words, Job(today(), tell))
        tell.say(f"{name} version {version} has description {made.number}: {join(place, card_page(name, version))}")


@models.command()
def promote(name: Name, version: Version, lake: Lake) -> None:
    """Make a version of a model the one that nightly runs score with. Its card must be complete."""
    from medray.drivers.job import Job
    from medray.drivers.models.promote import promote as promote_version
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        chosen = promote_version(normalise(lake), name, version, Job(today(), tell))
        tell.say(f"{name} version {chosen.version} ({chosen.sha256[:12]}) is in production")


@models.command()
def rollback(name: Name, lake: Lake) -> None:
    """Put the version back into production that was there before."""
    from medray.drivers.job import Job
    from medray.drivers.models.promote import rollback as roll_back
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        chosen = roll_back(normalise(lake), name, Job(today(), tell))
        tell.say(f"back to {name} version {chosen.version} ({chosen.sha256[:12]}), which is in production again")
