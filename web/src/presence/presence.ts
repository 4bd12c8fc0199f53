/**
 * One person's presence in one live lesson: the connection, both directions of media, the folded room and the line,
 * as one immutable state that a page draws. What a page wants done are the methods; everything that breaks mends itself
 * here, and the state says so while it lasts.
 */

import { Receiving, PATIENT } from "../media/receiving";
import { Sending } from "../media/sending";
import type { SideState } from "../media/side";
import { received, sent, type Totals } from "../media/statistics";
import { Connection, type ConnectionPhase, type Socket } from "../protocol/connection";
import type {
  ClassLine,
  Command,
  Hello,
  LessonEvent,
  OwnTransport,
  RecordingPolicy,
  Role,
  Rung,
  ServerMessage,
  Slot,
  Welcome,
} from "../protocol/messages";
import { arrives, BY_WEBRTC, step } from "../room/http_rung";
import { between, judge, type LineState, type LineWord, NEW_LINE } from "../room/line";
import { EMPTY_ROOM, fromSnapshot, participant, reduce, type RoomState } from "../room/reducer";
import { type Qualities, rungOf } from "../room/rung";
import { OwnMedia, type OwnState } from "./own_media";
import { Shown } from "./shown";

export interface PresenceState {
  readonly phase: ConnectionPhase;
  readonly closedBy: string | null; // why it is over, a code of the protocol
  readonly me: string | null;
  readonly role: Role | null;
  readonly title: string;
  readonly recordingPolicy: RecordingPolicy;
  readonly rights: readonly string[];
  readonly room: RoomState;
  readonly slots: readonly Slot[];
  readonly qualities: Qualities; // by mid
  readonly rung: Rung | null; // of what is received
  readonly speaking: readonly string[]; // publications, the loudest first
  readonly transports: readonly OwnTransport[]; // as the server measures them
  readonly lines: readonly ClassLine[]; // of the classes, for a teacher
  readonly receiving: SideState;
  readonly sending: SideState;
  readonly blocked: boolean; // media do not get through, again and again, while the WebSocket does
  readonly refusal: string | null; // the server's word on the last thing asked
  readonly line: LineWord;
  readonly http: boolean; // nothing comes by WebRTC: better watch by HTTP, some seconds behind
  readonly own: OwnState;
}

/** What survives a reload of the page. */
export interface Kept {
  session: string;
  sendGeneration: number;
  receiveGeneration: number;
}

export interface PresenceOptions {
  openSocket: () => Socket;
  hello: (renew: boolean) => Promise<Hello>;
  kept?: Kept | null;
  keep?: (kept: Kept) => void;
  /** Whoever watches waits 400 ms for lost packets; a teacher, who talks with classes, does not. */
  patient: boolean;
}

const MEASURE_EVERY = 1_000; // ms
const BLOCKED_AFTER = 3; // failed attempts in a row

export class Presence {
  state: PresenceState;
  readonly own: OwnMedia;
  readonly shown: Shown;

  private readonly connection: Connection;
  private readonly receivingSide: Receiving;
  private readonly sendingSide: Sending;
  private readonly listeners = new Set<() => void>();
  private line: LineState = NEW_LINE;
  private http = BY_WEBRTC;
  private totals: Totals | null = null;
  private described: number; // generation of the receiving peer connection that `qualities` are about
  private measuring: ReturnType<typeof setInterval>;

  constructor(private readonly options: PresenceOptions) {
    const kept = options.kept ?? null;
    const sides = {
      request: (offer: Parameters<Connection["request"]>[0]) => this.connection.request(offer),
      changed: () => this.sidesChanged(),
    };
    this.shown = new Shown((slots) => this.connection.send({ type: "view", slots }));
    this.receivingSide = new Receiving({
      ...sides,
      generation: kept?.receiveGeneration ?? 0,
      negotiated: () => this.shown.anew(),
    });
    this.receivingSide.setPatience(options.patient ? PATIENT : 0);
    this.described = this.receivingSide.generation;
    this.sendingSide = new Sending({ ...sides, generation: kept?.sendGeneration ?? 0 });
    this.own = new OwnMedia(
      this.sendingSide,
      () => this.update({ own: this.own.state }),
      () => this.announceMute(),
    );
    this.state = {
      phase: "opening",
      closedBy: null,
      me: null,
      role: null,
      title: "",
      recordingPolicy: "consented",
      rights: [],
      room: EMPTY_ROOM,
      slots: [],
      qualities: {},
      rung: null,
      speaking: [],
      transports: [],
      lines: [],
      receiving: "idle",
      sending: "idle",
      blocked: false,
      refusal: null,
      line: "connecting",
      http: false,
      own: this.own.state,
    };
    this.connection = new Connection({
      open: options.openSocket,
      hello: options.hello,
      // seq 0: after a reload the state is folded again from the first event, or comes as a snapshot.
      ...(kept ? { resume: { session: kept.session, seq: 0 } } : {}),
      listener: {
        phase: (phase) => this.phaseChanged(phase),
        welcome: (welcome) => this.welcomed(welcome),
        message: (message) => this.received(message),
        closed: (code) => this.closedBy(code),
      },
    });
    this.measuring = setInterval(() => void this.measure(), MEASURE_EVERY);
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Lesson time in ms, or null before the first word from the server. */
  lessonNow(): number | null {
    return this.connection.clock.at(performance.now());
  }

  /** By which the server knows this page again; null before the first welcome. */
  get session(): string | null {
    return this.connection.resumable?.session ?? null;
  }

  track(mid: string): MediaStreamTrack | null {
    return this.receivingSide.track(mid);
  }

  setPatient(patient: boolean): void {
    this.receivingSide.setPatience(patient ? PATIENT : 0);
  }

  /** Ask for something. What comes of it arrives as an event, a refusal in `state.refusal`. */
  ask(command: Command): boolean {
    this.update({ refusal: null });
    return this.connection.send(command);
  }

  /** Whether our camera is only ever shown small. */
  setModest(modest: boolean): void {
    this.sendingSide.setModest(modest);
  }

  /** The network may be back. */
  nudge(): void {
    this.connection.nudge();
  }

  /** There is a network again, perhaps another one. */
  moved(): void {
    this.receivingSide.moved();
    this.sendingSide.moved();
    this.connection.nudge();
  }

  /** Start over with new connections, because the person says that something is wrong. */
  rejoin(): void {
    this.receivingSide.lost();
    this.sendingSide.lost();
    this.connection.nudge();
  }

  close(): void {
    clearInterval(this.measuring);
    this.shown.close();
    this.own.close();
    this.receivingSide.close();
    this.sendingSide.close();
    this.connection.close();
    this.listeners.clear();
  }

  private welcomed(welcome: Welcome): void {
    const fresh = !welcome.resumed || this.state.me === null;
    this.update({
      me: welcome.participant_id,
      role: welcome.role,
      title: welcome.title,
      recordingPolicy: welcome.recording_policy,
      rights: welcome.rights,
      refusal: null,
      ...(welcome.snapshot ? { room: fromSnapshot(welcome.snapshot) } : fresh ? { room: EMPTY_ROOM } : {}),
    });
    this.keep();
    this.receivingSide.connected(welcome.ice_servers, welcome.resumed);
    this.sendingSide.connected(welcome.ice_servers, welcome.resumed);
    // Who stands at the door is told nothing of the room; once let in, there is another welcome.
    if (!participant(this.state.room, welcome.participant_id)?.waiting) this.receivingSide.want(welcome.slots);
    this.shown.anew(); // what was to be told while the connection was away
  }

  private received(message: Exclude<ServerMessage, { type: "welcome" | "answer" }>): void {
    switch (message.type) {
      case "slots":
        this.receivingSide.fill(message.slots);
        this.shown.fill(message.slots);
        return this.update({ slots: message.slots, rung: rungOf(message.slots, this.state.qualities) });
      case "slot_quality": {
        const qualities = { ...this.state.qualities };
        for (const one of message.slots) qualities[one.mid] = one;
        return this.update({ qualities, rung: rungOf(this.state.slots, qualities) });
      }
      case "layers":
        return this.sendingSide.activate(message.publication_id, message.active);
      case "speaking":
        return this.update({ speaking: message.publication_ids });
      case "statistics":
        return this.update({ transports: message.transports, lines: message.lines });
      case "media_lost":
        if (message.directions.includes("receive")) this.receivingSide.lost();
        if (message.directions.includes("send")) this.sendingSide.lost();
        return;
      case "event":
        return this.happened(message.event);
      case "error":
        return this.update({ refusal: message.code });
    }
  }

  private happened(event: LessonEvent): void {
    this.update({ room: reduce(this.state.room, event) });
    if (event.kind === "planned") this.update({ title: event.payload.title, recordingPolicy: event.payload.recording_policy });
    if (event.kind === "published" && event.payload.participant_id === this.state.me) this.announceMute();
  }

  /** A new publication counts as open until we say otherwise. */
  private announceMute(): void {
    const { room, me, own } = this.state;
    const muted = this.own?.state.muted ?? own.muted;
    for (const mine of room.publications) {
      if (mine.participant_id !== me || mine.kind !== "audio" || mine.muted === muted) continue;
      this.connection.send({ type: "mute", publication_id: mine.publication_id, muted });
    }
  }

  private phaseChanged(phase: ConnectionPhase): void {
    if (phase !== "open") {
      this.receivingSide.disconnected();
      this.sendingSide.disconnected();
    }
    this.update(phase === "open" ? { phase } : { phase, speaking: [], lines: [] });
  }

  private closedBy(code: string): void {
    this.own.close();
    this.receivingSide.close();
    this.sendingSide.close();
    clearInterval(this.measuring);
    this.update({ closedBy: code, slots: [] });
  }

  private sidesChanged(): void {
    if (this.described !== this.receivingSide.generation) {
      // Another peer connection: what was said of the slots of the last one is over.
      this.described = this.receivingSide.generation;
      this.update({ qualities: {}, rung: null });
    }
    const failures = Math.max(this.receivingSide.failures, this.sendingSide.failures);
    this.update({
      receiving: this.receivingSide.state,
      sending: this.sendingSide.state,
      blocked: failures >= BLOCKED_AFTER,
      ...(this.sendingSide.refusal ? { refusal: this.sendingSide.refusal } : {}),
    });
    this.keep();
  }

  private keep(): void {
    const session = this.connection?.resumable?.session;
    if (!session) return;
    const { generation: receiveGeneration } = this.receivingSide;
    this.options.keep?.({ session, receiveGeneration, sendGeneration: this.sendingSide.generation });
  }

  private async measure(): Promise<void> {
    // Those who send a lesson care for what leaves, those who watch for what arrives.
    const sends = this.sendingSide.state !== "idle" && !this.options.patient;
    const side = sends ? this.sendingSide : this.receivingSide;
    // A lost WebSocket alone is not the line: picture and sound may flow all the while.
    if (side.state !== "flowing") {
      this.totals = null;
      this.line = NEW_LINE;
      const lost = side.state === "recovering" || (this.state.phase === "waiting" && side.state !== "idle");
      this.judgeWay(false);
      return this.update({ line: lost ? "lost" : "connecting" });
    }
    const report = await side.statistics()?.catch(() => null);
    if (!report) return;
    const totals = (sends ? sent : received)(report as unknown as Map<string, never>);
    const before = this.totals;
    this.totals = totals;
    // Counters that run backwards belong to another peer connection.
    if (!before || totals.received < before.received) return;
    if (!sends) this.judgeWay(arrives(before, totals));
    this.line = judge(this.line, between(before, totals));
    this.update({ line: this.line.word });
  }

  /** Whether WebRTC brings what there is. While nobody sends anything, or the room is away, it cannot be told. */
  private judgeWay(flows: boolean): void {
    const { phase, room, me } = this.state;
    const others = room.publications.some((one) => {
      const who = participant(room, one.participant_id);
      return one.participant_id !== me && !who?.away && (who?.role !== "receiving_class" || who.on_floor); // the wall is for teachers
    });
    const due = this.options.patient && phase === "open" && room.startedMs !== null && others;
    this.http = step(this.http, due ? flows : null);
    this.update({ http: this.http.on });
  }

  private update(fields: Partial<PresenceState>): void {
    if (!this.state) return; // the parts report while they are being built
    this.state = { ...this.state, ...fields };
    for (const listener of this.listeners) listener();
  }
}

/** Whether this participant has the floor. */
export function onFloor(state: PresenceState): boolean {
  return participant(state.room, state.me)?.on_floor ?? false;
}
