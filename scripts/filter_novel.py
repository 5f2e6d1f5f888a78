"""The novelty filter for any file: python scripts/filter_novel.py candidates=new.jsonl output=kept.jsonl"""

from selfinstruct.entry import run_command
from selfinstruct.filter_novel import FilterNovelConfig, filter_novel

if __name__ == "__main__":
    run_command("filter_novel", FilterNovelConfig, filter_novel)
