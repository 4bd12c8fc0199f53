/** Where someone stopped watching, kept in their own browser for the lessons they watched last. */

const KEY = "tongke.replay.places";
const LESSONS = 50; // kept; the one not watched for longest is forgotten first
const EDGE = 10_000; // ms from the beginning or the end, or a tenth of a short one: nothing to come back to

export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Lesson, ms since its recording began. Insertion order is the order of watching. */
type Places = [lessonId: string, at: number][];

export function keptPlace(store: Store, lessonId: string, length: number): number | null {
  const at = read(store).find(([id]) => id === lessonId)?.[1];
  const edge = Math.min(EDGE, length / 10);
  return at !== undefined && at > edge && at < length - edge ? at : null;
}

export function keepPlace(store: Store, lessonId: string, at: number): void {
  const places = read(store).filter(([id]) => id !== lessonId);
  places.push([lessonId, Math.round(at)]);
  try {
    store.setItem(KEY, JSON.stringify(places.slice(-LESSONS)));
  } catch {
    // full or forbidden: then it begins at the beginning
  }
}

function read(store: Store): Places {
  try {
    const value: unknown = JSON.parse(store.getItem(KEY) ?? "[]");
    const sound = (one: unknown): one is Places[number] =>
      Array.isArray(one) && typeof one[0] === "string" && typeof one[1] === "number";
    return Array.isArray(value) ? value.filter(sound) : [];
  } catch {
    return [];
  }
}
