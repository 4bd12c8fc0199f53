from recorder.boxes import DELTA_FLAGS, KEY_FLAGS, SampleSpan, fragment, samples


def test_samples_are_found_where_fragments_of_every_shape_put_them() -> None:
    data = fragment(1, 100, [3, 4], [2, 3], (KEY_FLAGS, DELTA_FLAGS), b"abcde")  # with flags
    data += fragment(2, 107, [5, 5], [1, 1], (), b"fg")  # of even durations
    data += fragment(3, 117, [5, 6], [1, 1], (), b"hi")
    found = list(samples(data))
    assert [data[span.offset :][: span.size] for span in found] == [b"ab", b"cde", b"f", b"g", b"h", b"i"]
    assert [(span.start, span.duration) for span in found] == [
        (100, 3),
        (103, 4),
        (107, 5),
        (112, 5),
        (117, 5),
        (122, 6),
    ]
    assert [span.key for span in found] == [True, False, True, True, True, True]


def test_a_torn_fragment_gives_no_samples() -> None:
    whole = fragment(1, 0, [3], [2], (), b"ab")
    assert [(span.start, span.size) for span in samples(whole + fragment(2, 3, [3], [2], (), b"cd")[:-1])] == [(0, 2)]
    assert isinstance(next(samples(whole)), SampleSpan)
