/**
 * When the devices of a class are open. Its microphone on the floor alone; its camera on the floor, always (off the floor
 * only its teachers see it, small), or never, as the adult beside the screen has chosen.
 */

import { computed, type ComputedRef, onScopeDispose, type Ref, ref, watch } from "vue";
import type { Presence } from "../presence/presence";

export const CAMERA_CHOICES = ["floor", "always", "never"] as const;
export type CameraChoice = (typeof CAMERA_CHOICES)[number];

/** `mayShow`: without the floor, too. The choice lives as long as the tab, so that no camera is open a day later. */
export function useClassCamera(lessonId: string, presence: Presence, floor: Readonly<Ref<boolean>>, mayShow: Readonly<Ref<boolean>>): { choice: Ref<CameraChoice>; seen: ComputedRef<boolean> } {
  const key = `tongke.camera.${lessonId}`;
  const choice = ref<CameraChoice>(CAMERA_CHOICES.find((one) => one === kept(key)) ?? "floor");
  const seen = computed(() => choice.value === "always" && mayShow.value && !floor.value);
  let spoke = false;
  let settling = false;
  let again = false;
  let gone = false;

  async function settle(): Promise<void> {
    again = true;
    if (settling) return;
    settling = true;
    while (again && !gone) {
      again = false;
      await once();
    }
    settling = false;
    if (gone) presence.own.close();
  }

  async function once(): Promise<void> {
    const { own } = presence;
    const speaks = floor.value;
    const camera = speaks ? choice.value !== "never" : seen.value;
    presence.setPatient(!speaks);
    presence.setModest(!speaks);
    // All that was sent on the floor ends with it.
    if ((spoke && !speaks) || (!speaks && !camera)) own.close();
    spoke = speaks;
    const { tracks } = own.state;
    if (speaks && camera && !tracks.camera && !tracks.microphone) {
      await own.open();
    } else {
      if (camera !== (tracks.camera !== null)) await own.setCamera(camera);
      if (speaks && !tracks.microphone) await own.reopenMicrophone();
    }
    if (!again && (speaks || camera)) own.goLive();
  }

  watch([floor, seen, choice], settle);
  watch(choice, (now) => {
    try {
      sessionStorage.setItem(key, now);
    } catch {
      // chosen again after the page was loaded anew
    }
  });
  onScopeDispose(() => (gone = true));
  return { choice, seen };
}

function kept(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}
