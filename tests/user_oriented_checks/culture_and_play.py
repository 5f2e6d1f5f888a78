"""What can be redone of the user-oriented set's reference answers: music, video, games, family and writing (tasks 216 to 251).

One function a task, named by its number: true where the output is right for the input.
"""

# ruff: noqa
# mypy: ignore-errors


def check_216(input, output):
    return output.splitlines() == sorted(input.splitlines(), key=lambda l: int(l.split("|")[1].split()[0]))


def check_217(input, output):
    ls = [l.split(": ", 1) for l in output.splitlines()]
    return len(ls) == 5 and all((2 <= len(a.split()) <= 4 and len(b.split()) < 15 for a, b in ls))


def check_218(input, output):
    import re, json

    ns = {}
    exec(re.search("```python\\n(.*?)```", output, re.S).group(1), ns)
    h = json.loads(input)
    more = h + [
        {"artistName": "Ada", "msPlayed": 402000},
        {"artistName": "Zed", "msPlayed": 29999},
        {"artistName": "Bo", "msPlayed": 30000},
    ]
    return (
        ns["top_artists"](h) == [("Tuva Holm", 6.7), ("Kofi & the Tide", 5.7)]
        and ns["top_artists"](more)
        == [("Ada", 6.7), ("Tuva Holm", 6.7), ("Kofi & the Tide", 5.7), ("Bo", 0.5)]
        and (ns["top_artists"](more, 1) == [("Ada", 6.7)])
        and (ns["top_artists"]([]) == [])
    )


def check_219(input, output):
    rows = [l.split("\t") for l in output.split("\n")]
    src = input.lower().splitlines()
    return (
        len(rows) == len(src)
        and all(
            (
                len(r) == 4
                and s.startswith(r[0] + ". " + r[1].lower())
                and (r[2].lower() in s)
                and (r[3] in s)
                and (r[3] == r[3].lower())
                for r, s in zip(rows, src)
            )
        )
        and ([bool(r[2]) for r in rows] == ["ft." in s or "feat." in s for s in src])
    )


def check_220(input, output):
    import re

    tr = re.findall("^(\\d+)\\. .+ (\\d+):(\\d\\d)$", input, re.M)
    s = sum((int(m) * 60 + int(x) for _, m, x in tr))
    gap = sorted(set(range(1, 9)) - {int(n) for n, _, _ in tr})
    return (
        "add up to %d:%02d" % divmod(s, 60) in output
        and gap == [4]
        and ("no track 4" in output)
        and ("lists %d" % len(tr) in output)
        and ("2018-02-30" in output)
        and (len(output.splitlines()) == 4)
    )


def check_223(input, output):
    import re

    sec = lambda s: int(s.split(":")[0]) * 60 + int(s.split(":")[1])
    ls = [l.split(" ", 1) for l in output.splitlines()]
    ts = [sec(a) for a, _ in ls]
    src = [l.split(" ", 1)[0] for l in input.splitlines()]
    return (
        ls[0][0] == "0:00"
        and len(ls) >= 3
        and all((a in src for a, _ in ls))
        and all((b - a >= 10 for a, b in zip(ts, ts[1:])))
        and all((len(x.split()) <= 5 for _, x in ls))
    )


def check_224(input, output):
    import re

    ms, srt = input.split("\n", 1)

    def f(m):
        h, mi, s, x = map(int, m.groups())
        v = ((h * 60 + mi) * 60 + s) * 1000 + x + int(ms)
        return "%02d:%02d:%02d,%03d" % (v // 3600000, v // 60000 % 60, v // 1000 % 60, v % 1000)

    return output == re.sub("(\\d\\d):(\\d\\d):(\\d\\d),(\\d\\d\\d)", f, srt)


def check_225(input, output):
    import re

    ls = [l.split(": ") for l in output.splitlines()]
    return [a for a, _ in ls] == re.findall("^(\\d+)\\.", input, re.M) and {b for _, b in ls} <= {
        "praise",
        "question",
        "complaint",
        "spam",
    }


def check_226(input, output):
    import re

    a, b = [dict((l.split(": ") for l in part.splitlines()[1:])) for part in input.split("\n\n")]
    num = lambda s: [float(x) for x in re.findall("\\d+(?:\\.\\d+)?", s)]
    want = [
        [k, a[k], b[k], "yes" if all((y >= x for x, y in zip(num(a[k]), num(b[k])))) else "no"] for k in a
    ]
    got = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:] if l.startswith("|")]
    return got == want and "another 7 GB" in output


def check_227(input, output):
    return (
        60 <= len(output.split()) <= 90
        and "Settings > Saves > Restore" in output
        and ("1.3" in output)
        and ("no date" in output)
    )


def check_228(input, output):
    import re

    v = dict(p=1, n=3, b=3, r=5, q=9, k=0)
    f = input.split()[0]
    w = sum((v[c.lower()] for c in f if c.isupper()))
    b = sum((v[c] for c in f if c.islower()))
    return output == "%s, by %d points to %d." % ("White" if w > b else "Black", max(w, b), min(w, b))


def check_229(input, output):
    ls = output.splitlines()
    return (
        len(ls) == 3
        and "Caro-Kann" in ls[0]
        and ("Advance" in ls[0])
        and all((len(l.split(": ", 1)[1].split()) <= 30 for l in ls[1:]))
    )


def check_230(input, output):
    import re

    L = input.splitlines()
    R, K = (int(L[0].split(": ")[1]), int(L[1].split(": ")[1]))
    rows, tot = ([], 0)
    for l in L[2:]:
        o, r = l.split()
        e = 1 / (1 + 10 ** ((int(o) - R) / 400))
        c = K * ({"win": 1, "draw": 0.5, "loss": 0}[r] - e)
        tot += c
        rows.append([o, r, "%.2f" % e, "%+.1f" % c])
    got = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:] if l.startswith("|")]
    return got == rows and output.endswith("New rating: %d" % round(R + tot))


def check_231(input, output):
    rows = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    return (
        [r[0] for r in rows] == list("123456")
        and [r[2] for r in rows].count("false") == 2
        and ([r[2] for r in rows].count("true") == 4)
        and all((r[1].count(".") == 1 and r[1].endswith(".") for r in rows))
    )


def check_232(input, output):
    import re

    n = int(re.search("round: (\\d+)", input).group(1))
    b = int(re.search("\\+(\\d+)\\n", input).group(1))
    ac = int(re.search("class: (\\d+)", input).group(1))
    k, d, m = map(int, re.search("(\\d+)d(\\d+)\\+(\\d+)", input).groups())
    dice = k * (d + 1) / 2
    tot = 0
    for r in range(1, 21):
        tot += dice * 2 + m if r == 20 else 0 if r == 1 or r + b < ac else dice + m
    tot = n * tot / 20
    return (
        abs(float(re.search("= (\\d+(?:\\.\\d+)?) points", output).group(1)) - tot) < 1e-09
        and len(output.splitlines()) <= 4
    )


def check_233(input, output):

    def mark(g, a):
        m = ["G" if x == y else "-" for x, y in zip(g, a)]
        left = [y for x, y in zip(g, a) if x != y]
        for i, x in enumerate(g):
            if m[i] == "-" and x in left:
                m[i] = "Y"
                left.remove(x)
        return "".join(m)

    *gs, c = input.splitlines()
    ok = [w for w in c.split(": ")[1].split(", ") if all((mark(g.split()[0], w) == g.split()[1] for g in gs))]
    return output == ", ".join(sorted(ok))


def check_234(input, output):
    import re

    m = [re.fullmatch("([A-Z]+): (.+) \\((\\d+)\\)", l).groups() for l in output.splitlines()]
    return [a for a, _, _ in m] == input.split(", ") and all(
        (len(a) == int(n) and len(c.split()) <= 7 and (a.lower() not in c.lower()) for a, c, n in m)
    )


def check_235(input, output):
    c, o, w = [l.split(": ")[1].lower() for l in input.splitlines()]
    s = set(c) | set(o.split())

    def pts(x):
        if len(x) < 4 or c not in x or set(x) - s:
            return 0
        return (1 if len(x) == 4 else len(x)) + (7 if set(x) == s else 0)

    got = [[y.strip() for y in l.strip("|").split("|")] for l in output.splitlines()[2:] if l.startswith("|")]
    want = [(x, pts(x)) for x in w.split(", ")]
    return (
        [(g[0], int(g[1])) for g in got] == want
        and all(((g[1] == "0") == bool(g[2]) for g in got))
        and output.endswith("Total: %d" % sum((p for _, p in want)))
    )


def check_236(input, output):
    import re

    return sorted(re.findall('"[^"]+"|\\S+', output)) == sorted(
        ['"glacier retreat"', "filetype:pdf", "site:.no", "after:2015-12-31", "-tourism"]
    )


def check_237(input, output):
    import re

    return (
        2 <= len(re.findall("[.?!](?=\\s|$)", output)) <= 3
        and set(re.findall("\\[(\\d)\\]", output)) <= set(re.findall("^\\[(\\d)\\]", input, re.M))
        and output.startswith("No")
    )


def check_238(input, output):
    from decimal import Decimal as D, ROUND_HALF_UP

    want = []
    for l in input.splitlines():
        n, d = l.split()
        t = (D(d) * 240).quantize(D("0.1"), ROUND_HALF_UP)
        want.append("| %s | %02dh %02dm %04.1fs |" % (n, t // 3600, t // 60 % 60, t % 60))
    return output.splitlines()[2:] == want


def check_239(input, output):
    import re

    dark, lim = re.search("from (\\d\\d:\\d\\d), magnitude limit ([\\d.]+)", input).groups()
    mins = lambda s: (int(s[:2]) * 60 + int(s[3:]) - 720) % 1440
    rows = []
    for n, m, s in re.findall("^(\\w+), magnitude ([\\d.]+), (.+)$", input, re.M):
        k = 9999 if s == "never sets" else mins(s[-5:])
        if float(m) <= float(lim) and k > mins(dark):
            rows.append((k, n + ", " + s))
    return output == "\n".join(("%d. %s" % (i, x) for i, (_, x) in enumerate(sorted(rows), 1)))


def check_240(input, output):
    import re

    d = {}
    ys = []
    for part in input.split("\n\n"):
        L = part.splitlines()
        y = int(L[0][:4])
        ys.append(y)
        for l in L[1:]:
            f = l.split(", ")
            d.setdefault(f[0], {})[y] = y - int(f[2])
    want = []
    for n, v in d.items():
        a, b = (v.get(ys[0]), v.get(ys[1]))
        note = (
            "%d only" % ys[0]
            if b is None
            else "%d only" % ys[1]
            if a is None
            else "agrees"
            if abs(a - b) <= 1
            else "differs by %d years" % abs(a - b)
        )
        want.append([n, str(a or ""), str(b or ""), note])
    got = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    return got == want


def check_241(input, output):
    import re

    par = {}
    for p, ch in re.findall("^(\\w+) is the (?:mother|father) of (.+)\\.$", input, re.M):
        for c in ch.split(" and "):
            par[c] = p

    def line(x):
        r = [x]
        while r[-1] in par:
            r.append(par[r[-1]])
        return r

    a, b = map(line, re.search("Question: (\\w+) and (\\w+)", input).groups())
    common = next((x for x in a if x in b))
    i, j = (a.index(common), b.index(common))
    deg = {1: "first", 2: "second", 3: "third"}[min(i, j) - 1]
    rem = {0: "", 1: " once removed", 2: " twice removed"}[abs(i - j)]
    return "%s cousins%s: %s is" % (deg, rem, common) in output and i == 3 and (j == 4)


def check_242(input, output):
    import json, datetime as dt, re

    a = json.loads(output)
    d = dt.datetime.strptime(
        re.match("\\w+ \\d+ \\w+ \\d{4}, \\d\\d:\\d\\d", input).group(), "%A %d %B %Y, %H:%M"
    )
    return (
        d.strftime("%A") == input.split()[0]
        and [(x["species"], x["count"], x["evidence"]) for x in a]
        == [("great crested grebe", 3, "photo"), ("cuckoo", 1, None), ("grass snake", 1, "photo")]
        and all(
            (
                list(x) == "species count date time latitude longitude evidence".split()
                and x["date"] == d.date().isoformat()
                and (x["time"] == d.strftime("%H:%M"))
                and (str(x["latitude"]) + " N" in input)
                and (str(x["longitude"]) + " E" in input)
                for x in a
            )
        )
    )


def check_243(input, output):
    import re

    p = output.split("\n\n")
    return (
        len(p) == 3
        and all((len(re.findall("^- ", x, re.M)) == 3 for x in p[1:]))
        and (len(p[0].split()) < 80)
    )


def check_244(input, output):
    import re

    N = "C Db D Eb E F Gb G Ab A Bb B".split()
    pc = lambda s: (
        ({"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[s[0]] + s.count("#") - s[1:].count("b"))
        % 12
    )
    up = lambda m: N[(pc(m.group()) + 3) % 12]
    return output == re.sub("(?<=[ /])[A-G][#b]?", up, input.split("\n", 1)[1])


def check_245(input, output):
    import re

    bpm = int(re.search("= (\\d+)", input).group(1))
    beats = int(re.search("(\\d+)/4", input).group(1))
    bars = sum(
        (int(n) * (2 if "repeated once" in rest else 1) for n, rest in re.findall("(\\d+) bars(.*)", input))
    )
    s = bars * beats * 60 / bpm
    return output == "%d:%02d" % divmod(round(s), 60) and s == round(s)


def check_246(input, output):
    import re, sys, math, types

    made = []

    class Obj:
        pass

    def add(size=2, location=(0, 0, 0), rotation=(0, 0, 0)):
        o = Obj()
        o.size, o.loc, o.rot, o.name = (size, location, rotation, "")
        made.append(o)
        bpy.context.object = o

    bpy = types.ModuleType("bpy")
    bpy.ops = types.SimpleNamespace(mesh=types.SimpleNamespace(primitive_cube_add=add))
    bpy.context = types.SimpleNamespace(object=None)
    old = sys.modules.get("bpy")
    sys.modules["bpy"] = bpy
    exec(re.search("```python\\n(.*?)```", output, re.S).group(1), {})
    sys.modules.pop("bpy") if old is None else sys.modules.update(bpy=old)
    return [o.name for o in made] == ["Pillar_%02d" % i for i in range(1, 13)] and all(
        (
            o.size == 1
            and o.loc[2] == 0.5
            and (abs(math.hypot(*o.loc[:2]) - 5) < 1e-09)
            and (abs(o.loc[0] - 5 * math.cos(k * math.pi / 6)) < 1e-09)
            and (abs(o.loc[1] - 5 * math.sin(k * math.pi / 6)) < 1e-09)
            and (abs(o.rot[2] - k * math.pi / 6) < 1e-09)
            for k, o in enumerate(made)
        )
    )


def check_247(input, output):
    import re, sys, types

    code = re.search("```python\\n(.*?)```", output, re.S).group(1)
    made = []

    class Mods:
        def new(self, name, type):
            m = types.SimpleNamespace(name=name, type=type)
            made.append(m)
            return m

    def go(o):
        b = types.ModuleType("bpy")
        b.context = types.SimpleNamespace(active_object=o)
        sys.modules["bpy"] = b
        try:
            exec(code, {})
            return "ok"
        except RuntimeError:
            return "told"
        finally:
            sys.modules.pop("bpy")

    res = [go(None), go(types.SimpleNamespace(type="MESH", modifiers=Mods()))]
    return res == ["told", "ok"] and (made[0].type, made[0].width, made[0].segments) == ("BEVEL", 0.02, 3)


def check_248(input, output):
    import re

    qs = re.findall('"([^"]+)"', output)
    ls = output.splitlines()
    second = [input.index(re.findall('"([^"]+)"', l)[1]) for l in ls]
    return (
        all((q.rstrip(",.") in input for q in qs))
        and len(ls) == 5
        and (second == sorted(second))
        and all((l.count('"') >= 4 for l in ls))
    )


def check_249(input, output):
    return (
        70 <= len(output.split()) <= 90
        and output.endswith("?")
        and (output.count("?") == 1)
        and ("\n" not in output)
        and ('"' not in output)
    )


def check_250(input, output):
    import re

    return (
        2 * len(output.split()) <= len(input.split())
        and set(re.findall("\\d+", input)) <= set(re.findall("\\d+", output))
        and all(
            (
                w in output
                for w in ("two hives", "retired teacher", "next village", "one book", "mites", "winter")
            )
        )
    )


def check_251(input, output):
    import re

    p = [x.splitlines() for x in output.split("\n\n")]
    return (
        len(p) == 3
        and all((len(x) == 2 and len(x[0]) <= 60 and (len(x[1]) <= 110) for x in p))
        and (not re.search("[\\d?]", output))
    )
