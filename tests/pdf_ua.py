"""Whether a document is PDF/UA-1 (ISO 14289-1), by a validator of somebody else.

``page`` (package page-validation) is a validator in Rust that passes the tests of veraPDF's corpus;
each document is held against all of its rules. What only a person can judge (whether a picture's
text says what is on it, whether the order of reading makes sense) no program can.
"""

from importlib.util import find_spec

import pytest

LEAST_RULES = 100
"""So many rules of PDF/UA-1 a program can check; a profile with fewer is another one."""


def assert_pdf_ua(document: bytes) -> None:
    """Refuse a document that breaks a rule of PDF/UA-1; each breach is named."""
    if find_spec("page") is None:
        pytest.skip("page-validation has no ready-made package for this machine")
    import page

    found = page.validate_pdf_bytes(document, profile=page.ValidationProfile.PDF_UA_1)
    assert found.rules.total >= LEAST_RULES
    assert [f"{f.rule_id}: {f.message}" for f in found.failures] == []
    assert found.is_compliant
