"""Changes to a phone in words."""

import pytest

from privaudit.i18n import Translator, catalog
from privaudit.report.revocation_text import describe_change
from privaudit.revocation import commands
from privaudit.revocation.change import Change, ChangeKind, TargetState


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("undo", [False, True])
def test_each_permission_that_is_revoked_is_named_in_words(code, undo):
    language = Translator(code)
    sentences = set()
    for permission in commands.PERMISSIONS:
        change = Change(
            package="com.example.loan",
            user=0,
            kind=ChangeKind.PERMISSION,
            what=permission,
            before=TargetState(held=True),
            old_app=False,
        )
        name = permission.rpartition(".")[2]
        sentence = language.translate(describe_change(change, undo=undo))
        assert f"({name})" in sentence.replace("（", "(").replace("）", ")")
        sentences.add(sentence.replace(name, ""))
    assert len(sentences) == len(commands.PERMISSIONS)
