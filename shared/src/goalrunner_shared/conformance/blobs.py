"""What every Blobs must do."""

import pytest

from goalrunner_shared.blobs import Blobs, fetch, store
from goalrunner_shared.conformance.racing import RACERS, race
from goalrunner_shared.errors import PermanentError, TransientError

CONTENTS = (b"", b"\x00\xff\r\n", "Größe ☀️".encode(), b"x" * 1_000_000)
KEYS = (
    "plain",
    "a folder/with spaces",
    "plus+percent%41&question?hash#",
    "Größe/☀️/naïve",
    "quotes'\"<>`",
    "dots/../../etc",
    "colon:2026-01-01T10:00Z",
    "x" * 900,
)


class BlobsConformance:
    """Give it a fixture `blobs` that is empty for each test."""

    def test_nothing_is_there_at_first(self, blobs: Blobs) -> None:
        assert blobs.get("jobs/none") is None
        assert list(blobs.keys("")) == []

    @pytest.mark.parametrize("content", CONTENTS, ids=["empty", "binary", "text", "1 MB"])
    def test_what_was_put_comes_back(self, blobs: Blobs, content: bytes) -> None:
        blobs.put("jobs/a", content)
        assert blobs.get("jobs/a") == content

    @pytest.mark.parametrize("key", KEYS)
    def test_any_key_keeps_its_spelling(self, blobs: Blobs, key: str) -> None:
        blobs.put(key, b"1")
        assert blobs.get(key) == b"1"
        assert list(blobs.keys("")) == [key]
        assert list(blobs.keys(key[:3])) == [key]

    def test_the_last_put_wins(self, blobs: Blobs) -> None:
        blobs.put("jobs/a", b"1")
        blobs.put("jobs/a", b"2")
        assert blobs.get("jobs/a") == b"2"

    @pytest.mark.parametrize("content", [b"", b"1", b"2"])
    def test_put_new_leaves_alone_what_is_there(self, blobs: Blobs, content: bytes) -> None:
        assert blobs.put_new("jobs/a", b"1")
        assert not blobs.put_new("jobs/a", content)
        assert blobs.get("jobs/a") == b"1"

    def test_put_new_of_the_very_same_bytes_writes_once(self, blobs: Blobs) -> None:
        content = b""
        assert [blobs.put_new("jobs/a", content) for _ in range(3)] == [True, False, False]

    def test_one_of_many_put_new_at_once_wins(self, blobs: Blobs) -> None:
        def attempt(number: int) -> bool:
            try:
                return blobs.put_new("jobs/a", b"%d" % number)
            except TransientError:
                return False

        won = race(attempt)
        assert sum(won) == 1
        assert blobs.get("jobs/a") == b"%d" % won.index(True)

    def test_puts_at_once_are_all_there(self, blobs: Blobs) -> None:
        race(lambda number: blobs.put(f"jobs/{number}", b"%d" % number))
        assert [blobs.get(f"jobs/{number}") for number in range(RACERS)] == [b"%d" % number for number in range(RACERS)]

    def test_keys_come_by_prefix_in_the_order_of_their_bytes(self, blobs: Blobs) -> None:
        keys = ["a/b", "a-b", "a/ä", "a/😀", "a/\uffee", "a/B", "a", "b/a", "a/b/c"]
        for key in keys:
            blobs.put(key, b"")
        assert list(blobs.keys("a/")) == sorted((key for key in keys if key.startswith("a/")), key=str.encode)
        assert list(blobs.keys("a/b")) == ["a/b", "a/b/c"]
        assert list(blobs.keys("none")) == []

    def test_more_keys_than_a_page_are_all_listed(self, blobs: Blobs) -> None:
        expected = [f"jobs/{number:04}" for number in range(1_050)]
        for key in reversed(expected):
            blobs.put(key, b"")
        blobs.put("journal/x", b"")
        assert list(blobs.keys("jobs/")) == expected

    def test_what_was_stored_is_fetched_by_its_reference(self, blobs: Blobs) -> None:
        ref = store(blobs, "events/a", b"content")
        assert (ref.key, ref.bytes) == ("events/a", 7)
        assert fetch(blobs, ref) == b"content"

    def test_fetching_what_is_not_there_yet_is_transient(self, blobs: Blobs) -> None:
        ref = store(blobs, "events/a", b"content").model_copy(update={"key": "events/b"})
        with pytest.raises(TransientError, match="no object at events/b"):
            fetch(blobs, ref)

    def test_fetching_what_was_changed_is_permanent(self, blobs: Blobs) -> None:
        ref = store(blobs, "events/a", b"content")
        blobs.put("events/a", b"Content")
        with pytest.raises(PermanentError, match="not the one that was referred to"):
            fetch(blobs, ref)
