"""What each command does and says; `privaudit.cli` only names them.

A command reads its options, talks to the person (`talk`), lets the stages work, and gives an exit code. Nothing heavier
than typer is imported before a command runs.
"""
