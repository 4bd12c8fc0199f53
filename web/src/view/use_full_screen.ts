/** The whole screen for one element. Telephones that know no such thing have it for a picture alone. */

import { onScopeDispose, readonly, type Ref, ref } from "vue";

interface PictureAlone extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
}
type Turning = ScreenOrientation & { lock?(orientation: "landscape"): Promise<void> };

const NARROW = "(max-width: 820px)"; // held upright: a lesson is wider than tall

export function useFullScreen(root: Ref<HTMLElement | undefined>, picture: () => HTMLVideoElement | null) {
  const full = ref(false);

  const look = () => (full.value = root.value !== undefined && document.fullscreenElement === root.value);
  document.addEventListener("fullscreenchange", look);
  onScopeDispose(() => document.removeEventListener("fullscreenchange", look));

  async function toggle(): Promise<void> {
    const element = root.value;
    if (document.fullscreenElement) return document.exitFullscreen();
    if (!element?.requestFullscreen) return (picture() as PictureAlone | null)?.webkitEnterFullscreen?.();
    const upright = matchMedia(NARROW).matches;
    await element.requestFullscreen();
    if (upright) await (screen.orientation as Turning | undefined)?.lock?.("landscape"); // ends with the full screen
  }

  return { full: readonly(full), toggle: () => void toggle().catch(() => undefined) }; // refused: it stays as it is
}
