from recorder.webm import BlockSpan, blocks, cluster, clusters


def test_the_frames_of_a_cluster_are_found_with_their_times() -> None:
    data = b"head" + cluster(5000, [5000, 5040, 5999], [b"key", b"", b"delta"], [True, False, False])
    (span,) = clusters(data, 4)
    found = list(blocks(data, span))
    assert [data[block.offset :][: block.size] for block in found] == [b"key", b"", b"delta"]
    assert [(block.at_ms, block.key) for block in found] == [(5000, True), (5040, False), (5999, False)]
    assert isinstance(found[0], BlockSpan)
