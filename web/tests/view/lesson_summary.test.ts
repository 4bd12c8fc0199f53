// @vitest-environment jsdom
import { mount, RouterLinkStub } from "@vue/test-utils";
import { nextTick, shallowRef } from "vue";
import { expect, test } from "vitest";
import type { PresenceState } from "../../src/presence/presence";
import { EMPTY_ROOM, reduce } from "../../src/room/reducer";
import LessonSummary from "../../src/view/components/LessonSummary.vue";
import "../../src/view/studio_words";
import { useAttendance } from "../../src/view/use_attendance";
import { lessonEvent } from "../support/fake_socket";

const joined = (seq: number, participant_id: string, name: string, headcount: number) =>
  lessonEvent(seq, "joined", { participant_id, role: "receiving_class", name, headcount });

test("whoever took part is counted once, also a class that left, or came back as another participant", async () => {
  const state = shallowRef({ room: EMPTY_ROOM } as PresenceState);
  const attended = useAttendance(state);
  const events = [
    lessonEvent(1, "started", {}),
    joined(2, "c-1", "阜平一小", 43),
    joined(3, "c-2", "张北实验小学", 38),
    lessonEvent(4, "left", { participant_id: "c-1", reason: "lost" }),
    joined(5, "c-3", "阜平一小", 42),
    lessonEvent(6, "left", { participant_id: "c-2", reason: "left" }),
  ];
  for (const event of events) {
    state.value = { ...state.value, room: reduce(state.value.room, event) };
    await nextTick();
  }
  expect(attended.value.map((one) => [one.name, one.headcount])).toEqual([["阜平一小", 42], ["张北实验小学", 38]]);
});

test("after the lesson stand its length, its classes with their pupils, and the way to the replay", () => {
  const classes = [{ id: "c-1", name: "阜平一小", headcount: 43 }, { id: "c-2", name: "", headcount: null }];
  const summary = (unrecorded: boolean) =>
    mount(LessonSummary, { props: { id: "l-1", time: "40:12", unrecorded, lead: 36, classes }, global: { stubs: { RouterLink: RouterLinkStub } } });
  const text = summary(false).find("[data-testid=summary]").findAll("tr").map((row) => row.text());
  expect(text).toEqual(["本班36 人", "阜平一小43 人", "未填名称的班级未填人数"]);
  expect(summary(false).text()).toContain("40:12");
  expect(summary(false).find("[data-testid=copy-replay]").exists()).toBe(true);
  expect(summary(true).find("[data-testid=copy-replay]").exists()).toBe(false);
});
