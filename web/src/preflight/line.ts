/**
 * One measurement of the line that media take: does it pass, how much arrives, how long it takes, what is lost.
 *
 * Up, a few senders of noise; down, a train of packets from the server; each first small, to see what is lost, then more than a
 * school's line carries, to see how much it does. Sound is sent as it was asked for, whatever the line says, so nothing
 * has to be guessed. By UDP, or where that does not pass by TCP.
 */

import * as api from "./api";
import { believable, type Figures, lossOf, type Sample, rateOf } from "./figures";
import { type Noise, noise } from "./noise";
import { asking, by, plain } from "./sdp";

export interface Plan {
  loss: number; // seconds in which loss and delay are measured
  rate: number; // seconds for each direction's rate
}

/** What is measured at the moment, for the sentence beside the bar. */
export type Stage = "connect" | "loss" | "up" | "down";

const SENDERS = 6; // of at most 510 kb/s each, which is as much as Opus takes
const SMALL = 6_000; // bit/s of Opus: the headers are the most of it
const LARGE = 510_000;
const TRAIN = { small: [500, 16], large: [400, 1060] } as const; // packets a second and their bytes
const NEEDED = 320_000; // bit/s of the small stream, at most
const CONNECTED = 4_000; // ms a way may take to open
const SETTLED = 500; // ms for what is under way to arrive
const LOOKED = 100; // ms between looks at what came

interface Peers {
  send: RTCPeerConnection;
  receive: RTCPeerConnection;
  answer: string; // to what is sent
  id: string;
}

interface Connected {
  peers: Peers | null; // null: by this protocol nothing passes
  tcp: boolean; // asked with UDP: whether TCP would pass
  port: number | null;
}

const NOTHING = { up: null, down: null, delay: null, lossUp: null, lossDown: null };

export async function measure(plan: Plan, entered: (stage: Stage) => void): Promise<Figures> {
  const open: RTCPeerConnection[] = [];
  const ids: string[] = [];
  const sound = await noise();
  try {
    entered("connect");
    const { peers, tcp, port } = await connect(sound, open, ids, "udp");
    if (!peers && !tcp) return { ...NOTHING, udp: false, tcp: false, port };
    const way = peers ?? (await connect(sound, open, ids, "tcp")).peers;
    const measured = way ? await along(way, sound, plan, entered) : NOTHING;
    return believable({ ...measured, udp: peers !== null, tcp, port }, NEEDED);
  } finally {
    for (const peer of open) peer.close();
    sound.stop();
    for (const id of ids) void api.close(id);
  }
}

/** Both directions by one protocol, null when it does not pass; and, with UDP, whether TCP does. */
async function connect(sound: Noise, open: RTCPeerConnection[], ids: string[], protocol: "udp" | "tcp"): Promise<Connected> {
  const [send, receive, knock] = [0, 1, 2].map(() => new RTCPeerConnection({ bundlePolicy: "max-bundle" })) as [RTCPeerConnection, RTCPeerConnection, RTCPeerConnection];
  open.push(send, receive, knock);
  for (let count = 0; count < SENDERS; count += 1) send.addTransceiver(sound.track, { direction: "sendonly" });
  for (const peer of [receive, knock]) peer.addTransceiver("audio", { direction: "recvonly" });
  const offers = await Promise.all([send, receive, knock].map(offer));
  const [sending = "", receiving = "", knocking = ""] = offers;
  const opened = await api.open({ send: sending, receive: receiving, ...(protocol === "udp" ? { tcp: knocking } : {}) });
  ids.push(opened.preflight_id);
  const answer = plain(by(opened.send ?? "", protocol));
  const accepted = [
    accept(send, asking(answer, SMALL)),
    accept(receive, plain(by(opened.receive ?? "", protocol))),
    protocol === "udp" ? accept(knock, by(opened.tcp ?? "", "tcp")) : false,
  ];
  const [sends, receives, passes] = await Promise.all(accepted);
  knock.close();
  const port = Number(/^a=candidate:\S+ 1 udp \d+ \S+ (\d+) /im.exec(opened.send ?? "")?.[1]) || null;
  return { peers: sends && receives ? { send, receive, answer, id: opened.preflight_id } : null, tcp: passes === true, port };
}

async function along(peers: Peers, sound: Noise, plan: Plan, entered: (stage: Stage) => void): Promise<Omit<Figures, "udp" | "tcp" | "port">> {
  const delays: number[] = [];
  const look = async () => {
    for (const peer of [peers.send, peers.receive]) delays.push(...roundTrips(await peer.getStats()));
  };
  entered("loss");
  await look();
  await api.train(peers.id, ...TRAIN.small, plan.loss);
  const [before] = await api.watch(peers.id, "send", 0); // not from the very first packet: it came before all was open
  const until = performance.now() + plan.loss * 1000;
  while (performance.now() < until) {
    await pause(5 * LOOKED);
    await look();
  }
  await feed(peers.send, null);
  await pause(SETTLED);
  const [[came], [sent]] = await Promise.all([api.watch(peers.id, "send", 0), api.watch(peers.id, "receive", 0)]);
  await look();
  const lossUp = came && before ? lossOf(came.expected - before.expected, came.packets - before.packets) : null;
  const lossDown = lossOf(sent?.packets ?? 0, received(await peers.receive.getStats()).packets);

  entered("up");
  await peers.send.setLocalDescription(await peers.send.createOffer());
  await peers.send.setRemoteDescription({ type: "answer", sdp: asking(peers.answer, LARGE) });
  const watched = api.watch(peers.id, "send", plan.rate, true); // asked for before the line is full
  await feed(peers.send, sound.track);
  const filled = await watched;
  const up = (filled[filled.length - 1]?.packets ?? 0) > (filled[0]?.packets ?? 0) ? rateOf(filled) : null; // null: there was no noise
  await feed(peers.send, null);

  entered("down");
  await pause(SETTLED);
  await api.train(peers.id, ...TRAIN.large, plan.rate);
  const samples: Sample[] = [];
  const end = performance.now() + plan.rate * 1000;
  while (performance.now() < end) {
    samples.push(received(await peers.receive.getStats()));
    await pause(LOOKED);
  }
  return { up, down: rateOf(samples), delay: delays.length ? Math.min(...delays) : null, lossUp, lossDown };
}

async function offer(peer: RTCPeerConnection): Promise<string> {
  await peer.setLocalDescription(await peer.createOffer());
  return plain(peer.localDescription?.sdp ?? "");
}

/** Whether the way that an answer names is open. */
async function accept(peer: RTCPeerConnection, sdp: string): Promise<boolean> {
  await peer.setRemoteDescription({ type: "answer", sdp });
  return new Promise((resolve) => {
    const done = () => resolve(peer.connectionState === "connected");
    const timer = setTimeout(done, CONNECTED);
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "connecting" || peer.connectionState === "new") return;
      clearTimeout(timer);
      done();
    };
  });
}

async function feed(peer: RTCPeerConnection, track: MediaStreamTrack | null): Promise<void> {
  await Promise.all(peer.getSenders().map((sender) => sender.replaceTrack(track)));
}

/** As far as browsers tell: of checks of the way, and of reports about what was sent; ms. */
function roundTrips(stats: RTCStatsReport): number[] {
  const found: number[] = [];
  stats.forEach((report: { type: string; nominated?: boolean; state?: string; currentRoundTripTime?: number; roundTripTime?: number }) => {
    const seconds = report.type === "candidate-pair" && report.state === "succeeded" ? report.currentRoundTripTime : report.type === "remote-inbound-rtp" ? report.roundTripTime : undefined;
    if (seconds) found.push(seconds * 1000);
  });
  return found;
}

function received(stats: RTCStatsReport): Sample {
  const sample: Sample = { at: performance.now(), packets: 0, octets: 0 };
  stats.forEach((report: { type: string; packetsReceived?: number; bytesReceived?: number }) => {
    if (report.type !== "inbound-rtp") return;
    sample.packets += report.packetsReceived ?? 0;
    sample.octets += (report.bytesReceived ?? 0) + 12 * (report.packetsReceived ?? 0);
  });
  return sample;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
