"""Apps that only fill a phone: weather, chess, bus times. Invented, from the store, none of them lends.

A story asks for them with ``[ordinary]``: ``count`` apps out of the list below, in its order; ``seed`` decides what
the owner allowed each of them and when it was installed, the same in every run.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Final

from privaudit.virtual_phone.dump_writers.android import PERMISSION_FIRST_SDK, full_permission_name
from privaudit.virtual_phone.scenario.schema import AppRow, FillerAppsRow, GrantWord, InstallRow, OpRow

_BASE_PERMISSIONS: Final = ("INTERNET", "ACCESS_NETWORK_STATE", "WAKE_LOCK", "POST_NOTIFICATIONS")
_PERMISSIONS_BY_KIND: Final[dict[str, tuple[str, ...]]] = {
    "plain": (),
    "camera": ("CAMERA", "READ_MEDIA_IMAGES"),
    "media": ("READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO", "READ_EXTERNAL_STORAGE", "WRITE_EXTERNAL_STORAGE"),
    "sound": ("RECORD_AUDIO", "READ_MEDIA_AUDIO"),
    "place": ("ACCESS_COARSE_LOCATION", "ACCESS_FINE_LOCATION"),
    "dates": ("READ_CALENDAR", "WRITE_CALENDAR"),
    "people": ("READ_CONTACTS", "GET_ACCOUNTS", "CAMERA"),
    "steps": ("ACTIVITY_RECOGNITION", "BODY_SENSORS"),
}
_APP_TABLE: Final = """
weather 天气早知道 place|notes 随手记事 plain|chess 象棋小院 plain|bus 公交到站 place|subway 地铁换乘 place
recipe 家常菜谱 plain|music 听歌 sound|radio 收音机 plain|dictionary 词典 plain|translate 翻译 camera
alarm 闹钟 plain|torch 手电筒 camera|scanner 扫描 camera|podcast 播客 sound|reader 阅读 media
comics 漫画 media|gomoku 五子棋 plain|puzzle 拼图 plain|running 跑步 steps|yoga 瑜伽 plain
sleep 睡眠 sound|parcel 查快递 camera|takeaway 点外卖 place|grocer 买菜 place|florist 花店 plain
cinema 电影票 place|trains 火车票 place|flights 机票 place|hotels 订酒店 place|parking 停车 place
charging 充电桩 place|cycling 骑行 steps|maps 地图 place|hiking 爬山 steps|fishing 钓鱼 place
garden 园艺 camera|pets 养宠物 camera|babycare 育儿 media|homework 作业帮手 camera|quiz 刷题 plain
words 背单词 sound|piano 练琴 sound|guitar 吉他调音 sound|karaoke 唱歌 sound|painting 画板 media
photoedit 修图 media|collage 拼贴 media|wallpaper 壁纸 media|cleaner 文件整理 media|backup 云备份 media
mail 邮箱 people|meeting 会议 people|office 文档 media|sheets 表格 media|slides 幻灯片 media
pdf 看文档 media|printer 打印 media|remote 遥控器 plain|smarthome 智能家 place|vacuum 扫地机 place
news 新闻 plain|forum 论坛 media|shortvideo 短视频 people|live 直播 sound|jobs 找工作 place
clinic 挂号 camera|pharmacy 买药 place|fitness 健身 steps|calendarplus 日程 dates|birthday 生日提醒 people
lunar 农历 dates|stocks 看行情 plain|lottery 开奖查询 plain|express 寄件 people|callguard 来电识别 people
carpool 拼车 place|secondhand 闲置 camera|games 小游戏 plain|sudoku 数独 plain|blocks 方块 plain
racing 赛车 plain|farm 农场 plain|tailor 裁缝 plain|pottery 陶艺 plain|library 图书馆 plain
"""
_FIRST_INSTALL: Final = datetime.fromisoformat("2023-02-01T09:30:12")
_INSTALL_SPAN_DAYS: Final = 700
"""The first app came at `_FIRST_INSTALL`, the last so many days later."""
_ALLOWED_OF_SIX: Final = {"people": 2}
"""How often, out of six, a permission of that kind is allowed; three where it is not named."""


_FILLER_APPS: Final = tuple(
    tuple(entry.split()) for line in _APP_TABLE.split("\n") for entry in line.split("|") if entry
)
MAX_FILLER_APPS: Final = len(_FILLER_APPS)
"""So many apps there are to ask for."""


def filler_apps(row: FillerAppsRow | None, sdk: int) -> tuple[AppRow, ...]:
    """The apps that `row` asks for on a phone of `sdk`; none where the story has no ``[ordinary]``."""
    if row is None:
        return ()
    return tuple(_filler_app(word, label, kind, row, sdk) for word, label, kind in _FILLER_APPS[: row.count])


def _filler_app(word: str, label: str, kind: str, row: FillerAppsRow, sdk: int) -> AppRow:
    dice = blake2s(f"{row.seed}:{word}".encode()).digest()
    first = _FIRST_INSTALL + timedelta(days=(dice[0] * 256 + dice[1]) % _INSTALL_SPAN_DAYS)
    asked = ("POST_NOTIFICATIONS", *_PERMISSIONS_BY_KIND[kind])
    grants: dict[str, GrantWord] = {}
    ops = []
    for number, name in enumerate(asked):
        if sdk < PERMISSION_FIRST_SDK.get(full_permission_name(name), 0):
            continue  # asked for in vain
        die = dice[2 + number] % 6
        if die < _ALLOWED_OF_SIX.get(kind, 3):
            grants[name] = "allowed"
        elif die < 5:  # noqa: PLR2004 - the sixth face: never asked
            grants[name] = "denied"
    for op, permission in (("COARSE_LOCATION", "ACCESS_COARSE_LOCATION"), ("CAMERA", "CAMERA")):
        if grants.get(permission) == "allowed":
            ops.append(OpRow(op=op, access=timedelta(days=dice[8] % 20, hours=dice[9] % 24, milliseconds=417)))
    if grants.get("READ_CONTACTS") == "allowed":
        ops.append(OpRow(op="READ_CONTACTS", access=timedelta(days=dice[10] % 30, minutes=dice[11], seconds=7)))
    ops.append(OpRow(op="WAKE_LOCK", access=timedelta(hours=dice[12] % 48, seconds=dice[13]), state="bg"))
    return AppRow(
        package=f"com.example.{word}",
        label={"zh-CN": label, "en": word.capitalize()},
        version=f"{dice[14] % 9 + 1}.{dice[15] % 20}.{dice[16] % 10}",
        version_code=1000 + dice[17],
        target_sdk=31 + dice[18] % 4,
        splits=["config.arm64_v8a", "config.xxhdpi", "config.zh"] if dice[19] % 2 else [],
        first_installed=first,
        updated=first + timedelta(days=dice[20] % 60, seconds=dice[21]),
        installer=row.installer,
        source=2,
        requests=[*_BASE_PERMISSIONS, *_PERMISSIONS_BY_KIND[kind]],
        user=[InstallRow(id=0, grants=grants, ops=ops)],
    )
