"""The terminal's outbox file."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from goalrunner_notifier.adapters.terminal import TerminalChannel, read_outbox
from goalrunner_notifier.ports import Notice, NoticeKind


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.jsonl"


def notice(key: str = "q-1", text: str = "zwei\nZeilen") -> Notice:
    return Notice(key=key, kind=NoticeKind.QUESTION, title="Wohnung", text=text, options=("a", "b"))


def test_what_was_sent_is_read_from_the_offset_on(outbox: Path) -> None:
    channel = TerminalChannel(outbox)
    first = channel.send(notice())
    posted, offset = read_outbox(outbox)
    assert [(each.id, each.edited, each.notice) for each in posted] == [(first, False, notice())]
    assert read_outbox(outbox, offset) == ([], offset)
    channel.edit(first, notice(text="answered"))
    posted, _ = read_outbox(outbox, offset)
    assert [(each.id, each.edited, each.notice.text) for each in posted] == [(first, True, "answered")]


def test_the_same_notice_has_the_same_id(outbox: Path) -> None:
    channel = TerminalChannel(outbox)
    assert channel.send(notice()) == channel.send(notice()) != channel.send(notice("q-2"))


def test_nothing_was_posted_where_there_is_no_file(outbox: Path) -> None:
    assert read_outbox(outbox) == ([], 0)


def test_half_a_line_waits_for_its_end(outbox: Path) -> None:
    TerminalChannel(outbox).send(notice())
    whole = outbox.read_bytes()
    outbox.write_bytes(whole[:-5])
    assert read_outbox(outbox) == ([], 0)
    outbox.write_bytes(whole)
    assert len(read_outbox(outbox)[0]) == 1


def test_half_a_line_of_a_killed_writer_spoils_no_other(outbox: Path) -> None:
    channel = TerminalChannel(outbox)
    channel.send(notice())
    outbox.write_bytes(outbox.read_bytes()[:-5])
    channel.send(notice())
    posted, offset = read_outbox(outbox)
    assert [each.notice.key for each in posted] == ["q-1"]
    assert offset == outbox.stat().st_size


def test_writers_at_once_do_not_mix_their_lines(outbox: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: TerminalChannel(outbox).send(notice(f"q-{n}", "x" * 5000)), range(40)))
    assert {each.notice.key for each in read_outbox(outbox)[0]} == {f"q-{n}" for n in range(40)}
