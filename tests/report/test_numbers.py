import pytest

from motet.report.numbers import count, duration, fixed, percent_with_error, plain, signed, significant, with_error

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (1234.5, 3, "1234"),
        (0.012345, 3, "0.0123"),
        (-9.996, 3, "−10.0"),
        (0.0, 3, "0"),
        (-1e-9, 2, "−0.0000000010"),
        (NAN, 3, "–"),
        (INF, 3, "∞"),
    ],
)
def test_significant_digits(value, digits, words):
    assert significant(value, digits) == words


def test_zero_has_no_sign():
    assert fixed(-0.001, 1) == signed(0.001, 1) == "0.0"


@pytest.mark.parametrize(("value", "words"), [(1.26, "+1.3"), (-1.26, "−1.3"), (NAN, "–"), (INF, "+∞")])
def test_a_change_carries_its_sign(value, words):
    assert signed(value, 1) == words


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (0.6231, 0.0412, "0.62 ± 0.04"),
        (0.6231, 0.0142, "0.623 ± 0.014"),
        (0.6231, 0.0961, "0.6 ± 0.1"),
        (-152.7, 23.0, "−153 ± 23"),
        (3.0, 0.0, "3.00"),
        (3.0, NAN, "3.00 ± –"),
    ],
)
def test_the_error_rules_the_last_digit(value, error, words):
    assert with_error(value, error).replace("\u00a0", " ") == words


def test_value_and_unit_stay_on_one_line():
    assert " " not in percent_with_error(0.62, 0.04)


def test_words_around_numbers():
    assert count(1, "state") == "1 state"
    assert count(1656, "atom") == "1\u202f656 atoms"
    assert plain(300.0) == "300"
    assert [duration(s) for s in (0.42, 83, 7500)] == ["0.42 s", "1 min 23 s", "2 h 5 min"]
