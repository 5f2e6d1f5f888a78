"""What an English request asks for: its main verb and that verb's object, by hand-written rules.

They know how requests are put and about 400 verbs.
"""

import re

# (verb, object), both as lemmas.
Pair = tuple[str, str]


def read_by_rules(instruction: str) -> Pair | None:
    """The pair as hand-written rules see it: of the first sentence whose main verb they find.

    They read a request (`Write a poem`), one behind a frame (`Can you`, `Your task is to`, `I want you to`),
    one behind an introduction that ends in a comma (`Given two words, `), and what the reader gets (`You are
    given a text`). A question, a verb that is not on their list, and an object that is a pronoun or a name
    give none.
    """
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", instruction):
        for part in re.split(r"(?<=[;:])\s+", sentence):
            words = _WORD.findall(part.replace("’", "'"))
            if request := _request(words):
                verb, rest = request
                noun = _object(rest)
                return (verb, noun) if noun else None
            if words and words[0].lower() in _QUESTIONS:
                break  # what follows its colon is a part of the question
    return None


def _request(words: list[str]) -> tuple[str, list[str]] | None:
    """The main verb and the words behind it; None where a sentence is no request."""
    while words and (words[0].lower() in _OPENERS or not words[0][0].isalnum() or _is_adverb(words[0])):
        words = words[1:]
    if not words:
        return None
    lower = [word.lower() for word in words]
    if lower[0] in _INTRODUCTIONS:
        for place, word in enumerate(words):
            if word == "," and (request := _request(words[place + 1 :])) is not None:
                return request
        return None
    text = " ".join(lower)
    if given := _GIVEN.match(text):
        return given["verb"].removesuffix("n").removesuffix("d"), words[len(given[0].split()) :]
    if frame := _FRAME.match(text):
        return _request(words[len(frame[0].split()) :])
    if lower[0] in ("you", "i", "we") and len(words) > 1:
        words, lower = words[1:], lower[1:]
    if lower[0] in _VERBS and (len(words) < 2 or words[1] != ":"):  # `Answer:` is a heading
        return lower[0], words[1:]
    return None


def _object(words: list[str]) -> str | None:
    """The head of the noun phrase that begins here, as its lemma."""
    nouns: list[str] = []  # of the phrase so far; the last is its head
    is_determined = False
    for place, word in enumerate(words):
        lower = word.lower()
        following = words[place + 1].lower() if place + 1 < len(words) else ""
        if place == 0 and lower in _PARTICLES:
            if following in _STOPS or not following:
                return None
        elif (place == 0 and lower in ("and", "or")) or (place == 1 and words[0].lower() in ("and", "or")):
            continue  # `Find and fix errors`
        elif not nouns and not is_determined and lower in _RECIPIENTS:
            continue
        elif lower in _DETERMINERS or lower[0].isdigit() or lower.endswith("'s"):
            if nouns and nouns[-1] not in _ADJECTIVES and lower in _DETERMINERS:
                break
            is_determined = True
        elif word == "," or lower in ("and", "or"):
            # Between adjectives the phrase goes on; behind a noun the first object is complete.
            if nouns and nouns[-1] not in _ADJECTIVES:
                break
        elif not word[0].isalpha() or lower in _STOPS or _CONTRACTION.match(lower):
            if nouns or word not in "\"'“‘(<[{`*":
                break
        elif _is_adverb(word):
            continue
        elif (
            lower.endswith(("ing", "ed"))
            and nouns
            and (following in _STOPS | _DETERMINERS or not following[:1].isalpha())
        ):
            # `the list sorted by`, but `a funny meeting with`: only adjectives stand before a noun.
            if all(noun in _ADJECTIVES for noun in nouns) and lower.endswith("ing"):
                nouns.append(lower)
            break
        elif word[0].isupper() and not is_determined and not nouns:
            return None  # a name
        else:
            nouns.append(lower)
    while len(nouns) > 1 and nouns[-1] in _ADJECTIVES:
        nouns.pop()
    return singular(nouns[-1]) if nouns and nouns[-1] not in _PRONOUNS | _ADJECTIVES else None


def singular(noun: str) -> str:
    """The singular of an English noun in lower case, by rules for its ending and a list of exceptions."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith(("ss", "us", "is", "ics", "'s")) or len(noun) < 4 or not noun.endswith("s"):
        return noun
    if noun.endswith("ies") and len(noun) > 4:
        return f"{noun[:-3]}y"
    if noun.endswith(("sses", "xes", "zzes", "ches", "shes", "oes")):
        return noun[:-2]
    return noun[:-1]


def _is_adverb(word: str) -> bool:
    lower = word.lower()
    return lower.endswith("ly") and lower not in _VERBS | _NOUNS_IN_LY


_WORD = re.compile(r"[^\W_]+(?:['./-][^\W_]+)*[+#]*|[^\w\s]")
_CONTRACTION = re.compile(r"(?:i|you|he|she|it|we|they|that|there|who|what)'\w")
_QUESTIONS = frozenset(
    "what what's how how's which who who's whose whom why where when is are was do does did has have".split()
)
_OPENERS = frozenset(
    "please kindly now then next first second finally also just so and but ok okay hello hi hey well".split()
)
_INTRODUCTIONS = frozenset(
    """given for in if when based using with from after before as on assuming suppose considering to by
    according while during without during once because since at of under within whenever unless""".split()
)
_FRAME = re.compile(
    r"""(?:(?:can|could|would|will)\ you(?:\ please|\ kindly)?
    |you\ (?:must|should|shall|will|can|may|have\ to|need\ to|are\ to|are\ asked\ to|are\ required\ to)
    |(?:your|the)\ (?:\w+\ )?(?:task|job|goal|aim|objective|mission)\ (?:here\ )?(?:is|will\ be)\ to
    |what\ you\ (?:have\ to|must|should|need\ to)\ do\ is(?:\ to)?
    |(?:i|we)\ (?:want|need|ask|would\ like|expect)\ you\ to
    |(?:i|we)'d\ like\ you\ to
    |try\ to|help\ me(?:\ to)?|let's|let\ us|let\ me|make\ sure\ to|be\ sure\ to|do\ not|don't)\ (?=\w)""",
    re.VERBOSE,
)
_GIVEN = re.compile(r"(?:you(?:'re|\ are|\ will\ be|'ll\ be))\ (?P<verb>given|provided|shown)\ (?!with\b)")
_PARTICLES = frozenset("up down out off over back away round around through".split())
_RECIPIENTS = frozenset("me us him her them you".split())
_DETERMINERS = frozenset(
    """a an the this these those my your his her its our their some any all both each every no another
    such just only either neither one two three four five six seven eight nine ten eleven twelve
    several many few most half enough exactly more less""".split()
)
_STOPS = frozenset(
    """about above across after against along among as at before behind below beside between beyond by during
    except for from in inside into like near of off on onto outside over per regarding since than through to
    toward towards under until up upon using via with within without based who whom whose which that what when
    where why how whether if because while but so then is are was were be been has have had do does did can
    could may might must shall should will would not it they he she i you we there here given related
    containing including describing explaining showing consisting asking outlining comparing discussing
    expressing highlighting listing inviting arguing advocating out up down away
    back fit such and/or""".split()
)
_PRONOUNS = frozenset(
    """one ones something anything everything nothing it this that these those none all both any some each
    other others another most more much many few least rest someone anyone everyone somebody yourself itself
    themselves who what""".split()
)
_ADJECTIVES = frozenset(
    """good bad better best worse worst big small large little long short longer shorter new old young high
    low
    higher lower simple simpler easy hard clear clearer concise brief funny creative interesting formal
    informal polite professional detailed complete correct wrong right true false possible available
    appropriate suitable relevant important different similar same single basic main major own common popular
    fun happy sad positive negative persuasive unique quick smallest largest biggest longest shortest highest
    lowest oldest youngest only first last next previous second third fourth final missing following given
    top bottom odd even generated provided original existing current specific random various multiple healthy
    famous real fictional
    modern strong weak aloud together again twice once further instead both humorous compelling catchy
    engaging descriptive effective""".split()
)
_NOUNS_IN_LY = frozenset("family assembly anomaly butterfly ally monopoly jelly belly july italy".split())
_PLURALS = {
    **{"children": "child", "people": "person", "men": "man", "women": "woman", "feet": "foot"},
    **{"teeth": "tooth", "mice": "mouse", "geese": "goose", "criteria": "criterion", "wives": "wife"},
    **{"phenomena": "phenomenon", "analyses": "analysis", "hypotheses": "hypothesis", "theses": "thesis"},
    **{"crises": "crisis", "synopses": "synopsis", "leaves": "leaf", "lives": "life", "halves": "half"},
    **{"knives": "knife", "shelves": "shelf", "wolves": "wolf", "selves": "self", "matrices": "matrix"},
    **{"vertices": "vertex", "indices": "index", "movies": "movie", "cookies": "cookie", "ties": "tie"},
    **{"series": "series", "species": "species", "news": "news", "lens": "lens", "shoes": "shoe"},
    **{"toes": "toe", "bias": "bias", "canvas": "canvas", "gas": "gas", "atlas": "atlas", "axes": "axis"},
    **{"diagnoses": "diagnosis", "buses": "bus", "gases": "gas", "statuses": "status", "pies": "pie"},
    **{"calories": "calorie", "zombies": "zombie", "lies": "lie", "quizzes": "quiz"},
}
_VERBS = frozenset(
    """abbreviate accept act adapt add address adjust advertise advise agree allocate allow alphabetize alter
    analyse analyze anonymize annotate answer apologize appear apply appraise approximate argue arrange
    articulate ask assemble assess assign associate attach attempt attend auto-complete automate average avoid
    bake balance begin bold book brainstorm break breed bring browse build buy calculate call cancel
    capitalize
    caption capture carry catalogue categorize cause change characterize chart chat check choose circle cite
    clarify classify clean clear close cluster code collect color colour combine comment communicate compare
    compile complete compliment compose compress compute concatenate condense conduct configure confirm
    conjugate connect consider construct consult contact contain continue contrast convert convince cook
    coordinate copy correct count cover craft create criticize critique crop customize cut debate debug decide
    decipher declare decode decompose decorate decrease decrypt deduce define delete deliver demonstrate
    deploy
    derive describe design detail detect determine develop devise diagnose dictate differentiate dig direct
    disassemble discover discuss display distinguish distribute divide do document download draft draw drop
    edit elaborate eliminate embed emphasize emulate enable encode encourage encrypt end enhance enter
    enumerate envision establish estimate evaluate examine exchange execute exemplify expand explain explore
    express extend extract fact-check factorize fetch fill filter finalize find finish fit fix flag flatten
    flip fold follow forecast form format formulate gather generate get give go grade graph greet group guess
    handle have hear help highlight hypothesize identify illustrate imagine implement improve include increase
    indicate infer inform initialize innovate input insert inspect install integrate interpret interview
    introduce invent invert investigate invite itemize join judge justify keep know label launch lay learn
    leave
    lemmatize let link list listen load locate log look lower make manage map mark match measure memorize
    mention merge mimic minimize mix model modify monitor move multiply name narrate negotiate normalize note
    notice notify number observe obtain offer omit open optimize order organize outline output pack pad
    paint paraphrase parse perform persuade pick pitch place plan plant play plot point post predict prepare
    present pretend print prioritize process produce program pronounce proofread propose prove provide pull
    punctuate purchase put query quiz quote rank rate read rearrange recall receive recite recognize recommend
    reconstruct record recreate redesign reduce refactor refer refine reformat reformulate register relate
    remember remind remove rename render reorder reorganize repair repeat rephrase replace reply report
    represent reproduce request research resolve respond restate restore restructure retell retrieve return
    reverse review revise rewrite rhyme ride role-play roll rotate round run sample save say scan schedule
    score
    scrape search see segment select sell send separate serve set shape share shorten show shuffle sign
    simplify simulate sing sketch skip solve sort specify spell spend split spot stack standardize star start
    state stay stop store structure study style submit subtract suggest sum summarise summarize supply support
    swap switch synthesize tabulate tag take talk teach tell test think tokenize total trace track train
    transcribe transform translate transpose travel trim troubleshoot truncate try turn type underline
    understand unscramble update upload use utilize validate vary verify view visit visualize volunteer vote
    walk want warn wash watch weigh win wish word work wrap write""".split()
)
