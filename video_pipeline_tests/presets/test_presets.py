from __future__ import annotations

import re
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.errors import RequestError
from video_pipeline.settings import PROJECT

LADDER = "extends: web\nh264: {rungs: [{height: %s}]}\n"


def test_built_in() -> None:
    speeds = {name: h264.preset for name in presets.names() if (h264 := presets.load(name).h264)}
    assert speeds["draft"] == "veryfast"
    assert speeds["web"] == "medium"
    assert speeds["premium"] == "slow"
    caps = {name: presets.load(name).max_height for name in ("480p", "720p", "1080p", "4k")}
    assert caps == {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
    downloads = {name: presets.load(name).download for name in presets.names()}
    assert downloads == {**dict.fromkeys(downloads), "premium": 1080}
    assert [rung.height for rung in presets.load("web").families["h264"].rungs] == [
        2160,
        1440,
        1080,
        720,
        480,
        360,
        240,
    ]


def test_families_of_the_built_in_presets() -> None:
    mixed = ("h264", "hevc", "av1")
    expected = {"web": ("h264",), "web+": mixed, "hdr": mixed, "archive": ("h264", "hevc", "vp9", "av1")}
    assert {name: tuple(presets.load(name).families) for name in expected} == expected
    assert [presets.load(name).hdr for name in ("web", "web+", "archive", "hdr")] == [*["tone-map"] * 3, "keep"]
    depths = {name: family.bit_depth for name, family in presets.load("hdr").families.items()}
    assert depths == {"h264": 8, "hevc": 10, "av1": 10}


def test_a_child_may_leave_a_family_out(tmp_path: Path) -> None:
    (tmp_path / "lean.yaml").write_text("extends: web+\nhevc: none\n")
    (tmp_path / "new.yaml").write_text(
        "extends: web\nh264: none\nav1: {preset: 8, rungs: [{height: 720, crf: 30, maxrate: 2000}]}\n"
    )
    assert tuple(presets.load("lean", tmp_path).families) == ("h264", "av1")
    assert tuple(presets.load("new", tmp_path).families) == ("av1",)


def test_a_user_overrides_one_key_of_a_built_in_preset(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("extends: web\nh264: {preset: slow}\n")
    (tmp_path / "mine.yaml").write_text("extends: web\nmax_height: 480\n")
    web, mine = presets.load("web", tmp_path), presets.load("mine", tmp_path)
    assert web.h264
    assert mine.h264
    assert (web.h264.preset, web.audio.bit_rate) == ("slow", 128)
    assert (mine.h264.preset, mine.max_height) == ("slow", 480)
    assert "mine" in presets.names(tmp_path)


def test_a_download_can_be_taken_back(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: premium\ndownload: none\n")
    assert presets.load("mine", tmp_path).download is None


def test_a_child_has_a_description_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "lean.yaml").write_text("extends: web+\nhevc: none\n")
    (tmp_path / "said.yaml").write_text("extends: lean\ndescription: As we like it.\n")
    (tmp_path / "leaner.yaml").write_text("extends: said\n")
    descriptions = [presets.load(name, tmp_path).description for name in ("lean", "said", "leaner")]
    assert descriptions == ["Like web+, with changes.", "As we like it.", "Like said, with changes."]


def test_name_does_not_shape_the_output() -> None:
    assert presets.load("web").digest == presets.load("4k").digest
    assert presets.load("web").digest != presets.load("draft").digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("extends: web\nh264: {speed: fast}\n", r"h264\.speed: this key is unknown"),
        ("extends: web\nh264: {preset: warp}\n", r"h264\.preset: .*'warp'"),
        ("extends: web\naudio: {bit_rate: lots}\n", r"audio\.bit_rate: .*'lots'"),
        ("extends: web\nmax_rate: 30\nmax_rate: 60\n", r"max_rate stands there twice .* line 3"),
        ("extends: web\nh264: {preset: fast, preset: slow}\n", r"preset stands there twice .* line 2"),
        ("extends: web\nmax_rate: 0\n", r"max_rate: .*greater than or equal to 1"),
        (
            "extends: web\nh264: {rungs: [{height: 481, crf: 23, maxrate: 900}]}\n",
            r"h264\.rungs\.0\.height: .*multiple of 2",
        ),
        (LADDER % "480, crf: 99, maxrate: 900", r"h264\.rungs\.0\.crf"),
        (
            LADDER % "480, crf: 23, maxrate: 900}, {height: 720, crf: 23, maxrate: 900",
            r"h264\.rungs: rung 720 needs a larger maxrate than rung 480",
        ),
        ("extends: web\nh264: {rungs: []}\n", r"h264\.rungs"),
        ("extends: web\nh264: {options: {g: '50'}}\n", r"h264\.options: 'g' is set by the plan"),
        ("extends: web\nh264: {options: {x264opts: 'keyint=13'}}\n", r"h264\.options: 'x264opts' is set by the plan"),
        ("extends: web\nh264: {options: {t: '1'}}\n", r"h264\.options: 't' is set by the plan, or is no option"),
        ("extends: web\nh264: none\n", "one of h264, hevc, vp9, av1 is needed"),
        ("extends: web\nh264: {encoder: libx265}\n", r"h264\.encoder: .*'libx265'"),
        ("extends: web\nh264: {bit_depth: 10}\n", r"h264\.bit_depth: .* 8, not 10"),
        ("extends: web+\nhevc: {bit_depth: 10, profile: main}\n", "hevc: bit_depth 10 and profile main exclude each"),
        ("extends: archive\nvp9: {profile: 2}\n", "vp9: bit_depth 8 and profile 2 exclude each other$"),
        ("extends: web\nhdr: keep\n", "hdr: keep needs a family with bit_depth 10$"),
        (
            "extends: hdr\nh264: none\n",
            "hdr: keep needs a family with bit_depth 8 beside it",
        ),
        ("extends: web+\nav1: {threads: 4}\n", r"av1\.threads: .* 1, not 4"),
        ("extends: web+\nav1: {params: {scd: '1'}}\n", r"av1\.params: 'scd' is set by the plan"),
        ("extends: web+\nhevc: {params: {'a:b': '1'}}\n", r"hevc\.params: 'a:b' is not an option's name"),
        ("extends: web+\nhevc: {params: {aq-mode: '1:keyint=9'}}\n", r"hevc\.params: the value of 'aq-mode' has a ':'"),
        (
            "extends: archive\nvp9: {rungs: [{height: 720, crf: 30.5, maxrate: 900}]}\n",
            "crf of rung 720 .*multiple",
        ),
        ("extends: web+\nhevc: {rungs: [{height: 720, crf: 52, maxrate: 900}]}\n", "crf of rung 720 .*0 to 51"),
        (
            "extends: web+\nav1: {rungs: [{height: 720, crf: 30, maxrate: 66001}]}\n",
            "rung 720 must be at most 66000",
        ),
        ("extends: web\nmax_height: 200\n", "max_height 200 is below every rung of h264, from 240 on$"),
        ("extends: web\ndownload: 721\n", r"download: .*multiple of 2, not 721"),
        ("extends: web\ndownload: large\n", r"download: .*'large'"),
        ("extends: web\nimages: {interval: soon}\n", r"images\.interval: must be a number"),
        ("extends: web\nh264: {encoder: libx265}\n", r"h264\.encoder: Input should be 'libx264', .*not 'libx265'"),
        ("extends: web\nh264: {bit_depth: 10}\n", r"h264\.bit_depth: Input should be 8, not 10"),
        (LADDER % "480, crf: 0, maxrate: 900", r"h264\.rungs: crf of rung 480 must be from 1 to 51"),
        ("extends: archive\nvp9: {cpu_used: 7}\n", "vp9: cpu_used 7 needs deadline: realtime, it goes to 5 with good"),
        ("extends: hdr\nhevc: {profile: main}\n", "hevc: bit_depth 10 and profile main exclude each other"),
        ("extends: web\nhdr: keep\n", "hdr: keep needs a family with bit_depth 10"),
        ("extends: web+\nmax_height: 300\n", "max_height 300 is below every rung of hevc"),
        (
            "extends: web+\nhevc: {encoder: hevc_nvenc, params: {aq-mode: '3'}}\n",
            "hevc.params are libx265's and encoder is hevc_nvenc: use options, or set hardware: prefer",
        ),
        (
            "extends: web+\nhevc: {encoder: hevc_vaapi, rungs: [{height: 720, crf: 0.5, maxrate: 900}]}\n",
            "hevc: hevc_vaapi needs a crf of at least 1 in every rung",
        ),
        ("extends: web\nhardware: maybe\n", r"hardware: Input should be 'require' or 'prefer', not 'maybe'"),
        ("extends: nowhere\n", "extends: 'nowhere' is unknown"),
        ("extends: broken\n", "extends: 'broken' is unknown or extends itself"),
        ("max_height: 480\n", "description: Field required"),
        ("- a\n", "must be a mapping"),
        ("a: [\n", "broken.yaml: "),
    ],
)
def test_a_bad_file_is_refused_with_file_key_and_reason(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "broken.yaml").write_text(text)
    with pytest.raises(RequestError, match=words) as caught:
        presets.load("broken", tmp_path)
    assert str(tmp_path / "broken.yaml") in str(caught.value)


@pytest.mark.parametrize("name", ["nope", "../web", "", "WEB"])
def test_unknown(name: str) -> None:
    with pytest.raises(RequestError, match=r"is unknown; there are .*draft.*web"):
        presets.load(name)


PROTECTED = """extends: {base}
protection:
  scheme: {scheme}
  key_uri: {uri}
"""


def test_protection_shapes_the_output_and_can_be_taken_back(tmp_path: Path) -> None:
    uri = "https://keys.example/{video_id}/{key_id}"
    (tmp_path / "locked.yaml").write_text(PROTECTED.format(base="web", scheme="cbcs", uri=uri))
    (tmp_path / "open.yaml").write_text("extends: locked\nprotection: none\n")
    locked, opened = presets.load("locked", tmp_path), presets.load("open", tmp_path)
    assert locked.protection is not None
    assert (locked.protection.scheme, locked.protection.key_uri) == ("cbcs", uri)
    assert opened.protection is None
    assert opened.digest == presets.load("web").digest != locked.digest


def test_the_protection_in_the_readme_can_be_used(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```\n(protection:\n.*?)^```", (PROJECT / "README.md").read_text("utf-8"), re.S | re.M)
    (tmp_path / "locked.yaml").write_text(f"extends: web\n{text}")
    found = presets.load("locked", tmp_path).protection
    assert found is not None
    assert found.license_uri == "https://keys.example/licence"


@pytest.mark.parametrize(
    ("base", "scheme", "uri", "more", "words"),
    [
        ("premium", "cenc", "https://k/", "", r"protection: the MP4 for download would lie beside it in the clear"),
        ("web", "rot13", "https://k/", "", r"protection\.scheme: .*'rot13'"),
        ("web", "cenc", "ftp://k/", "", r"protection\.key_uri: .*'ftp://k/'"),
        ("web", "cenc", "https://k/{title}", "", r"protection\.key_uri: only {video_id} and {key_id}"),
        ("web", "cenc", "https://k/{", "", r"protection\.key_uri: only {video_id} and {key_id}"),
        (
            "web",
            "aes-128",
            "https://k/",
            "  license_uri: https://k/l\n",
            r"protection\.license_uri: players of aes-128",
        ),
        ("web", "cenc", "https://k/", "  license_uri: /l\n", r"protection\.license_uri: .*'/l'"),
        ("web", "cenc", "https://k/", f"  key: {'0' * 32}\n", r"protection\.key: this key is unknown"),
    ],
)
def test_protection_that_cannot_be_used(
    tmp_path: Path, base: str, scheme: str, uri: str, more: str, words: str
) -> None:
    text = PROTECTED.format(base=base, scheme=scheme, uri=f"'{uri}'") + more
    (tmp_path / "locked.yaml").write_text(text)
    with pytest.raises(RequestError, match=words):
        presets.load("locked", tmp_path)
