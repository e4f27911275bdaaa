from __future__ import annotations

import pytest

from fer_core.access.uploads import (
    MARGIN,
    MB,
    MOST_ARRIVING,
    MOST_FILES,
    Books,
    Place,
    Totals,
    UploadRefusedError,
)

SMALL = Totals(visitor=20 * MB, owner=60 * MB, visitors=30 * MB, server=70 * MB)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def books() -> Books:
    books = Books(SMALL)
    for session in ("ann", "bob", "cyd"):
        books.enter(session, "photo.py")
        books.allow(session, Place.PICTURE, owner=False)
        books.issue(session, [f"{session}{number}" for number in range(MOST_FILES + 10)])
    return books


def status(books: Books, session: str, file: str, announced: int | None) -> int:
    try:
        books.end(books.begin(session, file, announced))
    except UploadRefusedError as error:
        return error.status
    return 200


def test_a_file_larger_than_its_place_takes_is_refused_by_its_length_alone(books: Books) -> None:
    assert status(books, "ann", "ann0", 15 * MB) == 200
    assert status(books, "ann", "ann0", 15 * MB + MARGIN + 1) == 413


def test_a_file_that_does_not_say_its_length_is_broken_off_where_it_becomes_too_large(books: Books) -> None:
    arriving = books.begin("ann", "ann0", None)
    for _ in range(15):
        books.more(arriving, MB)
    with pytest.raises(UploadRefusedError, match="15 MB"):
        books.more(arriving, MB)


def test_nothing_is_taken_on_a_page_without_an_uploader_nor_under_an_id_that_was_not_issued(books: Books) -> None:
    assert status(books, "ann", "made-up", 10) == 403
    assert status(books, "ann", "bob0", 10) == 403
    assert status(books, "nobody", "ann0", 10) == 403
    books.enter("ann", "limits.py")
    assert status(books, "ann", "ann0", 10) == 403
    with pytest.raises(UploadRefusedError):
        books.keep("ann", "ann0", 10)


def test_a_run_of_the_same_page_takes_nothing_away_from_an_upload_under_way(books: Books) -> None:
    arriving = books.begin("ann", "ann0", MB)
    books.enter("ann", "photo.py")
    books.more(arriving, MB)
    books.keep("ann", "ann0", MB)
    books.end(arriving)
    assert books.held("ann") == MB


def test_a_session_holds_no_more_than_its_share_and_gets_it_back_file_by_file(books: Books) -> None:
    books.keep("ann", "ann0", 15 * MB)
    assert status(books, "ann", "ann1", 6 * MB) == 413
    assert "20 MB" in books.why_refused("ann")
    assert books.why_refused("ann") == ""
    with pytest.raises(UploadRefusedError):
        books.keep("ann", "ann1", 6 * MB)
    books.keep("ann", "ann0", 14 * MB)  # the same file anew, not one more
    books.drop("ann", "ann0")
    assert status(books, "ann", "ann1", 6 * MB) == 200
    assert books.held() == 0


def test_visitors_together_hold_no_more_than_theirs_and_an_owner_still_gets_in(books: Books) -> None:
    books.keep("ann", "ann0", 15 * MB)
    books.keep("bob", "bob0", 15 * MB)
    assert status(books, "cyd", "cyd0", MB) == 503
    books.allow("cyd", Place.DATA, owner=True)
    assert status(books, "cyd", "cyd0", 40 * MB) == 200
    assert status(books, "cyd", "cyd0", 41 * MB) == 503
    books.leave("ann")
    assert status(books, "bob", "bob1", MB) == 200


def test_what_is_still_arriving_counts(books: Books) -> None:
    arriving = books.begin("ann", "ann0", None)
    books.more(arriving, 12 * MB)
    assert status(books, "ann", "ann1", 9 * MB) == 413
    books.end(arriving)
    assert status(books, "ann", "ann1", 9 * MB) == 200


def test_who_is_an_owner_no_longer_uploads_like_a_visitor(books: Books) -> None:
    books.allow("ann", Place.PICTURE, owner=True)
    assert status(books, "ann", "ann0", 40 * MB) == 200
    books.allow("ann", Place.PICTURE, owner=False)
    assert status(books, "ann", "ann0", 40 * MB) == 413


def test_many_small_files_are_bounded_in_number(books: Books) -> None:
    for number in range(MOST_FILES):
        books.keep("ann", f"ann{number}", 1)
    assert status(books, "ann", f"ann{MOST_FILES}", 1) == 429


def test_many_uploads_at_once_are_bounded_in_number(books: Books) -> None:
    arriving = [books.begin("ann", f"ann{number}", 1) for number in range(MOST_ARRIVING)]
    assert status(books, "ann", "ann50", 1) == 429
    books.end(arriving[0])
    assert status(books, "ann", "ann50", 1) == 200


def test_an_upload_of_a_session_that_ends_meanwhile_is_broken_off(books: Books) -> None:
    arriving = books.begin("ann", "ann0", None)
    books.leave("ann")
    with pytest.raises(UploadRefusedError):
        books.more(arriving, 1)
    with pytest.raises(UploadRefusedError):
        books.keep("ann", "ann0", 1)


def test_who_was_away_for_long_is_gone_and_who_came_back_is_not() -> None:
    clock = Clock()
    books = Books(SMALL, clock)
    for session in ("ann", "bob"):
        books.enter(session, "home.py")
    assert books.gone(lambda _: False, 30) == []
    clock.now = 20
    assert books.gone(lambda session: session == "bob", 30) == []
    clock.now = 40
    assert books.gone(lambda _: False, 30) == ["ann"]


def test_a_small_server_takes_less() -> None:
    small = Totals.within(400 * MB)
    assert small.visitors == small.visitor == 100 * MB
    assert small.server == small.owner == 200 * MB
    assert Totals.within(64_000 * MB) == Totals()


def test_every_place_takes_no_more_from_a_visitor_than_from_an_owner_and_data_from_owners_alone() -> None:
    assert all(place.megabytes(owner=False) <= place.megabytes(owner=True) for place in Place)
    assert Place.DATA.megabytes(owner=False) == Place.FERPLUS.megabytes(owner=False) == 0


def test_a_file_that_is_on_its_way_cannot_be_sent_a_second_time(books: Books) -> None:
    """The one that came first forgot what the other had sent, so that a session could send without end."""
    first = books.begin("ann", "ann0", None)
    books.more(first, 15 * MB)
    assert status(books, "ann", "ann0", 1) == 409
    with pytest.raises(UploadRefusedError):
        books.more(first, 15 * MB)
    books.end(first)
    assert status(books, "ann", "ann0", 1) == 200


def test_files_of_a_page_that_was_left_stayed_in_the_books_until_the_visit_ended(books: Books) -> None:
    books.keep("ann", "ann0", 15 * MB)
    assert books.enter("ann", "photo.py") == []
    assert books.held("ann") == 15 * MB
    assert books.enter("ann", "limits.py") == ["ann0"]
    assert books.held() == 0


def test_what_was_on_its_way_to_a_page_that_was_left_is_not_kept_on_the_next(books: Books) -> None:
    arriving = books.begin("ann", "ann0", MB)
    books.enter("ann", "dataset.py")
    books.allow("ann", Place.PICTURE, owner=False)
    with pytest.raises(UploadRefusedError):
        books.keep("ann", "ann0", MB)
    books.end(arriving)
    assert status(books, "ann", "ann1", MB) == 403
    books.issue("ann", ["new"])
    assert status(books, "ann", "new", MB) == 200


def test_files_of_another_part_of_the_page_are_dropped_and_its_limit_with_them(books: Books) -> None:
    assert books.turn_to("ann", "Video") == []
    books.allow("ann", Place.VIDEO, owner=False)
    books.keep("ann", "ann0", 16 * MB)
    assert books.turn_to("ann", "Video") == []
    assert books.turn_to("ann", "Upload") == ["ann0"]
    books.allow("ann", Place.PICTURE, owner=False)
    books.issue("ann", ["new"])
    assert status(books, "ann", "new", 16 * MB) == 413
