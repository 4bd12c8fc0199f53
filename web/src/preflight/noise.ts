/** Sounds of the check: noise that nobody hears, to fill a line, and three notes by which a loudspeaker is tried. */

const NOTES = [523, 659, 784]; // Hz: a chord going up, unlike any warning
const NOTE = 0.28; // seconds

const [RATE, CHANNELS] = [48_000, 2];
const HEAD = 44; // bytes of a sound file before its samples
const BEGUN = 2_000; // ms; a computer that lets nothing be played never says so

export interface Noise {
  track: MediaStreamTrack;
  stop(): void;
}

/** Needs a press of the person before it, as all sound of a page does. */
export async function noise(): Promise<Noise> {
  const context = new AudioContext({ sampleRate: RATE });
  const samples = context.createBuffer(CHANNELS, RATE, RATE);
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    const data = samples.getChannelData(channel);
    for (let index = 0; index < data.length; index += 1) data[index] = (Math.random() - 0.5) / 2;
  }
  const source = context.createBufferSource();
  source.buffer = samples;
  source.loop = true;
  const way = context.createMediaStreamDestination();
  source.connect(way);
  source.start();
  await begun(context);
  const played = context.state === "running" ? null : await playedNoise().catch(() => null);
  const track = way.stream.getAudioTracks()[0] as MediaStreamTrack;
  const stop = () => {
    track.stop();
    void context.close();
  };
  if (played) stop();
  return played ?? { track, stop };
}

type Captured = HTMLAudioElement & { captureStream?: () => MediaStream; mozCaptureStream?: () => MediaStream };

/**
 * The same from a file. Without a device for sound (no loudspeaker plugged in) Firefox never runs an AudioContext, and only silence would
 * be sent, a few bytes a second; what an element plays can be captured all the same.
 */
async function playedNoise(): Promise<Noise | null> {
  const element: Captured = new Audio(URL.createObjectURL(new Blob([wave()], { type: "audio/wav" })));
  element.loop = true;
  element.muted = true; // of what is heard; what is captured has its own loudness
  const capture = element.captureStream ?? element.mozCaptureStream;
  const stream = capture?.call(element);
  if (stream) await within(element.play());
  const track = stream?.getAudioTracks()[0];
  const stop = () => {
    track?.stop();
    element.pause();
    URL.revokeObjectURL(element.src);
  };
  if (!track) stop();
  return track ? { track, stop } : null;
}

/** A second of noise as a file: RIFF, 16 bit. */
export function wave(): ArrayBuffer {
  const octets = RATE * CHANNELS * 2;
  const view = new DataView(new ArrayBuffer(HEAD + octets));
  const write = (at: number, letters: string) => [...letters].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, HEAD - 8 + octets, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of what follows, up to "data"
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, CHANNELS, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * CHANNELS * 2, true);
  view.setUint16(32, CHANNELS * 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, octets, true);
  for (let at = HEAD; at < view.byteLength; at += 2) view.setInt16(at, (Math.random() - 0.5) * 16_000, true);
  return view.buffer;
}

/** Play the notes; resolves when they are over. */
export async function notes(): Promise<void> {
  const context = new AudioContext();
  await begun(context);
  const begin = context.currentTime + 0.05;
  for (const [index, frequency] of NOTES.entries()) {
    const [tone, loudness] = [context.createOscillator(), context.createGain()];
    const from = begin + index * NOTE;
    tone.frequency.value = frequency;
    loudness.gain.setValueAtTime(0, from);
    loudness.gain.linearRampToValueAtTime(0.5, from + 0.03);
    loudness.gain.linearRampToValueAtTime(0, from + NOTE);
    tone.connect(loudness).connect(context.destination);
    tone.start(from);
    tone.stop(from + NOTE);
  }
  await new Promise((resolve) => setTimeout(resolve, 1000 * (NOTES.length * NOTE + 0.2)));
  await context.close();
}

const within = (work: Promise<void>) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, BEGUN))]);
const begun = (context: AudioContext) => within(context.resume());
