"""Names of companies: legal forms, filler words and numbers brought to one form, so that what remains is the name."""

# ruff: noqa: SIM905  # long lists of words read better as one text
from types import MappingProxyType

import msgspec

FORMS = """
ltd: limited | ltd | limted | ltda | limitada | pty ltd | pvt ltd | private limited | pte ltd | co ltd
plc: public limited company | plc | pub ltd co
inc: incorporated | inc | corporation | corp | company | co
llc: limited liability company | llc | ooo | obshchestvo s ogranichennoi otvetstvennostiu | too | tov | mmc
llp: limited liability partnership | llp
lp: limited partnership | lp
jsc: open joint stock company | public joint stock company | closed joint stock company | joint stock company | ojsc
jsc: aktsionernoe obshchestvo | akcionernoe obshchestvo | pjsc | cjsc | jsc | oao | pao | zao | ao | ojs | joint stock
ag: aktiengesellschaft | aktiengeselschaft | ag | se | societas europaea | kgaa
gmbh: gesellschaft mit beschrankter haftung | gmbh | ges m b h | gesmbh | ug
kg: kommanditgesellschaft | kg | gmbh co kg
sa: societe anonyme | sociedad anonima | sa | s a | nv | n v | naamloze vennootschap | spa | s p a
srl: societatea cu raspundere limitata | societa a responsabilita limitata | srl | s r l | sarl | sas | sl | s l
bv: besloten vennootschap | bv | b v | bvba
ab: aktiebolag | ab | as | a s | aps | asa | oy | oyj
spzoo: sp z o o | spolka z ograniczona odpowiedzialnoscia | sro | doo | kft
pt: pt | perseroan terbatas | tbk | bhd | sdn bhd | kk | kabushiki kaisha
"""
FILLERS = frozenset("the and of de la le les for und et e y group holding holdings".split())
NUMBERS = MappingProxyType(
    dict(
        zip(
            "zero one two three four five six seven eight nine ten eleven twelve".split(),
            map(str, range(13)),
            strict=True,
        )
    )
    | dict(
        zip(
            "first second third fourth fifth sixth seventh eighth ninth tenth".split(),
            map(str, range(1, 11)),
            strict=True,
        )
    )
    | {word: str(place * 10) for place, word in enumerate("twenty thirty forty fifty sixty".split(), 2)}
    | {"fourty": "40", "hundred": "100"}
)
SHORT = MappingProxyType(
    dict(
        pair.split("=")
        for pair in (
            "intl=international natl=national govt=government dept=department univ=university assn=association"
            " assoc=association mfg=manufacturing mfrs=manufacturers bros=brothers svcs=services svc=service"
            " inst=institute engg=engineering eng=engineering mgmt=management mgt=management ctr=center centre=center"
            " dev=development fin=financial hldgs=holdings hldg=holding inds=industries ind=industries pharm=pharma"
            " corpn=corporation cie=compagnie intern=international techs=technologies tech=technologies natnl=national"
        ).split()
    )
)
"""Words that companies shorten."""
ROMAN = MappingProxyType(
    dict(zip("ii iii iv v vi vii viii ix x xi xii xiii xiv xv".split(), map(str, range(2, 16)), strict=True))
)
HINTS = frozenset(
    "bank trust fund foundation association university institute ministry agency brigade party army aviation"
    " industries systems international solutions partners capital services technologies shipping consulting group"
    " holding holdings gruppe motors energy pharma insurance motor petroleum electronics".split()
)


def _forms() -> tuple[tuple[tuple[str, ...], str], ...]:
    pairs = [
        (tuple(phrase.split()), line.partition(":")[0])
        for line in FORMS.strip().split("\n")
        for phrase in line.partition(":")[2].split("|")
    ]
    return tuple(sorted(pairs, key=lambda pair: (-len(pair[0]), pair)))


PHRASES = _forms()
"""Legal forms by their words, the longest first."""


class CompanyName(msgspec.Struct, frozen=True):
    """A company's name, taken apart."""

    core: tuple[str, ...]
    """What names it, without fillers and legal forms."""
    forms: frozenset[str]
    numbers: frozenset[str]
    is_certain: bool
    """Whether a legal form or a word says that this is an organisation."""


def read_company(tokens: tuple[str, ...]) -> CompanyName:
    """Return the parts of a name whose words are folded already."""
    left, forms = _without_forms(_joined_letters(tokens))
    words = tuple(SHORT.get(token) or _number(token) for token in left)
    words = _summed(words)
    core = tuple(word for word in words if word not in FILLERS) or words or tokens
    numbers = frozenset(word for word in core if word.isdigit())
    is_certain = bool(forms) or any(word in HINTS or word.isdigit() for word in tokens)
    return CompanyName(core, forms, numbers, is_certain)


def _joined_letters(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Make `a b c` one word: such letters are an abbreviation."""
    found: list[str] = []
    run = ""
    for token in (*tokens, ""):
        if len(token) == 1 and token.isalpha():
            run += token
            continue
        found += [run] if run else []
        run = ""
        found += [token] if token else []
    return tuple(found)


def _without_forms(tokens: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    left, forms, at = [], set(), 0
    while at < len(tokens):
        for phrase, form in PHRASES:
            if tokens[at : at + len(phrase)] == phrase:
                forms.add(form)
                at += len(phrase)
                break
        else:
            left.append(tokens[at])
            at += 1
    return tuple(left), frozenset(forms)


def _number(token: str) -> str:
    if token[:-2].isdigit() and token[-2:] in ("st", "nd", "rd", "th"):
        return token[:-2]
    return NUMBERS.get(token) or ROMAN.get(token) or token


def _summed(words: tuple[str, ...]) -> tuple[str, ...]:
    """Make `40 4` one number, as `forty-four` says it."""
    found: list[str] = []
    for word in words:
        if (
            found
            and word.isdigit()
            and len(word) == 1
            and found[-1].isdigit()
            and found[-1] in ("20", "30", "40", "50", "60")
        ):
            found[-1] = str(int(found[-1]) + int(word))
        else:
            found.append(word)
    return tuple(found)
