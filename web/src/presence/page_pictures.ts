/**
 * The pictures of pages as they come: fetched in the order they are wanted, kept for going back, tried again for as
 * long as they are wanted. What nobody waits for any more leaves the line to what is on the screen.
 */

import { delayBefore, type Patience } from "../protocol/backoff";

export interface PagePicture {
  address: string; // for `<img>`
  aspect: number; // width by height
}

export interface PageSource {
  /** Raises what `refused` may tell from a loss. */
  get(name: string, signal: AbortSignal): Promise<Blob>;
  /** Makes it ready to be shown at once. */
  open(picture: Blob): Promise<PagePicture>;
  close(picture: PagePicture): void;
  changed(): void;
  /** An attempt came to nothing. */
  lost?(error: unknown): void;
}

const KEPT = 24; // pictures: half of them are small
const PATIENCE: Patience = { first: 500, most: 8_000 }; // ms

export class PagePictures {
  private wanted: readonly string[] = [];
  private atOnce = 1;
  private closed = false;
  private readonly pictures = new Map<string, PagePicture>(); // those wanted last stand last
  private readonly coming = new Map<string, AbortController>();
  private readonly failed = new Map<string, { attempts: number; timer: ReturnType<typeof setTimeout> | undefined }>();

  constructor(private readonly source: PageSource) {}

  /** These from now on, the first before the others; one after the other, or so many at once. */
  want(names: readonly string[], atOnce: number): void {
    this.wanted = names;
    this.atOnce = atOnce;
    for (const [name, { timer }] of this.failed) {
      if (names.includes(name)) continue;
      clearTimeout(timer);
      this.failed.delete(name);
    }
    const first = names.filter((name) => this.due(name)).slice(0, atOnce);
    for (const [name, request] of this.coming) if (!first.includes(name)) request.abort();
    for (const name of [...names].reverse()) this.touch(name);
    this.work();
  }

  picture(name: string): PagePicture | null {
    return this.pictures.get(name) ?? null;
  }

  /** The network may be back: what waits to be tried again is tried now. */
  nudge(): void {
    for (const one of this.failed.values()) {
      clearTimeout(one.timer);
      one.timer = undefined;
    }
    this.work();
  }

  close(): void {
    this.closed = true;
    this.want([], 0);
    for (const picture of this.pictures.values()) this.source.close(picture);
    this.pictures.clear();
  }

  private work(): void {
    for (const name of this.wanted) {
      if (this.coming.size >= this.atOnce) return;
      if (this.due(name) && !this.coming.has(name)) void this.fetch(name);
    }
  }

  /** Not here yet, and not waiting for another attempt. */
  private due(name: string): boolean {
    return !this.pictures.has(name) && this.failed.get(name)?.timer === undefined;
  }

  private async fetch(name: string): Promise<void> {
    const request = new AbortController();
    this.coming.set(name, request);
    try {
      const picture = await this.source.open(await this.source.get(name, request.signal));
      if (this.closed) return this.source.close(picture);
      this.pictures.set(name, picture);
      this.failed.delete(name);
      this.forget();
      this.source.changed();
    } catch (error) {
      if (!request.signal.aborted) this.later(name, error);
    } finally {
      if (this.coming.get(name) === request) this.coming.delete(name);
      if (!this.closed) this.work();
    }
  }

  private later(name: string, error: unknown): void {
    this.source.lost?.(error);
    const attempts = this.failed.get(name)?.attempts ?? 0;
    const failure: { attempts: number; timer: ReturnType<typeof setTimeout> | undefined } = { attempts: attempts + 1, timer: undefined };
    failure.timer = setTimeout(() => {
      failure.timer = undefined;
      this.work();
    }, delayBefore(attempts, PATIENCE, Math.random()));
    this.failed.set(name, failure);
  }

  private touch(name: string): void {
    const picture = this.pictures.get(name);
    if (!picture) return;
    this.pictures.delete(name);
    this.pictures.set(name, picture);
  }

  private forget(): void {
    for (const [name, picture] of this.pictures) {
      if (this.pictures.size <= KEPT) return;
      if (this.wanted.includes(name)) continue;
      this.pictures.delete(name);
      this.source.close(picture);
    }
  }
}
