"""Fetches the paper's public files: python scripts/download_data.py target=public 'what=[seeds,prompts]'"""

from selfinstruct.download import DownloadConfig, download_data
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("download_data", DownloadConfig, download_data)
