"""``--agentops-html``: a page for each failed test, named in its failure."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = """
import agentops_sdk as agentops

@agentops.tool
def refund(order):
    return f"{order} refunded"

def test_bad(traces):
    refund("A1")
    traces.assert_no_tool_called("refund")

def test_good(traces):
    refund("A2")

def test_bad_without_anything_recorded(traces):
    assert not 1
"""


def test_a_failed_test_has_a_page(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_shop=TESTS)
    result = pytester.runpytest_subprocess("--agentops-html=pages", "--junitxml=out.xml", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=2)
    (page,) = (pytester.path / "pages").iterdir()
    assert page.name == "test_shop.py--test_bad.html"
    assert "A1 refunded" in page.read_text(encoding="utf-8")
    result.stdout.fnmatch_lines(["*agentops page*", str(page)])
    assert f'<property name="agentops_page" value="{Path("pages") / page.name}"' in (
        (pytester.path / "out.xml").read_text(encoding="utf-8")
    )


def test_tests_whose_ids_look_alike_have_a_page_each(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_shop="""
import agentops_sdk as agentops
import pytest

@agentops.tool
def refund(order):
    return f"{order} refunded"

@pytest.mark.parametrize("order", ["A1", "a/b", "a-b", "a-b-", "a b", "x" * 200, "x" * 201], ids=str)
def test_bad(traces, order):
    refund(order)
    assert not order
"""
    )
    options = ("--agentops-html=pages", "--agentops-traces=kept", "-p", "no:cacheprovider")
    pytester.runpytest_subprocess(*options).assert_outcomes(failed=7)
    pages = {page.name: page.read_text(encoding="utf-8") for page in (pytester.path / "pages").iterdir()}
    assert "A1 refunded" in pages["test_shop.py--test_bad-A1.html"]
    assert "a-b refunded" in pages["test_shop.py--test_bad-a-b.html"]
    assert len(pages) == len(list((pytester.path / "kept").iterdir())) == 7
    assert sum("a/b refunded" in page for page in pages.values()) == 1
