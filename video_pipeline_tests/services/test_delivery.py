"""The delivery server over a real socket."""

from __future__ import annotations

import dataclasses
import json
import urllib.error
import urllib.request

import pytest

from video_pipeline.stores import releases
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.stores.drafts import draft


def get(address: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, address after redirects, content."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
            return answer.status, answer.url, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.url, error.read()


def test_the_download_follows_the_current_release(store: LocalStore, url: str) -> None:
    for mark in ("one", "two"):
        made = draft(store, mark)
        releases.publish(store, dataclasses.replace(made, download=made.media[0]))
        status, address, data = get(f"{url}/videos/film/download.mp4")
        assert (status, data) == (200, mark.encode() * 5000)
        assert address == f"{url}/videos/film/media/{made.media[0].sha256}.mp4"
        # A player asks for parts, and a link to another page's video sends this along.
        assert get(f"{url}/videos/film/download.mp4", Range="bytes=1-3")[::2] == (206, data[1:4])
    _, _, page = get(f"{url}/watch/film")
    assert b'href="/videos/film/download.mp4" download="film.mp4"' in page


def test_the_page_plays_the_plain_master(store: LocalStore, url: str) -> None:
    releases.publish(store, draft(store, "one"))
    _, _, page = get(f"{url}/watch/film")
    assert b'src="/videos/film/plain.m3u8"' in page
    assert get(f"{url}/videos/film/plain.m3u8")[0] == 200
    (store.root / "videos/film/plain.m3u8").unlink()  # published by an earlier version
    _, _, page = get(f"{url}/watch/film")
    assert b'src="/videos/film/master.m3u8"' in page


def test_a_video_without_a_download_says_so(store: LocalStore, url: str) -> None:
    releases.publish(store, draft(store, "one"))
    status, _, text = get(f"{url}/videos/film/download.mp4")
    assert (status, text) == (404, b"video film has no download: its preset, web, has none\n")
    _, _, page = get(f"{url}/watch/film")
    assert b"download" not in page.lower()


def test_an_encrypted_video_says_how_it_can_be_played(store: LocalStore, url: str) -> None:
    made = draft(store, "one")
    plan = {"protection": {"scheme": "aes-128", "key_uri": "https://k.example/{video_id}?a=1&b", "license_uri": None}}
    files = {**made.files, "metadata.json": json.dumps({"plan": plan}).encode()}
    del files["dash/manifest.mpd"]
    releases.publish(store, dataclasses.replace(made, files=files))
    status, _, content = get(f"{url}/watch/film")
    page = content.decode()
    assert status == 200
    assert "<video" not in page
    assert "encrypted (aes-128)" in page
    assert 'href="/videos/film/master.m3u8"' in page
    assert "manifest.mpd" not in page
    assert "https://k.example/film?a=1&amp;b" in page


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("watch/nothing", "video nothing is not published"),
        ("videos/nothing/download.mp4", "video nothing is not published"),
        ("watch/NO", "'NO'"),
        ("videos/../download.mp4", ""),
        ("videos/film/nothing.mp4", ""),
    ],
)
def test_what_is_not_there(store: LocalStore, url: str, path: str, said: str) -> None:
    releases.publish(store, draft(store, "one"))
    status, _, text = get(f"{url}/{path}")
    assert status == 404
    assert said in text.decode()
