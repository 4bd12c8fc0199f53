// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import LinkForm from "../../src/view/components/LinkForm.vue";

const asked = vi.fn<(path: string, options: RequestInit) => Promise<Response>>();
afterEach(() => {
  vi.unstubAllGlobals();
  asked.mockReset();
});

async function form(first: Response) {
  vi.stubGlobal("fetch", asked.mockImplementation(async () => new Response(JSON.stringify({ user: { name: "教研员乙", role: "researcher" } }))));
  asked.mockImplementationOnce(async () => first);
  const shown = mount(LinkForm, { props: { token: "secret" } });
  await flushPromises();
  const fill = (id: string, text: string) => shown.get(`[data-testid=${id}]`).setValue(text);
  const save = () => shown.get("form").trigger("submit").then(flushPromises);
  return { shown, fill, save };
}
const promised = (fields: object = {}) => new Response(JSON.stringify({ name: "", role: "researcher", new: true, ...fields }));

test("what a link is good for is asked for in a body, never in an address", async () => {
  const { shown } = await form(promised());
  expect(asked.mock.calls[0]?.[0]).toBe("/api/link");
  expect(JSON.parse(String(asked.mock.calls[0]?.[1].body))).toEqual({ token: "secret" });
  expect(shown.text()).toContain("教研人员");
});

test("a new password is long enough and typed twice alike before it is sent", async () => {
  const { shown, fill, save } = await form(promised());
  await fill("link-name", "教研员乙");
  await fill("link-password", "short");
  await save();
  expect(shown.get("[data-testid=link-wrong]").text()).toContain("8");
  await fill("link-password", "a battery staple");
  await fill("link-again", "a battery");
  await save();
  expect(shown.get("[data-testid=link-wrong]").text()).toContain("不一样");
  expect(asked).toHaveBeenCalledTimes(1);
  await fill("link-again", "a battery staple");
  await save();
  expect(JSON.parse(String(asked.mock.calls[1]?.[1].body))).toEqual({ token: "secret", name: "教研员乙", password: "a battery staple" });
  expect(shown.emitted("done")).toEqual([[{ name: "教研员乙", role: "researcher" }]]);
});

test("the name of an account that is there stays as it is", async () => {
  const { shown } = await form(promised({ name: "主讲教师甲", new: false }));
  expect(shown.get<HTMLInputElement>("[data-testid=link-name]").element.readOnly).toBe(true);
});

test("a link that was used says so, and asks for nothing", async () => {
  const { shown } = await form(new Response(JSON.stringify({ code: "link_unknown" }), { status: 404 }));
  expect(shown.get("[data-testid=problem]").text()).toContain("已经用过");
  expect(shown.find("[data-testid=link-save]").exists()).toBe(false);
});
