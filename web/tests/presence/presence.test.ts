import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { onFloor, Presence, type PresenceOptions } from "../../src/presence/presence";
import { FakePeer } from "../support/fake_peer";
import { event, FakeSocket, welcome } from "../support/fake_socket";

let peers: FakePeer[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  peers = [];
  vi.stubGlobal("RTCPeerConnection", function create() {
    const peer = new FakePeer();
    peers.push(peer);
    return peer;
  });
  vi.stubGlobal("RTCRtpSender", {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const settle = () => vi.advanceTimersByTimeAsync(1);

async function enter(options: Partial<PresenceOptions> = {}) {
  const sockets: FakeSocket[] = [];
  const presence = new Presence({
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    hello: async () => ({ type: "hello", token: "token" }),
    patient: true,
    ...options,
  });
  await settle();
  const socket = () => sockets[sockets.length - 1] as FakeSocket;
  socket().open();
  const answer = async () => {
    const offer = socket().last("offer");
    socket().say({ type: "answer", re: offer?.id, direction: offer?.direction, generation: offer?.generation, sdp: "answer" });
    await settle();
  };
  return { presence, socket, sockets, answer };
}

const joined = (seq: number) =>
  event(seq, { kind: "joined", actor: "c-1", payload: { participant_id: "c-1", role: "receiving_class", name: "", headcount: null } });

describe("a class that enters", () => {
  test("that stands at the door offers nothing until it is let in, and then hears all", async () => {
    const { presence, socket } = await enter();
    const me = { participant_id: "c-1", role: "receiving_class", name: "", headcount: null, joined_ms: 1, hand_ms: null, on_floor: false, away: false };
    const whole = welcome();
    socket().say({ ...whole, seq: 0, snapshot: { ...whole.snapshot, participants: [{ ...me, waiting: true }] } });
    await settle();
    expect(presence.state.room.participants[0]?.waiting).toBe(true);
    expect(socket().last("offer")).toBeUndefined();
    socket().say({ ...whole, seq: 9, snapshot: { ...whole.snapshot, participants: [me] } });
    await settle();
    expect(socket().last("offer")).toMatchObject({ direction: "receive", generation: 1 });
    socket().say(event(10, { kind: "hand", actor: "c-1", payload: { raised: true } }));
    expect(presence.state.room.participants[0]?.hand_ms).toBe(1000);
  });

  test("offers its slots as soon as it is welcome, and shows what the server puts into them", async () => {
    const { presence, socket, answer } = await enter();
    socket().say(welcome());
    await settle();
    expect(socket().last("offer")).toMatchObject({ direction: "receive", generation: 1, sdp: "offer of 7 sections" });
    await answer();
    const slots = [{ mid: "3", kind: "video", publication_id: "p", participant_id: "t", source: "camera" }];
    socket().say({ type: "slots", slots });
    expect(presence.state.slots).toEqual(slots);
    expect(presence.track("3")).not.toBeNull();
  });

  test("comes back with the next generation when the server lost its media", async () => {
    const { presence, socket, answer } = await enter();
    socket().say(welcome());
    await settle();
    await answer();
    peers[0]?.become("connected");
    expect(presence.state.receiving).toBe("flowing");
    socket().say({ type: "media_lost", directions: ["send", "receive"] });
    expect(presence.state.receiving).toBe("recovering");
    await settle();
    expect(socket().last("offer")).toMatchObject({ direction: "receive", generation: 2 });
    expect(peers).toHaveLength(2); // nothing was sent, so nothing is sent again
  });

  test("keeps picture and state while only the WebSocket is away", async () => {
    const { presence, socket, sockets, answer } = await enter();
    socket().say(welcome());
    await settle();
    await answer();
    peers[0]?.become("connected");
    socket().say(joined(11));
    socket().drop(1006);
    expect(presence.state).toMatchObject({ phase: "waiting", receiving: "flowing" });
    await vi.advanceTimersByTimeAsync(1_000);
    socket().open();
    socket().say(welcome({ resumed: true, snapshot: null, seq: 12 }));
    socket().say(event(12, { kind: "floor", payload: { participant_id: "c-1", granted: true } }));
    await settle();
    expect(sockets).toHaveLength(2);
    expect(peers).toHaveLength(1);
    expect(onFloor(presence.state)).toBe(true);
  });

  test("comes back after a reload by its session, and folds the room from the first event", async () => {
    const kept = { session: "session-1", sendGeneration: 2, receiveGeneration: 5 };
    const { presence, socket } = await enter({ kept });
    expect(socket().sent[0]).toMatchObject({ resume: { session: "session-1", seq: 0 } });
    socket().say(welcome({ resumed: true, snapshot: null, seq: 1 }));
    socket().say(joined(1));
    await settle();
    expect(presence.state.room.participants).toHaveLength(1);
    expect(socket().last("offer")).toMatchObject({ direction: "receive", generation: 6 });
  });

  test("hands over what a reload needs", async () => {
    const keep = vi.fn();
    const { socket } = await enter({ keep });
    socket().say(welcome());
    await settle();
    expect(keep).toHaveBeenLastCalledWith({ session: "session-1", sendGeneration: 0, receiveGeneration: 1 });
  });
});

describe("a class whose line grows narrow", () => {
  const slots = [{ mid: "3", kind: "video", publication_id: "p", participant_id: "t", source: "camera" }];

  test("says which rung it is on, until the next peer connection", async () => {
    const { presence, socket, answer } = await enter();
    socket().say(welcome());
    await settle();
    await answer();
    socket().say({ type: "slots", slots });
    socket().say({ type: "slot_quality", slots: [{ mid: "3", rid: "m", height: 360, paused: false }] });
    expect(presence.state.rung).toBe("medium");
    socket().say({ type: "slot_quality", slots: [{ mid: "3", rid: "m", height: 360, paused: true }] });
    expect(presence.state.rung).toBe("audio");
    socket().say({ type: "media_lost", directions: ["receive"] });
    await settle();
    expect(presence.state).toMatchObject({ rung: null, qualities: {} });
  });

  test("tells how tall it shows its pictures, and tells it again to the next peer connection", async () => {
    const { presence, socket, answer } = await enter();
    socket().say(welcome());
    await settle();
    await answer();
    socket().say({ type: "slots", slots });
    presence.shown.show({}, { mid: "3", height: 700 });
    await vi.advanceTimersByTimeAsync(300);
    expect(socket().last("view")).toMatchObject({ slots: [{ mid: "3", height: 700 }] });
    socket().say({ type: "media_lost", directions: ["receive"] });
    await settle();
    await answer();
    await vi.advanceTimersByTimeAsync(300);
    expect(socket().sent.filter((one) => one.type === "view")).toHaveLength(2);
  });

  test("knows who speaks only while it is connected", async () => {
    const { presence, socket } = await enter();
    socket().say(welcome());
    socket().say({ type: "speaking", publication_ids: ["p-0"] });
    expect(presence.state.speaking).toEqual(["p-0"]);
    socket().drop(1006);
    expect(presence.state.speaking).toEqual([]);
  });
});

describe("asking", () => {
  test("a refusal is told until the next thing is asked", async () => {
    const { presence, socket } = await enter();
    socket().say(welcome());
    presence.ask({ type: "floor", participant_id: "c-2", granted: true });
    socket().say({ type: "error", re: socket().last("floor")?.id, code: "floor_full", message: "" });
    expect(presence.state.refusal).toBe("floor_full");
    presence.ask({ type: "mark", label: "" });
    expect(presence.state.refusal).toBeNull();
  });

  test("without a connection nothing is asked", async () => {
    const { presence } = await enter();
    expect(presence.ask({ type: "start" })).toBe(false);
  });
});

test("the end gives everything back", async () => {
  const { presence, socket, answer } = await enter();
  socket().say(welcome());
  await settle();
  await answer();
  socket().say(event(11, { kind: "ended" }));
  socket().drop(4410);
  expect(presence.state).toMatchObject({ phase: "closed", closedBy: "lesson_ended", slots: [] });
  expect(presence.state.room.endedMs).not.toBeNull();
  expect(peers[0]?.connectionState).toBe("closed");
});
