// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Lesson } from "../../src/protocol/api";
import type { School } from "../../src/protocol/planning";
import LessonForm from "../../src/view/components/LessonForm.vue";
import "../../src/view/planning_words";
import { fromLocal } from "../../src/view/format";

const LAST: Lesson = {
  lesson_id: "l-1",
  title: "草原",
  kind: "synchronous_lesson",
  class_code: "123456",
  join_url: "/class#123456",
  status: "ended",
  created_at: "2026-11-23T08:00:00Z",
  started_at: null,
  ended_at: null,
  recording: "none",
  recording_policy: "teacher_only",
  may_run: true,
  may_lead: true,
  starts_at: "2026-11-23T08:00:00Z",
  subject: "语文",
  grade: "六年级",
  rehearsal: false,
  classes: [{ class_group_id: "c-1", school: "阜平一小", name: "六(2)班", headcount: 43, code: "12345678" }],
};
const SCHOOLS: School[] = [
  { school_id: "s-1", name: "阜平一小", region: "", classes: ["c-1", "c-2"].map((id) => ({ class_group_id: id, name: id, headcount: null, code: null, consent_until: null })), kept: false },
];

const asked = vi.fn<(path: string, options: RequestInit) => Promise<Response>>();
const written = () => asked.mock.calls.filter(([, options]) => options.method !== "GET");
const sent = () => JSON.parse(String(written()[0]?.[1].body));
const SLIDES = { slides_id: "0123456789abcdef", title: "草原", state: "ready", done: 4, pages: 4, reason: null };
let slides: object[] = [];
let refuses = false; // to take them over
beforeEach(() => {
  [slides, refuses] = [[], false];
  vi.stubGlobal("fetch", asked.mockImplementation(async (path) => {
    if (path.endsWith("/materials")) return refuses ? new Response("{}", { status: 503 }) : new Response(JSON.stringify({ slides: 1, handouts: 0 }));
    return new Response(JSON.stringify(path.endsWith("/slides") ? { slides } : path.endsWith("/handouts") ? { handouts: [] } : { ...LAST, lesson_id: "l-2" }));
  }));
});
afterEach(() => {
  vi.unstubAllGlobals();
  asked.mockReset();
});

function form(props: object = {}) {
  const shown = mount(LessonForm, { props: { schools: SCHOOLS, last: null, ...props } });
  const field = (id: string) => shown.get(`[data-testid=${id}]`);
  const into = () => shown.get("[data-testid=lesson-title]").trigger("focusin");
  const submit = () => shown.get("form").trigger("submit").then(flushPromises);
  return { shown, field, into, submit };
}

test("a name is enough for a lesson, and without one nothing is sent", async () => {
  const { shown, field, submit } = form();
  await submit();
  expect(asked).not.toHaveBeenCalled();
  expect(shown.get("[data-testid=problem]").text()).toContain("课的名称");
  await field("lesson-title").setValue(" 草原 ");
  await submit();
  expect(sent()).toEqual({ title: "草原", recording_policy: "consented", starts_at: null, kind: "delivered_class", subject: "", grade: "", class_group_ids: [] });
  expect(shown.emitted("done")).toHaveLength(1);
});

test("a lesson for later has its time and the classes that were ticked", async () => {
  const { shown, field, into, submit } = form();
  expect(shown.find("[data-testid=lesson-starts-at]").exists()).toBe(false); // the list of lessons stands right below
  await into();
  await field("lesson-title").setValue("草原");
  await field("lesson-starts-at").setValue("2026-11-24T10:10");
  await field("invite-c-2").setValue(true);
  await submit();
  expect(sent()).toMatchObject({ starts_at: fromLocal("2026-11-24T10:10"), class_group_ids: ["c-2"] });
});

test("what was chosen for the last lesson is taken over, all but its time", async () => {
  const { field, submit } = form({ last: LAST });
  await field("like-last").trigger("click");
  await submit();
  expect(sent()).toMatchObject({ title: "草原", starts_at: null, kind: "synchronous_lesson", subject: "语文", recording_policy: "teacher_only", class_group_ids: ["c-1"] });
});

test("a planned lesson is changed in everything, its name and who is recorded too", async () => {
  const { field, submit } = form({ changing: LAST });
  await field("lesson-grade").setValue("五年级");
  await field("lesson-title").setValue("草原（第 2 课时）");
  await field("recording-policy").setValue("nothing");
  await submit();
  expect(asked.mock.calls[0]?.[1].method).toBe("PATCH");
  expect(sent()).toEqual({
    title: "草原（第 2 课时）",
    starts_at: "2026-11-23T08:00:00.000Z",
    kind: "synchronous_lesson",
    subject: "语文",
    grade: "五年级",
    class_group_ids: ["c-1"],
    recording_policy: "nothing",
  });
});

test("a lesson that is taught again brings its slides along, if the teacher does not say otherwise", async () => {
  slides = [SLIDES];
  const { shown, field, submit } = form({ like: LAST });
  await flushPromises();
  expect(field("take-materials").text()).toContain("课件（1 份）");
  await submit();
  expect(written().map(([path]) => path)).toEqual(["/api/lessons", "/api/lessons/l-2/materials"]);
  expect(JSON.parse(String(written()[1]?.[1].body))).toEqual({ lesson_id: "l-1" });
  expect(shown.emitted("done")?.[0]?.[1]).toBe(true);
  asked.mockClear();
  await field("take-materials").get("input").setValue(false);
  await submit();
  expect(written().map(([path]) => path)).toEqual(["/api/lessons"]);
});

test("a lesson without slides and handouts asks nothing about them", async () => {
  const { shown, submit } = form({ like: LAST });
  await flushPromises();
  expect(shown.find("[data-testid=take-materials]").exists()).toBe(false);
  await submit();
  expect(written()).toHaveLength(1);
});

test("slides that could not be taken over are missed, and the lesson is there all the same", async () => {
  [slides, refuses] = [[SLIDES], true];
  const { shown, submit } = form({ like: LAST });
  await flushPromises();
  await submit();
  expect(shown.emitted("done")?.[0]?.[1]).toBe(false);
});
