/**
 * The messages of signaling/PROTOCOL.md as discriminated unions: what the server says (decoded here, at the edge) and
 * what a browser may say. The Python twins are signaling/messages.py and commands.py; all are tested against
 * tests/signaling/samples/.
 */

import { asObject, type Decoder, DecodeError, flag, list, nullable, number, oneOf, or, shape, text } from "./decode";
import { type SlideSet, slideSet, type StrokeRun, strokeRun, type SurfaceCommand, type SurfacePayloads, surfacePayloads } from "./surfaces";

export { type Colour, COLOURS, type SlideSet, type Stroke, type StrokePiece, type StrokeRun, type Tool, TOOLS } from "./surfaces";

// ── shared vocabulary ───────────────────────────────────────────────────────────────────────────────────────────────

const ROLES = [
  "lead_teacher",
  "co_teacher",
  "receiving_class",
  "local_teacher",
  "observer",
  "phone_camera",
  "remote_control",
  "researcher",
  "admin",
] as const;

export type Role = (typeof ROLES)[number];
export const SOURCES = ["microphone", "camera", "screen", "document_camera", "second_microphone"] as const;
export type Source = (typeof SOURCES)[number];
export type Kind = "audio" | "video";
export type Direction = "send" | "receive";
export type RecordingState = "off" | "on" | "paused" | "stopped";
export const POLICIES = ["consented", "teacher_only", "all", "nothing"] as const; // as a teacher is offered them
export type RecordingPolicy = (typeof POLICIES)[number];
export const SHOWN_SOURCES = ["camera", "slides", "whiteboard", "screen", "document_camera"] as const;
export type ShownSource = (typeof SHOWN_SOURCES)[number];
export const LAYOUTS = ["content", "portrait", "side_by_side"] as const;
export type Layout = (typeof LAYOUTS)[number];
export type Participation = "interactive" | "view_only";
export type AdmissionState = "waiting" | "admitted";
export type Addressee = "all" | "teachers";
export const SIGNALS = ["slower", "unclear", "inaudible", "again"] as const; // as a class is offered them
export type SignalWord = (typeof SIGNALS)[number];
export type LeaveReason = "left" | "lost" | "removed";

export interface Participant {
  participant_id: string;
  role: Role;
  name: string;
  headcount: number | null;
  joined_ms: number;
  hand_ms: number | null; // since when the hand is up, on the lesson clock
  on_floor: boolean;
  away: boolean; // its connection is lost, the room waits for it
  consent: boolean | null; // to being recorded; null: a class that has not said
  mode: Participation;
  spoke_ms: number | null; // when it last got the floor or gave it back; null: never had it
  waiting: boolean; // at the door, until a teacher lets it in
  class_id: string | null; // of a phone: the participant it belongs to, a class or a teacher
  silenced: boolean; // it may write no messages
}

export interface Publication {
  publication_id: string;
  participant_id: string;
  kind: Kind;
  source: Source;
  muted: boolean;
  since_ms: number;
}

export interface ChatLine {
  seq: number;
  at_ms: number;
  participant_id: string;
  name: string;
  role: Role;
  text: string;
  to: Addressee;
  class_id: string | null; // to the teachers: the class it comes from
}

/** A word on the line between the teachers and one class. */
export interface PrivateLine {
  seq: number;
  at_ms: number;
  class_id: string;
  participant_id: string; // who said it
  name: string;
  role: Role;
  text: string;
}

export interface Signal {
  seq: number;
  at_ms: number;
  participant_id: string; // the class
  signal: SignalWord;
}

export interface Photo {
  seq: number;
  at_ms: number;
  participant_id: string; // the class
  photo_id: string;
}

export interface Mark {
  seq: number;
  at_ms: number;
  participant_id: string;
  label: string;
}

/** What the classes see large, and how the teacher's picture goes with it. */
export interface ShownChoice {
  source: ShownSource;
  layout: Layout;
}

export interface Stage {
  seq: number;
  at_ms: number;
  name: string;
}

export interface Snapshot {
  participants: Participant[];
  publications: Publication[];
  started_ms: number | null;
  ended_ms: number | null;
  recording: RecordingState;
  recording_reason: string | null;
  chat: ChatLine[];
  marks: Mark[];
  shown: ShownChoice | null; // null: nobody has chosen, a screen goes before the teacher
  on_stage: string | null; // participant
  stages: Stage[]; // all that have begun; the last is on
  countdown_ms: number | null; // until when, on the lesson clock
  lead_mic_shared: boolean | null; // null: not asked yet
  locked: boolean; // who was not in before stays out
  private: PrivateLine[]; // of these, of signals and of photos what we may see
  signals: Signal[];
  photos: Photo[];
  photo_shown: string | null;
  chat_to_all: boolean; // classes may write to everybody
  slides: SlideSet[]; // that can be shown, in the order they came
  slide_page: string | null; // surface; the page that is shown while slides are
  board_page: string | null; // surface; while the board is
  strokes: StrokeRun[]; // those of a surface in the order they were begun
}

export interface Slot {
  mid: string;
  kind: Kind;
  publication_id: string | null;
  participant_id: string | null;
  source: Source | null;
}

/** What a slot carries now of its publication. */
export interface SlotQuality {
  mid: string;
  rid: string | null; // null while nothing is carried
  height: number; // pixels, 0 unknown
  paused: boolean; // by bandwidth
}

export type Rung = "high" | "medium" | "low" | "audio";
export type Protocol = "udp" | "tcp";

export interface LayerStatistics {
  rid: string;
  codec: string;
  height: number;
  bitrate: number; // bit/s
  loss: number; // share, 0…1
  jitter_ms: number;
  nacked: number;
  key_frames_asked: number;
}

export interface SlotStatistics {
  mid: string;
  publication_id: string | null;
  rid: string | null;
  height: number;
  paused: boolean;
  bitrate: number; // bit/s
  loss: number; // share, 0…1
  jitter_ms: number;
  nacked: number;
  repeated: number;
  pictures_lost: number;
}

export interface OwnTransport {
  direction: Direction;
  protocol: Protocol;
  rtt_ms: number | null;
  estimate: number | null; // bit/s
  bitrate: number; // bit/s
  publications: { publication_id: string; layers: LayerStatistics[] }[];
  slots: SlotStatistics[];
}

/** How a class receives, for its teachers. */
export interface ClassLine {
  participant_id: string;
  rtt_ms: number | null;
  loss: number; // share, 0…1
  rung: Rung | null; // null: there is no picture to receive
  protocol: Protocol;
}

// ── events of the lesson ────────────────────────────────────────────────────────────────────────────────────────────

interface Payloads extends SurfacePayloads {
  joined: {
    participant_id: string;
    role: Role;
    name: string;
    headcount: number | null;
    class_id: string | null;
  };
  away: { participant_id: string; away: boolean };
  left: { participant_id: string; reason: LeaveReason };
  started: object;
  published: { publication_id: string; participant_id: string; kind: Kind; source: Source };
  unpublished: { publication_id: string };
  muted: { publication_id: string; muted: boolean };
  hand: { raised: boolean };
  floor: { participant_id: string; granted: boolean };
  chat: { text: string; to: Addressee; class_id: string | null };
  mark: { label: string };
  recording: { state: RecordingState; reason: string | null };
  consent: { participant_id: string; given: boolean; name: string; headcount: number | null };
  ended: object;
  shown: ShownChoice;
  on_stage: { participant_id: string | null };
  stage: { name: string };
  countdown: { until_ms: number | null };
  mode: { participant_id: string; mode: Participation };
  lead_mic: { shared: boolean };
  headcount: { participant_id: string; headcount: number | null };
  admission: { participant_id: string; state: AdmissionState };
  locked: { locked: boolean };
  planned: { title: string; recording_policy: RecordingPolicy };
  signal: { participant_id: string; signal: SignalWord };
  private: { participant_id: string; text: string };
  photo: { participant_id: string; photo_id: string };
  photo_shown: { photo_id: string | null };
  hidden: { seq: number };
  silenced: { participant_id: string; silenced: boolean };
  chat_to_all: { allowed: boolean };
  /** A kind this page does not know yet: it only moves `seq` on. */
  other: object;
}

export type EventKind = keyof Payloads;

export type LessonEvent = {
  [K in EventKind]: { seq: number; at_ms: number; actor: string; kind: K; payload: Payloads[K] };
}[EventKind];

// ── what the server says ────────────────────────────────────────────────────────────────────────────────────────────

export interface Welcome {
  type: "welcome";
  participant_id: string;
  session: string;
  role: Role;
  lesson_id: string;
  title: string;
  now_ms: number;
  seq: number;
  recording_policy: RecordingPolicy;
  resumed: boolean;
  snapshot: Snapshot | null;
  rights: string[];
  ice_servers: RTCIceServer[];
  slots: { audio: number; video: number };
}

export interface Answer {
  type: "answer";
  re: number;
  direction: Direction;
  generation: number;
  sdp: string;
  publications: { mid: string; publication_id: string; kind: Kind; source: Source }[];
}

export type ServerMessage =
  | Welcome
  | Answer
  | { type: "pong"; re: number | null; now_ms: number }
  | { type: "slots"; slots: Slot[] }
  | { type: "slot_quality"; slots: SlotQuality[] }
  | { type: "layers"; publication_id: string; active: string[] }
  | { type: "speaking"; publication_ids: string[] }
  | { type: "statistics"; at_ms: number; transports: OwnTransport[]; lines: ClassLine[] }
  | { type: "media_lost"; directions: Direction[] }
  | { type: "event"; event: LessonEvent; prev?: number } // prev: the last event before it that is for us
  | { type: "done"; re: number }
  | { type: "error"; re: number | null; code: string; message: string };

// ── what a browser says ─────────────────────────────────────────────────────────────────────────────────────────────

export interface Hello {
  type: "hello";
  token: string;
  name?: string;
  headcount?: number;
  resume?: { session: string; seq: number };
  device?: "take_over" | "watch"; // the answer to `second_device`
}

export interface Offer {
  type: "offer";
  direction: Direction;
  sdp: string;
  generation: number;
  tracks?: { mid: string; source: Source }[];
}

export type Command =
  | { type: "mute"; publication_id: string; muted: boolean }
  | { type: "key_frame"; publication_id: string }
  | { type: "view"; slots: { mid: string; height: number }[] }
  | { type: "start" }
  | { type: "hand"; raised: boolean }
  | { type: "floor"; participant_id: string; granted: boolean }
  | { type: "chat"; text: string; to?: Addressee }
  | { type: "mark"; label: string }
  | { type: "remove"; participant_id: string }
  | { type: "set_recording"; state: "on" | "paused" }
  | { type: "consent"; given: boolean }
  | ({ type: "shown" } & ShownChoice)
  | { type: "on_stage"; participant_id: string | null }
  | { type: "stage"; name: string }
  | { type: "countdown"; until_ms: number | null }
  | { type: "mode"; participant_id: string; mode: Participation }
  | { type: "lead_mic"; shared: boolean }
  | { type: "headcount"; participant_id: string; headcount: number | null }
  | { type: "admit"; participant_id: string }
  | { type: "lock"; locked: boolean }
  | { type: "signal"; signal: SignalWord }
  | { type: "private"; participant_id: string; text: string }
  | { type: "photo_shown"; photo_id: string | null }
  | { type: "hidden"; seq: number }
  | { type: "silenced"; participant_id: string; silenced: boolean }
  | { type: "chat_to_all"; allowed: boolean }
  | SurfaceCommand
  | { type: "end" }
  | { type: "leave" };

export type ClientMessage = Hello | Offer | Command | { type: "ping" };

// ── decoding ────────────────────────────────────────────────────────────────────────────────────────────────────────

const role = oneOf(...ROLES);
const kind = oneOf("audio", "video");
const source = oneOf(...SOURCES);
const direction = oneOf("send", "receive");
const recording = oneOf("off", "on", "paused", "stopped");
export const policy = oneOf(...POLICIES);
const shownSource = oneOf(...SHOWN_SOURCES);
const layout = oneOf(...LAYOUTS);
const participation = oneOf("interactive", "view_only");
const addressee = or<Addressee>("all", oneOf("all", "teachers"));
const signalWord = oneOf(...SIGNALS);

const participant = shape<Participant>({
  participant_id: text,
  role,
  name: or("", text),
  headcount: nullable(number),
  joined_ms: number,
  hand_ms: nullable(number),
  on_floor: flag,
  away: flag,
  consent: nullable(flag),
  mode: or<Participation>("interactive", participation),
  spoke_ms: nullable(number),
  waiting: or(false, flag),
  class_id: nullable(text),
  silenced: or(false, flag),
});

const publication = shape<Publication>({
  publication_id: text,
  participant_id: text,
  kind,
  source,
  muted: flag,
  since_ms: number,
});

const snapshot = shape<Snapshot>({
  participants: list(participant),
  publications: list(publication),
  started_ms: nullable(number),
  ended_ms: nullable(number),
  recording,
  recording_reason: nullable(text),
  chat: list(
    shape<ChatLine>({
      seq: number,
      at_ms: number,
      participant_id: text,
      name: or("", text),
      role,
      text,
      to: addressee,
      class_id: nullable(text),
    }),
  ),
  marks: list(shape<Mark>({ seq: number, at_ms: number, participant_id: text, label: or("", text) })),
  shown: nullable(shape<ShownChoice>({ source: shownSource, layout })),
  on_stage: nullable(text),
  stages: or<Stage[]>([], list(shape<Stage>({ seq: number, at_ms: number, name: text }))),
  countdown_ms: nullable(number),
  lead_mic_shared: nullable(flag),
  locked: or(false, flag),
  private: or<PrivateLine[]>(
    [],
    list(
      shape<PrivateLine>({
        seq: number,
        at_ms: number,
        class_id: text,
        participant_id: text,
        name: or("", text),
        role,
        text,
      }),
    ),
  ),
  signals: or<Signal[]>(
    [],
    list(shape<Signal>({ seq: number, at_ms: number, participant_id: text, signal: signalWord })),
  ),
  photos: or<Photo[]>([], list(shape<Photo>({ seq: number, at_ms: number, participant_id: text, photo_id: text }))),
  photo_shown: nullable(text),
  chat_to_all: or(false, flag),
  slides: or<SlideSet[]>([], list(slideSet)),
  slide_page: nullable(text),
  board_page: nullable(text),
  strokes: or<StrokeRun[]>([], list(strokeRun)),
});

const slot = shape<Slot>({
  mid: text,
  kind,
  publication_id: nullable(text),
  participant_id: nullable(text),
  source: nullable(source),
});

const slotQuality = { mid: text, rid: nullable(text), height: number, paused: flag };
const protocol = oneOf("udp", "tcp");

const layerStatistics = shape<LayerStatistics>({
  rid: text,
  codec: text,
  height: number,
  bitrate: number,
  loss: number,
  jitter_ms: number,
  nacked: number,
  key_frames_asked: number,
});

const ownTransport = shape<OwnTransport>({
  direction,
  protocol,
  rtt_ms: nullable(number),
  estimate: nullable(number),
  bitrate: number,
  publications: list(shape({ publication_id: text, layers: list(layerStatistics) })),
  slots: list(
    shape<SlotStatistics>({
      ...slotQuality,
      publication_id: nullable(text),
      bitrate: number,
      loss: number,
      jitter_ms: number,
      nacked: number,
      repeated: number,
      pictures_lost: number,
    }),
  ),
});

const classLine = shape<ClassLine>({
  participant_id: text,
  rtt_ms: nullable(number),
  loss: number,
  rung: nullable(oneOf("high", "medium", "low", "audio")),
  protocol,
});

const nothing: Decoder<object> = () => ({});

const payloads: { [K in EventKind]: Decoder<Payloads[K]> } = {
  joined: shape({
    participant_id: text,
    role,
    name: or("", text),
    headcount: nullable(number),
    class_id: nullable(text),
  }),
  away: shape({ participant_id: text, away: flag }),
  left: shape({ participant_id: text, reason: oneOf("left", "lost", "removed") }),
  started: nothing,
  published: shape({ publication_id: text, participant_id: text, kind, source }),
  unpublished: shape({ publication_id: text }),
  muted: shape({ publication_id: text, muted: flag }),
  hand: shape({ raised: flag }),
  floor: shape({ participant_id: text, granted: flag }),
  chat: shape({ text, to: addressee, class_id: nullable(text) }),
  mark: shape({ label: or("", text) }),
  recording: shape({ state: recording, reason: nullable(text) }),
  consent: shape({ participant_id: text, given: flag, name: or("", text), headcount: nullable(number) }),
  ended: nothing,
  shown: shape({ source: shownSource, layout }),
  on_stage: shape({ participant_id: nullable(text) }),
  stage: shape({ name: text }),
  countdown: shape({ until_ms: nullable(number) }),
  mode: shape({ participant_id: text, mode: participation }),
  lead_mic: shape({ shared: flag }),
  headcount: shape({ participant_id: text, headcount: nullable(number) }),
  admission: shape({ participant_id: text, state: oneOf("waiting", "admitted") }),
  locked: shape({ locked: flag }),
  planned: shape({ title: text, recording_policy: policy }),
  signal: shape({ participant_id: text, signal: signalWord }),
  private: shape({ participant_id: text, text }),
  photo: shape({ participant_id: text, photo_id: text }),
  photo_shown: shape({ photo_id: nullable(text) }),
  hidden: shape({ seq: number }),
  silenced: shape({ participant_id: text, silenced: flag }),
  chat_to_all: shape({ allowed: flag }),
  ...surfacePayloads,
  other: nothing,
};

/** One event, as the WebSocket and the lines of events.jsonl carry it. Throws DecodeError. */
export function decodeEvent(value: unknown): LessonEvent {
  const fields = asObject(value, "event");
  const name = text(fields.kind, "kind");
  const known: EventKind = Object.prototype.hasOwnProperty.call(payloads, name) ? (name as EventKind) : "other";
  return {
    seq: number(fields.seq, "seq"),
    at_ms: number(fields.at_ms, "at_ms"),
    actor: or("server", text)(fields.actor, "actor"),
    kind: known,
    payload: payloads[known](fields.payload ?? {}, "payload"),
  } as LessonEvent;
}

const decoders: { [name: string]: Decoder<ServerMessage> } = {
  welcome: shape<Welcome>({
    type: oneOf("welcome"),
    participant_id: text,
    session: text,
    role,
    lesson_id: text,
    title: text,
    now_ms: number,
    seq: number,
    recording_policy: or<RecordingPolicy>("consented", policy),
    resumed: flag,
    snapshot: nullable(snapshot),
    rights: or<string[]>([], list(text)),
    ice_servers: or<RTCIceServer[]>([], list(iceServer)),
    slots: shape({ audio: number, video: number }),
  }),
  answer: shape<Answer>({
    type: oneOf("answer"),
    re: number,
    direction,
    generation: number,
    sdp: text,
    publications: or<Answer["publications"]>([], list(shape({ mid: text, publication_id: text, kind, source }))),
  }),
  pong: shape({ type: oneOf("pong"), re: nullable(number), now_ms: number }),
  slots: shape({ type: oneOf("slots"), slots: list(slot) }),
  slot_quality: shape({ type: oneOf("slot_quality"), slots: list(shape<SlotQuality>(slotQuality)) }),
  layers: shape({ type: oneOf("layers"), publication_id: text, active: list(text) }),
  speaking: shape({ type: oneOf("speaking"), publication_ids: list(text) }),
  statistics: shape({
    type: oneOf("statistics"),
    at_ms: number,
    transports: list(ownTransport),
    lines: list(classLine),
  }),
  media_lost: shape({ type: oneOf("media_lost"), directions: list(direction) }),
  event: (value) => {
    const prev = nullable(number)(asObject(value, "event").prev, "prev");
    return { type: "event", event: decodeEvent(value), ...(prev === null ? {} : { prev }) };
  },
  done: shape({ type: oneOf("done"), re: number }),
  error: shape({ type: oneOf("error"), re: nullable(number), code: text, message: or("", text) }),
};

function iceServer(value: unknown, at: string): RTCIceServer {
  const fields = asObject(value, at);
  const server: RTCIceServer = { urls: list(text)(fields.urls, `${at}.urls`) };
  if (typeof fields.username === "string") server.username = fields.username;
  if (typeof fields.credential === "string") server.credential = fields.credential;
  return server;
}

/** What the server said, or null for a type this page does not know. Throws DecodeError for a broken message. */
export function decodeServerMessage(json: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new DecodeError("not JSON");
  }
  const fields = asObject(value, "message");
  const decoder = decoders[text(fields.type, "type")];
  return decoder ? decoder(fields, "") : null;
}
