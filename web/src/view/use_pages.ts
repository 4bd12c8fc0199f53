/** Pages as a teacher turns them: which is shown, which come before and after it, and what a press or a clicker does. */

import { computed, onScopeDispose, type ShallowRef, watch } from "vue";
import type { Presence, PresenceState } from "../presence/presence";
import type { ShownChoice } from "../protocol/messages";
import { BOARD_PAGES, boardPages, pageBeside, pagesAt, surfaceShown } from "../room/surfaces";

/** What a presenter's clicker sends, and arrows; up and down are left to lists that scroll. */
const TURNS: { [key: string]: 1 | -1 } = { PageDown: 1, PageUp: -1, ArrowRight: 1, ArrowLeft: -1 };

const ANSWERED = 1_500; // ms; what is not there by then was refused

/** `wanting`: slides were chosen and there are none, or several to choose from. */
export function usePages(presence: Presence, state: Readonly<ShallowRef<PresenceState>>, acts: () => boolean, wanting: () => void) {
  const surfaces = computed(() => state.value.room.surfaces);
  const surface = computed(() => surfaceShown(state.value.room.shown, surfaces.value));
  const at = computed(() => pagesAt(surfaces.value, surface.value));
  const previous = computed(() => pageBeside(surfaces.value, surface.value, -1));
  const next = computed(() => pageBeside(surfaces.value, surface.value, 1));
  const boards = computed(() => boardPages(surfaces.value));

  // Presses come quicker than the room answers them: the third goes on from where the second leads.
  let led: { to: string; until: number } | null = null;
  watch(surface, (now) => now === led?.to && (led = null));

  function turn(by: 1 | -1): void {
    const now = performance.now();
    const from = led && now < led.until ? led.to : surface.value;
    const to = pageBeside(surfaces.value, from, by);
    if (to !== null && presence.ask({ type: "page_turned", surface: to })) led = { to, until: now + ANSWERED };
  }

  /** Show this page, whatever is shown now. */
  function show(page: string): void {
    const source = page.startsWith("board/") ? "whiteboard" : "slides";
    presence.ask({ type: "page_turned", surface: page });
    const choice = state.value.room.shown;
    if (choice?.source !== source) presence.ask({ type: "shown", layout: "content", ...choice, source });
  }

  /** Slides or the board are wanted: a page must be turned to before it can be seen. */
  function choose(choice: ShownChoice): void {
    const { slides, slidePage, boardPage } = surfaces.value;
    if (choice.source === "slides" && slidePage === null) {
      const [first] = slides;
      if (slides.length !== 1) wanting();
      if (!first) return;
      presence.ask({ type: "page_turned", surface: `${first.slides_id}/1` });
    }
    if (choice.source === "whiteboard" && boardPage === null) presence.ask({ type: "page_turned", surface: "board/1" });
    presence.ask({ type: "shown", ...choice });
  }

  function key(event: KeyboardEvent): void {
    const by = TURNS[event.key];
    if (!by || !acts() || surface.value === null || event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.target as HTMLElement).closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    turn(by);
  }
  addEventListener("keydown", key);
  onScopeDispose(() => removeEventListener("keydown", key));

  return {
    surface,
    at,
    previous,
    next,
    boards,
    mayAdd: computed(() => boards.value < BOARD_PAGES),
    turn,
    show,
    choose,
    newBoardPage: () => show(`board/${Math.min(BOARD_PAGES, boards.value + 1)}`),
  };
}
export type PagesInUse = ReturnType<typeof usePages>;
