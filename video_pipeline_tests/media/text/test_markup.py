from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_pipeline.media.checks import webvtt
from video_pipeline.media.text.markup import webvtt as to_webvtt


@pytest.mark.parametrize(
    ("ass", "vtt"),
    [
        ("plain", "plain"),
        (r"{\i1}a{\i0} b", "<i>a</i> b"),
        (r"{\b1\i1}a{\b0}b{\i0}c", "<b><i>a</i></b><i>b</i>c"),
        (r"{\u1}a", "<u>a</u>"),
        (r"{\b700}heavy{\b400}light", "<b>heavy</b>light"),
        (r"{\i1}a\Nb{\i0}", "<i>a</i>\n<i>b</i>"),
        (r"{\i1}a{\r}b", "<i>a</i>b"),
        (r"{\an8\pos(1,2)\fad(10,20)\c&HFF&\bord2\be1\iclip(1,2,3,4)\pbo3}a", "a"),
        (r"{\k20}ka{\kf30}ra", "kara"),
        (r"{\p1}m 0 0 l 9 9{\p0}seen", "seen"),
        (r"{a comment}seen", "seen"),
        (r"a\hb\nc", "a\u00a0b c"),
        (r"  a \N\N  \N b ", "a\nb"),
        (r"5 < 6 & 7 --> 8", "5 &lt; 6 &amp; 7 --&gt; 8"),
        ("\\{{}x} \\\u2060N", "{x} \\N"),
        (r"{\i1} {\i0}", ""),
        (r"{\i1}{\i0}\N\h", ""),
        ("a\x00\x1b\ufeffb", "ab"),
        ("{unclosed", "{unclosed"),
        ("", ""),
    ],
)
def test_markup(ass: str, vtt: str) -> None:
    assert to_webvtt(ass) == vtt


def test_braces_without_a_command_are_text_in_subrip() -> None:
    assert to_webvtt(r"{sic} {\an8}x", literal_braces=True) == "{sic} x"


def test_an_italic_style_is_seen_and_can_be_turned_off() -> None:
    assert to_webvtt(r"a{\i0}b{\r}c{\i0}d{\i}e", italic=True) == "<i>a</i>b<i>c</i>d<i>e</i>"


@given(st.text(st.sampled_from(r"ab <>&{}\Nhiburp10-" + "\n\r\t\u2060\u00a0\x00"), max_size=30), st.booleans())
def test_whatever_comes_is_a_cue_or_nothing(ass: str, braces: bool) -> None:
    text = to_webvtt(ass, literal_braces=braces)
    assert "\n\n" not in text
    if re.sub(r"<[^>]*>", "", text).strip():
        assert webvtt.read(f"WEBVTT\n\n00:00.000 --> 00:01.000\n{text}\n") == [(0, 1000, text)]
    else:
        assert text == ""
