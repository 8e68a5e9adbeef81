"""A day of phones: one after another or several at once, each with its owner's consent, and nothing left behind.

`desk` is what happens to each phone and who may act on it; `visit` asks one phone; `folder` is all that is written;
`board` and `strip_invisible` show it; `handout`, `totals` and `kit` are what people take home, before and afterwards.
"""
