// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { expect, test } from "vitest";
import ClassList from "../../src/view/components/ClassList.vue";
import { EMPTY_ROOM, reduce } from "../../src/room/reducer";
import type { ClassLine, RecordingPolicy } from "../../src/protocol/messages";
import { lessonEvent } from "../support/fake_socket";

const room = [
  lessonEvent(1, "joined", { participant_id: "c-1", role: "receiving_class", name: "阜平一小", headcount: 43 }),
  lessonEvent(2, "joined", { participant_id: "c-2", role: "receiving_class", name: "张北实验小学", headcount: null }),
].reduce((state, one) => reduce(state, one), EMPTY_ROOM);

const line = (participant_id: string, fields: Partial<ClassLine> = {}): ClassLine => ({
  participant_id,
  rtt_ms: 181.4,
  loss: 0.06,
  rung: "medium",
  protocol: "udp",
  ...fields,
});

const list = (lines: ClassLine[], state = room, policy: RecordingPolicy = "consented") =>
  mount(ClassList, { props: { room: state, nowMs: 0, mayCall: true, policy, lines, speaking: [] } });

test("each class has its line: a word, its rung, loss and delay", () => {
  const lines = list([line("c-2"), line("c-1", { rung: "audio", rtt_ms: null, loss: 0 })]).findAll("[data-testid=class-line]");
  expect(lines.map((one) => one.findAll("span").map((part) => part.text()))).toEqual([
    ["较差 · 仅声音", "丢包 0% · 延时 – 毫秒"],
    ["一般 · 标清", "丢包 6% · 延时 181 毫秒"],
  ]);
});

test("a class that nothing is known of, or that is away, has none", () => {
  const away = reduce(room, lessonEvent(3, "away", { participant_id: "c-1", away: true }));
  expect(list([line("c-1")], away).findAll("[data-testid=class-line]")).toHaveLength(0);
  expect(list([]).findAll("[data-testid=class-line]")).toHaveLength(0);
});

test("a teacher sees which classes are not recorded, where each class decides that itself", () => {
  const payload = { participant_id: "c-1", given: true, name: "阜平一小", headcount: 43 };
  const consented = reduce(room, lessonEvent(3, "consent", payload));
  const shown = (policy: RecordingPolicy) =>
    ["c-1", "c-2"].filter((id) => list([], consented, policy).find(`[data-testid=unrecorded-${id}]`).exists());
  expect(shown("consented")).toEqual(["c-2"]);
  expect(shown("all")).toEqual([]);
});
