import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Check, type CheckState, duration, faultCount, PLANS, UNCHECKED } from "../../src/preflight/check";
import { measure } from "../../src/preflight/line";
import { ApiError } from "../../src/protocol/http";

vi.mock("../../src/preflight/line", () => ({ measure: vi.fn() }));
vi.mock("../../src/preflight/noise", () => ({ notes: () => Promise.resolve() }));

const WELL = { udp: true, tcp: true, up: 3e6, down: 3e6, delay: 30, lossUp: 0, lossDown: 0, port: 7000 };
const PLAN = { loss: 0, rate: 0 };
const MOST = 20; // seconds of a train or a count that the server grants (media/train.py)

beforeEach(() => {
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: () => Promise.reject(Object.assign(new Error(), { name: "NotAllowedError" })) } });
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ now_ms: Date.now() }))));
  vi.mocked(measure).mockResolvedValue(WELL);
});
afterEach(() => vi.unstubAllGlobals());

async function checked(): Promise<CheckState> {
  let seen = UNCHECKED;
  const check = new Check((state) => (seen = state));
  await check.run(PLAN);
  return seen;
}

test("a class is done in ten seconds, a teacher within a minute, and no step is longer than the server grants", () => {
  expect(duration(PLANS.class)).toBeLessThanOrEqual(11);
  expect(duration(PLANS.teacher)).toBeLessThanOrEqual(60);
  for (const plan of Object.values(PLANS)) expect(Math.max(plan.loss, plan.rate)).toBeLessThanOrEqual(MOST);
});

test("without camera and microphone the line is checked all the same", async () => {
  const state = await checked();
  expect([state.done, state.cameraFault, state.microphoneFault, state.lineFaults]).toEqual([true, "refused", "refused", []]);
  expect(state.figures).toEqual(WELL);
  expect(faultCount(state)).toBe(2);
});

test.each([
  [new ApiError("offline", 0), "offline"],
  [new ApiError("preflight_busy", 503), "busy"],
  [new ApiError("too_many_tries", 429), "busy"],
  [new ApiError("field_invalid", 422), "failed"],
])("why a line was not measured is said: %s", async (error, fault) => {
  vi.mocked(measure).mockRejectedValue(error);
  const state = await checked();
  expect([state.running, state.figures, state.lineFaults]).toEqual([false, null, [fault]]);
});

test("a clock that is an hour fast is one more thing to look at", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ now_ms: Date.now() - 3_600_000 }))));
  const state = await checked();
  expect(Math.round((state.ahead ?? 0) / 60_000)).toBe(60);
  expect(faultCount(state)).toBe(3);
});

test("a browser that tells no round trip shows the quickest answer of the server", async () => {
  vi.mocked(measure).mockResolvedValue({ ...WELL, delay: null });
  expect((await checked()).figures?.delay).toBeGreaterThanOrEqual(0);
});
