"""Every way to write where Redis is, and what is said about the wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_pipeline import settings
from video_pipeline.connection import url
from video_pipeline.connection.address import parse, redis_address
from video_pipeline.errors import RequestError, ServiceDown

VARIABLE = "VIDEO_PIPELINE_REDIS_URL"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://h", "redis://h"),
        ("redis://u:p%40s%2Fs@h:7/3", "redis://h:7/3"),
        ("redis://:secret@h?db=3", "redis://h?db=3"),
        ("rediss://u:secret@h/0?ssl_ca_certs=/ca.pem&ssl_cert_reqs=CERT_REQUIRED", "rediss://h/0"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ("unix://u:secret@/run/redis.sock", "unix:///run/redis.sock"),
        ("redis+sentinel://:secret@a,b:7,[::1]:8/main/2?sentinel_password=x", "redis+sentinel://a,b:7,[::1]:8/main/2"),
        ("rediss+cluster://u:secret@a:1,b", "rediss+cluster://a:1,b"),
    ],
)
def test_what_is_shown_has_no_password(text: str, shown: str) -> None:
    address = parse(text, VARIABLE)
    assert str(address) == shown
    assert "secret" not in repr(address)


def test_all_parts_are_understood() -> None:
    address = parse(
        "redis+sentinel://u:p%40%2C,x@a,b:7,[::1]:8/main/2?sentinel_password=s&sentinel_username=n", VARIABLE
    )
    assert address.nodes == (("a", 26379), ("b", 7), ("::1", 8))
    assert (address.kind, address.service, address.tls) == ("sentinel", "main", False)
    assert dict(address.options) == {"username": "u", "password": "p@,,x", "db": 2}
    assert dict(address.sentinel_options) == {"username": "n", "password": "s"}
    socket = parse("unix:///run/redis.sock?db=2", VARIABLE)
    assert (socket.path, dict(socket.options)) == ("/run/redis.sock", {"db": 2})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://h", "the scheme 'http' is none of redis, rediss, unix"),
        ("", "the scheme"),
        ("redis://", "a host is missing"),
        ("redis://h:66000", "a port is a number"),
        ("redis://h/zero", "the path ends with something else than a database number"),
        ("redis://h1,h2", "several hosts need redis+sentinel"),
        ("redis://h?timeout=3", "the option 'timeout' is not known"),
        ("redis://h?ssl_ca_certs=/ca.pem", "is for rediss://"),
        ("rediss://h?ssl_cert_reqs=maybe", "none, optional or required"),
        ("unix://redis.sock", "a unix socket is written unix:///path"),
        ("redis+sentinel://h1,h2", "the primary's name is missing"),
        ("redis+cluster://h/1", "a Cluster has only database 0"),
        ("redis+cluster://h?db=1", "the option 'db' is not known"),
        ("redis://h?sentinel_password=x", "are for redis+sentinel://"),
        ("redis://:my/secret@h/0", "special characters"),
        ("redis://:my#secret@h/0", "special characters"),
        ("redis://:my?a=secret@h/0", "special characters"),
    ],
)
def test_a_wrong_one_is_one_sentence_about_the_variable(text: str, says: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(text, VARIABLE)
    assert str(caught.value).startswith(f"setting {VARIABLE}: ")
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_cluster_needs_hash_tags(tmp_path: Path) -> None:
    ours = settings.load(home=tmp_path, redis_url="redis+cluster://h", queue_prefix="{bull}")
    assert url(ours) == "redis+cluster://h"
    for name in ("queue_prefix", "key_prefix"):
        with pytest.raises(RequestError, match=f"{name.upper()}: a Redis Cluster needs a hash tag: '{{x}}', not 'x'"):
            redis_address(ours.model_copy(update={name: "x"}))


def test_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(ServiceDown, match=VARIABLE):
        redis_address(settings.load(home=tmp_path, redis_url=None))
