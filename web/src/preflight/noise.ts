/** Sounds of the check: noise that nobody hears, to fill a line, and three notes by which a loudspeaker is tried. */

const NOTES = [523, 659, 784]; // Hz: a chord going up, unlike any warning
const NOTE = 0.28; // seconds

const BEGUN = 2_000; // ms; a computer that lets nothing be played never says so

export interface Noise {
  track: MediaStreamTrack;
  stop(): void;
}

/** Needs a press of the person before it, as all sound of a page does. */
export async function noise(): Promise<Noise> {
  const context = new AudioContext({ sampleRate: 48_000 });
  const samples = context.createBuffer(2, context.sampleRate, context.sampleRate);
  for (const channel of [0, 1]) {
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
  const track = way.stream.getAudioTracks()[0] as MediaStreamTrack;
  return {
    track,
    stop: () => {
      track.stop();
      void context.close();
    },
  };
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

const begun = (context: AudioContext) => Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, BEGUN))]);
