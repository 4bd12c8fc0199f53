// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope, ref } from "vue";
import { useFullScreen } from "../../src/view/use_full_screen";

let narrow = false;
const lock = vi.fn(async () => undefined);
const scope = effectScope();
let page: HTMLElement;

beforeEach(() => {
  page = document.createElement("main");
  vi.stubGlobal("matchMedia", () => ({ matches: narrow }));
  vi.stubGlobal("screen", { orientation: { lock } });
  lock.mockClear();
});
afterEach(() => {
  narrow = false;
  vi.unstubAllGlobals();
});

function shownBy(element: Element | null): void {
  Object.defineProperty(document, "fullscreenElement", { value: element, configurable: true });
  document.dispatchEvent(new Event("fullscreenchange"));
}

function made(video: HTMLVideoElement | null = null) {
  const whole = scope.run(() => useFullScreen(ref(page), () => video));
  if (!whole) throw new Error("no scope");
  return whole;
}

test("the page knows that it has the whole screen, however it came to it or lost it", () => {
  const { full } = made();
  shownBy(page);
  expect(full.value).toBe(true);
  shownBy(null);
  expect(full.value).toBe(false);
});

test("a telephone held upright is turned, a board is not", async () => {
  page.requestFullscreen = async () => undefined;
  made().toggle();
  await Promise.resolve().then();
  expect(lock).not.toHaveBeenCalled();
  narrow = true;
  made().toggle();
  await vi.waitFor(() => expect(lock).toHaveBeenCalledWith("landscape"));
});

test("where only a picture can have the whole screen, the picture gets it", async () => {
  const enter = vi.fn();
  const video = Object.assign(document.createElement("video"), { webkitEnterFullscreen: enter });
  made(video).toggle();
  await vi.waitFor(() => expect(enter).toHaveBeenCalledOnce());
});
