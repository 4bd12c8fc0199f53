// mediasoup as a server for the bench: one worker, one port, a router for each lesson.
// Reads one JSON request on each line of its input, writes one reply on each line of its output.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [home, address] = process.argv.slice(2);
const mediasoup = createRequire(`${home}/package.json`)("mediasoup");

const codecs = (types) => [
  {
    kind: "audio", mimeType: "audio/opus", clockRate: 48000, channels: 2, preferredPayloadType: types.audio,
    parameters: { minptime: 10, useinbandfec: 1 },
  },
  {
    kind: "video", mimeType: "video/H264", clockRate: 90000, preferredPayloadType: types.video,
    parameters: { "packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1 },
  },
];

const worker = await mediasoup.createWorker({ logLevel: "error" });
const server = await worker.createWebRtcServer({ listenInfos: [{ protocol: "udp", ip: address }] });
const lessons = new Map();

async function transport(router, remote) {
  const made = await router.createWebRtcTransport({ webRtcServer: server, enableUdp: true, enableTcp: false });
  const [candidate] = made.iceCandidates;
  await made.connect({
    dtlsParameters: { role: "client", fingerprints: [{ algorithm: "sha-256", value: remote.fingerprint }] },
  });
  return [made, {
    ufrag: made.iceParameters.usernameFragment,
    pwd: made.iceParameters.password,
    fingerprint: made.dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === "sha-256").value,
    address: candidate.ip,
    port: candidate.port,
  }];
}

const operations = {
  async publish({ lesson, remote, types, tracks }) {
    const router = await worker.createRouter({ mediaCodecs: codecs(types) });
    const [made, answer] = await transport(router, remote);
    const producers = [];
    for (const { kind, rtpParameters } of tracks) producers.push(await made.produce({ kind, rtpParameters }));
    lessons.set(lesson, { router, producers });
    return answer;
  },
  async watch({ lesson, remote, extensions }) {
    const { router, producers } = lessons.get(lesson);
    const [made, answer] = await transport(router, remote);
    const all = router.rtpCapabilities;
    // What the load generator does: NACK, PLI and REMB, not transport-wide feedback (which would cost more here).
    const rtpCapabilities = {
      codecs: all.codecs.map((codec) => ({
        ...codec, rtcpFeedback: codec.rtcpFeedback.filter(({ type }) => type !== "transport-cc"),
      })),
      headerExtensions: all.headerExtensions.filter(({ uri }) => extensions.includes(uri)),
    };
    for (const producer of producers) await made.consume({ producerId: producer.id, rtpCapabilities });
    return answer;
  },
};

console.log(JSON.stringify({ version: mediasoup.version, pid: worker.pid }));
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  operations[request.operation](request).then(
    (reply) => console.log(JSON.stringify({ id: request.id, ...reply })),
    (error) => console.log(JSON.stringify({ id: request.id, error: String(error) })),
  );
}
process.exit(0);
