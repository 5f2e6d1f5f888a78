"""What can be redone of the user-oriented set's reference answers: sums, code that runs, orders, lengths, formats.

One function a task, named by its number: true where the output is right for the input.
"""

# ruff: noqa
# mypy: ignore-errors


def check_0(input, output):
    want = {
        "from:orchardfreight.example",
        "filename:pdf",
        "larger:5M",
        "older_than:1y",
        "-is:starred",
        "-subject:pallet",
    }
    return "\n" not in output and set(output.split()) - {"has:attachment"} == want


def check_1(input, output):
    import datetime as d

    rows = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    mon = d.date(2024, 6, 3)
    want = [
        ("Tomasz", str(mon + d.timedelta(3))),
        ("Adaeze", "2024-06-10"),
        ("Adaeze", "no date"),
        ("Tomasz", str(mon + d.timedelta(9))),
        ("Ines", str(mon + d.timedelta(6))),
    ]
    return (
        mon.weekday() == 0 and [(r[0], r[2]) for r in rows] == want and ("floor plan" not in output.lower())
    )


def check_2(input, output):
    return (
        len(output.split()) < 80
        and output.endswith("Kwame")
        and all((s in output for s in ("14 November", "21 November", "video", "spring", "inspection")))
        and (not any((s in output.lower() for s in ("fee", "pay", "money", "lunch"))))
    )


def check_4(input, output):
    import re

    m, s = input.split("\n\n")
    m, s = (m.splitlines()[1:], s.splitlines()[1:])
    return (
        len(m) == 4
        and len(s) == 6
        and all((re.fullmatch(output, x) for x in m))
        and (not any((re.fullmatch(output, x) for x in s)))
    )


def check_5(input, output):
    import datetime

    return (
        datetime.date(2024, 9, 18).weekday() == 2
        and len(output.split()) <= 115
        and all(
            (
                s in output
                for s in (
                    "third",
                    "2 September",
                    "9 September",
                    "16th",
                    "six",
                    "ten working days",
                    "Wednesday 18 September",
                    "30th",
                    "floating",
                )
            )
        )
        and ("sorry" not in output.lower())
        and ("apolog" not in output.lower())
    )


def check_6(input, output):
    parts = output.split("\n---\n")
    return len(parts) == 2 and all(
        (
            35 <= len(p.split()) <= 50
            and "payroll@lindqvist.example" in p
            and all((n in p for n in ("12", "23", "26")))
            for p in parts
        )
    )


def check_8(input, output):
    import re

    s = re.sub("(?<!\\*)\\*([^*\\n]+)\\*(?!\\*)", "_\\1_", input)
    s = re.sub("\\*\\*([^*\\n]+)\\*\\*", "*\\1*", s)
    s = re.sub("(?m)^#+ (.+)$", "*\\1*", s)
    s = re.sub("~~(.+?)~~", "~\\1~", s)
    s = re.sub("\\[([^\\]]+)\\]\\(([^)]+)\\)", "<\\2|\\1>", s)
    s = re.sub("(?m)^- ", "• ", s)
    return s == output


def check_9(input, output):
    import json

    facts = [l.split(": ", 1) for l in input.splitlines()]
    title = facts[0][1]
    want = {
        "text": title,
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title}},
            {
                "type": "section",
                "fields": [{"type": "mrkdwn", "text": "*%s*\n%s" % (k, v)} for k, v in facts[1:]],
            },
        ],
    }
    return json.loads(output) == want


def check_10(input, output):
    return len(output.split()) < 60 and "thread" in output and all((ord(c) < 128 for c in output))


def check_11(input, output):
    import re, collections

    c = collections.Counter(re.findall("(?m)^\\d\\d/\\d\\d/\\d{4}, \\d\\d:\\d\\d - ([^:\\n]+): ", input))
    want = ["sender,messages"] + ["%s,%d" % kv for kv in sorted(c.items(), key=lambda kv: (-kv[1], kv[0]))]
    return output.splitlines() == want


def check_12(input, output):
    days = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}
    return {output} == days - {"Monday"} & days - {"Tuesday", "Friday"} & {
        "Monday",
        "Wednesday",
        "Thursday",
    } & days - {"Thursday"}


def check_14(input, output):
    ns = {}
    exec(output.split("```")[1].split("\n", 1)[1], ns)
    f = ns["parse_duration"]

    def bad(s):
        try:
            f(s)
        except ValueError:
            return True
        return False

    good = {"1h30m": 5400, "45s": 45, "2d": 172800, "1D2H3M4S": 93784, "90m": 5400, "0s": 0}
    return all((f(k) == v for k, v in good.items())) and all(
        (bad(s) for s in ("", "5", "h", "30m1h", "1h1h", "1h 30m", "-5m", "1.5h", "10x", "1h\n"))
    )


def check_15(input, output):
    import datetime as d

    again = (d.date(2024, 6, 20) - d.date(2024, 6, 2)).days <= 30
    return output == ("2, kick" if again else "2, delete the message")


def check_16(input, output):
    import datetime as d

    want = []
    for line in input.splitlines():
        name, when, zone = [p.strip() for p in line.split("|")]
        off = zone[3:] or "+00:00"
        stamp = int(d.datetime.fromisoformat(when.replace(" ", "T") + ":00" + off).timestamp())
        want.append("%s: <t:%d:F>" % (name, stamp))
    return output.splitlines() == want


def check_17(input, output):
    lines = output.splitlines()
    return (
        len(lines) == 3
        and all((l.startswith("%d. " % (i + 1)) and len(l[3:]) <= 90 for i, l in enumerate(lines)))
        and ("21%" in lines[1])
        and ("12%" in lines[1])
        and ("catering manager" in lines[2])
    )


def check_18(input, output):
    import re

    lines = output.splitlines()
    nums = lambda s: set(re.findall("\\d+(?:\\.\\d+)?%?", s))
    body = input.split("\n", 1)[1]
    return (
        len(lines) == 5
        and all((l.startswith("- ") and len(l[2:].split()) <= 18 for l in lines))
        and (nums(output) == nums(body))
    )


def check_19(input, output):
    rows = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    return (
        18 + 8 < 36
        and "26 months" in rows[1][1]
        and (rows[4][1] == "none")
        and ([r[2] for r in rows] == ["met", "partly", "met", "met", "missing"])
    )


def check_20(input, output):
    import re

    months = set()
    for line in input.splitlines():
        if line.endswith("(paid)"):
            a, b, c, e = map(int, re.match("(\\d\\d)/(\\d{4}) to (\\d\\d)/(\\d{4})", line).groups())
            months |= set(range(b * 12 + a, e * 12 + c + 1))
    return output == str(len(months))


def check_21(input, output):
    return (
        len(output.split()) <= 30
        and "humidifier" in output
        and ("radiator" in output)
        and (output.count("?") == 1)
    )


def check_22(input, output):
    body = output.split("```")[1]
    return (
        all(
            (
                s in body
                for s in (
                    "type: submission",
                    'account_age: "< 7 days"',
                    'combined_karma: "< 20"',
                    "satisfy_any_threshold: true",
                    "action: filter",
                    "action_reason:",
                    "comment: |",
                )
            )
        )
        and "\t" not in body
    )


def check_23(input, output):
    import re

    sents = re.split("(?<=[.?!]) ", input)
    posts, cur = ([], "")
    for s in sents:
        nxt = (cur + " " + s).strip()
        if len(nxt) + len(" (1/3)") > 250:
            posts.append(cur)
            cur = s
        else:
            cur = nxt
    posts.append(cur)
    want = ["%s (%d/%d)" % (p, i + 1, len(posts)) for i, p in enumerate(posts)]
    return len(want) < 10 and output.split("\n\n") == want and all((len(p) <= 250 for p in want))


def check_24(input, output):
    import re

    want = [
        "#" + "".join((w[0].upper() + w[1:] for w in re.split("[ -]", l.replace("'", ""))))
        for l in input.splitlines()
    ]
    return output.splitlines() == want


def check_25(input, output):
    import re

    a, b = output.splitlines()
    pat, rep = (a.split(": ", 1)[1], b.split(": ", 1)[1])
    return re.sub(pat, rep, "Signed 07/11/2023, due 30/01/2024.") == "Signed 2023-11-07, due 2024-01-30."


def check_26(input, output):
    heads = ["Present", "Apologies", "Matters discussed", "Actions", "Next meeting"]
    lines = output.splitlines()
    return [l for l in lines if l in heads] == heads and all(
        (
            s in output
            for s in (
                "40 m",
                "plot 17",
                "1,150",
                "Hartog Roofing",
                "23 names",
                "three votes to one",
                "4 April",
            )
        )
    )


def check_27(input, output):
    import re

    slides = output.split("\n\n")
    ok = len(slides) == 4
    for i, s in enumerate(slides):
        title, *bul = s.splitlines()
        ok = ok and title.startswith("Slide %d: " % (i + 1)) and (len(title.split(": ", 1)[1].split()) <= 10)
        ok = ok and 2 <= len(bul) <= 3 and all((b.startswith("- ") and len(b[2:].split()) <= 8 for b in bul))
    nums = set(re.findall("\\d[\\d,]*\\d", re.sub("Slide \\d", "", output)))
    return ok and nums <= set(re.findall("\\d[\\d,]*\\d", input))


def check_28(input, output):
    b, w = (96 + 150 + 80, 60 + 120 + 84)
    return (
        60 <= len(output.split()) <= 80
        and 0.17 < (b - w) / b < 0.22
        and ((96 - 60) / 96 > 1 / 3)
        and ((150 - 120) / 150 == 0.2)
        and (84 - 80 == 4)
        and output.rstrip(".").endswith("what the reminders cost")
    )


def check_29(input, output):
    rows = [l.split("\t") for l in output.splitlines()]
    mins = [float(r[2]) for r in rows[1:]]
    return (
        rows[0] == ["Slide", "Title", "Minutes"]
        and len(mins) == 7
        and (sum(mins) == 20)
        and (mins[-1] == 4)
        and all(((m * 2).is_integer() for m in mins))
    )


def check_30(input, output):
    return all(
        (
            s in output
            for s in (
                "function fillTemplate(templateId, row)",
                "makeCopy(",
                "openById(",
                "replaceText(",
                "saveAndClose()",
                "getUrl()",
            )
        )
    )


def check_32(input, output):
    lines = output.splitlines()
    return len(lines) == 4 and "$" not in output and all((l.count("{") == l.count("}") for l in lines))


def check_33(input, output):
    import csv, io

    rows = list(csv.reader(io.StringIO(output)))
    buf = io.StringIO()
    csv.writer(buf, lineterminator="\n").writerows(rows)
    return (
        buf.getvalue().strip() == output
        and len(rows) == 6
        and all((len(r) == 4 and r[0] in input and (r[1] in input) for r in rows[1:]))
        and ([r[2] for r in rows[1:]] == ["Read", "Reading", "Wanted", "Read", "Reading"])
        and ([r[3] for r in rows[1:]] == ["4", "", "", "5", "3"])
    )


def check_34(input, output):
    import re, datetime as d

    src = output.strip("`\n").replace("\n", " ")
    src = re.sub("\\bif\\(", "if_(", src)
    T = d.date(2024, 5, 10)

    def run(done, due):
        env = {
            "prop": lambda k: {"Done": done, "Due": due if due is not None else d.date.min}[k],
            "empty": lambda x: x == d.date.min,
            "today": lambda: T,
            "dateAdd": lambda x, n, u: x + d.timedelta(n),
            "if_": lambda c, a, b: a if c else b,
        }
        return eval(src, env)

    day = lambda n: T + d.timedelta(n)
    return [
        run(True, day(-3)),
        run(False, None),
        run(False, day(-1)),
        run(False, day(0)),
        run(False, day(7)),
        run(False, day(8)),
    ] == ["Done", "No date", "Overdue", "Soon", "Soon", "Later"]


def check_35(input, output):
    deps = {}
    for l in input.splitlines():
        n, w = l.split(" | waits for: ")
        deps[n] = set() if w == "nothing" else set(w.split(", "))
    order = []
    while len(order) < len(deps):
        order.append(min((n for n in deps if n not in order and deps[n] <= set(order))))
    return output.splitlines() == order


def check_36(input, output):
    import datetime as d

    lines = input.splitlines()
    start = d.date.fromisoformat(lines[0].split()[1])
    end = {}
    rows = [[p.strip() for p in l.split(";")] for l in lines[3:]]
    while len(end) < len(rows):
        for n, days, w in rows:
            pre = [] if w == "-" else [x.strip() for x in w.split(",")]
            if n not in end and all((p in end for p in pre)):
                end[n] = max([end[p] for p in pre] or [0]) + int(days)
    left, day = (max(end.values()), start)
    while True:
        left -= day.weekday() < 5
        if left == 0:
            break
        day += d.timedelta(1)
    return output == str(day)


def check_37(input, output):
    blocks = output.split("\n\n")
    return (
        len(blocks) == 4
        and all(
            (
                [l.split()[0] for l in b.splitlines()] == ["%d." % (i + 1), "Given", "When", "Then"]
                for i, b in enumerate(blocks)
            )
        )
        and ("14 days" in output)
        and ("twice" in output)
    )


def check_38(input, output):
    import datetime as d

    reply = d.date(2024, 4, 24)
    arrive = reply + d.timedelta(2)
    return (
        reply.weekday() == 2
        and arrive.weekday() == 4
        and (arrive < d.date(2024, 4, 27))
        and (100 <= len(output.split()) <= 130)
        and all(
            (
                s in output
                for s in ("refund", "express", "50 euros", "10% voucher", "14 days", "eight days", "Kasimir")
            )
        )
    )


def check_39(input, output):
    return len(output.split()) < 80 and all(
        (
            s in output
            for s in (
                "{{ticket.requester.first_name}}",
                "{{ticket.id}}",
                "{{current_user.first_name}}",
                "seven days",
                "order number",
                "photo",
            )
        )
    )


def check_40(input, output):
    import sqlite3

    con = sqlite3.connect(":memory:")
    con.execute(input.split(";")[0])
    rows = [
        ("Bo", "2024-03-01 00:00", "2024-03-01 04:00"),
        ("Bo", "2024-03-31 23:59", "2024-04-01 01:59"),
        ("Bo", "2024-03-10 10:00", "2024-03-10 16:00"),
        ("Bo", "2024-04-01 00:00", "2024-04-09 00:00"),
        ("Al", "2024-03-05 08:00", "2024-03-05 12:00"),
        ("Al", "2024-03-06 08:00", "2024-03-06 12:00"),
        ("Al", "2024-03-07 08:00", "2024-03-07 12:00"),
        ("Cy", "2024-03-02 08:00", "2024-03-02 09:00"),
        ("Cy", "2024-03-03 08:00", "2024-03-03 09:00"),
        ("Cy", "2024-03-04 08:00", None),
        ("Di", "2024-03-11 08:00", "2024-03-11 09:00"),
        ("Di", "2024-03-12 08:00", "2024-03-12 10:30"),
        ("Di", "2024-03-13 08:00", "2024-03-13 09:30"),
    ]
    con.executemany("INSERT INTO tickets (agent, priority, opened, solved) VALUES (?, 'low', ?, ?)", rows)
    return con.execute(output.split("```")[1].split("\n", 1)[1]).fetchall() == [
        ("Di", 3, 1.7),
        ("Al", 3, 4.0),
        ("Bo", 3, 4.0),
    ]


def check_42(input, output):
    import collections

    c = collections.Counter((l.strip().capitalize() for l in input.splitlines()[2:]))
    n = sum(c.values())
    want = [
        "| %s | %d | %.1f%% |" % (a, k, 100 * k / n)
        for a, k in sorted(c.items(), key=lambda x: (-x[1], x[0]))
    ]
    return output.splitlines()[2:] == want


def check_43(input, output):
    rows = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    kinds = (
        "Short answer",
        "Paragraph",
        "Multiple choice",
        "Checkboxes",
        "Dropdown",
        "Linear scale",
        "Date",
        "Time",
    )
    return len(rows) == 8 and all(
        (len(r) == 4 and r[2].startswith(kinds) and (r[3] in ("Yes", "No")) for r in rows)
    )


def check_44(input, output):
    import json, re

    d = json.loads(output)
    book = set(re.findall("(?m)^([A-Z]+):", input))
    return (
        list(d) == re.findall("(?m)^(\\d)\\. ", input)
        and all((v == sorted(v) and set(v) <= book for v in d.values()))
        and (d["3"] == [])
        and (d["2"] == ["NOISE", "PRICE", "ROOM"])
    )


def check_45(input, output):
    text, fixes = output.split("\n\n")
    s = input
    for l in fixes.splitlines():
        a, b = l.split(" → ")
        assert s.count(a) >= 1
        s = s.replace(a, b, 1)
    return s == text and len(fixes.splitlines()) == 7


def check_46(input, output):
    return [l.split(". ")[1] for l in output.splitlines()] == ["An", "a", "the", "a", "–", "the", "an", "–"]


def check_47(input, output):
    return output in input.splitlines()[0].split(": ")[1].split(", ")


def check_48(input, output):
    return abs(19.5 * 0.96 - 18.72) < 1e-09 and all(
        (
            s in output
            for s in (
                "3 February 2025",
                "1,250",
                "28 February",
                "two weeks",
                "600",
                "21 February",
                "14 March",
                "4%",
                "€18.72",
                "€19.50",
                "Friday",
                "Yours sincerely",
            )
        )
    )


def check_49(input, output):
    import json, re

    a, b = (json.loads(input), json.loads(output))
    ph = lambda s: sorted(re.findall("\\{\\w+\\}|%s|<[^>]+>", s))
    return list(a) == list(b) and all((ph(a[k]) == ph(b[k]) and a[k] != b[k] for k in a))


def check_50(input, output):
    s = input
    for a, b in [
        ("estás", "está"),
        ("Te escribo", "Le escribo"),
        ("has pedido", "ha pedido"),
        ("atenderte", "atenderla"),
        ("Puedes", "Puede"),
        ("no te va", "no le va"),
        ("llámame", "llámeme"),
        ("dime", "dígame"),
        ("prefieres", "prefiere"),
        ("Trae tu", "Traiga su"),
        ("olvides", "olvide"),
        ("que te dimos", "que le dimos"),
    ]:
        assert s.count(a) == 1
        s = s.replace(a, b)
    return s == output


def check_51(input, output):
    import datetime as d
    from zoneinfo import ZoneInfo

    z = {
        "New York": "America/New_York",
        "São Paulo": "America/Sao_Paulo",
        "Nairobi": "Africa/Nairobi",
        "Mumbai": "Asia/Kolkata",
        "Auckland": "Pacific/Auckland",
    }
    t0 = d.datetime(2024, 10, 30, 17, tzinfo=ZoneInfo("Europe/Berlin"))
    cities = input.split("Cities: ")[1].split(", ")
    return output.splitlines() == [
        c + ": " + t0.astimezone(ZoneInfo(z[c])).strftime("%A %Y-%m-%d %H:%M") for c in cities
    ]


def check_52(input, output):
    import datetime as d
    from zoneinfo import ZoneInfo

    L = output.splitlines()
    p = dict((l.split(":", 1) for l in L if not l.startswith(("BEGIN", "END:"))))
    utc = lambda h, m: (
        d.datetime(2024, 10, 15, h, m, tzinfo=ZoneInfo("Europe/Helsinki"))
        .astimezone(d.timezone.utc)
        .strftime("%Y%m%dT%H%M%SZ")
    )
    return (
        p["DTSTART"] == utc(10, 0)
        and p["DTEND"] == utc(10, 40)
        and (p["DTSTAMP"] == "20240901T080000Z")
        and (p["SUMMARY"] == "Yearly fire drill\\, house C")
        and (p["UID"] in input)
        and (p["VERSION"] == "2.0")
        and ("PRODID" in p)
        and (p["DESCRIPTION"] in input)
        and (max(map(len, L)) <= 75)
        and (L[0] == "BEGIN:VCALENDAR")
        and (L[-1] == "END:VCALENDAR")
    )


def check_53(input, output):
    import re

    m = lambda s: int(s[:2]) * 60 + int(s[3:])
    busy = [(m(a), m(b)) for a, b in re.findall("(\\d\\d:\\d\\d)-(\\d\\d:\\d\\d)", input)]
    s = next((x for x in range(540, 1020 - 44) if all((x + 45 <= a or x >= b for a, b in busy))))
    return output == "%02d:%02d-%02d:%02d" % (s // 60, s % 60, (s + 45) // 60, (s + 45) % 60)


def check_55(input, output):

    def ms(s):
        h, m, r = s.split(":")
        return (int(h) * 60 + int(m)) * 60000 + round(float(r) * 1000)

    def fmt(x):
        return "%02d:%02d:%02d.%03d" % (x // 3600000, x // 60000 % 60, x // 1000 % 60, x % 1000)

    keep = ["WEBVTT"]
    for cue in input.split("\n\n")[1:]:
        head, text = cue.split("\n", 1)
        a, b = [ms(p) - 2500 for p in head.split(" --> ")]
        if a >= 0:
            keep.append(fmt(a) + " --> " + fmt(b) + "\n" + text)
    return output == "\n\n".join(keep)


def check_56(input, output):
    lines = output.splitlines()
    return (
        len(lines) == 5
        and all((0 < len(l) <= 45 for l in lines))
        and ("!" not in output)
        and (len({l.split()[0].lower() for l in lines}) == 5)
    )


def check_57(input, output):
    import re

    def render(name):
        s = re.sub(
            "\\*\\|IF:FNAME\\|\\*(.*?)\\*\\|ELSE:\\|\\*(.*?)\\*\\|END:IF\\|\\*",
            lambda m: m.group(1) if name else m.group(2),
            output,
        )
        return s.replace("*|FNAME|*", name)

    return "\n" not in output and render("Priya") == "Hello Priya," and (render("") == "Hello,")


def check_58(input, output):
    rows = [l.split(",") for l in input.splitlines()[1:]]
    want, best = (["variant,delivered,open_rate,click_rate,click_to_open"], [])
    for v, s, b, o, c in rows:
        d, o, c = (int(s) - int(b), int(o), int(c))
        want.append("%s,%d,%.1f,%.1f,%.1f" % (v, d, 100 * o / d, 100 * c / d, 100 * c / o))
        best.append((c / d, v))
    want.append("winner," + max(best)[1])
    return output.splitlines() == want


def check_59(input, output):
    g = {}
    for l in input.splitlines()[1:]:
        e, n, p, d = l.split(",")
        o = g.get(e.strip().lower(), ("", "", ""))
        g[e.strip().lower()] = (max(o[0], n, key=len), o[1] or p, max(o[2], d))
    return output.splitlines() == [input.splitlines()[0]] + [",".join((e,) + g[e]) for e in sorted(g)]


def check_60(input, output):
    L = output.splitlines()
    v = [l.split(":", 1) for l in L]
    adr = dict(v)["ADR;TYPE=WORK"].split(";")
    return (
        L[:2] == ["BEGIN:VCARD", "VERSION:3.0"]
        and L[-1] == "END:VCARD"
        and (len(adr) == 7)
        and ([a for a in adr if a] == ["Lindenweg 8", "Berlin", "10115", "Germany"])
        and (dict(v)["N"].count(";") == 4)
        and all((x in input for k, x in v[3:-1] if not k.startswith("ADR")))
    )


def check_61(input, output):
    return len(output.splitlines()) == 4 and "thirty-one" in output.lower() and ("forklift" in output)


def check_62(input, output):
    h = ["What happened", "What it means for you", "What comes next"]
    mins = 9 * 60 + 5 + 40
    return (
        len(output.split()) <= 120
        and [l for l in output.splitlines() if l in h] == h
        and ("%02d:%02d" % divmod(mins, 60) in output)
        and (
            not any(
                (w in output for w in ("LDAP", "cert", "token", "401", "TTL", "IdP", "dc2", "jpark", "amira"))
            )
        )
    )


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


def check_126(input, output):
    import re

    swap = {"left": "right", "right": "left"}
    t = lambda s: re.findall("\\b(left|right)\\b", s)
    k = lambda s: re.findall("\\d+ m\\b", s)
    return (
        t(output) == [swap[x] for x in reversed(t(input))]
        and k(output) == k(input)[::-1]
        and all(
            (
                w in output
                for w in [
                    "Mill Street",
                    "Abbey Lane",
                    "Canal Road",
                    "footbridge",
                    "bakery",
                    "east exit",
                    "52",
                ]
            )
        )
    )


def check_127(input, output):
    import re
    from urllib.parse import urlsplit, parse_qs

    ns = {}
    exec(re.search("```python\\n(.*?)```", output, re.S).group(1), ns)
    f = ns["directions_url"]
    u = f("Depot & Sons, Gdańsk", "Plac Wolności 3", ["Stop A", "Café B"], "transit")
    q = parse_qs(urlsplit(u).query)
    q2 = parse_qs(urlsplit(f("A", "B")).query)
    bad = False
    try:
        f("A", "B", mode="teleport")
    except ValueError:
        bad = True
    return (
        u.startswith("https://www.google.com/maps/dir/?api=1&")
        and " " not in u
        and (
            q
            == {
                "api": ["1"],
                "origin": ["Depot & Sons, Gdańsk"],
                "destination": ["Plac Wolności 3"],
                "travelmode": ["transit"],
                "waypoints": ["Stop A|Café B"],
            }
        )
        and (q2 == {"api": ["1"], "origin": ["A"], "destination": ["B"], "travelmode": ["driving"]})
        and bad
    )


def check_128(input, output):
    return len(output.split()) <= 120 and all(
        (s in output for s in ["4 pm", "6 pm", "2 euros", "5520", "18A", "0391", "Casa Lupe", "limon-1947"])
    )


def check_129(input, output):
    import re

    total = float(re.search("Total paid: ([\\d.]+)", input).group(1))
    n = {m[0]: int(m[2]) - int(m[1]) for m in re.findall("(\\w+): (\\d+) July to (\\d+) July", input)}
    rows = {
        c[0]: (int(c[1]), float(c[2]))
        for c in ([x.strip() for x in l.strip("|").split("|")] for l in output.splitlines()[2:])
    }
    return (
        rows["Total"] == (sum(n.values()), total)
        and all((rows[g] == (k, round(total * k / sum(n.values()), 2)) for g, k in n.items()))
        and (abs(sum((v[1] for g, v in rows.items() if g != "Total")) - total) < 0.001)
    )


def check_130(input, output):
    import datetime as d, re

    a, b = [d.datetime.strptime(x, "%d %B %Y") for x in re.findall("Wednesday (\\d+ \\w+ \\d{4})", input)]
    N = [(a + d.timedelta(days=i)).weekday() for i in range((b - a).days)]
    room = sum((104 if w in (4, 5) else 88 for w in N)) * (0.9 if len(N) >= 6 else 1)
    W = [room, len(N) * (3 * 13 + 6.5), 3 * min(5, len(N)) * 2.4, len(N) * 8]
    return a.weekday() == b.weekday() == 2 and [l.split(" ")[-2] for l in output.splitlines()] == [
        "%.2f" % x for x in W + [sum(W)]
    ]


def check_131(input, output):
    import re

    return (
        sorted(re.findall("\\d+(?::\\d+)?", input)) == sorted(re.findall("\\d+(?::\\d+)?", output))
        and input.count("?") == output.count("?") == output.count("¿")
        and (not re.search("\\b(t\\u00fa|tu|tus|te|puedes|podr\\u00edas)\\b", output, re.I))
    )


def check_132(input, output):
    import json

    return json.loads(output) == {
        "location": "positive",
        "room": "mixed",
        "service": "negative",
        "value": "not mentioned",
    }


def check_133(input, output):
    import re

    m = lambda s: int(s[:2]) * 60 + int(s[3:])
    S = {
        a.strip(): (m(b), m(c), int(v))
        for a, b, c, v in re.findall(
            "^([A-Z][\\w ]+) \\| (\\d\\d:\\d\\d) \\| (\\d\\d:\\d\\d) \\| (\\d+) min", input, re.M
        )
    }
    now = 9 * 60 + 30
    ok = True
    V = re.findall("^(\\d\\d:\\d\\d)-(\\d\\d:\\d\\d) (.+)$", output, re.M)
    for a, b, n in V:
        o, c, d = S[n]
        s = max(now + 15, o)
        ok = ok and m(a) == s and (m(b) == s + d <= c)
        now = s + d
    return ok and sorted((v[2] for v in V)) == sorted(S) and (len(S) == 5)


def check_134(input, output):
    W = {
        "Salka sheets": (60, 14.4 * 0.9),
        "Brightleaf liquid": (2 * 33, 15.98),
        "Nordwasch powder": (80, 18.4 + 3.9),
        "Pluma pods": (3 * 26, 3 * 6.75 + 2.5),
    }
    R = [[x.strip() for x in l.strip("|").split("|")] for l in output.splitlines()[2:]]
    return R == [
        [k, str(n), "%.2f" % p, "%.1f" % (100 * p / n)]
        for k, (n, p) in sorted(W.items(), key=lambda kv: kv[1][1] / kv[1][0])
    ]


def check_135(input, output):
    import re

    n = [int(l.rsplit(": ", 1)[1]) for l in output.splitlines()]
    R = input.splitlines()
    return n == [
        sum((bool(re.search(p, r)) for r in R)) for p in ("\\blid\\b", "seeps|Puddle|Drips", "cord|cable")
    ]


def check_136(input, output):
    import re

    p = re.split("\\n\\n", output)
    return (
        len(output.split()) <= 170
        and len(re.findall("^\\d\\. ", p[0], re.M)) == 4
        and (len(re.findall("^\\d\\. ", p[1], re.M)) == 3)
        and (len(p) == 3)
    )


def check_137(input, output):
    import re

    return (
        len(output) <= 80
        and output.startswith("Tarnfell Ridge 2")
        and (re.fullmatch("[A-Za-z0-9 ]+", output) is not None)
        and (not re.search("wow|bargain", output, re.I))
        and all((w in output for w in ["Brown", "UK 9", "EU 43", "Used"]))
    )


def check_138(input, output):
    return len(output.split()) <= 120 and all(
        (s in output for s in ["photo 7", "30 days", "85.00", "not tested"])
    )


def check_139(input, output):
    import re

    g = lambda k: re.search(k + ": (.+)", input).group(1)
    C, S = (g("Colours").split(", "), g("Sizes").split(", "))
    want = ["sku,colour,size,price"] + [
        "%s-%s-%s,%s,%s,%.2f" % (g("Prefix"), c[:3].upper(), s, c, s, 34 + 4 * (s == "L"))
        for c in C
        for s in S
        if (c, s) != ("navy", "S")
    ]
    return output.splitlines() == want


def check_140(input, output):
    import math

    p = (6.4 + 1.1 + 1.75 * 18 + 0.2 + 0.3) / (1 - 0.065 - 0.04)
    return output.splitlines()[-1] == "Price: %.2f" % (math.ceil(p * 2) / 2) and "%.2f" % p in output


def check_141(input, output):
    import re, math

    g = lambda k: int(re.search(k + " (\\d+) cm", input).group(1))
    d = math.hypot(g("depth"), g(", height"))
    c = g("Ceiling height:")
    return (
        output.startswith("Yes" if d < c else "No")
        and "%.1f cm" % d in output
        and ("%.1f cm" % abs(d - c) in output)
    )


def check_142(input, output):
    return output.split(", ") == list("EBGADFC")


def check_143(input, output):
    import re

    end = 19 * 60 + 30
    W = []
    for l in input.splitlines()[2:]:
        dish, steps = l.split(": ", 1)
        s = [(a, int(b)) for a, b in re.findall("([a-z ]+?) (\\d+) min", steps)]
        W += [(end - sum((b for _, b in s[i:])), dish + ": " + s[i][0].strip()) for i in range(len(s))]
    return output.splitlines() == ["%02d:%02d %s" % (m // 60, m % 60, x) for m, x in sorted(W)]


def check_145(input, output):
    import re

    return len(re.findall("[.!?](?:\\s|$)", output)) <= 3


def check_146(input, output):
    import re

    P = {"biryani": 12.5, "naan": 2.9, "chaat": 6.4, "lassi": 4.2}
    L = [l for l in output.splitlines() if l.startswith("- ")]
    s = sum((float(re.search("\\((\\d+\\.\\d\\d)\\)|(\\d+\\.\\d\\d)", l).group(1)) for l in L))
    return (
        len(output.split()) <= 80
        and len(L) == 4
        and all((any((k in l and "%.2f" % v in l for l in L)) for k, v in P.items()))
        and (abs(s - sum(P.values())) < 0.001)
        and ("refund %.2f" % s in output)
    )


def check_147(input, output):
    return [
        l.split(". ")[1] for l in output.splitlines()
    ] == "LATE BILLING WRONG PRAISE MISSING QUALITY BILLING WRONG".split() and [
        l.split(". ")[0] for l in output.splitlines()
    ] == [l.split(".")[0] for l in input.splitlines()]


def check_148(input, output):
    import csv, io, json, re

    a, b = input.split("\n\n")
    R = list(csv.DictReader(io.StringIO(a)))
    K = ["kcal", "protein", "carbs", "fat"]
    e = {k: sum((int(r[k]) for r in R)) for k in K}
    return json.loads(output) == {
        "eaten": e,
        "left": {k: int(re.search(k + " (\\d+)", b).group(1)) - e[k] for k in K},
    }


def check_149(input, output):
    import sqlite3, re

    c = sqlite3.connect(":memory:")
    c.executescript(input)
    c.executemany(
        "INSERT INTO diary(day,meal,food,kcal,protein_g) VALUES(?,?,?,?,?)",
        [
            ("2024-03-01", "lunch", "a", 700, 40),
            ("2024-03-01", "dinner", "b", 800, 49.5),
            ("2024-03-02", "lunch", "a", 500, 45),
            ("2024-03-02", "dinner", "b", 600, 45),
            ("2024-04-01", "snack", "c", 100, 3),
        ],
    )
    r = c.execute(re.search("```sql\\n(.*?)```", output, re.S).group(1))
    return [d[0] for d in r.description] == ["day", "kcal", "protein_g"] and r.fetchall() == [
        ("2024-04-01", 100, 3.0),
        ("2024-03-01", 1500, 89.5),
    ]


def check_150(input, output):
    import re

    s = [int(a) * 60 + int(b) for a, b in re.findall("(\\d+):(\\d\\d)$", input, re.M)]
    t = sum(s)
    p = round(t / len(s))
    h = len(s) // 2
    d = sum(s[:h]) - sum(s[h:])
    return output.splitlines() == [
        "Total time: %d:%02d" % divmod(t, 60),
        "Average pace: %d:%02d per km" % divmod(p, 60),
        "Faster half: the %s, by %d seconds" % ("second" if d > 0 else "first", abs(d)),
    ]


def check_151(input, output):
    import re

    ns = {}
    exec(re.search("```python\\n(.*?)```", output, re.S).group(1), ns)
    f = ns["elevation_gain"]
    g = lambda hs: (
        '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1"><wpt lat="1" lon="1"><ele>999</ele></wpt><trk><trkseg>'
        + "".join(('<trkpt lat="1" lon="1"><ele>%s</ele></trkpt>' % h for h in hs))
        + "</trkseg></trk></gpx>"
    )
    return (
        f(g([100, 101, 102.5, 101.5, 99, 104.2])) == 7.7
        and f(g([])) == 0.0
        and (f(g([10, 11, 10, 11])) == 0.0)
        and (f(g([10, 11, 10, 11]), 0.5) == 2.0)
        and (f(g([50, 40, 30])) == 0.0)
    )


def check_152(input, output):
    import re

    R = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines() if re.match("\\| \\d", l)]
    k = [[int(re.match("(\\d+) km", c).group(1)) for c in r[1:4]] for r in R]
    T = [int(r[4]) for r in R]
    return (
        len(R) == 5
        and all((sum(a) == b and a[2] == max(a) for a, b in zip(k, T)))
        and (T[0] <= 19)
        and all((b <= 1.1 * a for a, b in zip(T, T[1:])))
        and all((sum(("uphill" in c for c in r)) == 1 for r in R[1:4]))
        and ("race" in R[4][3])
    )


def check_153(input, output):
    return (
        len(output.split()) - output.count("- ") <= 120
        and all((l.startswith("- ") for l in output.splitlines()))
        and all((s in output for s in ["5 mg", "12 hours", "grapefruit", "ankles", "faint", "children"]))
    )


def check_154(input, output):
    import re

    D = [
        (int(h) * 60 + int(m), int(n)) for h, m, n in re.findall("^(\\d\\d):(\\d\\d)  (\\d) tab", input, re.M)
    ]
    e = D[-1][0] + 240
    left = min(2, 8 - sum((n for _, n in D)))
    return (
        "%02d:%02d" % divmod(e, 60) in output
        and "up to %d tablets" % left in output
        and ("%02d:%02d tomorrow" % divmod(D[0][0], 60) in output)
        and (left == 2)
        and (output.count(". ") <= 2)
    )


def check_155(input, output):
    import re

    N = re.findall("^(\\d+)\\. .*\\?$", output, re.M)
    return N == [str(i) for i in range(1, 9)] and [
        l for l in output.splitlines() if l and (not l[0].isdigit())
    ] == ["Before", "On the day", "Afterwards"]


def check_156(input, output):
    n = len(output.replace("[pause]", "").split())
    return 120 <= n <= 150 and output.count("[pause]") == 5


def check_157(input, output):
    return all((len(l.split()) - 1 < 25 for l in output.splitlines())) and [
        l[:3] for l in output.splitlines()
    ] == [l[:3] for l in input.splitlines()]


def check_158(input, output):
    import re

    Q = [re.match('- "([^"]+)"', l).group(1) for l in output.splitlines()]
    return len(Q) == 5 and all((q in input for q in Q))


def check_159(input, output):
    import csv, io

    R = list(csv.DictReader(io.StringIO(output)))
    v = [float(r["price_per_sqft"]) for r in R]
    return (
        output.startswith("address,price,beds,sqft,price_per_sqft\n")
        and len(R) == 5
        and (v == sorted(v))
        and all(
            (
                r["price_per_sqft"] == "%.2f" % (int(r["price"]) / int(r["sqft"]))
                and r["address"] in input
                and ("${:,}".format(int(r["price"])) in input)
                and ("{:,} sq".format(int(r["sqft"])) in input)
                for r in R
            )
        )
        and (R[0]["price"] == "405000")
    )


def check_160(input, output):
    import re

    f = re.search("```\\n(.*?)\\n```", output, re.S).group(1)
    return (
        f.startswith("=SUMIFS(C2:C, B2:B, F1, A2:A,")
        and f.count("(") == f.count(")")
        and (f.count('"') % 2 == 0)
        and ("EOMONTH" in f)
    )


def check_161(input, output):
    import re
    from decimal import Decimal as D, ROUND_HALF_UP

    M = "January February March April May June July August September October November December".split()
    first = M.index(re.search("First deposit: 1 (\\w+)", input).group(1))
    W = []
    tot = D(0)
    for l in input.split("\n")[4:]:
        b, a, s, due = l.split(" | ")
        need = D(a) - D(s)
        n = M.index(due.split()[1]) - first + 1
        pm = (need / n).quantize(D("0.01"), ROUND_HALF_UP)
        tot += pm
        W.append("| %s | %s | %d | %s |" % (b, need, n, pm))
    return output.splitlines()[2:7] == W and output.endswith(": %s" % tot)


def check_162(input, output):
    return len(output.split()) <= 60 and all(
        (s in output for s in ["Nikolai", "84.60", "25 May", "alf now", "next month"])
    )


def check_163(input, output):
    import re

    inv, pay = input.split("PAYMENTS")
    I = {n: (w, float(a)) for n, w, a in re.findall("^(\\d{4})  (\\w+) +([\\d.]+)$", inv, re.M)}
    bal = {n: -a for n, (w, a) in I.items()}
    for a, ref in re.findall(' ([\\d.]+)  (\\".*)$', pay, re.M):
        ns = re.findall("\\d{4}", ref)
        for n in ns:
            bal[n] += I[n][1] if len(ns) > 1 else float(a)
    W = {n: round(b, 2) for n, b in bal.items() if abs(b) > 0.001}
    G = {
        n: float(x) * (-1 if k == "still owed" else 1)
        for n, x, k in re.findall("^- (\\d{4}) \\w+: ([\\d.]+) (still owed|too much)", output, re.M)
    }
    return G == W and len(G) == 3


def check_164(input, output):
    import re

    num = lambda s: int(s.replace(",", ""))
    inc = num(re.search("income: ([\\d,]+)", input).group(1))
    B = [(num(a), num(b), int(r)) for a, b, r in re.findall("^([\\d,]+) to ([\\d,]+): (\\d+) %", input, re.M)]
    W = [(a, b, min(b, inc) - a, r, (min(b, inc) - a) * r // 100) for a, b, r in B if inc > a]
    tot = sum((w[4] for w in W))
    R = ["| {:,} to {:,} | {:,} | {} % | {:,} |".format(*w) for w in W]
    L = output.splitlines()
    return (
        L[2 : 2 + len(R)] == R
        and L[-2] == "Total tax: {:,}".format(tot)
        and (L[-1] == "Effective rate: %.1f %%" % (100 * tot / inc))
    )


def check_165(input, output):
    import re

    R = re.findall("^(\\d+ March) +(\\d+)-(\\d+)  (.+)$", input, re.M)
    B = [(d, int(b) - int(a)) for d, a, b, t in R if "home" not in t and "family" not in t]
    G = [(d, int(m)) for d, m in re.findall("^(\\d+ March), .*: (\\d+) miles$", output, re.M)]
    tot = sum((m for _, m in B))
    return (
        G == B
        and "Total: %d business miles" % tot in output
        and output.endswith("%.2f" % (tot * 0.62))
        and (len(R) == 11)
    )


def check_166(input, output):
    return (
        len(output.split()) <= 90
        and "!" not in output
        and all(
            (
                s in output
                for s in [
                    "50 minutes",
                    "Tuesday",
                    "half-empty",
                    "lukewarm",
                    "hair",
                    "bill",
                    "dumplings",
                    "9 dollars",
                ]
            )
        )
    )


def check_167(input, output):
    import re

    opt = dict(re.findall("^([A-Z][\\w &]+): (.+; average \\d+)$", input, re.M))

    def fail(t):
        n = [
            "closed Mondays" in t,
            int(re.search("up to (\\d+)", t).group(1)) < 9,
            "down" in t,
            int(re.search("(\\d+) vegan", t).group(1)) < 2,
            int(re.search("average (\\d+)", t).group(1)) >= 20,
        ]
        return n.index(True) + 1 if True in n else 0

    F = {k: fail(v) for k, v in opt.items()}
    L = output.splitlines()
    return (
        F[L[0]] == 0
        and len(F) == 6
        and (
            [(l.split(": ")[0], int(l.split(": ")[1][0])) for l in L[2:]]
            == [(k, v) for k, v in F.items() if v]
        )
    )


def check_168(input, output):
    import csv, io, itertools

    R = [tuple(r) for r in csv.reader(io.StringIO(input))][1:]
    W = sorted(
        (
            (a[0], max(a[2], b[2]), min(a[3], b[3]), a[1], b[1])
            for a, b in itertools.combinations(R, 2)
            if a[0] == b[0] and max(a[2], b[2]) < min(a[3], b[3])
        )
    )
    return output.splitlines() == ["%s: %s / %s, %s-%s" % (r, x, y, s, e) for r, s, e, x, y in W]


def check_169(input, output):
    s, body = output.split("\n", 1)
    n = len(body.split())
    return (
        s.startswith("Subject:")
        and 90 <= n <= 120
        and all(
            (
                x in body
                for x in [
                    "14 June 2025",
                    "Eastfield Park",
                    "St Brannock's Hall",
                    "Weir Street",
                    "storm warning",
                    "18:30",
                    "18:00",
                    "19:00",
                    "valid",
                    "unnumbered",
                    "order page",
                    "Friday 13 June",
                    "tram 4",
                    "parking",
                    "olding chairs",
                    "Marisol Quintero",
                ]
            )
        )
    )


def check_170(input, output):
    import re

    path, sp = output.split(": ")
    P = path.split(" > ")
    K = dict(re.findall("^(\\d[ab]) .*?: (.+)$", input, re.M))
    return (
        P[0][0] == "1"
        and all((K[a] == "go to " + b[0] for a, b in zip(P, P[1:])))
        and (K[P[-1]] == sp)
        and (P == ["1b", "4b", "6b", "7a"])
    )


def check_171(input, output):
    R = [[c.strip() for c in l.strip("|").split("|")] for l in output.splitlines()]
    return (
        R[0] == ["Feature", "Bee", "Hoverfly"]
        and len(R) == 7
        and all((len(r) == 3 and all((len(c.split()) <= 12 for c in r)) for r in R))
    )


def check_172(input, output):
    import re

    H = [
        (int(h), int(t), int(w), float(r))
        for h, t, w, r in re.findall("^(\\d\\d):00 +(\\d+) °C  wind +(\\d+)  rain ([\\d.]+)", input, re.M)
    ]
    ok = [
        H[i][0]
        for i in range(len(H) - 5)
        if all((10 <= x[1] <= 25 and x[2] <= 20 for x in H[i : i + 2]))
        and all((x[3] == 0 for x in H[i : i + 6]))
    ]
    return len(H) == 13 and output.startswith("%02d:00 to %02d:00" % (ok[0], ok[0] + 2))


def check_174(input, output):
    L = [l[3:] for l in output.splitlines()]
    return len(L) == 3 and all((len(l.split()) <= 25 and l.endswith("?") for l in L))


def check_175(input, output):
    return len(output.split()) <= 45


def check_176(input, output):
    import re

    t = re.findall("^\\| (\\d\\d:\\d\\d) \\|", output, re.M)
    return (
        t == sorted(t) == ["06:30", "07:15", "07:30", "12:00", "17:00", "18:00", "21:00", "21:30", "22:00"]
        and output.count("140 g") == 2
        and (output.count("Cardovet") == 1)
    )


def check_177(input, output):
    import re

    R = [tuple(map(int, m)) for m in re.findall("^\\| (\\d+) \\| (\\d+) \\| (\\d+) \\|", output, re.M)]
    return R == [(d, 240 - n, n) for d in range(1, 9) for n in [240 * ((d + 1) // 2) // 4]]


def check_178(input, output):
    return (
        len(output.split()) - output.count("\n- ") - 1 <= 100
        and len(output.splitlines()) <= 5
        and all((l.startswith("- ") for l in output.splitlines()))
        and all((s in output for s in ["60 days", "7 days", "one and a half", "email"]))
    )


def check_179(input, output):
    import datetime as d, re

    x = d.datetime.strptime(re.search("Date of letter: (.+)", input).group(1), "%d %B %Y") + d.timedelta(
        days=14
    )
    return (
        len(output.split()) < 160
        and "by %s, %d %s" % (x.strftime("%A"), x.day, x.strftime("%B %Y")) in output
        and all(
            (
                s in output
                for s in [
                    "31 January 2025",
                    "1,150.00",
                    "1 September 2022",
                    "10 February",
                    "itemised",
                    "receipts",
                ]
            )
        )
    )


def check_180(input, output):
    import re

    S = [
        (int(a) * 60 + int(b), int(c) * 60 + int(e))
        for a, b, c, e in re.findall("^(\\d\\d):(\\d\\d)-(\\d\\d):(\\d\\d) ", input, re.M)
    ]
    L = [((e - s) % 1440, 420 <= s < 1140) for s, e in S]
    day = sum((x for x, k in L if k))
    night = sum((x for x, k in L if not k))
    n = sum((not k for x, k in L)) - 1
    f = lambda m: "%d h %d min" % divmod(m, 60)
    return output.splitlines() == [
        "Day: " + f(day),
        "Night: " + f(night),
        "Altogether: " + f(day + night),
        "Woke during the night: %d times" % n,
    ]


def check_181(input, output):
    import re

    L = output.splitlines()
    return len(L) == 8 and "Ife" in output and (re.findall("\\w+", L[-1])[-1] == "sleep")


def check_182(input, output):
    import re

    km = int(re.search("Distance: (\\d+)", input).group(1)) * 5
    C = []
    for l in input.splitlines()[2:]:
        p, r, u, c, i, s = [
            float(x)
            for x in re.search(
                "price (\\d+), resale after five years (\\d+), ([\\d.]+) \\w+/100 km at ([\\d.]+) a \\w+, insurance (\\d+) a year, servicing (\\d+)",
                l,
            ).groups()
        ]
        C.append([p - r, km / 100 * u * c, 5 * i, 5 * s])
    R = re.findall("^\\| [\\w ]+ \\| (\\d+) \\| (\\d+) \\|$", output, re.M)
    W = [(str(round(a)), str(round(b))) for a, b in zip(*C)]
    tot = [round(sum(x)) for x in C]
    return (
        R == W + [tuple(map(str, tot))]
        and "by %d over" % abs(tot[0] - tot[1]) in output
        and (("Orro E costs less" in output) == (tot[1] < tot[0]))
    )


def check_184(input, output):
    import datetime as d, re

    ok = d.date(2025, 1, 21).strftime("%A") == "Tuesday" and d.date(2025, 1, 22).strftime("%A") == "Wednesday"
    return (
        ok
        and len(output.split()) <= 140
        and all(
            (
                s in output
                for s in [
                    "21 January 2025",
                    "22 January 2025",
                    "08:15",
                    "08:20",
                    "18:10",
                    "18:15",
                    "18:20",
                    "09:00",
                    "14 photos",
                    "6 square metres",
                    "inlet hose",
                    "Adeyemi",
                    "2023",
                ]
            )
        )
        and (not re.search("faulty|guess", output))
    )


def check_185(input, output):
    import json, re

    I = {}
    for n, c, p, a in re.findall("^([a-z ]+) \\| (\\w+) \\| (\\d+) \\| (\\d+)$", input, re.M):
        v = int(p) * max(40, 100 - 10 * int(a)) // 100
        I[n] = min(v, 1500) if c in ("bicycle", "jewellery") else v
    ded = int(re.search("Deductible: (\\d+)", input).group(1))
    return (
        json.loads(output)
        == {"items": I, "subtotal": sum(I.values()), "deductible": ded, "payout": sum(I.values()) - ded}
        and len(I) == 5
    )


def check_186(input, output):
    import re

    return re.findall("^(\\d+)\\. ", output, re.M) == [str(i) for i in range(1, 11)]


def check_187(input, output):
    import math

    a = 2 * (4.2 + 3.5) * 2.5 - 0.9 * 2.05 - 2 * 1.2 * 1.3
    l = 2 * a / 11
    r = l * 1.1
    n = math.ceil(r / 2.5)
    return all(
        (
            "%s" % s in output.replace(" litres", "")
            for s in ["%.3f" % a, "%.2f" % (2 * a), "= %.2f" % l, "= %.2f" % r, "= %.2f" % (r / 2.5)]
        )
    ) and output.endswith("%d tins" % n)


def check_188(input, output):
    import datetime as d, re

    f = d.datetime.strptime(re.search("frost: (.+)", input).group(1), "%d %B %Y").date()
    g = lambda m: (
        (f + d.timedelta(weeks=int(m[0]) * (1 if m[1] == "after" else -1))).isoformat() if m else "-"
    )
    W = []
    for l in input.splitlines()[2:]:
        s = re.search("sow \\w+ (\\d+) weeks? (before|after)", l)
        p = re.search("plant out (\\d+) weeks? (before|after)", l)
        W.append((g(s.groups()), l.split(":")[0], g(p.groups() if p else None)))
    return output.splitlines() == ["Crop\tSow\tPlant out"] + [
        "%s\t%s\t%s" % (n, s, p) for s, n, p in sorted(W)
    ]


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
