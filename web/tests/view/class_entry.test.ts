// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { createMemoryHistory, createRouter } from "vue-router";
import ClassEntry from "../../src/view/components/ClassEntry.vue";

afterEach(() => {
  vi.unstubAllGlobals();
  sessionStorage.clear();
  localStorage.clear();
});

async function page(reply: () => Response, props: { code?: string; focus?: boolean } = {}) {
  const asked = vi.fn(async (_: string, _options: RequestInit) => reply());
  vi.stubGlobal("fetch", asked);
  const router = createRouter({
    history: createMemoryHistory(),
    routes: ["class", "live", "replay"].map((name) => ({ name, path: name === "class" ? "/class" : `/${name}/:id`, component: { render: () => null } })),
  });
  await router.push("/class#123456");
  const entry = mount(ClassEntry, { props, global: { plugins: [router] }, attachTo: document.body });
  const field = (id: string) => entry.get(`[data-testid=${id}]`);
  const enter = async () => {
    await entry.get("form").trigger("submit");
    await flushPromises();
  };
  return { entry, router, asked, field, enter };
}
const answer = (status: number, body: object, headers = {}) => () => new Response(JSON.stringify(body), { status, headers });
const entered = answer(200, { token: "jwt", role: "receiving_class", lesson_id: "l-1", title: "草原", status: "live" });

test("the code of a link is exchanged at once and leaves the address before anybody presses anything", async () => {
  const { entry, router, asked, field, enter } = await page(entered, { code: "123456", focus: true });
  await flushPromises();
  expect(JSON.parse(String(asked.mock.calls[0]?.[1].body))).toEqual({ code: "123456" });
  expect(entry.emitted("exchanged")).toHaveLength(1);
  expect(entry.get("[data-testid=entry-found]").text()).toContain("草原");
  expect(entry.html()).not.toContain("123456");
  await field("class-name").setValue(" 阜平一小 六(2)班 ");
  await field("class-headcount").setValue("43");
  await enter();
  expect(asked).toHaveBeenCalledTimes(1);
  expect(router.currentRoute.value.fullPath).toBe("/live/l-1");
  expect(JSON.parse(sessionStorage.getItem("tongke.pass.l-1") ?? "")).toEqual({ lessonId: "l-1", token: "jwt", name: "阜平一小 六(2)班", headcount: 43, startsAt: null });
});

test("a class that comes with its own code is known, and gets a bookmark", async () => {
  const known = { token: "jwt", lesson_id: "l-1", title: "草原", status: "scheduled", name: "阜平一小 六(2)班", headcount: 43, starts_at: "2026-11-23T02:10:00Z" };
  const { entry, field, enter } = await page(answer(200, known), { code: "12345678", focus: true });
  await flushPromises();
  expect(entry.find("[data-testid=class-name]").exists()).toBe(false);
  expect((field("class-headcount").element as HTMLInputElement).value).toBe("43");
  expect(field("class-bookmark").attributes("href")).toBe("/class#12345678");
  await enter();
  expect(JSON.parse(sessionStorage.getItem("tongke.pass.l-1") ?? "")).toMatchObject({ name: "阜平一小 六(2)班", headcount: 43 });
});

test("a browser that knows its class finds the lesson without a code", async () => {
  localStorage.setItem("tongke.class.own", "阜平一小 六(2)班");
  const { entry, asked } = await page(entered, { focus: true });
  await flushPromises();
  expect(JSON.parse(String(asked.mock.calls[0]?.[1].body))).toEqual({});
  expect(entry.find("[data-testid=entry-found]").exists()).toBe(true);
});

test("a class without a lesson now is told so, and can type another code", async () => {
  const { entry, field } = await page(answer(404, { code: "class_without_lesson" }), { code: "12345678", focus: true });
  await flushPromises();
  expect(entry.get("[data-testid=entry-none]").text()).toContain("没有要上的课");
  expect((field("class-code").element as HTMLInputElement).value).toBe("");
  entry.unmount();
});

test("name and head-count may stay empty", async () => {
  const { asked, enter } = await page(entered, { code: "123456" });
  await enter();
  expect(JSON.parse(String(asked.mock.calls[0]?.[1].body))).toEqual({ code: "123456" });
});

test("a code that is too short is not sent, and said so", async () => {
  const { entry, asked, field, enter } = await page(entered);
  await field("class-code").setValue("12 34");
  await enter();
  expect(asked).not.toHaveBeenCalled();
  expect(entry.find("[data-testid=code-incomplete]").exists()).toBe(true);
});

test("a wrong code and too many tries each have their sentence", async () => {
  const wrong = await page(answer(404, { code: "class_code_unknown" }), { code: "000000" });
  await wrong.enter();
  expect(wrong.entry.get("[data-testid=problem]").text()).toContain("没有这个课堂码");
  const many = await page(answer(429, { code: "too_many_tries" }, { "Retry-After": "17" }), { code: "000000" });
  await many.enter();
  expect(many.entry.get("[data-testid=problem]").text()).toContain("17");
});
