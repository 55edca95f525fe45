from __future__ import annotations

import pytest

from video_pipeline.media.text import languages


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("eng", "en"),
        ("EN", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("fre", "fr"),
        ("chi", "zh"),
        ("zul", "zu"),
        ("pt_br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("fil", "fil"),
        ("und", None),
        ("zxx", None),
        ("", None),
        (None, None),
        ("English (US)", None),
        ("e", None),
    ],
)
def test_tag(said: str | None, tag: str | None) -> None:
    assert languages.tag(said) == tag


@pytest.mark.parametrize(
    ("tag", "name"), [("de", "Deutsch"), ("pt-BR", "Português (BR)"), ("ja", "日本語"), ("fil", "fil"), ("zu", "zu")]
)
def test_name(tag: str, name: str) -> None:
    assert languages.name(tag) == name


@pytest.mark.parametrize(
    ("tag", "code"),
    [("fr-CA", "fra"), ("de", "deu"), ("zh-Hant-TW", "zho"), ("fil", "fil"), ("xq", None), (None, None)],
)
def test_three_letters(tag: str | None, code: str | None) -> None:
    assert languages.three_letters(tag) == code
