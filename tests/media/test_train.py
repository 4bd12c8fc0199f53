"""media/train.py: a line is measured by packets that carry nothing, and never by more than was asked for."""

from __future__ import annotations

import pytest

from media.messages import Count, Counted, Done, Place, Placement, Refused, SendTrain
from media.rtcp import Nack
from media.train import BEHIND, LARGEST, MAX_TRAINS, MOST_PACKETS
from tests.support.flow import World


def counted(world: World, name: str) -> Counted:
    reply = world.worker.handle(Count(name), world.now)
    assert isinstance(reply, Counted), reply
    return reply


def test_a_browser_gets_as_many_packets_as_were_counted() -> None:
    world = World()
    browser = world.viewer(audio=1, video=0)
    assert world.worker.handle(SendTrain("class", 200, 300, 1.0), world.now) == Done()
    world.pass_time(1.5)
    said = counted(world, "class")
    assert said.packets == len(browser.packets) == pytest.approx(200, abs=2)
    assert said.octets == sum(len(packet.data) for packet in browser.packets) == said.packets * 312
    assert [packet.sequence for packet in browser.packets] == list(range(said.packets))


def test_nothing_goes_when_the_time_is_over() -> None:
    world = World()
    world.viewer(audio=1, video=0)
    world.worker.handle(SendTrain("class", 200, 20, 0.5), world.now)
    assert not world.worker.calm
    world.pass_time(1.0)
    sent = counted(world, "class").packets
    world.pass_time(1.0)
    assert counted(world, "class").packets == sent
    assert world.worker.calm


def test_more_than_a_line_is_measured_with_is_cut_down() -> None:
    world = World()
    browser = world.viewer(audio=1, video=0)
    world.worker.handle(SendTrain("class", 10**6, 10**6, 1.0), world.now)
    world.pass_time(1.0)
    assert len(browser.packets) <= MOST_PACKETS + 1
    assert {len(packet.data) for packet in browser.packets} == {LARGEST + 12}


def test_what_a_late_tick_missed_is_left_out() -> None:
    world = World()
    browser = world.viewer(audio=1, video=0)
    world.worker.handle(SendTrain("class", 100, 20, 10.0), world.now)
    world.now += 5.0
    world.worker.tick(world.now)
    world.settle()
    assert len(browser.packets) == 100 * BEHIND


def test_a_slot_that_carries_something_takes_no_train() -> None:
    world = World()
    world.publisher()
    viewer = world.viewer(audio=1, video=0)
    world.handle(Place("class", (Placement("0", "teacher-0"),)))
    reply = world.worker.handle(SendTrain(viewer.name, 100, 20, 1.0), world.now)
    assert isinstance(reply, Refused)
    assert reply.code == "unknown_slot"


def test_lines_are_measured_a_few_at_a_time() -> None:
    world = World()
    for number in range(MAX_TRAINS + 1):
        world.viewer(f"class-{number}", audio=1, video=0)
        reply = world.worker.handle(SendTrain(f"class-{number}", 10, 20, 1.0), world.now)
    assert isinstance(reply, Refused)
    assert reply.code == "limit_reached"


def test_of_a_browser_that_sends_it_is_counted_what_came_and_what_should_have() -> None:
    world = World()
    browser = world.publisher()
    before = counted(world, "teacher")
    assert (before.packets, before.expected, before.octets) == (0, 0, 0)
    for sequence in (0xFFFE, 0xFFFF, 2, 1):
        browser.say(sequence)
    world.settle()
    after = counted(world, "teacher")
    assert (after.packets, after.expected) == (4, 5)
    assert after.octets > 0


def test_what_a_counted_browser_sends_is_neither_asked_for_again_nor_passed_on() -> None:
    world = World()
    browser = world.publisher()
    viewer = world.viewer()
    world.place(viewer, mid0="teacher-0")
    counted(world, "teacher")
    for sequence in (1, 4):
        browser.say(sequence)
    world.pass_time(0.5)
    assert not browser.told(Nack)
    assert not viewer.packets


def test_a_transport_that_is_not_there_is_neither_counted_nor_sent_to() -> None:
    world = World()
    world.publisher()
    for request in (SendTrain("nobody", 1, 1, 1.0), SendTrain("teacher", 1, 1, 1.0), Count("nobody")):
        reply = world.worker.handle(request, world.now)
        assert isinstance(reply, Refused)
        assert reply.code == "unknown_transport"
