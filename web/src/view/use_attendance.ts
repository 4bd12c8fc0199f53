/** Every class that took part while this page was open, also those that had left when the lesson ended. */

import { shallowRef, type ShallowRef, watch } from "vue";
import type { PresenceState } from "../presence/presence";
import { classes } from "../room/reducer";

export interface Attended {
  id: string;
  name: string;
  headcount: number | null;
}

export function useAttendance(state: Readonly<ShallowRef<PresenceState>>): Readonly<ShallowRef<readonly Attended[]>> {
  const attended = shallowRef<readonly Attended[]>([]);
  watch(
    () => state.value.room,
    (room) => {
      if (room.startedMs === null) return;
      const known = new Map(attended.value.map((one) => [one.name || one.id, one]));
      for (const one of classes(room)) known.set(one.name || one.participant_id, { id: one.participant_id, name: one.name, headcount: one.headcount });
      attended.value = [...known.values()];
    },
    { immediate: true },
  );
  return attended;
}
