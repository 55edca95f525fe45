"""What an operator types into the launchpad becomes a request like a job's, or a sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from PIL import Image

from video_pipeline import settings
from video_pipeline.assets.request import NewRequest, request_of
from video_pipeline.errors import PipelineError
from video_pipeline.media import tools
from video_pipeline.partitions import videos
from video_pipeline.stores import leases
from video_pipeline.stores.custom_thumbnails import CustomThumbnails
from video_pipeline.stores.index import Index
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.requests import Requests, VideoRequest

Launch = Callable[..., VideoRequest]


@pytest.fixture
def launch(own_home: settings.Settings) -> Launch:
    """Launches the first step of video v with this config, and returns the request it is about."""
    index = Index(own_home.index_url)
    index.upgrade()

    def launched(**config: Any) -> VideoRequest:
        found: list[VideoRequest] = []

        @dg.asset(partitions_def=videos)
        def step(context: dg.AssetExecutionContext, config: NewRequest) -> None:
            found.append(request_of(context, config, Requests(index)))

        with dg.DagsterInstance.ephemeral() as instance:
            instance.add_dynamic_partitions(str(videos.name), ["v"])
            run_config = dg.RunConfig({"step": NewRequest(**config)})
            dg.materialize([step], partition_key="v", instance=instance, run_config=run_config)
        return found[0]

    return launched


def test_options_are_those_of_a_job(launch: Launch, clip: Path) -> None:
    made = launch(source=str(clip), options={"trim": {"start": 1}, "thumbnailsAt": [0, "50%"]})
    assert (made.version, made.options.data()) == (1, {"trim": {"start": 1.0}, "thumbnailsAt": [0.0, "50%"]})
    assert launch() == made


def test_other_fields_leave_them_and_they_are_replaced_together(launch: Launch, clip: Path) -> None:
    launch(source=str(clip), options={"trim": {"start": 1}, "poster": 2})
    assert launch(title="T").options.data() == {"trim": {"start": 1.0}, "poster": 2.0}
    third = launch(options={"poster": "1%"})
    assert (third.version, third.title, third.options.data()) == (3, "T", {"poster": "1%"})


def test_a_thumbnail_is_asked_for_until_it_is_kept(launch: Launch, clip: Path, own_home: settings.Settings) -> None:
    picture = own_home.home / "a.png"
    Image.new("RGB", (32, 18)).save(picture)
    asked = launch(source=str(clip), options={"poster": 2, "thumbnail": str(picture)})
    again = launch(title="T")
    assert again.options == asked.options
    kept = CustomThumbnails(Index(own_home.index_url), LocalStore(own_home.store))
    assert kept.take_in(again, tools.find(), own_home.home) is not None
    leases.end(own_home.store)
    picture.unlink()
    assert launch(title="U").options.data() == {"poster": 2.0}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trim": {"start": 3, "end": 2}}, "^trim: end "),
        ({"thumbnails_at": [1]}, "^options.thumbnails_at: this option is unknown; there are trim, thumbnailsAt, "),
        ({"source": "/x"}, "^options.source: this option is unknown"),
        ({"subtitles": [{"source": "/no.srt", "language": "en"}]}, "^subtitles.0.source /no.srt: no such file"),
    ],
)
def test_what_cannot_be_used_is_named(launch: Launch, clip: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        launch(source=str(clip), options=options)
    with pytest.raises(PipelineError, match="no request yet"):
        launch()
