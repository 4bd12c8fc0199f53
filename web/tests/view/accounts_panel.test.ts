// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import AccountsPanel from "../../src/view/components/AccountsPanel.vue";
import "../../src/view/admin_words";

const account = (name: string, more: object = {}) => ({
  user_id: name, name, role: "teacher", disabled: false, yourself: false, school_id: "s-1", region: "", may_change: true, ...more,
});
const school = (id: string, name: string, region: string, kept: boolean) => ({ school_id: id, name, region, classes: [], kept });
const SCHOOLS = [school("s-1", "阜平一小", "阜平县", true), school("s-2", "张北实验", "张北县", false)];

const asked = vi.fn<(path: string, options: RequestInit) => Promise<Response>>();
const body = (call: number) => JSON.parse(String(asked.mock.calls[call]?.[1].body)) as unknown;

function server(accounts: object[], roles: string[], all: boolean): void {
  asked.mockImplementation((path, options) => {
    const kept = SCHOOLS.map((one) => ({ ...one, kept: all || one.kept }));
    const said = path.endsWith("/schools")
      ? { schools: kept, may_add: all, region: all ? null : "" }
      : options.method === "POST" ? { url: "/login#x", expires_at: "2026-12-01T00:00:00Z" } : { accounts, roles };
    return Promise.resolve(new Response(JSON.stringify(said), { status: 200, headers: { "Content-Type": "application/json" } }));
  });
}

async function panel() {
  const shown = mount(AccountsPanel);
  await flushPromises();
  const find = (testid: string) => shown.findAll(`[data-testid=${testid}]`);
  const options = (testid: string, at = 0) => find(testid)[at]?.findAll("option").map((one) => one.text());
  return { shown, find, options };
}

beforeEach(() => vi.stubGlobal("fetch", asked));
afterEach(() => {
  vi.unstubAllGlobals();
  asked.mockReset();
});

test("a school's administrator is offered what they may give, in their own school", async () => {
  server([account("甲"), account("乙", { role: "school_admin", yourself: true, may_change: false })], ["teacher", "researcher"], false);
  const { shown, find, options } = await panel();
  expect(options("invite-role")).toEqual(["教师", "教研人员"]);
  expect(options("invite-place")).toEqual(["阜平一小 · 阜平县"]);
  expect(options("account-role")).toEqual(["教师", "教研人员"]);
  expect(find("account-role")[1]?.attributes("disabled")).toBeDefined();
  expect(find("account-place")[1]?.attributes("disabled")).toBeDefined();
  expect(find("reset-password").length).toBe(1);
  await shown.find("form").trigger("submit");
  expect(body(2)).toEqual({ role: "teacher", name: "", school_id: "s-1" });
});

test("an administrator chooses a region for whoever keeps one, and a school for all others", async () => {
  server([account("甲", { role: "region_admin", school_id: null, region: "阜平县" }), account("乙")], ["teacher", "school_admin", "region_admin", "admin"], true);
  const { find, options } = await panel();
  expect(options("account-place")).toEqual(["未定地区", "阜平县", "张北县"]);
  expect(options("account-place", 1)).toEqual(["未定学校", "阜平一小 · 阜平县", "张北实验 · 张北县"]);
  await find("account-place")[0]?.setValue("张北县");
  expect(body(2)).toEqual({ region: "张北县" });
  await flushPromises();
  await find("account-place")[1]?.setValue("");
  expect(body(5)).toEqual({ school_id: null });
});
