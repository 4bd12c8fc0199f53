/** What the keys do in a replay: one table, for the page and for the panel that explains it. */

export type Intent =
  | { act: "toggle" | "mute" | "full" | "layout" | "pictures" | "link" | "help" }
  | { act: "move" | "volume" | "speed"; by: number } // ms, share, steps
  | { act: "edge" | "neighbour" | "page"; forward: boolean }
  | { act: "enlarge"; index: number };

interface Row {
  readonly keys: readonly string[]; // as KeyboardEvent.key has them, letters small
  readonly word: string; // replay.key.<word> explains it
  readonly intents: readonly Intent[]; // one for each key
}

const either = (act: "move" | "volume" | "speed", by: number): Intent[] => [{ act, by: -by }, { act, by }];

/** J, K and L as on an editing desk, arrows as in every player. */
export const ROWS: readonly Row[] = [
  { keys: [" ", "k"], word: "toggle", intents: [{ act: "toggle" }, { act: "toggle" }] },
  { keys: ["ArrowLeft", "ArrowRight"], word: "step", intents: either("move", 5_000) },
  { keys: ["j", "l"], word: "leap", intents: either("move", 10_000) },
  { keys: [",", "."], word: "frame", intents: either("move", 100) },
  { keys: ["[", "]"], word: "neighbour", intents: [{ act: "neighbour", forward: false }, { act: "neighbour", forward: true }] },
  { keys: ["PageUp", "PageDown"], word: "page", intents: [{ act: "page", forward: false }, { act: "page", forward: true }] },
  { keys: ["Home", "End"], word: "edge", intents: [{ act: "edge", forward: false }, { act: "edge", forward: true }] },
  { keys: ["-", "="], word: "speed", intents: either("speed", 1) },
  { keys: ["ArrowDown", "ArrowUp"], word: "volume", intents: either("volume", 0.1) },
  { keys: ["m"], word: "mute", intents: [{ act: "mute" }] },
  { keys: ["1", "2", "3", "4"], word: "enlarge", intents: [0, 1, 2, 3].map((index) => ({ act: "enlarge", index })) },
  { keys: ["v"], word: "layout", intents: [{ act: "layout" }] },
  { keys: ["a"], word: "pictures", intents: [{ act: "pictures" }] },
  { keys: ["c"], word: "link", intents: [{ act: "link" }] },
  { keys: ["f"], word: "full", intents: [{ act: "full" }] },
  { keys: ["?"], word: "help", intents: [{ act: "help" }] },
];

const TABLE = new Map(ROWS.flatMap((row) => row.keys.map((key, index) => [key, row.intents[index]] as const)));

/**
 * What a key means. With `single` false only keys that are no character count: speech input types letters, and whoever
 * uses it can switch them off (WCAG 2.2, 2.1.4). The question mark stays, or nobody would find the switch.
 */
export function intentOf(key: string, single: boolean): Intent | null {
  const name = key.length === 1 ? key.toLowerCase() : key;
  if (!single && name.length === 1 && name !== " " && name !== "?") return null;
  return TABLE.get(name) ?? null;
}
