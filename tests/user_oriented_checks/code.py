"""What can be redone of the user-oriented set's reference answers: programs, spreadsheets, databases and issues (tasks 63 to 99).

One function a task, named by its number: true where the output is right for the input.
"""

# ruff: noqa
# mypy: ignore-errors


def check_63(input, output):
    import json, re

    s = list(json.loads(output).values())
    body = "\n".join(s[0]["body"])
    order = re.findall("\\$\\{?(\\d)", body)
    code = re.sub("\\$\\{\\d:([^}]*)\\}", "\\1", body).replace("$0", "")
    ns = {}
    exec(code, ns)
    return (
        len(s) == 1
        and s[0]["prefix"] == "dcls"
        and (order == ["1", "2", "3", "0"])
        and (ns["ClassName"]("a").field == "a")
        and ns["ClassName"].__dataclass_params__.frozen
    )


def check_64(input, output):
    import re

    ns = {}
    exec(re.search("```python\\n(.*?)```", output, re.S).group(1), ns)
    f = ns["moving_average"]
    return (
        f([2, 4, 6, 8], 2) == [3.0, 5.0, 7.0]
        and f([1, 2, 3], 3) == [2.0]
        and (f([1, 2], 3) == [])
        and (f([5, 7], 1) == [5.0, 7.0])
    )


def check_65(input, output):
    lines = output.split("\n")
    return (
        len(lines[0]) <= 50
        and (not lines[0].endswith("."))
        and (lines[1] == "")
        and all((0 < len(l) <= 72 for l in lines[2:]))
        and (" ".join(lines[2:]).count(". ") <= 1)
    )


def check_66(input, output):
    import re

    want = {"feature": "Added", "improvement": "Changed", "bug": "Fixed"}
    expect = {"Added": [], "Changed": [], "Fixed": []}
    for n, kind in re.findall("^#(\\d+) \\[(\\w+)\\]", input, re.M):
        if kind in want:
            expect[want[kind]].append(n)
    parts = re.split("^## (\\w+)\\n", output, flags=re.M)[1:]
    got = {h: re.findall("^- .*\\(#(\\d+)\\)$", b, re.M) for h, b in zip(parts[::2], parts[1::2])}
    return list(got) == list(expect) and got == expect


def check_67(input, output):
    return (
        len(output.split()) <= 120
        and "lxml" in output
        and ("jot.exporters" in output)
        and ("docs/plugins.md" in output)
    )


def check_69(input, output):
    return [l.split(":")[0] for l in output.split("\n") if l] == ["Cause", "Reproduce", "Fix"]


def check_70(input, output):
    import re

    err = ""
    try:
        exec(re.search("```python\\n(.*?)```", output, re.S).group(1), {})
    except TypeError as e:
        err = "TypeError: " + str(e)
    return err != "" and err in output


def check_71(input, output):
    import re, io, contextlib

    buf = io.StringIO()
    with contextlib.redirect_stdout(buf):
        exec(re.search("```python\\n(.*?)```", output, re.S).group(1), {})
    return buf.getvalue().strip() == "9.0 3.0" and len(output.split()) < 100


def check_72(input, output):
    return (
        output
        in "duplicate / needs details or clarity / needs more focus / opinion-based / not reproducible or caused by a typo".split(
            " / "
        )
    )


def check_73(input, output):
    import ast, re

    ast.parse(re.search("```python\\n(.*?)```", output, re.S).group(1))
    return True


def check_74(input, output):
    import re

    words = len(re.findall("\\S*\\w\\S*", output))
    method = output.split("**Method**")[1].split("**Limit")[0]
    return 90 <= words <= 130 and method.count("\n- ") == 3


def check_76(input, output):
    expr = output[1:].replace("N(C2)=0", "C2==0").replace("IF(", "IF_(")

    def run(b, c):
        return eval(expr, {"IF_": lambda t, x, y: x if t else y, "B2": b, "C2": c})

    def ref(b, c):
        r = b / c
        return b * (0.05 if r >= 1 else 0.03 if r >= 0.8 else 0) + (250 if r >= 1.2 else 0)

    return output.startswith("=") and all(
        (
            abs(run(b, 10000) - ref(b, 10000)) < 1e-09
            for b in (0, 7999, 8000, 9999, 10000, 11999, 12000, 30000)
        )
    )


def check_77(input, output):
    from decimal import Decimal as D

    rows = [l.split("\t") for l in output.splitlines()]
    body, total = (rows[1:-1], rows[-1])
    dates = [r[0] for r in body]
    return (
        all((len(r) == 4 for r in rows))
        and len(body) == input.count("\n- ")
        and (dates == sorted(dates))
        and (sum((D(r[3]) for r in body)) == D(total[3]))
        and (
            sorted((abs(D(r[3])) for r in body))
            == sorted(map(D, ["214.50", "62", "31.80", "17.20", "150", "42.35", "12"]))
        )
        and all((r[1] in ("Travel", "Lodging", "Meals", "Venue") for r in body))
    )


def check_78(input, output):
    import re

    return [int(n) for n in re.findall("^(\\d)\\. ", output, re.M)] == list(range(1, 8))


def check_80(input, output):
    import re
    from decimal import Decimal as D

    paid = {l.split(":")[0]: sum(map(D, re.findall("\\d+\\.\\d\\d", l))) for l in input.splitlines()[1:]}
    share = sum(paid.values()) / len(paid)
    t1, t2 = output.split("\n\n")
    cells = lambda t: [[c.strip() for c in l.strip("|").split("|")] for l in t.splitlines()[2:]]
    bal = {p: paid[p] - share for p in paid}
    ok = all((D(a) == paid[p] and D(s) == share and (D(d) == bal[p]) for p, a, s, d in cells(t1))) and len(
        cells(t1)
    ) == len(paid)
    for f, t, a in cells(t2):
        bal[f] += D(a)
        bal[t] -= D(a)
    return ok and all((v == 0 for v in bal.values())) and (len(cells(t2)) <= len(paid) - 1)


def check_82(input, output):
    import sqlite3, re

    db = sqlite3.connect(":memory:")
    db.executescript(input.split("Question:")[0])
    db.executemany("INSERT INTO trainers VALUES (?,?)", [(1, "Odile"), (2, "Bram"), (3, "Idle")])
    db.executemany(
        "INSERT INTO classes VALUES (?,?,?)",
        [(1, "Yoga", 1), (2, "Spin", 1), (3, "Boxing", 2), (4, "Abs", 2), (5, "None", 3)],
    )
    db.executemany(
        "INSERT INTO sessions VALUES (?,?,'2025-01-01')",
        [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 4)],
    )
    db.executemany(
        "INSERT INTO bookings VALUES (?,?,?,?)",
        [
            (1, 1, 1, 1),
            (2, 1, 2, 1),
            (3, 1, 3, 1),
            (4, 3, 1, 1),
            (5, 3, 2, 1),
            (6, 4, 3, 1),
            (7, 5, 3, 1),
            (8, 6, 1, 1),
            (9, 7, 2, 1),
            (10, 7, 4, 0),
        ],
    )
    rows = db.execute(re.search("```sql\\n(.*?)```", output, re.S).group(1)).fetchall()
    return rows == [("Bram", "Abs", 1.0), ("Bram", "Boxing", 1.0), ("Odile", "Yoga", 1.5)]


def check_84(input, output):
    return len(output.splitlines()) == 5


def check_85(input, output):
    import sqlite3, re

    db = sqlite3.connect(":memory:")
    db.executescript(re.search("```sql\\n(.*?)```", output, re.S).group(1))

    def ok(sql):
        try:
            db.execute(sql)
            return True
        except sqlite3.IntegrityError:
            return False

    good = [
        "INSERT INTO tool (name) VALUES ('saw')",
        "INSERT INTO member (full_name, email) VALUES ('A', 'a@x.org')",
        "INSERT INTO loan (tool_id, member_id, lent_on, due_on) VALUES (1, 1, '2025-03-01', '2025-03-08')",
    ]
    bad = [
        "INSERT INTO tool (name, deposit_cents) VALUES ('x', -1)",
        "INSERT INTO tool (deposit_cents) VALUES (5)",
        "INSERT INTO member (full_name, email) VALUES ('B', 'a@x.org')",
        "INSERT INTO loan (tool_id, member_id, lent_on, due_on) VALUES (1, 1, '2025-03-02', '2025-03-08')",
        "INSERT INTO loan (tool_id, member_id, lent_on, due_on) VALUES (9, 1, '2025-03-02', '2025-03-08')",
        "UPDATE loan SET due_on = '2025-02-01'",
        "UPDATE loan SET returned_on = '2025-02-01'",
    ]
    after = [
        "UPDATE loan SET returned_on = '2025-03-01'",
        "INSERT INTO loan (tool_id, member_id, due_on) VALUES (1, 1, '2999-01-01')",
    ]
    return all(map(ok, good)) and (not any(map(ok, bad))) and all(map(ok, after))


def check_86(input, output):
    import sqlite3

    script, query = input.split("\n\n")
    db = sqlite3.connect(":memory:")
    db.executescript(script)
    cur = db.execute(query)
    want = [[d[0] for d in cur.description]] + [["NULL" if v is None else str(v) for v in r] for r in cur]
    got = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()]
    return [got[0]] + got[2:] == want


def check_87(input, output):
    import sqlite3, csv, io, re

    rows = list(csv.reader(io.StringIO(input.split("\n", 1)[1])))
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE plants (plant_id, name, height_cm, note)")
    db.execute(re.search("```sql\\n(.*?)```", output, re.S).group(1))

    def conv(v):
        if v == "":
            return None
        try:
            return float(v)
        except ValueError:
            return v

    return (
        db.execute("SELECT * FROM plants ORDER BY plant_id").fetchall()
        == [tuple(map(conv, r)) for r in rows[1:]]
        and output.count("INSERT") == 1
    )


def check_88(input, output):
    import re

    yes, no = input.split("Should not match\n")
    yes = [l for l in yes.splitlines()[1:] if l]
    return (
        all((re.fullmatch(output, l) for l in yes))
        and (not any((re.search(output, l) for l in no.splitlines())))
        and (len(yes) == 4)
    )


def check_89(input, output):
    import re

    yes, no = output.split("Match: ")[1].split("No match: ")
    y, n = (re.findall("`([^`]+)`", yes), re.findall("`([^`]+)`", no))
    pieces = "".join(re.findall("^- `(.+?)` ", output, re.M))
    return (
        pieces == input.strip()
        and len(y) == 2
        and (len(n) == 2)
        and all((re.search(input.strip(), s) for s in y))
        and (not any((re.search(input.strip(), s) for s in n)))
    )


def check_90(input, output):
    import re

    p = re.search("^Pattern: (.*)$", output, re.M).group(1)
    s = re.sub("\\$(\\d)", "\\\\\\1", re.search("^Substitution: (.*)$", output, re.M).group(1))
    pairs = [l.split("  ->  ") for l in input.splitlines()]
    return re.sub(p, s, "\n".join((a for a, b in pairs)), flags=re.M) == "\n".join((b for a, b in pairs))


def check_92(input, output):
    import re

    images, ps = input.split("$ docker ps -a")
    dangling = re.findall("^<none>\\s+<none>\\s+(\\w+)", images, re.M)
    return output.splitlines() == [i for i in dangling if i not in ps]


def check_93(input, output):
    import re, subprocess, tempfile, os

    log = "\n".join((l for l in input.splitlines() if " - - [" in l)) + "\n"
    with tempfile.TemporaryDirectory() as d:
        open(os.path.join(d, "access.log"), "w").write(log)
        out = subprocess.run(
            ["bash", "-c", re.search("```bash\\n(.*?)```", output, re.S).group(1)],
            cwd=d,
            capture_output=True,
            text=True,
        ).stdout
    return [l.split() for l in out.splitlines()] == [["2", "203.0.113.40"], ["1", "198.51.100.7"]]


def check_94(input, output):
    import re, subprocess, tempfile, os

    with tempfile.TemporaryDirectory() as d:
        s = os.path.join(d, "s.sh")
        p = os.path.join(d, "my pics")
        os.makedirs(os.path.join(p, "sub.JPG"))
        open(s, "w").write(re.search("```bash\\n(.*?)```", output, re.S).group(1))
        for n in ["a b.jpeg", "c.JPG", "d.JPEG", "e.jpg", "f.JPG", "f.jpg", "g.png", "sub.JPG/h.JPG"]:
            open(os.path.join(p, n), "w").write(n)
        r = subprocess.run(["bash", s, p], capture_output=True, text=True)
        files = sorted(os.listdir(p))
        kept = open(os.path.join(p, "f.jpg")).read() == "f.jpg" and os.listdir(
            os.path.join(p, "sub.JPG")
        ) == ["h.JPG"]
        codes = [
            subprocess.run(["bash", s] + a, capture_output=True).returncode
            for a in ([], [os.path.join(d, "nope")])
        ]
    return (
        files == ["a b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.JPG", "f.jpg", "g.png", "sub.JPG"]
        and kept
        and (codes == [1, 1])
        and (sorted(r.stdout.splitlines()) == ["a b.jpeg -> a b.jpg", "c.JPG -> c.jpg", "d.JPEG -> d.jpg"])
        and (r.returncode == 0)
    )


def check_95(input, output):
    import re

    return len(re.findall("[.?!](?:\\s|$)", output)) <= 3


def check_96(input, output):
    import re

    summary = output.split("**Summary**\n")[1].split("\n")[0]
    crit = re.findall("^\\d\\. (.*)$", output, re.M)
    return len(summary.split()) <= 10 and all(
        (c.startswith("Given ") and ", when " in c and (", then " in c) for c in crit)
    )


def check_97(input, output):
    import csv, io

    rows = list(csv.DictReader(io.StringIO(input)))

    def line(name, rs):
        p = sum((int(r["Points"]) for r in rs))
        d = sum((int(r["Points"]) for r in rs if r["Status"] == "Done"))
        return [name, str(len(rs)), str(p), str(d), f"{100 * d / p:.0f}%"]

    want = [
        line(n, [r for r in rows if r["Assignee"] == n]) for n in sorted({r["Assignee"] for r in rows})
    ] + [line("Total", rows)]
    return [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]] == want


def check_99(input, output):
    import re

    return (
        len(output.split()) <= len(input.split())
        and all(
            (s in output for s in ["3 June", "17 June", "4.2", "10,000", "Halvorsen Logistics", "Friday"])
        )
        and (not re.search("\\b[A-Z]{4,}\\b|!|\\?\\?", output))
    )
