// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope, type EffectScope, nextTick, ref } from "vue";
import type { Presence } from "../../src/presence/presence";
import { useClassCamera } from "../../src/view/use_class_camera";

let scope: EffectScope;
beforeEach(() => (scope = effectScope()));
afterEach(() => {
  scope.stop();
  sessionStorage.clear();
});

/** A class and its devices; `done` is what happened to them, in order. */
function seat() {
  const done: string[] = [];
  const tracks: { camera: object | null; microphone: object | null } = { camera: null, microphone: null };
  const own = {
    state: { tracks },
    open: async () => void (done.push("both"), (tracks.camera = {}), (tracks.microphone = {})),
    setCamera: async (on: boolean) => void (done.push(on ? "camera" : "no camera"), (tracks.camera = on ? {} : null)),
    reopenMicrophone: async () => void (done.push("microphone"), (tracks.microphone = {})),
    goLive: () => void done.push("live"),
    close: () => void (done.push("closed"), (tracks.camera = null), (tracks.microphone = null)),
  };
  const presence = { own, setPatient: vi.fn(), setModest: vi.fn() };
  const floor = ref(false);
  const mayShow = ref(true);
  const made = scope.run(() => useClassCamera("l-1", presence as unknown as Presence, floor, mayShow));
  if (!made) throw new Error("no scope");
  const settled = async (): Promise<string[]> => {
    for (let turn = 0; turn < 10; turn += 1) await nextTick();
    return done.splice(0);
  };
  return { ...made, presence, floor, mayShow, settled };
}

test("without a choice the devices are open on the floor and at no other time", async () => {
  const { floor, presence, settled } = seat();
  expect(await settled()).toEqual([]);
  floor.value = true;
  expect(await settled()).toEqual(["both", "live"]);
  expect(presence.setModest).toHaveBeenLastCalledWith(false);
  floor.value = false;
  expect(await settled()).toEqual(["closed"]);
});

test("a class that shows itself always sends its camera alone, small, and begins anew after the floor", async () => {
  const { choice, seen, floor, presence, settled } = seat();
  choice.value = "always";
  expect(await settled()).toEqual(["camera", "live"]);
  expect([seen.value, presence.setModest.mock.lastCall]).toEqual([true, [true]]);
  floor.value = true;
  expect(await settled()).toEqual(["microphone", "live"]);
  expect([seen.value, presence.setModest.mock.lastCall]).toEqual([false, [false]]);
  floor.value = false;
  expect(await settled()).toEqual(["closed", "camera", "live"]);
});

test("a class that is not to be seen speaks without a picture, and may change its mind meanwhile", async () => {
  const { choice, floor, settled } = seat();
  choice.value = "never";
  floor.value = true;
  expect(await settled()).toEqual(["microphone", "live"]);
  choice.value = "floor";
  expect(await settled()).toEqual(["camera", "live"]);
  choice.value = "never";
  expect(await settled()).toEqual(["no camera", "live"]);
});

test("who only watches shows nothing, and shows itself again when it takes part", async () => {
  const { choice, mayShow, settled } = seat();
  mayShow.value = false;
  choice.value = "always";
  expect(await settled()).not.toContain("camera");
  mayShow.value = true;
  expect(await settled()).toEqual(["camera", "live"]);
});

test("a floor that is taken back while the devices open leaves none open, and so does a page that is left", async () => {
  const { floor, settled } = seat();
  floor.value = true;
  await nextTick();
  floor.value = false;
  const done = await settled();
  expect(done[done.length - 1]).toBe("closed");
  floor.value = true;
  await nextTick();
  scope.stop();
  expect((await settled()).pop()).toBe("closed");
});

test("the choice outlives a reload of the page", async () => {
  const first = seat();
  first.choice.value = "always";
  await first.settled();
  scope.stop();
  scope = effectScope();
  expect(seat().choice.value).toBe("always");
});
