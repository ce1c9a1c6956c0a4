"""The page of columns is what the script makes of the package."""

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def load_script():
    path = ROOT / "scripts" / "list_archive_columns.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_page_is_up_to_date():
    script = load_script()
    committed = script.PAGE.read_text(encoding="utf-8")
    assert committed == script.page(), "Run python scripts/list_archive_columns.py"


def test_the_page_has_every_column_that_is_given(fetched):
    page = (ROOT / "docs" / "user_guide" / "archive_columns.rst").read_text(encoding="utf-8")
    told = set(re.findall(r"``(\w+)``", page))
    assert set(fetched.colnames) - {"source_id"} <= told
    assert re.search(r"``catwise_w1_error``.*``e_W1mproPM``", page)
