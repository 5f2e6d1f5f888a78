"""What can be redone of the user-oriented set's reference answers: looking up, learning and reading (tasks 189 to 215).

One function a task, named by its number: true where the output is right for the input.
"""

# ruff: noqa
# mypy: ignore-errors


def check_189(input, output):
    import re

    nums = re.findall("\\d[\\d,]*", input)
    return (
        all((n in output for n in nums))
        and "Ottar Lindvik" in output
        and (len(output.split()) <= 60)
        and (
            not re.search(
                "breathtaking|finest|visionary|proud|sadly|golden|lucky|charming|unforgettable|faithful",
                output,
            )
        )
    )


def check_190(input, output):
    import re

    lines = input.splitlines()
    rows = sorted(([c.strip() for c in l.split(";")] for l in lines[2:]), key=lambda r: int(r[1]))
    got = [[c.strip() for c in l[1:].split("||")] for l in output.splitlines() if l.startswith("| ")]
    heads = re.findall('^! scope="col" \\| (.+)$', output, re.M)
    return (
        got == rows
        and heads == [c.strip() for c in lines[1].split(";")]
        and ("|+ " + lines[0] in output)
        and ('class="wikitable sortable"' in output)
        and (output.count("{|") == 1)
        and (output.count("\n|}") == 1)
    )


def check_191(input, output):
    import re

    bad = []
    for l in input.splitlines():
        n, s = l.split(". ", 1)
        if not re.search("\\[\\d+\\]$", s) and (
            re.search("\\d+ percent", s) or '"' in s or re.search("\\b\\w{3,}est\\b in the", s)
        ):
            bad.append(n)
    return output == ", ".join(bad)


def check_192(input, output):
    return (
        len(output.split()) <= 12
        and "\n" not in output
        and all((w in output for w in ("1923", "Annual Report 1924", "Virkki")))
    )


def check_193(input, output):
    import json

    c = sorted((int(l.split("\t")[2]) for l in input.splitlines()[1:]), reverse=True)
    h = sum((1 for i, v in enumerate(c, 1) if v >= i))
    return json.loads(output) == {"h_index": h, "i10_index": sum((v >= 10 for v in c)), "citations": sum(c)}


def check_194(input, output):
    import re

    groups = re.findall("\\(([^()]*)\\)", output)
    rest = re.sub("\\([^()]*\\)", "G", output)
    return (
        rest == " AND ".join("G" * len(groups))
        and all((len(g.split(" OR ")) >= 2 for g in groups))
        and all((re.fullmatch('"[^"]+ [^"]+"|[^\\s"]+', x) for g in groups for x in g.split(" OR ")))
        and ("reading comprehension" in output)
    )


def check_195(input, output):
    import re

    g = {}
    for l in input.splitlines():
        f = [x.strip() for x in l.split("|")]
        g.setdefault(re.sub("[^a-z]+", "", f[3].lower()), []).append(f[0])
    want = [", ".join(v) for v in g.values() if len(v) > 1]
    got = [l.split(": ", 1) for l in output.splitlines()]
    return [x[0] for x in got] == want and all((len(x[1].split()) <= 8 for x in got))


def check_196(input, output):
    import re

    return len(re.findall("[.!?](?=\\s|$)", output)) == 4 and "preprint" in output


def check_197(input, output):
    import re

    ls = output.splitlines()
    return (
        [l.split(":")[0] for l in ls]
        == ["Problem", "Method", "Baseline", "Data", "Main result", "Limitation", "Code"]
        and all((len(l.split(": ", 1)[1].split()) <= 20 for l in ls))
        and all((n in input for n in re.findall("\\d+[.,]\\d+|\\d+", output)))
    )


def check_198(input, output):
    import json, math, re

    d = json.loads(output)
    a, b = map(
        int, re.search("recorded in (\\d+) participants of the training group and in (\\d+)", input).groups()
    )
    n1, n2 = map(int, re.findall("\\(n = (\\d+)\\)", input))
    r1, r2 = (100 * a / n1, 100 * b / n2)
    return (
        list(d)
        == [
            "population",
            "intervention",
            "comparison",
            "outcome",
            "risk_intervention",
            "risk_comparison",
            "absolute_risk_reduction",
            "nnt",
        ]
        and abs(d["risk_intervention"] - r1) < 1e-09
        and (abs(d["risk_comparison"] - r2) < 1e-09)
        and (abs(d["absolute_risk_reduction"] - (r2 - r1)) < 1e-09)
        and (d["nnt"] == math.ceil(100 / (r2 - r1)))
    )


def check_199(input, output):
    import re

    s = [x for x in re.split("(?<=[.!?])\\s+", output) if x]
    return (
        set(re.findall("\\d+", output)) == {"5", "2", "8"}
        and all((len(x.split()) < 15 for x in s))
        and (len(output.split()) <= 70)
        and (not re.search("hypertens|systolic|mmHg|CI|isometric|adverse", output))
    )


def check_200(input, output):
    import re

    x = int(re.search("^x = (-?\\d+)$", output, re.M).group(1))
    eq = re.search("Line 1: (.+)", input).group(1)
    f = lambda s, v: eval(re.sub("(\\d)([(x])", "\\1*\\2", s), {"x": v})
    l, r = eq.split(" = ")
    first = next(
        (
            i
            for i, line in enumerate(input.splitlines(), 1)
            if len({f(p, 11) for p in line.split(": ")[1].split(" = ")}) > 1
        )
    )
    return f(l, x) == f(r, x) and "First wrong line: line %d" % first in output


def check_201(input, output):
    import re

    w = next((k for k in range(1, 100) if k * (k + 5) == 84))
    return [l.split(":")[0] for l in output.splitlines()] == ["Hint 1", "Hint 2", "Hint 3"] and (
        not re.search("\\b(%d|%d|seven|twelve)\\b" % (w, w + 5), output)
    )


def check_202(input, output):
    import re
    from fractions import Fraction as F

    q = re.findall("^(\\d)\\. (\\S+) \\+ (\\S+) = \\?$", output, re.M)
    k = dict(re.findall("^(\\d)\\. (\\d+/\\d+)$", output, re.M))
    return len(q) == len(k) == 5 and all(
        (
            F(a) + F(b) < 1 and str(F(a) + F(b)) == k[n] and (F(a).denominator != F(b).denominator)
            for n, a, b in q
        )
    )


def check_203(input, output):
    import csv, io

    d = {}
    for r in csv.DictReader(io.StringIO(input)):
        x = d.setdefault(r["skill"], [0, 0])
        x[0] += int(r["correct"])
        x[1] += int(r["attempted"])
    want = [
        [s, str(c), str(a), str(round(100 * c / a))]
        for s, (c, a) in sorted(d.items(), key=lambda kv: kv[1][0] / kv[1][1])
    ]
    got = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    return got == want


def check_204(input, output):
    import re, datetime as dt

    L = input.splitlines()
    start = dt.datetime.strptime(L[0], "Start: %A, %d %B %Y").date()
    lim = int(re.search("\\d+", L[1]).group())
    todo = [[m, int(h)] for m, h in re.findall("^(.+): (\\d+) h$", input, re.M)]
    weeks = []
    while todo:
        free, w = (lim, [])
        while todo and free:
            k = min(free, todo[0][1])
            w.append("%s %d h" % (todo[0][0], k))
            free -= k
            todo[0][1] -= k
            if not todo[0][1]:
                todo.pop(0)
        weeks.append([", ".join(w), str(lim - free)])
    rows = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    want = []
    for i, w in enumerate(weeks):
        d = start + dt.timedelta(7 * i)
        want.append([str(i + 1), "%d %s" % (d.day, d.strftime("%B %Y")), w[0], w[1]])
    return start.weekday() == 0 and rows == want


def check_205(input, output):
    import re

    s = re.findall("^(?:Claim|Evidence|Counterargument): ([0-2])/2\\.", output, re.M)
    t = re.search("Total: (\\d)/6$", output).group(1)
    return len(s) == 3 and sum(map(int, s)) == int(t)


def check_206(input, output):
    import re

    ls = output.splitlines()
    return all((len(re.findall("\\{\\{c1::[^{}]+\\}\\}", l)) == 1 for l in ls)) and [
        re.sub("\\{\\{c1::([^{}]+)\\}\\}", "\\1", l) for l in ls
    ] == re.split("(?<=\\.)\\s+", input)


def check_207(input, output):
    import re
    from collections import Counter

    c = Counter(re.findall("(\\w+)=Again", input))
    return output == "\n".join(
        ("%s: %d" % kv for kv in sorted(c.items(), key=lambda kv: (-kv[1], kv[0])) if kv[1] >= 4)
    )


def check_208(input, output):
    sym = "H He Li Be B C N O F Ne".split()
    nam = "hydrogen helium lithium beryllium boron carbon nitrogen oxygen fluorine neon".split()
    return [l.split("\t") for l in output.splitlines()] == [
        [s, "%s, %d" % (n, i)] for i, (s, n) in enumerate(zip(sym, nam), 1)
    ]


def check_210(input, output):
    return len(output.split()) < 80 and "in die Küche" in output and ("in der Küche" in output)


def check_211(input, output):
    import re

    ls = output.splitlines()
    fr = " ".join((re.sub("\\([^()]*\\)$", "", l) for l in ls))
    return (
        len(ls) == 6
        and [l[0] for l in ls] == list("ABABAB")
        and all((l.endswith(")") for l in ls))
        and all((re.search("\\b%s\\b" % w, fr) for w in input.split(", ")))
    )


def check_212(input, output):
    import csv, io, datetime as dt
    from collections import Counter

    r = list(csv.DictReader(io.StringIO(input)))
    p = [int(x["pages"]) for x in r]
    m = Counter((dt.date.fromisoformat(x["finished"]).strftime("%B") for x in r)).most_common(1)[0]
    b = max(r, key=lambda x: int(x["pages"]))
    return (
        output
        == "Books: %d\nPages: %s\nMean rating: %.1f\nLongest book: %s (%s pages)\nBusiest month: %s (%d books)"
        % (
            len(r),
            format(sum(p), ","),
            sum((int(x["rating"]) for x in r)) / len(r),
            b["title"],
            b["pages"],
            m[0],
            m[1],
        )
    )


def check_213(input, output):
    return (
        90 <= len(output.split()) <= 120 and "father" not in output.lower() and ("burn" not in output.lower())
    )


def check_214(input, output):
    import re

    books = {}
    for e in input.split("=========="):
        m = re.search("^(.+) \\((.+)\\)\\n- Your Highlight on Location (\\d+)-(\\d+).*\\n\\n(.+)", e.strip())
        if m:
            books.setdefault("## %s, %s" % m.group(1, 2), []).append(
                (int(m.group(3)), "- %s (%s-%s)" % m.group(5, 3, 4))
            )
    return output == "\n\n".join(
        (h + "\n\n" + "\n".join((x for _, x in sorted(v))) for h, v in books.items())
    )


def check_215(input, output):
    import re, math

    total = int(re.search("Book: (\\d+)", input).group(1))
    d = re.findall("^(\\d+) June: (\\d+) pages", input, re.M)
    read = sum((int(p) for _, p in d))
    days = math.ceil((total - read) * len(d) / read)
    return (
        "on %d June" % (int(d[-1][0]) + days) in output
        and str(total - read) in output
        and (str(read / len(d)) in output)
    )
