/** What a class says to being recorded: asked once a lesson, and remembered while the tab lives. */

import { computed, type ComputedRef, type ShallowRef, watch } from "vue";
import type { Presence, PresenceState } from "../presence/presence";
import { participant } from "../room/reducer";

export interface ConsentInUse {
  asks: ComputedRef<boolean>; // this lesson asks its classes
  open: ComputedRef<boolean>; // … and ours has not said yet
  consent: ComputedRef<boolean | null>;
  recorded: ComputedRef<boolean | null>; // whether the recording has our class in it; null for those who only observe
  answer: (given: boolean) => void;
}

export function useConsent(lessonId: string, isClass: boolean, presence: Presence, state: Readonly<ShallowRef<PresenceState>>): ConsentInUse {
  // A page that comes back as another participant answers for itself.
  const kept = `tongke.consent.${lessonId}`;
  const me = computed(() => participant(state.value.room, state.value.me));
  const asks = computed(() => isClass && state.value.rights.includes("consent") && state.value.recordingPolicy === "consented");
  const consent = computed(() => me.value?.consent ?? null);
  const open = computed(() => asks.value && me.value !== null && consent.value === null && state.value.phase === "open");
  const recorded = computed(() => {
    if (!isClass) return null;
    return state.value.recordingPolicy === "all" || (asks.value && consent.value === true);
  });

  watch([open, () => state.value.me], ([unanswered]) => {
    const answered = unanswered ? remembered() : null;
    if (answered !== null) presence.ask({ type: "consent", given: answered });
  });

  function answer(given: boolean): void {
    if (!presence.ask({ type: "consent", given })) return;
    try {
      sessionStorage.setItem(kept, given ? "1" : "0");
    } catch {
      // it is asked again after the page was away for long
    }
  }

  function remembered(): boolean | null {
    try {
      const said = sessionStorage.getItem(kept);
      return said === null ? null : said === "1";
    } catch {
      return null;
    }
  }

  return { asks, open, consent, recorded, answer };
}
