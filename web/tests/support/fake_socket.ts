/** The other end of a WebSocket: keeps what the page says and says what the test wants. */

import { vi } from "vitest";
import { Connection, type ConnectionListener, type ConnectionOptions, type Socket } from "../../src/protocol/connection";
import type { LessonEvent, Snapshot, Welcome } from "../../src/protocol/messages";

export class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  closed: number | null = null;
  readonly sent: { [field: string]: unknown }[] = [];

  send(data: string): void {
    this.sent.push(JSON.parse(data) as { [field: string]: unknown });
  }

  close(code = 1000): void {
    this.closed = code;
  }

  open(): void {
    this.onopen?.(undefined as never);
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  drop(code: number): void {
    this.onclose?.({ code });
  }

  last(type: string): { [field: string]: unknown } | undefined {
    return [...this.sent].reverse().find((one) => one.type === type);
  }
}

export const SNAPSHOT: Snapshot = {
  participants: [],
  publications: [],
  started_ms: null,
  ended_ms: null,
  recording: "off",
  recording_reason: null,
  chat: [],
  marks: [],
  shown: null,
  on_stage: null,
  stages: [],
  countdown_ms: null,
  lead_mic_shared: null,
  locked: false,
  private: [],
  signals: [],
  photos: [],
  photo_shown: null,
  chat_to_all: false,
  slides: [],
  slide_page: null,
  board_page: null,
  strokes: [],
};

export function welcome(fields: Partial<Welcome> = {}): Welcome {
  return {
    type: "welcome",
    participant_id: "c-1",
    session: "session-1",
    role: "receiving_class",
    lesson_id: "l-1",
    title: "草原",
    now_ms: 1000,
    seq: 10,
    recording_policy: "consented",
    resumed: false,
    snapshot: SNAPSHOT,
    rights: [],
    ice_servers: [],
    slots: { audio: 3, video: 4 },
    ...fields,
  };
}

export function event(seq: number, fields: object = {}): object {
  return { type: "event", seq, at_ms: seq * 100, kind: "started", actor: "server", payload: {}, ...fields };
}

export const lessonEvent = (seq: number, kind: string, payload: object, actor = "server"): LessonEvent =>
  ({ seq, at_ms: seq * 1000, kind, actor, payload }) as LessonEvent;

/** A connection under fake timers whose sockets are the test's. */
export async function connect(options: Partial<ConnectionOptions> = {}) {
  const sockets: FakeSocket[] = [];
  const listener = {
    phase: vi.fn<ConnectionListener["phase"]>(),
    welcome: vi.fn<ConnectionListener["welcome"]>(),
    message: vi.fn<ConnectionListener["message"]>(),
    closed: vi.fn<ConnectionListener["closed"]>(),
  };
  const connection = new Connection({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    hello: async () => ({ type: "hello", token: "token" }),
    listener,
    now: () => Date.now(),
    random: () => 0.5,
    ...options,
  });
  await vi.advanceTimersByTimeAsync(0);
  const newest = (): FakeSocket => {
    const socket = sockets[sockets.length - 1];
    if (!socket) throw new Error("no socket was opened");
    return socket;
  };
  return { connection, listener, sockets, newest };
}
