/** What the classes are to see, as the teacher chooses it, and as it follows what is plugged in and shared. */

import { computed, type ShallowRef, watch } from "vue";
import type { Presence, PresenceState } from "../presence/presence";
import type { ShownChoice, ShownSource, Source } from "../protocol/messages";
import type { PagesInUse } from "./use_pages";

export function useShowing(presence: Presence, state: Readonly<ShallowRef<PresenceState>>, pages: PagesInUse) {
  const own = computed(() => state.value.own);
  let before: ShownSource = "camera"; // what they saw before the screen, and see again when it is gone

  function show(source: ShownSource): void {
    presence.ask({ type: "shown", layout: "content", ...state.value.room.shown, source });
  }

  // The classes see the screen as soon as there is one, and when it is gone what they saw before.
  watch(
    () => own.value.tracks.screen !== null,
    (sharing) => {
      const chosen = state.value.room.shown?.source;
      if (sharing && chosen !== "screen") before = chosen ?? "camera";
      if (own.value.live && (sharing ? chosen !== "screen" : chosen === "screen")) show(sharing ? "screen" : before);
    },
  );
  watch(
    () => own.value.tracks.document_camera !== null,
    (is) => {
      if (own.value.live && (is || state.value.room.shown?.source === "document_camera")) show(is ? "document_camera" : "camera");
    },
  );

  /** Whether somebody sends this: of two teachers it may be the other. */
  const sent = (source: Source) => state.value.room.publications.some((one) => one.source === source);

  function choose(choice: ShownChoice): void {
    if (choice.source === "slides" || choice.source === "whiteboard") pages.choose(choice);
    else if (choice.source === "screen" && !own.value.tracks.screen && !sent("screen")) void presence.own.setScreen(true); // shown as soon as it is there
    else presence.ask({ type: "shown", ...choice });
  }

  return {
    choose,
    sharing: computed(() => own.value.tracks.screen !== null || sent("screen")),
    desk: computed(() => own.value.tracks.document_camera !== null || sent("document_camera")),
  };
}
