"""Run one tune recipe: `python jobs/tune.py RECIPE [--set a.b=c] [--run-date YYYY-MM-DD]`"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a folder shipped by Ray is not installed

from medray.entry import main

if __name__ == "__main__":
    main("tune")
