/** Keeps the screen of a phone lit while its page is in front, where the browser can. */

import { onScopeDispose } from "vue";

export function useWakeLock(): void {
  let held: WakeLockSentinel | null = null;
  let over = false;

  async function hold(): Promise<void> {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      held = await navigator.wakeLock.request("screen"); // let go by the browser whenever the page is hidden
      if (over) void held.release();
    } catch {
      // the battery is low, or the page is not over https: then the screen goes dark as usual
    }
  }

  const shown = () => void hold();
  document.addEventListener("visibilitychange", shown);
  void hold();
  onScopeDispose(() => {
    over = true;
    document.removeEventListener("visibilitychange", shown);
    void held?.release();
  });
}
