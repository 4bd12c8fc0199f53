// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { beforeAll, expect, test } from "vitest";
import ClassWall from "../../src/view/components/ClassWall.vue";
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
  mount(ClassWall, { props: { room: state, nowMs: 0, mayCall: true, mayRemove: true, policy, lines, speaking: [], mediaOf: () => ({ picture: null, sound: null }) } });

test("who looks on is counted, and neither a teacher's second window nor a class's second device", () => {
  const joined = (seq: number, participant_id: string, role: string) => lessonEvent(seq, "joined", { participant_id, role, name: "", headcount: null });
  const wall = (...more: ReturnType<typeof joined>[]) => list([], more.reduce((state, one) => reduce(state, one), room)).find(".observers");
  const own = [joined(3, "t-5e1f", "lead_teacher"), joined(4, "o-5e1f-0a1b", "observer"), joined(5, "c-2-77aa", "observer")];
  expect(wall(...own).exists()).toBe(false);
  expect(wall(...own, joined(6, "o-93bc-0a1b", "observer")).text()).toBe("听课者 1 位");
});

test("each class has its line: a word, its rung, loss and delay", () => {
  const lines = list([line("c-2"), line("c-1", { rung: "audio", rtt_ms: null, loss: 0 })]).findAll("[data-testid=class-line]");
  expect(lines.map((one) => one.findAll("span").map((part) => part.text()))).toEqual([
    ["较差 · 仅声音", "丢包 0%"],
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

beforeAll(() => {
  HTMLDialogElement.prototype.showModal ??= () => undefined; // jsdom has none
});

const fold = (...events: Parameters<typeof reduce>[1][]) => events.reduce((state, one) => reduce(state, one), room);
const third = lessonEvent(3, "joined", { participant_id: "c-3", role: "receiving_class", name: "康保二小", headcount: 40 });
const floorOf = (seq: number, id: string) => lessonEvent(seq, "floor", { participant_id: id, granted: true });

test("one press gives a class the floor, and the next takes it back", async () => {
  const wall = list([]);
  await wall.find("[data-testid=floor-c-1]").trigger("click");
  const speaking = list([], fold(floorOf(3, "c-1")));
  await speaking.find("[data-testid=floor-c-1]").trigger("click");
  await speaking.find("[data-testid=stage-c-1]").trigger("click");
  expect([...(wall.emitted("ask") ?? []), ...(speaking.emitted("ask") ?? [])].flat()).toEqual([
    { type: "floor", participant_id: "c-1", granted: true },
    { type: "floor", participant_id: "c-1", granted: false },
    { type: "on_stage", participant_id: "c-1" },
  ]);
});

test("a third class is asked whom it replaces, and nothing happens before the answer", async () => {
  const wall = list([], fold(third, floorOf(4, "c-1"), floorOf(5, "c-2")));
  await wall.find("[data-testid=floor-c-3]").trigger("click");
  expect(wall.emitted("ask")).toBeUndefined();
  await wall.find("[data-testid=replace-c-2]").trigger("click");
  expect(wall.emitted("ask")?.flat()).toEqual([
    { type: "floor", participant_id: "c-2", granted: false },
    { type: "floor", participant_id: "c-3", granted: true },
  ]);
  expect(wall.find("[data-testid=replace]").exists()).toBe(false);
});

test("a class that only watches is promoted by one press", async () => {
  const wall = list([], fold(lessonEvent(3, "mode", { participant_id: "c-2", mode: "view_only" })));
  await wall.find("[data-testid=floor-c-2]").trigger("click");
  expect(wall.emitted("ask")?.flat()).toEqual([{ type: "mode", participant_id: "c-2", mode: "interactive" }]);
});

test("the focus stays on a class whose card goes to another place", async () => {
  const wall = mount(ClassWall, {
    attachTo: document.body,
    props: { room, nowMs: 0, mayCall: true, mayRemove: true, policy: "all", lines: [], speaking: [], mediaOf: () => ({ picture: null, sound: null }) },
  });
  const call = wall.find("[data-testid=floor-c-2]").element as HTMLElement;
  call.focus();
  await wall.setProps({ room: fold(floorOf(3, "c-2")) });
  expect(wall.findAll("[data-testid=participant-row]")[0]?.attributes("data-participant-id")).toBe("c-2");
  expect(document.activeElement).toBe(call);
  wall.unmount();
});
