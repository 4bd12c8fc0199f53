// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepPass, user } from "../../src/view/session";
import { useRecording } from "../../src/view/use_recording";
import { track } from "../support/track";

const replace = vi.hoisted(() => vi.fn());
vi.mock("vue-router", () => ({ useRoute: () => ({ fullPath: "/replay/l", query: {} }), useRouter: () => ({ replace }) }));

const RECORDING = { status: "ready", duration_ms: 60_000, tracks: [track("mic", "microphone", 0, 60_000)], poster: null, storyboard: null, speech: null };
let answers: { [path: string]: [status: number, body: unknown] };
const problem = (code: string) => ({ type: "about:blank", title: code, status: 404, code });

beforeEach(() => {
  vi.useFakeTimers();
  answers = {};
  vi.stubGlobal("fetch", async (path: string) => {
    const [status, body] = answers[path.replace("/api/lessons/l", "")] ?? [404, problem("recording_unknown")];
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": status < 400 ? "application/json" : "application/problem+json" } });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  sessionStorage.clear();
  replace.mockClear();
});

async function opened() {
  const begin = vi.fn();
  let found: ReturnType<typeof useRecording> | null = null;
  const wrapper = mount({ setup: () => ((found = useRecording("l", begin, () => true)), () => null) });
  await vi.advanceTimersByTimeAsync(3_000);
  await flushPromises();
  if (!found) throw new Error("not set up");
  return { ...(found as ReturnType<typeof useRecording>), begin, wrapper };
}

test("a lesson that nobody knows is explained without a word of class codes", async () => {
  user.value = { name: "教师甲", role: "teacher" } as never;
  answers["/recording"] = [404, problem("lesson_unknown")];
  const { problem: said, begin, wrapper } = await opened();
  expect([said.value?.code, said.value?.key]).toEqual(["lesson_unknown", "replay.unknown"]);
  expect(begin).not.toHaveBeenCalled();
  wrapper.unmount();
});

test("a class, which has no list of lessons, is sent to its teacher instead", async () => {
  keepPass({ lessonId: "l", token: "t", name: "", headcount: null, startsAt: null });
  answers["/recording"] = [404, problem("lesson_unknown")];
  const { problem: said, wrapper } = await opened();
  expect(said.value?.key).toBe("replay.unknownClass");
  wrapper.unmount();
});

test("a lesson without a recording is told apart from one that does not exist", async () => {
  const { problem: said, wrapper } = await opened();
  expect(said.value?.key).toBe("problem.recording_unknown");
  wrapper.unmount();
});

test("who is not signed in is asked to, and comes back to this second", async () => {
  user.value = null;
  answers["/recording"] = [401, problem("login_required")];
  const { wrapper } = await opened();
  expect(replace).toHaveBeenCalledWith({ name: "login", query: { next: "/replay/l" } });
  wrapper.unmount();
});

test("a track that cannot be played is a failure only if asking again brings the same files", async () => {
  answers["/recording"] = [200, RECORDING];
  const { lost, failed, begin, wrapper } = await opened();
  expect(begin).toHaveBeenCalledOnce();
  answers["/recording"] = [200, { ...RECORDING, tracks: [track("mic-2", "microphone", 0, 60_000)] }];
  await lost();
  expect(failed.value).toBe(false);
  await lost();
  expect(failed.value).toBe(true);
  wrapper.unmount();
});
