/** Drawing as Vue sees it: what is in the hand, what stands on the page already, and what the room has of it. */

import { computed, onScopeDispose, type Ref, ref, type ShallowRef, shallowRef, watch } from "vue";
import { Drawing, type Look } from "../presence/drawing";
import type { Presence, PresenceState } from "../presence/presence";
import type { Colour, Stroke } from "../protocol/messages";
import { touched } from "../room/ink";
import { strokesOn } from "../room/surfaces";

export const INSTRUMENTS = ["pen", "marker", "eraser"] as const;
export type Instrument = (typeof INSTRUMENTS)[number];
export type Thickness = "fine" | "bold";

// Of 10 000 of the page's width: a fine pen is 6 pixels on a board of 1920, which is read from eight metres.
const WIDTHS: { [thickness in Thickness]: { pen: number; marker: number } } = { fine: { pen: 32, marker: 150 }, bold: { pen: 80, marker: 280 } };
const ERASER = 130; // the same measure
const REFUSED = ["board_full", "unknown_surface", "not_allowed", "message_malformed"];

/** `surface`: the page that is shown, to be drawn on. */
export function useDrawing(presence: Presence, state: Readonly<ShallowRef<PresenceState>>, surface: Readonly<Ref<string | null>>) {
  const version = ref(0); // moves with what we draw
  const hidden = shallowRef<ReadonlySet<string>>(new Set());
  const drawing = new Drawing((command) => presence.ask(command), changed);
  const instrument = ref<Instrument | null>(null);
  // Ink is seen on the white board; on slides, which have ink of their own, red is.
  const colours = shallowRef<{ [use: string]: Colour }>({ "board pen": "ink", "slides pen": "red", "board marker": "yellow", "slides marker": "yellow" });
  const use = (tool: Instrument | null) => `${surface.value?.startsWith("board/") ? "board" : "slides"} ${tool === "marker" ? "marker" : "pen"}`;
  const thickness = ref<Thickness>("fine");

  function changed(): void {
    version.value += 1;
    const now = drawing.hidden; // another set only when others are in it: a hand that moves is no reason to draw the page
    if (now.size !== hidden.value.size || [...now].some((id) => !hidden.value.has(id))) hidden.value = now;
  }

  watch(
    () => state.value.room.surfaces,
    (surfaces) => drawing.seen(surfaces),
  );
  watch(
    () => state.value.phase,
    (phase) => (phase === "open" ? drawing.reconnected(() => state.value.room.surfaces) : drawing.disconnected()),
  );
  watch(
    () => state.value.refusal,
    (refusal) => refusal !== null && REFUSED.includes(refusal) && drawing.refused(),
  );
  // Who turns to the board wants to write.
  watch(
    () => surface.value?.startsWith("board/") ?? false,
    (board) => board && (instrument.value ??= "pen"),
    { immediate: true },
  );
  onScopeDispose(() => drawing.close());

  const look = (tool: "pen" | "marker"): Look => ({ tool, colour: colours.value[use(tool)] ?? "red", width: WIDTHS[thickness.value][tool] });
  const strokes = (surface: string | null) => strokesOn(state.value.room.surfaces, surface);

  return {
    instrument,
    thickness,
    colour: computed<Colour>({
      get: () => colours.value[use(instrument.value)] ?? "red",
      set: (colour) => (colours.value = { ...colours.value, [use(instrument.value)]: colour }),
    }),
    /** What is drawn here and is not the room's yet. */
    lines: (surface: string) => (void version.value, drawing.on(surface)),
    /** Strokes of the room that are not to be drawn as the room has them. */
    hidden,
    begin: (hand: number, surface: string, tool: "pen" | "marker", x: number, y: number) => drawing.begin(hand, surface, look(tool), x, y),
    move: (hand: number, points: readonly number[]) => drawing.move(hand, points),
    end: (hand: number) => drawing.end(hand),
    rub(surface: string, way: readonly number[], aspect: number, goesOn: boolean): void {
      const found: Stroke[] = touched(strokes(surface), way, ERASER, aspect);
      drawing.rub(surface, found, goesOn);
    },
    mayUndo: (surface: string) => (void version.value, drawing.mayUndo(surface, strokes(surface), state.value.me)),
    undo: (surface: string) => drawing.undo(surface, strokes(surface), state.value.me),
    clear(surface: string): void {
      if (presence.ask({ type: "surface_cleared", surface })) drawing.cleared(surface);
    },
  };
}
export type DrawingInUse = ReturnType<typeof useDrawing>;
