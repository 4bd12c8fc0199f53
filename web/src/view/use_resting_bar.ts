/** A bar that hides when nobody has touched anything for a while, and comes back at any touch or key. */

import { onMounted, onScopeDispose, readonly, type Ref, ref } from "vue";

const STAYS = 5_000; // ms without a touch
const TOUCHES = ["pointermove", "pointerdown", "keydown"] as const;

/** `needed`: somebody is at it without touching anything. */
export function useRestingBar(needed: () => boolean): { shown: Readonly<Ref<boolean>>; touched: () => void } {
  const shown = ref(true);
  let hiding: ReturnType<typeof setTimeout> | undefined;

  function touched(): void {
    shown.value = true;
    clearTimeout(hiding);
    hiding = setTimeout(() => {
      if (needed()) return touched();
      shown.value = false;
    }, STAYS);
  }

  onMounted(() => {
    touched();
    for (const kind of TOUCHES) addEventListener(kind, touched);
  });
  onScopeDispose(() => {
    clearTimeout(hiding);
    for (const kind of TOUCHES) removeEventListener(kind, touched);
  });
  return { shown: readonly(shown), touched };
}
