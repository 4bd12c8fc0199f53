/**
 * One WebSocket after another to the same lesson: says hello, pings, resumes where it was, tries again when it breaks.
 * Knows the envelope of the protocol (ids, replies, seq) and nothing of rooms or media.
 *
 *     opening ──welcome──▶ open ──lost──▶ waiting ──▶ opening …        closed: by us, or by a code that no retry changes
 */

import { delayBefore, type Patience } from "./backoff";
import { LessonClock } from "./clock";
import { DecodeError } from "./decode";
import {
  type Answer,
  type ClientMessage,
  type Command,
  decodeServerMessage,
  type Hello,
  type Offer,
  type ServerMessage,
  type Welcome,
} from "./messages";

export type ConnectionPhase = "opening" | "open" | "waiting" | "closed";

/** The part of WebSocket used here, so that a test can be the other end. */
export interface Socket {
  send(data: string): void;
  close(code?: number): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

export interface ConnectionListener {
  phase(phase: ConnectionPhase): void;
  welcome(welcome: Welcome): void;
  message(message: Exclude<ServerMessage, Welcome | Answer>): void;
  /** It is over for this page: `code` as in PROTOCOL.md section 5. */
  closed(code: string): void;
}

export interface ConnectionOptions {
  open: () => Socket;
  /** The hello without resume; asked again for each socket, and with `renew` when the last token was refused. */
  hello: (renew: boolean) => Promise<Hello>;
  listener: ConnectionListener;
  resume?: { session: string; seq: number };
  now?: () => number; // ms, monotonic
  random?: () => number;
}

export class RequestError extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

const PATIENCE: Patience = { first: 250, most: 5_000 };
const PING_EVERY = 5_000; // ms, PROTOCOL.md section 1
const SILENCE = 12_000; // ms without a word: two pings went unanswered, the line is dead whatever the socket says
const OPENING = 8_000; // ms from a new socket to its welcome
const REPLY = 8_000; // ms

/** Close codes that no retry changes, and the code the page explains when no error message came before. */
const FINAL: { [close: number]: string } = {
  4401: "token_invalid",
  4403: "room_full",
  4404: "lesson_unknown",
  4409: "replaced",
  4410: "lesson_ended",
};

interface Pending {
  resolve: (answer: Answer) => void;
  reject: (error: RequestError) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class Connection {
  readonly clock = new LessonClock();
  phase: ConnectionPhase = "opening";

  private socket: Socket | null = null;
  private session: string | null;
  private seq: number;
  private attempt = 0;
  private nextId = 1;
  private lastError: string | null = null;
  private renewed = false;
  private helloSent = 0;
  private readonly pending = new Map<number, Pending>();
  private readonly pings = new Map<number, number>(); // id -> sent, ms
  private timers: ReturnType<typeof setTimeout>[] = [];
  private silence: ReturnType<typeof setTimeout> | undefined;
  private readonly now: () => number;
  private readonly random: () => number;

  constructor(private readonly options: ConnectionOptions) {
    this.now = options.now ?? (() => performance.now());
    this.random = options.random ?? Math.random;
    this.session = options.resume?.session ?? null;
    this.seq = options.resume?.seq ?? 0;
    void this.open(false);
  }

  /** What a page needs to come back as the same participant after a reload. */
  get resumable(): { session: string; seq: number } | null {
    return this.session === null ? null : { session: this.session, seq: this.seq };
  }

  /** Send a command. Lost with the socket: the person sees that it did not happen and does it again. */
  send(command: Command): boolean {
    if (this.phase !== "open") return false;
    this.write({ ...command, id: this.nextId++ });
    return true;
  }

  /** Send an offer and wait for its answer. Rejects with RequestError; `connection_lost` and `timeout` are our own codes. */
  request(offer: Offer): Promise<Answer> {
    if (this.phase !== "open") return Promise.reject(new RequestError("connection_lost"));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new RequestError("timeout")), REPLY);
      this.pending.set(id, { resolve, reject, timer });
      this.write({ ...offer, id });
    });
  }

  /** Something speaks for a working network (the browser is online again, the page is visible): do not wait longer. */
  nudge(): void {
    if (this.phase === "waiting") {
      this.clearTimers();
      void this.open(false);
    } else if (this.phase === "open") {
      this.ping();
    }
  }

  close(): void {
    if (this.phase === "closed") return;
    this.send({ type: "leave" });
    this.finish();
  }

  private async open(renew: boolean): Promise<void> {
    this.enter("opening");
    let hello: Hello;
    try {
      hello = await this.options.hello(renew);
    } catch (error) {
      // No token to be had: a refusal is final, a network that is gone is not.
      if (error instanceof RequestError) this.giveUp(error.code);
      else if (this.phase === "opening") this.retry();
      return;
    }
    if (this.phase !== "opening") return;
    const socket = this.options.open();
    this.socket = socket;
    this.lastError = null;
    socket.onopen = () => {
      this.helloSent = this.now();
      this.write(this.session === null ? hello : { ...hello, resume: { session: this.session, seq: this.seq } });
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.lost(event.code);
    this.expectWordWithin(OPENING);
  }

  private receive(data: unknown): void {
    if (this.phase === "open") this.expectWordWithin(SILENCE);
    let message: ServerMessage | null;
    try {
      message = typeof data === "string" ? decodeServerMessage(data) : null;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      console.warn("Tongke: a message that is none:", error.message);
      return;
    }
    if (!message) return;
    switch (message.type) {
      case "welcome":
        return this.welcomed(message);
      case "answer":
        return this.settle(message.re)?.resolve(message);
      case "pong": {
        const sent = message.re === null ? undefined : this.pings.get(message.re);
        if (sent !== undefined) this.clock.learn(sent, this.now(), message.now_ms);
        this.pings.clear();
        break;
      }
      case "error":
        this.lastError = message.code;
        if (message.re !== null && this.pending.has(message.re)) {
          return this.settle(message.re)?.reject(new RequestError(message.code));
        }
        break;
      case "event":
        if (message.event.seq <= this.seq) return;
        // Some events are for others; `prev` says what comes before this one for us. A hole: resume from what we have.
        if ((message.prev ?? message.event.seq - 1) > this.seq) return this.drop();
        this.seq = message.event.seq;
        break;
    }
    this.options.listener.message(message);
  }

  private welcomed(welcome: Welcome): void {
    this.attempt = 0;
    this.renewed = false;
    this.session = welcome.session;
    if (welcome.snapshot) this.seq = welcome.seq;
    if (!welcome.resumed) this.clock.reset();
    this.clock.learn(this.helloSent, this.now(), welcome.now_ms);
    this.enter("open");
    this.expectWordWithin(SILENCE);
    this.ping();
    this.options.listener.welcome(welcome);
  }

  private ping(): void {
    if (this.phase !== "open") return;
    this.clearTimers();
    const id = this.nextId++;
    this.pings.set(id, this.now());
    this.write({ type: "ping", id });
    this.later(PING_EVERY, () => this.ping());
  }

  private lost(closeCode: number): void {
    this.release();
    const final = FINAL[closeCode];
    if (closeCode === 4401 && this.lastError !== "token_foreign" && !this.renewed) {
      this.renewed = true; // grants are short-lived: ask for a fresh one, once
      void this.open(true);
    } else if (final !== undefined) {
      this.giveUp(this.lastError ?? final);
    } else {
      this.retry();
    }
  }

  private retry(): void {
    this.enter("waiting");
    this.later(delayBefore(this.attempt++, PATIENCE, this.random()), () => void this.open(false));
  }

  private giveUp(code: string): void {
    if (this.phase === "closed") return;
    this.finish();
    this.options.listener.closed(code);
  }

  private finish(): void {
    const socket = this.socket;
    this.release();
    socket?.close(1000);
    this.enter("closed");
  }

  /** Leave a socket that is dead without saying so. */
  private drop(): void {
    const socket = this.socket;
    this.release();
    socket?.close(4000);
    if (this.phase !== "closed") this.retry();
  }

  private release(): void {
    this.clearTimers();
    clearTimeout(this.silence);
    if (this.socket) this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket = null;
    this.pings.clear();
    for (const id of [...this.pending.keys()]) this.settle(id)?.reject(new RequestError("connection_lost"));
  }

  private settle(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (pending) clearTimeout(pending.timer);
    return pending;
  }

  private enter(phase: ConnectionPhase): void {
    if (this.phase === phase || this.phase === "closed") return;
    this.phase = phase;
    this.options.listener.phase(phase);
  }

  private expectWordWithin(ms: number): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.drop(), ms);
  }

  private later(ms: number, act: () => void): void {
    this.timers.push(setTimeout(act, ms));
  }

  private clearTimers(): void {
    this.timers.forEach(clearTimeout);
    this.timers = [];
  }

  private write(message: ClientMessage & { id?: number }): void {
    this.socket?.send(JSON.stringify(message));
  }
}
