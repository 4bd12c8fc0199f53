/** What somebody wants of a replay, by keys or by the controls: which picture is large, how loud, and where to. */

import { onScopeDispose, type Ref, ref } from "vue";
import { type Intent, intentOf } from "../replay/keys";
import { neighbour } from "../replay/notes";
import { keyOf, type Layout, LAYOUTS, type View } from "../replay/views";
import { useKept } from "./use_kept";
import type { Replay } from "./use_replay";

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

const isLayout = (word: string): word is Layout => (LAYOUTS as readonly string[]).includes(word);
const isSwitch = (word: string): word is "on" | "off" => word === "on" || word === "off";

/** What is kept of them in the person's own browser, and what is not. */
export function useWishes() {
  return {
    layout: useKept<Layout>("tongke.replay.layout", "side", isLayout),
    letters: useKept<"on" | "off">("tongke.replay.letters", "on", isSwitch), // are keys
    wanted: ref<string | null>(null), // view that is to be large
    pictures: ref(true),
    volume: ref(1),
    help: ref(false),
  };
}
export type Wishes = ReturnType<typeof useWishes>;

interface Page {
  listens(): boolean; // there is something to be had by keys
  shown: Readonly<Ref<readonly View[]>>;
  marks(): readonly number[]; // lesson ms
  pages(): readonly number[]; // the same: when a page was turned to
  link(): void;
  full(): void;
}

/** Lets the keys say them. */
export function useReplayKeys(wishes: Wishes, replay: Replay, page: Page): void {
  const { layout, letters, wanted, pictures, volume, help } = wishes;
  const { at, span, speed, seek, toggle } = replay;

  function act(intent: Intent): void {
    switch (intent.act) {
      case "toggle":
        return toggle();
      case "move":
        return seek(at.value + intent.by);
      case "edge":
        return seek(intent.forward ? span.value.to : span.value.from);
      case "neighbour":
      case "page": {
        const found = neighbour(intent.act === "page" ? page.pages() : page.marks(), at.value, intent.forward) ?? (intent.forward ? null : span.value.from);
        return found === null ? undefined : seek(found);
      }
      case "speed": {
        const index = Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(speed.value) + intent.by));
        speed.value = SPEEDS[index] ?? 1;
        return;
      }
      case "volume":
        volume.value = Math.min(1, Math.max(0, Math.round((volume.value + intent.by) * 10) / 10));
        return;
      case "mute":
        volume.value = volume.value > 0 ? 0 : 1;
        return;
      case "enlarge": {
        const view = page.shown.value[intent.index];
        if (view) wanted.value = keyOf(view);
        return;
      }
      case "layout":
        layout.value = LAYOUTS[(LAYOUTS.indexOf(layout.value) + 1) % LAYOUTS.length] ?? "side";
        return;
      case "pictures":
        pictures.value = !pictures.value;
        return;
      case "link":
        return page.link();
      case "full":
        return page.full();
      case "help":
        help.value = !help.value;
    }
  }

  function key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || !page.listens()) return;
    if (help.value || target.closest("select, dialog, input:not([data-testid=replay-seek])")) return;
    if ((event.key === " " || event.key === "Enter") && target.closest("button, a")) return;
    if (event.key.startsWith("Page") && target.closest("ol")) return; // the list of notes is leafed through
    const intent = intentOf(event.key, letters.value === "on");
    if (!intent) return;
    event.preventDefault();
    act(intent);
  }

  addEventListener("keydown", key);
  onScopeDispose(() => removeEventListener("keydown", key));
}
