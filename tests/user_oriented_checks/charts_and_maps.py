"""What can be redone of the user-oriented set's reference answers: design, typesetting, charts, mathematics and maps (tasks 100 to 125).

One function a task, named by its number: true where the output is right for the input.
"""

# ruff: noqa
# mypy: ignore-errors


def check_100(input, output):
    import re

    css = dict(re.findall("^  ([a-z-]+): (.*);$", output, re.M))
    num = lambda p: float(re.search(p, input).group(1))
    gap, pv, ph, size = (
        num("gap (\\d+)"),
        num("padding (\\d+)"),
        num("(\\d+) left/right"),
        num("size (\\d+)"),
    )
    rgb = " ".join((str(int("1A1A2E"[i : i + 2], 16)) for i in (0, 2, 4)))
    return (
        css["gap"] == f"{gap / 16:g}rem"
        and css["padding"] == f"{pv / 16:g}rem {ph / 16:g}rem"
        and (css["font-size"] == f"{size / 16:g}rem")
        and (css["line-height"] == "1.5")
        and (css["letter-spacing"] == "0.02em")
        and (css["border"] == f"1px solid rgb({rgb} / 16%)")
    )


def check_101(input, output):
    import re

    def lum(h):
        c = [int(h[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        c = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in c]
        return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]

    want = []
    for name, a, b in re.findall("^(.*): #(\\w{6}) on #(\\w{6})$", input, re.M):
        hi, lo = sorted((lum(a), lum(b)), reverse=True)
        r = (hi + 0.05) / (lo + 0.05)
        want.append([name, f"{r:.2f}:1", "Pass" if r >= 4.5 else "Fail"])
    return [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]] == want


def check_102(input, output):
    rows = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    return (
        len(rows) == 3
        and "!" not in output
        and all(
            (
                len(h.split()) <= 5 and len(s.split()) <= 15 and ("heart" in s) and (1 <= len(b.split()) <= 2)
                for _, h, s, b in rows
            )
        )
    )


def check_103(input, output):
    import re, csv, io

    rows = list(csv.reader(io.StringIO(input.split("\n", 2)[2])))
    body = [[c.strip() for c in l.replace("\\\\", "").split("&")] for l in output.splitlines() if "&" in l]
    plain = [[re.sub("\\\\textbf\\{(.*?)\\}", "\\1", c) for c in r] for r in body]
    best = {(min(rows[1:], key=lambda r: float(r[k]))[0], k) for k in (2, 3)}
    bold = {(r[0], k) for r in body for k, c in enumerate(r) if "textbf" in c}
    return (
        plain == rows
        and bold == best
        and (output.index("caption") < output.index("label") < output.index("tabular"))
    )


def check_104(input, output):
    import re

    code, notes = re.search("```latex\\n(.*?)```\\n\\n(.*)", output, re.S).groups()
    a, b = (input.splitlines(), code.splitlines())
    changed = {i + 1 for i in range(len(a)) if a[i] != b[i]}
    stack, ok = ([], True)
    for kind, env in re.findall("\\\\(begin|end)\\{(\\w+)\\}", code):
        if kind == "begin":
            stack.append(env)
        else:
            ok = ok and stack.pop() == env
    return (
        ok
        and (not stack)
        and (len(a) == len(b))
        and (changed == set(map(int, re.findall("^- Line (\\d)", notes, re.M))))
        and all((l.count("$") % 2 == 0 for l in b))
    )


def check_105(input, output):
    return (
        output.count("{") == output.count("}")
        and output.isascii()
        and ("41--48" in output)
        and output.startswith("```bibtex\n@inproceedings{marchetti2019,")
    )


def check_106(input, output):
    import re

    return (
        len(re.findall("^pm\\.test\\(", output, re.M)) == len(re.findall("^\\d\\. ", input, re.M))
        and output.count("{") == output.count("}")
        and (output.count("(") == output.count(")"))
    )


def check_108(input, output):
    return (
        output.count("(") == output.count(")")
        and output.count("[5m]") == 2
        and (output.count("sum by (service)") == 2)
    )


def check_109(input, output):
    import re
    from datetime import datetime as dt

    a, b, m = re.search("from (\\d\\d:\\d\\d) to (\\d\\d:\\d\\d) UTC \\((\\d+) minutes\\)", output).groups()
    return (
        (dt.strptime(b, "%H:%M") - dt.strptime(a, "%H:%M")).seconds == 60 * int(m)
        and len(output.split()) <= 80
        and (not re.search("pay-db|pgbouncer|payments-svc|Revathi|7\\.3", output))
    )


def check_111(input, output):
    import csv, io
    from datetime import datetime as dt

    head, table = input.split("\n\n")
    rows = list(csv.reader(io.StringIO(table)))
    want = [head.split(": ")[1].replace(", ", ",")]
    for r in rows[1:]:
        for m, v in zip(rows[0][1:], r[1:]):
            if v != "":
                want.append(f"{r[0]},{dt.strptime(m, '%b %Y'):%Y-%m-%d},{v}")
    return output.splitlines() == want


def check_112(input, output):
    return 80 <= len(output.split()) <= 120 and all(
        (s in output for s in ["9.72", "35.21", "310.56", "133", "80%"])
    )


def check_113(input, output):
    import ast, re

    ast.parse(re.search("```python\\n(.*?)```", output, re.S).group(1))
    return True


def check_114(input, output):
    import re

    xs = [int(v) for v in re.findall("x = (-?\\d+)", output.split("Solutions:")[1])]
    f = lambda x: 2 ** (2 * x) - 9 * 2**x + 8
    return xs == [x for x in range(-20, 21) if f(x) == 0]


def check_115(input, output):
    from datetime import date, timedelta

    d, n = (date(2025, 3, 3), 0)
    while d <= date(2025, 5, 2):
        n += d.weekday() < 5 and d not in (date(2025, 4, 18), date(2025, 4, 21), date(2025, 5, 1))
        d += timedelta(1)
    return int(output) == n


def check_116(input, output):
    import re

    pieces = [p.split(":") for p in re.search("\\{(.*)\\}", output.splitlines()[0]).group(1).split(",")]

    def f(x):
        hits = [e for c, e in pieces if eval(c, {"x": x})]
        assert len(hits) == 1
        return eval(re.sub("(\\d)([x(])", "\\1*\\2", hits[0]), {"x": x})

    ref = lambda x: 4 + 1.2 * min(x, 10) + 1.8 * max(0, min(x, 30) - 10) + 2.5 * max(0, x - 30)
    return all((abs(f(x / 2) - ref(x / 2)) < 1e-09 for x in range(0, 101))) and ref(50) <= 110


def check_117(input, output):
    f = lambda x: -0.5 * (x - 2) ** 2 + 8
    return (
        len(output.split()) <= 90
        and f(-2) == f(6) == 0
        and (f(0) == 6)
        and (f(2) == 8)
        and (f(-4) == f(8) == -10)
    )


def check_118(input, output):
    import random, re

    ns = {}
    exec(re.search("```python\\n(.*?)```", output, re.S).group(1), ns)
    f = ns["longest_good_stretch"]

    def brute(s, g):
        return max(
            (j - i for i in range(len(s)) for j in range(i + 1, len(s) + 1) if sum(s[i:j]) >= g * (j - i)),
            default=0,
        )

    rng = random.Random(1)
    cases = [([rng.randint(0, 9) for _ in range(rng.randint(1, 14))], rng.randint(1, 9)) for _ in range(400)]
    return (
        f([3000, 9000, 4000, 5000, 8000, 2000], 6000) == 4
        and f([1000, 2000, 3000], 6000) == 0
        and all((f(s, g) == brute(s, g) for s, g in cases))
    )


def check_120(input, output):
    import re, itertools

    def shorten(s):
        return "".join(
            (c + str(n) if n > 2 else c * n for c, n in ((c, len(list(g))) for c, g in itertools.groupby(s)))
        )

    rows = re.findall('^\\| `"(\\w*)"` \\| `"(\\w*)"` \\| .+ \\|$', output, re.M)
    return (
        len(rows) == 8
        and len(set(rows)) == 8
        and all((shorten(a) == b for a, b in rows))
        and (shorten("aaabccdddd") == "a3bccd4")
    )


def check_121(input, output):
    import re
    from datetime import date, timedelta

    today = date(2025, 3, 10)
    expr = (
        re.search("```\\n(.*?)```", output, re.S)
        .group(1)
        .replace("{Returned on}", "ret")
        .replace("{Due}", "due")
        .replace("IF(", "IF_(")
        .replace("NOT(", "NOT_(")
    )

    def run(due, ret):
        env = {
            "due": due,
            "ret": ret,
            "IF_": lambda c, a, b: a if c else b,
            "NOT_": lambda v: not v,
            "TODAY": lambda: today,
            "IS_BEFORE": lambda a, b: bool(a) and a < b,
            "DATETIME_DIFF": lambda a, b, u: (a - b).days if a else 0,
        }
        return eval("(" + expr + ")", env)

    day = lambda n: today + timedelta(n)
    return [
        run(day(-5), today),
        run(None, None),
        run(day(-1), None),
        run(day(0), None),
        run(day(3), None),
        run(day(4), None),
    ] == ["Back", "No due date", "Overdue", "Due soon", "Due soon", "Out"]


def check_122(input, output):
    import re

    return (
        output.count("| Members |") >= 1
        and len([l for l in output.splitlines() if l.startswith("|")]) - 2 <= 6
        and (len(re.findall("^\\d\\. ", output, re.M)) == 3)
    )


def check_123(input, output):
    import re

    want = ["id,lat,lon"]
    for line in input.splitlines():
        v = []
        for d, m, s, h in re.findall("(\\d+)°(\\d+)'(\\d+)\\\"([NSEW])", line):
            v.append((int(d) + int(m) / 60 + int(s) / 3600) * (-1 if h in "SW" else 1))
        want.append(f"{line.split()[0]},{v[0]:.5f},{v[1]:.5f}")
    return output.splitlines() == want


def check_124(input, output):
    import json, re

    g = json.loads(re.search("```json\\n(.*?)```", output, re.S).group(1))
    want = []
    for line in input.splitlines()[1:]:
        n, lat, lon, w, b = [c.strip() for c in line.split(";")]
        want.append(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [float(lon), float(lat)]},
                "properties": {"name": n, "working": w == "yes", "built": int(b) if b.isdigit() else None},
            }
        )
    return g == {"type": "FeatureCollection", "features": want}
