"""Workshops: audit many phones in one session, each with its owner's consent, and keep only counts.

`device_queue` decides what happens to each phone, `worker` reads one phone, `storage` holds everything that is written,
`session` connects them. `board` and `plain` show a session; `outputs`, `statistics` and `kit` write what is handed out.
"""
