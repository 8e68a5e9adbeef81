"""Stories: TOML files that say what is on a virtual phone, and how they become one.

A story says what a person could tell: this app was allowed contacts and read them two days ago. What Android adds of
itself follows from that: flags, uid modes, gids, install permissions, paths, inodes, the state in other users.
"""

from __future__ import annotations

import tomllib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from hashlib import blake2s
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from privaudit.demo import ordinary, schema
from privaudit.demo.android import (
    APP_OP_PERMISSIONS,
    FLAG_BITS,
    GIDS,
    HARD_RESTRICTED,
    RUNTIME_OPS,
    SOFT_RESTRICTED,
    full_name,
)
from privaudit.demo.virtual import (
    AndroidUser,
    App,
    Event,
    Grant,
    Install,
    InstallPermission,
    Op,
    SharedUser,
    VirtualPhone,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_SYSTEM_ID: Final = 10_030
_FIRST_APP_ID: Final = 10_120
_SENSITIVE: Final = FLAG_BITS["USER_SENSITIVE_WHEN_GRANTED"] | FLAG_BITS["USER_SENSITIVE_WHEN_DENIED"]
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - phone-local, as dumps print it
_NAVIGATION: Final = "/product/overlay/NavigationBarModeGestural/NavigationBarModeGesturalOverlay.apk"
_MODERN_STORAGE: Final = 30
"""First target SDK that gets no legacy storage."""


class StoryError(ValueError):
    """A story file with mistakes. `mistakes` holds all of them, each as ``file: key.path: what is wrong``."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


def read(text: str, *, name: str) -> VirtualPhone:
    """The phone of one story.

    Args:
        text: TOML, as `schema.StoryRow` describes it.
        name: of the file, for messages.

    Raises:
        StoryError: with every mistake in it.
    """
    try:
        row = TypeAdapter(schema.StoryRow).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise StoryError((f"{name}: not TOML: {error}",)) from error
    except ValidationError as error:
        found = tuple(f"{name}: {_path(e['loc'])}: {e['msg']}" for e in error.errors(include_url=False))
        raise StoryError(found) from error
    if mistakes := tuple(f"{name}: {mistake}" for mistake in _mistakes(row)):
        raise StoryError(mistakes)
    return _Builder(row, name.removesuffix(".toml")).phone()


def _path(where: Iterable[int | str]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return path.removeprefix(".")


def _mistakes(row: schema.StoryRow) -> Iterator[str]:
    """What types cannot see: names that nothing defines, names defined twice, grants of what was not requested."""
    users = {user.id for user in row.user}
    shared = {user.name for user in row.shared_user}
    packages = {app.package for app in row.app}
    if 0 not in users:
        yield "user: there is always a user 0"
    seen: set[str] = set()
    for number, app in enumerate(row.app):
        where = f"app[{number}]"
        if app.package in seen:
            yield f"{where}.package: {app.package} is there twice"
        seen.add(app.package)
        if app.shared_user is not None and app.shared_user not in shared:
            yield f"{where}.shared_user: no [[shared_user]] is called {app.shared_user}"
        if app.system and app.path is None:
            yield f"{where}.path: a system app says where it lies"
        requested = {full_name(name) for name in app.requests}
        for at, install in enumerate(app.user):
            if install.id not in users:
                yield f"{where}.user[{at}].id: no [[user]] has id {install.id}"
            for name in (*install.grants, *install.flags):
                if full_name(name) not in requested or full_name(name) not in RUNTIME_OPS:
                    yield f"{where}.user[{at}].grants.{name}: not a runtime permission that the app requests"
    for user, roles in row.roles.items():
        yield from (
            f"roles.{user}.{role}: {holder} is not on the phone"
            for role, holders in roles.items()
            for holder in holders
            if holder not in packages
        )
    for key, ids in (("roles", row.roles), ("settings", row.settings), ("admins", row.admins)):
        yield from (f"{key}.{user}: no [[user]] has this id" for user in ids if user not in users)


def _number(*words: object) -> int:
    """A number that is the same in every run."""
    return int.from_bytes(blake2s("\0".join(map(str, words)).encode(), digest_size=4).digest(), "big")


def _token(*words: object) -> str:
    digest = blake2s("\0".join(map(str, words)).encode(), digest_size=16).digest()
    return urlsafe_b64encode(digest).decode()


class _Builder:
    """Writes one story's shorthand out."""

    def __init__(self, row: schema.StoryRow, name: str) -> None:
        self.row = row
        self.name = name
        self.users = tuple(sorted(user.id for user in row.user))
        self.shared = {user.name: user for user in row.shared_user}
        # Android keeps times in UTC; what dumps print at the epoch depends on the zone.
        self.epoch = _EPOCH + timedelta(minutes=row.phone.zone_offset_minutes)

    def phone(self) -> VirtualPhone:
        phone = self.row.phone
        rows = [*self.row.app, *ordinary.apps(self.row.ordinary)]
        requested: dict[str, list[str]] = {name: [] for name in self.shared}
        for row in rows:
            if row.shared_user is not None:
                requested[row.shared_user].extend(map(full_name, row.requests))
        ids = {True: _FIRST_SYSTEM_ID, False: _FIRST_APP_ID}
        apps = []
        for row in rows:
            if row.shared_user is not None:
                app_id = self.shared[row.shared_user].app_id
            else:
                app_id = ids[row.system]
                ids[row.system] += 1
            apps.append(self._app(row, app_id, requested.get(row.shared_user or "", [])))
        return VirtualPhone(
            name=self.name,
            sdk=phone.sdk,
            properties={"persist.sys.timezone": phone.zone, "ro.build.version.sdk": str(phone.sdk), **phone.properties},
            zone=timezone(timedelta(minutes=phone.zone_offset_minutes), phone.zone_abbreviation),
            clock_ahead=timedelta(seconds=phone.clock_ahead_s),
            users=tuple(
                AndroidUser(id=user.id, name=user.name, flags=int(user.flags, 16), running=user.running)
                for user in self.row.user
            ),
            apps=tuple(apps),
            shared_users=tuple(self._shared_user(shared, requested[shared.name]) for shared in self.row.shared_user),
            settings=self.row.settings,
            roles={
                user: {f"android.app.role.{role}": tuple(holders) for role, holders in roles.items()}
                for user, roles in self.row.roles.items()
            },
            admins={user: tuple(components) for user, components in self.row.admins.items()},
        )

    def _app(self, row: schema.AppRow, app_id: int, shared_requests: Sequence[str]) -> App:
        made = self.row.phone.factory_time
        first = row.first_installed or made
        on_image = row.system and row.factory is None
        requested = tuple(map(full_name, row.requests))
        data_path = f"/data/app/~~{_token(row.package)}/{row.package}-{_token(row.package, row.version)}"
        flags = ["SYSTEM"] if row.system else []
        flags += ["HAS_CODE", "ALLOW_CLEAR_USER_DATA"]
        app = App(
            package=row.package,
            labels=row.label,
            app_id=app_id,
            shared_user=row.shared_user,
            code_path=row.path if on_image and row.path else data_path,
            abi=None if row.system else "arm64-v8a",
            version_code=row.version_code,
            version_name=row.version,
            min_sdk=row.min_sdk,
            target_sdk=row.target_sdk,
            splits=tuple(row.splits),
            flags=(*flags, *(["UPDATED_SYSTEM_APP"] if row.factory else []), "ALLOW_BACKUP"),
            private_flags=tuple(row.private_flags),
            queries=tuple(row.queries),
            updated=made if on_image else row.updated or first,
            installer=row.installer,
            initiating=row.initiating or row.installer,
            originating=row.originating,
            package_source=row.source,
            declared=row.declares,
            requested=requested,
            install_permissions=() if row.shared_user else _install_permissions(requested),
            installs={user: self._install(row, user, first, shared_requests) for user in self.users},
        )
        if row.factory is None:
            return app
        return _with_factory(app, row.factory, flags, made)

    def _install(self, row: schema.AppRow, user: int, first: datetime, shared_requests: Sequence[str]) -> Install:
        said = next((install for install in row.user if install.id == user), None)
        if said is None:
            said = schema.InstallRow(id=user, installed=row.system or (user == 0 and not row.user))
        own = () if row.shared_user else tuple(map(full_name, row.requests))
        grants = tuple(
            _grant(name, said.grants, said.flags, system=row.system, touched=said.installed)
            for name in own
            if name in RUNTIME_OPS
        )
        held = grants
        if row.shared_user is not None:
            held = self._shared_grants(self.shared[row.shared_user], shared_requests)
        modes = _uid_modes(held, row.target_sdk) if said.installed else {}
        return Install(
            user=user,
            installed=said.installed,
            stopped=not said.installed and not row.system,
            not_launched=not said.installed and not row.system,
            enabled=schema.ENABLED.index(said.enabled),
            install_reason=4 if said.installed and not row.system else 0,
            uninstall_reason=1 if row.system and not said.installed else 0,
            first_installed=said.first_installed or (first if user == 0 else self.epoch),
            ce_inode=_number(row.package, user) % 900_000 + 1_000 if said.installed else 0,
            overlays=(_NAVIGATION,) if said.installed and user == 0 else (),
            legacy_overlays=(_NAVIGATION,) if said.installed and user == 0 else (),
            gids=_gids(own),
            grants=grants,
            uid_modes={**modes, **said.uid_modes},
            ops=_ops(said.ops),
            process_state=said.state,
        )

    def _shared_user(self, row: schema.SharedUserRow, requested: Sequence[str]) -> SharedUser:
        return SharedUser(
            name=row.name,
            app_id=row.app_id,
            install_permissions=_install_permissions(requested),
            grants=dict.fromkeys(self.users, self._shared_grants(row, requested)),
            gids=_gids(requested),
        )

    def _shared_grants(self, row: schema.SharedUserRow, requested: Sequence[str]) -> tuple[Grant, ...]:
        names = (name for name in dict.fromkeys(requested) if name in RUNTIME_OPS)
        return tuple(_grant(name, row.grants, {}, system=True, touched=True) for name in names)
