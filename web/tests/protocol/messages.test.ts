import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DecodeError } from "../../src/protocol/decode";
import { type ClientMessage, decodeServerMessage } from "../../src/protocol/messages";

const SAMPLES = join(__dirname, "../../../tests/signaling/samples");
const samples = (side: string) =>
  readdirSync(join(SAMPLES, side)).map((file) => [file, readFileSync(join(SAMPLES, side, file), "utf8")] as const);

describe("the samples both languages share", () => {
  test.each(samples("server"))("%s is understood, field by field", (_, json) => {
    const message = decodeServerMessage(json);
    expect(message).not.toBeNull();
    const { type, ...fields } = JSON.parse(json) as { type: string; re?: number };
    expect(message?.type).toBe(type);
    if (type === "welcome") delete fields.re; // the hello is never asked for by number
    // Whatever the sample says is kept; what it leaves out is null or empty here.
    expect(message?.type === "event" ? { ...message.event, prev: message.prev } : message).toMatchObject(fields);
    if (message?.type === "event") expect(message.event.kind).not.toBe("other");
  });

  // One of each, as the pages send them; the compiler checks their form, this the names of their fields.
  const said: { [type in ClientMessage["type"]]: ClientMessage } = {
    hello: { type: "hello", token: "t", name: "n", headcount: 43, resume: { session: "s", seq: 1 }, device: "watch" },
    ping: { type: "ping" },
    offer: { type: "offer", direction: "send", sdp: "v=0", generation: 1, tracks: [{ mid: "0", source: "screen" }] },
    mute: { type: "mute", publication_id: "p", muted: true },
    key_frame: { type: "key_frame", publication_id: "p" },
    view: { type: "view", slots: [{ mid: "3", height: 720 }] },
    start: { type: "start" },
    hand: { type: "hand", raised: true },
    floor: { type: "floor", participant_id: "c", granted: true },
    chat: { type: "chat", text: "t", to: "teachers" },
    mark: { type: "mark", label: "" },
    remove: { type: "remove", participant_id: "c" },
    set_recording: { type: "set_recording", state: "paused" },
    consent: { type: "consent", given: true },
    shown: { type: "shown", source: "screen", layout: "content" },
    on_stage: { type: "on_stage", participant_id: null },
    stage: { type: "stage", name: "practice" },
    countdown: { type: "countdown", until_ms: null },
    mode: { type: "mode", participant_id: "c", mode: "interactive" },
    lead_mic: { type: "lead_mic", shared: false },
    headcount: { type: "headcount", participant_id: "c", headcount: 41 },
    admit: { type: "admit", participant_id: "c" },
    lock: { type: "lock", locked: true },
    signal: { type: "signal", signal: "slower" },
    private: { type: "private", participant_id: "c", text: "t" },
    photo_shown: { type: "photo_shown", photo_id: null },
    hidden: { type: "hidden", seq: 8 },
    silenced: { type: "silenced", participant_id: "c", silenced: true },
    chat_to_all: { type: "chat_to_all", allowed: true },
    page_turned: { type: "page_turned", surface: "board/1" },
    stroke: { type: "stroke", surface: "board/1", stroke_id: "s", tool: "pen", colour: "red", width: 25, points: [1, 2] },
    strokes_removed: { type: "strokes_removed", surface: "board/1", stroke_ids: ["s"] },
    surface_cleared: { type: "surface_cleared", surface: "board/1" },
    end: { type: "end" },
    leave: { type: "leave" },
  };

  test.each(samples("client"))("%s has no field that the pages do not know", (_, json) => {
    const { id: _id, ...sample } = JSON.parse(json) as { id?: number; type: ClientMessage["type"] };
    expect(Object.keys(said[sample.type])).toEqual(expect.arrayContaining(Object.keys(sample)));
  });

  test("every kind of message a page sends has a sample", () => {
    const types = samples("client").map(([, json]) => (JSON.parse(json) as { type: string }).type);
    expect([...new Set(types)].sort()).toEqual(Object.keys(said).sort());
  });
});

describe("messages from a newer or a broken server", () => {
  test("an unknown type is passed over", () => {
    expect(decodeServerMessage('{"type":"poll","question":"?"}')).toBeNull();
  });

  test("an unknown event still moves the sequence on", () => {
    const message = decodeServerMessage('{"type":"event","seq":9,"at_ms":1,"kind":"poll","actor":"t","payload":{"x":1}}');
    expect(message).toEqual({ type: "event", event: { seq: 9, at_ms: 1, kind: "other", actor: "t", payload: {} } });
  });

  test.each(["", "[]", "null", '{"type":7}', '{"type":"slots","slots":[{"mid":1}]}', '{"type":"event","seq":"1"}'])(
    "%j is refused, never half understood",
    (json) => expect(() => decodeServerMessage(json)).toThrow(DecodeError),
  );
});
