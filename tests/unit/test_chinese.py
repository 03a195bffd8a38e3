"""Spacing of Chinese sentences whose gaps were filled."""

import pytest

from wizard.model.chinese import closed


@pytest.mark.parametrize(
    ("filled", "read"),
    [
        ("家用路由器 没有转发 udp 10000。", "家用路由器没有转发 udp 10000。"),
        ("Home router 没有转发 udp 10000。", "Home router 没有转发 udp 10000。"),
        ("位于 家用路由器 或 NAS。", "位于家用路由器或 NAS。"),
        ("Nothing here is Chinese.", "Nothing here is Chinese."),
    ],
)
def test_a_chinese_name_stands_close_and_a_latin_one_keeps_its_spaces(filled, read):
    assert closed(filled) == read
