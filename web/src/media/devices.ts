/** Cameras, microphones and the screen: opened, listed, and what went wrong told as one word the page can explain. */

export type DeviceProblem = "refused" | "missing" | "busy" | "insecure" | "unknown";

export class DeviceError extends Error {
  constructor(readonly problem: DeviceProblem) {
    super(problem);
  }
}

export interface DeviceChoice {
  camera?: string; // deviceId
  microphone?: string;
  music?: boolean; // the sound as it is: nothing suppressed, cancelled or levelled
}

export interface Opened {
  camera: MediaStreamTrack | null;
  microphone: MediaStreamTrack | null;
  cameraProblem: DeviceProblem | null;
  microphoneProblem: DeviceProblem | null;
}

/** Both at once, so that the browser asks once; what is missing is left out and said so. */
export async function openBoth(choice: DeviceChoice): Promise<Opened> {
  try {
    const stream = await ask({ video: cameraConstraints(choice.camera), audio: microphoneConstraints(choice.microphone, choice.music) });
    return {
      camera: stream.getVideoTracks()[0] ?? null,
      microphone: stream.getAudioTracks()[0] ?? null,
      cameraProblem: null,
      microphoneProblem: null,
    };
  } catch {
    // One of the two is missing, busy or refused: find out which, and go on with the other.
    const [camera, microphone] = await Promise.all([
      openCamera(choice.camera).catch(problemOf),
      openMicrophone(choice.microphone, choice.music).catch(problemOf),
    ]);
    return {
      camera: typeof camera === "string" ? null : camera,
      microphone: typeof microphone === "string" ? null : microphone,
      cameraProblem: typeof camera === "string" ? camera : null,
      microphoneProblem: typeof microphone === "string" ? microphone : null,
    };
  }
}

/** Throws DeviceError. */
export async function openCamera(deviceId?: string, exact = false): Promise<MediaStreamTrack> {
  return first(await ask({ video: { ...cameraConstraints(deviceId), ...only(deviceId, exact) } }));
}

/** Throws DeviceError. */
export async function openMicrophone(deviceId?: string, music = false, exact = false): Promise<MediaStreamTrack> {
  return first(await ask({ audio: { ...microphoneConstraints(deviceId, music), ...only(deviceId, exact) } }));
}

/** The screen, or null when the person closed the browser's question. Throws DeviceError. */
export async function openScreen(): Promise<MediaStreamTrack | null> {
  if (typeof navigator.mediaDevices?.getDisplayMedia !== "function") {
    throw new DeviceError(isSecureContext ? "missing" : "insecure");
  }
  try {
    const video = { frameRate: { max: 15 }, width: { max: 1920 }, height: { max: 1080 } };
    return first(await navigator.mediaDevices.getDisplayMedia({ video, audio: false }));
  } catch (error) {
    // NotAllowedError is also what cancelling gives; the person knows that they did.
    if (problemOf(error) === "refused") return null;
    throw new DeviceError(problemOf(error));
  }
}

export async function listDevices(): Promise<{ cameras: MediaDeviceInfo[]; microphones: MediaDeviceInfo[] }> {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  return {
    cameras: all.filter((one) => one.kind === "videoinput" && one.deviceId),
    microphones: all.filter((one) => one.kind === "audioinput" && one.deviceId),
  };
}

export function problemOf(error: unknown): DeviceProblem {
  if (error instanceof DeviceError) return error.problem;
  switch ((error as { name?: string } | null)?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "unknown";
  }
}

async function ask(constraints: MediaStreamConstraints): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) throw new DeviceError(isSecureContext ? "missing" : "insecure");
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw new DeviceError(problemOf(error));
  }
}

function first(stream: MediaStream): MediaStreamTrack {
  const track = stream.getTracks()[0];
  if (!track) throw new DeviceError("missing");
  return track;
}

/** A second device must be that very one: another would be the first once more. */
function only(deviceId: string | undefined, exact: boolean): MediaTrackConstraints {
  return deviceId && exact ? { deviceId: { exact: deviceId } } : {};
}

function cameraConstraints(deviceId?: string): MediaTrackConstraints {
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 25, max: 30 },
    ...(deviceId ? { deviceId: { ideal: deviceId } } : {}),
  };
}

function microphoneConstraints(deviceId?: string, music = false): MediaTrackConstraints {
  return {
    echoCancellation: !music,
    noiseSuppression: !music,
    autoGainControl: !music,
    ...(deviceId ? { deviceId: { ideal: deviceId } } : {}),
  };
}
