"""The novelty filter as a command: any file in, its novel records out, byte for byte."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from selfinstruct.errors import UserError
from selfinstruct.filter_novel import FilterNovelConfig, NoveltyConfig, filter_novel
from selfinstruct.own_files import only_writer
from selfinstruct.text_tables import open_table

ROOT = Path(__file__).parents[1]
POEM, NEAR_POEM, RIVER = (
    "Write a short poem about the sea.",
    "Write a long poem about the sea.",
    "Name a river.",
)


def run(tmp_path, candidates, pool=None, output=None, report="report.jsonl", **settings):
    """Filter; returns the lines of the report."""
    config = {"field": "instruction", "fidelity": "fixed", "threshold": 0.7, "tokenizer": None, "ray": None}
    config |= settings
    novelty = NoveltyConfig(config.pop("threshold"), config.pop("tokenizer"))
    output = tmp_path / (output or f"kept{candidates.suffix}")
    report = None if report is None else tmp_path / report
    config = FilterNovelConfig(candidates, output, pool, novelty=novelty, report=report, **config)
    filter_novel(config)
    return [json.loads(line) for line in report.read_text().splitlines()] if report else None


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def line(text, **others):
    return json.dumps({"instruction": text} | others) + "\n"


def test_kept_lines_stay_as_they_are_and_in_order(tmp_path):
    kept = [f'{{"a":1,  "instruction" : "{POEM}"}}\r\n', '{"instruction": "N\\u00e4me \u2028 x."}\n']
    last = json.dumps({"instruction": RIVER})  # no line end
    content = kept[0] + "\n" + line(NEAR_POEM) + kept[1] + last
    report = run(tmp_path, write(tmp_path / "new.jsonl", content))
    assert (tmp_path / "kept.jsonl").read_bytes() == (kept[0] + kept[1] + last).encode()
    assert report == [
        {
            "line": 3,
            "text": NEAR_POEM,
            "nearest": POEM,
            "score": pytest.approx(6 / 7),
            "common": ["write a", "poem about the sea"],
        }
    ]


def test_the_pool_blocks_and_is_not_copied(tmp_path, capsys):
    pools = [
        write(tmp_path / "a.jsonl", line(POEM)),
        write(tmp_path / "b.csv", f"instruction,x\n{RIVER},1\n"),
    ]
    candidates = write(tmp_path / "new.jsonl", line(NEAR_POEM) + line("Explain gravity.") + line(RIVER))
    report = run(tmp_path, candidates, pools)
    assert (tmp_path / "kept.jsonl").read_text() == line("Explain gravity.")
    assert [each["nearest"] for each in report] == [POEM, RIVER]
    assert "1 of 3 kept; 2 too similar" in capsys.readouterr().out


def test_csv_rows_with_line_ends_and_quotes_stay_as_they_are(tmp_path):
    rows = [
        'id,"instruction"\r\n',
        f'1,"{POEM}"\r\n',
        '2,"Say ""hi"",\r\nthen stop."\r\n',
        f"3,{NEAR_POEM}\r\n",
    ]
    rows += [f"4,{RIVER}"]
    report = run(tmp_path, write(tmp_path / "new.csv", b"\xef\xbb\xbf" + "".join(rows).encode()))
    expected = b"\xef\xbb\xbf" + "".join(rows[:3] + rows[4:]).encode()
    assert (tmp_path / "kept.csv").read_bytes() == expected
    assert report[0]["line"] == 5


def test_tsv(tmp_path):
    candidates = write(tmp_path / "new.tsv", f"instruction\tn\n{POEM}\t1\n{POEM}\t2\n")
    run(tmp_path, candidates, report=None)
    assert (tmp_path / "kept.tsv").read_text() == f"instruction\tn\n{POEM}\t1\n"


def test_parquet_keeps_its_columns(tmp_path):
    table = pa.table({"n": [1, None, 3], "instruction": [POEM, NEAR_POEM, RIVER]})
    table = table.replace_schema_metadata({"made": "here"})
    parquet.write_table(table, tmp_path / "new.parquet")
    report = run(tmp_path, tmp_path / "new.parquet")
    found = parquet.read_table(tmp_path / "kept.parquet")
    assert found.equals(table.take([0, 2]), check_metadata=True)
    assert report[0]["line"] == 2


def test_several_fields_count_together(tmp_path):
    lines = [line("Sum up.", input="The sea is wide."), line("Sum up.", input="Cats sleep all day long.")]
    run(tmp_path, write(tmp_path / "new.jsonl", "".join(lines)), field=["instruction", "input"])
    assert (tmp_path / "kept.jsonl").read_text() == "".join(lines)
    run(tmp_path, write(tmp_path / "new.jsonl", "".join(lines)))
    assert (tmp_path / "kept.jsonl").read_text() == lines[0]


def test_released_keeps_copies_without_ascii_and_fixed_does_not(tmp_path):
    candidates = write(tmp_path / "new.jsonl", line("写一首诗。") + line("写一首诗。"))
    run(tmp_path, candidates, fidelity="released")
    assert (tmp_path / "kept.jsonl").read_text() == candidates.read_text()
    run(tmp_path, candidates)
    assert (tmp_path / "kept.jsonl").read_text() == line("写一首诗。")


def test_more_records_than_a_chunk_holds(tmp_path):
    lines = [line(f"a{i} b{i} c{i} d{i % 6000}") for i in range(9000)]
    run(tmp_path, write(tmp_path / "new.jsonl", "".join([*lines, *lines[:100]])), report=None)
    assert (tmp_path / "kept.jsonl").read_text() == "".join(lines)


def test_large_records_come_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("selfinstruct.text_tables._BYTES_AT_ONCE", 10_000)
    texts = [f"a{i} b{i} c{i} d{i % 40}" for i in range(60)]
    lines = [line(text, output="x" * 3000) for text in texts]
    candidates = write(tmp_path / "new.jsonl", "".join(lines + lines[:7]))
    assert max(len(chunk.texts) for chunk in open_table(candidates, ["instruction"]).chunks()) == 4
    run(tmp_path, candidates, report=None)
    assert (tmp_path / "kept.jsonl").read_text() == "".join(lines)
    table = pa.table({"instruction": texts, "output": [f"{i:3000}" for i in range(60)]})
    parquet.write_table(table, tmp_path / "new.parquet", use_dictionary=False)
    chunks = list(open_table(tmp_path / "new.parquet", ["instruction"]).chunks())
    assert max(len(chunk.texts) for chunk in chunks) == 3
    assert [text for chunk in chunks for text in chunk.texts] == texts


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "new.jsonl",
            line(POEM) + '{"text": "x"}\n',
            r'new\.jsonl:2: "instruction" is missing; there are text',
        ),
        ("new.jsonl", line(POEM) + "{\n", r"new\.jsonl:2: not valid JSON"),
        ("new.jsonl", line(None), r"new\.jsonl:1: instruction: null instead of text"),
        ("new.csv", "id,text\n1,x\n", r'new\.csv:1: "instruction" is missing; there are id, text'),
        ("new.csv", "id,instruction\n1,x\n\n2,x,y\n", r"new\.csv:4: 3 cells under 2 column names"),
        ("new.csv", 'id,instruction\n1,"x\n', r"new\.csv:2: not valid CSV"),
        ("new.csv", "", r"new\.csv: is empty"),
        ("new.csv", b"instruction\n\xff\n", r"new\.csv:2: not UTF-8"),
        ("new.txt", "x\n", r"new\.txt: of no known kind"),
        ("new.parquet", "x\n", r"new\.parquet: cannot be read as Parquet"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(tmp_path, name, content, message):
    candidates = write(tmp_path / name, content)
    with pytest.raises(UserError, match=message):
        run(tmp_path, candidates)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_reading_and_writing_one_file_is_refused(tmp_path):
    candidates = write(tmp_path / "new.jsonl", line(POEM))
    with pytest.raises(UserError, match="is read and would be written"):
        run(tmp_path, candidates, output="new.jsonl")
    with pytest.raises(UserError, match="is read and would be written"):
        run(tmp_path, candidates, report="new.jsonl")
    with pytest.raises(UserError, match=r"must end in \.jsonl"):
        run(tmp_path, candidates, output="kept.csv")
    (tmp_path / "kept.jsonl").mkdir()
    with pytest.raises(UserError, match=r"kept\.jsonl: cannot be written"):
        run(tmp_path, candidates)


def test_equal_runs_give_equal_bytes_and_replace_what_an_earlier_one_wrote(tmp_path):
    candidates = write(tmp_path / "new.jsonl", line(POEM) + line(NEAR_POEM) + line(RIVER))
    run(tmp_path, candidates)
    names = ["kept.jsonl", "report.jsonl", "kept.jsonl.manifest.json"]
    before = [(tmp_path / name).read_bytes() for name in names]
    run(tmp_path, candidates)
    assert [(tmp_path / name).read_bytes() for name in names] == before
    manifest = json.loads(before[2])
    assert manifest["settings"]["threshold"] == 0.7
    assert manifest["counts"] == {"pool": 0, "read": 3, "kept": 2}
    run(tmp_path, candidates, threshold=1.0, report=None)
    assert (tmp_path / "kept.jsonl").read_text() == candidates.read_text()
    run(tmp_path, candidates)
    assert [(tmp_path / name).read_bytes() for name in names] == before


@pytest.mark.parametrize("name", ["kept.jsonl", "report.jsonl"])
def test_a_file_that_is_not_ours_or_was_edited_is_not_overwritten(tmp_path, name):
    candidates = write(tmp_path / "new.jsonl", line(POEM) + line(NEAR_POEM))
    write(tmp_path / name, "mine\n")
    with pytest.raises(UserError, match=rf"{name}: exists, and was not written by this command"):
        run(tmp_path, candidates)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "new.jsonl"])
    (tmp_path / name).unlink()
    run(tmp_path, candidates)
    with open(tmp_path / name, "a") as file:
        file.write("edited\n")
    with pytest.raises(UserError, match=rf"{name}: exists, .* or was changed since; move it away"):
        run(tmp_path, candidates)
    assert (tmp_path / name).read_text().endswith("edited\n")


def test_a_run_killed_between_its_two_files_can_be_started_again(tmp_path, monkeypatch):
    candidates = write(tmp_path / "new.jsonl", line(POEM) + line(NEAR_POEM))
    run(tmp_path, candidates)
    expected = (tmp_path / "kept.jsonl").read_bytes()
    write(tmp_path / "new.jsonl", line(RIVER) + line(POEM))

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("selfinstruct.filter_novel.write_manifest", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, candidates)
    assert (tmp_path / "kept.jsonl").read_bytes() != expected
    monkeypatch.undo()
    run(tmp_path, candidates)
    assert (tmp_path / "kept.jsonl").read_text() == line(RIVER) + line(POEM)


def test_a_run_killed_while_it_works_leaves_the_old_output_and_can_be_started_again(tmp_path):
    lines = [line(f"a{i} b{i} c{i} d{i % 6000}") for i in range(60_000)]
    candidates = write(tmp_path / "new.jsonl", line(POEM))
    run(tmp_path, candidates, report=None)
    write(candidates, "".join(lines))
    words = [
        sys.executable,
        str(ROOT / "scripts/filter_novel.py"),
        "candidates=new.jsonl",
        "output=kept.jsonl",
    ]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not (tmp_path / ".kept.jsonl.partial").exists():
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert process.returncode == -9
    assert (tmp_path / "kept.jsonl").read_text() == line(POEM)
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept.jsonl").read_text() == "".join(lines)
    assert not (tmp_path / ".kept.jsonl.partial").exists()


def test_a_cluster_gives_the_same_files(tmp_path):
    pytest.importorskip("ray")
    pool = write(tmp_path / "pool.csv", f"instruction\n{RIVER}\n")
    content = "".join([line(POEM), line(NEAR_POEM), line("🙂"), line("🙂"), line(RIVER), line("写一首诗。")])
    candidates = write(tmp_path / "new.jsonl", content)
    expected = run(tmp_path, candidates, pool)
    assert run(tmp_path, candidates, pool, output="c.jsonl", report="r.jsonl", ray="local") == expected
    assert (tmp_path / "c.jsonl").read_bytes() == (tmp_path / "kept.jsonl").read_bytes()
    assert len(expected) == 3


def test_the_command_runs_from_anywhere(tmp_path):
    write(tmp_path / "new.jsonl", line(POEM) + line(NEAR_POEM))
    words = ["candidates=new.jsonl", "output=out/kept.jsonl", "field=[instruction]"]
    command = [sys.executable, str(ROOT / "scripts/filter_novel.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/kept.jsonl").read_text() == line(POEM)
    done = subprocess.run([*command, "novelty.threshold=7"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "novelty.threshold is 7" in done.stderr


def test_two_runs_on_one_output_do_not_meet(tmp_path):
    candidates = write(tmp_path / "new.jsonl", line(POEM))
    with (
        only_writer([tmp_path / "kept.jsonl"]),
        pytest.raises(UserError, match=r"kept\.jsonl: another process is writing it"),
    ):
        run(tmp_path, candidates)
    assert [path.name for path in tmp_path.iterdir()] == ["new.jsonl"]
    run(tmp_path, candidates)


def test_output_and_report_of_one_name_in_two_folders_are_both_known_again(tmp_path):
    candidates = write(tmp_path / "new.jsonl", line(POEM) + line(NEAR_POEM))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    # The second run replaces what the first one wrote, and refuses neither file as somebody else's.
    reports = [run(tmp_path, candidates, output="a/kept.jsonl", report="b/kept.jsonl") for _ in range(2)]
    assert [[dropped["text"] for dropped in report] for report in reports] == [[NEAR_POEM], [NEAR_POEM]]
    assert (tmp_path / "a/kept.jsonl").read_text() == line(POEM)
