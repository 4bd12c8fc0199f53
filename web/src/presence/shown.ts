/**
 * How tall the page shows each slot, gathered from its tiles and told to the server, so that nobody is sent more than
 * there is room for. What settles within a quarter of a second (a layout that moves, a window being drawn larger) is
 * told once.
 */

import type { Slot } from "../protocol/messages";

const SETTLE = 250; // ms

export interface ShownSlot {
  mid: string;
  height: number; // pixels of the screen, 0 while it is not shown
}

export class Shown {
  private readonly tiles = new Map<object, ShownSlot>();
  private slots: readonly Slot[] = [];
  private told = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `tell` gives false when it could not be said now; then `anew` is called later. */
  constructor(private readonly tell: (slots: ShownSlot[]) => boolean) {}

  /** A tile shows a slot so tall; null: none, or the tile is no more. */
  show(tile: object, shown: ShownSlot | null): void {
    if (shown) this.tiles.set(tile, { mid: shown.mid, height: Math.round(shown.height) });
    else this.tiles.delete(tile);
    this.later();
  }

  /** What the slots carry has changed. */
  fill(slots: readonly Slot[]): void {
    this.slots = slots;
    this.later();
  }

  /** The server has forgotten, or could not be told: tell it all again. */
  anew(): void {
    this.told = new Map();
    this.later();
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private later(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const news = this.news();
      if (news.length > 0 && this.tell(news)) for (const { mid, height } of news) this.told.set(mid, height);
    }, SETTLE);
  }

  /** What differs from what was told. An empty slot is left as it was: the next picture in it must not wait for us. */
  private news(): ShownSlot[] {
    const heights = new Map<string, number>();
    for (const slot of this.slots) if (slot.kind === "video" && slot.publication_id) heights.set(slot.mid, 0);
    for (const { mid, height } of this.tiles.values()) {
      const before = heights.get(mid);
      if (before !== undefined) heights.set(mid, Math.max(before, height));
    }
    return [...heights].filter(([mid, height]) => this.told.get(mid) !== height).map(([mid, height]) => ({ mid, height }));
  }
}
