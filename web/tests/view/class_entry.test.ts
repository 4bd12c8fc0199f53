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

async function page(reply: () => Response, props: { code?: string } = {}) {
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

test("the code of the link is filled in, exchanged, and gone from the address", async () => {
  const { router, asked, field, enter } = await page(entered, { code: "123456" });
  await field("class-name").setValue(" 阜平一小 六(2)班 ");
  await field("class-headcount").setValue("43");
  await enter();
  expect(JSON.parse(String(asked.mock.calls[0]?.[1].body))).toEqual({ code: "123456", name: "阜平一小 六(2)班", headcount: 43 });
  expect(router.currentRoute.value.fullPath).toBe("/live/l-1");
  expect(JSON.parse(sessionStorage.getItem("tongke.pass.l-1") ?? "")).toMatchObject({ token: "jwt", name: "阜平一小 六(2)班" });
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
