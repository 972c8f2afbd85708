"""Three-letter codes (ISO 639-3) of the languages that have a two-letter one (ISO 639-1)."""

from collections.abc import Collection
from functools import cache

_ROWS = """
aa aar; ab abk; ae ave; af afr; ak aka twi; am amh; an arg; ar ara arb; as asm; av ava; ay aym ayr;
az aze azj; ba bak; be bel; bg bul; bi bis; bm bam; bn ben; bo bod; br bre; bs bos; ca cat; ce che;
ch cha; co cos; cr cre; cs ces; cu chu; cv chv; cy cym; da dan; de deu; dv div; dz dzo; ee ewe;
el ell; en eng; eo epo; es spa; et est ekk; eu eus; fa fas pes; ff ful fuv; fi fin; fj fij; fo fao;
fr fra; fy fry; ga gle; gd gla; gl glg; gn grn gug; gu guj; gv glv; ha hau; he heb; hi hin; ho hmo;
hr hrv; ht hat; hu hun; hy hye; hz her; ia ina; id ind; ie ile; ig ibo; ii iii; ik ipk; io ido;
is isl; it ita; iu iku; ja jpn; jv jav; ka kat; kg kon; ki kik; kj kua; kk kaz; kl kal; km khm;
kn kan; ko kor; kr kau knc; ks kas; ku kur kmr; kv kom; kw cor; ky kir; la lat; lb ltz; lg lug;
li lim; ln lin; lo lao; lt lit; lu lub; lv lav lvs; mg mlg plt; mh mah; mi mri; mk mkd; ml mal;
mn mon khk; mr mar; ms msa zsm zlm; mt mlt; my mya; na nau; nb nob; nd nde; ne nep npi; ng ndo;
nl nld; nn nno; no nor nob; nr nbl; nv nav; ny nya; oc oci; oj oji; om orm gaz; or ori ory; os oss;
pa pan; pi pli; pl pol; ps pus pbt; pt por; qu que quy; rm roh; rn run; ro ron; ru rus; rw kin;
sa san; sc srd; sd snd; se sme; sg sag; si sin; sk slk; sl slv; sm smo; sn sna; so som; sq sqi als;
sr srp; ss ssw; st sot; su sun; sv swe; sw swa swh; ta tam; te tel; tg tgk; th tha; ti tir; tk tuk;
tl tgl; tn tsn; to ton; tr tur; ts tso; tt tat; tw twi; ty tah; ug uig; uk ukr; ur urd;
uz uzb_Latn uzb uzn; ve ven; vi vie; vo vol; wa wln; wo wol; xh xho; yi yid ydd; yo yor; za zha;
zh zho cmn_Hans cmn; zu zul
"""
"""A macrolanguage is followed by the individual language that translation models mean by it; a
script is given if models may support several and the usual one is not the first."""


def names_of(language: str) -> tuple[str, ...]:
    """All codes of a language, the given one first.

    Args:
        language: a code, optionally with a script: `zh`, `zh-Hant`, `zho_Hant`.

    Example:
        >>> names_of("fa"), names_of("zh-Hant"), names_of("xx")
        (('fa', 'fas', 'pes'), ('zh_Hant', 'zho_Hant', 'cmn_Hant'), ('xx',))
    """
    base, _, script = language.replace("-", "_").partition("_")
    names = (base, *_table().get(base, ()))
    if not script:
        return names
    return tuple(dict.fromkeys(f"{name.partition('_')[0]}_{script}" for name in names))


def among(language: str, codes: Collection[str]) -> str | None:
    """The code among `codes` that denotes a language, or None.

    A code that equals one of the language's codes is preferred; otherwise the alphabetically first
    one that is such a code with a script, so that `es` finds `spa_Latn` and `zh` `zho_Hans`.

    Example:
        >>> among("es", {"en", "es"}), among("es", {"spa_Latn"}), among("fr", {"spa"})
        ('es', 'spa_Latn', None)
    """
    names = names_of(language)
    for name in names:
        if name in codes:
            return name
    for name in names:
        scripts = sorted(
            c for c in codes if c.startswith(f"{name}_") and c[len(name) + 1 :].istitle()
        )
        if scripts:
            return scripts[0]
    return None


@cache
def _table() -> dict[str, tuple[str, ...]]:
    rows = (row.split() for row in _ROWS.split(";"))
    return {row[0]: tuple(row[1:]) for row in rows}
