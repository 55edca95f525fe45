"""Languages: the tag a manifest needs for what a file says, and what people call the language themselves."""

from __future__ import annotations

import re

# ISO 639-1, the codes of ISO 639-2 for the same language, and its own name: those of which subtitles are common.
_NAMED = """
    af afr Afrikaans | ar ara العربية | az aze Azərbaycan | be bel Беларуская |
    bg bul Български | bn ben বাংলা | bs bos Bosanski | ca cat Català | cs ces,cze Čeština |
    cy cym,wel Cymraeg | da dan Dansk | de deu,ger Deutsch | el ell,gre Ελληνικά |
    en eng English | es spa Español | et est Eesti | eu eus,baq Euskara | fa fas,per فارسی |
    fi fin Suomi | fr fra,fre Français | ga gle Gaeilge | gl glg Galego | gu guj ગુજરાતી |
    he heb עברית | hi hin हिन्दी | hr hrv Hrvatski | hu hun Magyar | hy hye,arm Հայերեն |
    id ind Indonesia | is isl,ice Íslenska | it ita Italiano | ja jpn 日本語 | ka kat,geo ქართული |
    kk kaz Қазақ | km khm ខ្មែរ | kn kan ಕನ್ನಡ | ko kor 한국어 | la lat Latina | lo lao ລາວ |
    lt lit Lietuvių | lv lav Latviešu | mk mkd,mac Македонски | ml mal മലയാളം | mn mon Монгол |
    mr mar मराठी | ms msa,may Melayu | mt mlt Malti | my mya,bur မြန်မာ | nb nob Norsk bokmål |
    ne nep नेपाली | nl nld,dut Nederlands | nn nno Nynorsk | no nor Norsk | pa pan ਪੰਜਾਬੀ |
    pl pol Polski | pt por Português | ro ron,rum Română | ru rus Русский | si sin සිංහල |
    sk slk,slo Slovenčina | sl slv Slovenščina | sq sqi,alb Shqip | sr srp Српски |
    sv swe Svenska | sw swa Kiswahili | ta tam தமிழ் | te tel తెలుగు | th tha ไทย |
    tr tur Türkçe | uk ukr Українська | ur urd اردو | uz uzb O‘zbek | vi vie Tiếng Việt |
    zh zho,chi 中文
"""
# The other languages of ISO 639-1.
_UNNAMED = """
    aa aar ab abk ae ave ak aka am amh an arg as asm av ava ay aym ba bak bi bis bm bam bo bod bo tib br bre ce che
    ch cha co cos cr cre cu chu cv chv dv div dz dzo ee ewe eo epo ff ful fj fij fo fao fy fry gd gla gn grn gv glv
    ha hau ho hmo ht hat hz her ia ina ie ile ig ibo ii iii ik ipk io ido iu iku jv jav kg kon ki kik kj kua kl kal
    kr kau ks kas ku kur kv kom kw cor ky kir lb ltz lg lug li lim ln lin lu lub mg mlg mh mah mi mri mi mao na nau
    nd nde ng ndo nr nbl nv nav ny nya oc oci oj oji om orm or ori os oss pi pli ps pus qu que rm roh rn run rw kin
    sa san sc srd sd snd se sme sg sag sm smo sn sna so som ss ssw st sot su sun tg tgk ti tir tk tuk tl tgl tn tsn
    to ton ts tso tt tat tw twi ty tah ug uig ve ven vo vol wa wln wo wol xh xho yi yid yo yor za zha zu zul
""".split()
_TAG = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*", re.IGNORECASE)
_NOBODY = ("und", "unk", "mis", "mul", "zxx", "qaa", "xx")
"""Say that nobody knows, or that there is none."""

_NAMES: dict[str, str] = {}
_SHORT: dict[str, str] = dict(zip(_UNNAMED[1::2], _UNNAMED[::2], strict=True))
for _entry in _NAMED.split("|"):
    _code, _longer, _name = _entry.strip().split(" ", 2)
    _NAMES[_code] = _name
    _SHORT |= dict.fromkeys(_longer.split(","), _code)


def tag(text: str | None) -> str | None:
    """The BCP 47 tag (RFC 5646) of what a file states, e.g. "eng" as "en" and "pt_br" as "pt-BR"; None if it states
    none."""
    text = (text or "").strip().replace("_", "-")
    if not _TAG.fullmatch(text):
        return None
    primary, *more = text.lower().split("-")
    if primary in _NOBODY:
        return None
    # RFC 5646, 2.1.1 and 2.2.1: the shortest code, scripts with a capital, regions in capitals.
    written = [part.title() if len(part) == 4 and part.isalpha() else part for part in more]
    if "x" not in more:
        written = [part.upper() if len(part) == 2 else part for part in written]
    return "-".join([_SHORT.get(primary, primary), *written])


def three_letters(language: str | None) -> str | None:
    """The code of ISO 639-2/T, which MP4 writes, for a tag: "fra" for "fr-CA"; None if it has none."""
    primary = (language or "").partition("-")[0]
    return next((long for long, short in _SHORT.items() if short == primary), primary if len(primary) == 3 else None)


def name(language: str) -> str:
    """What its speakers call the language of a tag, with what the tag says beyond; the tag itself if nobody told us."""
    primary, _, more = language.partition("-")
    own = _NAMES.get(primary)
    return (f"{own} ({more})" if more else own) if own else language
