"""What can be redone of the user-oriented set's reference answers: mail, chat, jobs and forums (tasks 0 to 24).

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
