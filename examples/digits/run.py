"""Train with the `eng` command and print the final accuracy last, for `make digits`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from eng.cli import main

HERE = Path(__file__).parent
WORK_DIR = HERE.parent.parent / "work_dirs" / "digits"

status = main(["train", str(HERE / "config.py"), "--work-dir", str(WORK_DIR), *sys.argv[1:]])
if status:
    sys.exit(status)
newest = max(WORK_DIR.glob("*/vis_data/scalars.json"))
records = [json.loads(line) for line in newest.read_text().splitlines()]
accuracy = [record["accuracy"] for record in records if "accuracy" in record][-1]
print(f"final validation accuracy: {accuracy:.2%}")
