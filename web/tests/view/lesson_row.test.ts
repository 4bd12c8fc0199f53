// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Lesson } from "../../src/protocol/api";
import LessonRow from "../../src/view/components/LessonRow.vue";

const LESSON: Lesson = {
  lesson_id: "l-1",
  title: "草原",
  kind: "lecture",
  class_code: null,
  join_url: null,
  status: "ended",
  created_at: "2026-11-23T08:00:00Z",
  started_at: null,
  ended_at: "2026-11-23T09:00:00Z",
  recording: "ready",
  recording_policy: "consented",
  may_run: true,
  may_lead: true,
  starts_at: null,
  subject: "",
  grade: "",
  rehearsal: false,
  classes: [],
};
const row = (fields: Partial<Lesson> = {}) =>
  mount(LessonRow, { props: { lesson: { ...LESSON, ...fields } }, global: { stubs: { RouterLink: true } } });

const asked = vi.fn<(path: string, options: RequestInit) => Promise<Response>>();
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  vi.stubGlobal("fetch", asked);
});
afterEach(() => {
  vi.unstubAllGlobals();
  asked.mockReset();
});

test("only those who run a lesson can delete it, and not while it is live", () => {
  expect(row().find("[data-testid=delete-lesson]").exists()).toBe(true);
  expect(row({ may_run: false }).find("[data-testid=delete-lesson]").exists()).toBe(false);
  expect(row({ status: "live" }).find("[data-testid=delete-lesson]").exists()).toBe(false);
});

test("a lesson is deleted only after it was asked again", async () => {
  asked.mockResolvedValue(new Response(null, { status: 204 }));
  const page = row();
  await page.find("[data-testid=delete-lesson]").trigger("click");
  expect(asked).not.toHaveBeenCalled();
  expect(page.text()).toContain("草原");
  await page.find("[data-testid=cancel]").trigger("click");
  expect(page.find("dialog").exists()).toBe(false);
  await page.find("[data-testid=delete-lesson]").trigger("click");
  await page.find("[data-testid=confirm-delete]").trigger("click");
  await flushPromises();
  expect(asked.mock.calls.map(([path, options]) => [path, options.method])).toEqual([["/api/lessons/l-1", "DELETE"]]);
  expect(page.emitted("deleted")).toHaveLength(1);
});

test("a lesson that cannot be deleted says why and stays", async () => {
  const problem = { code: "lesson_live", title: "", status: 409 };
  asked.mockResolvedValue(new Response(JSON.stringify(problem), { status: 409 }));
  const page = row();
  await page.find("[data-testid=delete-lesson]").trigger("click");
  await page.find("[data-testid=confirm-delete]").trigger("click");
  await flushPromises();
  expect(page.find("[data-testid=problem]").attributes("data-code")).toBe("lesson_live");
  expect(page.emitted("deleted")).toBeUndefined();
});
